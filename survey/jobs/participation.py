"""How the fieldwork stands: counts of slips out and forms back, never an answer."""

from __future__ import annotations

from datetime import datetime
from math import ceil

from survey.exact import fraction
from survey.fieldwork.progress import DomainReturn, Participation
from survey.fieldwork.progress import participation as count_participation
from survey.storage.office import IntakeOffice
from survey.storage.plans import load_fielded_plan, load_plan
from survey.storage.samples import load_sample


async def domain_returns(office: IntakeOffice, wave: str) -> list[DomainReturn]:
    """Slips out and forms back in every drawn domain of a signed wave."""
    plan, sample = await load_plan(wave), await load_sample(wave)
    expected = fraction(plan.sample.expected_response)
    counts = {count.domain: count for count in await office.participation(wave)}
    return [
        DomainReturn(
            domain=draw.domain,
            group=draw.group,
            school_code=draw.school_code,
            school_name=draw.school_name,
            place=draw.place,
            stage=draw.stage,
            # A spare slip is nobody's until it is used; of a poster the quota is what there is.
            issued=min(counts[draw.domain].issued, max(draw.slips, counts[draw.domain].used)),
            used=counts[draw.domain].used,
            need=ceil(draw.slips * expected),
            voided=counts[draw.domain].voided,
            disputed=counts[draw.domain].disputed,
        )
        for draw in sample.domains
        if draw.domain in counts
    ]


async def participation(office: IntakeOffice, wave: str, *, now: datetime) -> Participation:
    """Participation of a wave against what is needed and the pace that needs.

    Raises:
        WaveNotFoundError, SampleMissingError: nothing to count yet.
    """
    plan = await load_fielded_plan(wave)
    return count_participation(
        await domain_returns(office, wave), opens_on=plan.opens_on, closes_on=plan.closes_on, today=now.date()
    )
