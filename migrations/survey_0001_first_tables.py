"""Every table of the first release, in SQL that SQLite and PostgreSQL both accept.

Each statement may be run again: Piccolo notes a migration as done after its transaction,
and a process that dies in between meets its own tables at the next start.
"""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-24T04:00:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "the tables of the first release"

TABLES = (
    """CREATE TABLE IF NOT EXISTS waves (
        wave TEXT NOT NULL PRIMARY KEY,
        title TEXT NOT NULL,
        county TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('draft', 'framed', 'drawn', 'planned', 'open', 'paused',
                                             'closed', 'opened', 'estimated', 'certified')),
        demonstration BOOLEAN NOT NULL,
        created_at TIMESTAMPTZ NOT NULL,
        changed_at TIMESTAMPTZ NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS plans (
        wave TEXT NOT NULL PRIMARY KEY REFERENCES waves (wave),
        document TEXT NOT NULL,
        digest TEXT NOT NULL,
        saved_at TIMESTAMPTZ NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS frames (
        wave TEXT NOT NULL PRIMARY KEY REFERENCES waves (wave),
        document TEXT NOT NULL,
        digest TEXT NOT NULL,
        filename TEXT NOT NULL,
        saved_at TIMESTAMPTZ NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS column_maps (
        name TEXT NOT NULL PRIMARY KEY,
        document TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS samples (
        wave TEXT NOT NULL PRIMARY KEY REFERENCES waves (wave),
        document TEXT NOT NULL,
        digest TEXT NOT NULL,
        saved_at TIMESTAMPTZ NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS cases (
        wave TEXT NOT NULL REFERENCES waves (wave),
        c TEXT NOT NULL,
        record TEXT NOT NULL,
        PRIMARY KEY (wave, c))""",
    """CREATE TABLE IF NOT EXISTS results (
        wave TEXT NOT NULL PRIMARY KEY REFERENCES waves (wave),
        document TEXT NOT NULL,
        digest TEXT NOT NULL,
        saved_at TIMESTAMPTZ NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS evidence (
        wave TEXT NOT NULL REFERENCES waves (wave),
        name TEXT NOT NULL,
        text TEXT NOT NULL,
        digest TEXT NOT NULL,
        saved_at TIMESTAMPTZ NOT NULL,
        PRIMARY KEY (wave, name))""",
    """CREATE TABLE IF NOT EXISTS registry_leaves (
        position INTEGER NOT NULL PRIMARY KEY,
        leaf TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS registry_heads (
        size INTEGER NOT NULL PRIMARY KEY,
        note TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS certificates (
        wave TEXT NOT NULL REFERENCES waves (wave),
        number INTEGER NOT NULL UNIQUE,
        short TEXT NOT NULL UNIQUE,
        document TEXT NOT NULL,
        saved_at TIMESTAMPTZ NOT NULL,
        PRIMARY KEY (wave, number))""",
    """CREATE TABLE IF NOT EXISTS accounts (
        name TEXT NOT NULL PRIMARY KEY,
        display TEXT NOT NULL,
        password TEXT,
        active BOOLEAN NOT NULL,
        created_at TIMESTAMPTZ NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS account_roles (
        account TEXT NOT NULL REFERENCES accounts (name),
        role TEXT NOT NULL CHECK (role IN ('admin', 'operator', 'reviewer', 'approver', 'auditor')),
        PRIMARY KEY (account, role))""",
    """CREATE TABLE IF NOT EXISTS sign_in_links (
        digest TEXT NOT NULL PRIMARY KEY,
        account TEXT NOT NULL REFERENCES accounts (name),
        expires_at TIMESTAMPTZ NOT NULL,
        used_at TIMESTAMPTZ)""",
    """CREATE TABLE IF NOT EXISTS sessions (
        digest TEXT NOT NULL PRIMARY KEY,
        account TEXT NOT NULL REFERENCES accounts (name),
        started_at TIMESTAMPTZ NOT NULL,
        seen_at TIMESTAMPTZ NOT NULL,
        expires_at TIMESTAMPTZ NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS api_tokens (
        digest TEXT NOT NULL PRIMARY KEY,
        account TEXT NOT NULL REFERENCES accounts (name),
        label TEXT NOT NULL,
        scopes TEXT NOT NULL,
        created_at TIMESTAMPTZ NOT NULL,
        expires_at TIMESTAMPTZ NOT NULL,
        revoked_at TIMESTAMPTZ)""",
    """CREATE TABLE IF NOT EXISTS audit_trail (
        position INTEGER NOT NULL PRIMARY KEY,
        document TEXT NOT NULL,
        digest TEXT NOT NULL)""",
)

SQLITE_GUARDS = (
    """CREATE TRIGGER IF NOT EXISTS audit_trail_is_never_changed BEFORE UPDATE ON audit_trail
       BEGIN SELECT RAISE(ABORT, 'append-only'); END""",
    """CREATE TRIGGER IF NOT EXISTS audit_trail_is_never_shortened BEFORE DELETE ON audit_trail
       BEGIN SELECT RAISE(ABORT, 'append-only'); END""",
    """CREATE TRIGGER IF NOT EXISTS registry_is_never_changed BEFORE UPDATE ON registry_leaves
       BEGIN SELECT RAISE(ABORT, 'append-only'); END""",
    """CREATE TRIGGER IF NOT EXISTS registry_is_never_shortened BEFORE DELETE ON registry_leaves
       BEGIN SELECT RAISE(ABORT, 'append-only'); END""",
    """CREATE TRIGGER IF NOT EXISTS evidence_is_never_changed BEFORE UPDATE ON evidence
       BEGIN SELECT RAISE(ABORT, 'append-only'); END""",
)

POSTGRES_GUARDS = (
    """CREATE OR REPLACE FUNCTION survey_append_only() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION 'append-only'; END $$""",
    """CREATE OR REPLACE TRIGGER audit_trail_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE
       ON audit_trail EXECUTE FUNCTION survey_append_only()""",
    """CREATE OR REPLACE TRIGGER registry_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE
       ON registry_leaves EXECUTE FUNCTION survey_append_only()""",
    """CREATE OR REPLACE TRIGGER evidence_is_never_changed BEFORE UPDATE OR TRUNCATE
       ON evidence EXECUTE FUNCTION survey_append_only()""",
)


async def forwards() -> MigrationManager:
    """The manager that creates the tables and the guards of the append-only ones."""
    manager = MigrationManager(migration_id=ID, app_name="survey", description=DESCRIPTION)

    async def create() -> None:
        engine = engine_finder()
        guards = POSTGRES_GUARDS if engine.engine_type == "postgres" else SQLITE_GUARDS
        for statement in (*TABLES, *guards):
            await engine.run_ddl(statement)

    manager.add_raw(create)
    return manager
