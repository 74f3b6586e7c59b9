"""Is the platform well: each thing that must be, with the reason and the remedy when it is not.

Nothing here is asked while an answer is taken in; whoever asks waits for the database like
everybody else. No line holds a secret, a path outside the office's knowledge, or a result.
"""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from survey.errors import SurveyError
from survey.jobs.due_list import due_list
from survey.settings import Settings
from survey.storage.audit import list_audit
from survey.storage.backups import find_last_backup
from survey.storage.current import database_now, try_write
from survey.storage.intake import QUEUE_LIMIT, IntakeUnreadError
from survey.storage.migration import waiting_migrations
from survey.storage.office import IntakeOffice
from survey.storage.webhooks import undelivered

OK, WATCH, BAD = "ok", "watch", "bad"
OF_WAVE = "wave:"
"""How the key of a line begins that is about one wave."""
BACKUP_EVERY = timedelta(hours=48)
CLOCK_SLACK = timedelta(minutes=2)
MOST_WAITING = QUEUE_LIMIT // 2


@dataclass(frozen=True)
class HealthLine:
    """One thing that is well or not."""

    key: str
    name: str
    state: str
    seen: str
    remedy: str = ""

    def document(self) -> dict[str, Any]:
        """The line as plain JSON."""
        return asdict(self)


async def check_health(
    settings: Settings, office: IntakeOffice, *, now: datetime, with_due: bool = True
) -> tuple[HealthLine, ...]:
    """Every line; those that readiness rests on first. What falls due is left out where it is shown apart."""
    lines = [await _database(), await _migrations(), _intake(office), _disk(settings, office), await _clock(now)]
    lines += _waves(office)
    if lines[0].state == OK:
        lines += [await _backup(now), _heads(settings), await _webhooks(now)]
        lines += await _due(settings, now) if with_due else []
    return tuple(lines)


NEEDED = frozenset({"database", "migrations", "intake", "disk", "clock"})


def is_ready(lines: tuple[HealthLine, ...]) -> bool:
    """Whether people may be sent here: nothing that answering rests on is bad."""
    return all(line.state != BAD for line in lines if line.key in NEEDED)


async def _database() -> HealthLine:
    try:
        await try_write()
    except Exception as error:  # noqa: BLE001
        return HealthLine("database", "数据库", BAD, f"写不进去（{type(error).__name__}）", "看磁盘和数据库服务，恢复后会自己好")
    return HealthLine("database", "数据库", OK, "可以写入")


async def _migrations() -> HealthLine:
    try:
        waiting = await waiting_migrations()
    except Exception as error:  # noqa: BLE001
        return HealthLine("migrations", "数据库结构", BAD, f"读不到（{type(error).__name__}）", "先让数据库恢复")
    if waiting:
        return HealthLine("migrations", "数据库结构", BAD, f"和程序的版本不一致（{waiting[-1]}）", "所有机器装同一个版本，重新启动")
    return HealthLine("migrations", "数据库结构", OK, "是这个版本的")


def _intake(office: IntakeOffice) -> HealthLine:
    """Whether this process takes answers in; one wave that rests keeps nobody from the others."""
    waiting, _ = office.batch_counts()
    resting, n_waves = office.resting(), len(office.waves()) + len(office.damaged())
    if resting and len(resting) == n_waves:
        return HealthLine("intake", "接收答卷", BAD, "每次调查都停收了", "看下面每次调查一行的办法")
    if waiting > MOST_WAITING:
        return HealthLine("intake", "接收答卷", WATCH, f"有{waiting}份在排队", "高峰过后会降下来；一直不降就看磁盘快慢")
    return HealthLine("intake", "接收答卷", OK, f"{n_waves - len(resting)}次调查可以收，{waiting}份在排队")


def _waves(office: IntakeOffice) -> list[HealthLine]:
    """Each wave that rests, with the reason and the remedy; and how far the reading of the whole has come."""
    lines = [
        HealthLine(
            f"{OF_WAVE}{wave}",
            reason.thing,
            WATCH if isinstance(reason, IntakeUnreadError) else BAD,
            f"停收：{reason.reason}",
            reason.remedy,
        )
        for wave, reason in office.resting().items()
    ]
    readings = office.readings
    if readings.waiting:
        share = f"，正在核对的一次已到{readings.progress():.0%}" if readings.under_way else ""
        seen = f"还有{len(readings.waiting)}次调查没有从头核对完{share}"
        lines.append(HealthLine("whole", "逐条核对", OK, seen))
    else:
        which = "读得出的" if office.damaged() else "全部"
        lines.append(HealthLine("whole", "逐条核对", OK, f"启动以后{which}答卷都从头核对过"))
    return lines


def _disk(settings: Settings, office: IntakeOffice) -> HealthLine:
    free = shutil.disk_usage(settings.data).free
    seen = f"还剩{free / 1024**3:.1f} GB" if free >= 10 * 1024**3 else f"还剩{free // 1024**2} MB"
    if not office.has_room():
        return HealthLine("disk", "磁盘", BAD, f"{seen}，已停收答卷", "清出空间，不用重启")
    if free < 4 * settings.least_free_bytes:
        return HealthLine("disk", "磁盘", WATCH, seen, f"少于{settings.least_free_bytes // (1024 * 1024)} MB就会停收，请先清理")
    return HealthLine("disk", "磁盘", OK, seen)


async def _clock(now: datetime) -> HealthLine:
    """The clock stands after the last act, and near the database server's."""
    remedy = "打开自动校时（NTP）；答卷不受影响，只是日期会记错"
    try:
        last = await list_audit(limit=1)
        behind = last and datetime.fromisoformat(last[0].at) - now > CLOCK_SLACK
        there = await database_now()
    except Exception as error:  # noqa: BLE001
        return HealthLine("clock", "时钟", WATCH, f"没法核对（{type(error).__name__}）", "先让数据库恢复")
    if behind:
        return HealthLine("clock", "时钟", BAD, "比最近一条操作记录还早，被拨回去了", remedy)
    if there is not None and abs(there - now) > CLOCK_SLACK:
        return HealthLine("clock", "时钟", BAD, "和数据库服务器相差两分钟以上", remedy)
    return HealthLine("clock", "时钟", OK, "在最近一条操作记录之后" + ("，和数据库服务器一致" if there else ""))


async def _backup(now: datetime) -> HealthLine:
    last = await find_last_backup()
    remedy = "运行 survey backup 文件，并定期试一次恢复"
    if last is None:
        return HealthLine("backup", "备份", WATCH, "还没有备份过", remedy)
    hours = int((now - last.made_at).total_seconds() // 3600)
    state = OK if now - last.made_at <= BACKUP_EVERY else WATCH
    return HealthLine("backup", "备份", state, f"{hours}小时前，{last.answers}份答卷，读回核对过", "" if state == OK else remedy)


def _heads(settings: Settings) -> HealthLine:
    if settings.last_heads is None:
        return HealthLine("heads", "防旧数据", WATCH, "没有在别处记住日志头", "设 SURVEY_LAST_HEADS，恢复了旧备份才会被发现")
    return HealthLine("heads", "防旧数据", OK, "日志头另存一处")


async def _webhooks(now: datetime) -> HealthLine:
    missed = await undelivered(now=now)
    if not any(missed.values()):
        return HealthLine("webhooks", "推送", OK, "没有送不到的消息")
    seen = f"{missed['waiting']}条没有送到、还在重送，{missed['given_up']}条已放弃"
    return HealthLine("webhooks", "推送", WATCH, seen, "看推送页里最近一次的结果，请对方系统恢复；对方也可以自己来取")


async def _due(settings: Settings, now: datetime) -> list[HealthLine]:
    try:
        items = [item for item in await due_list(settings, now=now) if item.state in ("due", "soon")]
    except SurveyError as refusal:
        return [HealthLine("due", "到期", WATCH, str(refusal), "运行 survey due 看一看")]
    return [
        HealthLine(
            "due",
            "到期",
            WATCH,
            f"{item.title}：{item.what}，{item.due_on}" + ("，已到期" if item.state == "due" else ""),
            item.command,
        )
        for item in items
    ] or [HealthLine("due", "到期", OK, "没有到期要销毁的")]
