"""Open the doors, pause, and go on."""

from __future__ import annotations

from datetime import datetime

from survey.errors import SurveyError
from survey.jobs.launch import hold_launch
from survey.jobs.signed_papers import load_signed_plan
from survey.settings import Settings
from survey.storage.audit import record_audit
from survey.storage.evidence import find_evidence
from survey.storage.office import IntakeOffice
from survey.storage.plans import load_wave, require_state, set_state
from survey.storage.print_files import erase_print_file, has_print_file, held_of


class PlanNotSignedError(SurveyError):
    """The wave has no signed plan yet."""

    code = "wave.plan_not_signed"
    kind = "conflict"

    def __init__(self, wave: str) -> None:
        super().__init__(f"调查 {wave}", "计划还没有由两人签字", f"先抽样，再运行 survey sign {wave}")


COUNTED_LEFTOVERS = "leftovers_counted"
"""The wave's counter of lists by which slips were voided by number."""


class LeftoversVoidedError(SurveyError):
    """Slips that people may still hold were voided by number; the wave can only be closed."""

    code = "wave.leftovers_voided"
    kind = "conflict"

    def __init__(self, wave: str) -> None:
        super().__init__(
            f"调查 {wave}", "剩下的纸条已经按张数作废，不能再收答卷", f"结束：survey close {wave}"
        )


class HeldCodesError(SurveyError):
    """The codes of canaries and honey slips still lie here, where the bureau could use them."""

    code = "wave.held_codes"
    kind = "conflict"

    def __init__(self, wave: str) -> None:
        super().__init__(
            f"调查 {wave}",
            "留给上级的填写码还在这台机器上",
            f"先由持有清单的人运行 survey canaries {wave} --codes 清单文件，取走以后再开始",
        )


async def publish_wave(
    settings: Settings, office: IntakeOffice, wave: str, *, actor: str, now: datetime
) -> None:
    """Accept answers from now on, if no line of the checklist is red; the print file is erased first.

    Raises:
        PlanNotSignedError, WrongStateError, HeldCodesError.
        LaunchRefusedError: the checklist is red.
    """
    await load_wave(wave)
    if await find_evidence(wave, "plan.note") is None:
        raise PlanNotSignedError(wave)
    await load_signed_plan(wave)
    if has_print_file(settings, held_of(wave)):
        raise HeldCodesError(wave)
    await require_state(wave, "planned")
    await hold_launch(settings, office, wave, now=now)
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
    """Go on accepting after a pause.

    Raises:
        LeftoversVoidedError: leftover slips were voided by number.
    """
    await load_wave(wave)
    if ("", COUNTED_LEFTOVERS) in await office.counters(wave):
        raise LeftoversVoidedError(wave)
    await set_state(wave, "paused", "open", now=now)
    await office.set_state(wave, "paused", "open")
    await record_audit(actor, "resume_wave", wave, now=now)
