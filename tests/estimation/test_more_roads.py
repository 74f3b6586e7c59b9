"""More roads to one number: unbiased by enumeration, stages that collapse, regression by hand, figures that move right."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from survey.certification.table import TableRow, full_body, weighted_parts, weighted_ratio
from survey.estimation.census import census_design, census_rate
from survey.estimation.comparison import difference_of_overlapping_waves
from survey.estimation.means import mean, ratio
from survey.estimation.quantiles import quantile
from survey.estimation.totals import total
from survey.estimation.unequal_probability import pps_covariance
from survey.sampling.design import Design, PpsDesign
from survey.sampling.joint_probabilities import joint_sampford
from survey.sampling.selection import inclusion_probabilities
from survey.weighting.calibration import calibrate, poststratify, recalibrated
from survey.weighting.margins import Margin
from survey.weighting.replicates import jackknife_n

SIZES = np.array([12.0, 34, 21, 9, 40, 26, 18, 31])
Y = np.array([3.0, 8, 6, 2, 11, 7, 4, 9])


@pytest.mark.parametrize("variance", ["HT", "YG"])
def test_both_variances_under_sampfords_draw_are_unbiased_over_all_his_samples(variance):
    pi = inclusion_probabilities(SIZES, 3)
    joint = joint_sampford(pi)
    p = pi / 3
    odds = p / (1 - pi)
    chances, estimates, variances = [], [], []
    for sample in combinations(range(8), 3):
        units = list(sample)
        chances.append(np.prod(odds[units]) * (1 - p[units].sum()))
        design = PpsDesign(1 / pi[units], pi[units], "joint", joint[np.ix_(units, units)], variance)
        scores = (Y[units] / pi[units])[:, None]
        one = total(Y[units], design)
        estimates.append(one.value)
        variances.append(float(pps_covariance(scores, design)[0, 0]))
    chance = np.array(chances) / sum(chances)
    expected = chance @ np.array(estimates)

    assert expected == pytest.approx(Y.sum())
    assert chance @ np.array(variances) == pytest.approx(chance @ (np.array(estimates) - expected) ** 2)


def test_two_stages_of_which_the_second_is_complete_are_one_stage_of_totals():
    rng = np.random.default_rng(2)
    school = np.repeat(np.arange(6), 5)
    y = rng.normal(3, 1, 30)
    weights = np.full(30, 4.0)
    both = Design(
        weights,
        (np.zeros(30), school),
        (school, np.arange(30)),
        (np.full(30, 24.0), np.full(30, 5.0)),
    )
    one = Design(np.full(6, 4.0), psu=(np.arange(6),), population=(np.full(6, 24.0),))
    totals = np.bincount(school, y)

    assert total(y, both).variance == pytest.approx(total(totals, one).variance)


def test_a_calibrated_total_is_the_regression_estimator_and_its_error_that_of_the_residuals():
    rng = np.random.default_rng(3)
    x = rng.uniform(1, 5, 40)
    y = 2 * x + rng.normal(0, 0.3, 40)
    base = Design(np.full(40, 10.0), psu=(np.arange(40),))
    auxiliary = np.column_stack([np.ones(40), x])
    known = np.array([400.0, 1250.0])
    step = calibrate(base.weights, auxiliary, known)
    slope = np.linalg.lstsq(auxiliary, y, rcond=None)[0]
    by_regression = 10 * y.sum() + (known - 10 * auxiliary.sum(axis=0)) @ slope
    residuals = step.weights * (y - auxiliary @ slope)

    one = total(y, step.applied_to(base))
    assert one.value == pytest.approx(by_regression)
    assert one.variance == pytest.approx(40 * residuals.var(ddof=1))
    assert one.se < 0.3 * total(y, base).se


def test_poststratified_jackknife_and_linearization_come_to_nearly_the_same_error():
    rng = np.random.default_rng(4)
    school = np.repeat(np.arange(40), 10)
    cell = np.where(rng.random(400) < 0.5, "a", "b")
    y = (rng.random(400) < np.where(cell == "a", 0.95, 0.8)).astype(float)
    design = Design(np.full(400, 5.0), psu=(school,))
    margin = Margin("类", cell, {"a": 900.0, "b": 1100.0})
    line = mean(y, poststratify(design.weights, margin).applied_to(design))
    replicates = jackknife_n(design)
    jack = mean(y, recalibrated(replicates, lambda w: poststratify(w, margin)))
    assert jack.value == pytest.approx(line.value)
    assert jack.se == pytest.approx(line.se, rel=0.03)


def test_a_census_by_cells_is_a_stratified_sample_without_replacement():
    cells = np.repeat(np.array(list("abc")), [10, 20, 8])
    asked = np.repeat([10.0, 20, 8], [10, 20, 8])
    answered = np.array([True] * 6 + [False] * 4 + [True] * 15 + [False] * 5 + [True] * 8)
    happy = (np.arange(38) % 5 != 0).astype(float)
    design, _ = census_design(cells, asked, answered)
    one = mean(happy[answered], design)
    counts = [[(cells == c)[answered].sum(), happy[answered][(cells == c)[answered]].sum()] for c in "abc"]
    by_counts = census_rate([10, 20, 8], [n for n, _ in counts], [x for _, x in counts])

    assert (one.value, one.se) == pytest.approx((by_counts.rate, by_counts.se))


def test_the_change_of_the_same_people_is_the_mean_of_their_changes():
    rng = np.random.default_rng(6)
    school = np.repeat(np.arange(12), 8)
    first, second = rng.random(96), rng.random(96)
    design = Design(np.full(96, 3.0), psu=(school,))
    change = mean(second - first, design)
    stacked = difference_of_overlapping_waves(first, design, second, design)

    assert (stacked.value, stacked.se, stacked.df) == pytest.approx((change.value, change.se, change.df))


@given(seed=st.integers(0, 10_000), probability=st.floats(0.1, 0.9))
@settings(max_examples=25, deadline=None)
def test_the_share_at_or_below_a_quantile_reaches_its_probability_and_not_before(seed, probability):
    rng = np.random.default_rng(seed)
    y, w = rng.integers(0, 50, 60).astype(float), rng.uniform(0.5, 3, 60)
    design = Design(w, psu=(np.arange(60),))
    value = quantile(y, design, probability).value

    assert mean((y <= value).astype(float), design).value >= probability - 1e-9
    assert mean((y < value).astype(float), design).value < probability + 1e-9


ROWS = st.lists(
    st.tuples(
        st.integers(1, 40), st.integers(0, 40), st.fractions(Fraction(1, 9), Fraction(9), max_denominator=9)
    ),
    min_size=1,
    max_size=6,
)


@given(rows=ROWS)
@settings(max_examples=60, deadline=None)
def test_a_figure_lies_between_zero_and_one_and_one_more_satisfied_never_lowers_it(rows):
    table = [TableRow(str(at), v, min(x, v), v, w, "g") for at, (v, x, w) in enumerate(rows)]
    one = {"g": Fraction(1)}
    figure = weighted_ratio(table, one)
    better = [
        TableRow(r.domain, r.n, min(r.x + 1, r.v), r.v, r.w, "g") if r.domain == "0" else r for r in table
    ]

    assert 0 <= figure <= 1
    assert weighted_ratio(better, one) >= figure
    as_parts = [TableRow(r.domain, r.n, 0, r.n, r.w, "g", {"overall": (r.v, Fraction(r.x))}) for r in table]
    assert weighted_parts(as_parts, one, {"g": {"overall": Fraction(1)}}) == figure
    body = [("g", r.v, r.n, r.x) for r in table]
    assert full_body(body, one) == Fraction(sum(r.x for r in table), sum(r.v for r in table))


@given(seed=st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_a_ratio_of_two_columns_is_invariant_to_splitting_rows(seed):
    rng = np.random.default_rng(seed)
    school = np.repeat(np.arange(8), 3)
    y, x = rng.random(24), rng.random(24) + 0.5
    whole = ratio(y, x, Design(np.full(24, 2.0), psu=(school,)))
    halves = ratio(np.repeat(y, 2), np.repeat(x, 2), Design(np.full(48, 1.0), psu=(np.repeat(school, 2),)))

    assert (halves.value, halves.se) == pytest.approx((whole.value, whole.se))
