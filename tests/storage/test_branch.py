"""Outside its branch an account finds every table of waves empty, whoever forgot to ask."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import msgspec
import pytest

from survey.scheme.plan import example_plan_text, read_plan
from survey.storage import school_tables, tables
from survey.storage.accounts import Account
from survey.storage.branch import OfBranch, everywhere, keep_to
from survey.storage.database import Database
from survey.storage.divisions import enter_branch
from survey.storage.plans import find_plan, find_wave, list_waves, load_plans, load_wave, save_plan, set_state
from survey.storage.states import WaveNotFoundError, WrongStateError
from survey.storage.tables import LaunchTicks, Waves

NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
NOT_OF_A_BRANCH = {"Certificates", "PlanDrafts"}
"""Certificates are public; a draft asks for its branch by itself, since it may have no wave yet."""


def account(*divisions: str) -> Account:
    return Account("demo", "", frozenset({"admin"}), True, frozenset(divisions))


@pytest.fixture
async def two(database: Database) -> AsyncIterator[Database]:
    """A wave of 320704 and one of a town of 360828, each with a tick."""
    plan = read_plan(example_plan_text())
    for wave, code in (("near", "360828100"), ("far", "320704")):
        await save_plan(msgspec.structs.replace(plan, wave=wave, county_code=code), now=NOW)
        await LaunchTicks.insert(LaunchTicks(wave=wave, item="phones", person="甲", note="", ticked_at=NOW))
    yield database
    keep_to(None)


async def test_nothing_of_another_branch_is_read_changed_or_deleted(two: Database) -> None:
    await enter_branch(account("3608"))
    seen = [row.wave for row in await list_waves()]
    plans = await load_plans(["near", "far"])
    ticks = await LaunchTicks.select(LaunchTicks.wave).output(as_list=True)
    counted = (await LaunchTicks.count(), await LaunchTicks.exists().where(LaunchTicks.wave == "far"))
    objects = [tick.wave for tick in await LaunchTicks.objects()]
    changed = await LaunchTicks.update({LaunchTicks.person: "乙"}).returning(LaunchTicks.wave)
    await LaunchTicks.delete().where(LaunchTicks.wave == "far")
    with pytest.raises(WaveNotFoundError):
        await set_state("far", "draft", "framed", now=NOW)
    with pytest.raises(WaveNotFoundError):
        await load_wave("far")
    hidden = (await find_wave("far"), await find_plan("far"))
    with everywhere():
        left = await LaunchTicks.select(LaunchTicks.wave, LaunchTicks.person).order_by(LaunchTicks.wave)
        state = (await load_wave("far")).state

    assert seen == list(plans) == ticks == objects == ["near"]
    assert counted == (1, False)
    assert changed == [{"wave": "near"}]
    assert hidden == (None, None)
    assert left == [{"wave": "far", "person": "甲"}, {"wave": "near", "person": "乙"}]
    assert state == "draft"


async def test_a_branch_without_waves_is_empty_and_can_begin_its_first(two: Database) -> None:
    plan = read_plan(example_plan_text())
    await enter_branch(account("11"))
    before = await list_waves()
    with pytest.raises(WrongStateError):
        await take_the_name_of_another(plan)
    await save_plan(msgspec.structs.replace(plan, wave="first", county_code="110101"), now=NOW)
    after = [row.wave for row in await list_waves()]
    await enter_branch(account())
    every = {row.wave for row in await list_waves()}

    assert before == ()
    assert after == ["first"]
    assert every == {"near", "far", "first"}


async def take_the_name_of_another(plan: object) -> None:
    """A name that another branch has taken is refused as taken, not written over."""
    await save_plan(msgspec.structs.replace(plan, wave="far", county_code="110102"), now=NOW)  # type: ignore[type-var]


def test_every_table_of_waves_keeps_to_the_branch() -> None:
    of_waves = {
        name: table
        for name, table in (vars(tables) | vars(school_tables)).items()
        if isinstance(table, type) and "wave" in {column._meta.name for column in getattr(getattr(table, "_meta", None), "columns", ())}
    }

    assert Waves in of_waves.values()
    assert {name for name, table in of_waves.items() if not issubclass(table, OfBranch)} == NOT_OF_A_BRANCH
