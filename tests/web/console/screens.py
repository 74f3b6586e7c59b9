"""Every page of the console and its states as pictures, to be looked at by whoever changes one.

    python -m tests.web.console.screens FOLDER

makes two certified waves, a running and a drawn one with everything that pages list, and draws
every page at 1280 and at 360 px, and as it is printed on A4, into a folder that is not committed.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyotp
import uvicorn
from playwright.async_api import Page, async_playwright

from survey.jobs.call_back import draw_callbacks
from survey.jobs.certify_wave import certify_wave
from survey.jobs.close_wave import close_wave
from survey.jobs.estimate_wave import estimate_wave
from survey.jobs.keep_ledger import take_up
from survey.jobs.open_wave import open_wave
from survey.jobs.run_fieldwork import publish_wave
from survey.jobs.sign_plan import sign_plan
from survey.jobs.signers import ROLES, Signers, create_signer, open_signers
from survey.storage.board import add_message
from survey.storage.print_files import load_print_file, save_print_file
from survey.web.console.certify import WHOLE
from survey.web.console.work_room import MadeFile, Tell, Work
from survey.web.console.works import PACK

from ..conftest import NOW, PASSWORD, SAME_ORIGIN, Site, answer, running
from .test_accessibility import FLAGS
from .test_every_page import kind_of, pages_of
from .test_outside import SPEC, workbook

WIDTHS = (1280, 360)
PRINTED = 680
"""Pixels between the margins of an A4 sheet."""
BEFORE, WAVE, LIVE, DRAWN, NEW = "county-2025", "county-a", "county-live", "county-drawn", "county-new"
BY: dict[str, Any] = {"actor": "jia", "now": NOW}
LIVE_PAGES = ("", "/launch", "/monitor", "/flags", "/schools", "/paper", "/callbacks", "/board", "/leftovers", "/signing", "/papers", "/setup")
DRAWN_PAGES = ("", "/frame", "/sample", "/launch", "/signing", "/papers", "/setup", "/results")


async def lay(site: Site) -> None:
    """The office: its people, keys and waves."""
    for name, roles in (("jia", ("admin", "operator", "reviewer", "approver")), ("yi", ("reviewer",)), ("bing", ("auditor",))):
        await site.person(name, roles)
    for role in ROLES:
        create_signer(site.settings, role, f"{PASSWORD} {role}")
    signers = open_signers(site.settings, {role: f"{PASSWORD} {role}" for role in ROLES})
    earlier = {name: NOW.date() - timedelta(days=days) for name, days in (("opens_on", 400), ("closes_on", 386), ("results_on", 376))}
    await _certified(site, BEFORE, signers, title="连云港市示例区2025年教育满意度调查", **earlier)
    await _certified(site, WAVE, signers)
    for source, problem in (("fact", "三所学校课桌椅不够"), ("fact", "校门口放学时拥堵"), ("fact", "食堂价格没有公示")):
        await take_up(WAVE, source, "", problem, "核查记录第3页", **BY)
    await _open(site, LIVE, signers, answers=True)
    await draw_callbacks(LIVE, 5, **BY)
    for text in ("王校长的电话是13800138000，食堂太贵", "希望多开体育课"):
        await add_message(LIVE, f"{len(text):032x}", "parent", text, on=NOW.date())
    await site.wave(DRAWN, until="drawn")
    await site.wave(NEW)


async def _open(site: Site, wave: str, signers: Signers, *, answers: bool, **changes: Any) -> None:
    await site.wave(wave, until="drawn", **changes)
    await sign_plan(site.settings, site.office, wave, signers, **BY)
    codes = load_print_file(site.settings, wave)
    await publish_wave(site.settings, site.office, wave, **BY)
    save_print_file(site.settings, wave, codes)
    if answers:
        days = 400 if wave == BEFORE else 0
        await answer(site.office, site.settings, wave, NOW - timedelta(days=days))


async def _certified(site: Site, wave: str, signers: Signers, **changes: Any) -> None:
    await _open(site, wave, signers, answers=True, **changes)
    for act in (close_wave, open_wave):
        await act(site.settings, site.office, wave, signers, **BY)
    await estimate_wave(site.office, wave, **BY)
    await certify_wave(site.settings, site.office, wave, signers, **BY)


class Book:
    """The pictures of one browser."""

    def __init__(self, page: Page, address: str, folder: Path) -> None:
        self.page, self.address, self.folder, self.seen = page, address, folder, 0

    async def open(self, path: str, name: str = "") -> None:
        """Open a page and draw it."""
        await self.page.goto(self.address + path)
        await self.draw(name or path.removeprefix("/console/"))

    async def draw(self, name: str) -> None:
        """Draw what is open, at each width."""
        self.seen += 1
        for width in WIDTHS:
            await self.page.set_viewport_size({"width": width, "height": 800})
            plain = re.sub(r"[^\w-]+", "_", name)
            await self.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
            await self.page.screenshot(path=self.folder / f"{plain}-{width}.png", full_page=True)
        await self.page.emulate_media(media="print")
        await self.page.set_viewport_size({"width": PRINTED, "height": 960})
        await self.page.screenshot(path=self.folder / f"{plain}-print.png", full_page=True)
        await self.page.emulate_media(media="screen")

    async def press(self, where: str) -> None:
        """Press what leads to another page."""
        async with self.page.expect_navigation():
            await self.page.click(where)


async def draw_all(site: Site, book: Book) -> int:
    """Every page and state; how many."""
    page, address = book.page, book.address
    await book.open("/console/sign-in")
    await page.fill("#name", "jia")
    await page.fill("#password", "wrong")
    await book.press("main button")
    await book.draw("sign-in with a fault")
    await page.fill("#name", "jia")
    await page.fill("#password", PASSWORD)
    await book.press("main button")
    await site.client.post("/console/sign-in", data={"name": "jia", "password": PASSWORD}, headers=SAME_ORIGIN)
    for path in pages_of(site):
        if "text/html" in (await kind_of(site, path))[1]:
            await book.open(path)
    for wave, paths in ((LIVE, LIVE_PAGES), (DRAWN, DRAWN_PAGES), (NEW, ("", "/frame", "/sample"))):
        for path in paths:
            await book.open(f"/console/waves/{wave}{path}")
    await page.goto(f"{address}/console/waves")
    await page.select_option("#like", "sample")
    await book.press("form[action$=setup] button")
    for step in range(1, 9):
        await book.open(re.sub(r"\d+$", str(step), page.url.removeprefix(address)), f"setup step {step}")
    await page.goto(re.sub(r"\d+$", "2", page.url))
    await page.eval_on_selector_all("main form", "all => all.forEach(e => { e.noValidate = true; })")
    await page.fill("#county", "")
    await book.press("main button[type=submit] >> nth=-1")
    await book.draw("setup step 2 with faults")
    await page.goto(f"{address}/console/waves/{NEW}/frame")
    await page.set_input_files("input[type=file]", {"name": "坏名册.csv", "mimeType": "text/csv", "buffer": "学校,标识码\n甲,1\n乙,1\n".encode()})
    await book.press("form[enctype] button")
    await book.draw("frame with faults")
    await page.goto(f"{address}/console/outside")
    await page.set_input_files("#cases", {"name": "答卷.xlsx", "mimeType": "application/octet-stream", "buffer": workbook()})
    await page.set_input_files("#spec", {"name": "说明.yaml", "mimeType": "application/octet-stream", "buffer": SPEC})
    await book.press("form[enctype] button")
    await book.draw("outside columns")
    await page.goto(f"{address}/console/waves/{LIVE}/board?state=held")
    await book.draw("board held")
    await book.press("td a")
    await book.draw("board message")
    await draw_jobs(site, book)
    await book.open("/console/waves/no-such-wave", "not found")
    await book.open(f"/console/waves/{WAVE}/signing", "wrong state")
    await page.goto(f"{address}/console/account")
    await book.press("form[action$=begin] button")
    await book.draw("account with a code begun")
    secret = re.search(r"密钥 <code>([A-Z2-7 ]+)</code>", await page.content())
    assert secret is not None
    await page.fill("#code", pyotp.TOTP(secret[1].replace(" ", "")).at(site.clock.now))
    await book.press("form[action$=code] button")
    await book.draw("recovery codes")
    await page.context.clear_cookies()
    await page.goto(f"{address}/console/sign-in")
    await page.fill("#name", "jia")
    await page.fill("#password", PASSWORD)
    await book.press("main button")
    await book.draw("second factor")
    await page.goto(f"{address}/console/sign-in")
    await page.fill("#name", "bing")
    await page.fill("#password", PASSWORD)
    await book.press("main button")
    await book.open("/console/waves/county-live/papers", "no permission")
    return book.seen


async def draw_jobs(site: Site, book: Book) -> None:
    """A long job while it runs, while it stops and when it has ended."""
    room, go, address = site.app.state.work_room, asyncio.Event(), f"/console/waves/{WAVE}"

    async def at_work(tell: Tell) -> None:
        tell(0.43, "读答卷 38,000 / 87,579")
        await go.wait()
        tell(1, "")

    async def ended() -> None:
        go.set()
        while room.at_work():
            await asyncio.sleep(0.02)
        go.clear()

    await room.begin(Work(WAVE, "计算", "results", "results", stop_at="estimate/stop", right="wave.run"), at_work, 0)
    await book.open(f"{address}/work", "job that can be stopped")
    room.stop(WAVE)
    await book.open(f"{address}/work", "job that is stopping")
    await ended()
    await book.open(f"{address}/work", "job that was stopped")
    await room.begin(Work(WAVE, "签发", "certificate", "certify", whole=WHOLE), at_work, 0)
    await book.open(f"{address}/work", "job that is whole")
    await ended()
    await book.open(f"{address}/work", "job that is done")
    work = Work(WAVE, PACK.name, PACK.back_to, PACK.back_to, kind=PACK.kind, right=PACK.right)
    work.made = MadeFile.begin(site.settings.data, "云台区_county-a_建档.zip")
    work.made.file.write(bytes(11_543_794))
    work.made.file.flush()
    await room.begin(work, at_work, 0)
    await ended()
    await book.open(f"{address}/pack", "job that made a file")


@asynccontextmanager
async def served(site: Site) -> AsyncIterator[str]:
    """The site over a real socket; its address."""
    door = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(site.app, log_level="error", access_log=False, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[door]))
    try:
        yield f"http://127.0.0.1:{door.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


async def main(folder: Path) -> None:
    """The whole book."""
    folder.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as data:
        async with running(Path(data) / "data") as site, served(site) as address, async_playwright() as playwright:
            await lay(site)
            browser = await playwright.chromium.launch(executable_path=chromium, args=[*FLAGS, "--lang=zh-CN"])
            page = await browser.new_page()
            page.set_default_timeout(60_000)
            print(f"{await draw_all(site, Book(page, address, folder))} pages at {WIDTHS} and printed in {folder}")
            await browser.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots/console")))
