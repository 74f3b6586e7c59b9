"""Who an account is at the provider of a unified sign-in, and which sign-ins begun there are spent.

Alike on SQLite and PostgreSQL.
"""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-25T13:25:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "subjects of accounts at a provider, spent sign-ins"

STATEMENTS = (
    """CREATE TABLE IF NOT EXISTS account_subjects (
    account TEXT NOT NULL PRIMARY KEY,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    UNIQUE (issuer, subject))""",
    """CREATE TABLE IF NOT EXISTS spent_starts (
    state TEXT NOT NULL PRIMARY KEY,
    expires_at TIMESTAMPTZ NOT NULL)""",
)


async def forwards() -> MigrationManager:
    """The manager that creates both tables."""
    manager = MigrationManager(migration_id=ID, app_name="survey", description=DESCRIPTION)

    async def create() -> None:
        for statement in STATEMENTS:
            await engine_finder().run_ddl(statement)

    manager.add_raw(create)
    return manager
