"""A real server and a real browser at phone size, for the journeys of the answering side."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

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


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def serving(laid: Ground, port: int) -> AsyncIterator[str]:
    """The whole application on a port of this machine, its clock within the wave's days; its address."""
    app = create_app(laid.settings, laid.database, laid.office, now=lambda: NOW)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", access_log=False))
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
    page.set_default_timeout(5000)
    yield page
    await context.close()
