"""Certify in three steps of three people: 经办 prepares and signs, 复核 reviews, 签发 signs and issues.

The operator signs the statement of that day; the line waits. The reviewer looks at the same
statement and lets it pass, or sends it back with a reason. The approver's line completes the
note, if the statement made anew is still the one that both have seen; otherwise everything
begins again. No person takes two of the steps, and each is in the trail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from survey.certification.note import digest_note_text
from survey.certification.signature import Signer
from survey.errors import Fault, FaultsError, SurveyError
from survey.jobs.certify_wave import Certified, certify_wave
from survey.jobs.estimate_wave import Tell, untold, within
from survey.jobs.propose_statement import Proposed, propose_statement
from survey.jobs.remote_signing import RemoteSigner, SigningRequest
from survey.jobs.signed_papers import load_issues
from survey.jobs.signers import NotTheSignersError, SamePersonError, Signers
from survey.settings import Settings
from survey.storage.accounts import may_be_one_person
from survey.storage.audit import record_audit
from survey.storage.certification_steps import CertificationStep, add_step, list_steps
from survey.storage.current import take_turn, transaction
from survey.storage.office import IntakeOffice

STEPS = {"prepare": "经办", "review": "复核", "sign": "签发"}
MOST_REASON = 400


class NotThisStepError(SurveyError):
    """Another step is due."""

    code = "certify.not_this_step"
    kind = "conflict"

    def __init__(self, wave: str, due: str) -> None:
        super().__init__(
            f"调查 {wave} 的签发", f"现在该{STEPS[due]}这一步", "刷新后再看；可能有人刚做过，或者退回了"
        )


class TwoStepsError(SurveyError):
    """One person would take two of the three steps."""

    code = "certify.two_steps"
    kind = "forbidden"

    def __init__(self, person: str, taken: str) -> None:
        super().__init__(
            f"账号 {person}",
            f"已经做过{STEPS[taken]}这一步，或者和做的人写着同一个姓名",
            "经办、复核、签发要由三个人来做，请换人；确是两个人，账号的姓名要写得能分清",
        )


class ChangedSinceError(SurveyError):
    """What would be certified now is not what the earlier steps looked at."""

    code = "certify.changed_since"
    kind = "conflict"

    def __init__(self, wave: str) -> None:
        super().__init__(
            f"调查 {wave} 的签发", "要签的内容和前面的人看过的不一样了", "已经退回，请从经办这一步重新来"
        )


@dataclass(frozen=True)
class Standing:
    """How far the three steps of the next certificate have come."""

    issue: int
    prepared: CertificationStep | None
    reviewed: CertificationStep | None
    sent_back: CertificationStep | None
    """The newest sending back, while nobody has prepared anew."""

    @property
    def due(self) -> str:
        """The step that is waited for."""
        return "prepare" if self.prepared is None else "review" if self.reviewed is None else "sign"

    async def taken_by(self, person: str) -> str | None:
        """The step that a person has taken, of those that stand; under whatever account of their name."""
        for step in (self.prepared, self.reviewed):
            if step is not None and await may_be_one_person(step.person, person):
                return step.step
        return None


def standing_of(steps: Sequence[CertificationStep], issue: int) -> Standing:
    """How far the certificate of that number has come; a sending back undoes what was before it.

    >>> when = datetime(2026, 11, 25)
    >>> steps = [CertificationStep(1, name, who, "d", {}, when) for name, who in
    ...          (("prepare", "jia"), ("send_back", "yi"), ("prepare", "jia"), ("review", "bing"))]
    >>> standing_of(steps, 1).due, standing_of(steps[:2], 1).due, standing_of(steps, 2).due
    ('sign', 'prepare', 'prepare')
    """
    prepared = reviewed = sent_back = None
    for one in steps:
        if one.issue != issue:
            continue
        if one.step == "prepare":
            prepared, reviewed, sent_back = one, None, None
        elif one.step == "send_back":
            prepared, reviewed, sent_back = None, None, one
        elif one.step == "review":
            reviewed = one
    return Standing(issue, prepared, reviewed, sent_back)


async def certification_standing(wave: str) -> Standing:
    """How far the next certificate of a wave has come."""
    return standing_of(await list_steps(wave), len(await load_issues(wave, "statement")) + 1)


async def prepare_certificate(
    settings: Settings,
    office: IntakeOffice,
    wave: str,
    operator: Signer,
    *,
    actor: str,
    now: datetime,
    reason: str | None = None,
    progress: Tell | None = None,
) -> Proposed:
    """经办: state the figure and sign it; nothing is issued yet.

    Args:
        reason: why a certified wave is certified anew.
        progress: of the computing, as for `wave_results`; so for every step below.

    Raises:
        NotThisStepError: it is prepared already.
        NotTheSignersError: not the operator's key of the plan.
        As `propose_statement`.
    """
    proposed = await propose_statement(
        settings, office, wave,
        on=now.date(), reason=reason, level="public", actor=actor, now=now,
        progress=progress,
    )  # fmt: skip
    if operator.key != proposed.plan.operator:
        raise NotTheSignersError(wave)
    line = operator.sign(_text(proposed))
    document: dict[str, Any] = {"line": line, "on": now.date().isoformat(), "reason": reason}
    await _take(wave, "prepare", proposed.digest, document, actor=actor, now=now)
    return proposed


async def review_certificate(
    settings: Settings, office: IntakeOffice, wave: str, *, actor: str, now: datetime, progress: Tell | None = None
) -> None:
    """复核: another person has looked at the same statement.

    Raises:
        NotThisStepError, TwoStepsError.
        ChangedSinceError: it is another one by now; it goes back to the first step.
    """
    await _hold_due(wave, "review", actor)
    proposed = await _unchanged(settings, office, wave, actor=actor, now=now, progress=progress)
    await _take(wave, "review", proposed.digest, {}, actor=actor, now=now)


async def send_back_certificate(wave: str, reason: str, *, actor: str, now: datetime) -> None:
    """退回: back to the first step, with the reason; by the reviewer, or by the approver later.

    Raises:
        NotThisStepError: nothing is prepared. TwoStepsError: the operator's own.
        FaultsError: no reason, or too long a one.
    """
    told = reason.strip()
    if not 0 < len(told) <= MOST_REASON:
        fault = Fault("certify.no_reason", "没有写，或者太长", f"写明理由，{MOST_REASON}字以内", item="note")
        raise FaultsError("退回的理由", (fault,))
    standing = await certification_standing(wave)
    if standing.prepared is None:
        raise NotThisStepError(wave, "prepare")
    digest = standing.prepared.digest
    await _take(wave, "send_back", digest, {"note": told}, actor=actor, now=now, due=standing.due)


async def sign_certificate(
    settings: Settings,
    office: IntakeOffice,
    wave: str,
    approver: Signer | RemoteSigner,
    *,
    actor: str,
    now: datetime,
    progress: Tell | None = None,
) -> Certified:
    """签发: the approver's line completes the note, and the certificate is issued.

    Raises:
        NotThisStepError, TwoStepsError.
        ChangedSinceError: it is another statement by now; it goes back to the first step.
        SamePersonError: the approver's key is the operator's. As `certify_wave`.
    """
    standing = await _hold_due(wave, "sign", actor)
    prepared, reviewed = standing.prepared, standing.reviewed
    assert prepared is not None and reviewed is not None
    tell = progress or untold
    proposed = await _unchanged(settings, office, wave, actor=actor, now=now, progress=within(tell, 0, 0.6))
    operator = RemoteSigner(
        proposed.plan.operator, "", {_text(proposed): str(prepared.document["line"])}
    )
    if approver.key == operator.key:
        raise SamePersonError
    by = {"prepared_by": prepared.person, "reviewed_by": reviewed.person, "signed_by": actor}
    made = await certify_wave(
        settings, office, wave, Signers(operator, approver, {}),
        actor=actor, now=now, on=_on(prepared), reason=prepared.document["reason"], steps=by,
        proposed=proposed, progress=tell,
    )  # fmt: skip
    # The trail has all three names in one entry with the certificate; this row is what pages list.
    await add_step(wave, CertificationStep(standing.issue, "sign", actor, proposed.digest, {}, now))
    return made


async def certificate_request(
    settings: Settings, office: IntakeOffice, wave: str, *, actor: str, now: datetime, progress: Tell | None = None
) -> SigningRequest:
    """What an approver whose key is on another computer signs there, once it is their turn.

    Raises:
        NotThisStepError, TwoStepsError, ChangedSinceError.
    """
    await _hold_due(wave, "sign", actor)
    proposed = await _unchanged(settings, office, wave, actor=actor, now=now, progress=progress)
    return SigningRequest(wave, _text(proposed), proposed.statement)


def _on(prepared: CertificationStep) -> date:
    return date.fromisoformat(prepared.document["on"])


def _text(proposed: Proposed) -> str:
    return digest_note_text(proposed.plan.origin, "statement", proposed.digest)


async def _hold_due(wave: str, step: str, actor: str) -> Standing:
    standing = await certification_standing(wave)
    if standing.due != step:
        raise NotThisStepError(wave, standing.due)
    if (taken := await standing.taken_by(actor)) is not None:
        raise TwoStepsError(actor, taken)
    return standing


async def _unchanged(
    settings: Settings, office: IntakeOffice, wave: str, *, actor: str, now: datetime, progress: Tell | None
) -> Proposed:
    """What was prepared, made anew and found the same; otherwise it is sent back and refused."""
    prepared = (await certification_standing(wave)).prepared
    assert prepared is not None
    try:
        proposed = await propose_statement(
            settings, office, wave,
            on=_on(prepared), reason=prepared.document["reason"], level="public", actor=actor, now=now,
            progress=progress,
        )  # fmt: skip
        changed = proposed.digest != prepared.digest
    except SurveyError as refusal:
        if refusal.code not in ("certify.figure_moved", "certify.rule_moved"):
            raise
        changed = True
    if changed:
        note = {"note": "要签的内容变了，自动退回"}
        await _take(wave, "send_back", prepared.digest, note, actor=actor, now=now, due=None)
        raise ChangedSinceError(wave)
    return proposed


async def _take(
    wave: str,
    step: str,
    digest: str,
    document: dict[str, Any],
    *,
    actor: str,
    now: datetime,
    due: str | None = "",
) -> None:
    """Keep a step, if it is still the one that is due; None asks nothing, as what sends itself back."""
    async with transaction():
        await take_turn(f"certification.{wave}")
        standing = await certification_standing(wave)
        if due is not None and standing.due != (due or step):
            raise NotThisStepError(wave, standing.due)
        if due is not None and (taken := await standing.taken_by(actor)) is not None:
            raise TwoStepsError(actor, taken)
        await add_step(wave, CertificationStep(standing.issue, step, actor, digest, document, now))
        told = {"step": step, "statement_digest": digest, **{k: v for k, v in document.items() if k == "note"}}
        await record_audit(actor, f"certify_{step}", wave, details=told, now=now)
