"""The papers two people sign: read back only with their lines checked, kept under numbered names.

A wave's plan leaves this module only after both lines under it hold; whatever was changed in
the database after signing is met here, before any step goes on. A paper that may be issued
more than once (void, extension, statement, revocation) keeps every issue: `void.json`,
`void-2.json` and so on, none replaced.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from survey import canonical
from survey.certification.bundle import numbered
from survey.certification.checks import plan_signed
from survey.certification.fields import FieldRefusedError
from survey.certification.note import NoteRefusedError, NoteSigner, digest_note_text, make_note
from survey.certification.signed_plan import SignedPlan, read_plan
from survey.errors import SurveyError
from survey.jobs.register import register
from survey.jobs.remote_signing import AwaitingSignatureError
from survey.jobs.signers import Signers
from survey.settings import Settings
from survey.storage.evidence import find_evidence, load_evidence, save_evidence


class PlanAlteredError(SurveyError):
    """The stored plan is not the one the two signed."""

    code = "wave.plan_altered"
    kind = "refused"

    def __init__(self, wave: str, reason: str) -> None:
        super().__init__(
            f"调查 {wave} 的计划",
            f"和两人签下的不一样（{reason}）",
            "保留现场，用备份核对；这次调查不能再往下做",
        )


async def load_signed_plan(wave: str) -> SignedPlan:
    """The plan of a wave, both lines under it checked.

    Raises:
        EvidenceMissingError: no plan is signed. PlanAlteredError: plan or note were changed.
    """
    text, note = await load_evidence(wave, "plan.json"), await load_evidence(wave, "plan.note")
    try:
        plan = read_plan(canonical.decode(text.encode()))
        if plan.wave != wave:
            raise FieldRefusedError("plan.json", "wave", "是另一次调查的")
        plan_signed(note, plan, "plan.note")
    except (canonical.NotCanonicalError, FieldRefusedError, NoteRefusedError) as error:
        raise PlanAlteredError(wave, str(error.reason)) from error
    return plan


async def load_document(wave: str, name: str) -> Any:
    """A canonical document of a wave by its file name."""
    return canonical.decode((await load_evidence(wave, name)).encode())


async def load_issues(wave: str, stem: str) -> list[tuple[dict[str, Any], str]]:
    """Every issue of a paper in order, each with its note."""
    issues: list[tuple[dict[str, Any], str]] = []
    while (text := await find_evidence(wave, f"{numbered(stem, len(issues) + 1)}.json")) is not None:
        note = await load_evidence(wave, f"{numbered(stem, len(issues) + 1)}.note")
        issues.append((canonical.decode(text.encode()), note))
    return issues


async def issue_paper(
    settings: Settings,
    wave: str,
    origin: str,
    stem: str,
    document: Mapping[str, Any],
    signers: Signers,
    *,
    now: datetime,
    registered_as: str | None = None,
    others: Sequence[NoteSigner] = (),
) -> str:
    """Have the two sign a document, keep it under the next free number, register it; its digest.

    Args:
        stem: file name without ending, such as `void`; the note's first line says the same.
        others: who signs after the two, such as an auditor.
        registered_as: the type in the registry; the document's own when not given.
    """
    number = len(await load_issues(wave, stem)) + 1
    digest = canonical.digest(document)
    try:
        note = make_note(digest_note_text(origin, stem, digest), [*signers.both(), *others])
    except AwaitingSignatureError as waiting:
        raise AwaitingSignatureError(waiting.text, dict(document)) from None
    await save_evidence(wave, f"{numbered(stem, number)}.json", canonical.encode(document).decode(), now=now)
    await save_evidence(wave, f"{numbered(stem, number)}.note", note, now=now)
    await register(settings, digest, registered_as or str(document["type"]))
    return digest
