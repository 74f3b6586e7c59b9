"""Waves with their plans.

Every step of a wave names the state it expects: check and change are one statement, so of
two people pressing the same button one is told that it is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from msgspec.structs import replace

from survey.canonical import decode, encode
from survey.certification.bundle import numbered
from survey.scheme.plan import Plan, plan_digest, plan_document, read_plan
from survey.storage.branch import also_see, everywhere
from survey.storage.current import transaction
from survey.storage.evidence import find_evidence
from survey.storage.states import BEFORE_SIGNING, NAMES, STEPS, WaveNotFoundError, WrongStateError
from survey.storage.tables import Evidence, Plans, Waves


@dataclass(frozen=True)
class WaveRow:
    """One line of the list of waves."""

    wave: str
    title: str
    county: str
    county_code: str
    state: str
    demonstration: bool
    created_at: datetime
    changed_at: datetime

    @property
    def state_name(self) -> str:
        """The state in Chinese."""
        return NAMES[self.state]


async def save_plan(plan: Plan, *, now: datetime) -> None:
    """Keep a plan; its wave begins as a draft. Once signed a plan can no longer be replaced.

    Raises:
        WrongStateError: the wave's plan has been signed.
    """
    row: dict[Any, Any] = {
        Plans.document: encode(plan_document(plan)).decode(),
        Plans.digest: plan_digest(plan),
        Plans.saved_at: now,
    }
    about: dict[Any, Any] = {
        Waves.title: plan.title,
        Waves.county: plan.county,
        Waves.county_code: plan.county_code,
        Waves.demonstration: plan.demonstration,
        Waves.changed_at: now,
    }
    async with transaction():
        known = (
            await Waves.update(about)
            .where(Waves.wave == plan.wave, Waves.state.is_in(list(BEFORE_SIGNING)))
            .returning(Waves.wave)
        )
        also_see(plan.county_code)
        if known:
            await Plans.update(row).where(Plans.wave == plan.wave)
            return
        with everywhere():
            found = await find_wave(plan.wave)
        if found is not None:
            raise WrongStateError(plan.wave, found.state, BEFORE_SIGNING)
        await Waves.insert(
            Waves({Waves.wave: plan.wave, Waves.state: "draft", Waves.created_at: now, **about})
        )
        await Plans.insert(Plans({Plans.wave: plan.wave, **row}))


async def find_plan(wave: str) -> Plan | None:
    """The plan of a wave, or None."""
    rows = await Plans.select(Plans.document).where(Plans.wave == wave)
    return read_plan(rows[0]["document"]) if rows else None


async def load_plans(waves: Sequence[str]) -> dict[str, Plan]:
    """The plans of several waves, in one query; a wave without one is left out."""
    if not waves:
        return {}
    rows = await Plans.select(Plans.wave, Plans.document, Plans.digest).where(Plans.wave.is_in(list(waves)))
    return {row["wave"]: _plan_of(row["digest"], row["document"]) for row in rows}


@lru_cache(maxsize=2000)
def _plan_of(digest: str, document: str) -> Plan:
    """A plan read once, however many pages ask for it; plans are values and never change."""
    return read_plan(document)


async def load_plan(wave: str) -> Plan:
    """The plan of a wave; refuses an unknown wave."""
    plan = await find_plan(wave)
    if plan is None:
        raise WaveNotFoundError(wave)
    return plan


async def load_fielded_plan(wave: str) -> Plan:
    """The plan of a wave with the closing date that holds now: the two may have put it off."""
    plan, number = await load_plan(wave), 1
    while (text := await find_evidence(wave, f"{numbered('extension', number)}.json")) is not None:
        closes_on = date.fromisoformat(decode(text.encode())["closes_on"])
        plan, number = replace(plan, closes_on=closes_on), number + 1
    return plan


async def load_fielded_plans(waves: Sequence[str]) -> dict[str, Plan]:
    """The plans of several waves with the closing dates that hold now, in two queries."""
    plans = await load_plans(waves)
    later = Evidence.name.like("extension%.json")
    rows = await Evidence.select(Evidence.wave, Evidence.text).where(Evidence.wave.is_in(list(plans)), later) if plans else []
    for row in rows:
        plan, closes_on = plans[row["wave"]], date.fromisoformat(decode(row["text"].encode())["closes_on"])
        plans[row["wave"]] = replace(plan, closes_on=max(plan.closes_on, closes_on))
    return plans


async def list_waves() -> tuple[WaveRow, ...]:
    """All waves, the newest first."""
    rows = await Waves.select().order_by(Waves.created_at, ascending=False)
    return tuple(WaveRow(**row) for row in rows)


async def find_wave(wave: str) -> WaveRow | None:
    """One wave's line, or None."""
    rows = await Waves.select().where(Waves.wave == wave)
    return WaveRow(**rows[0]) if rows else None


async def load_wave(wave: str) -> WaveRow:
    """One wave's line; refuses an unknown wave."""
    found = await find_wave(wave)
    if found is None:
        raise WaveNotFoundError(wave)
    return found


async def set_state(wave: str, expected: str | tuple[str, ...], new: str, *, now: datetime) -> None:
    """Take a wave one step on, provided that it stands where the caller thinks.

    Raises:
        WaveNotFoundError: no such wave.
        WrongStateError: it stands elsewhere, or no such step exists from there.
    """
    states = (expected,) if isinstance(expected, str) else tuple(expected)
    allowed = [state for state in states if new in STEPS[state]]
    changed = (
        await Waves.update({Waves.state: new, Waves.changed_at: now})
        .where(Waves.wave == wave, Waves.state.is_in(allowed or ["–"]))
        .returning(Waves.wave)
    )
    if not changed:
        raise WrongStateError(wave, (await load_wave(wave)).state, tuple(allowed) or states)


async def require_state(wave: str, expected: str | tuple[str, ...]) -> WaveRow:
    """The wave's line, provided that it stands in one of the expected states.

    Raises:
        WaveNotFoundError, WrongStateError.
    """
    states = (expected,) if isinstance(expected, str) else tuple(expected)
    row = await load_wave(wave)
    if row.state not in states:
        raise WrongStateError(wave, row.state, states)
    return row
