"""Every console page as a screen reader, a keyboard and a phone meet it: nothing out of order, nothing out of reach.

The walk is that of `screens`; what axe-core does not ask is asked of every page of it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from playwright.async_api import async_playwright

from ..conftest import Site
from .screens import Book, draw_all, lay, served
from .test_accessibility import FLAGS

OUT_OF_ORDER = """() => {
  const found = [], shown = (one) => one.getClientRects().length > 0;
  const headings = [...document.querySelectorAll('main h1, main h2, main h3, main h4')].filter(shown);
  if (headings.filter((one) => one.tagName === 'H1').length !== 1) found.push('not one h1');
  let last = 1;
  for (const one of headings) {
    const level = Number(one.tagName[1]);
    if (level > last + 1) found.push('a heading skips a level: ' + one.textContent.trim());
    last = level;
  }
  for (const table of [...document.querySelectorAll('table')].filter(shown)) {
    if (!table.caption) found.push('no caption: ' + table.textContent.trim().slice(0, 30));
    for (const head of table.querySelectorAll('th')) {
      if (!head.scope || !head.textContent.trim()) found.push('a head without scope or words: ' + head.outerHTML);
    }
  }
  for (const field of document.querySelectorAll('[aria-invalid=true], [aria-describedby]')) {
    const told = (field.getAttribute('aria-describedby') || 'nothing').split(' ');
    if (!told.every((id) => document.getElementById(id))) found.push('not told what is wrong: ' + field.id);
  }
  for (const link of document.querySelectorAll('a[href^="#"]')) {
    if (!document.getElementById(decodeURIComponent(link.hash.slice(1)))) found.push('leads nowhere: ' + link.hash);
  }
  for (const region of document.querySelectorAll('.scroll')) {
    if (region.tabIndex !== 0 || !region.getAttribute('aria-label')) found.push('a region no key can move');
  }
  const refusal = document.querySelector('.summary[role=alert][tabindex]');
  if (refusal && (document.activeElement !== refusal || !document.title.startsWith('错误：'))) {
    found.push('a refusal that is not met first: ' + document.title);
  }
  return found;
}"""
WIDER = "() => document.documentElement.scrollWidth - window.innerWidth"
FOCUSED = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const style = getComputedStyle(one), box = one.getBoundingClientRect();
  const seen = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  return seen && box.bottom > 0 && box.top < innerHeight ? '' : one.outerHTML.slice(0, 80);
}"""
MOST_TABS = 60


class Reading(Book):
    """A book that asks its pages instead of drawing them."""

    def __init__(self, *given: object) -> None:
        super().__init__(*given)  # type: ignore[arg-type]
        self.found: dict[str, list[str]] = {}

    async def draw(self, name: str) -> None:
        """Ask what is open: its order, the way of the Tab key, and whether it fits a phone."""
        self.seen += 1
        page = self.page
        await page.set_viewport_size({"width": 1280, "height": 800})
        found = await page.evaluate(OUT_OF_ORDER)
        for _ in range(MOST_TABS):
            await page.keyboard.press("Tab")
            hidden = await page.evaluate(FOCUSED)
            if hidden is None:
                break
            found += [f"no visible focus: {hidden}"] if hidden else []
        await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        await page.set_viewport_size({"width": 360, "height": 640})
        if await page.evaluate(WIDER) > 0:
            found.append("wider than a phone")
        if found:
            self.found[name] = found


@pytest.mark.slow
async def test_every_page_reads_in_order_by_ear_by_keys_and_on_a_phone(site: Site, tmp_path: Path) -> None:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None and not os.environ.get("CI"):
        pytest.skip("no browser on this machine")
    await lay(site)
    async with served(site) as address, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = await browser.new_page()
        page.set_default_timeout(120_000)
        reading = Reading(page, address, tmp_path)
        seen = await draw_all(site, reading)
        await browser.close()

    assert seen > 90
    assert reading.found == {}
