"""Questions read aloud to pupils, one row an item and language.

Alike on SQLite and PostgreSQL: the bytes stand in base64, at most 55 KB a row.
"""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-25T09:58:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "recordings of questions"

TABLE = """CREATE TABLE IF NOT EXISTS recordings (
    wave TEXT NOT NULL REFERENCES waves (wave),
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (wave, name))"""


async def forwards() -> MigrationManager:
    """The manager that creates the table."""
    manager = MigrationManager(migration_id=ID, app_name="survey", description=DESCRIPTION)

    async def create() -> None:
        await engine_finder().run_ddl(TABLE)

    manager.add_raw(create)
    return manager
