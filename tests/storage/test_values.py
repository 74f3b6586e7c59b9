from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import msgspec
import pytest

from survey.canonical import encode
from survey.certification.transparency_log import tree_root
from survey.sampling.frame import Frame
from survey.sampling.frame_file import read_frame, sample_county
from survey.sampling.wave_sample import draw_sample
from survey.scheme.plan import Plan, example_plan_text, read_plan, scheme_of
from survey.storage.cases import CasesExistError, load_cases, save_cases
from survey.storage.certificates import (
    append_registry,
    find_certificate,
    list_certificates,
    load_registry,
    save_certificate,
)
from survey.storage.database import Database
from survey.storage.evidence import (
    EvidenceExistsError,
    EvidenceMissingError,
    find_evidence,
    list_evidence,
    load_evidence,
    save_evidence,
)
from survey.storage.frames import (
    find_column_map,
    find_frame,
    list_column_maps,
    load_frame,
    save_column_map,
    save_frame,
)
from survey.storage.plans import (
    find_plan,
    find_wave,
    list_waves,
    load_plan,
    load_wave,
    require_state,
    save_plan,
    set_state,
)
from survey.storage.results import ResultsMissingError, find_results, load_results, save_results
from survey.storage.samples import SampleMissingError, find_sample, load_sample, save_sample
from survey.storage.states import STEPS, WaveNotFoundError, WrongStateError
from survey.storage.tables import RegistryLeaves

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return read_plan(example_plan_text())


@pytest.fixture(scope="module")
def frame() -> Frame:
    return read_frame(sample_county("frame.csv"), "frame.csv").frame


async def test_a_plan_comes_back_as_it_was(database: Database, plan: Plan) -> None:
    await save_plan(plan, now=NOW)

    [row] = await list_waves()
    assert await load_plan(plan.wave) == plan
    assert (row.wave, row.state, row.title, row.created_at) == (plan.wave, "draft", plan.title, NOW)


async def test_a_plan_changes_until_it_is_signed(database: Database, plan: Plan) -> None:
    await save_plan(plan, now=NOW)
    other = msgspec.structs.replace(plan, title="另一个标题")
    await save_plan(other, now=NOW)
    assert (await load_plan(plan.wave)).title == "另一个标题"
    for before, after in (("draft", "framed"), ("framed", "drawn"), ("drawn", "planned")):
        await set_state(plan.wave, before, after, now=NOW)

    with pytest.raises(WrongStateError, match="已签署方案"):
        await save_plan(plan, now=NOW)
    assert (await load_plan(plan.wave)).title == "另一个标题"


async def test_an_unknown_wave_is_named(database: Database) -> None:
    assert await find_plan("nowhere") is None and await find_wave("nowhere") is None
    for refused in (
        load_plan("nowhere"),
        load_wave("nowhere"),
        set_state("nowhere", "draft", "framed", now=NOW),
    ):
        with pytest.raises(WaveNotFoundError, match="nowhere"):
            await refused


async def test_a_wave_moves_only_along_its_road(database: Database, plan: Plan) -> None:
    await save_plan(plan, now=NOW)
    road = (
        "framed",
        "drawn",
        "planned",
        "open",
        "paused",
        "open",
        "closed",
        "opened",
        "estimated",
        "certified",
    )
    here = "draft"
    for step in road:
        for wrong in set(STEPS) - STEPS[here]:
            with pytest.raises(WrongStateError):
                await set_state(plan.wave, here, wrong, now=NOW)
        with pytest.raises(WrongStateError):
            await require_state(plan.wave, step if step != here else "certified")
        await set_state(plan.wave, here, step, now=NOW)
        here = step

    assert (await require_state(plan.wave, ("certified",))).state == "certified"


async def test_of_two_who_press_the_same_button_one_is_told(database: Database, plan: Plan) -> None:
    await save_plan(plan, now=NOW)

    outcomes = await asyncio.gather(
        *(set_state(plan.wave, "draft", "framed", now=NOW) for _ in range(8)), return_exceptions=True
    )

    assert outcomes.count(None) == 1
    assert sum(isinstance(one, WrongStateError) for one in outcomes) == 7


async def test_a_frame_and_its_sample_come_back_as_they_were(
    database: Database, plan: Plan, frame: Frame
) -> None:
    await save_plan(plan, now=NOW)
    sample = draw_sample(plan, scheme_of(plan), frame, "20261124")
    assert await find_frame(plan.wave) is None and await find_sample(plan.wave) is None
    with pytest.raises(SampleMissingError):
        await load_sample(plan.wave)

    for _ in range(2):
        await save_frame(plan.wave, frame, "frame.csv", now=NOW)
        await save_sample(sample, now=NOW)

    assert (await load_frame(plan.wave)).digest == frame.digest
    assert (await load_frame(plan.wave)).schools == frame.schools
    assert await load_sample(plan.wave) == sample


async def test_a_column_map_is_remembered(database: Database) -> None:
    await save_column_map("县教育局", {"code": "学校标识码"})
    await save_column_map("县教育局", {"code": "机构代码"})

    assert await find_column_map("县教育局") == {"code": "机构代码"}
    assert await list_column_maps() == ("县教育局",)


async def test_certified_numbers_stay_text_to_the_last_digit(database: Database, plan: Plan) -> None:
    await save_plan(plan, now=NOW)
    with pytest.raises(ResultsMissingError):
        await load_results(plan.wave)
    document = {"figure": {"shown": "0.9250", "numerator": "123456789012345678901234567890"}}
    await save_results(plan.wave, {"figure": None}, now=NOW)
    await save_results(plan.wave, document, now=NOW)

    assert await find_results(plan.wave) == document


async def test_a_signed_text_is_never_replaced(database: Database, plan: Plan) -> None:
    await save_plan(plan, now=NOW)
    await save_evidence(plan.wave, "plan.note", "一\n\n— a b\n", now=NOW)
    await save_evidence(plan.wave, "plan.note", "一\n\n— a b\n", now=NOW)

    with pytest.raises(EvidenceExistsError):
        await save_evidence(plan.wave, "plan.note", "another", now=NOW)
    with pytest.raises(EvidenceMissingError):
        await load_evidence(plan.wave, "statement.note")
    assert await find_evidence(plan.wave, "plan.note") == "一\n\n— a b\n"
    assert await list_evidence(plan.wave) == ("plan.note",)


async def test_the_registry_grows_one_signed_head_at_a_time(database: Database) -> None:
    entries = await asyncio.gather(
        *(append_registry(encode({"n": n}), lambda size, root: f"{size} {root.hex()}") for n in range(10))
    )

    registry = await load_registry()
    assert sorted(entry.index for entry in entries) == list(range(10))
    assert registry.note == f"10 {tree_root(registry.leaves).hex()}"
    assert all(registry.leaves[entry.index] == entry.leaf for entry in entries)
    with pytest.raises(Exception, match="append-only"):
        await RegistryLeaves.delete(force=True)


async def test_a_certificate_is_found_by_number_and_by_the_signs_people_type(
    database: Database, plan: Plan
) -> None:
    await save_plan(plan, now=NOW)
    await save_certificate(7, plan.wave, "7KQ4-M2XH-9DTR", '{"十":1}'.encode(), now=NOW)

    found = await find_certificate("7kq4 m2xh 9dtr")
    assert found == await find_certificate(7) == await find_certificate("7")
    assert found.data == '{"十":1}'.encode() and found.short == "7KQ4M2XH9DTR"
    assert await find_certificate(8) is None
    assert await list_certificates(plan.wave) == (found,)


async def test_opened_answers_are_kept_once_and_all(database: Database, plan: Plan) -> None:
    await save_plan(plan, now=NOW)
    rows = [(f"{n:064x}", f'{{"n":{n}}}') for n in range(1000)]
    opened = [(c, f"{n:02x}" * 32, record) for n, (c, record) in enumerate(rows) for n in [n % 256]]
    await save_cases(plan.wave, reversed(opened))

    assert await load_cases(plan.wave) == rows
    with pytest.raises(CasesExistError):
        await save_cases(plan.wave, opened)
