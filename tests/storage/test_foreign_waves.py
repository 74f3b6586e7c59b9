"""Waves on two PostgreSQL servers, read from a third through foreign tables (`postgres_fdw`), and never taken in there."""

from __future__ import annotations

import importlib.util
import math
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from random_columns import COUNTING, random_columns

from survey.cases.answer_counts import COUNTED
from survey.cases.counting import count_columns
from survey.cases.counting_expression import counting_expression
from survey.settings import Settings, load_settings
from survey.storage.answer_engines import AnswersUnreadableError, count_answers, postgres_answers
from survey.storage.database import open_database
from survey.storage.intake import Accepted, IntakeForeignError
from survey.storage.office import IntakeOffice
from survey.storage.postgres_schema import schema_of

pytestmark = pytest.mark.long
spec = importlib.util.spec_from_file_location("fielding", Path(__file__).with_name("fielding.py"))
fielding = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fielding)
WAVES = ("north-1", "south-1")
SETTINGS = "-c listen_addresses= -c fsync=off"


def programs() -> Path:
    """A PostgreSQL of the machine's that brings foreign tables; the wheel's does not."""
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder.parent / "lib" / "postgres_fdw.so").exists() and (folder / "initdb").exists():
            return folder
    pytest.skip("needs PostgreSQL with postgres_fdw: apt-get install postgresql")


@dataclass(frozen=True)
class Server:
    """A server of a test's own, on a socket in its folder."""

    folder: Path

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={self.folder}"

    def run(self, program: str, *arguments: str) -> None:
        # The server refuses to run as root; there it is another user's.
        who: dict[str, Any] = {"user": "postgres", "group": "postgres"} if os.getuid() == 0 else {}
        command = [str(programs() / program), "-D", str(self.folder / "data"), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **who)

    def stop(self) -> None:
        self.run("pg_ctl", "-m", "immediate", "stop")


@contextmanager
def own_server(name: str) -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix=f"survey-{name}-"))
    if os.getuid() == 0:
        shutil.chown(folder, "postgres")
    server = Server(folder)
    server.run("initdb", "-U", "postgres", "-A", "trust", "--no-sync", "--no-instructions")
    server.run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", f"-k {folder} {SETTINGS}", "start")
    try:
        yield server
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            server.stop()
        shutil.rmtree(folder)


@pytest.fixture
def servers() -> Iterator[tuple[Server, Server, Server]]:
    """The one that is asked, and the two on which the waves lie."""
    with own_server("front") as front, own_server("north") as north, own_server("south") as south:
        with psycopg.connect(front.url) as connection:
            connection.execute("CREATE EXTENSION postgres_fdw")
            for wave, server in zip(WAVES, (north, south), strict=True):
                name = schema_of(wave)
                options = f"host '{server.folder}', dbname 'postgres'"
                connection.execute(f"CREATE SERVER {name} FOREIGN DATA WRAPPER postgres_fdw OPTIONS ({options})")
                connection.execute(f"CREATE USER MAPPING FOR postgres SERVER {name} OPTIONS (user 'postgres')")
        yield front, north, south


def fill(url: str, table: str, columns: str, wave: str, held: dict[str, Any]) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(f"CREATE TABLE {table} (wave text, {columns})")
        with connection.cursor().copy(f"COPY {table} FROM STDIN") as copying:
            for row in zip(*(column.tolist() for column in held.values()), strict=True):
                copying.write_row((wave, *(None if isinstance(one, float) and math.isnan(one) else one for one in row)))


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def test_waves_of_two_servers_are_counted_as_one_and_never_by_half(
    servers: tuple[Server, Server, Server],
) -> None:
    front, north, south = servers
    kept = {wave: random_columns(seed) for seed, wave in enumerate(WAVES)}
    kinds = {"i": "bigint", "f": "float8", "b": "boolean", "U": "text", "O": "text"}
    columns = ", ".join(f'"{name}" {kinds[column.dtype.kind]}' for name, column in kept[WAVES[0]].items())
    with psycopg.connect(front.url) as connection:
        connection.execute(f"CREATE TABLE answers (wave text, {columns}) PARTITION BY LIST (wave)")
        for wave, server in zip(WAVES, (north, south), strict=True):
            fill(server.url, schema_of(wave), columns, wave, kept[wave])
            name = schema_of(wave)
            part = f"PARTITION OF answers FOR VALUES IN ('{wave}')"
            connection.execute(f"CREATE FOREIGN TABLE {name} {part} SERVER {name}")

    with postgres_answers(front.url, "answers") as table:
        together = count_answers(table, COUNTING)
        asked = table.filter(table.wave == WAVES[0])
        alone = count_answers(asked, COUNTING)
        statement = asked.get_backend().compile(counting_expression(asked, COUNTING))
    with psycopg.connect(front.url) as connection:
        [(told,)] = connection.execute(f"EXPLAIN (VERBOSE, FORMAT JSON) {statement}").fetchall()
    south.stop()
    with postgres_answers(front.url, "answers") as table:
        still = count_answers(table.filter(table.wave == WAVES[0]), COUNTING)
        with pytest.raises(AnswersUnreadableError) as half:
            count_answers(table, COUNTING)

    both = {name: np.concatenate([kept[wave][name] for wave in WAVES]) for name in kept[WAVES[0]]}
    for counts, wanted in (
        (together, count_columns(both, COUNTING)),
        (alone, count_columns(kept[WAVES[0]], COUNTING)),
        (still, count_columns(kept[WAVES[0]], COUNTING)),
    ):
        assert all(np.array_equal(getattr(counts, name), getattr(wanted, name)) for name in COUNTED)
    remote = [node["Relation Name"] for node in nodes(told[0]["Plan"]) if "Remote SQL" in node]
    assert remote == [schema_of(WAVES[0])]
    assert half.value.code == "storage.answers_unreadable"


async def test_an_intake_through_foreign_tables_is_refused_by_name_and_spends_nothing(
    servers: tuple[Server, Server, Server], tmp_path: Path
) -> None:
    front, north, _ = servers
    there = load_settings({}, data=tmp_path / "data", database_url=north.url, least_free_share=0.0)
    here = replace(there, database_url=front.url)
    slips = await taken(there, WAVES[0])
    name = schema_of(WAVES[0])
    with psycopg.connect(front.url) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
        connection.execute(f"IMPORT FOREIGN SCHEMA {name} FROM SERVER {name} INTO {name}")

    async with open_database(here):
        office = IntakeOffice(here)
        await office.start()
        own = await fielding.begin(office, 5, WAVES[1])
        other = await office.submit(WAVES[1], fielding.entry(own[0]))
        refused = office.resting()
        with pytest.raises(IntakeForeignError):
            await office.submit(WAVES[0], fielding.entry(slips[1]))
        await office.stop()
    async with open_database(there):
        office = IntakeOffice(there)
        await office.start()
        (counted,) = await office.participation(WAVES[0])
        await office.stop()

    assert isinstance(other, Accepted)
    assert {wave: reason.code for wave, reason in refused.items()} == {WAVES[0]: "intake.foreign"}
    assert counted.used == 1


async def taken(settings: Settings, wave: str) -> list[bytes]:
    """A wave with one answer."""
    async with open_database(settings):
        office = IntakeOffice(settings)
        await office.start()
        slips = await fielding.begin(office, 5, wave)
        await office.submit(wave, fielding.entry(slips[0]))
        await office.stop()
    return list(slips)
