"""The salts of opened answers, apart from the answers: without them nobody can show what a commitment held."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-25T08:30:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "salts of opened answers"

TABLE = """CREATE TABLE IF NOT EXISTS salts (
        wave TEXT NOT NULL REFERENCES waves (wave),
        c TEXT NOT NULL,
        salt TEXT NOT NULL,
        PRIMARY KEY (wave, c))"""


async def forwards() -> MigrationManager:
    """The manager that creates the table."""
    manager = MigrationManager(migration_id=ID, app_name="survey", description=DESCRIPTION)

    async def create() -> None:
        await engine_finder().run_ddl(TABLE)

    manager.add_raw(create)
    return manager
