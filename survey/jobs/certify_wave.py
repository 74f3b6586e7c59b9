"""Certify: state the figure, have it signed by two, enter it in the registry, write the files.

The estimate is made anew from the opened answers and must equal the one that was kept: a
figure that changed since it was looked at is never signed. The certificate, the printable
sheet and the public bundle are three views of one statement.
"""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from survey import canonical
from survey.certification.bundle import build_bundle, numbered
from survey.certification.certificate import build_certificate
from survey.certification.registry import prove_registered, registry_document
from survey.certification.statement import short_code
from survey.certification.verification import verify_file
from survey.documents.certificate_sheet import certificate_sheet, sheet_of
from survey.errors import SurveyError
from survey.jobs.estimate_wave import Tell, untold, within
from survey.jobs.issued_files import BUNDLE, CERTIFICATE, REPORT, SHEET, lay_down, take_up_files
from survey.jobs.propose_statement import Proposed, propose_statement
from survey.jobs.render_papers import printed_at, wave_imprint
from survey.jobs.render_report import render_report
from survey.jobs.run_fieldwork import in_hand
from survey.jobs.signed_papers import issue_paper, load_document, load_issues
from survey.jobs.signers import Signers, hold_same_people
from survey.sampling.wave_sample import design_document
from survey.scheme.plan import scheme_of
from survey.settings import Settings
from survey.storage.audit import record_audit
from survey.storage.certificates import load_registry, save_certificate
from survey.storage.current import transaction
from survey.storage.evidence import load_evidence, save_evidence
from survey.storage.frames import load_frame
from survey.storage.office import IntakeOffice
from survey.storage.plans import load_plan, set_state
from survey.storage.samples import load_sample
from survey.storage.webhooks import announce


class SelfCheckError(SurveyError):
    """The files just made do not pass the product's own verifier; nothing is issued."""

    code = "certify.self_check"

    def __init__(self, wave: str, claim: str) -> None:
        super().__init__(
            f"调查 {wave} 的证书",
            f"自己核验没有通过：{claim}",
            "不要发布；把这一行连同数据文件夹交给维护人员",
        )


class OtherStatementError(SurveyError):
    """What the auditor signed is not what would be certified now."""

    code = "certify.other_statement"
    kind = "conflict"

    def __init__(self, wave: str) -> None:
        super().__init__(
            f"调查 {wave}", "核查人签的那一份，和现在会签发的不一样", "请核查人用最新的核查包重新核查"
        )


@dataclass(frozen=True)
class Audited:
    """An auditor's file: the statement with the level raised, and their line over it."""

    statement: dict[str, Any]
    line: str

    @property
    def reason(self) -> str:
        """Why the certificate is issued anew."""
        return str(self.statement.get("reason") or "")

    @property
    def on(self) -> date:
        """The day the auditor signed."""
        return date.fromisoformat(str(self.statement.get("issued_on")))

    def sign(self, text: str) -> str:
        """The auditor's line; the verifier decides whether it is over this text."""
        return self.line


@dataclass(frozen=True)
class Certified:
    """A certified wave: its number, the signs typed at the verify page, and the files."""

    number: int
    short: str
    certificate: Path
    bundle: Path
    sheet: Path
    report: Path

    def document(self) -> dict[str, Any]:
        """The same as plain JSON."""
        return {
            "number": self.number,
            "short": self.short,
            "certificate": str(self.certificate),
            "bundle": str(self.bundle),
            "sheet": str(self.sheet),
            "report": str(self.report),
        }


async def certify_wave(
    settings: Settings,
    office: IntakeOffice,
    wave: str,
    signers: Signers,
    *,
    actor: str,
    now: datetime,
    reason: str | None = None,
    audited: Audited | None = None,
    on: date | None = None,
    steps: Mapping[str, str] | None = None,
    proposed: Proposed | None = None,
    progress: Tell | None = None,
) -> Certified:
    """Sign and issue the certificate of an estimated wave, or a new one that replaces the last.

    Args:
        reason: why a certified wave is certified anew; nothing that was issued is ever edited.
        audited: an auditor's statement and line, which the two confirm; it brings its own reason.
        on: the day the statement bears, where it was prepared on an earlier one.
        steps: who prepared, reviewed and signed, for the trail.
        proposed: the statement, where it was made anew just now; otherwise it is made here.
        progress: told the share done and what is being done, also from another thread.

    Raises:
        WrongStateError: the wave is not estimated, or certified already and no reason is given.
        CertificationRefusedError: the figure cannot be certified, with the reason.
        RuleMovedError, FigureMovedError, NotTheSignersError, SelfCheckError.
        InHandError: another process certifies it.
    """
    tell = progress or untold
    if audited is not None:
        reason = audited.reason
    dated = audited.on if audited is not None else on or now.date()
    level = "public" if audited is None else "audited"
    proposed = proposed or await propose_statement(
        settings, office, wave, on=dated, reason=reason, level=level, actor=actor, now=now,
        progress=within(tell, 0, 0.6),
    )  # fmt: skip
    plan, statement, table, shown = proposed.plan, proposed.statement, proposed.table, proposed.shown
    hold_same_people(plan, signers)
    if audited is not None and statement != audited.statement:
        raise OtherStatementError(wave)
    # One transaction: a crash leaves either no certificate or a whole one.
    others = () if audited is None else (audited,)
    tell(0.6, "签名，写证书和公开包，自己核验")
    async with in_hand(wave):
        async with transaction():
            digest = await issue_paper(
                settings, wave, plan.origin, "statement", statement, signers, now=now, others=others
            )
            note = (await load_issues(wave, "statement"))[-1][1]
            signed: dict[str, Any] = {
                "plan": dict(plan.document),
                "plan_note": await load_evidence(wave, "plan.note"),
                "statement": statement,
                "statement_note": note,
                "table": table,
                "closing_note": proposed.closing_note,
            }
            number = len((await load_registry()).leaves) - 1
            made, certificate = await _issue(
                settings, office, wave, signed, shown, number, short_code(digest), proposed.attached, now
            )
            name = f"{numbered('table', proposed.issue)}.json"
            await save_evidence(wave, name, canonical.encode(table).decode(), now=now)
            await save_certificate(number, wave, made.short, certificate, now=now)
            await set_state(wave, proposed.state, "certified", now=now)
            details = {"number": number, "statement_digest": digest, "supersedes": statement["supersedes"]}
            details |= steps or {}
            await record_audit(actor, "certify_wave", wave, details=details, now=now)
            event = "certificate.superseded" if statement["supersedes"] else "certificate.issued"
            await announce(event, wave, {"number": number, "statement_digest": digest}, now=now)
        take_up_files(made.bundle.parent)
    tell(0.9, "排印报告")
    made.report.write_bytes(await render_report(wave, now=now))
    return made


async def _issue(
    settings: Settings,
    office: IntakeOffice,
    wave: str,
    signed: dict[str, Any],
    shown: dict[str, Any],
    number: int,
    short: str,
    attached: dict[str, bytes],
    now: datetime,
) -> tuple[Certified, bytes]:
    """Lay certificate, bundle and sheet down, each checked by the verifier before; with the certificate's bytes."""
    registry = await load_registry()
    papers = await _papers_beside(wave)
    certificate = build_certificate(
        **signed, registry=prove_registered(registry.leaves, number, registry.note or "")
    )
    bundle = await to_thread(
        build_bundle,
        **signed,
        closing=await load_document(wave, "closing.json"),
        opening=await load_document(wave, "opening.json"),
        opening_note=await load_evidence(wave, "opening.note"),
        voids=await load_issues(wave, "void"),
        slips=await office.slips(wave),
        leaves=await office.leaves(wave),
        heads=await office.heads(wave),
        slip_key=bytes.fromhex((await load_evidence(wave, "slip_key")).strip()),
        instrument=await load_document(wave, "instrument.json"),
        registry=registry_document(registry.leaves, registry.note or ""),
        documents={**await _public_documents(wave), **papers.documents, "results.json": shown},
        notes=papers.notes,
        attachments=attached,
    )
    for data in (certificate, bundle):
        verdict = await to_thread(verify_file, data)
        if not verdict.ok:
            raise SelfCheckError(wave, verdict.first_false.line if verdict.first_false else verdict.summary)
    facts = sheet_of(certificate, await wave_imprint(await load_plan(wave)))
    sheet = await to_thread(certificate_sheet, facts, at=printed_at(now))
    folder = settings.out_of(wave)
    made = Certified(
        number,
        short,
        certificate=folder / CERTIFICATE,
        bundle=folder / BUNDLE,
        sheet=folder / SHEET,
        report=folder / REPORT,
    )
    await to_thread(lay_down, folder, {CERTIFICATE: certificate, BUNDLE: bundle, SHEET: sheet})
    return made, certificate


@dataclass(frozen=True)
class PapersBeside:
    """Papers a wave may or may not have, by file name."""

    documents: dict[str, Any]
    notes: dict[str, str]


async def _papers_beside(wave: str) -> PapersBeside:
    """The signed design that was drawn from, and every extension."""
    documents: dict[str, Any] = {}
    notes: dict[str, str] = {}
    for document, note in await load_issues(wave, "design"):
        if canonical.digest(document) == (await load_sample(wave)).design_digest:
            notes["design.note"] = note
    for number, (document, note) in enumerate(await load_issues(wave, "extension"), 1):
        name = numbered("extension", number)
        documents[f"{name}.json"], notes[f"{name}.note"] = document, note
    return PapersBeside(documents, notes)


async def _public_documents(wave: str) -> dict[str, Any]:
    """What the plan's digests stand for: the frame, the design, the sample, the scheme."""
    frame, sample, plan = await load_frame(wave), await load_sample(wave), await load_plan(wave)
    scheme = scheme_of(plan)
    return {
        "design.json": design_document(plan, scheme, frame, sample.public_draw),
        "frame.json": frame.document(),
        "sample.json": sample.document(),
        "scheme.json": dict(scheme.document),
    }
