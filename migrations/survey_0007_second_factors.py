"""One-time codes of accounts: what their secret is derived from, the last step used, recovery codes."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-25T09:10:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "one-time codes at sign-in"

TABLES = (
    """CREATE TABLE IF NOT EXISTS second_factors (
        account TEXT NOT NULL PRIMARY KEY REFERENCES accounts (name),
        nonce TEXT NOT NULL,
        confirmed_at TIMESTAMPTZ,
        last_step BIGINT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS recovery_codes (
        account TEXT NOT NULL REFERENCES accounts (name),
        digest TEXT NOT NULL,
        used_at TIMESTAMPTZ,
        PRIMARY KEY (account, digest))""",
)


async def forwards() -> MigrationManager:
    """The manager that creates the tables."""
    manager = MigrationManager(migration_id=ID, app_name="survey", description=DESCRIPTION)

    async def create() -> None:
        for statement in TABLES:
            await engine_finder().run_ddl(statement)

    manager.add_raw(create)
    return manager
