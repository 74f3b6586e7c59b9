"""Open the box: both halves of the key, every answer checked against what was sealed."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from survey import canonical
from survey.cases.intake_flags import Planted as PlantedFates
from survey.certification.closing import build_opening
from survey.certification.sealing import open_box
from survey.errors import SurveyError
from survey.fieldwork.planted import Planted
from survey.jobs.call_back import count_interviews
from survey.jobs.plant_answers import FoundCanaries, fates_in, find_canaries
from survey.jobs.signed_papers import issue_paper, load_document, load_issues, load_signed_plan
from survey.jobs.signers import Signers, hold_same_people, join_box_secret
from survey.settings import Settings
from survey.storage.audit import record_audit
from survey.storage.callbacks import list_calls, take_calling_turn
from survey.storage.cases import save_cases
from survey.storage.current import transaction
from survey.storage.evidence import find_evidence, save_evidence
from survey.storage.office import IntakeOffice
from survey.storage.plans import require_state, set_state

EXCLUSIONS = "exclusions.json"


class CanaryListMissingError(SurveyError):
    """The plan announces canaries, and nobody brought the list by which they are found."""

    code = "wave.canary_list_missing"
    kind = "conflict"

    def __init__(self, wave: str, count: int) -> None:
        super().__init__(
            f"调查 {wave}",
            f"计划里公布了{count}份核对答卷，还没有拿到清单，分不出哪些不是真实的意见",
            "请上级带清单来，加 --planted 清单文件；确实拿不到时加 --without-list，结果会写明没有核查",
        )


async def open_wave(
    settings: Settings,
    office: IntakeOffice,
    wave: str,
    signers: Signers,
    *,
    actor: str,
    now: datetime,
    planted: Planted | None = None,
    without_list: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Sign the opening, then decrypt every answer of a closed wave and keep the records.

    The opening note is signed before the first box is opened, so that closing, voids and
    call-backs are fixed by then. A box that does not open, or does not hold what was committed to, stops
    everything: the wave stays closed.

    Args:
        planted: the list of canaries, brought by its holder; those found as listed are left out (X1).
        without_list: go on although the plan announces canaries and nobody brings the list.
        progress: told how many answers of how many are open, from another thread.

    Raises:
        CanaryListMissingError: the plan announces canaries and no list was brought.
        WrongStateError: the wave is not closed. SealBrokenError: an answer was altered.
        NotTheSignersError: these are not the two who signed the plan.
    """
    await require_state(wave, "closed")
    plan = await load_signed_plan(wave)
    hold_same_people(plan, signers)
    closing = await load_document(wave, "closing.json")
    if plan.canaries and planted is None and not without_list:
        raise CanaryListMissingError(wave, plan.canaries)
    voids = [document for document, _ in await load_issues(wave, "void")]
    if await find_evidence(wave, "opening.note") is None:
        async with transaction():
            await take_calling_turn(wave)
            called = count_interviews(await list_calls(wave))
            opening = build_opening(
                wave=wave, plan_digest=plan.digest, closing=closing, voids=voids, callbacks=called
            )
            await issue_paper(settings, wave, plan.origin, "opening", opening, signers, now=now)
    secret = None if plan.document["box_key"] is None else join_box_secret(settings, wave, signers)
    opened = await to_thread(_open_all, await office.boxes(wave), secret, progress)
    found, fates = FoundCanaries((), {}, {}), PlantedFates()
    if planted is not None:
        fates = await fates_in(settings, office, wave, planted)
        read = [(c, canonical.decode(record.encode())) for c, _, record in opened]
        found = find_canaries(plan, planted, await office.leaves(wave), read)
    # One transaction: a box that was opened is an opened wave, with its exclusions decided.
    async with transaction():
        await save_cases(wave, opened)
        exclusions = canonical.encode(_exclusions(found, fates, planted)).decode()
        await save_evidence(wave, EXCLUSIONS, exclusions, now=now)
        await set_state(wave, "closed", "opened", now=now)
        details = {
            "opened": len(opened),
            "canaries": len(found.excluded),
            "different": sum(found.different.values()),
        }
        await record_audit(actor, "open_wave", wave, details=details, now=now)
    return {
        "wave": wave,
        "state": "opened",
        "opened": len(opened),
        "canaries": len(found.excluded),
        "canaries_missing": sum(found.missing.values()),
        "canaries_different": sum(found.different.values()),
        "honey_used": sum(fates.honey_used.values()),
    }


def _exclusions(found: FoundCanaries, fates: PlantedFates, planted: Planted | None) -> dict[str, Any]:
    """What opening decided about canaries; voided domains follow from their papers, days from the records."""
    return {
        "canaries": list(found.excluded),
        "different": dict(found.different),
        "honey_used": dict(fates.honey_used),
        "list_brought": planted is not None,
        "missing": dict(found.missing),
        "type": "survey/exclusions/v1",
    }


def _open_all(
    boxes: Mapping[str, bytes], secret: bytes | None, progress: Callable[[int, int], None] | None
) -> list[tuple[str, str, str]]:
    """(commitment, salt, record) of every box, in the order of the commitments, which is no order in time."""
    opened = []
    for at, c in enumerate(sorted(boxes)):
        if progress is not None and at % 256 == 0:
            progress(at, len(boxes))
        salt, record = open_box(boxes[c], bytes.fromhex(c), secret)
        opened.append((c, salt.hex(), record.decode()))
    return opened
