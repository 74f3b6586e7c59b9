from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from piccolo.apps.migrations.tables import Migration

from survey.settings import FolderNotWritableError, Settings, SettingsError, load_settings
from survey.storage.database import Database, SecondProcessError, open_database
from survey.storage.migration import NewerDatabaseError, migrate
from survey.storage.piccolo_app import all_tables
from survey.storage.piccolo_conf import APP_REGISTRY
from survey.storage.postgres_engine import DatabaseUnreachableError
from survey.storage.tables import ColumnMaps

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)


async def test_an_empty_folder_becomes_a_database_with_every_table(database: Database) -> None:
    for table in all_tables():
        assert await table.count() == 0

    assert all_tables() == APP_REGISTRY.get_table_classes("survey")
    assert len(all_tables()) > 30


async def test_opening_again_migrates_nothing_and_keeps_everything(settings: Settings) -> None:
    async with open_database(settings):
        await ColumnMaps.insert(ColumnMaps(name="county", document="{}"))

    async with open_database(settings) as database:
        assert await migrate(database.engine) == []
        assert await ColumnMaps.count() == 1


async def test_a_migration_cut_off_before_it_was_noted_runs_again(settings: Settings) -> None:
    async with open_database(settings):
        await ColumnMaps.insert(ColumnMaps(name="county", document="{}"))
        # The process died after the tables were committed, before Piccolo noted the migration.
        await Migration.delete(force=True)

    async with open_database(settings):
        assert await ColumnMaps.count() == 1
        assert await Migration.count() >= 1


async def test_the_last_release_is_brought_to_the_newest_structure(settings: Settings) -> None:
    """The first release has no predecessor; every later one starts from each released migration."""
    async with open_database(settings):
        ran = await Migration.select(Migration.name).order_by(Migration.name).output(as_list=True)
        await Migration.delete().where(Migration.name != ran[0])

    async with open_database(settings):
        assert await Migration.select(Migration.name).order_by(Migration.name).output(as_list=True) == ran


async def test_a_database_of_a_newer_release_is_left_alone(settings: Settings) -> None:
    async with open_database(settings):
        await Migration.insert(Migration(name="2099-01-01T00:00:00:000000", app_name="survey"))

    with pytest.raises(NewerDatabaseError, match="2099"):
        async with open_database(settings):
            pass


async def test_two_processes_at_once_migrate_one_postgres_database_once(
    postgres_url: str, tmp_path: Path
) -> None:
    program = (
        "import asyncio, sys\n"
        "from survey.settings import load_settings\n"
        "from survey.storage.database import open_database\n"
        "async def main():\n"
        "    async with open_database(load_settings({}, data=sys.argv[1], database_url=sys.argv[2])): pass\n"
        "asyncio.run(main())\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path / str(number)), postgres_url], stderr=subprocess.PIPE
        )
        for number in range(3)
    ]
    errors = [process.communicate(timeout=60)[1].decode() for process in processes]

    assert [process.returncode for process in processes] == [0, 0, 0], errors


async def test_migrating_prints_nothing(sqlite_settings: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    async with open_database(sqlite_settings):
        pass

    assert capfd.readouterr().out == ""


async def test_a_second_process_is_refused_in_one_clear_sentence(sqlite_settings: Settings) -> None:
    program = (
        "import asyncio, sys\n"
        "from survey.errors import SurveyError\n"
        "from survey.settings import load_settings\n"
        "from survey.storage.database import open_database\n"
        "async def main():\n"
        "    try:\n"
        "        async with open_database(load_settings({}, data=sys.argv[1])): pass\n"
        "    except SurveyError as refusal: print(refusal.code, str(refusal))\n"
        "asyncio.run(main())\n"
    )
    async with open_database(sqlite_settings):
        second = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-c", program, str(sqlite_settings.data)],
            capture_output=True,
            text=True,
            check=True,
        )
        with pytest.raises(SecondProcessError):
            async with open_database(sqlite_settings):
                pass
    async with open_database(sqlite_settings):
        pass

    assert second.stdout.startswith("storage.second_process ")
    assert f"进程号{os.getpid()}" in second.stdout and second.stdout.count("\n") == 1


async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("")

    with pytest.raises(FolderNotWritableError, match="file"):
        async with open_database(load_settings({}, data=occupied / "data")):
            pass


async def test_an_unreachable_server_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings({}, data=tmp_path, database_url="postgresql://127.0.0.1:1/survey")
    from survey.storage.postgres_engine import PoolEngine

    start = PoolEngine.start
    monkeypatch.setattr(PoolEngine, "start", lambda self: start(self, patience=0.2))

    with pytest.raises(DatabaseUnreachableError, match="SURVEY_DATABASE_URL"):
        async with open_database(settings):
            pass


async def test_a_transaction_is_all_or_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.transaction():
            await ColumnMaps.insert(ColumnMaps(name="county", document="{}"))
            raise ZeroDivisionError

    assert await ColumnMaps.count() == 0


async def test_a_commit_that_fails_leaves_nothing_behind_and_the_next_one_works(database: Database) -> None:
    await ColumnMaps.raw("CREATE TABLE above (n INTEGER PRIMARY KEY)")
    await ColumnMaps.raw("CREATE TABLE below (n INTEGER REFERENCES above (n) DEFERRABLE INITIALLY DEFERRED)")
    with pytest.raises(Exception, match="(?i)foreign key"):
        async with database.transaction():
            await ColumnMaps.insert(ColumnMaps(name="lost", document="{}"))
            await ColumnMaps.raw("INSERT INTO below VALUES (1)")
    async with database.transaction():
        await ColumnMaps.insert(ColumnMaps(name="kept", document="{}"))

    assert await ColumnMaps.select(ColumnMaps.name) == [{"name": "kept"}]
    assert await ColumnMaps.raw("SELECT count(*) AS n FROM below") == [{"n": 0}]


async def test_four_hundred_writers_at_once_are_all_heard(database: Database) -> None:
    async def write(number: int) -> None:
        async with database.transaction():
            await ColumnMaps.insert(ColumnMaps(name=f"map {number}", document="{}"))

    await asyncio.gather(*map(write, range(400)))

    assert await ColumnMaps.count() == 400


async def test_a_reader_never_sees_half_of_a_transaction(database: Database) -> None:
    entered = asyncio.Event()

    async def write() -> None:
        async with database.transaction():
            await ColumnMaps.insert(ColumnMaps(name="one", document="{}"))
            entered.set()
            await asyncio.sleep(0.05)
            await ColumnMaps.insert(ColumnMaps(name="two", document="{}"))

    writing = asyncio.create_task(write())
    await entered.wait()
    seen = await ColumnMaps.count()
    await writing

    assert seen in {0, 2}


@pytest.mark.parametrize(
    "environ",
    [
        {"SURVEY_PORT": "eighty"},
        {"SURVEY_PORT": "70000"},
        {"SURVEY_BASE_URL": "survey.example"},
        {"SURVEY_DATABASE_URL": "mysql://localhost/x"},
        {"SURVEY_DATABASE_CONNECTIONS": "many"},
        {"SURVEY_DATABASE_CONNECTIONS": "301"},
    ],
)
def test_a_setting_that_cannot_be_used_is_named(environ: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings(environ)

    assert next(iter(environ.values())).split(":")[0] in str(refused.value) or "SURVEY_" in str(refused.value)


def test_settings_come_from_overrides_then_environment_then_defaults(tmp_path: Path) -> None:
    environ = {
        "SURVEY_PORT": "9000",
        "SURVEY_DATA": str(tmp_path),
        "SURVEY_TRUSTED_PROXIES": "10.0.0.1, 10.0.0.2",
    }

    settings = load_settings(environ, host="0.0.0.0")

    assert (settings.port, settings.host, settings.base_url) == (9000, "0.0.0.0", "http://127.0.0.1:9000")
    assert settings.data == tmp_path and settings.trusted_proxies == ("10.0.0.1", "10.0.0.2")
    assert load_settings(environ, port=1).port == 1
