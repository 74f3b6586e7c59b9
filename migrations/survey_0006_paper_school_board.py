"""Paper forms between two passes, what a school's contact may do, and the message board."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-25T08:45:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "paper entry, school pages, message board"

TABLES = (
    # A first pass, sealed to a key outside the database until the second agrees; then it is gone.
    """CREATE TABLE IF NOT EXISTS paper_entries (
        wave TEXT NOT NULL REFERENCES waves (wave),
        slip TEXT NOT NULL,
        clerk TEXT NOT NULL REFERENCES accounts (name),
        c TEXT NOT NULL,
        box TEXT NOT NULL,
        entered_on TEXT NOT NULL,
        PRIMARY KEY (wave, slip))""",
    """CREATE TABLE IF NOT EXISTS school_links (
        digest TEXT NOT NULL PRIMARY KEY,
        wave TEXT NOT NULL REFERENCES waves (wave),
        school_code TEXT NOT NULL,
        contact TEXT NOT NULL,
        expires_at TIMESTAMPTZ NOT NULL,
        used_at TIMESTAMPTZ)""",
    """CREATE TABLE IF NOT EXISTS school_sessions (
        digest TEXT NOT NULL PRIMARY KEY,
        wave TEXT NOT NULL REFERENCES waves (wave),
        school_code TEXT NOT NULL,
        contact TEXT NOT NULL,
        started_at TIMESTAMPTZ NOT NULL,
        seen_at TIMESTAMPTZ NOT NULL,
        expires_at TIMESTAMPTZ NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS handouts (
        wave TEXT NOT NULL REFERENCES waves (wave),
        school_code TEXT NOT NULL,
        respondent_group TEXT NOT NULL,
        class_name TEXT NOT NULL,
        n INTEGER NOT NULL CHECK (n BETWEEN 1 AND 10000),
        handed_out_on TEXT NOT NULL,
        PRIMARY KEY (wave, school_code, respondent_group, class_name))""",
    """CREATE TABLE IF NOT EXISTS spare_requests (
        id TEXT NOT NULL PRIMARY KEY,
        wave TEXT NOT NULL REFERENCES waves (wave),
        school_code TEXT NOT NULL,
        respondent_group TEXT NOT NULL,
        n INTEGER NOT NULL CHECK (n BETWEEN 1 AND 50),
        reason TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('asked', 'granted', 'declined')),
        asked_at TIMESTAMPTZ NOT NULL,
        decided_by TEXT,
        decided_at TIMESTAMPTZ)""",
    # No key leads from a message to an answer, a slip or a person; its id is random, its date a day.
    """CREATE TABLE IF NOT EXISTS board_messages (
        id TEXT NOT NULL PRIMARY KEY,
        wave TEXT NOT NULL REFERENCES waves (wave),
        respondent_group TEXT NOT NULL,
        text TEXT NOT NULL,
        received_on TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('held', 'proposed', 'released', 'withheld')),
        cleared TEXT NOT NULL,
        theme TEXT NOT NULL,
        cleared_by TEXT,
        released_by TEXT,
        CHECK (released_by IS NULL OR (cleared_by IS NOT NULL AND released_by <> cleared_by)))""",
)


async def forwards() -> MigrationManager:
    """The manager that creates the tables."""
    manager = MigrationManager(migration_id=ID, app_name="survey", description=DESCRIPTION)

    async def create() -> None:
        engine = engine_finder()
        for statement in TABLES:
            await engine.run_ddl(statement)

    manager.add_raw(create)
    return manager
