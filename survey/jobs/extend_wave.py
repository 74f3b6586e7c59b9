"""Put the closing date off, once it is signed by two and before the old date has passed.

The one thing of a signed plan that may change, and in one direction only (TRUST section 5).
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from survey.certification.closing import build_extension
from survey.errors import SurveyError
from survey.jobs.receive_response import OFFICE_TIME
from survey.jobs.signed_papers import issue_paper, load_signed_plan
from survey.jobs.signers import Signers, hold_same_people
from survey.settings import Settings
from survey.storage.audit import record_audit
from survey.storage.current import transaction
from survey.storage.office import IntakeOffice
from survey.storage.plans import load_fielded_plan, require_state

LONGEST_DAYS = 90


class ExtensionRefusedError(SurveyError):
    """The new date is not later, or the old one has passed."""

    code = "wave.extension_refused"
    kind = "refused"

    def __init__(self, wave: str, reason: str) -> None:
        super().__init__(f"调查 {wave} 的截止日期", reason, "只能在原截止日之前推迟，不能提前，也不能事后补")


async def extend_wave(
    settings: Settings,
    office: IntakeOffice,
    wave: str,
    closes_on: date,
    signers: Signers,
    *,
    actor: str,
    now: datetime,
) -> dict[str, Any]:
    """Have the two sign a later closing date.

    Raises:
        WrongStateError: the wave does not take answers. ExtensionRefusedError: not later, or too late.
        NotTheSignersError: these are not the two who signed the plan.
    """
    await require_state(wave, ("planned", "open", "paused"))
    plan = await load_signed_plan(wave)
    hold_same_people(plan, signers)
    old = (await load_fielded_plan(wave)).closes_on
    today = now.astimezone(OFFICE_TIME).date()
    if today > old:
        raise ExtensionRefusedError(wave, f"原来的截止日{old}已经过了")
    if closes_on <= old or (closes_on - old).days > LONGEST_DAYS:
        raise ExtensionRefusedError(wave, f"新的截止日要在{old}之后，最多推迟{LONGEST_DAYS}天")
    document = build_extension(wave=wave, plan_digest=plan.digest, closes_on=closes_on.isoformat())
    async with transaction():
        await issue_paper(settings, wave, plan.origin, "extension", document, signers, now=now)
        details = {"from": old.isoformat(), "to": closes_on.isoformat()}
        await record_audit(actor, "extend_wave", wave, details=details, now=now)
    return {"wave": wave, "closes_on": closes_on.isoformat(), "was": old.isoformat()}
