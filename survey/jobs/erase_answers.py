"""Destroy what can still be opened, when the signed time for it has come; public proofs keep working.

Objections may be raised for the days the plan says; after the destruction date the records,
their salts, the boxes and both halves of the key are erased. Leaves, heads, slips, papers and
certificates stay: a figure is recomputed from its table, not from answers.
"""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any

from survey.errors import SurveyError
from survey.jobs.receive_response import OFFICE_TIME
from survey.jobs.signed_papers import load_signed_plan
from survey.jobs.signers import ROLES
from survey.settings import Settings
from survey.storage.audit import record_audit
from survey.storage.callbacks import erase_calls
from survey.storage.cases import erase_cases
from survey.storage.current import transaction
from survey.storage.evidence import find_evidence, save_evidence
from survey.storage.keys import erase_key
from survey.storage.office import IntakeOffice
from survey.storage.plans import load_fielded_plan, require_state

ERASURE = "erasure"
"""The name under which the record of an erasure is kept for good."""


class TooEarlyToEraseError(SurveyError):
    """The days for objections and checks that the plan promised are not over."""

    code = "wave.too_early_to_erase"
    kind = "refused"

    def __init__(self, wave: str, on: date) -> None:
        super().__init__(f"调查 {wave} 的答卷", f"要留到{on}，供异议和核查用", f"{on}以后再来销毁")


async def erase_due_on(wave: str) -> date:
    """The last day on which a wave's answers are kept, as its signed plan and extensions say."""
    plan = await load_signed_plan(wave)
    closes_on = (await load_fielded_plan(wave)).closes_on
    return closes_on + timedelta(days=int(plan.document["destroy_after_days"]))


async def erase_answers(
    settings: Settings, office: IntakeOffice, wave: str, *, actor: str, now: datetime
) -> dict[str, Any]:
    """Erase records, salts, call-backs, boxes and key shares of a certified wave, once its destruction date has passed.

    Raises:
        WrongStateError: the wave is not certified. TooEarlyToEraseError: the date has not come.
    """
    await require_state(wave, "certified")
    due = await erase_due_on(wave)
    if now.astimezone(OFFICE_TIME).date() <= due:
        raise TooEarlyToEraseError(wave, due)
    boxes = await office.erase_boxes(wave)
    async with transaction():
        await erase_cases(wave)
        await erase_calls(wave)
        record = {"at": now.isoformat(timespec="seconds"), "boxes": boxes, "by": actor, "due": due.isoformat()}
        if await find_evidence(wave, ERASURE) is None:
            await save_evidence(wave, ERASURE, json.dumps(record, ensure_ascii=False, sort_keys=True), now=now)
        await record_audit(actor, "erase_answers", wave, details={"boxes": boxes}, now=now)
    for role in ROLES:
        erase_key(settings, wave, f"share-{role}")
    return {"wave": wave, "erased": boxes, "due": due.isoformat()}
