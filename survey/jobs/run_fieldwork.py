"""Open the doors, pause, and go on: the books and the intake move in one order.

The books say what a wave is; the intake alone takes answers in. Whatever closes comes first at
the intake, whatever opens comes last there, so between the two steps nobody can send to a wave
that the books call shut. Whoever moves a wave has it in hand by a lock that ends with the
process. Where a process died in between, the next start settles it: an opening that the books
have written down is finished, anything else stays shut until a person goes on; and the same
verb may simply be given again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from survey.errors import SurveyError
from survey.jobs.launch import hold_launch
from survey.jobs.signed_papers import load_signed_plan
from survey.settings import Settings
from survey.storage.audit import record_audit
from survey.storage.current import hold
from survey.storage.evidence import find_evidence
from survey.storage.office import IntakeOffice
from survey.storage.plans import find_wave, load_wave, require_state, set_state
from survey.storage.print_files import erase_print_file, has_print_file, held_of
from survey.storage.states import WrongStateError


class InHandError(SurveyError):
    """Another process is moving the wave from one state to the next."""

    code = "wave.in_hand"
    kind = "conflict"

    def __init__(self, wave: str) -> None:
        super().__init__(f"调查 {wave}", "别处正在改它的状态", "等一分钟，刷新后看一看它走到了哪一步")


class PlanNotSignedError(SurveyError):
    """The wave has no signed plan yet."""

    code = "wave.plan_not_signed"
    kind = "conflict"

    def __init__(self, wave: str) -> None:
        super().__init__(f"调查 {wave}", "计划还没有由两人签字", f"先抽样，再运行 survey sign {wave}")


CUT_OFF = {("open", "planned"), ("open", "paused"), ("open", "closed"), ("paused", "open")}
"""Books and intake, as a move leaves them that was cut off between the two."""
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
        InHandError: another process moves the wave.
    """
    await load_wave(wave)
    if await find_evidence(wave, "plan.note") is None:
        raise PlanNotSignedError(wave)
    await load_signed_plan(wave)
    if has_print_file(settings, held_of(wave)):
        raise HeldCodesError(wave)
    async with in_hand(wave):
        # Open in the books and planned at the intake: a publishing that was cut off, and goes on.
        if await _shut(office, wave, "planned") == "planned":
            await hold_launch(settings, office, wave, now=now)
            await set_state(wave, "planned", "open", now=now)
        erase_print_file(settings, wave)
        await office.set_state(wave, "planned", "open")
    await record_audit(actor, "publish_wave", wave, now=now)


async def pause_wave(office: IntakeOffice, wave: str, *, actor: str, now: datetime) -> None:
    """Accept nothing for a while.

    Raises:
        WrongStateError: the wave is not open. Whatever keeps the intake from taking anything in.
        InHandError: another process moves the wave.
    """
    async with in_hand(wave):
        await require_state(wave, "open")
        if (why := office.resting().get(wave)) is not None:
            raise why
        if await office.state(wave) != "paused":
            await office.set_state(wave, "open", "paused")
        await set_state(wave, "open", "paused", now=now)
    await record_audit(actor, "pause_wave", wave, now=now)


async def resume_wave(office: IntakeOffice, wave: str, *, actor: str, now: datetime) -> None:
    """Go on accepting after a pause.

    Raises:
        WrongStateError: the wave is not paused, or its closing has begun.
        LeftoversVoidedError: leftover slips were voided by number.
        InHandError: another process moves the wave.
    """
    async with in_hand(wave):
        state = await _shut(office, wave, "paused")
        if ("", COUNTED_LEFTOVERS) in await office.counters(wave):
            raise LeftoversVoidedError(wave)
        # Open in the books and paused at the intake: a resuming, or a pausing, that was cut off.
        if state == "paused":
            await set_state(wave, "paused", "open", now=now)
        await office.set_state(wave, "paused", "open")
    await record_audit(actor, "resume_wave", wave, now=now)


async def settle_waves(settings: Settings, office: IntakeOffice, *, now: datetime) -> tuple[str, ...]:
    """Make books and intake agree again where a process died between them; the waves it settled.

    A publishing is finished: its checks were passed and written down. In every other case the
    wave stands paused, where a person goes on or closes it. A wave that rests for
    a fault is left as it is, since its intake cannot be moved; so is one that a living process
    has in hand, which it will finish.
    """
    settled = []
    for wave in office.waves():
        if wave in office.resting() or await _apart(office, wave) is None:
            continue
        async with hold(lock_of(wave)) as alone:
            apart = await _apart(office, wave) if alone else None
            if apart is None:
                continue
            if apart == ("open", "planned"):
                erase_print_file(settings, wave)
                await office.set_state(wave, "planned", "open")
            elif apart[0] == "open":
                await set_state(wave, "open", "paused", now=now)
            else:
                await office.set_state(wave, "open", "paused")
            details = {"books": apart[0], "intake": apart[1]}
            await record_audit("start", "settle_wave", wave, details=details, now=now)
            settled.append(wave)
    return tuple(settled)


@asynccontextmanager
async def in_hand(wave: str) -> AsyncIterator[None]:
    """Move a wave between books and intake with no other process doing so.

    Raises:
        InHandError: another process has it in hand.
    """
    async with hold(lock_of(wave)) as alone:
        if not alone:
            raise InHandError(wave)
        yield


def lock_of(wave: str) -> str:
    """The name that whoever moves a wave holds."""
    return f"move.{wave}"


async def _apart(office: IntakeOffice, wave: str) -> tuple[str, str] | None:
    """What books and intake say, where a move was cut off between them or is going on."""
    row = await find_wave(wave)
    if row is None:
        return None
    found = (row.state, await office.state(wave))
    return found if found in CUT_OFF else None


async def _shut(office: IntakeOffice, wave: str, state: str) -> str:
    """Where the books see a wave whose intake stands at `state`: there, or open already.

    Raises:
        WaveNotFoundError. WrongStateError: books or intake stand elsewhere.
        Whatever keeps the intake from taking anything in.
    """
    row = await load_wave(wave)
    if row.state != "open":
        row = await require_state(wave, state)
    if (why := office.resting().get(wave)) is not None:
        raise why
    at_intake = await office.state(wave)
    if at_intake != state:
        raise WrongStateError(wave, at_intake, (state,))
    return row.state
