"""Answers that people really gave: NYC district 06, 2011, frame → answers → weights → rates.

47 schools, three groups, everybody asked. The district rates and standard errors must come out as the
reference has them, and the published school scores as the city printed them.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections import defaultdict
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from survey.estimation.census import break_even_rate, census_design, census_rate
from survey.estimation.means import proportion
from survey.estimation.scores import item_score, mean_score

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


@pytest.fixture(scope="module")
def district(shared):
    """The folder of the district's files."""
    return shared / "data" / "nyc_school_survey_2011"


@pytest.fixture(scope="module")
def frame(district):
    """Schools by code, as the frame lists them."""
    with (district / "schools.csv").open(encoding="utf-8", newline="") as file:
        return {row["dbn"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def answers(district):
    """How many chose each option, by (group, question) and school."""
    counts: dict = defaultdict(lambda: defaultdict(lambda: [0] * 14))
    with gzip.open(district / "answer_counts.csv.gz", "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            counts[row["group"], row["question"]][row["dbn"]][int(row["option"]) - 1] = int(row["n"])
    return counts


@pytest.fixture(scope="module")
def expected(district):
    return json.loads((district / "expected.json").read_text(encoding="utf-8"))


def persons(schools):
    """Everybody asked about one item: the cell of each, its size, who gave a valid answer, and which.

    A school with more answers than persons counts as its answers; one with fewer than two valid answers
    leaves the rate, as the reference has it.
    """
    cells, sizes, responded, satisfied = [], [], [], []
    for code, school in schools.items():
        options = school["options"]
        valid, yes = sum(options[:4]), sum(options[:2])
        if valid < 2:
            continue
        asked = max(school["asked"], valid)
        cells += [code] * asked
        sizes += [asked] * asked
        responded += [True] * valid + [False] * (asked - valid)
        satisfied += [1.0] * yes + [0.0] * (valid - yes) + [np.nan] * (asked - valid)
    return np.array(cells), np.array(sizes, float), np.array(responded), np.array(satisfied)


def check_item(schools, expected):
    """Rows through the engine, counts through the closed form, and the reference: one number."""
    cells, sizes, responded, satisfied = persons(schools)
    design, weights = census_design(cells, sizes, responded)
    by_rows = proportion(satisfied[responded], design)
    by_counts = census_rate(
        [one["asked"] for one in schools.values()],
        [sum(one["options"][:4]) for one in schools.values()],
        [sum(one["options"][:2]) for one in schools.values()],
    )
    # Against a threshold only exact fractions decide: 17 of 20 is 85 %, in floats it may be a hair less.
    reached = [
        Fraction(sum(one["options"][:2]), sum(one["options"][:4])) >= Fraction(85, 100)
        for one in schools.values()
        if sum(one["options"][:4]) >= 2
    ]

    assert by_counts.rate == pytest.approx(expected["county_rate"], abs=5.1e-9)
    assert by_counts.se == pytest.approx(expected["county_se"], abs=5.1e-9)
    assert by_rows.value == pytest.approx(by_counts.rate, rel=1e-12)
    assert by_rows.se == pytest.approx(by_counts.se, rel=1e-9)
    assert by_rows.df == by_counts.df
    assert weights.sum() == pytest.approx(expected["eligible"])
    assert (by_counts.cells, by_counts.valid) == (expected["schools"], expected["valid"])
    assert by_counts.pooled == pytest.approx(expected["pooled_rate"], abs=5.1e-9)
    assert sum(reached) == expected["schools_at_or_above_85pct"]


@pytest.mark.parametrize("at", range(6))
def test_six_items_of_the_district_give_the_reference_rate_and_error(at):
    item = json.loads((GOLDEN / "estimation" / "nyc_district_06.json").read_text(encoding="utf-8"))["items"][
        at
    ]

    check_item(item["schools"], item["expected"])


def test_all_93_items_of_the_district_give_the_reference_rate_and_error(frame, answers, expected):
    for one in expected["county"]:
        eligible = f"{one['group']}s_eligible"
        schools = {
            code: {"asked": int(float(frame[code][eligible] or 0)), "options": options}
            for code, options in sorted(answers[one["group"], one["question"]].items())
        }
        check_item(schools, one)

    assert len(expected["county"]) == 93


def test_the_verdict_on_the_district_says_what_the_silent_would_have_to_think(expected):
    one = next(item for item in expected["county"] if item["county_rate"] > 0.9)
    turning = break_even_rate(0.85, one["county_rate"], one["valid"] / one["eligible"])

    assert turning < 0.85 < one["county_rate"]


def points_of_the_city():
    """Exact points by item; 3.3333 and 6.6667 stand for thirds."""
    exact = {3.3333: Fraction(10, 3), 6.6667: Fraction(20, 3)}
    published = json.loads((GOLDEN / "published" / "nyc_school_survey_2011.json").read_text(encoding="utf-8"))
    return {
        item: [None if p is None else exact.get(p, Fraction(str(p))) for p in points]
        for item, points in published["table"]["points_per_option"].items()
    }


FOUR_OPTIONS = [10, Fraction(20, 3), Fraction(10, 3), 0, None]
WITH_A_MIDDLE = [10, Fraction(15, 2), Fraction(5, 2), 0, 5]
OTHER_POINTS = {"6a": WITH_A_MIDDLE, "6b": WITH_A_MIDDLE}
PRINTED_ONLY = {"3c", "5"}
"""3c has more options than its points are known for; 5 lets parents choose up to three."""


def test_the_school_scores_of_the_district_come_out_as_published(district, answers, expected):
    """Item, dimension and total scores of 47 schools, within the 0.1 that rounding leaves."""
    points = points_of_the_city()
    with (district / "published_scores.csv").open(encoding="utf-8", newline="") as file:
        published = {row["dbn"]: row for row in csv.DictReader(file)}
    gaps = []
    for dimension in ("saf", "com", "eng", "aca"):
        questions = expected["domain_scores"][f"{dimension}_p_11"]["questions"]
        for code, row in published.items():
            parts = []
            for question in (one for one in questions if row[f"p_q{one}"]):
                printed = Fraction(row[f"p_q{question}"])
                if question in PRINTED_ONLY:
                    parts.append(printed)
                    continue
                known = points.get(f"p_q{question}", OTHER_POINTS.get(question, FOUR_OPTIONS))
                parts.append(item_score(answers["parent", f"q{question}"][code][: len(known)], known))
                gaps.append(abs(parts[-1] - printed))
            gaps.append(abs(mean_score(parts) - Fraction(row[f"{dimension}_p_11"])))
            groups = [Fraction(row[f"{dimension}_{g}_11"]) for g in "pts" if row[f"{dimension}_{g}_11"]]
            gaps.append(abs(mean_score(groups) - Fraction(row[f"{dimension}_tot_11"])))

    assert len(published) == 47
    assert len(gaps) > 47 * 38
    assert max(gaps) <= Fraction(1, 10)
