"""Have the design signed before the lot is cast, with the public draw whose numbers will be the seed.

A design that is signed before a lottery issue is drawn, and names that issue, can be replayed
by anybody and steered by nobody. A second design of the same wave is allowed, since a frame may
have been wrong; but then the bureau had a choice, and the statement says so (S8).
"""

from __future__ import annotations

from asyncio import to_thread
from datetime import datetime
from typing import Any

from survey import canonical
from survey.certification.registry import DESIGN_TYPE
from survey.errors import SurveyError
from survey.jobs.signed_papers import issue_paper, load_issues
from survey.jobs.signers import Signers
from survey.sampling.wave_sample import design_document
from survey.scheme.plan import scheme_of
from survey.settings import Settings
from survey.storage.audit import record_audit
from survey.storage.current import transaction
from survey.storage.frames import load_frame
from survey.storage.office import IntakeOffice
from survey.storage.plans import load_plan, require_state

LONGEST_NAME = 120


class PublicDrawError(SurveyError):
    """The public draw is not named so that anybody can look it up."""

    code = "design.public_draw"
    kind = "invalid"

    def __init__(self) -> None:
        super().__init__(
            "公开抽取",
            f"要写清是哪一次，不超过{LONGEST_NAME}个字",
            "例如：福利彩票双色球第2026135期，红球号码按从小到大",
        )


class DesignMovedError(SurveyError):
    """Plan or frame differ from those under the signed design."""

    code = "design.moved"
    kind = "conflict"

    def __init__(self, wave: str) -> None:
        super().__init__(
            f"调查 {wave}",
            "现在的计划或名册，和签过的抽样设计不一样",
            "换回原来的计划和名册再抽；确实要改，就重新签一次设计，结果会写明",
        )


async def sign_design(
    settings: Settings,
    office: IntakeOffice,
    wave: str,
    public_draw: str,
    signers: Signers,
    *,
    actor: str,
    now: datetime,
) -> dict[str, Any]:
    """Sign the design of a framed wave together with the name of the draw to come.

    Raises:
        WrongStateError: no frame yet, or the plan is signed. PublicDrawError: no draw is named.
    """
    await require_state(wave, ("framed", "drawn"))
    named = " ".join(public_draw.split())
    if not named or len(named) > LONGEST_NAME or not named.isprintable():
        raise PublicDrawError
    plan, frame = await load_plan(wave), await load_frame(wave)
    document = await to_thread(design_document, plan, scheme_of(plan), frame, named)
    async with transaction():
        digest = await issue_paper(
            settings,
            wave,
            f"{settings.host_name}/{wave}",
            "design",
            document,
            signers,
            now=now,
            registered_as=DESIGN_TYPE,
        )
        details = {"design_digest": digest, "public_draw": named}
        await record_audit(actor, "sign_design", wave, details=details, now=now)
    return {"wave": wave, "design_digest": digest, "public_draw": named}


async def announced_draw(wave: str, design_digest: str | None = None) -> str | None:
    """The public draw of the newest signed design, where nobody had a second choice.

    Args:
        design_digest: the design that was drawn from; another one announces nothing.
    """
    issues = await load_issues(wave, "design")
    if len(issues) != 1:
        return None
    document = issues[0][0]
    if design_digest is not None and canonical.digest(document) != design_digest:
        return None
    return str(document["public_draw"])
