"""Call-backs: who was drawn to be called, apart from what the called said; both end when answers are opened."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-25T09:55:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "call-backs"

# A ticket is spent once and no key leads from it to what was said. Without a rowid, SQLite keeps
# the answers by their random key, which is no order in time.
TABLES = (
    """CREATE TABLE IF NOT EXISTS callback_tickets (
        wave TEXT NOT NULL REFERENCES waves (wave),
        ticket TEXT NOT NULL,
        domain TEXT NOT NULL,
        spent INTEGER NOT NULL CHECK (spent IN (0, 1)),
        PRIMARY KEY (wave, ticket)){without_rowid}""",
    """CREATE TABLE IF NOT EXISTS callbacks (
        wave TEXT NOT NULL REFERENCES waves (wave),
        id TEXT NOT NULL,
        domain TEXT NOT NULL,
        outcome TEXT NOT NULL CHECK (outcome IN ('interviewed', 'refused', 'not_reached')),
        called_on TEXT NOT NULL,
        answer INTEGER,
        CHECK (answer IS NULL OR outcome = 'interviewed'),
        PRIMARY KEY (wave, id)){without_rowid}""",
)
OPENED = "EXISTS (SELECT 1 FROM evidence WHERE evidence.wave = NEW.wave AND evidence.name = 'opening.note')"
KEPT = "(SELECT state FROM waves WHERE waves.wave = OLD.wave) <> 'certified'"
SQLITE_GUARDS = (
    *(
        f"""CREATE TRIGGER IF NOT EXISTS {table}_end_at_opening_{event.lower()} BEFORE {event} ON {table}
           WHEN {OPENED} BEGIN SELECT RAISE(ABORT, 'opened'); END"""
        for table in ("callback_tickets", "callbacks")
        for event in ("INSERT", "UPDATE")
    ),
    *(
        f"""CREATE TRIGGER IF NOT EXISTS {table}_are_kept BEFORE DELETE ON {table}
           WHEN {KEPT} BEGIN SELECT RAISE(ABORT, 'append-only'); END"""
        for table in ("callback_tickets", "callbacks")
    ),
    """CREATE TRIGGER IF NOT EXISTS callbacks_are_never_changed BEFORE UPDATE ON callbacks
       BEGIN SELECT RAISE(ABORT, 'append-only'); END""",
)
POSTGRES_GUARDS = (
    f"""CREATE OR REPLACE FUNCTION survey_callbacks_end() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN
         IF TG_OP = 'DELETE' THEN
           IF {KEPT} THEN RAISE EXCEPTION 'append-only'; END IF;
           RETURN OLD;
         END IF;
         IF {OPENED} THEN RAISE EXCEPTION 'opened'; END IF;
         RETURN NEW;
       END $$""",
    *(
        f"""CREATE OR REPLACE TRIGGER {table}_end_at_opening BEFORE INSERT OR UPDATE OR DELETE ON {table}
           FOR EACH ROW EXECUTE FUNCTION survey_callbacks_end()"""
        for table in ("callback_tickets", "callbacks")
    ),
    """CREATE OR REPLACE TRIGGER callbacks_are_never_changed BEFORE UPDATE OR TRUNCATE
       ON callbacks EXECUTE FUNCTION survey_append_only()""",
)


async def forwards() -> MigrationManager:
    """The manager that creates the tables and their guards."""
    manager = MigrationManager(migration_id=ID, app_name="survey", description=DESCRIPTION)

    async def create() -> None:
        engine = engine_finder()
        is_postgres = engine.engine_type == "postgres"
        for statement in TABLES:
            await engine.run_ddl(statement.format(without_rowid="" if is_postgres else " WITHOUT ROWID"))
        for statement in POSTGRES_GUARDS if is_postgres else SQLITE_GUARDS:
            await engine.run_ddl(statement)

    manager.add_raw(create)
    return manager
