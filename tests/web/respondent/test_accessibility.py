"""Every screen under axe-core, and the layout rules a checker does not know (UX sections 2 and 9).

The default run looks at the screens that hold most, each in the layout that strains it
most; `pytest -m slow` looks at every screen and state in every layout.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from .browser import phone, without_scripts
from .ground import PARENT, PUPIL, Ground
from .screens import FEW, SCREENS, Screen, Visit, rig, road

pytestmark = pytest.mark.asyncio(loop_scope="session")

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
CHECK = """async tags => {
  const found = await axe.run(document, {resultTypes: ['violations'], runOnly: tags});
  return found.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html.slice(0, 120)).slice(0, 3).join(' | '));
}"""
LAYOUT = """() => {
  const shown = e => e.getClientRects().length && !e.closest('.vh, .skip');
  const targets = [...document.querySelectorAll('a, button, summary, select, textarea, .code, .o label')].filter(shown);
  const box = e => e.getBoundingClientRect();
  const inline = e => e.tagName == 'A' && e.closest('p, dd, li, .err') && !e.className;
  // Columns instead of lines: what is height elsewhere is width there.
  const across = getComputedStyle(document.querySelector('main')).writingMode.startsWith('vertical');
  const faults = [];
  // Not innerWidth: a phone zooms out until what is too wide fits.
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) faults.push('sideways scrolling: ' + root.scrollWidth);
  targets.filter(e => !inline(e) && Math.min(box(e).width, box(e).height) < 24).forEach(e => faults.push('small: ' + e.outerHTML.slice(0, 80)));
  const least = document.documentElement.matches('.z1, .z2, .pupil') ? 60 : 48;
  targets.filter(e => e.matches('.o label, .go') && (across ? box(e).width < 48 : box(e).height < least)).forEach(e => faults.push('low: ' + e.outerHTML.slice(0, 80)));
  const rows = [...document.querySelectorAll('.o')].filter(shown);
  rows.slice(1).forEach((e, i) => {
    const gap = across ? box(e).left - box(rows[i]).right : box(e).top - box(rows[i]).bottom;
    if (rows[i].parentNode == e.parentNode && gap < 8) faults.push('rows too close: ' + gap);
  });
  const size = e => parseFloat(getComputedStyle(e).fontSize);
  if (size(document.body) < 18) faults.push('body text of ' + size(document.body));
  [...document.querySelectorAll('.hint')].filter(shown).filter(e => size(e) < 16).forEach(e => faults.push('hint of ' + size(e)));
  return faults;
}"""

LOOKS: dict[str, dict[str, Any]] = {
    "standard": {},
    "largest": {"query": "?z=2"},
    "scripts off": {"scripts": False},
    "320": {"width": 320},
    "rtl": {"query": "?lang=ug"},
    "child": {"domain": PUPIL},
    "tibetan": {"query": "?lang=bo"},
    "mongolian": {"query": "?lang=mn-Mong"},
}
HARDEST = {
    ("r3-part", "child"),
    ("r3-read-aloud", "child"),
    ("r3-required", "largest"),
    ("r4-check", "320"),
    ("r4-sending-failed", "rtl"),
    ("r7-open-school", "largest"),
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def laid(
    tmp_path_factory: pytest.TempPathFactory, browser: Browser
) -> AsyncIterator[tuple[Ground, str, Browser]]:
    async with rig(tmp_path_factory.mktemp("data"), browser) as made:
        yield made


async def faults_of(page: Page) -> list[str]:
    """What axe-core and our own rules find on a page."""
    await page.evaluate(AXE)
    found: list[str] = await page.evaluate(CHECK, TAGS)
    return found + await page.evaluate(LAYOUT)


async def visit(
    made: tuple[Ground, str, Browser],
    one: Screen,
    *,
    query: str = "",
    scripts: bool = True,
    width: int = 360,
    domain: str = PARENT,
) -> list[str]:
    """The faults of one screen in one layout."""
    ground, address, browser = made
    async with phone(browser, width=width) as page:
        if not scripts:
            await without_scripts(page)
        await one.reach(Visit(page, ground, address, query, domain, scripts))
        return await faults_of(page)


def fits(one: Screen, look: str) -> bool:
    """Whether a screen exists in a layout at all."""
    return not (
        (look == "scripts off" and one.scripts == "needed")
        or (look == "child" and not one.form)
        or (look in ("tibetan", "mongolian") and one.name not in FEW)
    )


async def test_the_hardest_screens_have_no_fault(laid: tuple[Ground, str, Browser]) -> None:
    await laid[0].go("open")
    by_name = {one.name: one for one in SCREENS}
    visits = [visit(laid, by_name[name], **LOOKS[look]) for name, look in sorted(HARDEST)]
    faults = await asyncio.gather(*visits)
    found = {at: one for at, one in zip(sorted(HARDEST), faults, strict=True) if one}

    assert found == {}


@pytest.mark.slow
async def test_every_screen_and_state_has_no_fault_in_any_layout(tmp_path: Path, browser: Browser) -> None:
    found = {}
    n_visits = 0
    async with rig(tmp_path, browser) as made:
        async for state in road(made[0]):
            for one in (one for one in SCREENS if one.state == state):
                for look, how in LOOKS.items():
                    if fits(one, look):
                        n_visits += 1
                        if faults := await visit(made, one, **how):
                            found[one.name, look] = faults

    assert n_visits > 200
    assert found == {}
