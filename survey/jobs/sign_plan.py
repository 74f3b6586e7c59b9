"""Make the codes and have the plan signed by two: from here on nothing that moves the figure moves.

The drawn sample and two signers enter. Codes are made, their keyed digests go to the intake
and their root into the plan; the plan, with every digest it rests on, is signed by operator
and approver; its code is printed on every sheet. The codes themselves wait in the print
file until the wave opens and are then erased (TRUST sections 4 to 6).
"""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from survey import canonical
from survey.certification.note import digest_note_text, make_note
from survey.certification.signature import Signer
from survey.certification.signed_plan import PLAN_TYPE, build_plan, plan_code
from survey.fieldwork.planted import Announcement
from survey.jobs.plan_codes import keep_waiting, make_codes
from survey.jobs.plan_rules import (
    asked_document,
    domain_document,
    issued_of,
    mode_of,
    rules_document,
    surplus_documents,
    surplus_of,
)
from survey.jobs.record_questions import EVIDENCE as RECORDINGS
from survey.jobs.record_questions import recordings_to_pin
from survey.jobs.register import register
from survey.jobs.remote_signing import AwaitingSignatureError
from survey.jobs.sign_design import announced_draw
from survey.jobs.signers import Signers, auditor_keys, registry_signer
from survey.jobs.stamp_notes import stamp_now
from survey.jobs.translate import EVIDENCE as TRANSLATIONS
from survey.jobs.translate import translations_document
from survey.sampling.wave_sample import Sample
from survey.scheme.plan import Plan, plan_digest, scheme_of
from survey.settings import Settings
from survey.storage.audit import record_audit
from survey.storage.current import transaction
from survey.storage.evidence import save_evidence
from survey.storage.frames import load_frame
from survey.storage.intake import About, Poster
from survey.storage.keys import save_key
from survey.storage.office import IntakeOffice
from survey.storage.plans import load_plan, require_state, set_state
from survey.storage.print_files import held_of, save_print_file
from survey.storage.samples import load_sample


@dataclass(frozen=True)
class Signed:
    """A signed plan, and how many codes went with it."""

    document: dict[str, Any]
    digest: str
    slips: int

    @property
    def code(self) -> str:
        """The plan code as printed on every sheet."""
        return plan_code(self.digest)


async def sign_plan(
    settings: Settings,
    office: IntakeOffice,
    wave: str,
    signers: Signers,
    *,
    actor: str,
    now: datetime,
    planted: Announcement | None = None,
) -> Signed:
    """Issue the codes of a drawn wave and sign its plan.

    Args:
        planted: what the office above announces of its canaries and honey slips, if there is one.

    Raises:
        WrongStateError: the wave has no drawn sample, or its plan is signed already.
    """
    await require_state(wave, "drawn")
    plan, sample = await load_plan(wave), await load_sample(wave)
    scheme = scheme_of(plan)
    planted = planted or Announcement(wave, 0, None, 0)
    piles = {
        draw.domain: issued_of(plan, draw) for draw in sample.domains if mode_of(plan, draw.group) == "slip"
    }
    codes = await to_thread(
        make_codes,
        settings,
        wave,
        piles,
        planted,
        signers,
        sealed=plan.sealed,
        made_for=canonical.digest([sample.digest, plan_digest(plan), planted.document()]),
    )
    await office.discard(wave)  # what an earlier signing left that died half-way
    log = Signer(f"{settings.host_name}/{wave}", codes.log_seed)
    asked = asked_document(plan, scheme, sample)
    translations = await translations_document(plan.languages)
    recordings = await recordings_to_pin(plan)
    shown = (("translations_digest", translations), ("recordings_digest", recordings))
    pinned: dict[str, Any] = {key: canonical.digest(one) for key, one in shown if one is not None}
    document = build_plan(
        wave=wave,
        title=plan.title,
        domains=[
            *(domain_document(plan, draw, planted.held) for draw in sample.domains),
            *surplus_documents(plan, sample),
        ],
        keys=[log.vkey, signers.operator.vkey, signers.approver.vkey, *auditor_keys(settings)],
        slip_key_digest=canonical.sha256_hex(codes.slip_key),
        slips_root=codes.slips_root,
        box_key=None if codes.box_key is None else codes.box_key.hex(),
        registry_key=registry_signer(settings).vkey,
        **pinned,
        canaries={"count": planted.canaries, "list_digest": planted.list_digest},
        honey={"count": planted.honey},
        spares=plan.spares,
        **rules_document(
            plan, scheme, await load_frame(wave), sample, await announced_draw(wave, sample.design_digest)
        ),
    )
    text = canonical.encode(document).decode()
    digest = canonical.digest(document)
    try:
        note = make_note(digest_note_text(log.name, "plan", digest), signers.both())
    except AwaitingSignatureError as waiting:
        keep_waiting(settings, wave, codes)
        raise AwaitingSignatureError(waiting.text, document) from None

    # The database commits last: a signing that dies half-way leaves the wave drawn, not half signed.
    async with transaction():
        await save_evidence(wave, "instrument.json", canonical.encode(asked).decode(), now=now)
        if translations is not None:
            await save_evidence(wave, TRANSLATIONS, canonical.encode(translations).decode(), now=now)
        if recordings is not None:
            await save_evidence(wave, RECORDINGS, canonical.encode(recordings).decode(), now=now)
        await save_evidence(wave, "plan.json", text, now=now)
        await save_evidence(wave, "plan.note", note, now=now)
        await register(settings, digest, PLAN_TYPE)
        await set_state(wave, "drawn", "planned", now=now)
        details = {"plan_digest": digest, "slips": len(codes.invitations)}
        await record_audit(actor, "sign_plan", wave, details=details, now=now)
        await office.create(
            _about(plan, sample, log.name, codes.box_key),
            [(bytes.fromhex(one.e), one.domain) for one in codes.invitations],
            slip_key=codes.slip_key,
            log_seed=log.seed,
        )
        for role, half in codes.halves.items():
            save_key(settings, wave, f"share-{role}", half)
        handed, kept = codes.apart(piles)
        await to_thread(save_print_file, settings, wave, handed)
        if kept:
            save_print_file(settings, held_of(wave), kept)
    await stamp_now(settings, wave, actor=actor, now=now)
    return Signed(document, digest, len(codes.invitations))


def _about(plan: Plan, sample: Sample, origin: str, box_key: bytes | None) -> About:
    """What stays fixed about the wave's intake."""
    return About(
        wave=plan.wave,
        origin=origin,
        box_key=box_key,
        opens_on=plan.opens_on,
        posters=tuple(_posters(plan, sample)),
    )


def _posters(plan: Plan, sample: Sample) -> Iterator[Poster]:
    """The domains answered without slips; what comes after a full quota goes to a domain of its own."""
    for draw in sample.domains:
        mode = mode_of(plan, draw.group)
        if mode == "quota":
            yield Poster(draw.domain, "quota", draw.slips, surplus_of(draw.domain))
            yield Poster(surplus_of(draw.domain), "surplus")
        elif mode == "open":
            yield Poster(draw.domain, "open")
