"""The steps before a certificate: prepared, reviewed or sent back, signed; kept as they were done.

Rows are only ever added, on SQLite and PostgreSQL alike.
"""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-25T12:40:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "certification steps"

TABLE = """CREATE TABLE IF NOT EXISTS certification_steps (
    wave TEXT NOT NULL REFERENCES waves (wave),
    number INTEGER NOT NULL,
    issue INTEGER NOT NULL,
    step TEXT NOT NULL CHECK (step IN ('prepare', 'review', 'send_back', 'sign')),
    person TEXT NOT NULL,
    digest TEXT NOT NULL,
    document TEXT NOT NULL,
    done_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (wave, number))"""
SQLITE_GUARDS = tuple(
    f"""CREATE TRIGGER IF NOT EXISTS certification_steps_stay_{event.lower()} BEFORE {event}
        ON certification_steps BEGIN SELECT RAISE(ABORT, 'append-only'); END"""
    for event in ("UPDATE", "DELETE")
)
POSTGRES_GUARDS = (
    """CREATE OR REPLACE TRIGGER certification_steps_stay BEFORE UPDATE OR DELETE
       ON certification_steps EXECUTE FUNCTION survey_append_only()""",
)


async def forwards() -> MigrationManager:
    """The manager that creates the table and its guards."""
    manager = MigrationManager(migration_id=ID, app_name="survey", description=DESCRIPTION)

    async def create() -> None:
        engine = engine_finder()
        await engine.run_ddl(TABLE)
        for statement in POSTGRES_GUARDS if engine.engine_type == "postgres" else SQLITE_GUARDS:
            await engine.run_ddl(statement)

    manager.add_raw(create)
    return manager
