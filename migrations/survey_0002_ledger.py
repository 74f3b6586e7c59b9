"""The problem ledger: one row a problem, its whole history in the document."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-25T08:00:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "the problem ledger"

TABLE = """CREATE TABLE IF NOT EXISTS ledger_entries (
        wave TEXT NOT NULL REFERENCES waves (wave),
        number INTEGER NOT NULL,
        source TEXT NOT NULL,
        source_key TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('to_mend', 'mending', 'to_close', 'closed', 'explained',
                                             'looked_again')),
        due_on TEXT,
        version INTEGER NOT NULL,
        document TEXT NOT NULL,
        PRIMARY KEY (wave, number),
        UNIQUE (wave, source, source_key))"""


async def forwards() -> MigrationManager:
    """The manager that creates the table."""
    manager = MigrationManager(migration_id=ID, app_name="survey", description=DESCRIPTION)

    async def create() -> None:
        await engine_finder().run_ddl(TABLE)

    manager.add_raw(create)
    return manager
