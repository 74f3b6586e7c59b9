"""Open the box: both halves of the key, every answer checked against what was sealed."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from survey import canonical
from survey.certification.closing import build_opening
from survey.certification.note import digest_note_text, make_note
from survey.certification.registry import OPENING_TYPE
from survey.certification.sealing import open_box
from survey.jobs.register import register
from survey.jobs.signed_papers import load_document, load_signed_plan
from survey.jobs.signers import Signers, hold_same_people, join_box_secret
from survey.settings import Settings
from survey.storage.audit import record_audit
from survey.storage.cases import save_cases
from survey.storage.evidence import save_evidence
from survey.storage.office import IntakeOffice
from survey.storage.plans import require_state, set_state


async def open_wave(
    settings: Settings, office: IntakeOffice, wave: str, signers: Signers, *, actor: str, now: datetime
) -> dict[str, Any]:
    """Sign the opening, then decrypt every answer of a closed wave and keep the records.

    The opening note is signed before the first box is opened, so that closing and voids are
    fixed by then. A box that does not open, or does not hold what was committed to, stops
    everything: the wave stays closed.

    Raises:
        WrongStateError: the wave is not closed. SealBrokenError: an answer was altered.
        NotTheSignersError: these are not the two who signed the plan.
    """
    await require_state(wave, "closed")
    plan = await load_signed_plan(wave)
    hold_same_people(plan, signers)
    closing = await load_document(wave, "closing.json")
    opening = build_opening(wave=wave, plan_digest=plan.digest, closing=closing)
    note = make_note(digest_note_text(plan.origin, "opening", canonical.digest(opening)), signers.both())
    await save_evidence(wave, "opening.json", canonical.encode(opening).decode(), now=now)
    await save_evidence(wave, "opening.note", note, now=now)
    await register(settings, canonical.digest(opening), OPENING_TYPE)
    secret = None if plan.document["box_key"] is None else join_box_secret(settings, wave, signers)
    records = await to_thread(_open_all, await office.boxes(wave), secret)
    await save_cases(wave, records)
    await set_state(wave, "closed", "opened", now=now)
    await record_audit(actor, "open_wave", wave, details={"opened": len(records)}, now=now)
    return {"wave": wave, "state": "opened", "opened": len(records)}


def _open_all(boxes: Mapping[str, bytes], secret: bytes | None) -> list[tuple[str, str]]:
    """(commitment, record) of every box, in the order of the commitments, which is no order in time."""
    opened = []
    for c in sorted(boxes):
        _, record = open_box(boxes[c], bytes.fromhex(c), secret)
        opened.append((c, record.decode()))
    return opened
