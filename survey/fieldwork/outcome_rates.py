"""Response, cooperation, refusal and contact rates, each with its AAPOR number.

Enters: final dispositions as counts; slips are anonymous, so nothing finer exists. Leaves: the
rates. A rate whose denominator is zero is None: nobody was asked, and 0 would say everybody refused.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike

from survey.arrays import Labels, weights_column
from survey.errors import SurveyError


class CountsError(SurveyError):
    """Disposition counts that cannot be."""

    code = "fieldwork.counts"
    kind = "invalid"


@dataclass(frozen=True)
class Dispositions:
    """Final outcomes as counts.

    Attributes:
        complete, partial: interviews, I and P.
        refused: refusals and break-offs, R.
        not_contacted: NC.
        other: eligible, contacted, not interviewed for another reason, O.
        unknown: eligibility unknown, UH and UO together.
        ineligible: known not to belong.
    """

    complete: int
    partial: int = 0
    refused: int = 0
    not_contacted: int = 0
    other: int = 0
    unknown: int = 0
    ineligible: int = 0

    def __post_init__(self) -> None:
        if min(asdict(self).values()) < 0:
            raise CountsError("调查结果的计数", "有负数", "核对各类计数")

    @property
    def interviews(self) -> int:
        return self.complete + self.partial

    @property
    def eligible(self) -> int:
        """Cases known to be eligible."""
        return self.interviews + self.refused + self.not_contacted + self.other

    @property
    def eligible_share(self) -> float | None:
        """e: eligible among cases of known eligibility (CASRO); None when there are none."""
        return _share(self.eligible, self.eligible + self.ineligible)


def outcome_rates(counts: Dispositions, e: float | None = None) -> dict[str, float | None]:
    """All AAPOR rates by name, RR1…RR6, COOP1…4, REF1…3, CON1…3, and the e they used.

    Args:
        counts: final dispositions.
        e: share of the unknown that is eligible; estimated from the known when not given.

    Source: AAPOR, Standard Definitions (10th ed., 2023), outcome rates.

    >>> rates = outcome_rates(Dispositions(complete=12, partial=3, refused=2, not_contacted=1, unknown=2))
    >>> rates["RR2"], rates["RR6"]
    (0.75, 0.8333333333333334)
    """
    share = counts.eligible_share if e is None else e
    known, everyone = counts.eligible, counts.eligible + counts.unknown
    estimated = None if share is None else known + share * counts.unknown
    reached = counts.interviews + counts.refused + counts.other
    asked = counts.interviews + counts.refused
    return {
        "e": share,
        "RR1": _share(counts.complete, everyone),
        "RR2": _share(counts.interviews, everyone),
        "RR3": _share(counts.complete, estimated),
        "RR4": _share(counts.interviews, estimated),
        "RR5": _share(counts.complete, known),
        "RR6": _share(counts.interviews, known),
        "COOP1": _share(counts.complete, reached),
        "COOP2": _share(counts.interviews, reached),
        "COOP3": _share(counts.complete, asked),
        "COOP4": _share(counts.interviews, asked),
        "REF1": _share(counts.refused, everyone),
        "REF2": _share(counts.refused, estimated),
        "REF3": _share(counts.refused, known),
        "CON1": _share(reached, everyone),
        "CON2": _share(reached, estimated),
        "CON3": _share(reached, known),
    }


def weighted_response_rate(weights: ArrayLike, dispositions: Labels, responses: Collection[str]) -> float:
    """Share of the base weight of eligible or unknown cases that came back: RR2 weighted.

    Args:
        weights: (n,) base weights of cases not known to be ineligible.
        dispositions: (n,) their outcomes.
        responses: outcomes that count as a response.

    Source: AAPOR, Standard Definitions, weighted rates.
    """
    column = weights_column(weights)
    if not len(column):
        raise CountsError("加权回答率", "没有一条记录", "检查条件")
    return float(column[np.isin(dispositions, list(responses))].sum() / column.sum())


def _share(part: float, whole: float | None) -> float | None:
    return part / whole if whole else None
