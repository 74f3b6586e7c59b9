"""Outcome rates by AAPOR number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey.fieldwork.outcome_rates import CountsError, Dispositions, outcome_rates

count = st.integers(0, 500)


@given(
    st.builds(Dispositions, complete=count, partial=count, refused=count, not_contacted=count, unknown=count)
)
def test_rates_lie_in_order_between_zero_and_one(counts):
    rates = outcome_rates(counts)

    for name, rate in rates.items():
        assert rate is None or 0 <= rate <= 1, name
    if counts.eligible:
        assert rates["RR1"] <= rates["RR2"] + 1e-12
        assert rates["RR1"] <= rates["RR3"] + 1e-12 <= rates["RR5"] + 2e-12


def test_nobody_asked_gives_no_rate_rather_than_zero():
    assert outcome_rates(Dispositions(0))["RR2"] is None


def test_a_negative_count_is_refused():
    with pytest.raises(CountsError):
        Dispositions(complete=-1)
