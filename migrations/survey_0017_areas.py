"""Responsibility areas below the county: which school of a wave lies in which, and what accounts see of it.

Every frame's schools get a row of their own, so that an account of one area or one school finds
its waves without reading frames. A problem of the ledger may be about a school or an area, and an
account may be a school's contact.
"""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-25T15:40:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "responsibility areas of schools"

TABLES = (
    """CREATE TABLE IF NOT EXISTS school_areas (
    wave TEXT NOT NULL REFERENCES waves (wave),
    school_code TEXT NOT NULL,
    area TEXT,
    PRIMARY KEY (wave, school_code))""",
    "CREATE INDEX IF NOT EXISTS school_areas_area ON school_areas (area, wave)",
    "CREATE INDEX IF NOT EXISTS school_areas_school ON school_areas (school_code, wave)",
)
COLUMNS = (("local_divisions", "ended_on", "TEXT"), ("ledger_entries", "about", "TEXT NOT NULL DEFAULT ''"))
SCHOOLS = """SELECT a.account AS account, s.wave AS wave, s.school_code AS school_code, s.area AS area
    FROM account_divisions a JOIN school_areas s ON s.area = a.division
    JOIN local_divisions d ON d.code = s.area AND d.ended_on IS NULL
    UNION ALL SELECT a.account, s.wave, s.school_code, NULL
    FROM account_divisions a JOIN school_areas s ON s.school_code = a.division"""
ROLES = "role IN ('admin', 'operator', 'reviewer', 'approver', 'auditor', 'contact')"
SQLITE_ROLES = (
    f"""CREATE TABLE account_roles_new (
    account TEXT NOT NULL REFERENCES accounts (name),
    role TEXT NOT NULL CHECK ({ROLES}),
    PRIMARY KEY (account, role))""",
    "INSERT INTO account_roles_new (account, role) SELECT account, role FROM account_roles",
    "DROP TABLE account_roles",
    "ALTER TABLE account_roles_new RENAME TO account_roles",
)
POSTGRES_ROLES = (
    "ALTER TABLE account_roles DROP CONSTRAINT IF EXISTS account_roles_role_check",
    f"ALTER TABLE account_roles ADD CONSTRAINT account_roles_role_check CHECK ({ROLES})",
)
SQLITE = (
    f"CREATE VIEW IF NOT EXISTS account_schools AS {SCHOOLS}",
    """INSERT OR IGNORE INTO school_areas (wave, school_code)
       SELECT frames.wave, json_extract(school.value, '$.code')
       FROM frames, json_each(frames.document, '$.schools') AS school""",
)
POSTGRES = (
    f"CREATE OR REPLACE VIEW account_schools AS {SCHOOLS}",
    """INSERT INTO school_areas (wave, school_code)
       SELECT frames.wave, school ->> 'code'
       FROM frames, json_array_elements(frames.document::json -> 'schools') AS school
       ON CONFLICT DO NOTHING""",
)


async def forwards() -> MigrationManager:
    """The manager that makes table, columns and view, and lists the schools of frames that are there."""
    manager = MigrationManager(migration_id=ID, app_name="survey", description=DESCRIPTION)

    async def create() -> None:
        engine = engine_finder()
        is_postgres = engine.engine_type == "postgres"
        for statement in TABLES:
            await engine.run_ddl(statement)
        for table, column, kind in COLUMNS:
            if is_postgres:
                await engine.run_ddl(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {column} {kind}")
            elif not await engine.run_ddl(f"SELECT 1 FROM pragma_table_info('{table}') WHERE name = '{column}'"):
                # SQLite has no IF NOT EXISTS for columns, and a statement may be run again.
                await engine.run_ddl(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
        for statement in POSTGRES if is_postgres else SQLITE:
            await engine.run_ddl(statement)
        # SQLite cannot change a check; the table is written anew, once.
        if is_postgres:
            statements: tuple[str, ...] = POSTGRES_ROLES
        elif await engine.run_ddl("SELECT 1 FROM sqlite_master WHERE name = 'account_roles' AND sql LIKE '%contact%'"):
            statements = ()
        else:
            statements = SQLITE_ROLES
        for statement in statements:
            await engine.run_ddl(statement)

    manager.add_raw(create)
    return manager
