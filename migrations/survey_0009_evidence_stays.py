"""Signed papers of a wave stay: what could not be changed cannot be taken out and put in again either."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-25T09:50:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "evidence is never deleted"

SQLITE = """CREATE TRIGGER IF NOT EXISTS evidence_is_never_shortened BEFORE DELETE ON evidence
    BEGIN SELECT RAISE(ABORT, 'append-only'); END"""
POSTGRES = """CREATE OR REPLACE TRIGGER evidence_is_never_shortened BEFORE DELETE
    ON evidence EXECUTE FUNCTION survey_append_only()"""


async def forwards() -> MigrationManager:
    """The manager that adds the guard."""
    manager = MigrationManager(migration_id=ID, app_name="survey", description=DESCRIPTION)

    async def create() -> None:
        engine = engine_finder()
        await engine.run_ddl(POSTGRES if engine.engine_type == "postgres" else SQLITE)

    manager.add_raw(create)
    return manager
