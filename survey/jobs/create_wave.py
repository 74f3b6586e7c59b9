"""Begin a wave: read the plan a person wrote and keep it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from survey.documents.emblem import data_address, emblem_of
from survey.scheme.plan import Plan, plan_digest, read_plan, scheme_of
from survey.storage.audit import record_audit
from survey.storage.current import transaction
from survey.storage.plans import find_plan, load_wave, save_plan, set_state


async def create_wave(text: str | bytes, *, emblem: bytes = b"", actor: str, now: datetime) -> Plan:
    """Keep a plan as a new wave, or replace the plan of a wave that is not signed yet.

    A sample that was drawn from another plan no longer fits, so its wave stands before the draw again.

    Args:
        text: the plan as YAML or JSON; it names a preset or carries an adopted scheme whole.
        emblem: a PNG, JPEG or SVG for posters and covers; empty leaves what the plan says.

    Raises:
        FaultsError: every fault of the plan or its scheme, at once.
        EmblemRefusedError: the emblem cannot be printed.
        WrongStateError: the wave's plan is already signed.
    """
    plan = read_plan(text)
    if emblem:
        plan = msgspec.structs.replace(plan, emblem=data_address(emblem))
    emblem_of(plan)
    details: dict[str, Any] = {"scheme": scheme_of(plan).id}
    async with transaction():
        earlier = await find_plan(plan.wave)
        await save_plan(plan, now=now)
        if earlier is not None and plan_digest(earlier) != plan_digest(plan):
            details["earlier_plan"] = plan_digest(earlier)
            if (await load_wave(plan.wave)).state == "drawn":
                await set_state(plan.wave, "drawn", "framed", now=now)
        await record_audit(actor, "create_wave", plan.wave, details=details, now=now)
    return plan
