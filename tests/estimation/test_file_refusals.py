"""What bad input gets from `survey estimate --cases`: a code, the thing, the reason, the remedy; no half-result."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from shutil import rmtree
from typing import Any

import pandas
import pyreadstat
import pytest
from click.testing import CliRunner

from survey.cli.main import main

CASES = """school,stratum,sex,age,w,pi,size,q,n_schools,x
a,1,m,30,2,0.5,100,1,4,1
a,1,f,31,2,0.5,100,1,4,2
b,1,m,32,3,0.5,100,2,4,3
b,1,f,33,3,0.5,100,1,4,4
c,2,m,34,4,0.25,50,1,6,5
c,2,f,35,4,0.25,50,2,6,6
d,2,m,36,5,0.25,50,1,6,7
d,2,f,37,5,0.25,50,1,6,8
"""
SPEC = """title: 小样本
base_weights: [{weight: w}]
design: {stages: [{strata: stratum, units: school}]}
items: [{column: q, satisfied: 1}]
disclosure: {minimum_count: 1, reliability: off}
"""
Estimate = Callable[..., dict[str, Any]]


@pytest.fixture
def estimate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Estimate:
    """The command on some cases and a spec: the document, or the refusal under "error"."""
    monkeypatch.chdir(tmp_path)

    def call(cases: str | bytes = CASES, spec: str | bytes = SPEC, **beside: str) -> dict[str, Any]:
        rmtree(tmp_path / "out", ignore_errors=True)
        for name, content in (
            ("cases.csv", cases),
            ("spec.yaml", spec),
            *((f"{k}.csv", v) for k, v in beside.items()),
        ):
            (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
        said = CliRunner().invoke(
            main, ["estimate", "--cases", "cases.csv", "--spec", "spec.yaml", "--out", "out", "--json"]
        )
        document: dict[str, Any] = json.loads(said.stdout)
        assert said.exit_code == (1 if "error" in document else 0), said.output
        # A refusal leaves nothing behind.
        assert (tmp_path / "out").exists() is ("error" not in document)
        return document

    return call


def refusal(document: dict[str, Any]) -> dict[str, Any]:
    error: dict[str, Any] = document["error"]
    assert error["thing"] and error["reason"] and error["remedy"]
    return error


def with_step(step: str) -> str:
    return SPEC + f"weighting:\n  - {step}\n"


def changed(column: str, value: str, row: int = 2) -> str:
    """The cases with one cell changed; rows counted from 1."""
    header, *rows = CASES.splitlines()
    at = header.split(",").index(column)
    cells = rows[row - 1].split(",")
    cells[at] = value
    rows[row - 1] = ",".join(cells)
    return "\n".join([header, *rows]) + "\n"


def test_a_good_spec_gives_result_files(estimate: Estimate, tmp_path: Path) -> None:
    document = estimate()

    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "results.csv", "results.json", "results.xlsx", "report.pdf",
    }  # fmt: skip
    assert document["rows"][0]["value"] == pytest.approx(21 / 28)
    assert json.loads((tmp_path / "out" / "results.json").read_text())["rows"] == document["rows"]


STEPS = {
    "margins that disagree": ("rake: {margins: [{by: sex, totals: {m: 50, f: 50}}, {by: stratum, totals: {1: 40, 2: 61}}]}", "weighting.margin_mismatch"),
    "a margin category without cases": ("rake: {margins: [{by: sex, totals: {m: 50, f: 40, x: 10}}]}", "weighting.margin_empty"),
    "a category absent from the margin": ("rake: {margins: [{by: sex, totals: {m: 50}}]}", "weighting.margin_empty"),
    "a post-stratum without cases": ("poststratify: {by: sex, totals: {m: 50, f: 40, x: 10}}", "weighting.margin_empty"),
    "no convergence": ("rake: {max_sweeps: 1, margins: [{by: sex, totals: {m: 70, f: 30}}, {by: school, totals: {a: 10, b: 40, c: 20, d: 30}}, {by: q, totals: {1: 50, 2: 50}}]}", "weighting.not_converged"),
    "bounds too narrow": ("calibrate: {distance: logit, bounds: [0.9, 1.1], margins: [{by: sex, totals: {m: 90, f: 10}}]}", "weighting.infeasible"),
    "logit without bounds": ("calibrate: {distance: logit, population: 100}", "weighting.infeasible"),
    "totals that contradict": ("calibrate: {population: 100, margins: [{by: sex, totals: {m: 10, f: 10}}]}", "weighting.infeasible"),
    "a negative margin": ("rake: {margins: [{by: sex, totals: {m: 50, f: -50}}]}", "weighting.margin_empty"),
    "a cell without a respondent": ("nonresponse: {responded: {school: [a, b]}, cells: stratum}", "weighting.empty_cell"),
    "a cell too small": ("nonresponse: {responded: {sex: m}, cells: school, minimum: 5}", "weighting.step_spec"),
    "separated respondents": ("nonresponse: {responded: {sex: m}, propensity: {categorical: sex}}", "weighting.propensity"),
    "a cap below the average": ("trim: {upper: 0.1, strict: true}", "weighting.cap"),
    "no margin at all": ("rake: {}", "weighting.step_spec"),
    "a file of margins that is not there": ("rake: {file: nowhere.csv}", "estimate_file.unreadable"),
    "a numeric total of text": ("calibrate: {totals: {sex: 10}}", "columns.not_numeric"),
}  # fmt: skip


@pytest.mark.parametrize("what", STEPS)
def test_weighting_that_cannot_be_done_is_refused(estimate: Estimate, what: str) -> None:
    step, code = STEPS[what]

    assert refusal(estimate(spec=with_step(step)))["code"] == code


def test_a_margin_mismatch_offers_to_rescale_and_rescaling_works(estimate: Estimate) -> None:
    step = (
        "rake: {RESCALE margins: [{by: sex, totals: {m: 50, f: 50}}, {by: stratum, totals: {1: 40, 2: 61}}]}"
    )
    said = refusal(estimate(spec=with_step(step.replace("RESCALE ", ""))))
    document = estimate(spec=with_step(step.replace("RESCALE", "rescale: true,")))

    assert "rescale: true" in said["remedy"]
    assert "100" in said["reason"] and "101" in said["reason"]
    assert document["weights_total"] == pytest.approx(100)


WEIGHTS = {
    "negative": ("-1", "arrays.range"),
    "missing": ("", "arrays.not_finite"),
    "nan": ("NaN", "arrays.not_finite"),
    "infinite": ("inf", "arrays.not_finite"),
    "minus infinite": ("-Infinity", "arrays.not_finite"),
    "text": ("两", "columns.not_numeric"),
}


@pytest.mark.parametrize("what", WEIGHTS)
def test_weights_that_are_none_are_refused_with_their_row(estimate: Estimate, what: str) -> None:
    value, code = WEIGHTS[what]
    said = refusal(estimate(changed("w", value)))

    assert said["code"] == code
    assert "w" in said["thing"]
    assert "第2" in said["reason"]


@pytest.mark.parametrize("value", ["0", "-0.2", "1.5", "nan", ""])
def test_probabilities_outside_their_range_are_refused(estimate: Estimate, value: str) -> None:
    said = refusal(estimate(changed("pi", value), SPEC.replace("weight: w", "probability: pi")))
    pps = SPEC.replace("stages: [{strata: stratum, units: school}]", "pps: {probability: pi}")
    other = refusal(estimate(changed("pi", value), pps))

    assert {said["code"], other["code"]} <= {"arrays.range", "arrays.not_finite"}
    assert "第2" in said["reason"] and "第2" in other["reason"]


@pytest.mark.parametrize(("value", "code"), [("0", "weighting.pps_size"), ("-3", "weighting.pps_size"), ("5000", "arrays.range"), ("", "arrays.not_finite")])  # fmt: skip
def test_a_size_that_could_not_be_drawn_is_refused(estimate: Estimate, value: str, code: str) -> None:
    spec = SPEC.replace("{weight: w}", "{size: size, total_size: 1000, drawn: 2}")

    assert refusal(estimate(changed("size", value), spec))["code"] == code
    assert "error" not in estimate(spec=spec)


@pytest.mark.parametrize("value", ["NaN", "inf", "-inf", "1e999"])
def test_numbers_that_are_not_finite_are_refused_wherever_they_stand(estimate: Estimate, value: str) -> None:
    for column, spec in {
        "x": SPEC.replace("{column: q, satisfied: 1}", "{column: x, statistic: mean}"),
        "n_schools": SPEC.replace("units: school}", "units: school, population: n_schools}"),
        "age": SPEC + "derive: {older: age + 1}\n" + "domains: [{where: {older: 31}}]\n",
        "size": SPEC.replace("{column: q, satisfied: 1}", "{column: x, statistic: ratio, denominator: size}"),
    }.items():
        said = refusal(estimate(changed(column, value), spec))

        assert (said["code"], column in said["thing"]) == ("arrays.not_finite", True)


def test_one_unit_in_a_stratum_is_refused_under_policy_fail_and_named(estimate: Estimate) -> None:
    lonely = CASES.replace("d,2,", "d,3,")
    said = refusal(estimate(lonely))
    document = estimate(lonely, SPEC.replace("units: school}]", "units: school}], lonely_psu: adjust"))

    assert said["code"] == "estimation.lonely_psu"
    assert any("只抽中一个单位" in note for note in document["notes"])


def test_a_domain_without_cases_is_refused(estimate: Estimate) -> None:
    nobody = refusal(estimate(spec=SPEC + "domains: [{where: {sex: x}}]\n"))
    never_together = refusal(
        estimate(spec=SPEC + "domains: [{name: 无人, where: {school: a, stratum: 2}}]\n")
    )

    assert nobody["code"] == "columns.unknown_value"
    assert "m" in nobody["remedy"] and "f" in nobody["remedy"]
    assert (never_together["code"], never_together["thing"]) == ("estimation.empty_domain", "分组“无人”")


def test_populations_that_cannot_be_are_refused(estimate: Estimate) -> None:
    spec = SPEC.replace("units: school}", "units: school, population: n_schools}")

    assert refusal(estimate(changed("n_schools", "5"), spec))["code"] == "sampling.population"
    assert refusal(estimate(CASES.replace(",4,", ",1,"), spec))["code"] == "sampling.population"


REPLICATES = {
    "rscales of another number": ("columns: [w, size], kind: JKn, rscales: [0.5]", "arrays.shape"),
    "JKn without rscales": ("columns: [w, size], kind: JKn", "sampling.design_spec"),
    "Fay without its factor": ("columns: [w, size], kind: Fay", "sampling.design_spec"),
    "other without a scale": ("columns: [w, size], kind: other", "sampling.design_spec"),
}


@pytest.mark.parametrize("what", REPLICATES)
def test_replicate_weights_of_the_wrong_shape_are_refused(estimate: Estimate, what: str) -> None:
    words, code = REPLICATES[what]
    spec = SPEC.replace("stages: [{strata: stratum, units: school}]", f"replicates: {{{words}}}")

    assert refusal(estimate(spec=spec))["code"] == code


def test_replicate_weights_below_zero_or_missing_are_refused(estimate: Estimate) -> None:
    spec = SPEC.replace(
        "stages: [{strata: stratum, units: school}]", "replicates: {columns: size, kind: BRR}"
    )

    assert refusal(estimate(changed("size", "-1"), spec))["code"] == "arrays.range"
    assert refusal(estimate(changed("size", ""), spec))["code"] == "arrays.not_finite"


def test_a_joint_matrix_of_the_wrong_shape_is_refused(estimate: Estimate) -> None:
    spec = SPEC.replace(
        "stages: [{strata: stratum, units: school}]",
        "pps: {probability: pi, method: joint, joint: joint.csv}",
    )
    said = refusal(estimate(spec=spec, joint="a,b\n0.5,0.2\n0.2,0.5\n"))

    assert said["code"] == "arrays.shape"


def test_missing_columns_come_all_at_once_with_near_names(estimate: Estimate) -> None:
    spec = (
        SPEC.replace("strata: stratum, units: school", "strata: Stratun, units: shcool")
        + "domains: [{by: gender}]\n"
    )
    said = refusal(estimate(spec=spec))
    faults = {fault["column"]: fault for fault in said["faults"]}

    assert set(faults) == {"Stratun", "shcool", "gender"}
    assert "“stratum”" in faults["Stratun"]["remedy"]
    assert "“school”" in faults["shcool"]["remedy"]
    assert {fault["code"] for fault in faults.values()} == {"columns.unknown"}


def test_faults_of_a_spec_come_all_at_once_with_their_lines(estimate: Estimate) -> None:
    spec = """title: 坏的
desing: {}
interval:
  level: 95
  method: wilsn
items:
  - column: q
    satisfyed: 1
  - statistic: mean
weighting:
  - rake: {margins: [{by: sex, totals: {m: many}}]}
"""
    said = refusal(estimate(spec=spec))

    assert [(fault["row"], fault["item"]) for fault in said["faults"]] == [
        (2, "desing"),
        (11, "weighting[1].rake.margins[1].totals.m"),
        (8, "items[1].satisfyed"),
        (5, "interval.method"),
        (4, "interval.level"),
    ]
    assert "design" in said["faults"][0]["remedy"]


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ("lines: [{of: q, at_least: 85}]\n", "lines[1]"),
        ("lines: [{of: r, at_least: 0.85}]\n", "lines[1].of"),
        ("composites: [{id: all, parts: [{of: q, share: 0.5}]}]\n", "composites[1].parts"),
        ("comparisons: [{item: z, by: sex}]\n", "comparisons[1].item"),
        ("domains: [{by: sex, where: {sex: m}}]\n", "domains[1]"),
        ("derive: {y: __import__('os')}\n", "derive.y"),
        ("derive: {y: q q}\n", "derive.y"),
        ("weighting: [{rake: {}, trim: {}}]\n", "weighting"),
    ],
)
def test_a_spec_that_contradicts_itself_is_refused_at_its_key(
    estimate: Estimate, more: str, place: str
) -> None:
    said = refusal(estimate(spec=SPEC + more))

    assert place in {fault["item"] for fault in said["faults"]}


FILES = {
    "empty": (b"", "cases.empty"),
    "spaces": (b" \r\n \n", "cases.empty"),
    "only a header": (CASES.splitlines()[0].encode(), "cases.no_rows"),
    "a header twice": (CASES.replace("age", "sex", 1).encode(), "cases.header_twice"),
    "a row too long": (CASES.replace("a,1,m,30", "a,1,m,3,0", 1).encode(), "cases.ragged"),
    "a row too short": (CASES.replace("a,1,m,30,", "a,1,m,", 1).encode(), "cases.ragged"),
    "an open quote": (CASES.replace("a,1,m", '"a,1,m', 1).encode(), "cases.csv_broken"),
    "UTF-16": (CASES.encode("utf-16"), "cases.encoding"),
    "no encoding": (b"\xff\xff\xff," + CASES.encode(), "cases.encoding"),
    "NUL": (b"a,b\n\x00,1\n", "cases.not_text"),
    "a workbook": (b"PK\x03\x04" + b"x" * 50, "cases.workbook"),
    "half a Parquet": (b"PAR1" + b"x" * 50, "cases.parquet_broken"),
    "half an SPSS file": (b"$FL2" + b"x" * 500, "cases.sav_broken"),
    "half a gzip": (b"\x1f\x8b\x08" + b"x" * 50, "cases.gzip_broken"),
}


@pytest.mark.parametrize("what", FILES)
def test_a_file_that_is_no_table_is_refused(estimate: Estimate, what: str) -> None:
    content, code = FILES[what]
    said = refusal(estimate(content))

    assert {fault["code"] for fault in said["faults"]} == {code}


def test_every_ragged_row_comes_with_its_line(estimate: Estimate) -> None:
    rows = CASES.splitlines()
    rows[3] += ",1"
    rows[6] = rows[6].rpartition(",")[0]

    assert [fault["row"] for fault in refusal(estimate("\n".join(rows)))["faults"]] == [4, 7]


def test_labels_in_gb18030_are_read_and_a_wrong_claim_is_refused(estimate: Estimate) -> None:
    cases = CASES.replace(",m,", ",男,").replace(",f,", ",女,")
    spec = SPEC + "domains: [{by: sex}]\n"
    found = estimate(cases.encode("gb18030"), spec)
    said = refusal(estimate(cases.encode("gb18030"), spec + "cases: {encoding: utf-8}\n"))

    assert {row["domain"] for row in found["rows"]} == {"全体", "sex=男", "sex=女"}
    assert said["faults"][0]["code"] == "cases.encoding"


@pytest.mark.parametrize(
    "spec", [b"", b"\xff\xfe\x00", b"[1, 2", b"title: [", b"- a\n- b\n", b"a: &x 1\nb: *x\n", "标题: 一\n".encode("gb18030"), b"\x00"]
)  # fmt: skip
def test_a_spec_that_is_none_is_refused(estimate: Estimate, spec: bytes) -> None:
    assert refusal(estimate(spec=spec))["faults"]


def test_answers_that_the_spec_does_not_foresee_are_refused(estimate: Estimate) -> None:
    points = SPEC.replace("{column: q, satisfied: 1}", "{column: q, statistic: mean, points: {1: 100}}")
    nobody = SPEC.replace("satisfied: 1", "satisfied: [满意]")
    silent = SPEC.replace("satisfied: 1", "satisfied: 1, silent: refuse")
    no_weight = SPEC.replace("base_weights: [{weight: w}]\n", "")

    assert refusal(estimate(spec=points))["code"] == "analysis.option_without_points"
    assert refusal(estimate(spec=nobody))["code"] == "columns.unknown_value"
    assert refusal(estimate(changed("q", ""), silent))["code"] == "estimation.missing_values"
    assert refusal(estimate(spec=no_weight))["code"] == "weighting.base_weight_spec"


def test_a_table_that_cannot_be_joined_is_refused(estimate: Estimate) -> None:
    spec = SPEC + "cases: {join: [{file: schools.csv, on: school, columns: [staff]}]}\n"

    assert (
        refusal(estimate(spec=spec, schools="school,staff\na,1\na,2\nb,3\nc,4\nd,5\n"))["code"]
        == "analysis.join"
    )
    assert refusal(estimate(spec=spec, schools="school,staff\na,1\nb,3\nc,4\n"))["code"] == "analysis.join"
    assert (
        refusal(estimate(spec=spec, schools="school,stuff\na,1\nb,3\nc,4\nd,5\n"))["code"]
        == "columns.unknown"
    )


def test_neither_or_both_ways_to_estimate_are_refused(estimate: Estimate, tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text(CASES)
    for words in (
        [],
        ["wave", "--cases", "c.csv"],
        ["--cases", "c.csv"],
        ["--spec", "s.yaml"],
        ["--cases", "c.csv", "--example", "x"],
    ):
        said = CliRunner().invoke(main, ["estimate", *words, "--json"])

        assert said.exit_code == 1
        assert json.loads(said.stdout)["error"]["code"] in (
            "cli.nothing_to_estimate",
            "estimate_file.no_example",
        )


def test_small_groups_are_withheld_with_what_would_give_them_away(estimate: Estimate) -> None:
    spec = (
        SPEC.replace("minimum_count: 1", "minimum_count: 3") + "domains: [{by: school}, {where: {sex: m}}]\n"
    )
    document = estimate(
        changed("q", "", 1).replace(
            "\nd,2,f,37,5,0.25,50,1,6,8", "\nd,2,f,37,5,0.25,50,1,6,8\nd,2,f,38,5,0.25,50,1,6,9"
        ),
        spec,
    )
    shown = {row["domain"]: row for row in document["rows"]}

    assert shown["school=a"]["withheld"] and shown["school=a"]["n_shown"] == "<3"
    assert shown["school=b"]["withheld"]
    assert all(shown["school=a"].get(key) is None for key in ("value", "se", "lower", "unweighted", "n"))
    assert not shown["sex=m"].get("withheld")


@pytest.mark.long
def test_a_damaged_spss_file_that_kills_its_parser_is_refused(estimate: Estimate) -> None:
    damaged = Path(__file__).resolve().parents[1] / "golden" / "estimation" / "damaged.sav"
    said = refusal(estimate(damaged.read_bytes()))

    # In the process that reads it this file is a segmentation fault of pyreadstat 1.3.7.
    assert [fault["code"] for fault in said["faults"]] == ["cases.sav_broken"]


@pytest.mark.long
def test_an_spss_file_gives_what_its_csv_gives(estimate: Estimate, tmp_path: Path) -> None:
    rows = [line.split(",") for line in CASES.splitlines()]
    frame = {name: [row[at] for row in rows[1:]] for at, name in enumerate(rows[0])}
    table = pandas.DataFrame(frame).astype({name: float for name in rows[0] if name not in ("school", "sex")})
    pyreadstat.write_sav(table, str(tmp_path / "x.sav"), variable_value_labels={"q": {1.0: "满意", 2.0: "不满意"}})
    spec = SPEC + "domains: [{by: sex}]\n"
    by_label = spec.replace("satisfied: 1", "satisfied: 满意")

    assert estimate((tmp_path / "x.sav").read_bytes(), by_label)["rows"] == estimate(spec=spec)["rows"]
