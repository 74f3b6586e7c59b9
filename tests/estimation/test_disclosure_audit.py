"""What is hidden stays hidden, audited by linear programming."""

from __future__ import annotations

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
