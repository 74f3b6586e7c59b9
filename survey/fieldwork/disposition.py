"""AAPOR outcomes as counts per domain, since slips are anonymous and no person has one.

What enters is what the intake counted of a domain's slips; what leaves is `Dispositions` for
`outcome_rates`. A used slip is an interview: complete where the overall item was answered with an
opinion or with "can't say", partial otherwise. An unused slip is of unknown eligibility: nobody
knows whether it reached a parent. A voided slip stays among the issued, because the person it
was meant for was drawn; a spare one is not among them, because nobody was drawn for it. Disputed slips stay counted (TRUST section 6) and are told beside.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from survey.errors import SurveyError
from survey.fieldwork.outcome_rates import Dispositions


class OutcomeCountsError(SurveyError):
    """Counts of a domain that contradict one another."""

    code = "fieldwork.outcome_counts"
    kind = "invalid"

    def __init__(self, domain: str, reason: str) -> None:
        super().__init__(f"域{domain}的份数", reason, "核对发出、使用、声明和作废的份数")


@dataclass(frozen=True)
class DomainOutcome:
    """What became of the slips of one domain; `used` includes the disputed, `voided` the spare ones."""

    domain: str
    issued: int
    used: int
    disputed: int = 0
    voided: int = 0
    paper: int = 0
    telephone: int = 0
    spares: int = 0
    """Slips made beyond the issued ones, for nobody in particular."""

    def __post_init__(self) -> None:
        counts = (self.issued, self.used, self.disputed, self.voided, self.paper, self.telephone, self.spares)
        if min(counts) < 0:
            raise OutcomeCountsError(self.domain, "有负数")
        if self.used > self.issued or self.used + self.voided > self.issued + self.spares:
            spare = f"、备用{self.spares}份" if self.spares else ""
            raise OutcomeCountsError(
                self.domain, f"发出{self.issued}份{spare}，使用和作废共{self.used + self.voided}份"
            )
        if max(self.disputed, self.paper + self.telephone) > self.used:
            raise OutcomeCountsError(self.domain, f"使用{self.used}份，声明未填的或录入的比它多")


def dispositions(outcomes: Iterable[DomainOutcome], partial: int = 0) -> Dispositions:
    """Final outcomes of some domains together.

    Args:
        outcomes: the domains' counts.
        partial: used slips whose overall item was left blank.

    >>> dispositions([DomainOutcome("a", 20, 15, voided=2), DomainOutcome("b", 10, 5)], partial=3)
    Dispositions(complete=17, partial=3, refused=0, not_contacted=0, other=0, unknown=10, ineligible=0)
    """
    rows = list(outcomes)
    used, issued = sum(row.used for row in rows), sum(row.issued for row in rows)
    return Dispositions(complete=used - partial, partial=partial, unknown=issued - used)
