"""The newest structure, reached at every start without anybody typing a command.

Piccolo's migration manager does the work, and is loaded only where there is work to do: it
brings a code formatter along, and nearly every start finds the newest structure in place.
This module keeps it quiet, and keeps two processes from migrating one PostgreSQL database
at the same time. On SQLite the folder's lock has already seen to that.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
from piccolo.apps.migrations.tables import Migration

from survey.errors import SurveyError
from survey.storage.piccolo_app import APP_NAME, migrations_folder

_ID = re.compile(r'^ID = "([^"]+)"$', re.MULTILINE)

MIGRATION_LOCK = 0x5355525645590001
"""An arbitrary number that every process of this product uses for the advisory lock."""


class MigrationFailedError(SurveyError):
    """The database could not be brought to the newest structure."""

    code = "storage.migration_failed"

    def __init__(self, reason: str) -> None:
        super().__init__(
            "数据库结构", f"没有升级成功（{reason}）", "原有数据没有改动；请保留现场并联系技术支持"
        )


class NewerDatabaseError(SurveyError):
    """The database was written by a newer release than this one."""

    code = "storage.newer_database"
    kind = "conflict"

    def __init__(self, unknown: list[str]) -> None:
        super().__init__(
            "数据库", f"由更新的版本建立（本版本不认识 {unknown[-1]}）", "请安装不低于那个版本的程序后再打开"
        )


async def migrate(engine: Any) -> list[str]:
    """The migrations that were still to run, now run, oldest first.

    Raises:
        NewerDatabaseError: the database knows migrations that this release does not.
        MigrationFailedError: one failed; what it had begun is rolled back.
    """
    async with _alone(engine):
        try:
            if not await Migration.table_exists().run():
                await Migration.create_table().run()
            known, ran = known_migrations(), await _ran()
            if unknown := sorted(ran - known):
                raise NewerDatabaseError(unknown)
            if waiting := sorted(known - ran):
                await _run_waiting()
            return waiting
        except SurveyError:
            raise
        except Exception as error:
            raise MigrationFailedError(f"{type(error).__name__}: {error}") from error


async def waiting_migrations() -> list[str]:
    """Migrations of this release that the open database has not run, and those it ran that are unknown here."""
    return sorted(known_migrations() ^ await _ran())


def known_migrations() -> set[str]:
    """The migrations of this release, by what their files call themselves."""
    texts = (file.read_text(encoding="utf-8") for file in migrations_folder().glob("*.py"))
    return {found[1] for text in texts if (found := _ID.search(text))}


async def _ran() -> set[str]:
    return set(await Migration.get_migrations_which_ran(app_name=APP_NAME))


async def _run_waiting() -> None:
    from piccolo.apps.migrations.commands.forwards import ForwardsMigrationManager

    from survey.storage.piccolo_app import APP_CONFIG

    path_before = list(sys.path)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            outcome = await ForwardsMigrationManager(app_name=APP_NAME).run_migrations(APP_CONFIG)
    finally:
        # Piccolo puts the folder in front of sys.path for its imports and leaves it there.
        sys.path[:] = path_before
    if not outcome.success:
        raise MigrationFailedError(outcome.message or "")


@contextlib.asynccontextmanager
async def _alone(engine: Any) -> AsyncIterator[None]:
    if engine.engine_type != "postgres":
        yield
        return
    connection = await asyncpg.connect(engine.config["dsn"])
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", MIGRATION_LOCK)
        yield
    finally:
        # Closing the connection gives the lock back, also when the server is in trouble.
        await connection.close()
