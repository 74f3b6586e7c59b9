"""Allocations keep totals and minimums, and reach their goals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from survey.sampling.allocation import (
    AllocationError,
    allocate_integer,
    neyman,
    several_goals,
    several_goals_whole,
)


@given(
    sizes=st.lists(st.integers(1, 5000), min_size=1, max_size=12),
    share=st.floats(0.05, 1),
    minimum=st.integers(0, 5),
)
@settings(max_examples=150, deadline=None)
def test_rounding_keeps_the_total_the_minimum_and_the_population(sizes, share, minimum):
    low = sum(min(minimum, size) for size in sizes)
    n = max(low, int(share * sum(sizes)))
    made = allocate_integer(n, sizes, minimum)

    assert made.sum() == n
    assert (made <= sizes).all()
    assert (made >= np.minimum(minimum, sizes)).all()


def test_a_total_that_cannot_be_divided_is_refused():
    with pytest.raises(AllocationError):
        allocate_integer(5, [10, 10], minimum=3)
    with pytest.raises(AllocationError):
        allocate_integer(25, [10, 10])


def test_several_goals_are_all_reached_by_the_smallest_allocation():
    sizes, sds = [4000, 2000, 1000], [[0.4, 0.3, 0.2], [0.2, 0.4, 0.5]]
    half = [0.03, 0.03]
    n = several_goals(sizes, sds, half)
    share = np.array(sizes) / 7000
    for spread, goal in zip(sds, half, strict=True):
        variance = ((share * spread) ** 2 * (1 / n - 1 / np.array(sizes))).sum()
        assert 1.96 * np.sqrt(variance) <= goal * 1.001

    single = several_goals(sizes, sds[:1], half[:1])
    assert single / single.sum() == pytest.approx(neyman(1, sizes, sds[0]), abs=0.01)


@given(seed=st.integers(0, 2000))
@settings(max_examples=15, deadline=None)
def test_whole_sizes_for_several_goals_meet_each_and_none_can_be_one_less(seed):
    rng = np.random.default_rng(seed)
    sizes, sds = rng.integers(40, 900, 4), rng.uniform(0.2, 2.0, (2, 4))
    share = sizes / sizes.sum()
    goals = [float(1.2 * np.sqrt((share**2 * sd**2 / np.maximum(sizes / 5, 2)).sum()) * 1.96) for sd in sds]
    n = several_goals_whole(sizes, list(sds), goals)

    def met(size: np.ndarray) -> bool:
        variances = [(share**2 * sd**2 * (1 / size - 1 / sizes)).sum() for sd in sds]
        return all(
            1.959964 * np.sqrt(v) <= goal * (1 + 1e-6) for v, goal in zip(variances, goals, strict=True)
        )

    assert met(n) and (n <= sizes).all() and (n >= 2).all()
    for at in range(4):
        less = n - np.eye(4, dtype=int)[at]
        assert less[at] < 2 or not met(less)
