"""Sizes, languages and who is reading: what changes on a page, and what must not get lost."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from .ground import NOW, OPEN_SCHOOLS, PARENT, PUPIL, QUOTA, WAVE, Ground, form_body, ground
from .test_pages import FORM, send, visiting

RTL = ["zh", "en", "ug"]


@pytest.fixture
async def laid(tmp_path: Path) -> AsyncIterator[Ground]:
    async with ground(tmp_path / "data", languages=RTL) as made:
        yield made


@pytest.fixture
async def client(laid: Ground) -> AsyncIterator[AsyncTestClient[Litestar]]:
    async with visiting(laid) as opened:
        yield opened


async def test_without_scripts_another_size_or_language_keeps_every_answer_and_sends_nothing(
    laid: Ground, client: AsyncTestClient[Litestar]
) -> None:
    code = laid.code()
    first = (await client.get(f"/s/{code}")).text
    typed = form_body(first, {"PA01": "2", "PA25": "第一行\r\n第二行", "look": "1"})
    larger = await client.post(f"/s/{code}?z=2&lang=en", content=typed, headers=FORM)
    again = (await client.get(f"/s/{code}")).status_code

    assert 'formaction="?z=2&amp;lang=zh"' in first
    assert larger.status_code == 200 and again == 200
    assert 'class="z2' in larger.text and 'lang="en"' in larger.text
    assert re.search(r'id="PA01-2" value="2" checked', larger.text)
    assert "第一行\r\n第二行</textarea>" in larger.text.replace("\n", "\r\n").replace("\r\r", "\r")
    assert hidden(larger.text) == hidden(first)
    assert "<title>Error" not in larger.text
    assert await laid.office.leaves(WAVE) == []


async def test_a_form_in_another_look_is_refused_like_any_other_when_it_is_not_ours(
    laid: Ground, client: AsyncTestClient[Litestar]
) -> None:
    code = laid.code()
    stale = await send(client, code, {"look": "1"}, v="0" * 16)
    unknown = await send(client, code, {"look": "1", "XX99": "1"})
    await send(client, code, {"PA20": "5"})
    used = await client.post(f"/s/{code}", content=f"look=1&k={'ab' * 16}", headers=FORM)

    assert (stale.status_code, unknown.status_code) == (409, 400)
    assert used.status_code == 303 and used.headers["location"] == "/s/thanks"


async def test_a_slip_of_another_school_is_counted_once_and_blocks_nobody(
    laid: Ground, client: AsyncTestClient[Litestar]
) -> None:
    code, other = laid.code(), laid.code()
    told = [await client.post(f"/s/{one}", content="wrong=1", headers=FORM) for one in (code, code, other)]
    await client.post(f"/o/{WAVE}/{QUOTA}", content="wrong=1", headers=FORM)
    counters = await laid.office.counters(WAVE)
    sent = await send(client, code, {"PA20": "5"})

    assert all(reply.status_code == 200 and "换一张" in reply.text for reply in told)
    assert f'href="/s/{code}"' in told[0].text
    assert counters[PARENT, "wrong_school"] == 2
    assert counters[QUOTA, "wrong_school"] == 1
    assert sent.status_code == 303


async def test_pupils_are_thanked_in_their_own_words_and_the_device_goes_on(
    laid: Ground, client: AsyncTestClient[Litestar]
) -> None:
    code = laid.code(PUPIL)
    sent = await send(client, code, {"SA12": "4"})
    used = await client.get(f"/s/{code}")
    thanks = await client.get(used.headers["location"])
    entry = await client.get(re.search(r'href="(/s\?[^"]+)"', thanks.text)[1].replace("&amp;", "&"))

    assert sent.headers["location"].endswith("?z=0&lang=zh&c=1")
    assert used.headers["location"] == "/s/thanks?z=0&lang=zh&c=1"
    assert "填好了，谢谢你" in thanks.text and "下一位同学" in thanks.text
    assert 'class="z0 child pupil"' in entry.text


async def test_a_signed_language_is_offered_and_chinese_inside_it_is_marked(
    laid: Ground, client: AsyncTestClient[Litestar]
) -> None:
    code = laid.code()
    chinese = (await client.get(f"/s/{code}")).text
    page = (await client.get(f"/s/{code}?lang=ug")).text
    stray = re.sub(r"<(style|script)>.*?</\1>|<bdi[^>]*>.*?</bdi>|data-\w+=\"[^\"]*\"|<title>.*?</title>", "", page, flags=re.DOTALL)
    stray = re.sub(r'lang="zh-Hans"[^>]*>[^<]*<', "", stray)

    assert 'lang="ug" dir="rtl">ئۇيغۇرچە</button>' in chinese
    assert '<html lang="ug" dir="rtl"' in page
    assert '<bdi lang="zh-Hans" dir="ltr">例如：教室、操场、电脑和实验设备</bdi>' in page
    assert '<bdi lang="zh-Hans" dir="ltr">芙蓉镇&lt;中心&gt;小学</bdi>' in page
    assert re.findall(r">[^<>]*[\u4e00-\u9fff][^<>]*<", stray) == []


async def test_a_language_nobody_signed_is_not_offered(tmp_path: Path) -> None:
    async with ground(tmp_path / "data", languages=["zh", "ko"]) as laid, visiting(laid) as client:
        page = (await client.get(f"/s/{laid.code()}?lang=ko")).text

    assert '<html lang="zh-Hans"' in page
    assert "조선말" not in page


async def test_after_the_last_day_no_form_is_given_out_and_an_open_one_has_half_an_hour(
    laid: Ground,
) -> None:
    code, late, too_late = laid.code(), laid.code(), laid.code()
    ends = datetime(2026, 12, 6, tzinfo=timezone(timedelta(hours=8)))
    times = [NOW]
    async with visiting(laid, lambda: times[-1]) as client:
        pages = {one: (await client.get(f"/s/{one}")).text for one in (late, too_late)}
        times.append(ends + timedelta(minutes=5))
        new = await client.get(f"/s/{code}")
        poster = await client.get(f"/o/{WAVE}/{QUOTA}")
        sent = await client.post(f"/s/{late}", content=form_body(pages[late], {"PA20": "5"}), headers=FORM)
        times.append(ends + timedelta(minutes=31))
        body = form_body(pages[too_late], {"PA20": "5"})
        refused = await client.post(f"/s/{too_late}", content=body, headers=FORM)

    assert new.status_code == poster.status_code == 200
    assert "调查已经在12月5日结束" in new.text and "调查已经在12月5日结束" in poster.text
    assert sent.status_code == 303 and sent.headers["location"].startswith("/s/thanks/")
    assert "调查已经在12月5日结束" in refused.text
    assert len(await laid.office.leaves(WAVE)) == 1


async def test_open_link_asks_for_the_capacity_and_then_for_the_school(
    client: AsyncTestClient[Litestar],
) -> None:
    first = (await client.get(f"/o/{WAVE}")).text
    second = (await client.get(f"/o/{WAVE}?g=parent")).text
    only_one = await client.get(f"/o/{WAVE}?g=cppcc")
    chosen = await client.get(f"/o/{WAVE}?z=0&lang=zh&g=parent&d={OPEN_SCHOOLS[3]}")

    assert re.findall(r'<li><a href="([^"]+)"', first) == [f"/o/{WAVE}?g=cppcc", f"/o/{WAVE}?g=parent"]
    assert second.count("<option") == len(OPEN_SCHOOLS) + 1 and '<option value="">请选择</option>' in second
    assert re.search(r'<h1><label for="d">\s*请选学校\s*</label></h1>', second)
    assert only_one.status_code == 303
    assert chosen.headers["location"] == f"/o/{WAVE}/{OPEN_SCHOOLS[3]}"


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a form."""
    return dict(re.findall(r'<input type="hidden" name="([kvs])" value="([^"]*)"', page))
