"""The same hundred answers read in every way RULES section 3 has seen."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey.scheme.presets import load_scheme
from survey.scheme.reading import AnswersReading, ScaleNotReadError, answers_reading, even_points
from survey.scheme.scales import Scale, UnknownScaleError, load_scale

VOTES = {3: 60, 2: 30, 1: 8, 98: 2}


def reading(
    satisfied: list[str], dont_know: str = "left_out", points: Any = None, **more: Any
) -> AnswersReading:
    scale = {"satisfied": satisfied} | ({"points": points} if points else {})
    section = {"scales": {"sat3": scale}, "dont_know": dont_know, "no_answer": "left_out", **more}
    return answers_reading(section, "share")


def share(answers: AnswersReading) -> Fraction:
    read = [answers.satisfied(load_scale("sat3"), value) for value, n in VOTES.items() for _ in range(n)]
    inside = [value for value in read if value is not None]
    return Fraction(sum(inside) * 100, len(inside))


def mean(answers: AnswersReading) -> Fraction:
    worth = [answers.points(load_scale("sat3"), value) for value, n in VOTES.items() for _ in range(n)]
    inside = [value for value in worth if value is not None]
    return sum(inside) * 100 / len(inside)


@pytest.mark.parametrize(
    ("satisfied", "dont_know", "expected"),
    [
        (["satisfied"], "not_satisfied", "60.0"),
        (["satisfied"], "left_out", "61.2"),
        (["satisfied", "mostly_satisfied"], "not_satisfied", "90.0"),
        (["satisfied", "mostly_satisfied"], "left_out", "91.8"),
    ],
)
def test_the_share_follows_the_options_that_count(
    satisfied: list[str], dont_know: str, expected: str
) -> None:
    assert f"{float(share(reading(satisfied, dont_know))):.1f}" == expected


@pytest.mark.parametrize(
    ("points", "dont_know", "expected"),
    [
        ({"satisfied": 100, "mostly_satisfied": 70, "dissatisfied": 30}, "left_out", "85.1"),
        ({"satisfied": 100, "mostly_satisfied": 60, "dissatisfied": 20}, "left_out", "81.2"),
        ("even", "left_out", "76.5"),
        ("even", "middle", "76.0"),
    ],
)
def test_the_mean_follows_the_points(points: Any, dont_know: str, expected: str) -> None:
    assert f"{float(mean(reading([], dont_know, points))):.1f}" == expected


def test_a_point_table_that_names_dont_know_keeps_it_in_the_base() -> None:
    table = {"satisfied": 10, "mostly_satisfied": "5.0", "dissatisfied": 0, "dont_know": 5}

    assert reading([], "left_out", table).points(load_scale("sat3"), 98) == Fraction(1, 2)


def test_a_reversed_item_takes_the_points_in_the_opposite_order() -> None:
    answers = reading([], points="even", reversed_items=["XX01"])

    assert answers.points(load_scale("sat3"), 3, "XX01") == 0
    assert answers.points(load_scale("sat3"), 3, "XX02") == 1


def test_a_skipped_item_follows_its_own_rule() -> None:
    inside = answers_reading(
        {"scales": {"sat3": {"satisfied": []}}, "dont_know": "left_out", "no_answer": "not_satisfied"},
        "share",
    )

    assert reading(["satisfied"]).satisfied(load_scale("sat3"), None) is None
    assert inside.satisfied(load_scale("sat3"), None) is False


def test_grade_three_reads_the_middle_as_not_satisfied() -> None:
    answers = load_scheme("quality_balance_2017").answers

    assert answers.satisfied(load_scale("sat3_child"), 3) is False
    assert answers.satisfied(load_scale("sat3_child"), 5) is True


def test_a_scheme_of_its_own_scale_orders_it_best_first() -> None:
    answers = load_scheme("modernisation_jiangsu_2014").answers
    scale = answers.own_scales["jiangsu5"]

    assert [option.value for option in scale.options] == [4, 3, 2, 1, 98]
    assert [answers.satisfied(scale, option.value) for option in scale.options] == [
        True,
        True,
        True,
        False,
        None,
    ]


def test_a_scale_of_numbers_runs_from_the_largest() -> None:
    section = {
        "scales": {"ten": {"satisfied": ["8", "9", "10"], "points": "even"}},
        "own_scales": {"ten": {"from": 0, "to": 10}},
        "dont_know": "left_out",
        "no_answer": "left_out",
    }
    answers = answers_reading(section, "points_mean")

    assert answers.points(answers.own_scales["ten"], 7) == Fraction(7, 10)
    assert answers.satisfied(answers.own_scales["ten"], 8) is True


def test_a_scale_the_scheme_does_not_name_is_refused() -> None:
    with pytest.raises(ScaleNotReadError, match="sat5"):
        reading([]).satisfied(load_scale("sat5"), 5)


@pytest.mark.parametrize("value", [7, "5", True, 0])
def test_a_value_outside_the_scale_is_refused(value: Any) -> None:
    with pytest.raises(UnknownScaleError):
        load_scheme("quality_balance_2017").answers.satisfied(load_scale("sat5"), value)


@given(st.integers(2, 12))
def test_even_points_run_from_nothing_to_one(n: int) -> None:
    options = tuple(
        load_scale("sat5").options[0].__class__(v, str(v), {"zh": ""}, None, None) for v in range(n, 0, -1)
    )
    points = list(even_points(Scale("x", options)).values())

    assert points[0] == 1 and points[-1] == 0
    assert len({a - b for a, b in pairwise(points)}) == 1
