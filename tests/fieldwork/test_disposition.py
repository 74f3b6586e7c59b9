"""Outcomes are counts per domain and cannot contradict one another."""

from __future__ import annotations

import pytest

from survey.fieldwork.disposition import DomainOutcome, OutcomeCountsError, dispositions
from survey.fieldwork.outcome_rates import outcome_rates


def test_response_rate_two_is_used_over_issued_with_voided_slips_still_asked():
    found = dispositions(
        [DomainOutcome("a", 40, 26, voided=5), DomainOutcome("b", 10, 9, disputed=2)], partial=5
    )

    rates = outcome_rates(found)

    assert rates["RR2"] == 35 / 50
    assert rates["RR1"] == 30 / 50


@pytest.mark.parametrize("counts", [(10, 11, 0, 0), (10, 6, 0, 5), (10, 3, 4, 0), (-1, 0, 0, 0)])
def test_counts_that_contradict_are_refused_by_the_domain(counts):
    issued, used, disputed, voided = counts

    with pytest.raises(OutcomeCountsError, match="0001-P"):
        DomainOutcome("0001-P", issued, used, disputed=disputed, voided=voided)
