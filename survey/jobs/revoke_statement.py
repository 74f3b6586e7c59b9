"""Take a statement back, signed by two: it stays in the registry and on the page, marked as withdrawn."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from survey import canonical
from survey.certification.archive import pack, unpack
from survey.certification.bundle import numbered
from survey.certification.certificate import take_apart
from survey.certification.note import make_note
from survey.certification.registry import REVOCATION_TYPE
from survey.certification.revocation import REVOCATION, revocation_text
from survey.errors import SurveyError
from survey.jobs.issued_files import BUNDLE, REVOKED, lay_down, take_up_bundle
from survey.jobs.register import register
from survey.jobs.revocations import revocations
from survey.jobs.signed_papers import load_signed_plan
from survey.jobs.signers import Signers, hold_same_people
from survey.jobs.void_domains import readable_reason
from survey.settings import Settings
from survey.storage.audit import record_audit
from survey.storage.certificates import find_certificate, list_certificates
from survey.storage.current import transaction
from survey.storage.evidence import save_evidence
from survey.storage.office import IntakeOffice
from survey.storage.webhooks import announce


class RevocationRefusedError(SurveyError):
    """There is nothing to revoke under that number, or it is revoked already."""

    code = "certify.revocation_refused"
    kind = "conflict"

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(f"第{number}号证书", reason, "用 survey waves 和核验页看一看有哪些证书")


async def revoke_statement(
    settings: Settings,
    office: IntakeOffice,
    wave: str,
    number: int,
    reason: str,
    signers: Signers,
    *,
    actor: str,
    now: datetime,
) -> dict[str, Any]:
    """Revoke one certificate of a wave for good.

    Raises:
        RevocationRefusedError: no such certificate of this wave, or revoked before.
        NotTheSignersError: these are not the two who signed the plan.
    """
    certificate = await find_certificate(number)
    if certificate is None or certificate.wave != wave:
        raise RevocationRefusedError(number, f"不是调查{wave}的")
    plan = await load_signed_plan(wave)
    hold_same_people(plan, signers)
    digest = canonical.digest(take_apart(certificate.data).statement)
    earlier = await revocations(wave)
    if digest in earlier:
        raise RevocationRefusedError(number, "已经撤回了")
    text = revocation_text(plan.origin, digest, readable_reason(wave, reason))
    note = make_note(text, signers.both())
    folder = settings.out_of(wave)
    with_bundle = (folder / BUNDLE).is_file() and (await list_certificates(wave))[-1].number == number
    if with_bundle:
        members, _ = unpack((folder / BUNDLE).read_bytes())
        lay_down(folder, {BUNDLE: pack({**members, REVOCATION: note.encode()})}, REVOKED)
    async with transaction():
        await save_evidence(wave, f"{numbered('revocation', len(earlier) + 1)}.note", note, now=now)
        entry = await register(settings, canonical.sha256_hex(text.encode()), REVOCATION_TYPE)
        details = {"number": number, "reason": reason, "statement_digest": digest}
        await record_audit(actor, "revoke_statement", wave, details=details, now=now)
        told = {"number": number, "statement_digest": digest}
        await announce("certificate.revoked", wave, told, now=now)
    if with_bundle:
        take_up_bundle(folder)
    return {"wave": wave, "number": number, "registered": entry.index, "reason": reason}
