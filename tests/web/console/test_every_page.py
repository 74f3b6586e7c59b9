"""Every page of the console by axe-core and at 360 px: the application's own routes are the list."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from importlib.resources import files
from pathlib import Path

import pytest
import uvicorn

from ..conftest import PASSWORD, Site
from .commands import commands_of, refused
from .test_accessibility import AXE, FLAGS
from .test_outside import SPEC, workbook

WAVE = "county-a"
MOST_BYTES = 120_000 - 20_000
"""A first view may have 120 KB; the style sheet and the script of a job page take up to 20 of them."""
EXAMPLES = {
    "/console/waves/{wave:str}/ledger/{number:int}": f"/console/waves/{WAVE}/ledger/1",
    "/console/waves/{wave:str}/report/{kind:str}": f"/console/waves/{WAVE}/report/nothing",
    "/console/waves/{wave:str}/certificate/{name:str}": f"/console/waves/{WAVE}/certificate/nothing",
    "/console/counties/{code:str}": "/console/counties/320704",
    "/console/digest/{kind:str}": "/console/digest/nothing",
    "/console/outside/{name:str}": "/console/outside/nothing",
    "/console/people/account/{name:str}": "/console/people/account/jia",
    "/console/sign-in/{token:str}": "/console/sign-in/nothing",
}
"""What stands in the place of the names in an address; of a file the page that says there is none."""
ELSEWHERE = {
    "/console/setup/{draft:str}/{step:int}": "test_setup_browser.py",
    "/console/waves/{wave:str}/board/{number:str}": "test_accessibility.py",
}


def pages_of(site: Site) -> list[str]:
    """An address for every page of the console that a browser can open."""
    routes = [
        route.path
        for route in site.app.routes
        if route.path.startswith("/console") and "GET" in getattr(route, "methods", ())
    ]
    found = [EXAMPLES.get(path, path.replace("{wave:str}", WAVE)) for path in routes if path not in ELSEWHERE]
    unknown = [path for path in found if "{" in path]
    assert not unknown, f"name an example, or the test that looks at them: {unknown}"
    assert set(ELSEWHERE) <= set(routes), "a page that is looked at elsewhere is no more"
    return sorted(found)


async def test_every_page_of_a_certified_wave_answers(certified: Site) -> None:
    await certified.sign_in("jia", ("admin", "operator", "reviewer", "approver"))
    await certified.send(f"/console/waves/{WAVE}/ledger", {"source": "fact", "problem": "课桌不够", "basis": "第3页"})
    replies = {path: await certified.client.get(path) for path in pages_of(certified)}
    pages = {
        path: reply
        for path, reply in replies.items()
        if reply.status_code == 200 and reply.headers["content-type"].startswith("text/html") and "<h1" in reply.text
    }
    inside = {path: reply.text for path, reply in pages.items() if 'class="who"' in reply.text}
    lines = {line for page in inside.values() for line in commands_of(page)}

    assert {path: reply.status_code for path, reply in replies.items() if reply.status_code >= 500} == {}
    assert len(inside) > 25
    assert {path: len(reply.content) for path, reply in pages.items() if len(reply.content) > MOST_BYTES} == {}
    for part in ('class="skip"', 'aria-label="当前位置"', "数据截至", "<h2>等价命令</h2>"):
        assert [path for path, page in inside.items() if page.count(part) != 1] == [], part
    assert [path for path, page in inside.items() if page.count("<h1") != 1] == []
    assert len(lines) > 25
    assert [why for line in sorted(lines) if (why := refused(line))] == []


@pytest.mark.slow
async def test_nothing_is_found_on_any_page_of_a_certified_wave(certified: Site, tmp_path: Path) -> None:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None and not os.environ.get("CI"):
        pytest.skip("no browser on this machine")
    from playwright.async_api import async_playwright

    await certified.sign_in("jia", ("admin", "operator", "reviewer", "approver"))
    ledger = f"/console/waves/{WAVE}/ledger"
    await certified.send(ledger, {"source": "fact", "problem": "课桌不够", "basis": "核查记录第3页"})
    pages = [path for path in pages_of(certified) if "text/html" in (await kind_of(certified, path))[1]]
    door = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{door.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(certified.app, log_level="error", access_log=False, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[door]))
    axe = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    (tmp_path / "answers.xlsx").write_bytes(workbook())
    (tmp_path / "spec.yaml").write_bytes(SPEC)
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            context = await browser.new_context(viewport={"width": 1280, "height": 800})
            page = await context.new_page()
            page.set_default_timeout(60_000)

            async def look(name: str) -> None:
                await page.wait_for_load_state()
                await page.evaluate(axe)
                faults: list[str] = await page.evaluate(AXE)
                await page.set_viewport_size({"width": 360, "height": 800})
                reach = await page.evaluate("document.documentElement.scrollWidth")
                await page.set_viewport_size({"width": 1280, "height": 800})
                found[name] = faults + ([f"{reach} px wide"] if reach > 360 else [])

            async def press(where: str) -> None:
                async with page.expect_navigation():
                    await page.click(where)

            await page.goto(f"{address}/console/sign-in")
            await look("signed out")
            await page.fill("#name", "jia")
            await page.fill("#password", PASSWORD)
            await press("main button")
            for path in pages:
                await page.goto(address + path)
                await look(path)

            await page.goto(f"{address}/console/outside")
            await page.set_input_files("#cases", tmp_path / "answers.xlsx")
            await page.set_input_files("#spec", tmp_path / "spec.yaml")
            await press("form[enctype] button")
            await look("columns of a file collected elsewhere")
            await page.select_option("main select", index=1)
            await press("form[action$=table] button")
            await look("table of a file collected elsewhere")
            await page.goto(f"{address}/console/webhooks")
            await page.fill("#label", "督导系统")
            await page.fill("#url", "http://127.0.0.1/")
            await press("form[action$=webhooks] button")
            await look("webhook with a fault")
            await page.goto(f"{address}{ledger}/1")
            await page.eval_on_selector_all("main form", "all => all.forEach(e => { e.noValidate = true; })")
            await press("main form button")
            await look("ledger with a fault")
            await browser.close()
    finally:
        server.should_exit = True
        await serving

    assert {name: faults for name, faults in found.items() if faults} == {}
    assert len(found) == len(pages) + 5


async def kind_of(site: Site, path: str) -> tuple[int, str]:
    """What an address answers with: its status, and whether it is a page or a file."""
    reply = await site.client.get(path)
    return int(reply.status_code), reply.headers.get("content-type", "")
