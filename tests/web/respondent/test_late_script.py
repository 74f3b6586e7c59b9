"""A slow phone paints a page before its script has come: nothing moves then, and without the script all is there.

The server here holds a page's last script back until the browser has painted what came before it.
On a quick machine the script always comes in time, so that only chance would show what a slow phone shows.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from .browser import WATCH, free_port, painted, phone, serving, shift_of
from .ground import PUPIL, WAVE, Ground, ground
from .screens import ALL_REQUIRED, UNDRAWN

pytestmark = pytest.mark.asyncio(loop_scope="session")

MOST_SHIFT = 0.005
"""A quarter of what UX section 2 allows: no more than the frame's own line may settle."""
SEEN = """() => [...document.querySelectorAll('#err, #probe, #draft, #find, .step, main h1:not(.vh), footer')]
  .filter(e => e.getClientRects().length).map(e => e.id || e.tagName)"""


class Late:
    """The site with every page's last script held back until it is let go, or lost on the way."""

    def __init__(self) -> None:
        self.app: Any = None
        self.let_go = asyncio.Event()
        self.lost = False
        self.letters = b""
        """What a form probes a phone with, in place of the letters of its language."""

    def around(self, app: Any) -> Late:
        """Stand before the application."""
        self.app = app
        return self

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request; a page comes unpacked, in two pieces."""

        async def in_pieces(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [one for one in message["headers"] if one[0].lower() != b"content-length"]
            elif message["type"] == "http.response.body":
                before, mark, script = message["body"].rpartition(b"<script>")
                if mark:
                    if self.letters:
                        before = re.sub(rb'data-letters="[^"]*"', b'data-letters="%s"' % self.letters, before)
                    await send({**message, "body": before, "more_body": True})
                    await self.let_go.wait()
                    message = {**message, "body": b"" if self.lost else mark + script}
            await send(message)

        if "headers" in scope:
            scope["headers"] = [one for one in scope["headers"] if one[0] != b"accept-encoding"]
        await self.app(scope, receive, in_pieces)


Laid = tuple[Ground, str, Browser, Late]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def laid(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> AsyncIterator[Laid]:
    port, late = free_port(), Late()
    async with (
        ground(tmp_path_factory.mktemp("data"), base_url=f"http://127.0.0.1:{port}", languages=["zh", "ug"]) as made,
        serving(made, port, late.around) as address,
    ):
        yield made, address, browser, late


@asynccontextmanager
async def slow_phone(browser: Browser) -> AsyncIterator[Page]:
    """A page that counts what moves on it."""
    async with phone(browser) as page:
        await page.add_init_script(WATCH)
        yield page


async def seen_on(page: Page) -> list[str]:
    """What is seen once the browser has drawn what it has."""
    await painted(page)
    return list(await page.evaluate(SEEN))


async def arrive(page: Page, late: Late, go: Any) -> tuple[list[str], list[str], float]:
    """Go to a page whose script comes late: what is seen before it and after it, and how much has moved."""
    late.let_go.clear()
    await go
    await page.wait_for_selector("footer", state="attached")
    before = await seen_on(page)
    late.let_go.set()
    await page.wait_for_load_state()
    after = await seen_on(page)
    return before, after, await shift_of(page)


async def test_nothing_moves_however_late_the_script_comes(laid: Laid) -> None:
    made, address, browser, late = laid
    found = {}
    for name, path, lasting in (
        ("first visit", f"/s/{made.code()}", ["title", "start"]),
        ("a part", f"/s/{made.code()}#p2", ["p2"]),
        ("the check", f"/s/{made.code()}#check", ["check"]),
        ("a pupil's question", f"/s/{made.code(PUPIL)}#p3", ["p3"]),
        ("a list of schools", f"/o/{WAVE}?g=parent", ["H1", "find"]),
    ):
        async with slow_phone(browser) as page:
            before, after, shift = await arrive(page, late, page.goto(address + path, wait_until="commit"))
            found[name] = (after == [*lasting, "FOOTER"], set(before) <= set(after), shift <= MOST_SHIFT)
            if name == "first visit":
                # Nothing is held back from nearly everybody, who comes with nothing.
                found["read at once"] = (before == after,)

    assert {name: held for name, held in found.items() if not all(held)} == {}


async def test_nothing_moves_when_this_phone_keeps_something(laid: Laid) -> None:
    made, address, browser, late = laid
    found = {}
    form = f"{address}/s/{made.code()}"
    async with slow_phone(browser) as page:
        late.let_go.set()
        await page.goto(f"{form}#p1")
        await page.click("label[for=PA01-2]")
        await page.goto("about:blank")
        found["draft"] = await arrive(page, late, page.goto(form, wait_until="commit"))
        await page.click("#resume")
        await page.evaluate(ALL_REQUIRED)
        await page.evaluate("document.getElementById('i-PA25').value = 'a\\u202eb'")
        sending = page.evaluate("document.getElementById('f').submit()")
        async with page.expect_navigation(wait_until="commit"):
            late.let_go.clear()
            await sending
        found["fault"] = await arrive(page, late, asyncio.sleep(0))
        late.letters = UNDRAWN.encode()
        found["letters"] = await arrive(page, late, page.goto(f"{form}?lang=ug", wait_until="commit"))
        late.letters = b""
        await page.evaluate("localStorage.clear(); localStorage.size = 2")
        late.let_go.clear()
        await page.goto(form, wait_until="commit")
        await page.wait_for_selector("footer", state="attached")
        small = await seen_on(page)
        late.let_go.set()
        await page.wait_for_url("**?z=2")
        large = await seen_on(page)

    held = {name: (before, after, shift <= MOST_SHIFT) for name, (before, after, shift) in found.items()}
    assert held == {
        "draft": ([], ["title", "start", "draft", "FOOTER"], True),
        "fault": ([], ["err", "p7", "FOOTER"], True),
        "letters": ([], ["probe", "title", "start", "draft", "FOOTER"], True),
    }
    assert (small, large) == ([], ["title", "start", "FOOTER"])


async def test_a_form_whose_script_is_lost_on_the_way_is_whole_without_it(laid: Laid) -> None:
    made, address, browser, late = laid
    seen = {}
    late.lost = True
    for part in ("", "#p1"):
        async with slow_phone(browser) as page:
            await arrive(page, late, page.goto(f"{address}/s/{made.code()}{part}", wait_until="commit"))
            asked = await page.locator(".q").count()
            shown = await page.locator(".q:visible").count()
            told = await page.locator(".nojs:visible").count()
            await page.click("label[for=PA20-5]")
            async with page.expect_navigation():
                await page.click("#send")
            seen[part] = (asked == shown > 20, told > 0, await page.inner_text("h1"))
    late.lost = False

    assert seen == {part: (True, True, "谢谢您") for part in ("", "#p1")}
