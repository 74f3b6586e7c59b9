"""The message board by pages: written without identity, masked for the bureau, shown after two people."""

from __future__ import annotations

import re

import pytest

from survey.jobs.message_board import clear_message, decide_message
from survey.storage.board import list_messages

from .conftest import NOW, PASSWORD, Site

BOARD = "/console/waves/county-a/board"


@pytest.fixture
async def running(site: Site) -> Site:
    """A site with a running wave."""
    from survey.jobs.run_fieldwork import publish_wave
    from survey.jobs.sign_plan import sign_plan
    from survey.jobs.signers import ROLES, create_signer, open_signers

    await site.wave(until="drawn")
    for role in ROLES:
        create_signer(site.settings, role, f"{PASSWORD} {role}")
    signers = open_signers(site.settings, {role: f"{PASSWORD} {role}" for role in ROLES})
    await sign_plan(site.settings, site.office, "county-a", signers, actor="test", now=NOW)
    await publish_wave(site.settings, site.office, "county-a", actor="test", now=NOW)
    return site


async def test_a_message_goes_from_the_thanks_page_through_two_people_to_the_list(running: Site) -> None:
    client = running.client
    thanks = (await client.get("/s/thanks")).text
    pupils = (await client.get("/s/thanks?z=0&lang=zh&c=1")).text
    box = await client.get("/b")
    key = re.search(r'name="k" value="(\w{32})"', box.text)[1]  # type: ignore[index]
    fields = {"k": key, "who": "parent", "text": "王校长的电话是13800138000，<script>1</script>食堂太贵"}
    wrong = await client.post("/b/county-a", data={**fields, "who": "student"})
    control = await client.post("/b/county-a", data={**fields, "text": "a\u202eb"})
    sent = [await client.post("/b/county-a", data=fields) for _ in range(2)]
    [held] = await list_messages("county-a", "held")

    await running.sign_in("jia", ("operator",))
    listed = (await client.get(f"{BOARD}?state=held")).text
    opened = (await client.get(f"{BOARD}/{held.id}")).text
    await running.send(f"{BOARD}/{held.id}", {"cleared": "食堂太贵", "theme": "安全和食宿", "act": "propose"})
    own = await running.send(f"{BOARD}/{held.id}/decide", {"act": "release"})
    client.cookies.clear()
    await running.sign_in("yi", ("reviewer",))
    page = (await client.get(f"{BOARD}?state=proposed")).text
    read = re.search(r'name="seen" value="(\w{64})"', page)[1]  # type: ignore[index]
    # While it is being read, it goes back and another text is proposed.
    await decide_message("county-a", held.id, "send_back", actor="bing", now=NOW)
    await clear_message("county-a", held.id, "食堂太贵，王某", "安全和食宿", actor="bing", now=NOW)
    unread = await running.send(f"{BOARD}/{held.id}/decide", {"act": "release", "seen": read})
    await decide_message("county-a", held.id, "send_back", actor="bing", now=NOW)
    await clear_message("county-a", held.id, "食堂太贵", "安全和食宿", actor="jia", now=NOW)
    await running.send(f"{BOARD}/{held.id}/decide", {"act": "release", "seen": read})
    shown = (await client.get(BOARD)).text

    assert 'href="/b"' in thanks and "/b" not in re.findall(r'href="([^"]*)"', pupils)
    assert "student" not in box.text and "set-cookie" not in box.headers
    assert wrong.status_code == control.status_code == 422 and 'role="alert"' in wrong.text
    assert 'href="#text"' in control.text and 'id="e-text"' in control.text
    assert [reply.status_code for reply in sent] == [200, 200] and "收到了" in sent[0].text
    assert "■校长" in listed and "13800138000" not in listed and "<script>1" not in listed
    assert "13800138000" in opened and "<script>1" not in opened
    assert own.status_code == 403
    assert unread.status_code == 409 and "board.moved" in unread.text
    assert "食堂太贵" in shown and "13800138000" not in shown and "jia" in shown and "yi" in shown


async def test_one_address_cannot_bury_the_others(running: Site) -> None:
    statuses = []
    for number in range(32):
        fields = {"k": f"{number:032x}", "who": "parent", "text": f"第{number}条"}
        statuses.append((await running.client.post("/b/county-a", data=fields)).status_code)

    assert statuses == [200] * 30 + [503] * 2


async def test_there_is_no_board_where_nothing_runs(site: Site) -> None:
    reply = await site.client.get("/b")

    assert reply.status_code == 200 and "现在不收留言" in reply.text
