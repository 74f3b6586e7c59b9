"""How often a webhook's secret was changed, and when last: for a day both the old and the new one sign.

Alike on SQLite and PostgreSQL.
"""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-26T02:50:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "changes of a webhook's secret"

COLUMNS = {"turns": "INTEGER NOT NULL DEFAULT 0", "turned_at": "TIMESTAMPTZ"}


async def forwards() -> MigrationManager:
    """The manager that adds both columns."""
    manager = MigrationManager(migration_id=ID, app_name="survey", description=DESCRIPTION)

    async def create() -> None:
        engine = engine_finder()
        for name, kind in COLUMNS.items():
            if engine.engine_type == "postgres":
                await engine.run_ddl(f"ALTER TABLE webhooks ADD COLUMN IF NOT EXISTS {name} {kind}")
            elif not await engine.run_ddl(f"SELECT 1 FROM pragma_table_info('webhooks') WHERE name = '{name}'"):
                # SQLite has no IF NOT EXISTS for columns, and a statement may be run again.
                await engine.run_ddl(f"ALTER TABLE webhooks ADD COLUMN {name} {kind}")

    manager.add_raw(create)
    return manager
