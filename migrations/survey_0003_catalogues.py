"""Translations a bureau has made of the answering pages: the one being filled, the one signed.

Alike on SQLite and PostgreSQL. What a wave shows is pinned with its signed plan and does
not change with this table.
"""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-25T08:20:00:000003"
VERSION = "1.38.0"
DESCRIPTION = "translations of the answering pages"

TABLE = """CREATE TABLE IF NOT EXISTS catalogues (
    language TEXT NOT NULL,
    signed BOOLEAN NOT NULL,
    document TEXT NOT NULL,
    digest TEXT NOT NULL,
    saved_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (language, signed))"""


async def forwards() -> MigrationManager:
    """The manager that creates the table."""
    manager = MigrationManager(migration_id=ID, app_name="survey", description=DESCRIPTION)

    async def create() -> None:
        await engine_finder().run_ddl(TABLE)

    manager.add_raw(create)
    return manager
