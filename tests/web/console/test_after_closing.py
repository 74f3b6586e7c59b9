"""Certify, certificate, report, digest and files from elsewhere in a browser: axe-core finds nothing, keys suffice."""

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
from .test_accessibility import AXE, FLAGS
from .test_outside import SPEC, workbook

WAVE = "/console/waves/county-a"


@pytest.mark.slow
async def test_nothing_is_found_at_both_widths_and_a_step_is_taken_by_keys_alone(
    certified: Site, tmp_path: Path
) -> None:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None and not os.environ.get("CI"):
        pytest.skip("no browser on this machine")
    from playwright.async_api import async_playwright

    (tmp_path / "cases.xlsx").write_bytes(workbook())
    (tmp_path / "spec.yaml").write_bytes(SPEC)
    await certified.person("jia", ("operator", "reviewer"))
    await certified.person("yi", ("reviewer",))
    door = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{door.getsockname()[1]}"
    server = uvicorn.Server(
        uvicorn.Config(certified.app, log_level="error", access_log=False, lifespan="off")
    )
    serving = asyncio.create_task(server.serve(sockets=[door]))
    axe = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)

            async def signed_in(name: str):
                context = await browser.new_context()
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
                for width in (1280, 360):
                    await page.set_viewport_size({"width": width, "height": 900})
                    await page.evaluate(axe)
                    faults = await page.evaluate(AXE)
                    wide = await page.evaluate("document.documentElement.scrollWidth")
                    found[f"{name} {width}"] = faults + ([f"{wide} px wide"] if wide > width else [])

            page = await signed_in("jia")
            await page.goto(f"{address}{WAVE}/certify")
            await look(page, "certify")
            await page.focus("#reason")
            await page.keyboard.type("换了正确的校名")
            for words in (PASSWORD, f"{PASSWORD} operator"):
                await page.keyboard.press("Tab")
                await page.keyboard.type(words)
            async with page.expect_navigation():
                await page.keyboard.press("Enter")
            await look(page, "prepared")
            assert "您已经做过经办这一步" in await page.content()
            other = await signed_in("yi")
            await other.goto(f"{address}{WAVE}/certify")
            await other.focus("summary")
            await other.keyboard.press("Enter")
            await look(other, "review")
            for path in (f"{WAVE}/certificate", f"{WAVE}/report", f"{WAVE}/board", "/console/digest"):
                await page.goto(f"{address}{path}")
                await look(page, path)
            await page.goto(f"{address}/console/outside")
            await look(page, "outside")
            await page.set_input_files("#cases", tmp_path / "cases.xlsx")
            await page.set_input_files("#spec", tmp_path / "spec.yaml")
            async with page.expect_navigation():
                await page.click("text=读进来")
            await look(page, "mapping")
            await page.focus("#column_0")
            await page.keyboard.type("12")
            async with page.expect_navigation():
                await page.keyboard.press("Tab")
                await page.keyboard.press("Enter")
            await look(page, "table")
            assert "91.66%" in await page.content()
            await browser.close()
    finally:
        server.should_exit = True
        await serving

    assert {name: faults for name, faults in found.items() if faults} == {}
    assert len(found) == 20
