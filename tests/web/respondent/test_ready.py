"""The form that stands ready is the form itself, and stands down for anything out of the ordinary."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx import ASGITransport, AsyncClient

from survey.web.opening import Opening
from survey.web.respondent import waves
from survey.web.respondent.misses import MOST_MISSES
from survey.web.respondent.ready import ReadyForms

from .ground import DEPUTY, NOW, PARENT, Ground, form_body, ground

FORM = {"content-type": "application/x-www-form-urlencoded"}
HIDDEN = re.compile(r'(name="[ks]" value=")[0-9a-f]*')


@pytest.fixture
async def laid(tmp_path: Path) -> AsyncIterator[Ground]:
    async with ground(tmp_path / "data") as made:
        yield made


@asynccontextmanager
async def door(laid: Ground, clock: Any = lambda: NOW) -> AsyncIterator[AsyncClient]:
    """The whole application as the server calls it."""
    opening = Opening(laid.settings, laid.office, now=clock)
    await opening.complete(laid.database)
    async with AsyncClient(transport=ASGITransport(opening), base_url="https://survey.example") as client:
        yield client
    await opening.close()


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each request was answered from what stands ready."""
    told: list[bool] = []
    original = ReadyForms.form

    async def form(self: ReadyForms, *given: Any) -> Any:
        found = await original(self, *given)
        told.append(found is not None)
        return found

    monkeypatch.setattr(ReadyForms, "form", form)
    return told


@pytest.mark.parametrize("domain", [PARENT, DEPUTY])
async def test_the_second_visitor_gets_the_same_page_with_keys_of_its_own(
    laid: Ground, served: list[bool], domain: str
) -> None:
    async with door(laid) as client:
        first, second, third = [await client.get(f"/s/{laid.code(domain)}") for _ in range(3)]

    assert served == [False, True, True]
    assert HIDDEN.sub(r"\1", first.text) == HIDDEN.sub(r"\1", second.text)
    assert len({one.text for one in (first, second, third)}) == 3
    assert dict(first.headers) == dict(second.headers)


async def test_what_is_out_of_the_ordinary_goes_the_long_way(laid: Ground, served: list[bool]) -> None:
    async with door(laid) as client:
        code = laid.code()
        page = await client.get(f"/s/{code}")
        plain = await client.get(f"/s/{code}", headers={"accept-encoding": "identity"})
        large = await client.get(f"/s/{code}?z=2")
        small = await client.get(f"/s/{code.lower()}")
        head = await client.head(f"/s/{code}")
        ready = await client.get(f"/s/{code}")
        await client.post(f"/s/{code}", content=form_body(page.text, {"PA20": "5"}), headers=FORM)
        used = await client.get(f"/s/{code}")
        await laid.go("paused")
        paused = await client.get(f"/s/{laid.code()}")

    assert served == [False, False, False, True, False, False]
    assert "content-encoding" not in plain.headers and plain.text != large.text
    assert [one.status_code for one in (plain, large, small, head, ready)] == [200] * 5 and not head.content
    assert used.status_code == 303 and "<form" not in paused.text


async def test_an_address_that_guessed_too_often_gets_no_ready_form_either(laid: Ground) -> None:
    async with door(laid) as client:
        await client.get(f"/s/{laid.code()}")
        for _ in range(MOST_MISSES):
            await client.get("/s/222222222222")
        rested = await client.get(f"/s/{laid.code()}")

    assert rested.status_code == 429


async def test_no_form_stands_ready_after_the_last_day(laid: Ground) -> None:
    now = [NOW]

    def clock() -> datetime:
        return now[0]

    async with door(laid, clock) as client:
        before = [await client.get(f"/s/{laid.code()}") for _ in range(2)][-1]
        now[0] = NOW + timedelta(days=(laid.plan.closes_on - NOW.date()).days + 2)
        after = await client.get(f"/s/{laid.code()}")

    assert "<form" in before.text and "<form" not in after.text


async def test_a_crowd_after_a_restart_reads_the_wave_once(
    laid: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    original = waves.load_sample

    async def load_sample(wave: str) -> Any:
        read.append(wave)
        await asyncio.sleep(0.01)
        return await original(wave)

    monkeypatch.setattr(waves, "load_sample", load_sample)
    codes = [laid.code() for _ in range(30)]
    async with door(laid) as client:
        replies = await asyncio.gather(*(client.get(f"/s/{code}") for code in codes))

    assert [reply.status_code for reply in replies] == [200] * 30
    assert len(read) == 1
