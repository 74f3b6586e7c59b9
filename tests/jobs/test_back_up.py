"""Backups: whole, encrypted, verified, on both databases; nothing is overwritten, nothing altered passes."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pyrage
import pytest

from survey.errors import SurveyError
from survey.jobs.back_up import BackupExistsError, NoRecipientError, back_up
from survey.jobs.backup_file import BackupKeyError, BackupUnreadableError, new_key, open_key
from survey.jobs.restore_backup import FolderNotEmptyError, restore_backup
from survey.settings import Settings
from survey.storage.backups import find_last_backup
from survey.storage.database import Database, open_database
from survey.storage.intake import Accepted, IntakeStaleError
from survey.storage.office import IntakeOffice
from survey.storage.postgres_copy import NotEmptyError
from survey.storage.postgres_schema import connection_settings

spec = importlib.util.spec_from_file_location(
    "fielding", Path(__file__).parents[1] / "storage" / "fielding.py"
)
fielding = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fielding)
NOW = datetime(2026, 11, 25, 3, 20, tzinfo=UTC)
KEY = pyrage.x25519.Identity.generate()
TO = str(KEY.to_public())


async def fielded(office: IntakeOffice, n: int = 30) -> list[bytes]:
    """An open wave with answers in it; the slips that are left."""
    slips = await fielding.begin(office, 60)
    await asyncio.gather(*(office.submit("wave-1", fielding.entry(e)) for e in slips[:n]))
    return slips[n:]


async def backed_up(database: Database, office: IntakeOffice, folder: Path, **given: Any) -> dict[str, Any]:
    return await back_up(
        database.settings,
        database,
        office,
        folder / "b.age",
        TO,
        actor="test",
        now=NOW,
        keys=folder / "k.age",
        **given,
    )


async def empty_place(settings: Settings, folder: Path) -> Settings:
    """Where to restore to: a new folder, and on PostgreSQL a new database."""
    if settings.database_url is None:
        return replace(settings, data=folder)
    name = f"restored_{os.urandom(6).hex()}"
    connection = await asyncpg.connect(settings.database_url)
    await connection.execute(f'CREATE DATABASE "{name}"')
    await connection.close()
    old = settings.database_url
    url = old.replace(f"/{old.split('?')[0].rsplit('/', 1)[1]}", f"/{name}", 1)
    return replace(settings, data=folder, database_url=url)


async def test_what_was_backed_up_comes_back_whole_and_goes_on(
    database: Database, office: IntakeOffice, tmp_path: Path
) -> None:
    left = await fielded(office)
    leaves, head = await office.leaves("wave-1"), await office.head("wave-1")
    done = await backed_up(database, office, tmp_path)
    noted = await find_last_backup()
    await office.stop()
    await database.stop()
    there = await empty_place(database.settings, tmp_path / "new")
    told = await restore_backup(there, tmp_path / "b.age", KEY, keys=tmp_path / "k.age")
    async with open_database(there):
        again = IntakeOffice(there)
        await again.start()
        found = await again.leaves("wave-1"), await again.head("wave-1")
        outcome = await again.submit("wave-1", fielding.entry(left[0]))
        await again.stop()

    assert done["waves"] == told["waves"] == {"wave-1": 30} and told["started"]
    assert noted is not None and noted.answers == 30 and noted.digest == done["digest"]
    assert found == (leaves, head)
    assert isinstance(outcome, Accepted) and outcome.index == 30


async def test_without_the_keys_the_log_is_checked_and_nothing_is_started(
    database: Database, office: IntakeOffice, tmp_path: Path
) -> None:
    await fielded(office)
    await backed_up(database, office, tmp_path)
    there = await empty_place(database.settings, tmp_path / "new")
    await office.stop()
    await database.stop()
    told = await restore_backup(there, tmp_path / "b.age", KEY)

    assert told["waves"] == {"wave-1": 30} and not told["started"]
    assert not list(there.keys.rglob("*.key"))


async def test_a_closed_wave_comes_back_closed(database: Database, office: IntakeOffice, tmp_path: Path) -> None:
    await fielded(office, 5)
    await office.set_state("wave-1", "open", "closed")
    await office.rewrite("wave-1")
    await backed_up(database, office, tmp_path)
    there = await empty_place(database.settings, tmp_path / "new")
    await office.stop()
    await database.stop()
    await restore_backup(there, tmp_path / "b.age", KEY, keys=tmp_path / "k.age")
    async with open_database(there):
        again = IntakeOffice(there)
        await again.start()
        state, n_leaves = await again.state("wave-1"), len(await again.leaves("wave-1"))
        await again.stop()

    assert (state, n_leaves) == ("closed", 5)


async def test_nothing_is_overwritten(database: Database, office: IntakeOffice, tmp_path: Path) -> None:
    await fielded(office, 2)
    await backed_up(database, office, tmp_path)
    with pytest.raises(BackupExistsError):
        await backed_up(database, office, tmp_path)
    await backed_up(database, office, tmp_path, replace=True)
    with pytest.raises(FolderNotEmptyError):
        await restore_backup(database.settings, tmp_path / "b.age", KEY)
    if database.settings.database_url:
        with pytest.raises(NotEmptyError):
            await restore_backup(replace(database.settings, data=tmp_path / "new"), tmp_path / "b.age", KEY)

    assert len(await office.leaves("wave-1")) == 2 and not (tmp_path / "new").exists()


async def test_an_altered_file_and_another_key_are_refused_and_leave_nothing(
    sqlite_settings: Settings, tmp_path: Path
) -> None:
    async with open_database(sqlite_settings) as database:
        office = IntakeOffice(sqlite_settings)
        await office.start()
        await fielded(office, 3)
        await backed_up(database, office, tmp_path)
        await office.stop()
    there = replace(sqlite_settings, data=tmp_path / "new")
    genuine = (tmp_path / "b.age").read_bytes()
    refused = []
    for at in (0, 30, 200, len(genuine) // 2, len(genuine) - 1):
        altered = bytearray(genuine)
        altered[at] ^= 1
        (tmp_path / "altered.age").write_bytes(altered)
        with pytest.raises(BackupUnreadableError):
            await restore_backup(there, tmp_path / "altered.age", KEY)
        refused.append(at)
    (tmp_path / "altered.age").write_bytes(genuine[: len(genuine) // 2])
    for source, key in (
        (tmp_path / "altered.age", KEY),
        (tmp_path / "b.age", pyrage.x25519.Identity.generate()),
        (tmp_path / "k.age", KEY),
    ):
        with pytest.raises(BackupUnreadableError):
            await restore_backup(there, source, key)

    assert len(refused) == 5 and sorted(path.name for path in tmp_path.iterdir()) == [
        "altered.age",
        "b.age",
        "data",
        "k.age",
    ]


async def test_a_backup_holds_no_key_in_the_clear_and_none_of_the_waves_keys_at_all(
    sqlite_settings: Settings, tmp_path: Path
) -> None:
    async with open_database(sqlite_settings) as database:
        office = IntakeOffice(sqlite_settings)
        await office.start()
        await fielded(office, 3)
        await backed_up(database, office, tmp_path)
        await office.stop()
    sealed = (tmp_path / "b.age").read_bytes()
    inside = pyrage.decrypt(sealed, [KEY])

    assert fielding.SLIP_KEY not in inside and fielding.LOG_SEED not in inside
    assert b"SQLite format 3" in inside and b"SQLite format 3" not in sealed
    assert fielding.SLIP_KEY in pyrage.decrypt((tmp_path / "k.age").read_bytes(), [KEY])
    assert (tmp_path / "b.age").stat().st_mode & 0o077 == 0
    assert not list(sqlite_settings.data.glob("backup-*"))


async def test_an_older_backup_that_was_restored_is_noticed(sqlite_settings: Settings, tmp_path: Path) -> None:
    settings = replace(sqlite_settings, last_heads=tmp_path / "heads")
    async with open_database(settings) as database:
        office = IntakeOffice(settings)
        await office.start()
        left = await fielded(office, 10)
        await backed_up(database, office, tmp_path)
        await office.submit("wave-1", fielding.entry(left[0]))
        await office.stop()
    there = replace(settings, data=tmp_path / "new")
    await restore_backup(there, tmp_path / "b.age", KEY, keys=tmp_path / "k.age")
    async with open_database(there):
        again = IntakeOffice(there)
        await again.start()
        reasons = [*again.resting().values()]
        with pytest.raises(IntakeStaleError):
            await again.submit("wave-1", fielding.entry(left[1]))
        await again.stop()

    assert len(reasons) == 1 and "10" in str(reasons[0]) and "11" in str(reasons[0])


async def test_a_wave_that_cannot_be_read_is_left_out_by_name(sqlite_settings: Settings, tmp_path: Path) -> None:
    async with open_database(sqlite_settings) as database:
        office = IntakeOffice(sqlite_settings)
        await office.start()
        await fielded(office, 10)
        await office.stop()
        (sqlite_settings.intake / "wave-0.db").write_bytes(b"no database " * 1000)
        await office.start()
        done = await backed_up(database, office, tmp_path)
        await office.stop()

    assert (done["waves"], done["left_out"]) == ({"wave-1": 10}, ["wave-0"])


async def alter_a_leaf(settings: Settings) -> None:
    """Change the fourth leaf of the stopped wave-1 as an insider with the database would."""
    if settings.database_url:
        connection = await asyncpg.connect(settings.database_url, server_settings=connection_settings("wave-1"))
        await connection.execute("ALTER TABLE leaves DISABLE TRIGGER ALL")
        await connection.execute('UPDATE leaves SET leaf = (SELECT leaf FROM leaves WHERE "index" = 4) WHERE "index" = 3')
        await connection.execute("ALTER TABLE leaves ENABLE TRIGGER ALL")
        await connection.close()
        return
    file = sqlite3.connect(settings.intake / "wave-1.db")
    for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        file.execute(f"DROP TRIGGER {name}")
    file.execute('UPDATE leaves SET leaf = (SELECT leaf FROM leaves WHERE "index" = 4) WHERE "index" = 3')
    file.commit()
    file.close()


@pytest.mark.parametrize("found", ["at the start", pytest.param("behind the start", marks=pytest.mark.long)])
async def test_an_altered_wave_is_left_out_by_name_and_the_others_come_back(
    database: Database, office: IntakeOffice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: str
) -> None:
    if found == "behind the start":
        monkeypatch.setattr("survey.storage.frontier.EVERY", 16)
        monkeypatch.setattr("survey.storage.office.WHOLE_AT_START", 0)
    left = await fielded(office, 0)
    for at in range(0, 44, 11):
        await asyncio.gather(*(office.submit("wave-1", fielding.entry(e)) for e in left[at : at + 11]))
    other = await fielding.begin(office, 3, "wave-2")
    await office.submit("wave-2", fielding.entry(other[0]))
    await office.stop()
    await alter_a_leaf(database.settings)
    await office.start(read_later=True)
    await office.readings.read()
    unread = office.damaged()
    done = await backed_up(database, office, tmp_path)
    await office.stop()
    await database.stop()
    there = await empty_place(database.settings, tmp_path / "new")
    told = await restore_backup(there, tmp_path / "b.age", KEY, keys=tmp_path / "k.age")

    assert unread == (("wave-1",) if found == "at the start" else ())
    assert (done["waves"], done["left_out"]) == ({"wave-2": 1}, ["wave-1"])
    assert told["waves"] == {"wave-2": 1} and told["started"]


async def test_nobodys_key_means_no_backup(sqlite_settings: Settings, tmp_path: Path) -> None:
    async with open_database(sqlite_settings) as database:
        office = IntakeOffice(sqlite_settings)
        await office.start()
        with pytest.raises(NoRecipientError):
            await back_up(sqlite_settings, database, office, tmp_path / "b.age", "", actor="test", now=NOW)
        await office.stop()

    assert not (tmp_path / "b.age").exists()


@pytest.mark.long
def test_a_key_file_opens_with_its_passphrase_and_age_keygens_without() -> None:
    public, private = new_key("correct horse")
    plain = f"# created\n{KEY}\n".encode()

    assert str(open_key(private, lambda: "correct horse").to_public()) == public
    assert str(open_key(plain, lambda: "").to_public()) == TO
    for content, passphrase in ((private, "wrong"), (b"nothing", ""), (b"AGE-SECRET-KEY-1XX", "")):
        with pytest.raises(BackupKeyError):
            open_key(content, lambda given=passphrase: given)
    assert issubclass(BackupKeyError, SurveyError)
