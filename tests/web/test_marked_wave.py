"""A whole wave whose people all carry marks: no mark is in any log, and none of an answer in the trail."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from survey.cli.logs import begin_logging
from survey.jobs.certify_wave import certify_wave
from survey.jobs.close_wave import close_wave
from survey.jobs.estimate_wave import estimate_wave
from survey.jobs.message_board import open_message
from survey.jobs.open_wave import open_wave
from survey.jobs.run_fieldwork import publish_wave
from survey.jobs.sign_plan import sign_plan
from survey.jobs.signers import ROLES, create_signer, open_signers
from survey.storage.audit import list_audit
from survey.storage.board import list_messages
from survey.storage.cases import load_cases
from survey.storage.plans import load_wave
from survey.storage.print_files import load_print_file, save_print_file
from survey.storage.samples import load_sample

from .conftest import NOW, PASSWORD, SAME_ORIGIN, Site, answer
from .test_health import figures

WAVE = "county-a"
SAID, BOARD, CONTACT, CLASS, WHY, STRANGER = (f"标记{sign}号" for sign in "甲乙丙丁戊己")
TELEPHONE = "13800138000"


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Everything a service would write, as `survey serve` sets it up."""
    root, seen = logging.getLogger(), io.StringIO()
    before, level = list(root.handlers), root.level
    monkeypatch.setattr(sys, "stderr", seen)
    begin_logging("json")
    yield seen
    root.handlers[:] = before
    root.setLevel(level)


async def fill_in(site: Site, code: str, **changes: str) -> Any:
    """A form opened and sent as a browser does, the first option of every item chosen."""
    page = (await site.client.get(f"/s/{code}")).text
    fields = dict(re.findall(r'<input type="hidden" name="([kvs])" value="([^"]*)"', page))
    for name, value in re.findall(r'type="radio"[^>]*? name="([^"]+)"[^>]*? value="([^"]+)"', page):
        fields.setdefault(name, value)
    for name in re.findall(r'<textarea[^>]*? name="([^"]+)"', page):
        fields[name] = f"{SAID}的电话是{TELEPHONE}"
    return await site.client.post(f"/s/{code}", data={**fields, **changes}, follow_redirects=False)


@pytest.mark.slow
async def test_no_mark_of_a_person_is_in_any_log_of_a_whole_wave(site: Site, log: io.StringIO) -> None:
    await site.person()
    await site.wave(until="drawn", spares=2)
    for role in ROLES:
        create_signer(site.settings, role, f"{PASSWORD} {role}")
    signers = open_signers(site.settings, {role: f"{PASSWORD} {role}" for role in ROLES})
    by: dict[str, Any] = {"actor": "jia", "now": NOW}
    await sign_plan(site.settings, site.office, WAVE, signers, **by)
    codes = load_print_file(site.settings, WAVE)
    await publish_wave(site.settings, site.office, WAVE, **by)
    own = [code for code, domain in codes if domain.endswith("-P")][:3]

    sent = [await fill_in(site, own[0]), await fill_in(site, own[0]), await fill_in(site, own[1], v="0" * 64)]
    broken = await fill_in(site, own[2], PA01=STRANGER)
    box = (await site.client.get(f"/b/{WAVE}")).text
    key = re.search(r'name="k" value="(\w{32})"', box)
    assert key is not None
    board = await site.client.post(
        f"/b/{WAVE}", data={"k": key[1], "who": "parent", "text": f"{BOARD}的电话是{TELEPHONE}"}
    )
    await site.client.post("/s/dispute", data={"code": own[2]})
    await site.client.post("/console/sign-in", data={"name": STRANGER, "password": PASSWORD}, headers=SAME_ORIGIN)
    await site.sign_in("jia", ("admin", "operator", "reviewer"))
    school = (await load_sample(WAVE)).schools[0]
    invited = await site.send(f"/console/waves/{WAVE}/schools/link", {"school": school, "contact": CONTACT})
    link = re.search(r"(/school/in/([\w-]+))", invited.text)
    assert link is not None
    await site.client.post(link[1], headers=SAME_ORIGIN)
    page = (await site.client.get("/school")).text
    school_key = re.search(r'name="school_key" value="(\w+)"', page)
    assert school_key is not None
    told = {"school_key": school_key[1], "group": "parent", "n": "3", "on": "2026-11-24", "class_name": CLASS}
    asked = {"school_key": school_key[1], "spare_group": "parent", "spare_n": "2", "reason": WHY}
    await site.client.post("/school/handouts", data=told, headers=SAME_ORIGIN)
    await site.client.post("/school/spares", data=asked, headers=SAME_ORIGIN)
    for message in await list_messages(WAVE, "held"):
        await open_message(WAVE, message.id, **by)
    typed = await site.send(f"/console/waves/{WAVE}/paper", {"code": own[2]})
    wrong = await site.send(f"/console/waves/{WAVE}/leftovers", {"lines": own[2], "second": STRANGER, "confirm": "x"})
    token = await site.token("waves:read", "figure:read")
    await site.client.get(f"/api/v1/waves/{WAVE}?{STRANGER}", headers=token)
    metrics = await figures(site)

    save_print_file(site.settings, WAVE, [(code, domain) for code, domain in codes if code != own[0]])
    await answer(site.office, site.settings, WAVE)
    for act in (close_wave, open_wave):
        await act(site.settings, site.office, WAVE, signers, **by)
    kept = str(await load_cases(WAVE))
    await estimate_wave(site.office, WAVE, **by)
    await certify_wave(site.settings, site.office, WAVE, signers, **by)
    lines = log.getvalue()
    trail = str([(one.who, one.what, one.object, one.details) for one in await list_audit(limit=10_000)])
    secrets = [*own, link[2], token["Authorization"].removeprefix("Bearer "), PASSWORD, school_key[1]]
    spoken = [SAID, BOARD, CONTACT, CLASS, WHY, STRANGER, TELEPHONE]

    assert sent[0].status_code == 303 and broken.status_code == 422, sent[0].text
    assert board.status_code < 400 and typed.status_code < 500 and wrong.status_code == 422
    assert (await load_wave(WAVE)).state == "certified" and SAID in kept
    assert metrics["survey_posts_acknowledged_total new"] == metrics["survey_posts_refused_total faulty_form"] == 1
    assert len([line for line in lines.splitlines() if json.loads(line)]) > 5
    assert [mark for mark in (*secrets, *spoken) if mark in lines] == []
    assert [mark for mark in (*secrets, SAID, BOARD, TELEPHONE, CONTACT) if mark in trail] == []
