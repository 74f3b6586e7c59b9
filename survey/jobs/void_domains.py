"""Void whole domains before anybody has seen an answer, signed by two and registered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from survey.certification.closing import build_void
from survey.errors import SurveyError
from survey.jobs.signed_papers import issue_paper, load_issues, load_signed_plan
from survey.jobs.signers import Signers, hold_same_people
from survey.settings import Settings
from survey.storage.audit import record_audit
from survey.storage.current import transaction
from survey.storage.evidence import find_evidence
from survey.storage.office import IntakeOffice
from survey.storage.plans import require_state

BEFORE_OPENING = ("planned", "open", "paused", "closed")
LONGEST_REASON = 200


class VoidRefusedError(SurveyError):
    """Only whole domains of the plan may be voided, each once, with a reason that can be read."""

    code = "wave.void_refused"
    kind = "invalid"

    def __init__(self, wave: str, reason: str) -> None:
        super().__init__(f"调查 {wave} 的作废", reason, "写清域的编号和理由；单份答卷不能作废")


async def void_domains(
    settings: Settings,
    office: IntakeOffice,
    wave: str,
    domains: Sequence[str],
    reason: str,
    signers: Signers,
    *,
    actor: str,
    now: datetime,
) -> dict[str, Any]:
    """Void domains for an alarm that is known without answers; their answers stay and are not counted.

    Raises:
        WrongStateError: the box was opened already. VoidRefusedError: not domains of the plan, or no reason.
        NotTheSignersError: these are not the two who signed the plan.
    """
    await require_state(wave, BEFORE_OPENING)
    if await find_evidence(wave, "opening.note") is not None:
        raise VoidRefusedError(wave, "开箱已经签过，此后什么也不能作废")
    plan = await load_signed_plan(wave)
    hold_same_people(plan, signers)
    reason = readable_reason(wave, reason)
    wanted = sorted(set(domains))
    if unknown := [domain for domain in wanted if domain not in plan.domains]:
        raise VoidRefusedError(wave, f"计划里没有域{unknown[0]}")
    voided = await voided_domains(wave)
    if again := [domain for domain in wanted if domain in voided]:
        raise VoidRefusedError(wave, f"域{again[0]}已经作废")
    if not wanted:
        raise VoidRefusedError(wave, "没有写域")
    document = build_void(wave=wave, domains=wanted, reason=reason)
    async with transaction():
        await require_state(wave, BEFORE_OPENING)
        digest = await issue_paper(settings, wave, plan.origin, "void", document, signers, now=now)
        details = {"domains": wanted, "reason": reason, "void_digest": digest}
        await record_audit(actor, "void_domains", wave, details=details, now=now)
    return {"wave": wave, "domains": wanted, "reason": reason, "digest": digest}


@dataclass(frozen=True)
class Voided:
    """What two people voided together, and why; registered, so that anybody may read it."""

    domains: tuple[str, ...]
    reason: str


async def list_voided(wave: str) -> tuple[Voided, ...]:
    """Every such paper of a wave, in the order of signing."""
    return tuple(
        Voided(tuple(document["domains"]), document["reason"])
        for document, _ in await load_issues(wave, "void")
    )


async def voided_domains(wave: str) -> frozenset[str]:
    """All domains of a wave that were voided."""
    return frozenset(domain for one in await list_voided(wave) for domain in one.domains)


def readable_reason(wave: str, reason: str) -> str:
    """The reason on one line, or a refusal."""
    plain = " ".join(reason.split())
    if not plain or len(plain) > LONGEST_REASON or not plain.isprintable():
        raise VoidRefusedError(wave, f"理由要写，不超过{LONGEST_REASON}个字")
    return plain
