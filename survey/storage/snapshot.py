"""Everything that is stored, as it stood at one moment, in a folder; and what such a folder holds.

On SQLite the office's file is copied first, then each intake while it goes on writing. On
PostgreSQL one transaction sees all schemas as of one instant and copies its tables out, so
neither `pg_dump` nor a release of it that fits the server is needed; the structure is not
copied, migrations make it again.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import aiosqlite

from survey.certification.note import Vkey, open_note
from survey.certification.transparency_log import CompactTree, parse_checkpoint
from survey.errors import SurveyError
from survey.storage.database import Database
from survey.storage.intake_sqlite import SqliteIntake
from survey.storage.live_copy import write_in_order
from survey.storage.office import IntakeOffice
from survey.storage.postgres_copy import copy_out
from survey.storage.read_only import ReadOnlyIntake
from survey.storage.sqlite_engine import OneConnectionEngine

OFFICE, INTAKE = "survey.db", "intake"
MOST_TRIES = 3
IN_INTAKE = {"open": "open", "paused": "paused", "planned": "planned"}
"""How a wave's state reads in its intake; after closing always closed."""


class CopyBrokenError(SurveyError):
    """A copied file does not hold what it must."""

    code = "backup.copy_broken"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"备份中的 {name}", reason, "请检查磁盘，再备份一次；原来的数据没有动")


@dataclass(frozen=True)
class LogFacts:
    """What a copy knows of one wave: enough to tell later that nothing is missing."""

    state: str
    size: int
    root: str
    used: int
    head: str | None

    def check(self, wave: str, vkey: Vkey | str) -> None:
        """Refuse a log that is not the one its last head was signed for.

        Raises:
            CopyBrokenError: size, root or signature disagree.
        """
        if self.head is None:
            if self.size:
                raise CopyBrokenError(wave, f"有{self.size}份答卷，没有签过的日志头")
            return
        try:
            head = parse_checkpoint(open_note(self.head, [vkey]).text)
        except SurveyError as error:
            raise CopyBrokenError(wave, f"最后的日志头不成立（{error.reason}）") from error
        if (head.size, head.root.hex()) != (self.size, self.root):
            raise CopyBrokenError(wave, f"日志头签的是{head.size}份，重新算出的根与它不一致（库中{self.size}份）")


async def take_snapshot(
    database: Database, office: IntakeOffice, folder: Path, left_out: Collection[str]
) -> dict[str, LogFacts]:
    """Copy everything into an empty folder; what each wave's log holds in the copy.

    Args:
        left_out: waves whose intake is known to be damaged; the others are copied without them.

    Raises:
        CopyBrokenError: a copy does not hold what it must.
    """
    if database.settings.database_url:
        copied = await copy_out(database.settings.database_url, folder, left_out)
        return {wave: LogFacts(**facts) for wave, facts in copied.items()}
    for _ in range(MOST_TRIES):
        facts = await _copy_files(database, office, folder, left_out)
        # A wave that was published or closed just between two copies would stand in two states.
        if await asyncio.to_thread(_agree, folder, facts):
            return facts
    raise CopyBrokenError("各次调查", "备份时状态一直在变")


async def _copy_files(
    database: Database, office: IntakeOffice, folder: Path, left_out: Collection[str]
) -> dict[str, LogFacts]:
    (folder / INTAKE).mkdir(exist_ok=True, mode=0o700)
    for old in (folder / OFFICE, *(folder / INTAKE).glob("*.db")):
        old.unlink(missing_ok=True)
    engine = database.engine
    assert isinstance(engine, OneConnectionEngine)
    await copy_office(engine, folder / OFFICE)
    facts = {}
    for wave in office.waves():
        if wave in left_out:
            continue
        path = folder / INTAKE / f"{wave}.db"
        intake = office.intake(wave)
        if isinstance(intake, ReadOnlyIntake):
            intake = intake.intake
        assert isinstance(intake, SqliteIntake)
        await intake.back_up(path)
        facts[wave] = await asyncio.to_thread(read_log, path)
    return facts


async def copy_office(engine: OneConnectionEngine, target: Path) -> None:
    """The office's file, copied in one step by its own connection, then written in order."""
    rough = target.with_suffix(".rough")
    try:
        async with engine.line:
            connection = await engine.get_connection()
            async with aiosqlite.connect(rough) as copy:
                await connection.backup(copy)
        await asyncio.to_thread(write_in_order, rough, target)
    finally:
        rough.unlink(missing_ok=True)


def read_log(path: Path) -> LogFacts:
    """What an intake's file holds, after SQLite has looked through all of it.

    Raises:
        CopyBrokenError: the file is damaged, or its leaves are not contiguous.
    """
    connection = _open_copy(path)
    try:
        tree = CompactTree()
        for position, (index, leaf) in enumerate(
            connection.execute('SELECT "index", leaf FROM leaves ORDER BY "index"')
        ):
            if index != position:
                raise CopyBrokenError(path.name, f"记录第{position}条缺失")
            tree.add(leaf)
        head = connection.execute("SELECT note FROM heads ORDER BY size DESC LIMIT 1").fetchone()
        used = connection.execute(
            "SELECT (SELECT count(*) FROM slips WHERE state IN ('used', 'disputed'))"
            " + (SELECT coalesce(sum(used), 0) FROM posters)"
        ).fetchone()[0]
        boxes = connection.execute("SELECT count(*) FROM sealed").fetchone()[0]
        state = connection.execute("SELECT state FROM about").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise CopyBrokenError(path.name, f"读不出（{error}）") from error
    finally:
        connection.close()
    if not tree.size == used == boxes:
        raise CopyBrokenError(path.name, f"记录{tree.size}条，用掉的码{used}个，密封件{boxes}件")
    return LogFacts(state, tree.size, tree.root().hex(), used, head[0] if head else None)


def check_office(path: Path) -> None:
    """Let SQLite look through the whole of the office's file."""
    _open_copy(path).close()


def _open_copy(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        verdict = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        verdict = str(error)
    if verdict != "ok":
        connection.close()
        raise CopyBrokenError(path.name, f"文件已损坏（{verdict}）")
    return connection


def _agree(folder: Path, facts: dict[str, LogFacts]) -> bool:
    connection = _open_copy(folder / OFFICE)
    try:
        states = dict(connection.execute("SELECT wave, state FROM waves").fetchall())
    finally:
        connection.close()
    return all(
        one.state == IN_INTAKE.get(states[wave], "closed") for wave, one in facts.items() if wave in states
    )
