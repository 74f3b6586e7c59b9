"""Differences and tests: of domains, of waves, against a threshold, and many at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey.estimation.comparison import (
    ContrastError,
    contrast,
    difference_of_waves,
    expression,
    holm,
    t_test,
    threshold_test,
)
from survey.estimation.means import mean, proportion, ratio
from survey.estimation.quantiles import quantile, weighted_quantile
from survey.estimation.table_tests import TableError, table_test
from survey.sampling.design import Design


def wave(seed: int, rate: float, schools: int = 10) -> tuple[Design, np.ndarray]:
    rng = np.random.default_rng(seed)
    school = np.repeat(np.arange(schools), 20)
    y = (rng.random(len(school)) < np.clip(rate + rng.normal(0, 0.04, schools), 0, 1)[school]).astype(float)
    return Design(rng.uniform(1, 3, len(school)), psu=(school,)), y


def test_two_waves_drawn_apart_add_their_variances():
    (one, y1), (two, y2) = wave(1, 0.8), wave(2, 0.9, schools=14)
    before, after = proportion(y1, one), proportion(y2, two)
    change = difference_of_waves(before, after)

    assert change.value == pytest.approx(after.value - before.value)
    assert change.variance == pytest.approx(before.variance + after.variance)
    assert min(before.df, after.df) <= change.df <= before.df + after.df


def test_a_ratio_of_means_by_expression_is_the_ratio_estimator():
    design, y = wave(3, 0.8)
    x = np.random.default_rng(3).uniform(1, 2, len(y))
    by_delta = expression("a / b", {"a": mean(y, design), "b": mean(x, design)}, design)
    direct = ratio(y, x, design)

    assert by_delta.value == pytest.approx(direct.value)
    assert by_delta.se == pytest.approx(direct.se)


@pytest.mark.parametrize("formula", ["a + c", "__import__('os')", "a if a else 1", "a.real", "open(a, a)"])
def test_an_expression_reads_names_and_arithmetic_and_nothing_else(formula):
    design, y = wave(3, 0.8)
    with pytest.raises(ContrastError):
        expression(formula, {"a": mean(y, design)}, design)


def test_a_contrast_needs_a_coefficient_for_each_estimate():
    design, y = wave(3, 0.8)
    with pytest.raises(ContrastError):
        contrast([1, -1], [mean(y, design)], design)


def test_the_point_rule_and_the_bound_rule_stand_side_by_side():
    design, y = wave(4, 0.88, schools=8)
    one = proportion(y, design)
    just = threshold_test(one, one.value)
    clear = threshold_test(one, one.value - 0.2)

    assert (just.point_rule_pass, just.bound_rule_pass) == (True, False)
    assert (clear.point_rule_pass, clear.bound_rule_pass) == (True, True)
    assert just.p_value == pytest.approx(0.5)


def test_without_variance_there_is_no_test():
    design, y = wave(4, 0.88)
    test = t_test(proportion(np.ones_like(y), design))

    assert np.isnan(test.p_value)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_never_makes_a_p_value_smaller_or_turns_their_order(values):
    adjusted = holm(values)

    assert all(a >= p - 1e-12 for a, p in zip(adjusted, values, strict=True))
    assert [x for _, x in sorted(zip(values, adjusted, strict=True))] == sorted(adjusted)


def test_independent_tables_are_seldom_found_dependent():
    rejected = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        school = np.repeat(np.arange(12), 25)
        design = Design(rng.uniform(1, 2, 300), psu=(school,))
        found = table_test(rng.choice(["a", "b"], 300), rng.choice(["x", "y", "z"], 300), design)
        rejected += found.test.p_value < 0.05

    assert rejected < 22


def test_a_table_with_one_row_is_refused():
    design, y = wave(5, 0.9)
    with pytest.raises(TableError):
        table_test(np.full(len(y), "a"), y, design)


@given(st.lists(st.integers(0, 50), min_size=2, max_size=40), st.floats(0.01, 0.99))
def test_a_quantile_leaves_at_least_its_share_below(values, probability):
    y, weights = np.array(values, dtype=float), np.ones(len(values))
    point = weighted_quantile(y, weights, probability)

    assert (y <= point).mean() >= probability - 1e-9
    assert (y < point).mean() <= probability + 1e-9


def test_a_median_lies_within_its_interval():
    design, _ = wave(6, 0.9)
    y = np.random.default_rng(6).normal(80, 10, len(design))
    median = quantile(y, design, 0.5)

    assert median.lower <= median.value <= median.upper
