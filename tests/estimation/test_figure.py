"""The figure is decided unrounded, cut off once, and never shows a line it misses."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from survey.estimation.disclosure import withhold
from survey.estimation.figure import (
    Figure,
    GroupWithoutOpinionError,
    crosses,
    decision_words,
    evidence_grade,
    weighted_ratio,
)
from survey.scheme.scheme import Line

AT_LEAST, ABOVE = Line("at_least", "0.85"), Line("above", "0.85")


@given(st.fractions(0, 1, max_denominator=10**6))
@settings(max_examples=300, deadline=None)
def test_what_is_shown_reaches_a_line_only_if_the_figure_does(value):
    shown = Fraction(Figure(value, "满意度").shown)

    assert shown <= value < shown + Fraction(1, 10_000)
    assert AT_LEAST.reached(shown) <= AT_LEAST.reached(value)


@pytest.mark.parametrize(
    ("value", "shown", "at_least", "above"),
    [
        (Fraction(849996, 10**6), "84.99%", False, False),
        (Fraction(17, 20), "85.00%", True, False),
        (Fraction(850001, 10**6), "85.00%", True, True),
    ],
)
def test_the_edges_of_the_line_decide_by_the_last_count(value, shown, at_least, above):
    assert Figure(value, "满意度").percent == shown
    assert AT_LEAST.reached(value) is at_least
    assert ABOVE.reached(value) is above


@pytest.mark.parametrize(
    ("value", "lower", "upper", "grade"),
    [
        (Fraction(90, 100), 0.86, 0.93, "pass_firm"),
        (Fraction(90, 100), 0.84, 0.93, "pass_point_only"),
        (Fraction(84, 100), 0.80, 0.87, "fail_point_only"),
        (Fraction(80, 100), 0.76, 0.83, "fail_firm"),
    ],
)
def test_evidence_is_graded_by_the_one_sided_bounds(value, lower, upper, grade):
    assert evidence_grade(value, AT_LEAST, lower, upper) == grade


def test_an_interval_across_the_line_is_said_in_words():
    assert crosses(AT_LEAST, "0.8400", "0.8700")
    assert not crosses(AT_LEAST, "0.8500", "0.8700")
    assert crosses(ABOVE, "0.8500", "0.8700")
    assert decision_words(True, True) == "达到（区间跨过要求线）"
    assert decision_words(None, True) == "不作判断"


def test_a_group_without_an_opinion_leaves_the_figure_undefined_by_name():
    with pytest.raises(GroupWithoutOpinionError, match="teacher"):
        weighted_ratio([("parent", Fraction(1), 1, 2)], {"parent": Fraction(1, 2), "teacher": Fraction(1, 2)})


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(1, 99), st.integers(0, 20), st.integers(1, 20)),
        min_size=1,
    )
)
@settings(max_examples=100, deadline=None)
def test_the_order_of_rows_never_matters_to_the_exact_figure(rows):
    rows = [(g, Fraction(w, 7), min(x, v), v) for g, w, x, v in rows] + [
        ("a", Fraction(1), 1, 1),
        ("b", Fraction(1), 0, 1),
    ]
    shares = {"a": Fraction(2, 3), "b": Fraction(1, 3)}

    assert weighted_ratio(rows, shares) == weighted_ratio(sorted(rows, reverse=True), shares)


@given(st.lists(st.integers(0, 60), min_size=1, max_size=8))
@settings(max_examples=150, deadline=None)
def test_a_hidden_cell_is_never_alone_and_never_shows_its_result(sizes):
    rows = [{"key": str(at), "n": n, "n_valid": n, "shown": f"0.{at}"} for at, n in enumerate(sizes)]

    table = withhold(rows, 10)
    hidden = [row for row in table if row.get("withheld")]

    assert all(row.get("withheld") for row, n in zip(table, sizes, strict=True) if n < 10)
    assert len(hidden) != 1 or len(rows) == 1
    assert all(row["shown"] == "不显示" and "n_valid" not in row for row in hidden)
