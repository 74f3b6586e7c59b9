"""The schema of one wave's intake on PostgreSQL: named, created, listed.

Every connection of an intake carries its schema as `search_path`, so the statements are the
same for every wave and none is ever put together from strings.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg

from survey.storage.intake import About
from survey.storage.intake_sql import intake_sql
from survey.storage.postgres_engine import SERVER_SETTINGS

PREFIX = "intake_"
CREATE_SCHEMA = "DO $$ BEGIN EXECUTE format('CREATE SCHEMA %I', current_setting('survey.schema')); END $$"

DROP_SCHEMA = "DO $$ BEGIN EXECUTE format('DROP SCHEMA %I CASCADE', current_setting('survey.schema')); END $$"


def schema_of(wave: str) -> str:
    """The schema's name; a wave's name has no underscore, so no two waves share one."""
    return PREFIX + wave.replace("-", "_")


def connection_settings(wave: str) -> dict[str, str]:
    """What every connection of an intake is told when it is opened."""
    return {
        **SERVER_SETTINGS,
        "search_path": schema_of(wave),
        "synchronous_commit": "on",
        "application_name": "survey-intake",
    }


async def create_schema(url: str, about: About, slips: Sequence[tuple[bytes, str]]) -> None:
    """A new intake, whole or not at all."""
    connection = await asyncpg.connect(url, server_settings=connection_settings(about.wave))
    try:
        async with connection.transaction():
            await make_schema(connection, about.wave)
            await connection.execute(
                "INSERT INTO about (wave, document, state) VALUES ($1, $2, 'planned')",
                about.wave,
                about.text(),
            )
            await connection.executemany(
                "INSERT INTO posters VALUES ($1, $2, $3, $4, 0)",
                [(p.domain, p.mode, p.quota, p.surplus) for p in about.posters],
            )
            await connection.copy_records_to_table(
                "slips",
                records=[(e, domain, "unused") for e, domain in sorted(slips)],
                columns=["e", "domain", "state"],
            )
    finally:
        await connection.close()


async def make_schema(connection: Any, wave: str) -> None:
    """The empty tables of a wave, in the transaction of whoever calls."""
    await connection.execute("SELECT set_config('survey.schema', $1, true)", schema_of(wave))
    await connection.execute(CREATE_SCHEMA)
    await connection.execute("SELECT set_config('search_path', $1, true)", schema_of(wave))
    await connection.execute(intake_sql("0001_postgres"))
    await connection.execute(intake_sql("0002_postgres"))


async def drop_schema(url: str, wave: str) -> None:
    """Remove an intake that never took an answer."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute("SELECT set_config('survey.schema', $1, true)", schema_of(wave))
            await connection.execute(DROP_SCHEMA)
    finally:
        await connection.close()


async def list_schemas(url: str) -> list[str]:
    """The waves that have an intake in this database."""
    connection = await asyncpg.connect(url)
    try:
        rows: list[Any] = await connection.fetch(
            "SELECT schema_name FROM information_schema.schemata WHERE starts_with(schema_name, $1) ORDER BY 1",
            PREFIX,
        )
    finally:
        await connection.close()
    return [row["schema_name"].removeprefix(PREFIX).replace("_", "-") for row in rows]
