"""Decide who is asked: look first, then draw once, from a seed that is kept."""

from __future__ import annotations

from asyncio import to_thread
from datetime import datetime
from typing import Any

from survey import canonical
from survey.errors import SurveyError
from survey.jobs.sign_design import DesignMovedError
from survey.jobs.signed_papers import load_issues
from survey.sampling.wave_sample import Preview, Sample, draw_sample, preview_sample
from survey.scheme.plan import scheme_of
from survey.storage.audit import record_audit
from survey.storage.current import transaction
from survey.storage.frames import load_frame
from survey.storage.plans import load_plan, require_state, set_state
from survey.storage.samples import find_sample, save_sample
from survey.storage.states import BEFORE_SIGNING

MOST_REASON_SIGNS = 500


class ReasonMissingError(SurveyError):
    """A sample was drawn before, and nobody said why it must be drawn again."""

    code = "draw.reason_missing"
    kind = "invalid"

    def __init__(self) -> None:
        super().__init__(
            "重抽", "以前抽过一次，这次没有写理由", "写明为什么要重抽（survey draw 的 --reason），理由会记在日志里"
        )


async def preview_wave(wave: str) -> Preview:
    """What drawing would give: sizes owed, schools, slips, expected half-width. Nothing is kept."""
    plan = await load_plan(wave)
    return await to_thread(preview_sample, plan, scheme_of(plan), await load_frame(wave))


async def draw_wave(wave: str, seed: str, *, reason: str = "", actor: str, now: datetime) -> Sample:
    """Draw the sample from `seed` and keep it with the seed, so that anyone may replay it.

    Args:
        reason: why it is drawn again, where one was drawn before; it goes to the log.

    Raises:
        ReasonMissingError: a sample was drawn before, and no reason is given.
        DesignMovedError: plan or frame differ from those of the signed design.
        FrameMissingError: no frame has been imported. WrongStateError: the plan is signed.
    """
    plan = await load_plan(wave)
    frame = await load_frame(wave)
    designs = await load_issues(wave, "design")
    named = str(designs[-1][0]["public_draw"]) if designs else None
    sample = await to_thread(draw_sample, plan, scheme_of(plan), frame, seed, named)
    if designs and sample.design_digest != canonical.digest(designs[-1][0]):
        raise DesignMovedError(wave)
    details: dict[str, Any] = {
        "seed": seed,
        "sample_digest": sample.digest,
        "domains": len(sample.domains),
    }
    async with transaction():
        if (earlier := await find_sample(wave)) is not None:
            await require_state(wave, BEFORE_SIGNING)
            if not reason.strip():
                raise ReasonMissingError
            details |= {"reason": reason.strip()[:MOST_REASON_SIGNS], "earlier_seed": earlier.seed}
        await set_state(wave, ("framed", "drawn"), "drawn", now=now)
        await save_sample(sample, now=now)
        await record_audit(actor, "draw_sample", wave, details=details, now=now)
    return sample
