"""What a file's results say: exact decisions, don't-knows, groups as masks, kinds of files, composites."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from survey.cases.case_table import read_case_table
from survey.estimation.analysis.rows import exact_rate
from survey.estimation.analysis.run import analyse
from survey.estimation.analysis.sample import sample_of
from survey.estimation.analysis.spec import read_spec
from survey.estimation.means import proportion
from survey.sampling.design import Design

OPEN = "\ndisclosure: {minimum_count: 1, reliability: off}\n"


def estimated(cases: str, spec: str) -> dict[str, Any]:
    columns = read_case_table(cases.encode(), "x.csv")
    read = read_spec("title: t\n" + spec + OPEN)
    return analyse(read, sample_of(read, columns, lambda name: columns))


def answers(yes: int, no: int, more: str = "") -> str:
    return "q\n" + "1\n" * yes + "2\n" * no + more


@pytest.mark.parametrize(
    ("yes", "no", "line", "decision", "percent"),
    [
        (17, 3, "at_least: 0.85", True, "85.00%"),
        (17, 3, "above: 0.85", False, "85.00%"),
        (16999, 3001, "at_least: 0.85", False, "84.99%"),
        (57, 43, "at_least: 0.57", True, "57.00%"),
        (2, 1, "at_least: 0.6667", False, "66.66%"),
        (29, 71, "at_least: 0.29", True, "29.00%"),
    ],
)
def test_a_line_is_met_by_the_unrounded_rate_and_shown_cut_off(
    yes: int, no: int, line: str, decision: bool, percent: str
) -> None:
    for weight in ("constant: 1", "constant: 0.1", "total: 100.7"):
        spec = f"base_weights: {{{weight}}}\nitems: [{{column: q, satisfied: 1}}]\nlines: [{{of: q, {line}}}]"
        (row,) = estimated(answers(yes, no), spec)["rows"]

        assert (row["reached"], row["percent"]) == (decision, percent)


@given(st.integers(0, 3000), st.integers(1, 3000), st.floats(0.01, 100))
@example(296, 1483, 1.0)
def test_a_share_of_equal_weights_is_its_fraction(k: int, n: int, weight: float) -> None:
    k = min(k, n)
    value = (weight * k) / (weight * n)

    assert exact_rate(value) == Fraction(k, n) or abs(float(exact_rate(value)) - k / n) < 1e-15


def test_dont_knows_are_told_three_ways() -> None:
    cases = answers(80, 10, "9\n" * 10 + "NA\n" * 5)
    told = {}
    for counts in ("left_out", "not_satisfied"):
        spec = f"cases: {{missing: NA}}\nbase_weights: {{constant: 1}}\nitems: [{{column: q, satisfied: 1, dont_know: {{options: 9, counts: {counts}}}}}]"
        (told[counts],) = estimated(cases, spec)["rows"]
    points = "cases: {missing: NA}\nbase_weights: {constant: 1}\nitems: [{column: q, statistic: mean, points: {1: 100, 2: 0}, dont_know: {options: 9, counts: middle}}]"
    (middle,) = estimated(cases, points)["rows"]

    assert told["left_out"]["value"] == pytest.approx(80 / 90)
    assert told["left_out"]["conservative"] == pytest.approx(0.8)
    assert told["not_satisfied"]["value"] == pytest.approx(0.8)
    assert told["left_out"]["dont_know"] == pytest.approx(0.1)
    assert [one["n"] for one in told.values()] == [90, 100]
    assert middle["value"] == pytest.approx((80 * 100 + 10 * 50) / 100)


def test_a_group_is_a_mask_and_a_school_without_a_member_still_counts() -> None:
    rows = [
        ("a", 1, 1),
        ("a", 0, 1),
        ("b", 1, 1),
        ("b", 1, 0),
        ("c", 0, 0),
        ("c", 1, 0),
        ("d", 1, 1),
        ("d", 0, 1),
    ]
    cases = "school,q,g\n" + "".join(f"{s},{q},{g}\n" for s, q, g in rows)
    spec = "design: {stages: [{units: school}]}\nbase_weights: {constant: 1}\nitems: [{column: q, satisfied: 1}]\ndomains: [{by: g}]"
    found = {row["domain"]: row for row in estimated(cases, spec)["rows"]}
    import numpy as np

    school, q, g = (np.array(column) for column in zip(*rows, strict=True))
    one = proportion(q, Design(np.ones(8), psu=(school,)), domain=g == 1)

    assert found["g=1"]["se"] == pytest.approx(one.se, rel=1e-12)
    assert found["g=1"]["df"] == 2


def test_everybody_satisfied_gets_an_interval_that_is_not_zero_wide() -> None:
    (row,) = estimated(
        answers(12, 0) + "", "base_weights: {constant: 1}\nitems: [{column: q, satisfied: 1}]"
    )["rows"]

    assert (row["value"], row["upper"]) == (1, 1)
    assert row["lower"] == pytest.approx(0.7353, abs=1e-4)


def test_a_group_in_one_unit_has_no_interval() -> None:
    cases = "school,q,g\na,1,x\na,2,x\nb,1,y\nb,1,y\nc,2,y\n"
    spec = "design: {stages: [{units: school}]}\nbase_weights: {constant: 1}\nitems: [{column: q, satisfied: 1}]\ndomains: [{by: g}]"
    found = {row["domain"]: row for row in estimated(cases, spec)["rows"]}

    assert (found["g=x"]["lower"], found["g=x"]["se"]) == (None, None)
    assert found["g=x"]["cautions"] == ["no_interval"]


def test_steps_that_leave_margins_unmet_say_so() -> None:
    cases = "q,s\n" + "1,m\n2,f\n" * 20
    spec = """base_weights: {constant: 1}
weighting:
  - rake: {margins: [{by: s, totals: {m: 30, f: 10}}]}
  - trim: {upper: 1.2}
items: [{column: q, satisfied: 1}]"""
    document = estimated(cases, spec)

    assert any("再校准" in note for note in document["notes"])
    assert [step["name"] for step in document["weights"]] == ["设计权数", "迭代加权", "截尾"]


def test_holm_looks_at_all_pairs() -> None:
    cases = "q,g\n" + "".join(
        f"{q},{g}\n" * n for g, yes in (("a", 30), ("b", 20), ("c", 10)) for q, n in ((1, yes), (2, 40 - yes))
    )
    spec = "base_weights: {constant: 1}\nitems: [{column: q, satisfied: 1}]\ncomparisons: [{item: q, by: g}, {item: q, by: g, against: a, adjust: none}]"
    pairs = estimated(cases, spec)["comparisons"]

    assert [(row["first"], row["second"]) for row in pairs] == [
        ("a", "b"),
        ("a", "c"),
        ("b", "c"),
        ("a", "b"),
        ("a", "c"),
    ]
    assert pairs[0]["difference"] == pytest.approx(-0.25)
    assert all(row["p_adjusted"] >= row["p_value"] for row in pairs)
    assert min(row["p_adjusted"] for row in pairs[:3]) == pytest.approx(
        3 * min(row["p_value"] for row in pairs[:3])
    )


def test_few_answers_are_told_with_restraint_unless_the_spec_says_otherwise() -> None:
    columns = read_case_table(("q,g\n" + "1,a\n" * 20 + "1,b\n2,b\n" * 15 + "1,\n").encode(), "x.csv")
    spec = "title: t\nbase_weights: {constant: 1}\nitems: [{column: q, satisfied: 1}, {column: q, id: d, statistic: distribution}]\ndomains: [{by: g}]\n"
    careful, free = (
        analyse(read, sample_of(read, columns, lambda name: columns))
        for read in (read_spec(spec), read_spec(spec + OPEN))
    )
    shown = {(row["id"], row["domain"]): row for row in careful["rows"]}
    open_ = {(row["id"], row["domain"]): row for row in free["rows"]}

    assert shown["q", "g=a"]["percent"] == "≥95%"
    assert [shown["q", "g=a"].get(key) for key in ("value", "se", "lower", "upper", "unweighted")] == [None] * 5
    assert open_["q", "g=a"]["percent"] == "100.00%"
    assert shown["d", "g=a"]["withheld"] and not open_["d", "g=a"].get("withheld")
    assert any("1条记录没有“g”的值" in note for note in careful["notes"])


def test_a_file_does_not_tell_whether_all_of_a_few_agree_or_all_but_one() -> None:
    spec = (
        "base_weights: {constant: 1}\nitems: [{column: q, satisfied: 1}]\ndomains: [{by: g}]\n"
        "lines: [{of: q, at_least: 0.85, groups: true}]\ncomparisons: [{item: q, by: g}]\n"
        "composites: [{id: c, parts: [{of: q, share: 0.5, where: {g: [a]}}, {of: q, share: 0.5, where: {g: [b]}}]}]"
    )
    worlds = []
    for n in (0, 1):
        cases = "q,g\n" + "1,a\n" * (30 - n) + "2,a\n" * n + "1,b\n2,b\n" * 25 + "1,c\n2,c\n" * 25
        columns = read_case_table(cases.encode(), "x.csv")
        read = read_spec("title: t\n" + spec)
        worlds.append(analyse(read, sample_of(read, columns, lambda name, columns=columns: columns)))
    all_agree, all_but_one = ([row for row in one["rows"] if row["domain"] == "g=a"] for one in worlds)

    assert all_agree == all_but_one
    assert (all_agree[0]["percent"], all_agree[0]["decision"]) == ("≥95%", "达到")
    assert [(row["first"], row["second"]) for row in worlds[0]["comparisons"]] == [("b", "c")]
    assert worlds[0]["composites"][0]["parts"][0]["value"] is None


def test_groups_meet_the_line_only_where_the_spec_says_so() -> None:
    cases = "q,g\n" + "1,第2组\n2,第10组\n1,第10组\n" * 10
    spec = "base_weights: {constant: 1}\nitems: [{column: q, satisfied: 1}]\ndomains: [{by: g}]\nlines: [{of: q, at_least: 0.6GROUPS}]"
    one, all_ = (estimated(cases, spec.replace("GROUPS", more))["rows"] for more in ("", ", groups: true"))

    # The second group stands before the tenth.
    assert [row["domain"] for row in one] == ["全体", "g=第2组", "g=第10组"]
    assert [row.get("reached") for row in one] == [True, None, None]
    assert [row.get("reached") for row in all_] == [True, True, False]
    assert one[0]["evidence_words"].startswith("但单侧")
