"""Waves are the partitions on PostgreSQL: what a statement reads, the planner says, not we."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import psycopg
import pytest
from random_columns import COUNTING, random_columns

from survey.cases.counting import count_columns
from survey.cases.counting_expression import counting_expression
from survey.settings import Settings
from survey.storage.answer_engines import count_answers, postgres_answers
from survey.storage.database import open_database
from survey.storage.intake import Accepted
from survey.storage.intake_postgres import FIND, TURN
from survey.storage.office import IntakeOffice
from survey.storage.postgres_batch import LOOK, RECEIPT, TAIL, WRITE
from survey.storage.postgres_schema import connection_settings, schema_of
from survey.storage.tables import Waves

spec = importlib.util.spec_from_file_location("fielding", Path(__file__).with_name("fielding.py"))
fielding = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fielding)
WAVES = ("north-1", "south-1")
KEY, DIGEST = bytes(32), fielding.digest(3)
HOT: dict[str, tuple[str, tuple[Any, ...]]] = {
    "turn": (TURN.removeprefix("BEGIN; "), ()),
    "find": (FIND, ([DIGEST],)),
    "receipt": (RECEIPT, (KEY,)),
    "tail": (TAIL, (1_900,)),
    "look": (LOOK, (1_900, [KEY], [DIGEST], False)),
    "write": (
        WRITE,
        ([DIGEST], ["d"], [1], [KEY], [b"box"], [2_000], [b"leaf"], [KEY])
        + (["d"], ["used"], [1], ["d"], ["most"], [1], 2_001, "note"),
    ),
}
"""Every statement that an answer on its way in causes, with something to ask it for."""


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A node of a plan and all below it."""
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


@pytest.fixture
async def two_waves(postgres_settings: Settings) -> Settings:
    """Two waves side by side in one database, the second with two thousand slips and answers."""
    async with open_database(postgres_settings):
        office = IntakeOffice(postgres_settings)
        await office.start()
        for wave in WAVES:
            await fielding.begin(office, 2_000, wave)
        await office.stop()
    return postgres_settings


async def test_a_statement_of_one_wave_reads_no_other_and_no_table_whole(two_waves: Settings) -> None:
    connection = await asyncpg.connect(two_waves.database_url, server_settings=connection_settings(WAVES[1]))
    try:
        await connection.execute(
            "INSERT INTO leaves SELECT n, 'leaf'::bytea, sha256(n::text::bytea) FROM generate_series(0, 1999) n;"
            "ANALYZE"
        )
        for name, (statement, arguments) in HOT.items():
            told = await connection.fetchval(f"EXPLAIN (VERBOSE, FORMAT JSON) {statement}", *arguments)
            found = list(nodes(json.loads(told)[0]["Plan"]))
            assert {node["Schema"] for node in found if "Schema" in node} == {schema_of(WAVES[1])}, name
            whole = {node["Relation Name"] for node in found if node["Node Type"] == "Seq Scan"}
            # Slips and leaves, which are many, are found by their keys.
            assert whole <= {"about", "posters", "heads", "counters", "faults"}, name
    finally:
        await connection.close()


def test_a_table_of_many_waves_in_native_partitions_is_pruned_to_the_wave_asked_for(
    postgres_url: str,
) -> None:
    kept = {wave: random_columns(seed) for seed, wave in enumerate(WAVES)}
    with psycopg.connect(postgres_url) as connection:
        names = list(kept[WAVES[0]])
        kinds = {"i": "bigint", "f": "float8", "b": "boolean", "U": "text", "O": "text"}
        columns = ", ".join(f'"{name}" {kinds[kept[WAVES[0]][name].dtype.kind]}' for name in names)
        connection.execute(f"CREATE TABLE answers (wave text, {columns}) PARTITION BY LIST (wave)")
        for wave, held in kept.items():
            connection.execute(
                f"CREATE TABLE {schema_of(wave)} PARTITION OF answers FOR VALUES IN ('{wave}')"
            )
            with connection.cursor().copy("COPY answers FROM STDIN") as copying:
                for row in zip(*(held[name].tolist() for name in names), strict=True):
                    copying.write_row(
                        (wave, *(None if isinstance(one, float) and math.isnan(one) else one for one in row))
                    )
    with postgres_answers(postgres_url, "answers") as table:
        asked = table.filter(table.wave == WAVES[0])
        counts = count_answers(asked, COUNTING)
        statement = asked.get_backend().compile(counting_expression(asked, COUNTING))
    with psycopg.connect(postgres_url) as connection:
        [(told,)] = connection.execute(f"EXPLAIN (FORMAT JSON) {statement}").fetchall()

    assert {node["Relation Name"] for node in nodes(told[0]["Plan"]) if "Relation Name" in node} == {
        schema_of(WAVES[0])
    }
    alone = count_columns(kept[WAVES[0]], COUNTING)
    assert (counts.n == alone.n).all() and (counts.option_weight == alone.option_weight).all()


async def test_no_more_connections_are_opened_than_the_settings_allow(postgres_settings: Settings) -> None:
    few = replace(postgres_settings, database_connections=4)
    async with open_database(few):
        office = IntakeOffice(few)
        await office.start()
        slips = await fielding.begin(office)
        work = [office.submit("wave-1", fielding.entry(e)) for e in slips]
        looks = [office.find_slip("8WYJ4VMNK449") for _ in slips]
        pages = [Waves.select(Waves.wave) for _ in slips]
        told = await asyncio.gather(*work, *looks, *pages, office.participation("wave-1"))
        watcher = await asyncpg.connect(few.database_url)
        open_now = await watcher.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await watcher.close()
        await office.stop()

    assert all(isinstance(outcome, Accepted) for outcome in told[: len(slips)])
    assert open_now == 4
