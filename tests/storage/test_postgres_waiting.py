"""What PostgreSQL may make an intake wait for: a held row, a cut connection, a server that stays away."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, date, datetime
from typing import Any

import asyncpg
import pytest

from survey.certification.sealing import leaf
from survey.settings import Settings
from survey.storage.gathering import Gathering
from survey.storage.intake import About, Accepted, BusyError, Entry, Sealed
from survey.storage.intake_postgres import PostgresIntake, create_schema
from survey.storage.postgres_engine import SERVER_SETTINGS
from survey.storage.postgres_schema import schema_of

WAVE = "wave-1"
SLIPS = [bytes([number]) * 32 for number in range(1, 9)]


def entry(number: int) -> Entry:
    k, c = os.urandom(32), os.urandom(32)
    return Entry(k, SLIPS[number], Sealed("0001-P", c, bytes(64), leaf(c, "0001-P", k)))


@pytest.fixture
async def intake(postgres_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setitem(SERVER_SETTINGS, "lock_timeout", "100")
    url = postgres_settings.database_url
    await create_schema(
        url, About(WAVE, "a.example/w", None, date(2026, 11, 24)), [(e, "0001-P") for e in SLIPS]
    )
    opened = PostgresIntake(url, WAVE, bytes(32), lambda: datetime(2026, 11, 25, tzinfo=UTC))
    await opened.start()
    await opened.set_state(["planned"], "open")
    yield opened
    await opened.stop()


@pytest.fixture
async def stranger(postgres_settings: Settings, intake: PostgresIntake) -> Any:
    """Somebody else's connection to the same schema."""
    connection = await asyncpg.connect(postgres_settings.database_url)
    await connection.execute(f'SET search_path TO "{schema_of(WAVE)}"')
    yield connection
    await connection.close()


async def test_every_connection_has_its_limits(intake: PostgresIntake) -> None:
    for name, limit in (("statement_timeout", "30s"), ("idle_in_transaction_session_timeout", "1min")):
        assert await intake._value(f"SHOW {name}") == limit
    assert await intake._value("SHOW synchronous_commit") == "on"


async def test_a_held_row_is_waited_for_again_and_again_and_then_taken_once(
    intake: PostgresIntake, stranger: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    fourth, rest = asyncio.Event(), asyncio.sleep

    async def noted(delay: float) -> None:
        pauses.append(delay)
        if len(pauses) == 4:
            fourth.set()
        await rest(delay)

    monkeypatch.setattr(asyncio, "sleep", noted)
    async with stranger.transaction():
        await stranger.execute("SELECT 1 FROM about FOR UPDATE")
        waiting = asyncio.create_task(intake.submit(entry(0)))
        await asyncio.wait_for(fourth.wait(), 60)
        assert not waiting.done()

    assert isinstance(await waiting, Accepted)
    assert len(await intake.leaves()) == 1
    assert pauses[:4] == [0.05, 0.1, 0.2, 0.4], "each pause is longer than the last"


async def test_a_row_that_stays_held_is_given_up_in_words(
    intake: PostgresIntake, stranger: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("survey.storage.intake_postgres.PATIENCE", 0.3)
    async with stranger.transaction():
        await stranger.execute("SELECT 1 FROM about FOR UPDATE")
        with pytest.raises(BusyError) as refused:
            await intake.submit(entry(0))

    assert refused.value.retry_after == 10
    assert await intake.leaves() == []
    assert isinstance(await intake.submit(entry(0)), Accepted)


async def test_cut_connections_are_opened_again(intake: PostgresIntake, stranger: Any) -> None:
    first = await intake.submit(entry(0))
    cut = await stranger.fetchval(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE application_name = 'survey-intake' AND datname = current_database()"
    )
    second = await intake.submit(entry(1))

    assert cut >= 1
    assert isinstance(first, Accepted) and isinstance(second, Accepted)
    assert (first.index, second.index) == (0, 1)


async def test_a_batch_makes_four_round_trips(
    intake: PostgresIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    async with intake._pool.acquire() as connection:
        connection.add_query_logger(lambda record: asked.append(record.query))
        monkeypatch.setattr(intake, "_pool", Lent(connection))
        await intake._commit([entry(0)])  # the first of a connection learns the types
        await asyncio.sleep(0)  # the logger is told behind the query
        asked.clear()
        told = await intake._commit([entry(number) for number in range(1, 6)])
        await asyncio.sleep(0)
        monkeypatch.undo()

    assert all(isinstance(one, Accepted) for one in told)
    assert len(asked) == 4, asked


class Lent:
    """A pool of one connection, given out and not taken back."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def acquire(self) -> Lent:
        return self

    async def __aenter__(self) -> Any:
        return self._connection

    async def __aexit__(self, *_: object) -> None:
        return None


async def test_questions_that_arrive_together_go_together() -> None:
    looks: list[list[bytes]] = []

    async def look(keys: list[bytes]) -> dict[bytes, int]:
        looks.append(keys)
        await asyncio.sleep(0)
        if b"bad" in keys:
            raise BusyError()
        return {key: len(key) for key in keys if key != b"none"}

    door = Gathering(look)
    found = await asyncio.gather(*(door.ask(key) for key in (b"a", b"bb", b"a", b"none")))
    assert found == [1, 2, 1, None]
    assert looks == [[b"a", b"bb", b"none"]]

    left = asyncio.create_task(door.ask(b"ccc"))
    stays = asyncio.create_task(door.ask(b"ccc"))
    await asyncio.sleep(0)
    left.cancel()
    assert await stays == 3

    with pytest.raises(BusyError):
        await door.ask(b"bad")
    assert await door.ask(b"dddd") == 4
