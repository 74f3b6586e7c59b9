"""All tables of a PostgreSQL database as files, and back into an empty one.

One read-only transaction at REPEATABLE READ sees every schema as of one instant, also while
several servers write. Each table is one file in PostgreSQL's own binary COPY format; the
structure is made again by migrations, so a copy goes back into any release of the server.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import asyncpg

from survey.certification.transparency_log import CompactTree
from survey.errors import SurveyError
from survey.storage.postgres_engine import SERVER_SETTINGS
from survey.storage.postgres_schema import PREFIX, make_schema

CONTENTS, OFFICE_SCHEMA, MIGRATIONS = "tables.json", "public", "migration"
TABLES = """
    SELECT n.nspname AS schema, c.relname AS name,
        (SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_attribute a
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND (n.nspname = 'public' OR starts_with(n.nspname, $1))
    ORDER BY 1, 2
"""
NEEDS = """
    SELECT c.relname AS name, f.relname AS needs FROM pg_constraint k
    JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class f ON f.oid = k.confrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE k.contype = 'f' AND n.nspname = 'public' AND c.oid <> f.oid
"""
SEQUENCES = """
    SELECT sequencename AS name, last_value AS last FROM pg_sequences
    WHERE schemaname = 'public' AND last_value IS NOT NULL
"""
PATIENT = {**SERVER_SETTINGS, "statement_timeout": "0", "idle_in_transaction_session_timeout": "0"}


class NotEmptyError(SurveyError):
    """The database that a backup is to be restored into holds something already."""

    code = "backup.database_not_empty"
    kind = "conflict"

    def __init__(self, what: str) -> None:
        super().__init__("要恢复到的数据库", f"不是空的（有{what}）", "新建一个空的数据库，再恢复到那里")


class OtherStructureError(SurveyError):
    """The backup was made by another release, whose tables are not these."""

    code = "backup.other_structure"
    kind = "conflict"

    def __init__(self, differing: str) -> None:
        super().__init__(
            "备份", f"是另一个版本做的（结构差在{differing}）", "用做备份的那个版本恢复，然后再升级"
        )


async def copy_out(url: str, folder: Path, left_out: Collection[str] = ()) -> dict[str, dict[str, Any]]:
    """Write every table into a folder; what each wave's log held at that instant.

    Args:
        left_out: waves of which nothing is written; the office's own rows of them are.
    """
    connection = await asyncpg.connect(url, server_settings=PATIENT)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            every = [dict(row) for row in await connection.fetch(TABLES, PREFIX)]
            tables = [
                one for one in every
                if one["schema"] == OFFICE_SCHEMA or _wave(one["schema"]) not in left_out
            ]  # fmt: skip
            for table in tables:
                place = folder / table["schema"]
                place.mkdir(exist_ok=True, mode=0o700)
                await connection.copy_from_table(
                    table["name"],
                    schema_name=table["schema"],
                    columns=table["columns"],
                    output=place / f"{table['name']}.copy",
                    format="binary",
                )
            contents = {
                "tables": tables,
                "sequences": {row["name"]: row["last"] for row in await connection.fetch(SEQUENCES)},
                "migrations": await _migrations(connection),
            }
            (folder / CONTENTS).write_text(json.dumps(contents), encoding="utf-8")
            schemas = sorted({table["schema"] for table in tables} - {OFFICE_SCHEMA})
            return {_wave(schema): await _facts(connection, schema) for schema in schemas}
    finally:
        await connection.close()


async def copy_in(url: str, folder: Path) -> None:
    """Fill a freshly migrated, otherwise empty database from a folder, whole or not at all.

    Raises:
        OtherStructureError: the migrations are not those of the backup. NotEmptyError.
    """
    contents = json.loads((folder / CONTENTS).read_text(encoding="utf-8"))
    connection = await asyncpg.connect(url, server_settings=PATIENT)
    try:
        async with connection.transaction():
            if differing := sorted(set(await _migrations(connection)) ^ set(contents["migrations"])):
                raise OtherStructureError(differing[0])
            await refuse_unless_empty(connection)
            schemas = sorted({table["schema"] for table in contents["tables"]} - {OFFICE_SCHEMA})
            for schema in schemas:
                await make_schema(connection, _wave(schema))
            needs = [(row["name"], row["needs"]) for row in await connection.fetch(NEEDS)]
            for table in in_order(contents["tables"], needs):
                # The guards of a wave's tables look for its row under the search path.
                await connection.execute("SELECT set_config('search_path', $1, true)", table["schema"])
                await connection.copy_to_table(
                    table["name"],
                    schema_name=table["schema"],
                    columns=table["columns"],
                    source=folder / table["schema"] / f"{table['name']}.copy",
                    format="binary",
                )
            await connection.execute("SELECT set_config('search_path', $1, true)", OFFICE_SCHEMA)
            for name, last in contents["sequences"].items():
                await connection.execute("SELECT setval($1::text::regclass, $2)", name, last)
    finally:
        await connection.close()


async def refuse_unless_empty(connection: Any) -> None:
    """Refuse a database with a wave, an account or an act in it.

    Raises:
        NotEmptyError: names what there is.
    """
    found = await connection.fetchrow(
        "SELECT (SELECT count(*) FROM public.waves) AS waves, (SELECT count(*) FROM public.accounts) AS accounts,"
        " (SELECT count(*) FROM public.audit_trail) AS acts"
    )
    for name, what in (("waves", "调查"), ("accounts", "账号"), ("acts", "操作记录")):
        if found[name]:
            raise NotEmptyError(f"{found[name]}{'条' if name == 'acts' else '个'}{what}")


def in_order(tables: list[dict[str, Any]], needs: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """Tables so that each comes after those it refers to; a wave's own row last in its schema.

    The row of `about` says whether the wave is open, and nothing is appended to one that is not.

    >>> [one["name"] for one in in_order([{"schema": "public", "name": n} for n in ("a", "b")], [("a", "b")])]
    ['b', 'a']
    """
    office = {table["name"]: table for table in tables if table["schema"] == OFFICE_SCHEMA}
    office.pop(MIGRATIONS, None)
    placed: list[str] = []
    while len(placed) < len(office):
        ready = [
            name
            for name in office
            if name not in placed
            and all(other in placed or other not in office for one, other in needs if one == name)
        ]
        placed += ready or [name for name in office if name not in placed]
    intakes = [table for table in tables if table["schema"] != OFFICE_SCHEMA]
    return [office[name] for name in placed] + sorted(intakes, key=lambda table: table["name"] == "about")


def _wave(schema: str) -> str:
    return schema.removeprefix(PREFIX).replace("_", "-")


async def _migrations(connection: Any) -> list[str]:
    return sorted(row["name"] for row in await connection.fetch("SELECT name FROM public.migration"))


async def _facts(connection: Any, schema: str) -> dict[str, Any]:
    await connection.execute("SELECT set_config('search_path', $1, true)", schema)
    tree = CompactTree()
    async for row in connection.cursor('SELECT leaf FROM leaves ORDER BY "index"', prefetch=5000):
        tree.add(row["leaf"])
    return {
        "state": await connection.fetchval("SELECT state FROM about"),
        "size": tree.size,
        "root": tree.root().hex(),
        "used": int(
            await connection.fetchval(
                "SELECT (SELECT count(*) FROM slips WHERE state IN ('used', 'disputed'))"
                " + (SELECT coalesce(sum(used), 0) FROM posters)"
            )
        ),
        "head": await connection.fetchval("SELECT note FROM heads ORDER BY size DESC LIMIT 1"),
    }
