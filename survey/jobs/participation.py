"""How the fieldwork stands: counts of slips out and forms back, never an answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from math import ceil

from survey.exact import fraction
from survey.fieldwork.progress import DomainReturn, Participation
from survey.fieldwork.progress import participation as count_participation
from survey.scheme.plan import Plan
from survey.storage.areas import areas_of
from survey.storage.office import IntakeOffice
from survey.storage.plans import load_fielded_plan, load_plan
from survey.storage.samples import load_sample, load_samples, sample_digests


async def domain_returns(office: IntakeOffice, wave: str) -> list[DomainReturn]:
    """Slips out and forms back in every drawn domain of a signed wave."""
    plan, sample = await load_plan(wave), await load_sample(wave)
    expected = fraction(plan.sample.expected_response)
    counts = {count.domain: count for count in await office.participation(wave)}
    areas = await areas_of(wave)
    has_areas = any(areas.values())
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
            area=areas.get(draw.school_code) or "" if has_areas and draw.school_code else None,
        )
        for draw in sample.domains
        if draw.domain in counts
    ]


_NEEDS: dict[tuple[str, str], int] = {}
"""Digest of a sample and the response expected, to the answers needed; a pair of short texts each."""
AT_ONCE = 50
"""Samples read together; a sample of a county is some 50 KB."""


async def needed_answers(plans: Mapping[str, Plan]) -> dict[str, int]:
    """The answers that each of several drawn waves needs; each sample is read once a process."""
    digests = await sample_digests(list(plans))
    keys = {wave: (digest, plans[wave].sample.expected_response) for wave, digest in digests.items()}
    unread = [wave for wave, key in keys.items() if key not in _NEEDS]
    for start in range(0, len(unread), AT_ONCE):
        for wave, sample in (await load_samples(unread[start : start + AT_ONCE])).items():
            expected = fraction(plans[wave].sample.expected_response)
            _NEEDS[keys[wave]] = sum(ceil(draw.slips * expected) for draw in sample.domains)
    return {wave: _NEEDS[key] for wave, key in keys.items()}


async def participation(
    office: IntakeOffice, wave: str, *, now: datetime, exact: bool = False
) -> Participation:
    """Participation of a wave against what is needed and the pace that needs.

    Args:
        exact: fieldwork has ended, so that every domain's count is public.

    Raises:
        WaveNotFoundError, SampleMissingError: nothing to count yet.
    """
    plan = await load_fielded_plan(wave)
    return count_participation(
        await domain_returns(office, wave),
        opens_on=plan.opens_on,
        closes_on=plan.closes_on,
        today=now.date(),
        exact=exact,
    )
