"""Read aloud, counted where left, and letters a phone lacks: what a form does only where it is asked to."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from survey.errors import FaultsError
from survey.fieldwork.paradata import BreakOff, break_offs
from survey.scheme.recording import MOST_BYTES, read_recordings
from survey.storage.recordings import save_recordings
from survey.web.respondent.misses import MOST_LEFT_FROM_ONE

from .browser import phone
from .ground import PARENT, PUPIL, WAVE, Ground, ground
from .recordings import PUPILS, pin, wav
from .screens import rig
from .test_pages import visiting

MP3 = b"\xff\xf3\x44\xc4" + bytes(500)
M4A = struct.pack(">I", 24) + b"ftypM4A \0\0\0\0M4A mp42" + bytes(500)
ENDLESS = """const Voice = Audio;
window.Audio = function (source) { const voice = new Voice(source); voice.loop = true; return voice; };"""
"""However slow the machine, a voice is stopped by the test and not by its own end."""
OPUS = b"OggS" + bytes(24) + b"OpusHead" + bytes(500)


def test_four_kinds_of_sound_are_known_by_their_bytes_and_everything_else_is_named() -> None:
    good = {
        "SA01.wav": wav(),
        "SA02.mp3": MP3,
        "SA03.m4a": M4A,
        "SB01.opus": OPUS,
        "SA01.en.mp3": b"ID3" + MP3,
    }
    kinds = {one.name: one.kind for one in read_recordings(good, PUPILS, ("zh", "en"))}
    bad = {
        "SA01.mp3": b"<html>",
        "SA02.mp3": MP3 + bytes(MOST_BYTES),
        "SA03.exe": MP3,
        "SA04.ug.mp3": MP3,
        "PA01.mp3": MP3,
        "SA05.mp3": b"\xff\xf1\x50\x80" + bytes(500),  # AAC without a container
        "SA06.mp3": MP3,
        "SA06.wav": wav(),
    }
    with pytest.raises(FaultsError) as caught:
        read_recordings(bad, PUPILS, ("zh", "en"))

    assert kinds == {
        "SA01": "audio/wav",
        "SA02": "audio/mpeg",
        "SA03": "audio/mp4",
        "SB01": "audio/ogg",
        "SA01.en": "audio/mpeg",
    }
    assert {(fault.item, fault.code.rpartition(".")[2]) for fault in caught.value.faults} == {
        ("SA01.mp3", "unknown_kind"),
        ("SA02.mp3", "too_large"),
        ("SA03.exe", "unknown_kind"),
        ("SA04.ug.mp3", "unknown_language"),
        ("PA01.mp3", "unknown_item"),
        ("SA05.mp3", "unknown_kind"),
        ("SA06.wav", "twice"),
    }


async def test_a_recording_is_served_whole_in_ranges_and_only_as_it_was_signed(tmp_path: Path) -> None:
    async with ground(tmp_path / "data") as laid, visiting(laid) as client:
        sound = wav()
        await pin(laid, {"SA01.wav": sound, "SA02.mp3": MP3})
        pupil = (await client.get(f"/s/{laid.code(PUPIL)}")).text
        english = (await client.get(f"/s/{laid.code(PUPIL)}?lang=en")).text
        parent = (await client.get(f"/s/{laid.code(PARENT)}")).text
        at = f"/s/hear/{WAVE}/SA01"
        whole = await client.get(at)
        first = await client.get(at, headers={"range": "bytes=0-1"})
        end = await client.get(at, headers={"range": "bytes=-10"})
        beyond = await client.get(at, headers={"range": "bytes=99999-"})
        missing = [
            (await client.get(path)).status_code for path in (f"/s/hear/{WAVE}/SA03", "/s/hear/nope/SA01")
        ]
        changed = read_recordings({"SA01.wav": wav(0.5)}, PUPILS, ("zh",))
        await save_recordings(WAVE, changed)
        moved = await client.get(at)

    assert pupil.count('class="hear js"') == 2 and f'data-src="{at}"' in pupil
    assert 'class="hear' not in english and 'class="hear' not in parent
    assert whole.content == sound and whole.headers["content-type"] == "audio/wav"
    assert (
        whole.headers["x-content-type-options"] == "nosniff" and whole.headers["cache-control"] == "no-store"
    )
    assert "media-src 'self'" in whole.headers["content-security-policy"]
    assert (first.status_code, first.content) == (206, sound[:2])
    assert first.headers["content-range"] == f"bytes 0-1/{len(sound)}"
    assert (end.content, beyond.status_code) == (sound[-10:], 416)
    assert missing == [404, 404] and moved.status_code == 404


async def test_only_a_plan_that_asks_counts_where_a_form_is_left(tmp_path: Path) -> None:
    counted = {}
    for wanted in (True, False):
        async with ground(tmp_path / str(wanted), break_off=wanted) as laid, visiting(laid) as client:
            page = (await client.get(f"/s/{laid.code()}")).text
            for path in ("parent/2", "parent/2", "parent/check", "parent/99", "parent/x", "nobody/1"):
                reply = await client.post(f"/s/left/{WAVE}/{path}")
                assert (reply.status_code, reply.content) == (204, b"")
            await client.post("/s/left/nope/parent/1")
            await laid.go("closed")
            await client.post(f"/s/left/{WAVE}/parent/3")
            counted[wanted] = ('data-left-at="/s/left/' in page, break_offs(await laid.office.counters(WAVE)))

    assert counted[True] == (True, (BreakOff("parent", "2", 2), BreakOff("parent", "check", 1)))
    assert counted[False] == (False, ())


async def test_one_address_cannot_turn_the_counter_up_at_will(tmp_path: Path) -> None:
    async with ground(tmp_path, break_off=True) as laid, visiting(laid) as client:
        replies = {(await client.post(f"/s/left/{WAVE}/parent/2")).status_code for _ in range(MOST_LEFT_FROM_ONE + 5)}
        counted = break_offs(await laid.office.counters(WAVE))

    assert (replies, counted) == ({204}, (BreakOff("parent", "2", MOST_LEFT_FROM_ONE),))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def laid(
    tmp_path_factory: pytest.TempPathFactory, browser: Browser
) -> AsyncIterator[tuple[Ground, str, Browser]]:
    async with rig(tmp_path_factory.mktemp("data"), browser, break_off=True) as made:
        await made[0].go("open")
        yield made


@pytest.mark.asyncio(loop_scope="session")
async def test_a_tap_reads_a_question_and_nothing_is_fetched_before(
    laid: tuple[Ground, str, Browser],
) -> None:
    made, address, browser = laid
    fetched: list[str] = []
    said = []
    async with phone(browser) as page:
        page.on("request", lambda request: fetched.append(request.url.removeprefix(address)))
        await page.add_init_script(ENDLESS)
        await page.goto(f"{address}/s/{made.code(PUPIL)}#p1")
        await page.wait_for_selector(".hear:visible")
        loaded = len(fetched)
        button = page.locator(".step.on .hear")
        said.append(await button.inner_text())
        await button.focus()
        # Waited for from before the key: a recording may have come before the key's own reply.
        async with page.expect_event("requestfinished", lambda request: "/hear/" in request.url):
            await page.keyboard.press("Enter")
            said.append(await button.inner_text())
        await page.keyboard.press("Space")
        said.append(await button.inner_text())
        bottom = await page.evaluate("document.getElementById('next').getBoundingClientRect().bottom")
        await button.click()
        await page.click("#next")
        await page.click("#next")
        await page.wait_for_selector("#p2.on")
        left_behind = await page.evaluate("document.querySelector('#p1 .hear').textContent")
    async with phone(browser, scripts=False) as page:
        await page.goto(f"{address}/s/{made.code(PUPIL)}")
        without = await page.is_visible(".hear")

    assert loaded == 1 and {path for path in fetched[1:]} == {f"/s/hear/{WAVE}/SA01"}
    assert said == ["读给我听", "停下", "读给我听"] and left_behind == "读给我听"
    assert bottom <= 640
    assert not without


@pytest.mark.asyncio(loop_scope="session")
async def test_a_form_left_unsent_is_counted_once_and_a_sent_one_never(
    laid: tuple[Ground, str, Browser],
) -> None:
    made, address, browser = laid
    async with phone(browser) as page:
        for part in ("start", "p2", "p2", "check"):
            await page.goto(f"{address}/s/{made.code()}#{part}")
            await page.wait_for_selector(f"#{part}.on")
            await page.goto("about:blank")
        await page.goto(f"{address}/s/{made.code()}#p1")
        await page.click("label[for=PA01-2]")
        await page.evaluate(
            "document.querySelectorAll('[data-need] input[value=\"2\"]').forEach(e => e.click())"
        )
        await page.evaluate("location.hash = 'check'")
        await page.wait_for_selector("#check.on")
        await page.click("#send")
        await page.wait_for_selector("main[data-done]")
        await page.goto("about:blank")
        # One more on the same connection: what it counts comes after all that was sent before.
        await page.goto(f"{address}/s/{made.code()}#p4")
        await page.wait_for_selector("#p4.on")
        await page.goto("about:blank")
        counted: tuple[BreakOff, ...] = ()
        ends = monotonic() + 60
        while sum(one.times for one in counted) < 4 and monotonic() < ends:
            await asyncio.sleep(0.02)
            # Pupils of the test before may have left as well, when their browser was closed.
            left = break_offs(await made.office.counters(WAVE))
            counted = tuple(one for one in left if one.group == "parent")

    # The fourth screen belongs to the third section.
    assert counted == tuple(BreakOff("parent", *one) for one in (("2", 2), ("3", 1), ("check", 1)))


@pytest.mark.asyncio(loop_scope="session")
async def test_chinese_is_offered_only_where_the_phone_lacks_the_letters(
    laid: tuple[Ground, str, Browser],
) -> None:
    made, address, browser = laid
    shown = {}
    for language in ("zh", "ug", "bo"):
        async with phone(browser) as page:
            await page.goto(f"{address}/s/{made.code()}?lang={language}")
            shown[language] = await page.locator("#probe").count() and await page.is_visible("#probe")
            if language == "ug":
                letters = await page.get_attribute("#probe", "data-letters") or ""
                no_font = await page.evaluate(
                    """letters => { const pen = document.createElement('canvas').getContext('2d');
                    pen.font = '40px sans-serif';
                    return [...letters].every(s => pen.measureText(s).width == pen.measureText('\\udbff\\udffd').width); }""",
                    letters,
                )
    async with phone(browser) as page:
        # A script without any font on this machine: planes of signs that nobody has drawn yet.
        code = made.code()

        async def strange(route: object) -> None:
            reply = await route.fetch()  # type: ignore[attr-defined]
            text = (await reply.text()).replace(
                f'data-letters="{letters}"', 'data-letters="' + "\u0c5c\u0cdc\u1b4d" * 10 + '"'
            )
            await route.fulfill(response=reply, body=text)  # type: ignore[attr-defined]

        await page.route("**/s/*", strange)
        await page.goto(f"{address}/s/{code}?lang=ug")
        missing = await page.is_visible("#probe")
        await page.unroute("**/s/*")
        await page.click("#probe button")
        await page.wait_for_url("**lang=zh*")
        language = await page.get_attribute("html", "lang")

    assert len(letters) > 10 and not no_font
    assert shown == {"zh": 0, "ug": False, "bo": False} or (shown["zh"], shown["ug"]) == (0, False)
    assert missing and language == "zh-Hans"
