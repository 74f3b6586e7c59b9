"""Slips and answers cannot be joined from what is stored: no better than chance (T15)."""

from __future__ import annotations

import asyncio
import logging
import os
import random
from datetime import UTC, date, datetime
from pathlib import Path

import asyncpg
import numpy as np
import pytest

from survey.certification.sealing import box_public_key
from survey.fieldwork.invitation import issue
from survey.jobs.receive_response import Received, receive_response
from survey.settings import Settings
from survey.storage.database import open_database
from survey.storage.intake import About
from survey.storage.office import IntakeOffice

WAVE = "wave-1"
NOW = datetime(2026, 11, 26, 15, 30, tzinfo=UTC)
BOX_KEY = box_public_key(bytes(range(1, 33)))


async def field(office: IntakeOffice, n: int) -> dict[bytes, int]:
    """A wave in which n slips of one domain were used in random order; e → index of its answer."""
    slip_key = os.urandom(32)
    invitations = issue([("0001-P", n)], slip_key, os.urandom)
    about = About(WAVE, f"survey.example/{WAVE}", BOX_KEY, date(2026, 11, 24))
    slips = [(bytes.fromhex(one.e), one.domain) for one in invitations]
    await office.create(about, slips, slip_key=slip_key, log_seed=os.urandom(32))
    await office.set_state(WAVE, "planned", "open")
    order = list(invitations)
    random.Random(15).shuffle(order)
    truth: dict[bytes, int] = {}
    # Waves of a few at a time, as phones come: a batch holds several, a few batches follow each other.
    for start in range(0, n, 8):
        some = order[start : start + 8]
        found = [await office.find_slip(one.code) for one in some]
        told = await asyncio.gather(
            *(receive_response(office, WAVE, slip, os.urandom(16), {"q01": 4}, now=NOW) for slip in found)
        )
        for one, outcome in zip(some, told, strict=True):
            assert isinstance(outcome, Received)
            truth[bytes.fromhex(one.e)] = outcome.index
    return truth


def best_matching(truth: dict[bytes, int], features: dict[str, dict[bytes, float]]) -> tuple[str, int, float]:
    """The feature of slips that joins most of them to their answers by rank: its name, hits, correlation.

    Answers are known in the order of the log, which is near the order of time. Whatever orders
    slips alike gives a matching by rank, forwards or backwards.
    """
    found = []
    for name, places in features.items():
        slips = sorted(truth, key=lambda e: (places[e], e))
        for direction, order in (("", slips), (" backwards", slips[::-1])):
            hits = sum(truth[e] == rank for rank, e in enumerate(order))
            ranks = np.array([truth[e] for e in order])
            rho = (
                float(np.corrcoef(ranks, np.arange(len(ranks)))[0, 1])
                if len(set(places.values())) > 1
                else 0.0
            )
            found.append((name + direction, hits, rho))
    return max(found, key=lambda one: (one[1], one[2]))


def assert_at_chance(
    truth: dict[bytes, int], features: dict[str, dict[bytes, float]]
) -> tuple[str, int, float]:
    """A random matching hits once on average; with a handful of tries six and more are one in a thousand."""
    name, hits, rho = best_matching(truth, features)

    assert hits <= 6, (name, hits)
    assert abs(rho) < 4 / np.sqrt(len(truth)), (name, rho)
    return name, hits, rho


def places_in(path: Path, slips: dict[bytes, int]) -> dict[bytes, float]:
    """Where each slip's digest stands in a file, in bytes from its start."""
    data = path.read_bytes()
    return {e: float(data.find(e)) for e in slips}


async def on_sqlite(settings: Settings, tmp_path: Path, n: int) -> str:
    """Fielded, closed, rewritten; then every stored file and one backup is searched."""
    async with open_database(settings):
        office = IntakeOffice(settings)
        await office.start()
        truth = await field(office, n)
        path, backup = settings.intake / f"{WAVE}.db", tmp_path / "backup.db"
        await office.intake(WAVE).back_up(backup)
        journal = path.with_name(path.name + "-journal")
        left = journal.stat().st_size if journal.exists() else 0
        await office.set_state(WAVE, "open", "closed")
        await office.rewrite(WAVE)
        await office.stop()
    features = {"file": places_in(path, truth), "backup": places_in(backup, truth)}
    features["digest"] = {e: float(int.from_bytes(e[:6], "big")) for e in truth}

    assert left == 0, "a journal holds the rows of the last transaction"
    assert all(place >= 0 for place in features["file"].values())
    assert not [p for p in settings.intake.iterdir() if p.suffix not in (".db",) and p.stat().st_size]
    return "SQLite {}: best matching by {}: {} of {} joined, correlation {:.3f}".format(
        n, *_told(assert_at_chance(truth, features), n)
    )


async def on_postgres(settings: Settings, n: int) -> tuple[str, str]:
    """The same with the hidden columns xmin and ctid, before and after closing."""
    async with open_database(settings):
        office = IntakeOffice(settings)
        await office.start()
        truth = await field(office, n)
        before = await hidden(settings, truth)
        await office.set_state(WAVE, "open", "closed")
        await office.rewrite(WAVE)
        after = await hidden(settings, truth)
        await office.stop()

    # While the wave is open a database administrator can join them (TRUST section 14): the attack works.
    assert best_matching(truth, before)[2] > 0.9
    assert len(set(after["xmin"].values())) == 1
    told = "PostgreSQL {}: best matching by {}: {} of {} joined, correlation {:.3f}"
    open_, closed = best_matching(truth, before), assert_at_chance(truth, after)
    return told.format(n, *_told(open_, n)), told.format(n, *_told(closed, n))


def _told(found: tuple[str, int, float], n: int) -> tuple[str, int, int, float]:
    return found[0], found[1], n, found[2]


async def hidden(settings: Settings, truth: dict[bytes, int]) -> dict[str, dict[bytes, float]]:
    """xmin and ctid of every slip."""
    connection = await asyncpg.connect(settings.database_url)
    schema = await connection.fetchval("SELECT schemaname FROM pg_tables WHERE tablename = 'sealed' LIMIT 1")
    rows = await connection.fetch(f'SELECT e, xmin::text::bigint AS x, ctid::text AS c FROM "{schema}".slips')
    await connection.close()
    place = {row["e"]: [int(part) for part in row["c"].strip("()").split(",")] for row in rows}
    return {
        "xmin": {row["e"]: float(row["x"]) for row in rows if row["e"] in truth},
        "ctid": {e: page * 10_000.0 + line for e, (page, line) in place.items() if e in truth},
    }


async def test_stored_files_journal_and_backup_join_no_slip_to_its_answer(
    sqlite_settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    assert "joined" in await on_sqlite(sqlite_settings, tmp_path, 96)
    assert "0001-P" not in caplog.text


async def test_hidden_columns_join_slips_to_answers_until_closing_and_not_after(
    postgres_settings: Settings,
) -> None:
    before, after = await on_postgres(postgres_settings, 96)

    assert before != after


@pytest.mark.slow
async def test_two_thousand_slips_cannot_be_joined_on_sqlite(
    sqlite_settings: Settings, tmp_path: Path
) -> None:
    print(await on_sqlite(sqlite_settings, tmp_path, 2000))


@pytest.mark.slow
async def test_two_thousand_slips_cannot_be_joined_on_postgres(postgres_settings: Settings) -> None:
    print("\n".join(await on_postgres(postgres_settings, 2000)))
