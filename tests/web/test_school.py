"""A school's contact: a one-time link, own school only, one of three bands, nothing that was answered."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from io import BytesIO

import pypdfium2 as pdfium
import pytest

from survey.jobs.run_fieldwork import publish_wave
from survey.jobs.school_page import NotInTheFieldError, hand_out, request_spares, take_back
from survey.jobs.sign_plan import sign_plan
from survey.jobs.signers import ROLES, create_signer, open_signers
from survey.storage.audit import list_audit
from survey.storage.catalogues import save_catalogue
from survey.storage.plans import set_state
from survey.storage.samples import load_sample
from survey.storage.school_contacts import (
    ask_spares,
    find_school_session,
    issue_school_link,
    list_handouts,
    list_requests,
    spend_school_link,
)

from ..documents.pseudo import pseudo_catalogue
from .conftest import NOW, PASSWORD, SAME_ORIGIN, Site

SCHOOLS = "/console/waves/county-a/schools"


@pytest.fixture
async def running(site: Site) -> Site:
    """A site with a running wave and an operator signed in; it speaks Chinese, English and Mongolian."""
    await save_catalogue(replace(pseudo_catalogue("mn-Mong"), signed_by="审定人", signed_on=NOW.date()), now=NOW)
    await site.wave(until="drawn", spares=2, languages=("zh", "en", "mn-Mong"))
    for role in ROLES:
        create_signer(site.settings, role, f"{PASSWORD} {role}")
    signers = open_signers(site.settings, {role: f"{PASSWORD} {role}" for role in ROLES})
    await sign_plan(site.settings, site.office, "county-a", signers, actor="test", now=NOW)
    await publish_wave(site.settings, site.office, "county-a", actor="test", now=NOW)
    await site.sign_in("jia", ("operator",))
    return site


async def test_a_contact_hands_out_asks_and_prints_for_the_own_school_alone(running: Site) -> None:
    client = running.client
    first, second, *_ = (await load_sample("county-a")).schools
    page = await running.send(f"{SCHOOLS}/link", {"school": first, "contact": "教务主任"})
    link = re.search(r"(/school/in/[\w-]+)", page.text)[1]  # type: ignore[index]
    client.cookies.clear()
    looked = [await client.get(link) for _ in range(3)]
    entered = await client.post(link, headers=SAME_ORIGIN, follow_redirects=False)
    again = await client.post(link, headers=SAME_ORIGIN, follow_redirects=False)
    school = (await client.get("/school")).text
    key = {"school_key": re.search(r'name="school_key" value="(\w+)"', school)[1]}  # type: ignore[index]
    tick = {**key, "group": "parent", "class_name": "三年级2班", "n": "12", "on": "2026-11-24"}

    async def send(path: str, fields: dict[str, str]) -> int:
        reply = await client.post(f"/school/{path}", data=fields, headers=SAME_ORIGIN, follow_redirects=False)
        return int(reply.status_code)

    statuses = [
        await send("handouts", tick),
        await send("handouts", {**tick, "n": "13"}),
        await send("handouts", {**tick, "on": "2027-01-01"}),
        await send("handouts", {**tick, "group": "deputy"}),
        await send("handouts", {**tick, "school_key": "0" * 64}),
        await send("spares", {**key, "spare_group": "parent", "spare_n": "2", "reason": "淋湿了"}),
        await send("spares", {**key, "spare_group": "parent", "spare_n": "900", "reason": "淋湿了"}),
    ]
    poster = await client.get("/school/posters/a5")
    after = (await client.get("/school")).text
    console = await client.get("/console/waves", follow_redirects=False)
    handed, asked = await list_handouts("county-a"), await list_requests("county-a")

    assert [reply.status_code for reply in looked] == [200] * 3
    assert (entered.status_code, again.status_code) == (303, 401)
    assert statuses == [303, 303, 422, 422, 403, 303, 422]
    assert [(one.school_code, one.class_name, one.n) for one in handed] == [(first, "三年级2班", 13)]
    assert [(one.school_code, one.n) for one in asked] == [(first, 2)]
    assert poster.content.startswith(b"%PDF")
    assert "不到三成" in after and "等督导部门答复" in after and "学校只负责发放，不看答案" in after
    assert second not in after and "满意度" not in after.replace("教育满意度", "").replace("没有满意度", "").replace("满意度调查", "")
    assert console.status_code == 303
    assert [entry.who for entry in await list_audit() if entry.what == "hand_out"] == [f"school:{first}"] * 2


async def test_the_bureau_grants_spares_once_and_ends_a_schools_sessions(running: Site) -> None:
    client = running.client
    first, *_ = (await load_sample("county-a")).schools
    page = await running.send(f"{SCHOOLS}/link", {"school": first, "contact": "教务主任"})
    link = re.search(r"(/school/in/[\w-]+)", page.text)[1]  # type: ignore[index]
    entered = await client.post(link, headers=SAME_ORIGIN, follow_redirects=False)
    session_id = re.search(r"school=([\w-]+)", entered.headers["set-cookie"])[1]  # type: ignore[index]
    session = await find_school_session(session_id, now=NOW)
    school = (await client.get("/school")).text
    key = re.search(r'name="school_key" value="(\w+)"', school)[1]  # type: ignore[index]
    fields = {"school_key": key, "spare_group": "parent", "spare_n": "2", "reason": "淋湿了"}
    await client.post("/school/spares", data=fields, headers=SAME_ORIGIN)
    [asked] = await list_requests("county-a")
    decisions = [
        (await running.send(f"{SCHOOLS}/spares/{asked.id}", {"act": act})).status_code for act in ("grant", "decline")
    ]
    [decided] = await list_requests("county-a")
    await running.send(f"{SCHOOLS}/withdraw", {"school": first})
    nobody = await running.send(f"{SCHOOLS}/link", {"school": "0000000000", "contact": "谁"})

    assert session is not None and (session.wave, session.school_code) == ("county-a", first)
    assert decisions == [303, 409]
    assert (decided.state, decided.decided_by) == ("granted", "jia")
    assert (await client.get("/school")).status_code == 401
    assert nobody.status_code == 404


async def test_posters_are_offered_in_the_languages_that_can_be_printed_and_refused_in_others(running: Site) -> None:
    client = running.client
    first, *_ = (await load_sample("county-a")).schools
    room = (await client.get("/console/waves/county-a/papers")).text
    refused = await running.send("/console/waves/county-a/papers", {"part_posters": "1", "language": "mn-Mong"})
    page = await running.send(f"{SCHOOLS}/link", {"school": first, "contact": "教务主任"})
    await client.post(re.search(r"(/school/in/[\w-]+)", page.text)[1], headers=SAME_ORIGIN)  # type: ignore[index]
    school = (await client.get("/school")).text
    replies = {
        asked: await client.get(f"/school/posters/a5{asked}")
        for asked in ("", "?language=en", "?language=mn-Mong", "?language=ug", "?lang=en")
    }
    plain, english = (len(pdfium.PdfDocument(BytesIO(replies[asked].content))) for asked in ("", "?language=en"))

    assert '<option value="en">' in room and '<option value="mn-Mong">' not in room and "蒙古文不能排印" in room
    assert refused.status_code == 409 and "蒙古文（ᠮᠣᠩᠭᠣᠯ ᠬᠡᠯᠡ）" in refused.text and "请用中文" in refused.text
    assert "/school/posters/a5?language=en" in school and "language=mn-Mong" not in school
    assert [reply.status_code for reply in replies.values()] == [200, 200, 409, 422, 400]
    assert english == 2 * plain


async def test_links_ticks_and_spares_end_with_the_wave_and_begin_with_its_signed_plan(site: Site) -> None:
    await site.wave(until="drawn")
    await site.sign_in("jia", ("operator",))
    first, *_ = (await load_sample("county-a")).schools
    asked = {"school": first, "contact": "教务主任"}
    early = await site.send(f"{SCHOOLS}/link", asked)
    await site.stand("county-a", "planned")
    token = await issue_school_link("county-a", first, "教务主任", now=NOW)
    session_id = await spend_school_link(token, now=NOW)
    assert session_id is not None
    session = await find_school_session(session_id, now=NOW)
    assert session is not None
    await ask_spares(session, "parent", 2, "淋湿了", now=NOW)
    for before, after in itertools.pairwise(("planned", "open", "closed")):
        await set_state("county-a", before, after, now=NOW)
    late = await site.send(f"{SCHOOLS}/link", asked)
    one = (await list_requests("county-a"))[0]
    granted = await site.send(f"{SCHOOLS}/spares/{one.id}", {"act": "grant"})
    page = (await site.client.get(SCHOOLS)).text
    declined = await site.send(f"{SCHOOLS}/spares/{one.id}", {"act": "decline"})
    for act in (
        take_back(session, "parent", "三年级2班", now=NOW),
        hand_out(None, session, "parent", "三年级2班", "3", "2026-11-24", now=NOW),  # type: ignore[arg-type]
        request_spares(None, session, "parent", "3", "又淋湿了", now=NOW),  # type: ignore[arg-type]
    ):
        with pytest.raises(NotInTheFieldError):
            await act

    assert [reply.status_code for reply in (early, late, granted, declined)] == [409, 409, 409, 303]
    assert "方案还没有签署" in early.text and "填写已经结束" in late.text
    assert "发一个一次性链接" not in page and 'value="grant"' not in page
