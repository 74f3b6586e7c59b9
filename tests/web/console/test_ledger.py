"""The ledger of a certified wave from the console: taken up, given to somebody, closed by two."""

from __future__ import annotations

import re

from survey.storage.ledger import list_entries

from ..conftest import PASSWORD, SAME_ORIGIN, Site

LEDGER = "/console/waves/county-a/ledger"


async def as_person(site: Site, name: str, roles: tuple[str, ...] = ("operator",)) -> None:
    """Sign in, with a new account the first time."""
    site.client.cookies.clear()
    reply = await site.client.post(
        "/console/sign-in",
        data={"name": name, "password": PASSWORD},
        headers=SAME_ORIGIN,
        follow_redirects=False,
    )
    if reply.status_code != 303:
        await site.sign_in(name, roles)


async def act(site: Site, number: int, act: str, **fields: str) -> int:
    page = (await site.client.get(f"{LEDGER}/{number}")).text
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version is not None
    reply = await site.send(f"{LEDGER}/{number}", {"act": act, "version": version[1], **fields})
    return int(reply.status_code)


async def test_a_problem_walks_from_the_fact_to_the_second_look(certified: Site) -> None:
    await as_person(certified, "lin")
    taken = await certified.send(LEDGER, {"source": "fact", "problem": "课桌不够", "basis": "核查记录第3页"})
    owner = {"unit": "财政局", "person": "局长", "due_on": "2026-12-20", "measures": "补齐"}
    steps = [
        taken.status_code,
        await act(certified, 1, "start", **owner),
        await act(certified, 1, "submit", evidence="验收单12号"),
        await act(certified, 1, "close"),
    ]
    await as_person(certified, "wu")
    steps += [await act(certified, 1, "close"), await act(certified, 1, "look_again", note="看了，课桌在")]
    page = (await certified.client.get(f"{LEDGER}/1")).text
    (entry,) = await list_entries("county-a")

    assert steps == [303, 303, 303, 403, 303, 303]
    assert entry.state == "looked_again"
    assert "验收单12号" in page


async def test_what_was_typed_is_kept_where_something_is_missing(certified: Site) -> None:
    await as_person(certified, "lin")
    await certified.send(LEDGER, {"source": "fact", "problem": "课桌不够", "basis": "核查记录"})
    reply = await certified.send(f"{LEDGER}/1", {"act": "start", "unit": "财政局", "measures": "补齐"})

    assert reply.status_code == 422
    assert "没有写责任人" in reply.text
    assert 'value="财政局"' in reply.text


async def test_an_act_over_an_older_version_is_refused_and_says_what_happened(certified: Site) -> None:
    await as_person(certified, "lin")
    await certified.send(LEDGER, {"source": "fact", "problem": "课桌不够", "basis": "核查记录"})
    owner = {"unit": "财政局", "person": "局长", "due_on": "2026-12-20", "measures": "补齐"}
    await act(certified, 1, "start", **owner)
    reply = await certified.send(f"{LEDGER}/1", {"act": "submit", "version": "1", "evidence": "单子"})

    assert reply.status_code == 409
    assert "lin已经做了“开始整改”" in reply.text


async def test_the_same_finding_is_taken_up_once(certified: Site) -> None:
    await as_person(certified, "lin")
    fields = {"source": "item", "source_key": "weak:items:parent:P03", "problem": "课桌", "basis": "证书"}
    first = await certified.send(LEDGER, fields)
    second = await certified.send(LEDGER, fields)

    assert (first.status_code, second.status_code) == (303, 409)


async def test_an_auditor_reads_and_does_not_write(certified: Site) -> None:
    await as_person(certified, "zhao", ("auditor",))
    page = await certified.client.get(LEDGER)
    reply = await certified.send(LEDGER, {"source": "fact", "problem": "课桌", "basis": "证书"})

    assert page.status_code == 200
    assert '<form method="post" action="/console/waves/county-a/ledger' not in page.text
    assert reply.status_code == 403


async def test_no_cell_of_the_sheet_begins_a_formula(certified: Site) -> None:
    await as_person(certified, "lin")
    await certified.send(LEDGER, {"source": "fact", "problem": "=1+1", "basis": "@SUM"})
    sheet = (await certified.client.get(f"{LEDGER}.csv")).content.decode("utf-8-sig")

    assert ",'=1+1,'@SUM," in sheet


async def test_before_the_certificate_there_is_no_ledger(site: Site) -> None:
    await site.sign_in()
    await site.wave("county-a")
    page = await site.client.get(LEDGER)
    reply = await site.send(LEDGER, {"source": "fact", "problem": "课桌", "basis": "证书"})

    assert "证书签发以后才有台账" in page.text
    assert reply.status_code == 409
