"""Lonely strata joined by likeness, and waves that share schools, as R computes them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from survey.estimation.comparison import (
    ContrastError,
    benjamini_hochberg,
    difference_of_overlapping_waves,
    difference_of_waves,
    holm,
    stacked,
)
from survey.estimation.linearization import LonelyPsuError
from survey.estimation.means import mean
from survey.sampling.design import Design
from survey.sampling.lonely import LikenessError, collapse_lonely
from survey.weighting.calibration import poststratify
from survey.weighting.margins import Margin

GOLDEN = json.loads(
    (Path(__file__).parents[1] / "golden" / "estimation" / "collapse_and_overlap.json").read_text()
)
Y = np.array([3, 4, 5, 6, 2, 3, 4, 9, 1, 2, 2, 3, 8, 7, 6, 9, 4, 4, 5, 6], dtype=float)
STRATA = np.repeat(np.array(list("aabbc")), 4)
UNITS = np.repeat(np.array(list("12121")), 4)
WEIGHTS = np.repeat([2.0, 2, 3, 3, 5], 4)
POPULATION = np.repeat([10.0, 10, 12, 12, 7], 4)


def with_a_lonely_stratum() -> Design:
    return Design(WEIGHTS, (STRATA,), (UNITS,), (POPULATION,))


def test_a_lonely_stratum_joined_to_the_one_most_like_it_is_what_r_makes_of_the_recoded_strata():
    with pytest.raises(LonelyPsuError):
        mean(Y, with_a_lonely_stratum())
    joined, which = collapse_lonely(with_a_lonely_stratum(), {"a": 40.0, "b": 25.0, "c": 20.0})
    one = mean(Y, joined)

    assert which == {"c": "b"}
    assert (one.value, one.se) == pytest.approx(
        (GOLDEN["collapsed"]["mean"], GOLDEN["collapsed"]["se"]), rel=1e-12
    )


def test_units_of_one_name_in_joined_strata_stay_two_units():
    joined, _ = collapse_lonely(with_a_lonely_stratum(), {"a": 40.0, "b": 25.0, "c": 20.0})

    assert joined.stages[0].n_units == 5
    assert joined.df() == 3


def test_two_lonely_strata_join_each_other_where_they_are_most_alike():
    design = Design(np.ones(4), strata=(np.array(list("aacd")),), psu=(np.arange(4),))
    joined, which = collapse_lonely(design, {"a": 0.0, "c": 9.0, "d": 10.0})

    assert which == {"c": "d"}
    assert joined.lonely_strata() == ()


@pytest.mark.parametrize("likeness", [{"a": 1.0, "b": 2.0}, {"a": 1.0, "b": float("nan"), "c": 2.0}])
def test_a_stratum_without_a_number_cannot_be_joined_by_likeness(likeness):
    with pytest.raises(LikenessError, match="没有写"):
        collapse_lonely(with_a_lonely_stratum(), likeness)


def test_a_single_lonely_stratum_has_nobody_to_join():
    with pytest.raises(LikenessError, match="只有这一层"):
        collapse_lonely(Design(np.ones(2), psu=(np.zeros(2),)), {"0": 1.0, "": 1.0})


def waves() -> tuple[np.ndarray, Design, np.ndarray, Design]:
    inside = STRATA != "c"
    shift = np.array([1, 0, 2, 1, 3, 0, 0, 1, -1, 0, 1, 0, 2, 2, 1, 0], dtype=float)
    first = Design(WEIGHTS[inside], (STRATA[inside],), (UNITS[inside],))
    moved = np.where((STRATA[inside] == "a") & (UNITS[inside] == "2"), "3", UNITS[inside])
    second = Design(WEIGHTS[inside], (STRATA[inside],), (moved,))
    return Y[inside], first, Y[inside] + shift, second


def test_waves_that_share_schools_differ_as_r_says_of_the_stacked_data():
    one = difference_of_overlapping_waves(*waves())

    want = GOLDEN["overlap"]
    assert (one.value, one.se) == pytest.approx((want["difference"], want["se"]), rel=1e-12)
    assert one.df == want["df"]


def test_the_same_schools_twice_are_surer_of_a_change_than_two_separate_draws():
    rng = np.random.default_rng(4)
    school = np.repeat(np.arange(30), 20)
    level = rng.normal(0, 1, 30)[school]
    design = Design(np.ones(600), psu=(school,))
    first, second = level + rng.normal(0, 1, 600), level + 0.2 + rng.normal(0, 1, 600)
    together = difference_of_overlapping_waves(first, design, second, design)
    apart = difference_of_waves(mean(first, design), mean(second, design))

    assert together.value == pytest.approx(apart.value)
    assert together.se < 0.5 * apart.se


def test_designs_that_do_not_fit_together_cannot_be_stacked():
    plain = Design(np.ones(4), psu=(np.arange(4),))
    known = Design(np.ones(4), psu=(np.arange(4),), population=(np.full(4, 9.0),))
    step = poststratify(np.ones(4), Margin("类", np.array(list("aabb")), {"a": 4, "b": 4}))

    with pytest.raises(ContrastError, match="阶数"):
        stacked(plain, known)
    with pytest.raises(ContrastError, match="控制总数"):
        stacked(step.applied_to(plain), plain)


def test_false_discovery_adjustment_is_rs_and_never_stricter_than_holms():
    values = [0.01, 0.02, 0.035, 0.04, 0.5]

    assert benjamini_hochberg(values) == pytest.approx(GOLDEN["bh"])
    assert all(b <= h + 1e-12 for b, h in zip(benjamini_hochberg(values), holm(values), strict=True))


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
@pytest.mark.parametrize("wrong", [[0.1, 1.2], [-0.1], [float("nan"), 0.2]])
def test_p_values_out_of_range_are_refused(adjust, wrong):
    with pytest.raises(Exception, match="p值"):
        adjust(wrong)
