"""Drafts of plans, as they are typed into the set-up pages, and ticks of the launch checklist.

Alike on SQLite and PostgreSQL.
"""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-25T12:15:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "drafts of plans, launch ticks"

TABLES = (
    """CREATE TABLE IF NOT EXISTS plan_drafts (
    draft TEXT NOT NULL PRIMARY KEY,
    wave TEXT,
    owner TEXT NOT NULL,
    county_code TEXT NOT NULL,
    fields TEXT NOT NULL,
    version INTEGER NOT NULL,
    saved_by TEXT NOT NULL,
    saved_at TIMESTAMPTZ NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS launch_ticks (
    wave TEXT NOT NULL REFERENCES waves (wave),
    item TEXT NOT NULL,
    person TEXT NOT NULL,
    note TEXT NOT NULL,
    ticked_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (wave, item))""",
)


async def forwards() -> MigrationManager:
    """The manager that creates both tables."""
    manager = MigrationManager(migration_id=ID, app_name="survey", description=DESCRIPTION)

    async def create() -> None:
        for table in TABLES:
            await engine_finder().run_ddl(table)

    manager.add_raw(create)
    return manager
