"""The engine of this process, for the modules of this room."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from piccolo.querystring import QueryString

from survey.storage import piccolo_conf


def transaction() -> Any:
    """All or nothing: a context in which every statement of this task belongs together."""
    return piccolo_conf.DB.transaction()


def is_postgres() -> bool:
    """Does the open database run on PostgreSQL?"""
    return bool(piccolo_conf.DB.engine_type == "postgres")


async def take_turn(log: str) -> None:
    """Wait until no other process appends to the log of that name; held until the transaction ends.

    On SQLite a transaction holds the only connection there is, so nobody else can be appending.
    """
    if is_postgres():
        await piccolo_conf.DB.run_querystring(
            QueryString("SELECT pg_advisory_xact_lock(hashtext({}))", f"survey.{log}")
        )


@asynccontextmanager
async def hold(name: str) -> AsyncIterator[bool]:
    """Hold a name among all processes until the block ends, or this process does; False where another holds it.

    On SQLite one process owns the data folder, so nobody else can hold anything.
    """
    if not is_postgres():
        yield True
        return
    async with piccolo_conf.DB.hold(f"survey.{name}") as alone:
        yield alone


async def try_write() -> None:
    """Take the right to write and give it back; whatever stands in the way is raised."""
    async with transaction():
        if is_postgres():
            await piccolo_conf.DB.run_querystring(QueryString("SELECT pg_current_xact_id()"))


async def database_now() -> datetime | None:
    """The clock of the database server; None where the database is a file of this machine."""
    if not is_postgres():
        return None
    rows = await piccolo_conf.DB.run_querystring(QueryString("SELECT clock_timestamp() AS now"))
    found: datetime = rows[0]["now"]
    return found
