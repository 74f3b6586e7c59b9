"""From the printed slip to a stored answer: the QR read off the PDF, a phone, the database."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pypdfium2
import pytest
import zxingcpp
from playwright.sync_api import Browser, Page, sync_playwright

from survey.cli.demo import LIVE_WAVE
from survey.cli.session import at_intake

from .conftest import Demonstration

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip


def links_on_slips(pdf: Path) -> list[str]:
    """The links of the printed slips, read by two decoders that know nothing of us."""
    links: list[str] = []
    for page in pypdfium2.PdfDocument(pdf):
        picture = np.array(page.render(scale=4).to_pil().convert("L"))
        for code in zxingcpp.read_barcodes(picture):
            corners = code.position
            xs = [corners.top_left.x, corners.top_right.x, corners.bottom_right.x, corners.bottom_left.x]
            ys = [corners.top_left.y, corners.top_right.y, corners.bottom_right.y, corners.bottom_left.y]
            cut = picture[max(min(ys) - 40, 0) : max(ys) + 40, max(min(xs) - 40, 0) : max(xs) + 40]
            second, _, _ = cv2.QRCodeDetector().detectAndDecode(cut)
            assert second in ("", code.text)
            if second:
                links.append(code.text)
        if len(links) >= 4:
            break
    return links


@contextmanager
def serving(demonstration: Demonstration) -> Iterator[str]:
    """The demonstration's folder, served by the command in a process of its own."""
    settings = demonstration.settings
    process = subprocess.Popen(
        [sys.executable, "-m", "survey", "serve", "--data", str(settings.data), "--port", str(settings.port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{settings.base_url}/healthz", timeout=1)
                break
            except OSError:
                assert process.poll() is None, process.stdout.read().decode() if process.stdout else ""
                time.sleep(0.1)
        yield settings.base_url
    finally:
        process.terminate()
        process.wait(timeout=20)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The machine's Chromium."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def phone(browser: Browser, *, scripts: bool) -> Iterator[Page]:
    """A page on a phone 360 px wide, with nothing stored."""
    context = browser.new_context(viewport={"width": 360, "height": 640}, java_script_enabled=scripts)
    yield context.new_page()
    context.close()


def step_of(page: Page) -> str:
    return str(page.evaluate("document.querySelector('.step.on').id"))


def responses(demonstration: Demonstration) -> list[bytes]:
    async def load() -> list[bytes]:
        async with at_intake(demonstration.settings) as (_, office):
            return await office.leaves(LIVE_WAVE)

    return asyncio.run(load())


@pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium on the machine")
def test_a_slip_leads_from_paper_to_a_stored_answer(on_sqlite: Demonstration) -> None:
    before = responses(on_sqlite)
    plain, scripted, *_ = links_on_slips(Path(on_sqlite.report["live_slips_pdf"]))
    with serving(on_sqlite) as base, chromium() as browser:
        with phone(browser, scripts=False) as page:
            page.goto(plain)
            for question in page.locator("fieldset:has(input[type=radio])").all():
                question.locator("label").nth(1).click()
            with page.expect_request(lambda sent: sent.method == "POST") as posting:
                page.locator("#send").click()
            page.wait_for_url("**/s/thanks/**")
            thanked = page.url
            form = {"content-type": "application/x-www-form-urlencoded"}
            again = page.request.post(plain, headers=form, data=posting.value.post_data)
            page.goto(plain)
            used = page.url
        with phone(browser, scripts=True) as page:
            page.goto(scripted)
            width = page.evaluate("document.documentElement.scrollWidth")
            page.click("#begin")
            while (part := step_of(page)) != "check":
                for question in page.locator(f"#{part} fieldset:has(input[type=radio])").all():
                    question.locator("label").first.click()
                page.click("#next")
                page.wait_for_function("part => document.querySelector('.step.on').id != part", arg=part)
            page.click("#send")
            page.wait_for_selector("main[data-done]")
    after = responses(on_sqlite)

    assert plain.lower().startswith(f"{base}/s/")
    assert again.url == thanked
    assert used.endswith("/s/thanks")
    assert width <= 360
    assert len(after) == len(before) + 2
    assert after[: len(before)] == before
