"""Paper forms: two people, differences settled, counted as paper, sealed while they wait."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import msgspec
import pytest

from survey.canonical import decode, encode
from survey.certification.sealing import open_box, read_leaf
from survey.jobs.create_wave import create_wave
from survey.jobs.draw_sample import draw_wave
from survey.jobs.enter_paper import (
    Difference,
    OtherModeError,
    PaperCodeError,
    SamePersonError,
    enter_paper,
    find_form,
)
from survey.jobs.import_frame import import_frame
from survey.jobs.run_fieldwork import publish_wave
from survey.jobs.sign_plan import sign_plan
from survey.jobs.signers import ROLES, create_signer, open_signers
from survey.scheme.plan import example_plan_text, plan_document, read_plan
from survey.settings import Settings
from survey.storage.accounts import create_account
from survey.storage.audit import list_audit
from survey.storage.database import Database
from survey.storage.office import IntakeOffice
from survey.storage.paper_entries import count_entries
from survey.storage.print_files import load_print_file
from survey.storage.tables import PaperEntries

NOW = datetime(2026, 11, 26, 2, 0, tzinfo=UTC)
WAVE = "county-a"
BY: dict[str, Any] = {"actor": "test", "now": NOW}


@pytest.fixture
async def code(settings: Settings, database: Database, office: IntakeOffice) -> str:
    """A parent's slip of an open, unsealed wave of the sample county, and two clerks."""
    plan = msgspec.structs.replace(read_plan(example_plan_text()), wave=WAVE, sealed=False)
    await create_wave(encode(plan_document(plan)), **BY)
    frame = (files("survey.sampling") / "data" / "county" / "frame.csv").read_bytes()
    await import_frame(WAVE, frame, "frame.csv", **BY)
    await draw_wave(WAVE, "20261124", **BY)
    for role in ROLES:
        create_signer(settings, role, f"four plain words {role}")
    signers = open_signers(settings, {role: f"four plain words {role}" for role in ROLES})
    await sign_plan(settings, office, WAVE, signers, **BY)
    found = next(code for code, domain in load_print_file(settings, WAVE) if domain.endswith("-P"))
    await publish_wave(settings, office, WAVE, **BY)
    for name in ("jia", "yi"):
        await create_account(name, name, ("operator",), "four plain words here", now=NOW)
    return found


async def test_a_form_typed_alike_by_two_people_is_taken_in_and_counted_as_paper(
    settings: Settings, office: IntakeOffice, code: str
) -> None:
    form = await find_form(office, WAVE, code)
    ids = [item.id for item in form.instrument.items if item.is_satisfaction]
    typed = {name: ["4"] for name in ids}

    first = await enter_paper(settings, office, WAVE, code, typed, clerk="jia", now=NOW)
    waiting = await count_entries(WAVE)
    again = await enter_paper(settings, office, WAVE, code.lower(), typed, clerk="jia", now=NOW)
    second = await enter_paper(settings, office, WAVE, f"{code[:4]}-{code[4:]}", typed, clerk="yi", now=NOW)

    assert (first.state, again.state, second.state) == ("first", "first", "received")
    assert waiting == {"jia": 1} and await count_entries(WAVE) == {}
    assert (await office.counters(WAVE))[form.slip.domain, "paper"] == 1
    [leaf], boxes = await office.leaves(WAVE), await office.boxes(WAVE)
    c = read_leaf(leaf)["c"]
    answers = decode(open_box(boxes[c], bytes.fromhex(c), None)[1])["answers"]
    assert {answers[name] for name in ids} == {4}
    with pytest.raises(PaperCodeError):
        await find_form(office, WAVE, code)


async def test_differences_come_back_sealed_until_somebody_else_has_chosen(
    settings: Settings, office: IntakeOffice, code: str
) -> None:
    form = await find_form(office, WAVE, code)
    one, two, *_ = [item.id for item in form.instrument.items if item.is_satisfaction]
    text = next(item.id for item in form.instrument.items if item.kind == "text")
    marker = "放学后没有地方写作业"

    faulty = await enter_paper(settings, office, WAVE, code, {one: ["7"]}, clerk="jia", now=NOW)
    await enter_paper(
        settings, office, WAVE, code, {one: ["5"], two: ["4"], text: [marker]}, clerk="jia", now=NOW
    )
    rows = str(await PaperEntries.select())
    with pytest.raises(SamePersonError):
        await enter_paper(settings, office, WAVE, code, {}, clerk="jia", settled=True, now=NOW)
    second = {one: ["5"], two: ["2"], text: [marker]}
    differs = await enter_paper(settings, office, WAVE, code, second, clerk="yi", now=NOW)
    untouched = await office.leaves(WAVE)
    settled = await enter_paper(settings, office, WAVE, code, second, clerk="yi", settled=True, now=NOW)
    details = [entry.details for entry in await list_audit() if entry.what == "enter_paper"]
    refused = 0
    for typed in ("", "ABC", "2222-2222-2222", "7KQ4-M2XH-9DTR", code):
        with pytest.raises(PaperCodeError):
            await find_form(office, WAVE, typed)
        refused += 1

    assert [fault.item for fault in faulty.faults] == [one]
    assert marker not in rows and marker.encode().hex() not in rows and code not in rows
    assert differs.differences == (Difference(two, 4, 2),)
    assert untouched == [] and settled.state == "received"
    assert details == [{"pass": 2, "mode": "paper", "differences": 1}, {"pass": 1, "mode": "paper"}]
    assert refused == 5


async def test_a_telephone_call_is_a_mode_of_its_own_that_both_passes_name(
    settings: Settings, office: IntakeOffice, code: str
) -> None:
    form = await find_form(office, WAVE, code)
    typed = {item.id: ["4"] for item in form.instrument.items if item.is_satisfaction}
    by = {"mode": "telephone", "now": NOW}

    await enter_paper(settings, office, WAVE, code, typed, clerk="jia", **by)
    with pytest.raises(OtherModeError) as refusal:
        await enter_paper(settings, office, WAVE, code, typed, clerk="yi", now=NOW)
    done = await enter_paper(settings, office, WAVE, code, typed, clerk="yi", **by)
    counters = await office.counters(WAVE)

    assert "电话" in refusal.value.reason and done.state == "received"
    assert counters[form.slip.domain, "telephone"] == 1
    assert (form.slip.domain, "paper") not in counters
