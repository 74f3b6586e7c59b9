"""Every single row of an intake deleted, added to or altered is noticed, on both databases."""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from survey.certification.signature import Signer
from survey.settings import Settings
from survey.storage.database import open_database
from survey.storage.keys import load_key
from survey.storage.office import IntakeOffice


def by_path(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


tampering = by_path("tampering")


async def tamper(settings: Settings, tmp_path: Path, n_slips: int, every: int) -> tuple[int, Counter[str]]:
    """How many rows there were, and who noticed each change; a change nobody noticed fails."""
    async with open_database(settings):
        office = IntakeOffice(settings)
        await office.start()
        plan = await tampering.field(office, n_slips)
        await office.stop()
        seed = load_key(settings, tampering.WAVE, "log")
        log = Signer(plan.origin, seed)
        if settings.database_url:
            bench = tampering.PostgresBench(settings.database_url, seed)
        else:
            (tmp_path / "changed").mkdir()
            bench = tampering.SqliteBench(
                settings.intake / f"{tampering.WAVE}.db", seed, tmp_path / "changed"
            )
        found: Counter[str] = Counter()
        async for change, who in tampering.sweep(bench, plan, log, every):
            if tampering.matters_to_no_answer(change):
                found["counts that no answer rests on"] += 1
                continue
            assert who != "nobody", (change.table, change.told, change.before, change.after)
            found[who] += 1
        rows = sum(map(len, (await bench.rows()).values()))
        if settings.database_url:
            await bench.close()
    return rows, found


async def test_a_changed_row_is_noticed(settings: Settings, tmp_path: Path) -> None:
    _, found = await tamper(settings, tmp_path, 12, 13)

    assert found["start"] and found["reading"] and found["closing"] and found["opening"]


@pytest.mark.slow
async def test_every_change_to_three_thousand_rows_is_noticed(
    sqlite_settings: Settings, tmp_path: Path
) -> None:
    rows, found = await tamper(sqlite_settings, tmp_path, 1040, 1)
    print(f"SQLite: {rows} rows, {sum(found.values())} changes: {dict(found)}")

    assert rows >= 3000


@pytest.mark.slow
async def test_a_tenth_of_all_changes_to_three_thousand_rows_is_noticed_on_postgres(
    postgres_settings: Settings, tmp_path: Path
) -> None:
    rows, found = await tamper(postgres_settings, tmp_path, 1040, 10)
    print(f"PostgreSQL: {rows} rows, {sum(found.values())} changes: {dict(found)}")

    assert rows >= 3000
