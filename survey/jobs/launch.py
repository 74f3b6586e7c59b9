"""The launch checklist: may this wave begin? One rule for page, command and publishing.

A wave, its intake and the clock enter; sixteen items leave, each green, amber or red with its
reason, its remedy and the page that mends it. Publishing asks here and is refused while one is
red. Nothing is changed by looking, save for one empty file that is written and removed.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit

from survey.errors import Fault, FaultsError, SurveyError
from survey.jobs.launch_lines import BY_KEY, LINES, LaunchItem, Seen, settled
from survey.jobs.plan_rules import hold_rules, mode_of
from survey.jobs.signed_papers import load_signed_plan
from survey.scheme.marks import unverified
from survey.scheme.plan import Plan, scheme_of
from survey.scheme.plan_faults import LOCAL_HOSTS
from survey.scheme.scheme import Scheme
from survey.scheme.texts import find_language
from survey.settings import Settings
from survey.storage.audit import acts_on, newest_act, record_audit
from survey.storage.backups import find_last_backup
from survey.storage.catalogues import find_catalogue
from survey.storage.current import transaction
from survey.storage.evidence import find_evidence
from survey.storage.frames import load_frame
from survey.storage.launch_ticks import delete_tick, list_ticks, save_tick
from survey.storage.office import IntakeOffice
from survey.storage.plans import load_plan, load_wave, require_state
from survey.storage.print_files import has_print_file, held_of
from survey.storage.samples import load_sample

BEFORE_LAUNCH = ("draft", "framed", "drawn", "planned")
ONLY_BEFORE = ("papers", "held_codes", "no_answers")
"""Lines that mean something until the wave is published; afterwards answers are there by right."""
CHINA = timezone(timedelta(hours=8))
CLOCK_SLACK = timedelta(minutes=5)
UNSIGNED_YET = Seen("amber", "签署以后再核对")
NOT_SIGNED = Seen("red", "方案还没有签署", "抽样以后，由经办和签发两人签署")


class LaunchRefusedError(FaultsError):
    """The checklist is red; every red line is named."""

    code = "wave.launch_refused"
    kind = "conflict"

    def __init__(self, wave: str, red: tuple[LaunchItem, ...]) -> None:
        faults = tuple(
            Fault(f"launch.{item.line.key}", item.seen.reason, item.seen.remedy, item=item.line.title)
            for item in red
        )
        super().__init__(f"调查 {wave} 的发布检查", faults)
        self.reason = f"{len(red)}项没有通过，不能发布"
        self.remedy = f"逐项做好；现在的情况用 survey check {wave} 看"


class NothingToTickError(SurveyError):
    """The line is no line, or no person's word settles it."""

    code = "wave.nothing_to_tick"
    kind = "invalid"

    def __init__(self, item: str) -> None:
        named = "、".join(line.key for line in LINES if line.asked)
        super().__init__(f"发布检查“{item[:40]}”", "不是由人确认的一项", f"可以确认的：{named}")


class TickWithoutNameError(SurveyError):
    """Nobody stands for the tick."""

    code = "wave.tick_without_name"
    kind = "invalid"

    def __init__(self) -> None:
        super().__init__("发布检查", "没有写是谁确认的", "写上确认人的名字，40个字以内")


async def launch_checklist(
    settings: Settings, office: IntakeOffice, wave: str, *, now: datetime
) -> tuple[LaunchItem, ...]:
    """Every line of the checklist as it stands now.

    Raises:
        WaveNotFoundError: no such wave.
    """
    plan = await load_plan(wave)
    ticks = await list_ticks(wave)
    seen = await _facts(settings, office, plan, now)
    if (await load_wave(wave)).state not in BEFORE_LAUNCH:
        seen |= dict.fromkeys(ONLY_BEFORE, Seen("green", "发布时看过，以后不再看"))
    return tuple(
        settled(line, seen.get(line.key, _by_hand(plan)), ticks.get(line.key), plan.demonstration)
        for line in LINES
    )


async def hold_launch(settings: Settings, office: IntakeOffice, wave: str, *, now: datetime) -> None:
    """Nothing, when no line is red.

    Raises:
        LaunchRefusedError: names every line that is.
    """
    red = tuple(i for i in await launch_checklist(settings, office, wave, now=now) if i.state == "red")
    if red:
        raise LaunchRefusedError(wave, red)


async def tick_launch(
    wave: str, ticked: Collection[str], person: str, note: str = "", *, actor: str, now: datetime
) -> None:
    """Let a named person answer for lines.

    Raises:
        NothingToTickError, TickWithoutNameError. WrongStateError: the wave is published.
    """
    await require_state(wave, BEFORE_LAUNCH)
    name = _plain(person, 40)
    if not name:
        raise TickWithoutNameError
    for item in ticked:
        if item not in BY_KEY or not BY_KEY[item].asked:
            raise NothingToTickError(item)
    async with transaction():
        for item in ticked:
            await save_tick(wave, item, name, _plain(note, 200), now=now)
            await record_audit(actor, "launch_tick", wave, details={"item": item, "person": name}, now=now)


async def untick_launch(wave: str, item: str, *, actor: str, now: datetime) -> None:
    """Take a person's word back.

    Raises:
        NothingToTickError. WrongStateError: the wave is published.
    """
    await require_state(wave, BEFORE_LAUNCH)
    if item not in BY_KEY:
        raise NothingToTickError(item)
    async with transaction():
        await delete_tick(wave, item)
        await record_audit(actor, "launch_untick", wave, details={"item": item}, now=now)


async def _facts(settings: Settings, office: IntakeOffice, plan: Plan, now: datetime) -> dict[str, Seen]:
    wave, scheme = plan.wave, scheme_of(plan)
    signed = await find_evidence(wave, "plan.note") is not None
    return {
        "plan_signed": Seen("green", "两人的签名都对") if signed else NOT_SIGNED,
        "plan_holds": await _plan_holds(plan, scheme) if signed else UNSIGNED_YET,
        "values_confirmed": _values_confirmed(plan, scheme),
        "languages": await _languages(plan),
        "address": _address(settings, plan),
        "papers": await _papers(plan, signed),
        "held_codes": _held_codes(settings, wave),
        "no_answers": await _no_answers(office, wave),
        "intake": await _intake(settings, office, wave, signed),
        "clock": await _clock(plan, now),
        "backup": await _backup(),
        **_approval(plan),
    }


def _by_hand(plan: Plan) -> Seen:
    return Seen("red", "还没有人确认", "做过以后，在这里写名字确认")


async def _plan_holds(plan: Plan, scheme: Scheme) -> Seen:
    try:
        signed = await load_signed_plan(plan.wave)
        frame, sample = await load_frame(plan.wave), await load_sample(plan.wave)
        await asyncio.to_thread(hold_rules, signed, plan, scheme, frame, sample)
    except SurveyError as refusal:
        return Seen("red", f"{refusal.thing}：{refusal.reason}", refusal.remedy)
    return Seen("green", "逐项核对过，没有变")


def _values_confirmed(plan: Plan, scheme: Scheme) -> Seen:
    waiting = unverified(scheme, plan.confirmed)
    if waiting:
        places = "、".join(mark.of for mark in waiting)
        return Seen("red", f"{len(waiting)}处的出处没有核实：{places}", "在方案的第6步逐处写上确认人")
    return Seen("green", "都有确认人")


async def _languages(plan: Plan) -> Seen:
    missing = [
        code
        for code in plan.languages
        if not find_language(code).shipped and await find_catalogue(code, signed=True) is None
    ]
    if missing:
        names = "、".join(find_language(code).both_names for code in missing)
        return Seen("red", f"{names}没有审定的译文", "用 survey language sign 审定，或从方案里去掉")
    return Seen("green", "、".join(find_language(code).both_names for code in plan.languages))


def _address(settings: Settings, plan: Plan) -> Seen:
    parts = urlsplit(settings.base_url)
    if settings.base_url != plan.base_url.rstrip("/"):
        return Seen(
            "red",
            f"印在纸上的是{plan.base_url}，服务器用的是{settings.base_url}",
            "两处改成一样：方案第2步的网址，或服务器的SURVEY_BASE_URL",
        )
    if parts.scheme != "https" or parts.hostname in (*LOCAL_HOSTS, "::1"):
        return Seen("red", f"{settings.base_url}只能在本机打开", "换成正式的https网址，手机才能打开")
    return Seen("green", settings.base_url)


async def _papers(plan: Plan, signed: bool) -> Seen:
    if all(mode_of(plan, entry.group) != "slip" for entry in plan.groups):
        return Seen("green", "没有用纸条的人群")
    if not signed:
        return Seen("amber", "签署以后才有填写码可印")
    taken = await acts_on(plan.wave, "download_papers")
    if not taken:
        return Seen("red", "还没有人取走打印文件；发布时它会被清除", "排印，下载，印好再发布")
    return Seen("green", f"取走过{taken}次")


def _held_codes(settings: Settings, wave: str) -> Seen:
    if has_print_file(settings, held_of(wave)):
        return Seen("red", "还在这台机器上", f"由持有清单的人运行 survey canaries {wave} --codes 清单文件")
    return Seen("green", "没有留在这台机器上")


async def _no_answers(office: IntakeOffice, wave: str) -> Seen:
    if wave in office.damaged():
        reason = office.resting()[wave]
        return Seen("red", reason.reason, reason.remedy)
    if wave not in office.waves():
        return Seen("green", "一份也没有")
    used = sum(count.used for count in await office.participation(wave))
    if used:
        return Seen("red", f"发布以前已经有{used}份答卷", "保留现场，查清来源；这次调查不能发布")
    return Seen("green", "一份也没有；试填的不会留下")


async def _intake(settings: Settings, office: IntakeOffice, wave: str, signed: bool) -> Seen:
    try:
        office.check_disk()
        await asyncio.to_thread(_write_once, settings)
        if signed:
            await office.state(wave)
    except SurveyError as refusal:
        return Seen("red", f"{refusal.thing}：{refusal.reason}", refusal.remedy)
    except OSError as error:
        return Seen("red", f"数据文件夹写不进去（{error.strerror}）", "让管理员看权限和磁盘")
    return Seen("green", "能写，空间够")


def _write_once(settings: Settings) -> None:
    probe = settings.intake / f".launch-{os.getpid()}"
    with open(probe, "wb") as file:
        file.write(b"survey")
        file.flush()
        os.fsync(file.fileno())
    probe.unlink()


async def _clock(plan: Plan, now: datetime) -> Seen:
    last = await newest_act()
    if last is not None and now + CLOCK_SLACK < last:
        return Seen("red", "现在的时间早于上一条操作记录，时钟被拨回过", "校准服务器的时间，再看一次")
    today = now.astimezone(CHINA).date()
    if today > plan.closes_on:
        state: Any = "amber" if plan.demonstration else "red"
        return Seen(state, f"填写日期{plan.closes_on}已经过了", "另建一次调查，写新的日期")
    if today < plan.opens_on:
        return Seen("amber", f"方案写的是{plan.opens_on}开始，今天{today}", "到那天再发布，或确认可以提前")
    return Seen("green", f"今天{today}，到{plan.closes_on}为止")


async def _backup() -> Seen:
    """A backup leaves a fact, its rehearsal does not: the reason tells one, a person answers for the other."""
    last = await find_last_backup()
    made = "还没有备份过" if last is None else f"最近一次备份在{last.made_at.astimezone(CHINA).date()}"
    remedy = "用 survey backup 备份，再用 survey restore 恢复到另一个文件夹看一看，由做的人确认"
    return Seen("red", f"{made}，还没有人确认恢复过", remedy)


def _approval(plan: Plan) -> dict[str, Seen]:
    approval = plan.approval
    if approval is not None and approval.form_no and approval.approval_no:
        return {"approval": Seen("green", f"表号{approval.form_no}，批准文号{approval.approval_no}")}
    missing = Seen("red", "方案里没有表号和批准文号", "在方案第2步填上；不需要批准的，由问过的人确认")
    return {"approval": missing}


def _plain(text: str, most: int) -> str:
    """One line of what a person wrote, without signs that do not show."""
    return "".join(sign for sign in text if sign.isprintable()).strip()[:most]
