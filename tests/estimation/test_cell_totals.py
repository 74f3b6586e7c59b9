"""What rows give, cells give: rates, errors, raking, in any order and in any number of parts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from survey.estimation.cell_totals import cell_totals, design_of, rake_cell_totals, rates_from_cells
from survey.estimation.means import ratio
from survey.sampling.design import Design
from survey.weighting.calibration import rake
from survey.weighting.margins import Margin


def answers(seed: int, n: int = 3000):
    rng = np.random.default_rng(seed)
    school = rng.integers(0, 24, n)
    keys = {
        "stratum": school % 4,
        "school": school,
        "group": rng.integers(0, 3, n),
        "gender": rng.integers(0, 2, n),
    }
    weights = rng.uniform(1, 5, n)
    valid = (rng.random((2, n)) < 0.93).astype(np.int8)
    yes = ((rng.random((2, n)) < 0.9) & (valid > 0)).astype(np.int8)
    return keys, weights, yes, valid


MARGINS = {
    "stratum": {0: 900, 1: 800, 2: 1300, 3: 1000},
    "group": {0: 2000, 1: 1200, 2: 800},
    "gender": {0: 1900, 1: 2100},
}


@given(seed=st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_cells_give_what_rows_give_before_and_after_raking(seed):
    keys, weights, yes, valid = answers(seed)
    cells = cell_totals(keys, weights, yes, valid)
    by_cells = design_of(cells, "school", "stratum")
    by_rows = Design(weights, strata=(keys["stratum"],), psu=(keys["school"],))
    raked_cells, _ = rake_cell_totals(cells, by_cells, MARGINS, tolerance=1e-12)
    raked_rows = rake(
        weights, [Margin(k, keys[k], t) for k, t in MARGINS.items()], tolerance=1e-12
    ).applied_to(by_rows)

    for cell_design, row_design in ((by_cells, by_rows), (raked_cells, raked_rows)):
        domains = {str(g): cells.keys["group"] == g for g in range(3)}
        for one in rates_from_cells(cells, cell_design, domains):
            rows = ratio(
                yes[one.item].astype(float),
                valid[one.item].astype(float),
                row_design,
                domain=keys["group"] == int(one.domain),
            )
            assert one.value == pytest.approx(rows.value, rel=1e-10)
            assert one.se == pytest.approx(rows.se, rel=1e-8)
            assert one.df == rows.df


@given(seed=st.integers(0, 1000), cut=st.integers(1, 2999))
@settings(max_examples=20, deadline=None)
def test_parts_add_up_to_the_whole_in_any_order(seed, cut):
    keys, weights, yes, valid = answers(seed)
    whole = cell_totals(keys, weights, yes, valid)
    order = np.random.default_rng(seed).permutation(3000)
    parts = [
        cell_totals({k: v[at] for k, v in keys.items()}, weights[at], yes[:, at], valid[:, at])
        for at in (order[:cut], order[cut:])
    ]
    joined = parts[1] + parts[0]

    assert (joined.n == whole.n).all()
    assert (joined.n_valid == whole.n_valid).all()
    assert joined.yes == pytest.approx(whole.yes)
    for name in keys:
        assert (joined.keys[name] == whole.keys[name]).all()


@pytest.mark.slow
def test_any_table_from_counters_takes_under_ten_milliseconds():
    from time import perf_counter

    cells = cell_totals(*answers(1, 100_000))
    design = design_of(cells, "school", "stratum")
    domains = {str(g): cells.keys["group"] == g for g in range(3)}
    took = []
    for _ in range(5):
        began = perf_counter()
        rates_from_cells(cells, design, domains)
        took.append(perf_counter() - began)

    assert min(took) < 0.010
