"""When a backup was made and verified, one row each; the health page tells its age.

Alike on SQLite and PostgreSQL.
"""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-25T12:45:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "backups that were made"

TABLE = """CREATE TABLE IF NOT EXISTS backups (
    digest TEXT NOT NULL PRIMARY KEY,
    made_at TIMESTAMPTZ NOT NULL,
    size BIGINT NOT NULL,
    answers BIGINT NOT NULL)"""


async def forwards() -> MigrationManager:
    """The manager that creates the table."""
    manager = MigrationManager(migration_id=ID, app_name="survey", description=DESCRIPTION)

    async def create() -> None:
        await engine_finder().run_ddl(TABLE)

    manager.add_raw(create)
    return manager
