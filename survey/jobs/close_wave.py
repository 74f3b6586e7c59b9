"""Close a wave for good: nothing is accepted any more, and the final head is signed by two."""

from __future__ import annotations

from asyncio import to_thread
from datetime import datetime
from typing import Any

from survey import canonical
from survey.certification.closing import build_closing, heads_text, leaves_jsonl, slips_jsonl
from survey.certification.intake_check import IntakeTerms, hold_intake
from survey.certification.registry import CLOSING_TYPE
from survey.certification.signature import Signer
from survey.certification.signed_plan import SignedPlan
from survey.certification.transparency_log import sign_head, tree_root
from survey.jobs.register import register
from survey.jobs.run_fieldwork import in_hand
from survey.jobs.signed_papers import load_signed_plan
from survey.jobs.signers import Signers, hold_same_people
from survey.jobs.stamp_notes import stamp_now
from survey.settings import Settings
from survey.storage.audit import record_audit
from survey.storage.current import transaction
from survey.storage.evidence import save_evidence
from survey.storage.intake import About
from survey.storage.keys import load_key
from survey.storage.office import IntakeOffice
from survey.storage.plans import load_wave, set_state


def intake_terms(about: About) -> IntakeTerms:
    """What an intake was made with, as it is held against the plan."""
    return IntakeTerms(
        about.origin,
        about.opens_on.isoformat(),
        None if about.box_key is None else about.box_key.hex(),
        {poster.domain: poster.quota for poster in about.posters},
    )


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
        IntakeAlteredError: a row of the intake was deleted, added or altered; nothing is signed.
        InHandError: another process moves the wave.
    """
    await load_wave(wave)
    plan = await load_signed_plan(wave)
    hold_same_people(plan, signers)
    async with in_hand(wave):
        size, root = await _close(settings, office, plan, signers, actor=actor, now=now)
    await stamp_now(settings, wave, actor=actor, now=now)
    return {"wave": wave, "state": "closed", "responses": size, "root": root.hex()}


async def _close(
    settings: Settings, office: IntakeOffice, plan: SignedPlan, signers: Signers, *, actor: str, now: datetime
) -> tuple[int, bytes]:
    """Leaves of the log, and its root, once intake and books are closed."""
    wave = plan.wave
    if await office.state(wave) != "closed":
        await office.set_state(wave, ("open", "paused"), "closed")
    await office.rewrite(wave)
    leaves, heads = await office.leaves(wave), await office.heads(wave)
    rows = await office.slips(wave)
    log = Signer(plan.origin, load_key(settings, wave, "log"))
    await to_thread(
        hold_intake,
        plan,
        intake_terms(office.about(wave)),
        leaves=leaves,
        boxes=set(await office.boxes(wave)),
        slips=rows,
        heads=heads,
        log=log,
        counters=await office.counters(wave),
        disputes=await office.disputes(wave),
    )
    slips, root = await to_thread(slips_jsonl, rows), await to_thread(tree_root, leaves)
    final = sign_head(plan.origin, len(leaves), root, [log, *signers.both()])
    heads_file = heads_text(heads)
    closing = build_closing(
        wave=wave, plan_digest=plan.digest, root=root.hex(), size=len(leaves), slips=slips, heads=heads_file
    )
    async with transaction():
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
    return len(leaves), root
