"""Known totals are met, or the refusal names what stands in the way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from survey.weighting.calibration import (
    InfeasibleError,
    NotConvergedError,
    calibrate,
    narrowest_bounds,
    poststratify,
    rake,
)
from survey.weighting.margins import EmptyMarginError, Margin, MarginMismatchError, rescaled


@given(seed=st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_raked_weights_meet_every_margin(seed):
    rng = np.random.default_rng(seed)
    group, area = rng.choice(["a", "b", "c"], 200), rng.choice(["x", "y"], 200)
    weights = rng.uniform(0.5, 3, 200)
    margins = [
        Margin("群体", group, {"a": 500, "b": 300, "c": 200}),
        Margin("地区", area, {"x": 600, "y": 400}),
    ]
    raked = rake(weights, margins)

    for margin in margins:
        for name, known in margin.totals.items():
            assert raked.weights[margin.categories == name].sum() == pytest.approx(known, rel=1e-6)
    assert raked.error <= 1e-8
    assert (raked.weights > 0).all()


def test_raking_starts_from_the_design_weights():
    group = np.array(["a", "a", "b", "b"])
    raked = rake(np.array([1.0, 3, 2, 2]), [Margin("群体", group, {"a": 8, "b": 8})])

    assert raked.weights == pytest.approx([2, 6, 4, 4])


def test_margins_that_add_up_differently_are_refused_with_both_sums():
    margins = [
        Margin("年级", np.array(["7", "8"]), {"7": 600, "8": 604}),
        Margin("性别", np.array(["m", "f"]), {"m": 600, "f": 598}),
    ]
    with pytest.raises(MarginMismatchError) as refusal:
        rake(np.ones(2), margins)

    assert refusal.value.code == "weighting.margin_mismatch"
    assert "1,204" in str(refusal.value)
    assert "1,198" in str(refusal.value)


def test_the_offer_made_on_a_mismatch_brings_the_margins_together():
    margins = [
        Margin("年级", np.array(["7", "8"]), {"7": 600, "8": 604}),
        Margin("性别", np.array(["m", "f"]), {"m": 600, "f": 598}),
    ]
    raked = rake(np.ones(2), rescaled(margins[:1], 1000))

    assert raked.weights.sum() == pytest.approx(1000)


def test_a_category_without_cases_is_named():
    with pytest.raises(EmptyMarginError, match="teacher"):
        poststratify(np.ones(2), Margin("群体", np.array(["parent", "parent"]), {"parent": 5, "teacher": 2}))


def test_cases_without_a_known_total_are_named():
    with pytest.raises(EmptyMarginError, match="student"):
        poststratify(np.ones(2), Margin("群体", np.array(["parent", "student"]), {"parent": 5}))


def test_a_half_raked_weight_never_leaves():
    a, b = np.array(["x", "x", "y"]), np.array(["u", "v", "v"])
    # Nobody is y and u; the totals would need someone.
    margins = [Margin("甲", a, {"x": 1, "y": 9}), Margin("乙", b, {"u": 8, "v": 2})]
    with pytest.raises(NotConvergedError) as refusal:
        rake(np.ones(3), margins)

    assert refusal.value.code == "weighting.not_converged"
    assert refusal.value.details["error"] > 0.1


@pytest.mark.parametrize("distance", ["linear", "raking", "logit"])
def test_every_distance_meets_the_totals_within_its_bounds(distance):
    rng = np.random.default_rng(2)
    x = np.column_stack([np.ones(300), rng.random(300), rng.integers(0, 2, 300)])
    weights = rng.uniform(1, 2, 300)
    totals = x.T @ weights * np.array([1.1, 1.15, 1.05])
    made = calibrate(weights, x, totals, distance=distance, bounds=(0.5, 2.0))

    assert x.T @ made.weights == pytest.approx(totals, rel=1e-8)
    assert made.factors.min() >= 0.5 - 1e-9
    assert made.factors.max() <= 2.0 + 1e-9


def test_bounds_too_narrow_are_refused_with_bounds_that_would_do():
    x = np.column_stack([np.ones(4), [0.0, 0, 1, 1]])
    with pytest.raises(InfeasibleError, match="放宽到"):
        calibrate(np.ones(4), x, [8, 6], distance="logit", bounds=(0.9, 1.1))

    low, high = narrowest_bounds(np.ones(4), x, np.array([8.0, 6.0]))
    assert (low, high) == pytest.approx((0, 3))


def test_totals_that_contradict_each_other_are_refused_by_name():
    x = np.column_stack([np.ones(4), np.ones(4)])
    with pytest.raises(InfeasibleError, match="人数"):
        calibrate(np.ones(4), x, [8, 9], names=["人数", "人数"])


def test_collinear_totals_that_agree_are_met():
    x = np.column_stack([np.ones(4), [1.0, 1, 0, 0], [0.0, 0, 1, 1]])

    assert calibrate(np.ones(4), x, [8, 5, 3]).weights == pytest.approx([2.5, 2.5, 1.5, 1.5])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0])
def test_a_weight_that_is_no_weight_is_refused(bad):
    with pytest.raises(Exception) as refusal:
        poststratify(np.array([1.0, bad]), Margin("群体", np.array(["a", "a"]), {"a": 5}))

    assert refusal.value.code in ("arrays.not_finite", "arrays.range")


def test_bounds_that_would_do_are_found_for_twenty_thousand_cases_without_a_matrix_of_their_square():
    rng = np.random.default_rng(8)
    place, group = rng.integers(0, 3, 20_000), rng.integers(0, 4, 20_000)
    matrix = np.column_stack([place == k for k in range(3)] + [group == k for k in range(4)]).astype(float)
    weights = np.ones(20_000)
    known = matrix.sum(axis=0) * np.array([1.5, 0.75, 0.75, 1.0, 1.0, 1.0, 1.0])
    known[:3] *= 20_000 / known[:3].sum()
    bounds = narrowest_bounds(weights, matrix, known)

    assert bounds is not None
    within = calibrate(weights, matrix, known, distance="logit", bounds=(bounds[0] - 0.01, bounds[1] + 0.01))
    assert within.factors.min() >= bounds[0] - 0.01 and within.factors.max() <= bounds[1] + 0.01
    with pytest.raises(InfeasibleError, match="至少要放宽"):
        calibrate(weights, matrix, known, distance="logit", bounds=(bounds[0] + 0.05, bounds[1] - 0.05))
