"""Set-up, launch checklist and keys in a browser: axe-core finds nothing, keys alone suffice, 360 px is enough."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from importlib.resources import files

import pytest
import uvicorn

from ..conftest import PASSWORD, Site
from .test_accessibility import AXE, FLAGS


@pytest.mark.slow
async def test_every_page_up_to_launching_is_clean_and_a_wave_is_made_by_keys_alone(site: Site) -> None:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None and not os.environ.get("CI"):
        pytest.skip("no browser on this machine")
    from playwright.async_api import async_playwright

    await site.person("jia", ("admin", "operator"))
    await site.wave("county-a", until="drawn")
    door = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{door.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(site.app, log_level="error", access_log=False, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[door]))
    axe = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    wide: dict[str, int] = {}
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            context = await browser.new_context(viewport={"width": 1280, "height": 800})
            page = await context.new_page()
            page.set_default_timeout(60_000)

            async def look(name: str) -> None:
                await page.evaluate(axe)
                found[name] = await page.evaluate(AXE)
                for width in (360, 1280):
                    await page.set_viewport_size({"width": width, "height": 800})
                    reach = await page.evaluate("document.documentElement.scrollWidth")
                    if reach > width:
                        wide[name] = reach

            async def enter() -> None:
                async with page.expect_navigation():
                    await page.keyboard.press("Enter")

            async def tab_to(field: str) -> None:
                """Tab on until the field of this id has the focus."""
                for _ in range(200):
                    if await page.evaluate("document.activeElement.id") == field:
                        return
                    await page.keyboard.press("Tab")
                raise AssertionError(f"no tab leads to {field}")

            async def type_in(**typed: str) -> None:
                for field, text in typed.items():
                    await tab_to(field)
                    await page.keyboard.type(text)

            await page.goto(f"{address}/console/sign-in")
            await tab_to("name")
            await page.keyboard.type("jia")
            await page.keyboard.press("Tab")
            await page.keyboard.type(PASSWORD)
            await enter()
            await look("waves")
            await tab_to("like")
            await page.keyboard.press("Tab")
            await enter()
            await look("step 1")
            await tab_to("demonstration_0")
            await page.keyboard.press("ArrowDown")
            await enter()
            await look("step 2")
            await tab_to("county")
            await enter()
            await look("step 2 with faults")
            await type_in(county="云台区", county_code="320704", office="督导室", telephone="0518-1")
            await enter()
            await look("step 3")
            await tab_to("from_grade_student")
            await enter()
            await look("step 4")
            await type_in(population_count="200000", population_year="2020", population_source="演示")
            await type_in(lists_deputy="160", lists_cppcc="140")
            await enter()
            await look("step 5")
            await tab_to("everybody_parent")
            await enter()
            await look("step 6")
            for box in ("confirm_sample_size_population_census", "confirm_figure_official_formula"):
                await tab_to(box)
                await page.keyboard.press("Space")
            await type_in(confirm_person="甲")
            await enter()
            await look("step 7")
            await tab_to("break_off")
            await enter()
            await look("review")
            for _ in range(60):
                if "建成调查" in await page.evaluate("document.activeElement.textContent.slice(0, 40)"):
                    break
                await page.keyboard.press("Tab")
            await enter()
            made = page.url
            for name in ("launch", "setup"):
                await page.goto(f"{address}/console/waves/county-a/{name}")
                await look(name)
            await page.goto(f"{address}/console/signers")
            await look("keys")
            await browser.close()
    finally:
        server.should_exit = True
        await serving

    assert {name: faults for name, faults in found.items() if faults} == {}
    assert wide == {}
    assert len(found) == 13
    assert made.endswith("-202612/frame")
