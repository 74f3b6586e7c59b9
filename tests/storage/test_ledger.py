"""Entries of the ledger on both databases: numbered without gaps, saved over what was read."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, date, datetime

import pytest

from survey.followup.ledger import take_act
from survey.jobs.keep_ledger import act_on_entry, take_up
from survey.scheme.plan import example_plan_text, read_plan
from survey.storage.audit import list_audit
from survey.storage.database import Database
from survey.storage.ledger import (
    AlreadyTakenUpError,
    EntryChangedError,
    EntryNotFoundError,
    list_entries,
    load_entry,
    save_entry,
)
from survey.storage.plans import save_plan, set_state
from survey.storage.states import WrongStateError

NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
OWNER = {"unit": "财政局", "person": "局长", "due_on": date(2026, 12, 20), "measures": "补齐"}


@pytest.fixture
async def wave(database: Database) -> str:
    """A wave whose certificate is out."""
    plan = read_plan(example_plan_text())
    await save_plan(plan, now=NOW)
    road = ("draft", "framed", "drawn", "planned", "open", "closed", "opened", "estimated", "certified")
    for before, after in itertools.pairwise(road):
        await set_state(plan.wave, before, after, now=NOW)
    return plan.wave


async def take(wave: str, key: str) -> int:
    return (await take_up(wave, "fact", key, "课桌不够", "核查记录", actor="lin", now=NOW)).number


async def test_an_entry_comes_back_as_it_was_saved(wave: str) -> None:
    await take(wave, "a")
    moved = await act_on_entry(wave, 1, "start", actor="lin", now=NOW, **OWNER)

    assert await load_entry(wave, 1) == moved
    assert [entry.what for entry in await list_audit(wave=wave)] == ["ledger_start", "ledger_open"]


async def test_two_people_at_once_get_two_numbers(wave: str) -> None:
    numbers = await asyncio.gather(*(take(wave, str(at)) for at in range(8)))

    assert sorted(numbers) == list(range(1, 9))
    assert len(await list_entries(wave)) == 8


async def test_a_source_is_taken_up_once(wave: str) -> None:
    await take(wave, "a")

    with pytest.raises(AlreadyTakenUpError):
        await take(wave, "a")


async def test_what_another_did_meanwhile_is_not_written_over(wave: str) -> None:
    await take(wave, "a")
    mine = await load_entry(wave, 1)
    await act_on_entry(wave, 1, "start", actor="wu", now=NOW, **OWNER)

    with pytest.raises(EntryChangedError, match="wu已经做了“开始整改”"):
        await save_entry(take_act(mine, "start", who="lin", now=NOW, **OWNER), mine.version)
    with pytest.raises(EntryNotFoundError):
        await load_entry(wave, 2)


async def test_an_uncertified_wave_takes_nothing_up(database: Database) -> None:
    await save_plan(read_plan(example_plan_text()), now=NOW)

    with pytest.raises(WrongStateError):
        await take(read_plan(example_plan_text()).wave, "a")
