"""The coverage table rests on the product's own variance and interval, and small cells hold."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from survey.estimation.composite import composite
from survey.estimation.means import mean
from survey.sampling.design import Design

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "estimation_coverage.py"


@pytest.fixture(scope="module")
def coverage():
    spec = importlib.util.spec_from_file_location("estimation_coverage", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["estimation_coverage"] = module
    spec.loader.exec_module(module)
    return module


def as_rows(taken: np.ndarray, sizes, people, schools: int, *, whole_class: bool):
    """One wave as rows for the engine: values, and the design of its draw."""
    strata, n, groups = taken.shape
    y, h, school, inner, group, first, second = [], [], [], [], [], [], []
    for a in range(strata):
        for b in range(n):
            for g in range(groups):
                y += [1.0] * taken[a, b, g] + [0.0] * (sizes[g] - taken[a, b, g])
                h += [a] * sizes[g]
                school += [f"{a}-{b}"] * sizes[g]
                inner += [f"{a}-{b}-{g}"] * sizes[g]
                group += [g] * sizes[g]
                first += [float(schools)] * sizes[g]
                second += [float(people[g])] * sizes[g]
    rows = np.arange(len(y))
    weights = np.ones(len(y))
    if whole_class:
        design = Design(weights, (np.array(h),), (np.array(school),))
    else:
        design = Design(
            weights,
            (np.array(h), np.array(inner)),
            (np.array(school), rows),
            (np.array(first), np.array(second)),
        )
    return np.array(y), np.array(group), design


@pytest.mark.parametrize("how", ["slips", "classes", "three groups"])
def test_the_tables_variance_is_the_engines_own(coverage, how):
    waves = coverage.drawn(0.9, "small", 0.1, how, 4, np.random.default_rng(1))
    _, _, schools = coverage.COUNTIES["small"]
    sizes = [n // waves.psus for n in waves.n]
    people = coverage.PEOPLE if how == "three groups" else (coverage.PERSONS,)

    for at in range(4):
        y, group, design = as_rows(waves.taken[at], sizes, people, schools, whole_class=how == "classes")
        rates = [mean(y, design, domain=group == g) for g in range(len(sizes))]
        whole = rates[0] if len(rates) == 1 else composite(coverage.SHARES, rates, design)
        assert whole.value == pytest.approx(waves.p[at])
        assert whole.variance == pytest.approx(waves.variance[at])
        assert whole.df == waves.df
        assert [one.variance for one in rates] == pytest.approx(list(waves.variance_of_groups[at]))


@pytest.mark.parametrize(
    ("how", "county", "rho", "rate"), [("slips", "usual", 0.10, 0.98), ("three groups", "small", 0.10, 0.98)]
)
def test_the_hardest_cells_hold(coverage, how, county, rho, rate):
    ours = coverage.judged(coverage.drawn(rate, county, rho, how, 400, np.random.default_rng(3)))

    assert ours["coverage"] >= 94
    assert ours["cautioned"] > 0
