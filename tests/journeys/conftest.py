"""The demonstration wave, run once on each database for all journeys."""

from __future__ import annotations

import asyncio
import socket
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from survey.cli.demo import demonstrate
from survey.settings import Settings, load_settings

SEED = "7"


@dataclass(frozen=True)
class Demonstration:
    """A finished demonstration: where it lies and what it printed."""

    settings: Settings
    report: dict[str, Any]


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


def demonstrated(folder: Path, database_url: str | None = None) -> Demonstration:
    settings = load_settings(
        {}, data=folder, database_url=database_url, port=free_port(), least_free_share=0.0
    )
    return Demonstration(settings, asyncio.run(demonstrate(settings, SEED, quiet=True)))


@pytest.fixture(scope="session")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Demonstration:
    """The demonstration on an embedded SQLite file."""
    return demonstrated(tmp_path_factory.mktemp("sqlite") / "data")


@pytest.fixture(scope="session")
def on_postgres(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: str
) -> Iterator[Demonstration]:
    """The same on a PostgreSQL server."""
    name = f"demo_{uuid.uuid4().hex[:12]}"
    asyncio.run(_execute(postgres_server, f'CREATE DATABASE "{name}"'))
    parts = urlsplit(postgres_server)
    url = (
        postgres_server.replace("@/postgres", f"@/{name}", 1)
        if "@/" in postgres_server
        else urlunsplit(parts._replace(path=f"/{name}"))
    )
    yield demonstrated(tmp_path_factory.mktemp("postgres") / "data", url)
    asyncio.run(_execute(postgres_server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
