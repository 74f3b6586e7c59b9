"""Whose branch of the country a wave belongs to and an account works in."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-25T09:20:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "divisions of waves and accounts"

TABLES = (
    """CREATE TABLE IF NOT EXISTS local_divisions (
        code TEXT NOT NULL PRIMARY KEY,
        parent TEXT NOT NULL,
        name TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS account_divisions (
        account TEXT NOT NULL REFERENCES accounts (name),
        division TEXT NOT NULL,
        PRIMARY KEY (account, division))""",
)
SQLITE = (
    """UPDATE waves SET county_code = COALESCE(
        (SELECT json_extract(document, '$.county_code') FROM plans WHERE plans.wave = waves.wave), '')
        WHERE county_code = ''""",
)
POSTGRES = (
    """UPDATE waves SET county_code = COALESCE(
        (SELECT document::json ->> 'county_code' FROM plans WHERE plans.wave = waves.wave), '')
        WHERE county_code = ''""",
)


async def forwards() -> MigrationManager:
    """The manager that creates the tables and fills in the county of waves that are there."""
    manager = MigrationManager(migration_id=ID, app_name="survey", description=DESCRIPTION)

    async def create() -> None:
        engine = engine_finder()
        is_postgres = engine.engine_type == "postgres"
        for statement in TABLES:
            await engine.run_ddl(statement)
        if is_postgres:
            await engine.run_ddl("ALTER TABLE waves ADD COLUMN IF NOT EXISTS county_code TEXT NOT NULL DEFAULT ''")
        elif not await engine.run_ddl(
            "SELECT 1 FROM pragma_table_info('waves') WHERE name = 'county_code'"
        ):
            # SQLite has no IF NOT EXISTS for columns, and a statement may be run again.
            await engine.run_ddl("ALTER TABLE waves ADD COLUMN county_code TEXT NOT NULL DEFAULT ''")
        for statement in POSTGRES if is_postgres else SQLITE:
            await engine.run_ddl(statement)

    manager.add_raw(create)
    return manager
