"""Intervals near 0 and 1, where software goes wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta as beta_distribution
from scipy.stats import hypergeom

from survey.estimation.census import hypergeometric_interval
from survey.estimation.design_effect import nchs_presentation
from survey.estimation.intervals import (
    METHODS,
    IntervalError,
    binomial_interval,
    korn_graubard,
    planned_n,
    proportion_interval,
    t_interval,
)


@pytest.mark.parametrize("p", [1.0, 1 - 2e-16, 0.0, 2e-16])
@pytest.mark.parametrize("variance", [0.0, 1e-35])
def test_all_or_none_satisfied_gives_the_exact_bound_and_never_a_point(p, variance):
    interval = korn_graubard(p, variance, 12, 5)

    assert interval.width == pytest.approx(0.2646484, abs=1e-6)
    assert {interval.lower, interval.upper} & {0.0, 1.0}


@pytest.mark.parametrize("method", [name for name in METHODS if name != "korn_graubard"])
@pytest.mark.parametrize("p", [0.0, 1.0])
def test_other_methods_give_no_interval_at_0_and_1(method, p):
    assert proportion_interval(p, 0.0, 50, 10, method=method) is None


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("df", [0, -1])
def test_no_degrees_of_freedom_give_no_interval(method, df):
    assert proportion_interval(0.9, 0.001, 50, df, method=method) is None
    assert t_interval(0.9, 0.001, df) is None


@given(p=st.floats(0.02, 0.98), n=st.integers(20, 3000), deff=st.floats(0.5, 5), df=st.integers(2, 200))
@settings(max_examples=100, deadline=None)
def test_the_interval_holds_the_estimate_and_stays_within_0_and_1(p, n, deff, df):
    variance = deff * p * (1 - p) / n
    for method in ("korn_graubard", "logit", "wilson", "asin", "likelihood"):
        interval = proportion_interval(p, variance, n, df, method=method)

        assert 0 <= interval.lower <= p <= interval.upper <= 1


@given(p=st.floats(0.02, 0.98), n=st.integers(20, 500), df=st.integers(3, 60))
@settings(max_examples=50, deadline=None)
def test_korn_graubard_turns_over_with_the_proportion(p, n, df):
    variance = 1.5 * p * (1 - p) / n
    one, other = korn_graubard(p, variance, n, df), korn_graubard(1 - p, variance, n, df)

    assert other.lower == pytest.approx(1 - one.upper, abs=1e-9)


def test_without_design_korn_graubard_is_clopper_pearson():
    exact = binomial_interval(45, 50)
    ours = korn_graubard(0.9, 0.9 * 0.1 / 50, 50, 49)

    assert (ours.lower, ours.upper) == pytest.approx((exact.lower, exact.upper), rel=1e-10)
    assert exact.lower == pytest.approx(beta_distribution.ppf(0.025, 45, 6))


@pytest.mark.parametrize("level", [0.0, 1.0, 1.5, math.nan])
def test_a_level_outside_0_and_1_is_refused(level):
    with pytest.raises(IntervalError):
        korn_graubard(0.9, 0.01, 50, 10, level)


@pytest.mark.parametrize(
    ("p", "variance"), [(1.2, 0.1), (-0.1, 0.1), (math.nan, 0.1), (0.9, -1.0), (0.9, math.inf)]
)
def test_a_proportion_or_variance_out_of_range_is_refused(p, variance):
    with pytest.raises(IntervalError):
        korn_graubard(p, variance, 50, 10)


def test_an_unknown_method_is_refused_with_the_list_of_known_ones():
    with pytest.raises(IntervalError, match="korn_graubard"):
        proportion_interval(0.9, 0.01, 50, 10, method="guess")


@pytest.mark.parametrize(
    ("satisfied", "n", "population"), [(12, 12, 15), (8, 10, 20), (0, 5, 9), (20, 20, 20)]
)
def test_hypergeometric_bounds_are_the_last_populations_that_could_be(satisfied, n, population):
    interval = hypergeometric_interval(satisfied, n, population)
    low, high = round(interval.lower * population), round(interval.upper * population)

    assert hypergeom.sf(satisfied - 1, population, low, n) > 0.025
    assert low == satisfied or hypergeom.sf(satisfied - 1, population, low - 1, n) <= 0.025
    assert hypergeom.cdf(satisfied, population, high, n) > 0.025
    assert interval.lower <= satisfied / n <= interval.upper


def test_nothing_is_presented_on_fewer_than_thirty_answers():
    assert nchs_presentation(0.9, 29, 29, 20, 0.8, 0.97).decision == "suppress"
    assert nchs_presentation(0.9, 100, 29, 20, 0.8, 0.97).decision == "suppress"
    assert nchs_presentation(0.9, 100, 90, 20, None, None).decision == "suppress"


def test_a_cap_on_the_effective_size_only_ever_widens():
    free = korn_graubard(0.98, 0.0001, 144, 10)
    capped = korn_graubard(0.98, 0.0001, 144, 10, at_most=planned_n(144, 12))

    assert capped.lower < free.lower
    assert capped.upper > free.upper
    assert korn_graubard(0.98, 0.0001, 144, 10, at_most=1e9) == free


@pytest.mark.slow
def test_ninety_five_percent_intervals_cover_about_ninety_five_percent():
    rng = np.random.default_rng(5)
    misses = 0
    for _ in range(4000):
        rates = rng.beta(0.9 * 25, 0.1 * 25, 40)
        hits = rng.binomial(20, rates)
        p = hits.mean() / 20
        variance = (hits / 20).var(ddof=1) / 40
        interval = korn_graubard(p, variance, 800, 39)
        misses += not interval.lower <= 0.9 <= interval.upper

    assert 0.03 < misses / 4000 < 0.065
