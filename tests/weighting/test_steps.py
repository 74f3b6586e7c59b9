"""Design weights, nonresponse, trimming, replicates and the history of it all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from survey.arrays import RangeError, ShapeError
from survey.estimation.means import mean
from survey.estimation.totals import total
from survey.sampling.design import Design, ReplicateDesign
from survey.weighting.design_weights import weights_from_probabilities, weights_from_sizes
from survey.weighting.history import WeightHistory
from survey.weighting.nonresponse import (
    EmptyCellError,
    PropensityError,
    adjust_by_propensity,
    adjust_within_cells,
    collapse_cells,
    response_propensities,
)
from survey.weighting.replicates import (
    ReplicateError,
    balanced_half_samples,
    hadamard,
    jackknife_1,
    jackknife_n,
    rao_wu,
    successive_differences,
)
from survey.weighting.trimming import CapError, trim_to_median, trim_weights


@given(seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_cell_totals_survive_adjustment(seed):
    rng = np.random.default_rng(seed)
    cells = rng.integers(0, 5, 100)
    responded = rng.random(100) < 0.6
    responded[np.unique(cells, return_index=True)[1]] = True
    weights = rng.uniform(0.5, 9, 100)
    adjusted = adjust_within_cells(weights, cells, responded)

    assert np.bincount(cells, adjusted) == pytest.approx(np.bincount(cells, weights))
    assert (adjusted[~responded] == 0).all()


def test_a_cell_without_respondents_is_refused_by_name():
    with pytest.raises(EmptyCellError, match="g8"):
        adjust_within_cells(np.ones(2), np.array(["g7", "g8"]), np.array([True, False]))


def test_weak_cells_join_along_the_declared_order_only():
    cells = np.array(["a"] * 5 + ["b"] * 30 + ["c"] * 30)
    responded = np.ones(65, dtype=bool)
    new, joined = collapse_cells(cells, responded, np.ones(65), {"a": ["c", "b"]})

    assert joined == {"a": "c"}
    assert set(new) == {"b", "c"}


def test_propensities_recover_a_known_mechanism():
    rng = np.random.default_rng(4)
    x = rng.normal(size=20_000)
    truth = 1 / (1 + np.exp(-(0.5 + x)))
    responded = rng.random(20_000) < truth
    fitted = response_propensities(x[:, None], responded)
    adjusted = adjust_by_propensity(np.ones(20_000), fitted, responded, classes=10)

    assert np.abs(fitted - truth).mean() < 0.01
    assert adjusted.sum() == pytest.approx(20_000)
    assert abs((adjusted @ x) / adjusted.sum() - x.mean()) < 0.02


def test_covariates_that_separate_respondents_are_refused():
    x = np.arange(10.0)
    with pytest.raises(PropensityError):
        response_propensities(x[:, None], x > 4)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_strict_trimming_keeps_the_total_and_the_cap(seed):
    weights = np.random.default_rng(seed).lognormal(0, 1, 60)
    cap = float(np.quantile(weights, 0.9)) + weights.mean()
    trimmed = trim_weights(weights, upper=cap, strict=True)

    assert trimmed.weights.sum() == pytest.approx(weights.sum())
    assert trimmed.weights.max() <= cap * (1 + 1e-9)
    assert trimmed.deff_after <= trimmed.deff_before + 1e-12


def test_trimming_at_the_median_says_what_it_moved():
    weights = np.array([1.0, 1, 1, 1, 20, 2, 2, 2])
    groups = np.array([0, 0, 0, 0, 0, 1, 1, 1])
    trimmed = trim_to_median(weights, groups)

    assert trimmed.n_trimmed == 1
    assert trimmed.weights[:5].sum() == pytest.approx(24)
    assert trimmed.weights[4] == 5
    assert trimmed.share_moved == pytest.approx(15 / 30)


def test_a_cap_below_the_mean_weight_is_refused():
    with pytest.raises(CapError):
        trim_weights(np.array([1.0, 2, 3]), upper=1.5, strict=True)


def test_design_weights_come_from_probabilities_or_from_sizes():
    strata = np.array(["a", "a", "b", "b"])
    design = Design(np.ones(4), strata=(strata,), population=(np.array([10.0, 10, 6, 6]),))

    assert weights_from_sizes(design) == pytest.approx(weights_from_probabilities([0.2, 0.2, 1 / 3, 1 / 3]))


@pytest.mark.parametrize("bad", [0.0, -0.1, 1.1, np.nan])
def test_a_probability_outside_its_range_is_refused(bad):
    with pytest.raises(Exception) as refusal:
        weights_from_probabilities([0.5, bad])

    assert refusal.value.code.startswith("arrays.")


def test_the_history_explains_any_weight_as_a_product():
    history = (
        WeightHistory.begin(np.array([2.0, 2, 5]))
        .then("无回答", [4, 0, 5])
        .then("校准", [4.4, 0, 4.5], "按群体")
    )
    for case in range(3):
        product = np.prod([factor for _, factor in history.explain(case)])
        assert product == pytest.approx([4.4, 0.0, 4.5][case])

    assert history.diagnostics()[-1].total == pytest.approx(8.9)
    assert history.diagnostics()[-1].note == "按群体"


def paired() -> tuple[Design, np.ndarray]:
    rng = np.random.default_rng(8)
    strata = np.repeat(np.arange(7), 8)
    psu = np.tile(np.repeat([0, 1], 4), 7)
    return Design(rng.uniform(1, 3, 56), strata=(strata,), psu=(psu,)), rng.random(56)


@pytest.mark.parametrize(
    "maker", [jackknife_n, balanced_half_samples, lambda d: balanced_half_samples(d, fay=0.3)]
)
def test_every_kind_of_replicate_gives_the_linearised_variance_of_a_total(maker):
    design, y = paired()

    assert total(y, maker(design)).se == pytest.approx(total(y, design).se, rel=1e-9)


def test_jk1_of_one_stratum_gives_the_linearised_variance_of_a_total():
    design, y = paired()
    flat = Design(design.weights, psu=(np.repeat(np.arange(14), 4),))

    assert total(y, jackknife_1(flat)).se == pytest.approx(total(y, flat).se, rel=1e-9)
    assert mean(y, successive_differences(flat)).se > 0


@pytest.mark.parametrize("order", [1, 2, 3, 4, 8, 12, 20, 24, 28, 29])
def test_hadamard_matrices_are_orthogonal(order):
    matrix = hadamard(order)

    assert len(matrix) >= order
    assert (matrix.T @ matrix == len(matrix) * np.eye(len(matrix))).all()


def test_bootstrap_replicates_repeat_from_their_seed():
    design, _ = paired()
    one, other = (rao_wu(design, 20, np.random.default_rng(3)) for _ in range(2))

    assert (one.replicate_weights == other.replicate_weights).all()


def test_half_samples_need_two_psus_in_every_stratum():
    with pytest.raises(ReplicateError, match="两个"):
        balanced_half_samples(Design(np.ones(3), strata=(np.array([1, 1, 1]),), psu=(np.array([1, 2, 3]),)))


def test_replicates_of_the_wrong_shape_are_refused():
    with pytest.raises(ShapeError):
        ReplicateDesign(np.ones(3), np.ones((2, 4)), 1.0, np.ones(4))
    with pytest.raises(RangeError):
        ReplicateDesign(np.ones(3), np.full((3, 4), np.nan), 1.0, np.ones(4))


@pytest.mark.parametrize("n", [5, 8])
def test_successive_differences_of_a_total_are_the_squares_of_neighbours_in_a_loop(n):
    rng = np.random.default_rng(n)
    names = np.array([f"s{rng.integers(10**6)}" for _ in range(2 * n)])
    y, strata = rng.normal(5, 2, 2 * n), np.repeat(np.array(["b", "a"]), n)
    population = np.repeat([4.0 * n, 2.0 * n], n)
    design = Design(np.repeat([4.0, 2.0], n), (strata,), (names,), (population,))
    one = total(y, successive_differences(design))
    by_hand = 0.0
    for name, f, w in (("b", 1 / 4, 4.0), ("a", 1 / 2, 2.0)):
        z = w * y[strata == name]
        by_hand += (1 - f) / 2 * ((np.diff(z) ** 2).sum() + (z[-1] - z[0]) ** 2)

    assert one.variance == pytest.approx(by_hand, rel=1e-10)
