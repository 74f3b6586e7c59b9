"""A start reads what came after the frontier; the rest is read behind it, and what is found there counts."""

from __future__ import annotations

import asyncio
import importlib.util
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from survey.certification.transparency_log import MerkleTree
from survey.settings import Settings
from survey.storage import frontier as frontiers
from survey.storage.database import open_database
from survey.storage.frontier import Frontier, frontier_of
from survey.storage.head_guard import head_of
from survey.storage.intake import Accepted, IntakeBrokenError, IntakeUnreadError, NotOpen
from survey.storage.office import IntakeOffice
from survey.storage.postgres_schema import connection_settings

spec = importlib.util.spec_from_file_location("fielding", Path(__file__).with_name("fielding.py"))
fielding = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fielding)
begin, entry = fielding.begin, fielding.entry
WAVE = "wave-1"
N_ANSWERS = 44


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frontier every sixteen leaves, and no wave so small that a start reads all of it."""
    monkeypatch.setattr(frontiers, "EVERY", 16)
    monkeypatch.setattr("survey.storage.office.WHOLE_AT_START", 0)


async def fielded(settings: Settings) -> tuple[list[bytes], list[bytes]]:
    """A wave with answers in several batches, closed again; its slips and its leaves."""
    office = IntakeOffice(settings)
    await office.start()
    slips = await begin(office, 60)
    for at in range(0, N_ANSWERS, 11):
        await asyncio.gather(*(office.submit(WAVE, entry(e)) for e in slips[at : at + 11]))
    leaves = await office.leaves(WAVE)
    await office.stop()
    return slips, leaves


async def change(settings: Settings, *statements: str) -> None:
    """Change the stopped intake behind the product's back."""
    if settings.database_url:
        connection = await asyncpg.connect(settings.database_url, server_settings=connection_settings(WAVE))
        await connection.execute("ALTER TABLE leaves DISABLE TRIGGER ALL; ALTER TABLE about DISABLE TRIGGER ALL")
        for statement in statements:
            await connection.execute(statement.replace("zeroblob(32)", "decode(repeat('00', 32), 'hex')"))
        await connection.close()
        return
    file = sqlite3.connect(settings.intake / f"{WAVE}.db")
    for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        file.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        file.execute(statement)
    file.commit()
    file.close()


async def stored(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    if settings.database_url:
        connection = await asyncpg.connect(settings.database_url, server_settings=connection_settings(WAVE))
        rows = await connection.fetch(query)
        await connection.close()
        return [tuple(row) for row in rows]
    file = sqlite3.connect(settings.intake / f"{WAVE}.db")
    rows = file.execute(query).fetchall()
    file.close()
    return rows


@asynccontextmanager
async def opened(settings: Settings, **how: Any) -> AsyncIterator[IntakeOffice]:
    office = IntakeOffice(settings)
    await office.start(**how)
    yield office
    await office.stop()


async def flip(settings: Settings, index: int) -> None:
    """Another domain in one leaf; its key stays its own."""
    if settings.database_url:
        what = "convert_to(replace(convert_from(leaf, 'UTF8'), '0001-P', '0001-T'), 'UTF8')"
    else:
        what = "CAST(replace(CAST(leaf AS TEXT), '0001-P', '0001-T') AS BLOB)"
    await change(settings, f'UPDATE leaves SET leaf = {what} WHERE "index" = {index}')


async def test_a_start_goes_on_from_the_frontier_and_the_log_stays_one(settings: Settings) -> None:
    async with open_database(settings):
        slips, _ = await fielded(settings)
        [(size,)] = await stored(settings, "SELECT size FROM frontiers")
        async with opened(settings) as office:
            before = dict(office.resting())
            at_once = [(await office.intake(WAVE).find_slip(e))[1] for e in (slips[0], slips[50])]
            more = await asyncio.gather(*(office.submit(WAVE, entry(e)) for e in slips[N_ANSWERS - 1 : 55]))
            await office.readings.read()
            after = dict(office.resting())
            again = [(await office.intake(WAVE).find_slip(e))[1] for e in (slips[0], slips[50], slips[58])]
            [count] = await office.participation(WAVE)
            tree = MerkleTree.of_leaves(await office.leaves(WAVE))
            last = await office.head(WAVE)

    assert 16 < size < N_ANSWERS and before == after == {}
    assert (at_once, again) == (["used", "unused"], ["used", "used", "unused"])
    assert sum(isinstance(one, Accepted) for one in more) == 11
    assert (count.issued, count.used) == (60, 55) and tree.size == 55
    assert head_of(last).root == tree.root()


async def test_a_leaf_flipped_before_the_frontier_is_found_behind_the_start_and_stays_found(
    settings: Settings,
) -> None:
    async with open_database(settings):
        slips, _ = await fielded(settings)
        await flip(settings, 3)
        async with opened(settings) as office:
            taken = await office.submit(WAVE, entry(slips[50]))
            await office.readings.read()
            [reason] = office.resting().values()
            with pytest.raises(IntakeBrokenError, match="不一致"):
                await office.submit(WAVE, entry(slips[51]))
            state, leaves = await office.state(WAVE), await office.leaves(WAVE)
        async with opened(settings, read_later=True) as office:
            unread = office.resting()[WAVE]
            with pytest.raises(IntakeUnreadError):
                await office.submit(WAVE, entry(slips[51]))
        async with opened(settings) as office:
            again = office.resting()[WAVE]

    assert isinstance(taken, Accepted) and isinstance(reason, IntakeBrokenError)
    assert state == "paused" and leaves[taken.index] == taken.leaf
    assert isinstance(unread, IntakeUnreadError) and reason.reason in unread.reason
    assert isinstance(again, IntakeBrokenError)


CUT = (
    'DELETE FROM leaves WHERE "index" >= 11',
    "DELETE FROM heads WHERE size > 11",
    "UPDATE counters SET n = 11 WHERE kind LIKE 'hour:%'",
    "UPDATE counters SET n = (SELECT count(*) FROM heads) WHERE kind = 'heads'",
)


Harm = Callable[[Settings], Awaitable[None]]
HARMS: dict[str, Harm] = {
    "flipped": lambda settings: flip(settings, N_ANSWERS - 1),
    "cut": lambda settings: change(settings, f'DELETE FROM leaves WHERE "index" = {N_ANSWERS - 1}'),
    "hole": lambda settings: change(settings, f'DELETE FROM leaves WHERE "index" = {N_ANSWERS - 3}'),
    "head": lambda settings: change(settings, f"DELETE FROM heads WHERE size = {N_ANSWERS}"),
    "arrivals": lambda settings: change(settings, "UPDATE counters SET n = n + 1 WHERE kind LIKE 'hour:%'"),
    "heads": lambda settings: change(settings, "UPDATE counters SET n = n - 1 WHERE kind = 'heads'"),
    "boxes": lambda settings: change(settings, "DELETE FROM sealed"),
    "cut below the frontier": lambda settings: change(settings, *CUT),
}
every_harm = pytest.mark.parametrize("harm", HARMS.values(), ids=HARMS)
every_lie = pytest.mark.parametrize(
    "lie", ["tops = zeroblob(32)", "heads = heads + 1", "seal = zeroblob(32)", "size = size + 1"]
)


@every_harm
async def test_a_damaged_tail_never_listens(sqlite_settings: Settings, harm: Harm) -> None:
    await never_listens(sqlite_settings, harm)


@pytest.mark.slow
@every_harm
async def test_a_damaged_tail_never_listens_on_postgres(postgres_settings: Settings, harm: Harm) -> None:
    await never_listens(postgres_settings, harm)


async def never_listens(settings: Settings, harm: Harm) -> None:
    """The harmed wave takes nothing in, and a wave beside it does."""
    async with open_database(settings):
        slips, _ = await fielded(settings)
        await harm(settings)
        async with opened(settings, read_later=True) as office:
            with pytest.raises(IntakeBrokenError):
                await office.submit(WAVE, entry(slips[50]))
            others = await begin(office, 2, "wave-2")
            taken = await office.submit("wave-2", entry(others[0]))

    assert isinstance(taken, Accepted)


@every_lie
async def test_a_frontier_that_lies_is_refused_and_made_anew(sqlite_settings: Settings, lie: str) -> None:
    await refused_and_made_anew(sqlite_settings, lie)


@pytest.mark.slow
@every_lie
async def test_a_frontier_that_lies_is_refused_on_postgres(postgres_settings: Settings, lie: str) -> None:
    await refused_and_made_anew(postgres_settings, lie)


async def refused_and_made_anew(settings: Settings, lie: str) -> None:
    """The wave rests until its whole log was read, which gives another frontier."""
    async with open_database(settings):
        slips, _ = await fielded(settings)
        await change(settings, f"UPDATE frontiers SET {lie}")
        async with opened(settings, read_later=True) as office:
            refused = office.resting()[WAVE]
            with pytest.raises(IntakeUnreadError):
                await office.submit(WAVE, entry(slips[50]))
            while office.readings.waiting:
                await asyncio.sleep(0.01)
            taken = await office.submit(WAVE, entry(slips[50]))
        [row] = await stored(settings, "SELECT size, tops, heads, seal FROM frontiers")

    assert "封印" in refused.reason and isinstance(taken, Accepted)
    found = frontier_of(row, fielding.about(), fielding.LOG_SEED)
    assert found is not None and found.size == N_ANSWERS


async def test_a_frontier_of_the_logs_own_key_with_other_tops_is_refused(sqlite_settings: Settings) -> None:
    async with open_database(sqlite_settings):
        slips, _ = await fielded(sqlite_settings)
        forged = Frontier(3, (bytes(32), bytes(32)), 1).row(fielding.about(), fielding.LOG_SEED)
        file = sqlite3.connect(sqlite_settings.intake / f"{WAVE}.db")
        with file:
            file.execute("DELETE FROM frontiers")
            file.execute("INSERT INTO frontiers VALUES (?, ?, ?, ?)", forged)
        file.close()
        async with opened(sqlite_settings, read_later=True) as office:
            with pytest.raises(IntakeBrokenError):
                await office.submit(WAVE, entry(slips[50]))


async def test_an_intake_of_an_older_release_is_read_whole_once_and_gets_a_frontier(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frontiers, "TAILS", 2)
    async with open_database(settings):
        slips, leaves = await fielded(settings)
        older = ["DROP TABLE frontiers", "DROP TABLE faults"]
        await change(settings, *older, *(() if settings.database_url else ("PRAGMA user_version = 1",)))
        async with opened(settings, read_later=True) as office:
            first = office.resting()[WAVE]
            while office.readings.waiting:
                await asyncio.sleep(0.01)
            taken = await office.submit(WAVE, entry(slips[50]))
        [(size,)] = await stored(settings, "SELECT size FROM frontiers")
        async with opened(settings, read_later=True) as office:
            second = office.resting()
            found = await office.leaves(WAVE)

    assert isinstance(first, IntakeUnreadError) and isinstance(taken, Accepted)
    assert size == N_ANSWERS and second == {} and found == [*leaves, taken.leaf]


async def test_answers_that_come_in_while_the_whole_is_read_are_each_counted_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("sqlite_whole.FEWEST_ROWS", "sqlite_whole.MOST_ROWS", "sqlite_reading.SLIPS_AT_ONCE"):
        monkeypatch.setattr(f"survey.storage.{name}", 3)
    monkeypatch.setattr("survey.storage.postgres_opening.AT_ONCE", 3)
    async with open_database(settings):
        office = IntakeOffice(settings)
        await office.start()
        slips = await begin(office, 300)
        await asyncio.gather(*(office.submit(WAVE, entry(e)) for e in slips[:60]))
        await office.stop()
        async with opened(settings) as office:
            reading = asyncio.create_task(office.readings.read())
            taken = 0
            for at in range(60, 150, 2):
                told = await asyncio.gather(*(office.submit(WAVE, entry(e)) for e in slips[at : at + 2]))
                taken += sum(isinstance(one, Accepted) for one in told)
                await office.intake(WAVE).find_slip(slips[taken])
            during = not reading.done()
            await office.void(WAVE, slips[240:243])
            await office.intake(WAVE).dispute(slips[0], 1)
            await reading
            resting, [count] = office.resting(), await office.participation(WAVE)
        async with opened(settings) as office:
            await office.readings.read()
            again = office.resting(), await office.participation(WAVE)

    # On PostgreSQL one instant is read, which may be over before the last is sent.
    assert taken == 90 and resting == {} and (during or settings.database_url)
    assert (count.used, count.disputed, count.voided) == (150, 1, 3) and again == ({}, (count,))


async def test_a_stop_in_the_middle_of_a_reading_leaves_nothing_behind(settings: Settings) -> None:
    async with open_database(settings):
        slips, _ = await fielded(settings)
        for _ in range(3):
            async with opened(settings, read_later=True) as office:
                await office.submit(WAVE, entry(slips[50]))
        faults = await stored(settings, "SELECT told FROM faults")

    assert faults == []


async def test_a_fault_that_one_process_finds_stops_the_wave_in_the_others(postgres_settings: Settings) -> None:
    async with open_database(postgres_settings):
        slips, _ = await fielded(postgres_settings)
        async with opened(postgres_settings) as other, opened(postgres_settings) as office:
            await flip(postgres_settings, 3)
            await office.readings.read()
            told = await other.submit(WAVE, entry(slips[50]))
            state = await other.state(WAVE)

    assert told == NotOpen("paused") and state == "paused"
