"""The console in a real browser at desktop width, scripts off: one request and a stylesheet a page."""

import asyncio
import os
import shutil
import socket
from pathlib import Path

import pypdfium2 as pdfium
import pytest
import uvicorn

from ..conftest import PASSWORD, Site

PAGES = ("", "/frame", "/sample", "/papers", "/monitor", "/results", "/certificate")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]


@pytest.fixture
def chromium() -> str:
    """The machine's browser; `.ci/run` installs one, so there it is never skipped."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None and not os.environ.get("CI"):
        pytest.skip("no browser on this machine")
    assert found
    return found


async def test_every_page_of_a_certified_wave_is_drawn_without_a_complaint(
    certified: Site, chromium: str, tmp_path: Path
) -> None:
    from playwright.async_api import async_playwright

    await certified.person()
    door = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{door.getsockname()[1]}"
    server = uvicorn.Server(
        uvicorn.Config(certified.app, log_level="error", access_log=False, lifespan="off")
    )
    serving = asyncio.create_task(server.serve(sockets=[door]))
    complaints: list[str] = []
    requests: list[str] = []
    weights: dict[str, int] = {}
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            context = await browser.new_context(
                viewport={"width": 1280, "height": 800}, java_script_enabled=False
            )
            page = await context.new_page()
            page.on("console", lambda message: complaints.append(message.text))
            page.on("request", lambda request: requests.append(request.url))
            await page.goto(f"{address}/console/sign-in")
            await page.fill("#name", "demo")
            await page.fill("#password", PASSWORD)
            await page.click("main button")
            complaints.clear()
            for path in PAGES:
                requests.clear()
                reply = await page.goto(f"{address}/console/waves/county-a{path}")
                assert reply is not None
                weights[path] = len(await reply.body())
                assert reply.status == 200, path
                assert len(requests) <= 6, requests
                assert all(url.startswith((address, "data:")) for url in requests), requests
                await page.screenshot(path=tmp_path / f"page{path.replace('/', '-')}.png", full_page=True)
                width = await page.locator("body").bounding_box()
                assert width is not None
                assert width["width"] <= 1280, path
            sheets = {}
            for path in ("/ledger", "/results"):
                await page.goto(f"{address}/console/waves/county-a{path}")
                with pdfium.PdfDocument(await page.pdf(prefer_css_page_size=True)) as printed:
                    words = "".join(sheet.get_textpage().get_text_bounded() for sheet in printed)
                    sheets[path] = printed[0].get_size()[0] > printed[0].get_size()[1], words
            await browser.close()
    finally:
        server.should_exit = True
        await serving

    assert complaints == []
    assert max(weights.values()) < 120_000, weights
    assert [wide for wide, _ in sheets.values()] == [True, False]
    for wide, words in sheets.values():
        assert "跳到正文" not in words and "退出" not in words and "数据截至" in words
    assert "survey ledger list county-a" in sheets["/ledger"][1]
