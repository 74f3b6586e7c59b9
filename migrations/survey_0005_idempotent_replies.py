"""Replies to writes of other systems, kept for a day."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-25T08:40:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "replies kept for idempotency keys"

TABLE = """CREATE TABLE IF NOT EXISTS idempotent_replies (
        token TEXT NOT NULL,
        key TEXT NOT NULL,
        asked TEXT NOT NULL,
        body TEXT NOT NULL,
        kept_at TIMESTAMPTZ NOT NULL,
        PRIMARY KEY (token, key))"""


async def forwards() -> MigrationManager:
    """The manager that creates the table."""
    manager = MigrationManager(migration_id=ID, app_name="survey", description=DESCRIPTION)

    async def create() -> None:
        await engine_finder().run_ddl(TABLE)

    manager.add_raw(create)
    return manager
