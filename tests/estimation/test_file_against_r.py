"""Whole analyses of files give what R survey gives: spec and command here, R script beside the golden file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from survey.cli.main import main

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
REFERENCE = json.loads((GOLDEN / "estimation" / "file_designs.json").read_text(encoding="utf-8"))
COMMON = """
interval: {method: logit}
disclosure: {minimum_count: 1, reliability: off}
"""
STAGED = (
    """title: 两阶段，总体单位数已知
design:
  stages:
    - {strata: stratum, units: school, population: N_schools}
    - {strata: ssu_kind, units: ssu, population: M_ssu}
  lonely_psu: certainty
base_weights: {weight: w_base}
"""
    + COMMON
)
RATES = """items:
  - {columns: [sat1, sat2, sat5], satisfied: 1}
domains: [{by: grp, items: sat2}]
"""
MARGINS = """
        - {by: area, totals: {rural: 4200, town: 4700, urban: 3600}}
        - {by: grp, totals: {delegate: 200, parent: 6900, student: 4600, teacher: 800}}
        - {by: gender, totals: {F: 6450, M: 6050}}
"""
SPECS = {
    "staged": (
        "county_a",
        STAGED
        + """design_effect: wor
items:
  - {columns: [sat1, sat2, sat5], satisfied: 1}
  - {column: q1, id: opinion, satisfied: [4, 5], dont_know: {options: 9}}
  - {column: score, statistic: mean}
  - {column: score, id: total, statistic: total}
  - {column: both, id: ratio, statistic: ratio, denominator: sat2}
  - {column: q2, statistic: distribution}
derive: {both: sat1}
domains:
  - {by: grp, items: sat2}
  - {by: [level, area], items: sat2}
comparisons: [{item: sat2, by: grp}]
composites:
  - id: figure
    parts:
      - {of: sat2, where: {grp: delegate}, share: 0.1}
      - {of: sat2, where: {grp: parent}, share: 0.5}
      - {of: sat2, where: {grp: student}, share: 0.3}
      - {of: sat2, where: {grp: teacher}, share: 0.1}
""",
    ),
    "raked": ("county_a", STAGED + RATES + f"weighting:\n  - rake:\n      margins:{MARGINS}"),
    "raked by calibration": (
        "county_a",
        STAGED + RATES + f"weighting:\n  - calibrate:\n      distance: raking\n      margins:{MARGINS}",
    ),
    "bounded": (
        "county_a",
        STAGED
        + """items: [{column: sat2, satisfied: 1}]
weighting:
  - calibrate:
      distance: logit
      bounds: [0.4, 2.5]
      totals: {id: 11000000}
      margins: [{by: grp, totals: {delegate: 200, parent: 6900, student: 4600, teacher: 800}}]
""",
    ),
    "jackknife": (
        "county_a",
        """title: 轮换剔除，每一组都重做事后分层
cases: {sample: {stratum: [DG, RJ, RP, TJ, TP, UJ, UP]}}
design:
  stages: [{strata: stratum, units: school}]
  make_replicates: {kind: JKn}
base_weights: {weight: w}
weighting: [{poststratify: {by: grp, totals: {delegate: 200, parent: 6900, student: 4600, teacher: 800}}}]
items: [{columns: [sat1, sat2], satisfied: 1}]
"""
        + COMMON,
    ),
    "quantiles": (
        "county_a",
        """title: 分位数
cases: {sample: {stratum: [DG, RJ, RP, TJ, TP, UJ, UP]}}
design: {stages: [{strata: stratum, units: school}]}
base_weights: {weight: w}
items: [{column: score, statistic: quantile}]
"""
        + COMMON,
    ),
    "pps": (
        "election_pps",
        """title: 不等概率不放回
design: {pps: {probability: p}}
items: [{columns: [Bush, Kerry, Nader], statistic: total}]
"""
        + COMMON,
    ),
    "nonresponse": (
        "county_roster_a",
        """title: 无回答调整
cases: {sample: {disposition: [complete, noncontact, unknown, refusal, partial, other]}}
design: {stages: [{strata: stratum, units: id}]}
base_weights: {weight: w_base}
weighting: [{nonresponse: {responded: {disposition: [complete, partial]}, cells: [stratum, grp]}}]
items: [{column: gender, satisfied: F}]
"""
        + COMMON,
    ),
}
Estimate = Callable[[str], dict[str, Any]]


@pytest.fixture
def estimate(tmp_path: Path) -> Estimate:
    def call(name: str) -> dict[str, Any]:
        dataset, spec = SPECS[name]
        (tmp_path / "spec.yaml").write_text(spec, encoding="utf-8")
        cases = GOLDEN / "reference" / "data" / f"{dataset}.csv"
        words = [
            "estimate",
            "--cases",
            str(cases),
            "--spec",
            str(tmp_path / "spec.yaml"),
            "--no-files",
            "--json",
        ]
        said = CliRunner().invoke(main, words)
        assert said.exit_code == 0, said.output
        document: dict[str, Any] = json.loads(said.stdout)
        return document

    return call


def told(document: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    """The document's lines by the keys of the golden file: value, standard error, limits."""
    found: dict[str, tuple[Any, ...]] = {}
    named = {
        "score": "mean score",
        "total": "total score",
        "ratio": "ratio",
        "figure": "composite",
        "gender": "female",
    }
    for row in (*document["rows"], *document["composites"]):
        key = named.get(row["id"], row["id"])
        if row["statistic"] == "quantile":
            key = row["option"]
        elif row["statistic"] == "distribution":
            key = f"share {row['option']}"
        elif row["domain_values"]:
            key = "/".join([key, *row["domain_values"].values()])
        found[key] = (row["value"], row["se"], row["lower"], row["upper"])
    for pair in document["comparisons"]:
        found[f"difference {pair['first']} {pair['second']}"] = (pair["difference"], pair["se"], None, None)
    last = document["weights"][-1]
    found["largest weight"], found["smallest weight"] = (last["largest"],), (last["smallest"],)
    if "mean score" in found:
        found["deff score"] = (next(row["deff"] for row in document["rows"] if row["id"] == "score"),)
    return found


@pytest.mark.parametrize("name", SPECS)
def test_a_spec_gives_what_r_gives(estimate: Estimate, name: str) -> None:
    document = estimate(name)
    found = told(document)
    expected = [row for row in REFERENCE["rows"] if row["analysis"] == name.split(" ")[0]]

    assert expected
    for row in expected:
        wanted = [row["value"], *(row[key] for key in ("se", "lower", "upper") if row[key] is not None)]
        got = [
            value
            for value, known in zip(found[row["key"]], ("value", "se", "lower", "upper"), strict=False)
            if row[known] is not None
        ]
        assert got == pytest.approx(wanted, rel=REFERENCE["tolerance"]), row["key"]


def test_codes_read_by_the_spec_are_the_columns_that_somebody_coded_before(estimate: Estimate) -> None:
    rows = {row["id"]: row for row in estimate("staged")["rows"] if not row["domain_values"]}

    assert [rows["opinion"][key] for key in ("value", "se", "n")] == [
        rows["sat1"][key] for key in ("value", "se", "n")
    ]
    assert rows["opinion"]["dont_know"] > 0
    assert rows["opinion"]["conservative"] < rows["opinion"]["value"]


def test_replicates_by_bootstrap_are_drawn_again_by_their_seed(estimate: Estimate) -> None:
    dataset, spec = SPECS["jackknife"]
    SPECS["bootstrap"] = dataset, spec.replace("{kind: JKn}", "{kind: bootstrap, count: 60, seed: 7}")
    try:
        first, second = (estimate("bootstrap")["rows"] for _ in range(2))
    finally:
        del SPECS["bootstrap"]
    jackknife = estimate("jackknife")["rows"]

    assert first == second
    assert [row["value"] for row in first] == pytest.approx([row["value"] for row in jackknife])
    assert [row["se"] for row in first] == pytest.approx([row["se"] for row in jackknife], rel=0.35)
