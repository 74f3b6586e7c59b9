"""Real surveys of other countries come out as their reference values say; skipped without ../shared."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import ndtr

from survey.estimation.design_effect import design_effect, kish_deff
from survey.estimation.means import mean, proportion, ratio
from survey.estimation.totals import total
from survey.sampling.design import Design, ReplicateDesign
from survey.sampling.sample_size import wilson_limits
from survey.weighting.calibration import rake
from survey.weighting.margins import Margin, rescaled


def columns(path: Path) -> dict[str, np.ndarray]:
    """Columns as text; an empty field is empty text."""
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8")
    header, *rows = csv.reader(text.splitlines())
    return dict(zip(header, np.array(rows).T, strict=True))


def numbers(column: np.ndarray) -> np.ndarray:
    return np.array([float(value) if value not in ("", "NA") else np.nan for value in column])


def expectations(folder: Path) -> dict:
    return json.loads((folder / "expected.json").read_text(encoding="utf-8"))


def test_pisa_2003_belgium_comes_out_with_fay_replicates(shared):
    folder = shared / "data" / "pisa2003_belgium"
    data, expected = columns(folder / "students.csv.gz"), expectations(folder)
    replicates = np.column_stack([numbers(data[f"W_FSTR{r + 1}"]) for r in range(80)])
    design = ReplicateDesign(numbers(data["W_FSTUWT"]), replicates, 1 / (80 * 0.5**2), np.ones(80), mse=True)
    for item in expected["items"]:
        answer = numbers(data[item["item"]])
        agrees = np.where(np.isnan(answer), np.nan, np.isin(answer, item["agree_codes"]))
        one = proportion(agrees, design, skip_missing=True)

        assert one.value == pytest.approx(item["rate"], abs=1e-8)
        assert one.se == pytest.approx(item["se"], abs=1e-8)
        assert one.n == item["valid_n"]


def test_pisa_2012_hong_kong_parents_come_out_by_school_and_stratum(shared):
    folder = shared / "data" / "pisa2012_parents_hongkong"
    data, schools, expected = (
        columns(folder / "parents.csv.gz"),
        columns(folder / "schools.csv"),
        expectations(folder),
    )
    size = numbers(schools["boys"]) + numbers(schools["girls"])
    size = np.where(np.isnan(size), numbers(schools["school_size"]), size)
    size = np.where(np.isnan(size), expected["size_used_when_missing"], size)
    known = {code: at for at, code in enumerate(schools["school_id"])}
    at = np.array([known[code] for code in data["school_id"]])
    weight = numbers(schools["school_weight"])
    for item in expected["items"]:
        answer = numbers(data[item["item"]])
        valid = ~np.isnan(answer)
        answers_of_school = np.bincount(at[valid], minlength=len(size))
        w = weight[at[valid]] * size[at[valid]] / answers_of_school[at[valid]]
        design = Design(
            w, strata=(data["stratum"][valid],), psu=(data["school_id"][valid],), lonely_psu="adjust"
        )
        y = (answer[valid] <= 2).astype(float)
        one = proportion(y, design)

        assert one.value == pytest.approx(item["rate"], abs=1e-8)
        assert one.se == pytest.approx(item["se"], abs=1e-8)
        assert design_effect(one, y, design, against="wor") == pytest.approx(item["deff"], rel=1e-6)


def test_pisa_2012_shanghai_schools_come_out_with_totals_and_ratios(shared):
    folder = shared / "data" / "pisa2012_schools_shanghai"
    data, expected = columns(folder / "schools.csv"), expectations(folder)
    weight, enrolment = numbers(data["school_weight"]), numbers(data["boys"]) + numbers(data["girls"])
    public = (data["public_private"] == "Public").astype(float)
    teachers = numbers(data["teachers_full_time"])

    def listed(*wanted: np.ndarray) -> tuple[Design, list[np.ndarray]]:
        """The schools that reported, as the reference took them: rows without a value are not in its design."""
        there = ~np.isnan(np.sum(wanted, axis=0))
        design = Design(weight[there], strata=(data["stratum"][there],), lonely_psu="adjust")
        return design, [column[there] for column in wanted]

    sized, (pupils,) = listed(enrolment)
    of_sized = public[~np.isnan(enrolment)]
    both, (taught, teaching) = listed(enrolment, teachers)
    found = {
        "total_enrolment": total(pupils, sized),
        "mean_enrolment": mean(pupils, sized),
        "share_public": proportion(of_sized, sized),
        "students_per_full_time_teacher": ratio(taught, teaching, both),
    }
    whole = Design(weight, strata=(data["stratum"],), lonely_psu="adjust")
    kept = total(enrolment, whole, skip_missing=True)

    for name, one in found.items():
        assert one.value == pytest.approx(expected[name], rel=1e-8)
        assert one.se == pytest.approx(expected[f"{name}_se"], rel=1e-6)
    # Ours keeps the two silent schools in the design, and so is a little less sure of the total.
    assert kept.value == pytest.approx(expected["total_enrolment"], rel=1e-8)
    assert kept.se > expected["total_enrolment_se"]


def test_a_sample_with_nonresponse_comes_out_raked(shared):
    folder = shared / "data" / "nonresponse_sim_srs"
    data, known, expected = (
        columns(folder / "sample.csv.gz"),
        columns(folder / "margins.csv"),
        expectations(folder),
    )
    answered = data["RESPONSE_STATUS"] == "Respondent"
    agrees = (data["WHETHER_PARENT_AGREES"][answered] == "AGREE").astype(float)
    design = Design(numbers(data["BASE_WEIGHT"])[answered])
    margins = [
        Margin(
            name,
            data[name][answered],
            {c: float(t) for m, c, t in zip(*known.values(), strict=True) if m == name},
        )
        for name in expected["raked_to"]
    ]
    base = proportion(agrees, design)
    raked = proportion(agrees, rake(design.weights, margins, tolerance=1e-10).applied_to(design))

    assert answered.mean() == pytest.approx(expected["response_rate"])
    assert (base.value, base.se) == pytest.approx(
        (expected["base_weighted"], expected["base_weighted_se"]), abs=1e-8
    )
    assert raked.value == pytest.approx(expected["raked"], abs=1e-7)
    assert raked.se == pytest.approx(expected["raked_se"], abs=1e-6)


def test_nhes_2019_parents_come_out_raked_to_six_margins(shared):
    folder = shared / "data" / "nhes_pfi_2019"
    data, expected = columns(folder / "parents.csv.gz"), expectations(folder)
    total_ = expected["population_total"]
    n = len(data["BASMID"])
    margins = rescaled(
        [Margin(name, data[name], totals) for name, totals in expected["margins"].items()], total_
    )
    weights = rake(np.full(n, total_ / n), margins, tolerance=1e-9).weights

    # The margins differ by rounding; R meets the last of them, we meet all after rescaling.
    assert kish_deff(weights) == pytest.approx(expected["design_effect_kish"], abs=5e-6)
    for item in expected["items"]:
        answer = numbers(data[item["item"]])
        valid = answer >= 1
        shares = [weights[answer == code].sum() / weights[valid].sum() for code in (1, 2, 3, 4)]

        assert shares == pytest.approx(item["raked"], abs=2e-7)


def test_nss_intervals_of_12690_rows_come_out_as_published(shared):
    folder = shared / "data" / "nss_2019_2020"
    data, expected = columns(folder / "results.csv.gz"), expectations(folder)
    level = 2 * float(ndtr(2.17)) - 1
    n = numbers(data["Response"])
    shares = numbers(data["Agree"]) + numbers(data["StronglyAgree"])
    agreement, low, high = (numbers(data[name]) for name in ("Agreement", "ConfMin", "ConfMax"))
    gaps = []
    for at in range(len(n)):
        lower, upper = wilson_limits(float(agreement[at]), float(n[at]), level)
        gaps.append(max(abs(lower - low[at]), abs(upper - high[at])))

    assert len(gaps) == expected["rows"]
    assert max(gaps) <= 0.0005
    assert np.abs(shares - agreement).max() <= 0.0015
