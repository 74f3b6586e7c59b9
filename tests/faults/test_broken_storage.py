"""What a wave does when its disk is full, its file was altered or replaced, or its clock jumps."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import sqlite3
import subprocess
from collections import namedtuple
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from survey.certification.transparency_log import MerkleTree
from survey.settings import Settings, load_settings
from survey.storage.database import Database, open_database
from survey.storage.intake import (
    Accepted,
    BusyError,
    IntakeBrokenError,
    IntakeStaleError,
    NotOpen,
    StorageFullError,
)
from survey.storage.office import IntakeOffice

spec = importlib.util.spec_from_file_location("submitting", Path(__file__).with_name("submitting.py"))
submitting = importlib.util.module_from_spec(spec)
spec.loader.exec_module(submitting)
WAVE, entry_of = submitting.WAVE, submitting.entry_of
spec = importlib.util.spec_from_file_location("fielding", Path(__file__).parents[1] / "storage" / "fielding.py")
fielding = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fielding)


async def field(settings: Settings, n_answers: int, n_slips: int = 200) -> None:
    """A wave with so many answers, and everything closed again."""
    async with open_database(settings):
        office = IntakeOffice(settings)
        await office.start()
        await submitting.create(office, n_slips)
        await asyncio.gather(*(office.submit(WAVE, entry_of(number)) for number in range(n_answers)))
        await office.stop()


def alter(settings: Settings, *statements: str) -> None:
    """Change the stopped intake file as an insider with the file would."""
    connection = sqlite3.connect(settings.intake / f"{WAVE}.db")
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


async def refused_alone(settings: Settings) -> None:
    """The damaged wave takes nothing in and says why, and a wave beside it goes on."""
    office = IntakeOffice(settings)
    await office.start()
    with pytest.raises(IntakeBrokenError, match=WAVE):
        await office.submit(WAVE, entry_of(20))
    other = await fielding.begin(office, 3, "wave-2")
    taken = await office.submit("wave-2", fielding.entry(other[0]))
    reasons = office.resting()
    await office.stop()

    assert isinstance(taken, Accepted) and list(reasons) == [WAVE]
    assert "survey restore" in reasons[WAVE].remedy


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE leaves SET leaf = CAST(replace(leaf, '0001-P', '0001-T') AS BLOB) WHERE \"index\" = 3",
        'DELETE FROM leaves WHERE "index" = 9',
        'DELETE FROM leaves WHERE "index" = 3',
        "DELETE FROM heads WHERE size = 10",
        "DELETE FROM sealed WHERE c = (SELECT min(c) FROM sealed)",
        "UPDATE slips SET state = 'unused' WHERE e = (SELECT min(e) FROM slips WHERE state = 'used')",
        "UPDATE slips SET state = 'used' WHERE e = (SELECT min(e) FROM slips WHERE state = 'unused')",
    ],
)
async def test_an_altered_file_is_refused_at_start(sqlite_settings: Settings, statement: str) -> None:
    await field(sqlite_settings, 10)
    alter(sqlite_settings, statement)

    async with open_database(sqlite_settings):
        await refused_alone(sqlite_settings)


async def test_a_damaged_file_is_refused_at_start(sqlite_settings: Settings) -> None:
    await field(sqlite_settings, 10)
    path = sqlite_settings.intake / f"{WAVE}.db"
    with open(path, "rb+") as file:
        file.seek(5000)
        file.write(os.urandom(20_000))

    async with open_database(sqlite_settings):
        await refused_alone(sqlite_settings)


async def test_an_older_copy_is_only_read_and_both_sizes_are_named(tmp_path: Path) -> None:
    settings = load_settings(
        {}, data=tmp_path / "data", last_heads=str(tmp_path / "heads"), least_free_share=0.0
    )
    await field(settings, 10)
    shutil.copy(settings.intake / f"{WAVE}.db", tmp_path / "yesterday.db")
    async with open_database(settings):
        office = IntakeOffice(settings)
        await office.start()
        for number in range(10, 15):
            await office.submit(WAVE, entry_of(number))
        await office.stop()
    shutil.copy(tmp_path / "yesterday.db", settings.intake / f"{WAVE}.db")

    async with open_database(settings):
        office = IntakeOffice(settings)
        await office.start()
        refused = [
            office.submit(WAVE, entry_of(20)),
            office.set_state(WAVE, "open", "closed"),
            office.void(WAVE, [submitting.digest("slip", 30)]),
        ]
        for change in refused:
            with pytest.raises(IntakeStaleError, match="只有10份.*15份"):
                await change
        state, leaves = await office.state(WAVE), await office.leaves(WAVE)
        [reason] = office.resting().values()
        await office.stop()

    assert state == "paused" and len(leaves) == 10
    assert "15份" in str(reason)


async def test_the_triggers_refuse_what_goes_around_the_office(sqlite_settings: Settings) -> None:
    await field(sqlite_settings, 10)
    connection = sqlite3.connect(sqlite_settings.intake / f"{WAVE}.db")

    for statement in ("DELETE FROM leaves", "UPDATE leaves SET leaf = x'00'"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(statement)
    connection.execute("UPDATE about SET state = 'closed'")
    with pytest.raises(sqlite3.IntegrityError, match="not open"):
        connection.execute("INSERT INTO leaves VALUES (10, x'00', zeroblob(32))")
    with pytest.raises(sqlite3.IntegrityError, match="closed stays closed"):
        connection.execute("UPDATE about SET state = 'open'")
    connection.close()


async def test_no_other_program_opens_a_running_intake(sqlite_settings: Settings) -> None:
    async with open_database(sqlite_settings):
        office = IntakeOffice(sqlite_settings)
        await office.start()
        await submitting.create(office, 10)
        await office.submit(WAVE, entry_of(0))
        connection = sqlite3.connect(sqlite_settings.intake / f"{WAVE}.db", timeout=0.1)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            connection.execute("SELECT * FROM slips").fetchall()
        connection.close()
        await office.stop()


async def test_a_full_disk_takes_nothing_in_and_recovers_by_itself(sqlite_settings: Settings) -> None:
    async with open_database(sqlite_settings):
        office = IntakeOffice(sqlite_settings)
        await office.start()
        await submitting.create(office, 5000)
        intake = office.intake(WAVE)
        pages = intake._connection.execute("PRAGMA page_count").fetchone()[0]
        outcomes = []
        for cycle in range(5):
            # SQLite meets its own limit exactly as it meets ENOSPC: in the middle of a batch.
            intake._connection.execute(f"PRAGMA max_page_count = {pages + 40}")
            numbers = range(cycle * 600, cycle * 600 + 400)
            outcomes += await asyncio.gather(
                *(office.submit(WAVE, entry_of(number)) for number in numbers), return_exceptions=True
            )
            intake._connection.execute("PRAGMA max_page_count = 1000000")
            more = await office.submit(WAVE, entry_of(cycle * 600 + 500))
            pages = intake._connection.execute("PRAGMA page_count").fetchone()[0]
            assert isinstance(more, Accepted)
        leaves = await office.leaves(WAVE)
        await office.stop()
        again = IntakeOffice(sqlite_settings)
        await again.start()
        assert await again.leaves(WAVE) == leaves
        await again.stop()

    accepted = [one for one in outcomes if isinstance(one, Accepted)]
    refused = [one for one in outcomes if not isinstance(one, Accepted)]
    assert refused and all(isinstance(one, StorageFullError) and one.kind == "busy" for one in refused)
    assert all(leaves[one.index] == one.leaf for one in accepted)
    assert len(leaves) == len(accepted) + 5


async def test_below_the_reserve_answers_are_refused_before_the_disk_is_full(
    sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    async with open_database(sqlite_settings):
        office = IntakeOffice(sqlite_settings)
        await office.start()
        await submitting.create(office, 10)
        with monkeypatch.context() as patched:
            patched.setattr(shutil, "disk_usage", lambda _: usage(10**10, 0, 199 * 1024 * 1024))
            with pytest.raises(StorageFullError) as refused:
                await office.submit(WAVE, entry_of(0))
        office._disk.checked = 0.0
        taken = await office.submit(WAVE, entry_of(0))
        await office.stop()

    assert refused.value.retry_after >= 1
    assert isinstance(taken, Accepted)


@pytest.mark.slow
async def test_a_really_full_volume_loses_nothing(tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    volume.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", volume], check=False).returncode:
        pytest.skip("may not mount a small volume here")
    try:
        settings = load_settings({}, data=volume / "data", least_free_bytes=0, least_free_share=0.0)
        async with open_database(settings):
            office = IntakeOffice(settings)
            await office.start()
            await submitting.create(office, 100_000)
            acked: list[Accepted] = []
            number = 0
            for _ in range(5):
                (volume / "ballast").write_bytes(bytes(20 * 1024 * 1024))
                refused = 0
                while refused < 50 and number < 90_000:
                    outcomes = await asyncio.gather(
                        *(office.submit(WAVE, entry_of(n)) for n in range(number, number + 200)),
                        return_exceptions=True,
                    )
                    number += 200
                    acked += [one for one in outcomes if isinstance(one, Accepted)]
                    refused += sum(isinstance(one, StorageFullError) for one in outcomes)
                    assert all(isinstance(one, Accepted | BusyError) for one in outcomes)
                (volume / "ballast").unlink()
                assert isinstance(await office.submit(WAVE, entry_of(99_000 + len(acked) % 900)), object)
            leaves = await office.leaves(WAVE)
            await office.stop()
            again = IntakeOffice(settings)
            await again.start()
            assert await again.leaves(WAVE) == leaves
            await again.stop()
        assert all(leaves[one.index] == one.leaf for one in acked)
    finally:
        subprocess.run(["umount", volume], check=False)


async def test_a_signing_key_that_fails_stops_the_intake_and_spends_no_slip(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    from survey.certification.signature import Signer

    office = IntakeOffice(database.settings)
    await office.start()
    await submitting.create(office, 10)

    def refuse(self: Signer, text: str) -> str:
        raise OSError("the key device is gone")

    with monkeypatch.context() as patched:
        patched.setattr(Signer, "sign", refuse)
        with pytest.raises(BusyError):
            await office.submit(WAVE, entry_of(0))
    taken = await office.submit(WAVE, entry_of(0))
    leaves = await office.leaves(WAVE)
    await office.stop()

    assert isinstance(taken, Accepted) and not taken.repeated and leaves == [taken.leaf]


async def test_a_clock_that_jumps_changes_no_state_and_no_index(database: Database) -> None:
    jumps = [
        timedelta(0),
        timedelta(hours=-1),
        timedelta(days=365),
        timedelta(days=-365),
        timedelta(days=4000),
    ]
    now = [datetime(2026, 11, 24, 4, 0, tzinfo=UTC)]
    office = IntakeOffice(database.settings, clock=lambda: now[0])
    await office.start()
    await submitting.create(office, 100)
    told = []
    for turn, jump in enumerate(jumps):
        now[0] += jump
        told.append(await office.submit(WAVE, entry_of(turn)))
        assert await office.state(WAVE) == "open"
    await office.set_state(WAVE, "open", "closed")
    now[0] = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
    after = await office.submit(WAVE, entry_of(50))
    tree = MerkleTree.of_leaves(await office.leaves(WAVE))
    await office.stop()

    assert [one.index for one in told] == list(range(5)) and tree.size == 5
    assert after == NotOpen("closed")


async def test_what_closing_rewrites_keeps_no_order_of_arrival(sqlite_settings: Settings) -> None:
    await field(sqlite_settings, 60)
    async with open_database(sqlite_settings):
        office = IntakeOffice(sqlite_settings)
        await office.start()
        await office.set_state(WAVE, "open", "closed")
        await office.rewrite(WAVE)
        await office.stop()
    path = sqlite_settings.intake / f"{WAVE}.db"
    content = path.read_bytes()
    connection = sqlite3.connect(path)
    boxes = [row[0] for row in connection.execute("SELECT box FROM sealed ORDER BY c")]
    mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    connection.close()

    assert path.stat().st_mode & 0o077 == 0 == sqlite_settings.database_file.stat().st_mode & 0o077
    assert mode != "wal" and not any(left.stat().st_size for left in path.parent.glob("*-journal"))
    assert {left.name for left in path.parent.iterdir()} <= {path.name, path.name + "-journal"}
    assert len(boxes) == 60 and all(content.count(box[:64]) == 1 for box in boxes)
