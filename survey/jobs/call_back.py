"""Call back: draw who is called, record what they said, and hand counts to the flags.

Recording ends when the two sign the opening: how many were interviewed stands in the opening
itself, so no call can be added once answers are known. The audit trail keeps who recorded how
many, never an answer.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from survey.cases.derivation import overall, scheme_reading
from survey.errors import FaultsError
from survey.exact import fraction
from survey.fieldwork.callbacks import (
    OUTCOMES,
    CallBackRefusedError,
    Person,
    draw_people,
    read_outcomes,
)
from survey.jobs.receive_response import OFFICE_TIME
from survey.scheme.instrument import Item
from survey.scheme.plan import Plan, instrument_of, scheme_of
from survey.storage.audit import record_audit
from survey.storage.callbacks import (
    Recorded,
    list_calls,
    list_tickets,
    save_calls,
    save_tickets,
    take_calling_turn,
)
from survey.storage.current import transaction
from survey.storage.evidence import find_evidence
from survey.storage.plans import load_plan, require_state
from survey.storage.samples import load_sample

BEFORE_OPENING = ("planned", "open", "paused", "closed")
TICKET_BYTES = 5
THING = "回访名单"


async def draw_callbacks(
    wave: str, n: int, groups: Sequence[str] = (), *, actor: str, now: datetime
) -> list[Person]:
    """Draw `n` people of every group to be called; once in a wave.

    Args:
        groups: which respondent groups; those that carry the figure when none is named.

    Raises:
        WrongStateError: the plan is not signed, or the answers are open.
        CallBackRefusedError: the list is drawn already, or no such group is asked.
    """
    await _require_before_opening(wave)
    sample = await load_sample(wave)
    wanted = set(groups) or {group for group, share in sample.shares.items() if fraction(share)}
    draws = [draw for draw in sample.domains if draw.group in wanted and draw.eligible]
    if unknown := sorted(wanted - {draw.group for draw in draws}):
        raise CallBackRefusedError(wave, f"没有向“{unknown[0]}”发问卷", "写计划里有的一类人")
    async with transaction():
        await take_calling_turn(wave)
        if await list_tickets(wave):
            raise CallBackRefusedError(wave, "名单已经抽过，一次调查只抽一次", "用抽出的那份名单")
        people = draw_people(draws, n, secrets.randbelow, lambda: secrets.token_hex(TICKET_BYTES).upper())
        await save_tickets(wave, ((one.ticket, one.draw.domain) for one in people))
        details = dict(Counter(one.draw.group for one in people))
        await record_audit(actor, "draw_callbacks", wave, details=details, now=now)
    return people


async def record_callbacks(
    wave: str, rows: Sequence[Mapping[str, str]], *, actor: str, now: datetime
) -> dict[str, int]:
    """Record what callers wrote down, all of it or none; outcome → how many were added.

    Raises:
        WrongStateError, CallBackRefusedError: the answers are open, or nothing was written down.
        FaultsError: every row that cannot be read.
    """
    await _require_before_opening(wave)
    plan = await load_plan(wave)
    today = now.astimezone(OFFICE_TIME).date()
    async with transaction():
        await take_calling_turn(wave)
        await _require_before_opening(wave)
        tickets = await list_tickets(wave)
        items = await key_items(wave, plan)
        waiting = {
            ticket: items[domain]
            for ticket, (domain, spent) in tickets.items()
            if not spent and domain in items
        }
        calls, faults = read_outcomes(rows, waiting, plan.opens_on, today)
        if faults:
            raise FaultsError(THING, tuple(faults))
        if not calls:
            raise CallBackRefusedError(wave, "没有填了结果的行", "填上结果和日期再交")
        await save_calls(wave, [(call, tickets[call.ticket][0]) for call in calls])
        added = dict(Counter(call.outcome for call in calls))
        await record_audit(actor, "record_callbacks", wave, details={"n": len(calls)}, now=now)
    return added


async def _require_before_opening(wave: str) -> None:
    await require_state(wave, BEFORE_OPENING)
    if await find_evidence(wave, "opening.note") is not None:
        raise CallBackRefusedError(wave, "开箱已经签过，回访到此为止", "下一次调查在开箱以前打完")


async def key_items(wave: str, plan: Plan) -> dict[str, Item]:
    """Domain → the overall item of its form: the one question a call asks."""
    scheme, sample = scheme_of(plan), await load_sample(wave)
    found: dict[str, Item] = {}
    for draw in sample.domains:
        instrument = instrument_of(plan, scheme, draw.group, draw.stage)
        if instrument is not None and (whole := overall(instrument)):
            found[draw.domain] = whole[0]
    return found


def count_interviews(calls: Iterable[Recorded]) -> int:
    """How many people were reached and answered."""
    return sum(call.outcome == "interviewed" for call in calls)


async def called_counts(wave: str, plan: Plan) -> tuple[int, dict[str, tuple[int, int]]]:
    """How many were interviewed, and by domain (valid opinions, satisfied) by the scheme's own reading."""
    calls, items = await list_calls(wave), await key_items(wave, plan)
    read = scheme_reading(scheme_of(plan).answers, "share")
    counts: dict[str, tuple[int, int]] = {}
    for call in calls:
        worth = None if call.answer is None else read(items[call.domain], call.answer)
        if worth is not None:
            n, x = counts.get(call.domain, (0, 0))
            counts[call.domain] = (n + (worth[1] > 0), x + (worth[0] > 0))
    return count_interviews(calls), counts


@dataclass(frozen=True)
class GroupCalls:
    """How calling a group goes: counts only, never what was said."""

    group: str
    drawn: int
    outcomes: Mapping[str, int]

    def document(self) -> dict[str, Any]:
        """The same as plain JSON."""
        return {"group": self.group, "drawn": self.drawn, **self.outcomes}


async def calling(wave: str) -> tuple[GroupCalls, ...]:
    """How calling goes, group by group; empty before a list is drawn."""
    group_of = {draw.domain: draw.group for draw in (await load_sample(wave)).domains}
    drawn = Counter(group_of[domain] for domain, _ in (await list_tickets(wave)).values())
    outcomes = Counter((group_of[call.domain], call.outcome) for call in await list_calls(wave))
    return tuple(
        GroupCalls(group, n, {outcome: outcomes[group, outcome] for outcome in OUTCOMES})
        for group, n in drawn.items()
    )
