"""What is hidden stays hidden, audited by linear programming."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from survey.estimation.disclosure import withhold
from survey.estimation.disclosure_audit import DisclosureError, audit, protect, table_sums


def test_one_hidden_cell_of_a_published_sum_is_no_secret():
    ranges = audit([3, 20, 30], np.ones((1, 3)), np.array([True, False, False]))

    assert (ranges[0].lower, ranges[0].upper) == (3, 3)


def test_two_hidden_cells_share_what_the_sum_leaves():
    ranges = audit([3, 20, 30], np.ones((1, 3)), np.array([True, True, False]))

    assert [(one.lower, one.upper) for one in ranges] == [(0, 23), (0, 23)]


@given(counts=st.lists(st.integers(0, 60), min_size=12, max_size=12))
@settings(max_examples=15, deadline=None)
def test_no_small_cell_of_a_protected_table_can_be_worked_out(counts):
    sums = table_sums(3, 4)
    try:
        hidden = protect(counts, sums, 10)
    except DisclosureError:
        return
    small = [at for at, count in enumerate(counts) if 0 < count < 10]

    assert all(hidden[at] for at in small)
    for one in audit(counts, sums, hidden):
        assert one.lower - 1e-6 <= counts[one.cell] <= one.upper + 1e-6
        if one.cell in small:
            assert one.width >= 10


def test_a_table_too_thin_to_protect_is_refused():
    with pytest.raises(DisclosureError):
        protect([2, 3], np.ones((1, 2)), 10)


@given(counts=st.lists(st.integers(0, 40), min_size=2, max_size=8))
@settings(max_examples=60, deadline=None)
def test_the_rule_of_a_published_table_never_leaves_one_hidden_row(counts):
    rows = [{"key": str(at), "n": n, "n_valid": n, "shown": "x"} for at, n in enumerate(counts)]
    hidden = np.array([bool(row.get("withheld")) for row in withhold(rows, 10)])

    if hidden.any() and not hidden.all():
        total = np.ones((1, len(counts)))
        assert all(one.width > 0 for one in audit(counts, total, hidden) if counts[one.cell] > 0)


def table_set(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Counts of area × group, published with the margins of areas, of groups and of districts of areas."""
    areas, groups = int(rng.integers(3, 6)), int(rng.integers(2, 5))
    counts = rng.negative_binomial(1, 1 / rng.uniform(8, 40), areas * groups)
    sums = [table_sums(areas, groups)]
    district = rng.integers(0, 2, areas)
    for one in (0, 1):
        for group in range(groups):
            members = np.zeros((areas, groups))
            members[district == one, group] = 1
            if members.any():
                sums.append(members.reshape(1, -1))
    return counts, np.vstack(sums)


def pinned_by_differencing(counts: np.ndarray, sums: np.ndarray, hidden: np.ndarray) -> set[int]:
    """Hidden cells that adding and subtracting published numbers gives away, by exact elimination."""
    relation = [[int(v) for v in row[hidden]] for row in sums]
    width = int(hidden.sum())
    rows = [[Fraction(v) for v in row] for row in relation]
    pivot = 0
    for column in range(width):
        lead = next((at for at in range(pivot, len(rows)) if rows[at][column]), None)
        if lead is None:
            continue
        rows[pivot], rows[lead] = rows[lead], rows[pivot]
        rows[pivot] = [v / rows[pivot][column] for v in rows[pivot]]
        for at, row in enumerate(rows):
            if at != pivot and row[column]:
                rows[at] = [a - row[column] * b for a, b in zip(row, rows[pivot], strict=True)]
        pivot += 1
    cells = np.flatnonzero(hidden)
    return {int(cells[row.index(1)]) for row in rows if sum(bool(v) for v in row) == 1}


def attack(seeds: range) -> int:
    """T21: no hidden count within five, none pinned, by linear programming and by differencing."""
    protected = 0
    for seed in seeds:
        counts, sums = table_set(np.random.default_rng(seed))
        try:
            hidden = protect(counts, sums, 10)
        except DisclosureError:
            continue
        protected += bool(hidden.any())
        assert pinned_by_differencing(counts, sums, hidden) == set(), seed
        assert all(one.width >= 5 for one in audit(counts, sums, hidden)), seed
    return protected


def test_no_table_set_gives_a_hidden_count_away_to_either_attack():
    assert attack(range(8)) > 2


@pytest.mark.slow
def test_a_thousand_table_sets_give_no_hidden_count_away():
    assert attack(range(1000)) > 300


def test_the_attack_finds_what_an_unprotected_table_gives_away():
    counts, sums = np.array([3, 20, 30, 40]), table_sums(2, 2)
    only_small = np.array([True, False, False, False])

    assert pinned_by_differencing(counts, sums, only_small) == {0}


def test_counts_that_no_count_of_at_least_zero_explains_are_refused_by_name():
    with pytest.raises(DisclosureError):
        audit([-3, 1, 2], np.ones((1, 3)), np.array([True, True, False]))


@pytest.mark.parametrize(
    ("counts", "hidden"), [([1, 2, 30, 40], 3), ([3, 4, 30, 40], 3), ([5, 6, 30, 40], 2), ([2, 30, 40], 2), ([0, 0, 30], 2)]
)
def test_hidden_rows_hold_ten_answers_together_or_one_more_is_hidden(counts, hidden):
    rows = [{"key": str(at), "n": n, "n_valid": n, "shown": "x"} for at, n in enumerate(counts)]

    assert sum(bool(row.get("withheld")) for row in withhold(rows, 10)) == hidden
