"""The example specs reproduce the reference values of real surveys through `survey estimate` itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from survey.cli.main import main
from survey.estimation.analysis.format import reference_text
from survey.estimation.analysis.spec import read_spec
from survey.jobs.estimate_file import example_spec, examples


def estimated(cases: Path, example: str) -> dict[str, Any]:
    """What the command prints with --json."""
    if not cases.is_file():
        pytest.skip("needs ../shared/data")
    said = CliRunner().invoke(
        main, ["estimate", "--cases", str(cases), "--example", example, "--no-files", "--json"]
    )
    assert said.exit_code == 0, said.output
    return json.loads(said.stdout)


def expectations(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "expected.json").read_text(encoding="utf-8"))


def row(
    document: dict[str, Any], id_: str, domain: str = "全体", option: str | None = None
) -> dict[str, Any]:
    (found,) = [
        one for one in document["rows"]
        if one["id"] == id_ and one["domain"] == domain and one.get("option") == option
    ]  # fmt: skip
    return found


@pytest.fixture
def data(shared: Path) -> Path:
    return shared / "data"


@pytest.mark.parametrize("name", examples())
def test_every_example_is_a_spec(name: str) -> None:
    assert read_spec(example_spec(name).text).title


def test_pisa_2003_belgium(data: Path) -> None:
    folder = data / "pisa2003_belgium"
    document, expected = estimated(folder / "students.csv.gz", "pisa_2003_belgium"), expectations(folder)

    assert document["weights"][-1]["total"] == pytest.approx(expected["sum_of_weights"], abs=1e-4)
    assert document["file"]["records"] == expected["rows"]
    for item in expected["items"]:
        one = row(document, item["item"])
        assert (one["value"], one["se"], one["unweighted"]) == pytest.approx(
            (item["rate"], item["se"], item["unweighted"]), abs=1e-8
        )
        assert (one["lower"], one["upper"]) == pytest.approx(item["ci95"], abs=1e-8)
        assert one["n"] == item["valid_n"]
        for code, share in item["share_by_code"].items():
            assert row(document, f"shares_{item['item']}", option=code)["value"] == pytest.approx(
                share, abs=1e-8
            )


def test_pisa_2012_hong_kong(data: Path) -> None:
    folder = data / "pisa2012_parents_hongkong"
    document, expected = estimated(folder / "parents.csv.gz", "pisa_2012_hongkong"), expectations(folder)

    assert document["design"]["psus"] == 147
    for item in expected["items"]:
        one = row(document, item["item"])
        assert (one["value"], one["se"], one["unweighted"]) == pytest.approx(
            (item["rate"], item["se"], item["unweighted"]), abs=1e-8
        )
        assert one["deff"] == pytest.approx(item["deff"], abs=1e-8)
        assert one["n"] == item["valid_n"]


def test_pisa_2012_shanghai(data: Path) -> None:
    folder = data / "pisa2012_schools_shanghai"
    document, expected = estimated(folder / "schools.csv", "pisa_2012_shanghai"), expectations(folder)

    assert document["design"]["records"] == expected["schools"]
    assert document["weights_total"] == pytest.approx(expected["sum_school_weight"], abs=1e-4)
    for name in ("total_enrolment", "mean_enrolment", "share_public", "students_per_full_time_teacher"):
        one = row(document, name)
        assert one["value"] == pytest.approx(expected[name], abs=1e-4 if "total" in name else 1e-8)
        assert one["se"] == pytest.approx(expected[f"{name}_se"], abs=1e-8)
        assert one["n"] == expected["schools_with_enrolment"]
    # Schools that kept silent stay in our own way of reckoning, and it is a little less sure.
    assert row(document, "total_enrolment_kept")["se"] > expected["total_enrolment_se"]


def test_nonresponse_sim(data: Path) -> None:
    folder = data / "nonresponse_sim_srs"
    document, expected = estimated(folder / "sample.csv.gz", "nonresponse_sim"), expectations(folder)
    one = row(document, "agrees")

    assert document["design"]["records"] == expected["respondents"]
    assert (one["value"], one["se"]) == pytest.approx((expected["raked"], expected["raked_se"]), abs=1e-6)
    assert (one["base_weighted"], one["base_weighted_se"]) == pytest.approx(
        (expected["base_weighted"], expected["base_weighted_se"]), abs=1e-8
    )
    assert one["decision"] == "达到"

    adjusted = estimated(folder / "sample.csv.gz", "nonresponse_sim_adjusted")
    assert adjusted["response"]["rate"] == pytest.approx(expected["response_rate"])
    assert adjusted["response"]["sampled"] == expected["sample"]
    assert [step["name"] for step in adjusted["weights"]] == [
        "设计权数",
        "无回答调整",
        "迭代加权",
        "截尾",
        "迭代加权",
    ]


def test_nhes_2019(data: Path) -> None:
    folder = data / "nhes_pfi_2019"
    document, expected = estimated(folder / "parents.csv.gz", "nhes_2019"), expectations(folder)
    final = document["weights"][-1]

    # R's rake meets only the last of six margins that differ by rounding; ours meets all, rescaled.
    assert final["kish_deff"] == pytest.approx(expected["design_effect_kish"], abs=5e-6)
    assert final["smallest"] == pytest.approx(expected["weight_min"], rel=2e-5)
    assert final["largest"] == pytest.approx(expected["weight_max"], rel=2e-5)
    assert document["weights_total"] == pytest.approx(expected["population_total"])
    for item in expected["items"]:
        whole = row(document, item["item"])
        assert whole["value"] == pytest.approx(item["raked_very_or_somewhat"], abs=2e-7)
        assert whole["n"] == item["valid_n"]
        assert whole["reached"] is True
        for code, raked, plain in zip("1234", item["raked"], item["unweighted"], strict=True):
            share = row(document, f"shares_{item['item']}", option=code)
            assert share["value"] == pytest.approx(raked, abs=2e-7)
            assert share["unweighted"] == pytest.approx(plain, abs=1e-8)


def test_nss_2019_2020(data: Path) -> None:
    folder = data / "nss_2019_2020"
    document, expected = estimated(folder / "results.csv.gz", "nss_2019_2020"), expectations(folder)
    published = document["published"]
    by_key = {tuple(one["key"].values()): one for one in published["rows"]}

    assert len(published["rows"]) == expected["rows"] == published["compared"] == published["agree"]
    for item in expected["items"]:
        one = by_key[item["provider"], str(item["year"]), item["question"]]
        assert (one["n"], one["value"]) == (item["n"], item["agreement"])
        assert (one["lower"], one["upper"]) == pytest.approx((item["lower"], item["upper"]), abs=1e-6)


def test_gazi_course(data: Path) -> None:
    folder = data / "course_evaluation_gazi"
    document, expected = estimated(folder / "answers.csv.gz", "gazi_course"), expectations(folder)
    quality = document["quality"]

    assert quality["rows"] == expected["rows"]
    assert quality["straight_line_rows"] == expected["straight_line_rows"]
    assert quality["straight_line_share"] == pytest.approx(expected["straight_line_share"], abs=1e-7)
    assert quality["straight_line_by_value"] == expected["straight_line_by_value"]
    assert quality["cronbach_alpha"] == pytest.approx(expected["cronbach_alpha"], abs=1e-7)
    for name, share in expected["share_4_5"].items():
        assert row(document, name)["value"] == pytest.approx(share, abs=1e-8)
        assert row(document, f"mean_{name}")["value"] == pytest.approx(expected["mean"][name], abs=1e-8)
        without = row(document, name, "不是一条线到底的")["value"]
        assert without == pytest.approx(expected["share_4_5_without_straight_liners"][name], abs=1e-8)
    for group in expected["by_instructor_class"]:
        domain = f"instr={group['instr']}，class={group['cls']}"
        lines, last = row(document, "straight_line", domain), row(document, "Q28", domain)
        assert lines["n"] == group["n"]
        assert lines["value"] == pytest.approx(group["straight_line"], abs=1e-8)
        assert last["value"] == pytest.approx(group["q28_4_5"], abs=1e-8)
    assert quality["identical_rows"] == expected["exact_duplicate_answer_rows"]


def test_the_page_of_the_format_tells_every_key() -> None:
    page = Path(__file__).resolve().parents[2] / "survey" / "estimation" / "analysis" / "FORMAT.md"

    # Made anew by: survey estimate --keys
    assert page.read_text(encoding="utf-8").endswith(reference_text() + "\n")


def test_examples_schema_and_keys_are_printed() -> None:
    said = [
        CliRunner().invoke(main, ["estimate", *words])
        for words in (["--example", "list"], ["--example", "nhes_2019"], ["--keys"], ["--schema"])
    ]

    assert [one.exit_code for one in said] == [0, 0, 0, 0]
    assert tuple(said[0].stdout.split()) == examples()
    assert read_spec(said[1].stdout).title.startswith("NHES 2019")
    assert "`base_weights`" in said[2].stdout
    assert "AnalysisSpec" in json.loads(said[3].stdout)["$defs"]
