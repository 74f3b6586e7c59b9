"""Every screen and state of the answering side, each with the steps that lead to it.

One list serves the accessibility audit, the layout checks and the picture book:

    python -m tests.web.respondent.screens FOLDER

draws each screen at 360 × 640 in standard and largest text, right to left and as pupils see
it, into a folder that is not committed.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Browser, Page, Route

from survey.certification.crockford import encode_signs
from survey.fieldwork.code import random_code
from survey.fieldwork.invitation import slip_digest
from survey.jobs.preview_form import preview_links
from survey.storage.intake import BusyError
from survey.web.respondent.misses import MOST_MISSES

from .browser import chromium, free_port, phone, serving
from .ground import OPEN, PARENT, PUPIL, QUOTA, SLIP_KEY, WAVE, Ground, ground
from .recordings import pin, wav


@dataclass
class Visit:
    """One person in front of one screen."""

    page: Page
    laid: Ground
    address: str
    query: str = ""
    domain: str = PARENT
    scripts: bool = True
    codes: list[str] = field(default_factory=list)

    async def open(self, path: str) -> None:
        """Open an address of ours in the look of this visit."""
        await self.page.goto(f"{self.address}{path}{self.query}")

    async def form(self, *, part: str = "") -> None:
        """The form of a slip nobody has used, at a part."""
        self.codes.append(self.laid.code(self.domain))
        await self.open(f"/s/{self.codes[-1]}")
        if part and self.scripts:
            await self.turn_to(part)

    async def turn_to(self, part: str) -> None:
        """Turn an open form to a part or an item, and wait until it stands there."""
        await self.page.evaluate("part => { location.hash = part; }", part)
        await self.page.wait_for_function("part => document.getElementById(part).closest('.step.on')", arg=part)

    async def type(self, text: str) -> None:
        """Type into the one box of a page and send it."""
        await self.page.fill("input.code", text)
        await self.leave(self.page.locator("input.code").press("Enter"))

    async def press(self, what: str) -> None:
        """Press what leads to another page."""
        await self.leave(self.page.locator(what).first.click())

    async def send(self, before: str = "") -> None:
        """Send the form as a page without scripts does, after a change no respondent could make."""
        await self.leave(self.page.evaluate(f"{{ const f = document.getElementById('f'); {before}; f.submit(); }}"))

    async def leave(self, act: Awaitable[object]) -> None:
        """Do what leads to another page, and wait for that page."""
        async with self.page.expect_navigation():
            await act

    @property
    def last(self) -> str:
        """The number of the last part, which asks about the person."""
        return "p13" if self.domain == PUPIL else "p7"


Steps = Callable[[Visit], Awaitable[None]]


@dataclass(frozen=True)
class Screen:
    """A screen by name: the wave's state it needs, and how it is reached."""

    name: str
    reach: Steps
    state: str = "open"
    scripts: str = "either"
    """`either`, or `needed` where only a script can show it."""
    form: bool = False
    """Belongs to the form, so it has a pupils' layout of its own."""


SCREENS: list[Screen] = []
ALL_REQUIRED = "document.querySelectorAll('[data-need]').forEach(q => { q.querySelector('input').checked = true; })"
UNDRAWN = "\u0c5c\u0cdc\u1b4d" * 10
"""Signs that nobody has drawn yet."""


def screen(name: str, **more: object) -> Callable[[Steps], Steps]:
    """Put the decorated steps on the list."""

    def note(reach: Steps) -> Steps:
        SCREENS.append(Screen(name, reach, **more))  # type: ignore[arg-type]
        return reach

    return note


@screen("state-not-open", state="planned")
async def not_open(at: Visit) -> None:
    await at.form()


@screen("r1-code")
async def code(at: Visit) -> None:
    await at.open("/s")


@screen("r1-mistyped")
async def mistyped(at: Visit) -> None:
    await at.open("/s")
    await at.type("7KQ4")


@screen("r1-unknown")
async def unknown(at: Visit) -> None:
    await at.open("/s")
    await at.type(random_code(secrets.token_bytes))


@screen("r2-start", form=True)
async def start(at: Visit) -> None:
    await at.form()


@screen("r2-chinese-offered", scripts="needed")
async def chinese_offered(at: Visit) -> None:
    """A phone without the letters: those of the language are exchanged for signs no font here has."""

    async def strange(route: Route) -> None:
        reply = await route.fetch()
        text = re.sub(r'data-letters="[^"]*"', f'data-letters="{UNDRAWN}"', await reply.text())
        await route.fulfill(response=reply, body=text)

    at.query, at.domain = f"{at.query or '?'}&lang=ug".replace("?&", "?"), PARENT
    if at.query.count("lang=") > 1:
        at.query = "?lang=ug"
    await at.page.route("**/s/*", strange)
    await at.form()
    await at.page.wait_for_selector("#probe:visible")


@screen("r2-wrong-school")
async def wrong_school(at: Visit) -> None:
    await at.form()
    await at.press("#wrong")


@screen("r2-draft-found", scripts="needed", form=True)
async def draft(at: Visit) -> None:
    await at.form(part="p1")
    await at.page.locator(".step.on .o label").first.click()
    await at.page.goto("about:blank")
    await at.open(f"/s/{at.codes[-1]}")


@screen("r3-part", form=True)
async def part(at: Visit) -> None:
    await at.form(part="p2")
    if at.scripts:
        await at.page.locator(".step.on .o label").nth(2).click()


@screen("r3-soft-note", scripts="needed", form=True)
async def soft(at: Visit) -> None:
    await at.form(part="p1")
    await at.page.click("#next")


@screen("r3-open-text", scripts="needed")
async def text(at: Visit) -> None:
    at.domain = PARENT
    await at.form(part="q-PA25")


@screen("r3-required", scripts="needed", form=True)
async def required(at: Visit) -> None:
    await at.form(part="check")
    await at.page.click("#send")
    await at.page.wait_for_selector("#err")


@screen("r3-refused-by-the-server")
async def refused(at: Visit) -> None:
    at.domain = PARENT
    await at.form(part="p7" if at.scripts else "")
    await at.send("document.getElementById('i-PA25').value = 'a\\u202eb'")


@screen("r3-read-aloud", scripts="needed", form=True)
async def read_aloud(at: Visit) -> None:
    at.domain = PUPIL
    await at.form(part="p1")
    button = at.page.locator(".step.on .hear")
    silent = await button.inner_text()
    await button.click()
    await at.page.wait_for_function("t => document.querySelector('.step.on .hear').innerText != t", arg=silent)


@screen("r2-preview", form=True)
async def preview(at: Visit) -> None:
    links = await preview_links(at.laid.settings, WAVE)
    wanted = "students_g4_6" if at.domain == PUPIL else "parents"
    address = next(link.address for link in links if link.instrument == wanted)
    await at.open(address.removeprefix(at.laid.settings.base_url))


@screen("r2-preview-done")
async def preview_done(at: Visit) -> None:
    at.domain = PARENT
    await preview(at)
    await at.send(ALL_REQUIRED)


@screen("r3-storage-blocked", scripts="needed", form=True)
async def storage_blocked(at: Visit) -> None:
    for name in ("localStorage", "sessionStorage"):
        await at.page.add_init_script(f"Object.defineProperty(window, '{name}', {{get() {{ throw Error(); }}}})")
    await at.form(part="p1")
    await at.page.locator(".step.on .o label").first.click()


@screen("r3-offline", scripts="needed", form=True)
async def offline(at: Visit) -> None:
    await at.form(part="p1")
    await at.page.context.set_offline(True)
    await at.page.wait_for_selector("#net:not(:empty)")


@screen("r4-check", form=True)
async def check(at: Visit) -> None:
    await at.form(part="p1")
    if at.scripts:
        await at.page.locator(".step.on .o label").first.click()
        await at.turn_to("check")


@screen("r4-sending-failed", scripts="needed", form=True)
async def failed(at: Visit) -> None:
    await at.form()
    await at.page.eval_on_selector_all("[data-need] input:first-of-type", "all => all.forEach(e => e.click())")
    await at.turn_to("check")
    await at.page.context.set_offline(True)
    await at.page.wait_for_selector("#net:not(:empty)")
    await at.page.click("#send")
    await at.page.wait_for_selector("#net button")


@screen("r5-thanks")
async def thanks(at: Visit) -> None:
    await at.open("/s/thanks")


@screen("r5-sent", scripts="needed", form=True)
async def sent(at: Visit) -> None:
    await at.form()
    await at.page.eval_on_selector_all("[data-need] input:first-of-type", "all => all.forEach(e => e.click())")
    await at.turn_to("check")
    await at.page.click("#send")
    await at.page.wait_for_selector("main[data-done]")
    kept = await at.page.locator("details a[download]").first.get_attribute("href")
    at.laid.receipts.append((kept or "").rpartition("/")[2].partition(".")[0])


@screen("r5-thanks-with-receipt")
async def receipt(at: Visit) -> None:
    await at.open(f"/s/thanks/{invented_receipt()}")
    await at.page.click("details:not(.tools) summary")
    await at.page.locator(".qr").scroll_into_view_if_needed()
    await at.page.wait_for_function("() => document.querySelector('.qr').naturalWidth > 0")


@screen("r5-thanks-pupil")
async def thanks_pupil(at: Visit) -> None:
    at.query = "?c=1" + at.query.replace("?", "&")
    await at.open("/s/thanks")


@screen("r6-privacy")
async def privacy(at: Visit) -> None:
    at.query = (at.query + "&" if at.query else "?") + f"wave={WAVE}"
    await at.open("/s/privacy")
    await at.page.click("details:not(.tools) summary")


@screen("accessibility")
async def accessibility(at: Visit) -> None:
    at.query = (at.query + "&" if at.query else "?") + f"wave={WAVE}"
    await at.open("/s/accessibility")


@screen("r7-open-link")
async def open_link(at: Visit) -> None:
    await at.open(f"/o/{WAVE}")


@screen("r7-open-school")
async def open_school(at: Visit) -> None:
    await at.open(f"/o/{WAVE}")
    await at.press(".ways li:last-child a")
    await at.page.wait_for_selector("#d")


@screen("r7-open-form")
async def open_form(at: Visit) -> None:
    await at.open(f"/o/{WAVE}/{OPEN}")


@screen("r8-check-before-closing")
async def check_before(at: Visit) -> None:
    await at.open("/check")


@screen("r9-not-me")
async def not_me(at: Visit) -> None:
    await at.open("/s/dispute")


@screen("r9-told")
async def told(at: Visit) -> None:
    await at.open("/s/dispute")
    await at.type(random_code(secrets.token_bytes))


@screen("board")
async def board(at: Visit) -> None:
    await at.open("/b")


@screen("board-fault")
async def board_fault(at: Visit) -> None:
    await at.open("/b")
    await at.press("main .go")


@screen("board-sent")
async def board_sent(at: Visit) -> None:
    await at.open("/b")
    await at.page.select_option("#who", index=1)
    await at.page.fill("#text", "操场下雨就积水。")
    await at.press("main .go")


@screen("board-closed", state="closed")
async def board_closed(at: Visit) -> None:
    await at.open("/b")


@screen("state-not-found")
async def not_found(at: Visit) -> None:
    await at.open("/o/nope")


@screen("state-out-of-date")
async def out_of_date(at: Visit) -> None:
    await at.form()
    await at.send("f.v.value = '0'")


@screen("state-busy")
async def busy(at: Visit) -> None:
    await refused_by_us(at, BusyError())


@screen("state-unsent")
async def unsent(at: Visit) -> None:
    """A form that was sent while the intake failed; without scripts nothing else brings it back."""
    await at.form()
    with failing(at.laid, "submit", BusyError()):
        await at.send(ALL_REQUIRED)


@screen("state-error")
async def broken(at: Visit) -> None:
    await refused_by_us(at, RuntimeError("disk"))


async def refused_by_us(at: Visit, failure: Exception) -> None:
    """A code is typed while the intake fails."""
    await at.open("/s")
    with failing(at.laid, "find_slip", failure):
        await at.type(random_code(secrets.token_bytes))


@contextmanager
def failing(laid: Ground, what: str, failure: Exception) -> Iterator[None]:
    """The intake fails at one of its acts."""

    async def fail(*_: object) -> None:
        raise failure

    real = getattr(laid.office, what)
    setattr(laid.office, what, fail)
    try:
        yield
    finally:
        setattr(laid.office, what, real)


@screen("state-bad-form")
async def bad_form(at: Visit) -> None:
    await at.form()
    await at.send("f.k.name = 'XX01'")


@screen("state-void")
async def void(at: Visit) -> None:
    code = at.laid.code()
    await at.laid.office.void(WAVE, [bytes.fromhex(slip_digest(SLIP_KEY, code))])
    await at.open(f"/s/{code}")


@screen("state-receipt-cut-short")
async def cut_short(at: Visit) -> None:
    await at.open("/s/thanks/ABC")


@screen("state-quota-full")
async def quota_full(at: Visit) -> None:
    for _ in range(3):
        await at.open(f"/o/{WAVE}/{QUOTA}")
        if await at.page.locator("#f").count() == 0:
            return
        await at.send(ALL_REQUIRED)


@screen("state-paused", state="paused")
async def paused(at: Visit) -> None:
    await at.form()


@screen("state-closed", state="closed")
async def closed(at: Visit) -> None:
    await at.form()


@screen("r8-check", state="closed")
async def check_after(at: Visit) -> None:
    await at.open("/check")


@screen("r8-mistyped", state="closed")
async def check_mistyped(at: Visit) -> None:
    await at.open("/check")
    await at.type("x")


@screen("r8-not-found", state="closed")
async def check_unknown(at: Visit) -> None:
    await at.open("/check")
    await at.type(invented_receipt()[:16])


@screen("r8-recorded", state="closed")
async def check_recorded(at: Visit) -> None:
    await at.open("/check")
    await at.type(at.laid.receipts[-1])


@screen("state-erased", state="erased")
async def erased(at: Visit) -> None:
    await at.form()


@screen("r1-too-many", state="erased")
async def too_many(at: Visit) -> None:
    """The last of all: whoever asks from here has to rest afterwards."""
    for _ in range(MOST_MISSES + 1):
        await at.page.request.post(f"{at.address}/s", form={"code": random_code(secrets.token_bytes)})
    await at.open("/s")
    await at.type(random_code(secrets.token_bytes))


def invented_receipt() -> str:
    """264 signs that anybody could make up."""
    data = bytearray(secrets.token_bytes(165))
    data[32] = 1
    return encode_signs(bytes(data))


ROAD = ("planned", "open", "paused", "open", "closed", "erased")


async def road(laid: Ground) -> AsyncIterator[str]:
    """Take the wave through every state, stopping at each where screens are to be seen."""
    seen: set[str] = set()
    for number, state in enumerate(ROAD):
        if state == "erased":
            await laid.erase()
        elif number:
            await laid.go(state)
        if state not in seen:
            seen.add(state)
            yield state


@asynccontextmanager
async def rig(
    folder: Path, browser: Browser | None = None, **changes: object
) -> AsyncIterator[tuple[Ground, str, Browser]]:
    """One wave, one server and one browser for all screens; a browser of its own where none is handed in."""
    port = free_port()
    async with (
        ground(folder, "planned", slips=250, base_url=f"http://127.0.0.1:{port}", **{**LANGUAGES, **changes}) as laid,
        serving(laid, port) as address,
        nullcontext(browser) if browser else chromium() as opened,
    ):
        # Before anybody opens a form: a wave reads its recordings once.
        spoken = [name for name, code in {"SA01": "zh", "SA01.ug": "ug"}.items() if code in laid.plan.languages]
        await pin(laid, {f"{name}.wav": wav(4) for name in spoken})
        yield laid, address, opened


LANGUAGES = {"languages": ["zh", "en", "ug", "bo", "mn-Mong"]}
"""What the wave of the rig offers; all but the first two are pseudo-locales of ours."""

LOOKS = {
    "standard": ("", PARENT),
    "largest": ("?z=2", PARENT),
    "rtl": ("?lang=ug", PARENT),
    "child": ("", PUPIL),
    "tibetan": ("?lang=bo", PARENT),
    "mongolian": ("?lang=mn-Mong", PARENT),
}
FEW = frozenset({"r1-code", "r2-start", "r3-part", "r4-check", "r5-thanks"})
"""What is drawn in the scripts that need a layout of their own."""


async def draw(folder: Path) -> None:
    """Draw the whole picture book."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data:
        async with rig(Path(data)) as (laid, address, browser):
            async for state in road(laid):
                for one in (one for one in SCREENS if one.state == state):
                    for look, (query, domain) in LOOKS.items():
                        if (look == "child" and not one.form) or (
                            look in ("tibetan", "mongolian") and one.name not in FEW
                        ):
                            continue
                        async with phone(browser) as page:
                            at = Visit(page, laid, address, query, domain)
                            await one.reach(at)
                            await page.screenshot(path=folder / f"{one.name}.{look}.png", full_page=True)


if __name__ == "__main__":
    asyncio.run(draw(Path(sys.argv[1])))
