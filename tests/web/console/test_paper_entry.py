"""Paper entry by pages: a code, one field a question, a second person, and the differences."""

from __future__ import annotations

import re

import pytest

from survey.jobs.run_fieldwork import publish_wave
from survey.jobs.sign_plan import sign_plan
from survey.jobs.signers import ROLES, create_signer, open_signers
from survey.storage.print_files import load_print_file

from ..conftest import NOW, PASSWORD, Site

PAPER = "/console/waves/county-a/paper"


@pytest.fixture
async def code(site: Site) -> str:
    """A parent's slip of an open wave."""
    await site.wave(until="drawn")
    for role in ROLES:
        create_signer(site.settings, role, f"{PASSWORD} {role}")
    signers = open_signers(site.settings, {role: f"{PASSWORD} {role}" for role in ROLES})
    await sign_plan(site.settings, site.office, "county-a", signers, actor="test", now=NOW)
    found = next(code for code, domain in load_print_file(site.settings, "county-a") if domain.endswith("-P"))
    await publish_wave(site.settings, site.office, "county-a", actor="test", now=NOW)
    return found


async def test_two_clerks_type_a_form_and_the_second_settles_what_differs(site: Site, code: str) -> None:
    await site.sign_in("jia", ("operator",))
    bad = await site.send(f"{PAPER}/form", {"code": "7KQ4-M2XH-9DTX"})
    form = await site.send(f"{PAPER}/form", {"code": code})
    items = re.findall(r'<input class="answer" id="(\w+)"', form.text)
    wrong = await site.send(PAPER, {"code": code, items[0]: "9"})
    first = await site.send(PAPER, {"code": code, items[0]: "5", items[1]: "4"})
    site.client.cookies.clear()
    await site.sign_in("yi", ("reviewer",))
    differs = await site.send(PAPER, {"code": code, items[0]: "5", items[1]: "2"})
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', differs.text))
    chosen = re.search(rf'name="{items[1]}" value="(4)"', differs.text)
    done = await site.send(PAPER, {**hidden, items[1]: chosen[1]})  # type: ignore[index]

    assert bad.status_code == 422 and 'role="alert"' in bad.text
    assert len(items) > 20 and "5 非常满意" in form.text
    assert wrong.status_code == 422 and f'href="#{items[0]}"' in wrong.text
    assert "第一遍已经存好" in first.text
    assert "第一遍：4 比较满意" in differs.text and "第二遍：2 不太满意" in differs.text
    assert "这份答卷已经收下" in done.text and "1<small>份已收下" in done.text
    assert code not in str(done.url) and code not in (await site.client.get(PAPER)).text


async def test_a_call_is_typed_under_its_mode_on_every_page(site: Site, code: str) -> None:
    await site.sign_in("jia", ("operator",))
    form = await site.send(f"{PAPER}/form", {"code": code, "mode": "telephone"})
    [item, *_] = re.findall(r'<input class="answer" id="(\w+)"', form.text)
    said = {"code": code, "mode": "telephone", item: "5"}
    first = await site.send(PAPER, said)
    site.client.cookies.clear()
    await site.sign_in("yi", ("reviewer",))
    other = await site.send(PAPER, {**said, "mode": "paper"})
    done = await site.send(PAPER, said)

    assert "电话询问" in form.text and 'name="mode" value="telephone"' in form.text
    assert 'value="telephone" checked' in first.text
    assert other.status_code == 422 and "第一遍录的是电话询问" in other.text
    assert "<dt>电话询问</dt><dd>1<small>" in done.text and "<dt>纸质问卷</dt><dd>0<small>" in done.text
