"""Which other systems are told of certificates, what is still to be told, and the device of a session.

Alike on SQLite and PostgreSQL.
"""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-25T12:55:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "webhooks, their outbox, devices of sessions"

STATEMENTS = (
    """CREATE TABLE IF NOT EXISTS webhooks (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    label TEXT NOT NULL,
    url TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ)""",
    """CREATE TABLE IF NOT EXISTS webhook_messages (
    id TEXT NOT NULL PRIMARY KEY,
    webhook TEXT NOT NULL REFERENCES webhooks (id),
    event TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'given_up')),
    tries INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    due_at TIMESTAMPTZ NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS webhook_messages_due ON webhook_messages (state, due_at)",
)


async def forwards() -> MigrationManager:
    """The manager that adds the column and creates both tables."""
    manager = MigrationManager(migration_id=ID, app_name="survey", description=DESCRIPTION)

    async def create() -> None:
        engine = engine_finder()
        if engine.engine_type == "postgres":
            await engine.run_ddl("ALTER TABLE sessions ADD COLUMN IF NOT EXISTS device TEXT NOT NULL DEFAULT ''")
        elif not await engine.run_ddl("SELECT 1 FROM pragma_table_info('sessions') WHERE name = 'device'"):
            # SQLite has no IF NOT EXISTS for columns, and a statement may be run again.
            await engine.run_ddl("ALTER TABLE sessions ADD COLUMN device TEXT NOT NULL DEFAULT ''")
        for statement in STATEMENTS:
            await engine.run_ddl(statement)

    manager.add_raw(create)
    return manager
