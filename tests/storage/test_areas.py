"""Below the county an account finds the rows of its own schools, whoever forgot to ask; on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from survey.errors import FaultsError
from survey.jobs.keep_ledger import AboutNobodyError, take_up
from survey.jobs.place_schools import (
    add_area,
    copy_areas,
    give_area_up,
    place_listed,
    place_schools,
    placing_of,
)
from survey.sampling.frame_file import read_frame, sample_county
from survey.scheme.divisions import BadDivisionError
from survey.scheme.plan import example_plan_text, read_plan
from survey.storage.accounts import Account, create_account, find_account
from survey.storage.areas import AreaUnknownError, SchoolNotListedError, areas_of, assign_areas, list_schools
from survey.storage.branch import keep_to
from survey.storage.database import Database
from survey.storage.divisions import (
    MixedLevelsError,
    enter_branch,
    save_local_division,
    set_divisions,
    waves_of,
)
from survey.storage.frames import find_frame, save_frame
from survey.storage.ledger import AboutOthersError, EntryNotFoundError, list_entries, load_entry
from survey.storage.plans import list_waves, save_plan
from survey.storage.school_contacts import list_handouts
from survey.storage.school_tables import Handouts, SchoolAreas
from survey.storage.tables import CallBackTickets, Frames, LedgerEntries, Plans, ResultsTable, Waves

NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
BY = {"actor": "test", "now": NOW}
FIRST, SECOND, ELSEWHERE = "320704-01", "320704-02", "360828-01"


@pytest.fixture
async def county(database: Database) -> AsyncIterator[list[str]]:
    """Two waves of a county with two areas of two schools each, and an area of another county; its schools."""
    plan, frame = read_plan(example_plan_text()), read_frame(sample_county(), "frame.csv").frame
    assert frame is not None
    for wave, days in (("old", 0), ("new", 1)):
        now = NOW + timedelta(days=days)
        await save_plan(msgspec.structs.replace(plan, wave=wave), now=now)
        await save_frame(wave, frame, now=now)
        await Waves.update({Waves.state: "certified"}).where(Waves.wave == wave)
    for code in (FIRST, SECOND):
        await save_local_division(code, "320704", f"责任区{code[-2:]}")
    await save_local_division(ELSEWHERE, "360828", "别县的责任区")
    schools = [school.code for school in frame.schools]
    await assign_areas("new", dict.fromkeys(schools[:2], FIRST) | dict.fromkeys(schools[2:4], SECOND))
    for school in schools[:3]:
        await Handouts.insert(
            Handouts(wave="new", school_code=school, respondent_group="parent", class_name="一班", n=30, handed_out_on="2026-11-25")
        )
        await CallBackTickets.insert(CallBackTickets(wave="new", ticket=school, domain=f"{school}-P", spent=0))
    await CallBackTickets.insert(CallBackTickets(wave="new", ticket="list", domain="320704-D", spent=0))
    await create_account("li", "", {"operator"}, now=NOW)
    yield schools
    keep_to(None)


async def become(*divisions: str) -> Account:
    """Let the rest of the test see what an account of these divisions may see."""
    keep_to(None)
    await set_divisions("li", divisions)
    account = await find_account("li")
    assert account is not None
    await enter_branch(account)
    return account


async def test_an_area_finds_its_schools_of_its_waves_and_changes_nothing_else(county: list[str]) -> None:
    account = await become(FIRST)
    waves, own = [row.wave for row in await list_waves()], [row.wave for row in await waves_of(account)]
    frame = await find_frame("new")
    handed = [one.school_code for one in await list_handouts("new")]
    tickets = await CallBackTickets.select(CallBackTickets.domain).output(as_list=True)
    closed = (await ResultsTable.count(), await find_frame("old"))
    await Handouts.update({Handouts.n: 1}).where(Handouts.wave == "new")
    await Handouts.delete().where(Handouts.school_code == county[2])
    await Frames.delete().where(Frames.wave == "new")
    await Plans.update({Plans.digest: "x"}).where(Plans.wave == "new")
    await Waves.update({Waves.state: "draft"}).where(Waves.wave == "new")
    keep_to(None)
    left = {one.school_code: one.n for one in await list_handouts("new")}

    assert account.level == "area"
    assert waves == own == ["new"]
    assert frame is not None and [school.code for school in frame.schools] == county[:2]
    assert handed == county[:2]
    assert sorted(tickets) == [f"{county[0]}-P", f"{county[1]}-P"]
    assert closed == (0, None)
    assert left == {county[0]: 1, county[1]: 1, county[2]: 30}
    assert await Frames.exists().where(Frames.wave == "new")
    assert not await Plans.exists().where(Plans.digest == "x")
    assert [row.state for row in await list_waves()] == ["certified", "certified"]


async def test_a_school_finds_itself_in_every_wave_that_lists_it(county: list[str]) -> None:
    account = await become(county[3])
    frame = await find_frame("new")
    waves = {row.wave for row in await list_waves()}

    assert account.level == "school"
    assert waves == {"new", "old"}
    assert frame is not None and [school.code for school in frame.schools] == [county[3]]
    assert await list_handouts("new") == ()


async def test_a_school_that_moved_is_seen_by_its_new_area_from_then_on(county: list[str]) -> None:
    await place_schools("new", {county[0]: SECOND}, **BY)  # type: ignore[arg-type]
    await become(FIRST)
    before = [one.school_code for one in await list_handouts("new")]
    await become(SECOND)
    after = [one.school_code for one in await list_handouts("new")]

    assert before == [county[1]]
    assert after == [county[0], county[2]]


async def test_whoever_is_left_with_an_area_given_up_sees_nothing(county: list[str]) -> None:
    await give_area_up(FIRST, **BY)  # type: ignore[arg-type]
    with pytest.raises(BadDivisionError):
        await set_divisions("li", [FIRST])
    with pytest.raises(BadDivisionError):
        await save_local_division(FIRST, "320704", "又来")
    with pytest.raises(AreaUnknownError):
        await assign_areas("new", {county[5]: FIRST})
    kept = (await areas_of("new"))[county[0]]
    await enter_branch(Account("li", "", frozenset({"operator"}), True, frozenset({FIRST})))

    assert kept == FIRST
    assert await list_waves() == ()
    assert await list_handouts("new") == ()
    assert await give_area_up(FIRST, **BY) is None  # type: ignore[arg-type]


async def test_no_school_goes_into_an_area_of_another_county_or_comes_from_nowhere(county: list[str]) -> None:
    with pytest.raises(AreaUnknownError):
        await assign_areas("new", {county[0]: ELSEWHERE})
    with pytest.raises(SchoolNotListedError):
        await assign_areas("new", {"9999999999": FIRST})
    with pytest.raises(BadDivisionError):
        await save_local_division("320704-09", "360828", "写错县")
    for codes in (["3207", FIRST], [county[0], county[1]], [FIRST, county[0]]):
        with pytest.raises(MixedLevelsError):
            await set_divisions("li", codes)
    with pytest.raises(BadDivisionError):
        await set_divisions("li", ["9999999999"])
    # Rows that some other hand put there open nothing: the account's county decides as well.
    await SchoolAreas.update({SchoolAreas.area: ELSEWHERE}).where(SchoolAreas.school_code == county[0])
    await become(ELSEWHERE)

    assert await list_waves() == ()


async def test_a_frame_imported_again_keeps_the_areas_of_schools_that_stay(county: list[str]) -> None:
    await list_schools("new", county[1:])
    areas = await areas_of("new")

    assert county[0] not in areas
    assert (areas[county[1]], areas[county[2]], areas[county[4]]) == (FIRST, SECOND, None)


async def test_areas_are_copied_from_the_last_wave_and_taken_from_a_list(county: list[str]) -> None:
    copied = await copy_areas("old", **BY)  # type: ignore[arg-type]
    moved = await place_listed("old", f"{county[0]}\t责任区02\n{county[4]}，{FIRST.lower()}\n{county[1]},无\n", **BY)  # type: ignore[arg-type]
    with pytest.raises(FaultsError) as refused:
        await place_listed("old", f"1,{FIRST}\n{county[0]},第九\n{county[1]},{FIRST}\n{county[1]},{FIRST}", **BY)  # type: ignore[arg-type]
    third = await add_area("old", "责任区03", **BY)  # type: ignore[arg-type]
    placing = await placing_of("old")

    assert copied == ("new", 4)
    assert moved == {county[0]: (FIRST, SECOND), county[4]: (None, FIRST), county[1]: (FIRST, None)}
    assert [(fault.code, fault.row) for fault in refused.value.faults] == [
        ("areas.school_not_listed", 1), ("areas.unknown", 2), ("areas.twice", 4),
    ]  # fmt: skip
    assert third.code == "320704-03"
    assert (placing.counts[FIRST], placing.counts[SECOND], placing.counts[""]) == (1, 3, len(county) - 4)


async def test_an_area_writes_and_reads_problems_of_its_schools_alone(county: list[str]) -> None:
    for about in ("", county[2], county[0], SECOND):
        await take_up("new", "fact", "", f"问题{about}", "走访", about=about, **BY)  # type: ignore[arg-type]
    await become(FIRST)
    mine = await take_up("new", "fact", "", "本区的问题", "走访", about=FIRST.lower(), **BY)  # type: ignore[arg-type]
    seen = [(one.number, one.about) for one in await list_entries("new")]
    for about, refusal in (("", AboutOthersError), (county[2], AboutNobodyError), (SECOND, AboutNobodyError)):
        with pytest.raises(refusal):
            await take_up("new", "fact", "", "别处的问题", "走访", about=about, **BY)  # type: ignore[arg-type]
    with pytest.raises(EntryNotFoundError):
        await load_entry("new", 2)
    await LedgerEntries.delete().where(LedgerEntries.number == 2)
    keep_to(None)

    assert mine.number == 5
    assert seen == [(3, county[0]), (5, FIRST)]
    assert (await load_entry("new", 2)).about == county[2]
