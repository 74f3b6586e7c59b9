"""The newest structure, reached at every start without anybody typing a command.

Piccolo's migration manager does the work; this module keeps it quiet, and keeps two
processes from migrating one PostgreSQL database at the same time. On SQLite the folder's
lock has already seen to that.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
from piccolo.apps.migrations.commands.forwards import ForwardsMigrationManager
from piccolo.apps.migrations.tables import Migration

from survey.errors import SurveyError
from survey.storage.piccolo_app import APP_CONFIG

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
        manager = ForwardsMigrationManager(app_name=APP_CONFIG.app_name)
        path_before = list(sys.path)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                await manager.create_migration_table()
                known = set(manager.get_migration_modules(APP_CONFIG.resolved_migrations_folder_path))
                ran = set(await Migration.get_migrations_which_ran(app_name=APP_CONFIG.app_name))
                if unknown := sorted(ran - known):
                    raise NewerDatabaseError(unknown)
                if waiting := sorted(known - ran):
                    outcome = await manager.run_migrations(APP_CONFIG)
                    if not outcome.success:
                        raise MigrationFailedError(outcome.message or "")
                return waiting
        except SurveyError:
            raise
        except Exception as error:
            raise MigrationFailedError(f"{type(error).__name__}: {error}") from error
        finally:
            # Piccolo puts the folder in front of sys.path for its imports and leaves it there.
            sys.path[:] = path_before


async def waiting_migrations() -> list[str]:
    """Migrations of this release that the open database has not run, and those it ran that are unknown here."""
    manager = ForwardsMigrationManager(app_name=APP_CONFIG.app_name)
    path_before = list(sys.path)
    try:
        known = set(manager.get_migration_modules(APP_CONFIG.resolved_migrations_folder_path))
    finally:
        sys.path[:] = path_before
    return sorted(known ^ set(await Migration.get_migrations_which_ran(app_name=APP_CONFIG.app_name)))


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
