"""Open the doors, pause, go on, and close them for good."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from survey import canonical
from survey.certification.closing import build_closing, heads_text, leaves_jsonl, slips_jsonl
from survey.certification.registry import CLOSING_TYPE
from survey.certification.signature import Signer
from survey.certification.signed_plan import read_plan
from survey.certification.transparency_log import sign_head, tree_root
from survey.errors import SurveyError
from survey.jobs.register import register
from survey.jobs.signers import Signers, hold_same_people
from survey.settings import Settings
from survey.storage.audit import record_audit
from survey.storage.evidence import find_evidence, load_evidence, save_evidence
from survey.storage.keys import load_key
from survey.storage.office import IntakeOffice
from survey.storage.plans import load_wave, set_state
from survey.storage.print_files import erase_print_file


class PlanNotSignedError(SurveyError):
    """The wave has no signed plan yet."""

    code = "wave.plan_not_signed"
    kind = "conflict"

    def __init__(self, wave: str) -> None:
        super().__init__(f"调查 {wave}", "计划还没有由两人签字", f"先抽样，再运行 survey sign {wave}")


async def publish_wave(
    settings: Settings, office: IntakeOffice, wave: str, *, actor: str, now: datetime
) -> None:
    """Accept answers from now on; the print file is erased first.

    Raises:
        PlanNotSignedError, WrongStateError.
    """
    await load_wave(wave)
    if await find_evidence(wave, "plan.note") is None:
        raise PlanNotSignedError(wave)
    await set_state(wave, "planned", "open", now=now)
    erase_print_file(settings, wave)
    await office.set_state(wave, "planned", "open")
    await record_audit(actor, "publish_wave", wave, now=now)


async def pause_wave(office: IntakeOffice, wave: str, *, actor: str, now: datetime) -> None:
    """Accept nothing for a while."""
    await load_wave(wave)
    await set_state(wave, "open", "paused", now=now)
    await office.set_state(wave, "open", "paused")
    await record_audit(actor, "pause_wave", wave, now=now)


async def resume_wave(office: IntakeOffice, wave: str, *, actor: str, now: datetime) -> None:
    """Go on accepting after a pause."""
    await load_wave(wave)
    await set_state(wave, "paused", "open", now=now)
    await office.set_state(wave, "paused", "open")
    await record_audit(actor, "resume_wave", wave, now=now)


async def close_wave(
    settings: Settings, office: IntakeOffice, wave: str, signers: Signers, *, actor: str, now: datetime
) -> dict[str, Any]:
    """Close a wave for good: nothing is accepted any more, and the final head is signed by two.

    The intake's tables are rewritten so that no trace of the order of transactions joins a
    slip to an answer; then slips with their states, leaves and heads are published, and the
    closing document pins them before anybody has seen an answer.

    Raises:
        WrongStateError: the wave is not open or paused.
        NotTheSignersError: these are not the two who signed the plan.
    """
    await load_wave(wave)
    plan = read_plan(canonical.decode((await load_evidence(wave, "plan.json")).encode()))
    hold_same_people(plan, signers)
    if await office.state(wave) != "closed":
        await office.set_state(wave, ("open", "paused"), "closed")
    await office.rewrite(wave)
    leaves, heads = await office.leaves(wave), await office.heads(wave)
    slips = slips_jsonl(await office.slips(wave))
    root = tree_root(leaves)
    log = Signer(plan.origin, load_key(settings, wave, "log"))
    final = sign_head(plan.origin, len(leaves), root, [log, *signers.both()])
    heads_file = heads_text(heads)
    closing = build_closing(
        wave=wave, plan_digest=plan.digest, root=root.hex(), size=len(leaves), slips=slips, heads=heads_file
    )
    for name, text in (
        ("slips.jsonl", slips.decode()),
        ("leaves.jsonl", leaves_jsonl(leaves).decode()),
        ("heads.txt", heads_file.decode()),
        ("slip_key", load_key(settings, wave, "slip").hex() + "\n"),
        ("closing.json", canonical.encode(closing).decode()),
        ("closing.note", final),
    ):
        await save_evidence(wave, name, text, now=now)
    await register(settings, canonical.digest(closing), CLOSING_TYPE)
    await set_state(wave, ("open", "paused"), "closed", now=now)
    await record_audit(actor, "close_wave", wave, details={"responses": len(leaves)}, now=now)
    return {"wave": wave, "state": "closed", "responses": len(leaves), "root": root.hex()}
