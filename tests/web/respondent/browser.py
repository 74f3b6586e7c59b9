"""A real server and a real browser at phone size, for the journeys of the answering side."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from playwright.async_api import Browser, Page, Route, async_playwright

from survey.web.app import create_app

from .ground import NOW, Ground

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = {"width": 360, "height": 640}
PATIENCE = 60_000
"""Milliseconds until a wait is given up: every wait is for an event, and a loaded machine may take its time."""
WATCH = """window.shifts = [];
window.note = entries => entries.forEach(e => shifts.push(e.value));
window.watch = new PerformanceObserver(list => note(list.getEntries()));
watch.observe({type: 'layout-shift', buffered: true});"""
PAINTED = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"
SHIFT = "() => { note(watch.takeRecords()); return shifts.reduce((sum, value) => sum + value, 0); }"


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def serving(
    laid: Ground, port: int, around: Callable[[Any], Any] = lambda app: app
) -> AsyncIterator[str]:
    """The whole application on a port of this machine, its clock within the wave's days; its address.

    Args:
        around: what stands between the application and its visitors.
    """
    app = create_app(laid.settings, laid.database, laid.office, now=lambda: NOW)
    server = uvicorn.Server(uvicorn.Config(around(app), port=port, log_level="warning", access_log=False))
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await running


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """The machine's Chromium."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        await browser.close()


async def without_scripts(page: Page) -> None:
    """Take the scripts out of every page on its way, for tools that need scripts of their own."""

    async def strip(route: Route) -> None:
        reply = await route.fetch(max_redirects=0)
        if "html" not in reply.headers.get("content-type", "") or reply.status in (302, 303):
            await route.fulfill(response=reply)
            return
        text = re.sub(r"<script>.*?</script>", "", await reply.text(), flags=re.DOTALL)
        await route.fulfill(response=reply, body=text)

    await page.route("**/*", strip)


@asynccontextmanager
async def phone(browser: Browser, *, scripts: bool = True, width: int = 360) -> AsyncIterator[Page]:
    """A page on a phone of its own, with nothing stored."""
    context = await browser.new_context(
        viewport={**PHONE, "width": width},
        has_touch=True,
        is_mobile=True,
        java_script_enabled=scripts,
        locale="zh-CN",
    )
    page = await context.new_page()
    page.set_default_timeout(PATIENCE)
    yield page
    await context.close()


async def painted(page: Page) -> None:
    """Wait until the browser has drawn what it has."""
    await page.evaluate(PAINTED)


async def shift_of(page: Page) -> float:
    """How much has moved on a page that began with `WATCH`, taps or not."""
    await painted(page)
    return float(await page.evaluate(SHIFT))
