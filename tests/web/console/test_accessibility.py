"""Print room, paper entry, school pages and message board in a browser: axe-core finds nothing, keys suffice."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
from importlib.resources import files

import pytest
import uvicorn

from survey.jobs.run_fieldwork import publish_wave
from survey.jobs.sign_plan import sign_plan
from survey.jobs.signers import ROLES, create_signer, open_signers
from survey.storage.print_files import load_print_file

from ..conftest import NOW, PASSWORD, Site

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
AXE = """async () => (await axe.run(document, {resultTypes: ['violations'], runOnly: [
  'wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})).violations.map(
  (one) => one.id + ' ' + one.nodes[0].html)"""
WAVE = "county-a"


@pytest.mark.slow
async def test_nothing_is_found_on_any_of_these_pages_and_a_form_is_typed_by_keys_alone(site: Site) -> None:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None and not os.environ.get("CI"):
        pytest.skip("no browser on this machine")
    from playwright.async_api import async_playwright

    await site.wave(until="drawn", spares=2)
    for role in ROLES:
        create_signer(site.settings, role, f"{PASSWORD} {role}")
    signers = open_signers(site.settings, {role: f"{PASSWORD} {role}" for role in ROLES})
    await sign_plan(site.settings, site.office, WAVE, signers, actor="test", now=NOW)
    code = next(code for code, domain in load_print_file(site.settings, WAVE) if domain.endswith("-P"))
    for name in ("jia", "yi"):
        await site.person(name, ("admin", "operator", "reviewer"))
    door = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{door.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(site.app, log_level="error", access_log=False, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[door]))
    wave = f"{address}/console/waves/{WAVE}"
    axe = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)

            async def signed_in(name: str):
                context = await browser.new_context(viewport={"width": 1000, "height": 800})
                context.set_default_timeout(120_000)
                page = await context.new_page()
                await page.goto(f"{address}/console/sign-in")
                await page.fill("#name", name)
                await page.fill("#password", PASSWORD)
                await page.click("main button")
                await page.wait_for_url("**/console/waves")
                return page

            async def look(page, name: str) -> None:
                await page.wait_for_load_state()
                await page.evaluate(axe)
                found[name] = await page.evaluate(AXE)

            async def keys(page, *pressed: str, into: str) -> None:
                # A page gives its field the focus a moment after it has come; a key pressed before is lost.
                await page.wait_for_selector(f"{into}:focus")
                async with page.expect_navigation():
                    for key in pressed:
                        await page.keyboard.press(key)

            async def click(page, where: str) -> None:
                async with page.expect_navigation():
                    await page.click(where)

            page = await signed_in("jia")
            await page.goto(f"{wave}/papers")
            await look(page, "print room")
            await page.click("text=只印其中几所学校")
            await page.check('input[name^="s."] >> nth=0')
            await click(page, "text=选好这几所")
            await look(page, "print room for one school")
            await click(page, "text=排印，装进一个压缩包")
            await look(page, "job")
            while site.app.state.print_room.job(WAVE).running:
                await asyncio.sleep(0.1)
            await page.goto(f"{wave}/papers/job")
            await look(page, "finished job")
            await publish_wave(site.settings, site.office, WAVE, actor="test", now=NOW)
            await page.goto(f"{wave}/flags")
            await look(page, "flags before opening")
            await page.goto(f"{wave}/leftovers")
            await look(page, "leftovers")
            await page.fill("#lines", "7KQ4")
            await page.fill("#second", "yi")
            await page.fill("#confirm", WAVE)
            await click(page, "main button")
            await look(page, "leftovers with a fault")
            await page.goto(f"{wave}/paper")
            await look(page, "code")
            await keys(page, *code, "Enter", into="#code")
            await look(page, "paper form")
            await keys(page, "9", "Enter", into=".answer")
            await look(page, "paper form with a fault")
            await page.locator("input.answer").first.focus()
            await keys(page, "Control+a", "5", "Tab", "4", "Enter", into=".answer")
            await look(page, "first pass")
            assert "第一遍已经存好" in await page.content()

            page = await signed_in("yi")
            await page.goto(f"{wave}/paper")
            await keys(page, *code, "Enter", into="#code")
            await keys(page, "2", "Tab", "4", "Enter", into=".answer")
            await look(page, "differences")
            await page.locator("input[type=radio]").first.focus()
            await keys(page, "Space", "Tab", "Enter", into="[type=radio]")
            await look(page, "received")
            assert "这份答卷已经收下" in await page.content()

            await page.goto(f"{wave}/schools")
            await page.fill("#contact", "教务主任")
            await click(page, "text=发一个一次性链接")
            await look(page, "schools")
            link = re.search(r"(/school/in/[\w-]+)", await page.content())[1]  # type: ignore[index]
            await page.goto(address + link)
            await look(page, "school link")
            await click(page, "main button")
            await look(page, "school")
            await page.goto(f"{address}/b")
            await look(page, "board")
            await page.fill("#text", "食堂太贵")
            await click(page, ".go")
            await look(page, "board with a fault")
            await page.select_option("#who", index=1)
            await click(page, ".go")
            await look(page, "board done")
            await page.goto(f"{wave}/board?state=held")
            await look(page, "held messages")
            await click(page, "td a")
            await look(page, "clearing")
            await page.select_option("#theme", index=1)
            await click(page, "text=提出放行")
            await page.goto(f"{wave}/board?state=proposed")
            await look(page, "proposed messages")
            await browser.close()
    finally:
        server.should_exit = True
        await serving

    assert {name: faults for name, faults in found.items() if faults} == {}
    assert len(found) == 22
