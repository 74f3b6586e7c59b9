"""The form as an engine: conditions, several choices, drafts, sending, keys; in a real browser."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml
from playwright.async_api import Browser, Page, Route

from survey.scheme.plan import example_plan_text, plan_document, read_plan

from .browser import WATCH, phone, shift_of
from .ground import PARENT, PUPIL, WAVE, Ground
from .screens import rig

pytestmark = pytest.mark.asyncio(loop_scope="session")

INSTRUMENT = Path(__file__).parents[2] / "instruments" / "routes_by_every_kind.yaml"
BLOCKED = "Object.defineProperty(window, 'localStorage', {get() { throw new Error('blocked'); }})"


def with_routes() -> dict[str, Any]:
    """Changes of a plan: parents answer the form that follows the answers."""
    groups = plan_document(read_plan(example_plan_text()))["groups"]
    for group in groups:
        if group["group"] == "parent":
            group["instruments"] = {"all": "routes"}
    return {"groups": groups, "adopted_instruments": {"routes": yaml.safe_load(INSTRUMENT.read_text("utf-8"))}}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def laid(
    tmp_path_factory: pytest.TempPathFactory, browser: Browser
) -> AsyncIterator[tuple[Ground, str, Browser]]:
    async with rig(tmp_path_factory.mktemp("data"), browser, **with_routes()) as made:
        await made[0].go("open")
        yield made


async def at_part(page: Page, part: str) -> None:
    """Wait until a part stands in front of the person."""
    await page.wait_for_selector(f"#{part}.on")


async def leaves(made: tuple[Ground, str, Browser]) -> int:
    return len(await made[0].office.leaves(WAVE))


# ── conditions and choices ──────────────────────────────────────────────────────────────


async def test_questions_come_and_go_with_the_answers_and_take_their_answers_along(
    laid: tuple[Ground, str, Browser],
) -> None:
    ground, address, browser = laid
    before = await leaves(laid)
    async with phone(browser) as page:
        await page.goto(f"{address}/s/{ground.code()}#p1")
        first = await page.locator(".step.on .q:visible").count()
        await page.click("label[for=RT01-1]")
        second = await page.locator(".step.on .q:visible").count()
        await page.click("label[for=RT02-2]")
        await page.fill("#i-RT03", "每天上午")
        await page.click("label[for=RT02-98]")
        alone = await page.eval_on_selector_all("[name=RT02]:checked", "all => all.map(e => e.value)")
        hidden = not await page.is_visible("#i-RT03")
        await page.click("label[for=RT02-1]")
        both = await page.eval_on_selector_all("[name=RT02]:checked", "all => all.map(e => e.value)")
        await page.click("label[for=RT02-2]")
        emptied = await page.input_value("#i-RT03")
        await page.fill("#i-RT03", "每天上午")
        await page.click("label[for=RT01-0]")
        gone = await page.locator(".step.on .q:visible").count()
        await page.click("#next")
        await at_part(page, "p2")
        await page.click("label[for=RT04-4]")
        await page.click("#next")
        await at_part(page, "check")
        summed = await page.locator("[data-sum]").first.inner_text()
        async with page.expect_request(lambda sent: sent.method == "POST") as posting:
            await page.click("#send")
        await page.wait_for_selector("main[data-done]")
        body = (await posting.value).post_data

    assert (first, second, gone) == (1, 2, 1)
    assert (alone, both) == (["98"], ["1"])
    assert hidden and emptied == ""
    assert summed == "1/1"
    assert body and "RT01=0" in body and "RT02" not in body and "RT03" not in body
    assert await leaves(laid) == before + 1


async def test_without_scripts_an_answer_off_the_path_is_taken_back_and_said_so(
    laid: tuple[Ground, str, Browser],
) -> None:
    ground, address, browser = laid
    before = await leaves(laid)
    async with phone(browser, scripts=False) as page:
        await page.goto(f"{address}/s/{ground.code()}")
        shown = await page.locator(".q:visible").count()
        for label in ("RT01-0", "RT02-1", "RT04-4"):
            await page.click(f"label[for={label}]")
        await page.click("#send")
        said = await page.inner_text("#err")
        kept = (await page.is_checked("#RT01-0"), await page.is_checked("#RT02-1"), await page.is_checked("#RT04-4"))
        await page.click("#send")
        await page.wait_for_url("**/s/thanks/**")

    assert shown == 4
    assert "按前面的回答，这一题不用填" in said
    assert kept == (True, False, True)
    assert await leaves(laid) == before + 1


# ── the draft ───────────────────────────────────────────────────────────────────────────


async def test_with_storage_blocked_everything_works_and_only_the_saved_line_is_absent(
    laid: tuple[Ground, str, Browser],
) -> None:
    ground, address, browser = laid
    before = await leaves(laid)
    wrong: list[str] = []
    async with phone(browser) as page:
        page.on("pageerror", lambda error: wrong.append(str(error)))
        await page.add_init_script(BLOCKED)
        await page.goto(f"{address}/s/{ground.code()}#p1")
        await page.click("label[for=RT01-0]")
        line = await page.inner_text("#kept")
        await page.click(".tools summary")
        async with page.expect_navigation():
            await page.click(".tools button >> nth=1")
        larger = await page.evaluate("document.documentElement.className")
        kept = await page.is_checked("#RT01-0")
        await page.evaluate("location.hash = 'p4'")
        await at_part(page, "p4")
        await page.click("label[for=RT04-5]")
        await page.click("#next")
        await at_part(page, "check")
        await page.click("#send")
        await page.wait_for_selector("main[data-done]")

    assert line == "" and wrong == []
    assert larger.startswith("z2") and kept
    assert await leaves(laid) == before + 1


async def test_a_change_of_language_keeps_part_and_answers(laid: tuple[Ground, str, Browser]) -> None:
    ground, address, browser = laid
    async with phone(browser) as page:
        await page.goto(f"{address}/s/{ground.code()}#p1")
        await page.click("label[for=RT01-1]")
        await page.click(".tools summary")
        async with page.expect_navigation():
            await page.click(".tools button[lang=ug]")
        await at_part(page, "p1")
        kept = await page.is_checked("#RT01-1")
        turned = await page.evaluate("document.documentElement.dir")
        shown = await page.is_visible("#q-RT02")
        radio = await page.locator("#RT01-1").bounding_box()
        row = await page.locator("label[for=RT01-1]").bounding_box()

    assert (kept, turned, shown) == (True, "rtl", True)
    assert radio and row and radio["x"] > row["x"] + row["width"] / 2


async def test_a_page_brought_back_from_memory_reads_its_draft_again(laid: tuple[Ground, str, Browser]) -> None:
    ground, address, browser = laid
    async with phone(browser) as page:
        await page.goto(f"{address}/s/{ground.code()}#p1")
        await page.click("label[for=RT01-1]")
        await page.evaluate(
            """() => { const key = Object.keys(localStorage).find(k => k.startsWith('draft-'));
            const draft = JSON.parse(localStorage[key]); draft.a = [['RT01', '0']]; localStorage[key] = JSON.stringify(draft);
            window.dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true})); }"""
        )
        now = await page.is_checked("#RT01-0")

    assert now


async def test_clearing_and_closing_leave_no_draft_and_an_old_one_is_thrown_away(
    laid: tuple[Ground, str, Browser],
) -> None:
    ground, address, browser = laid
    drafts = "Object.keys(localStorage).filter(k => k.startsWith('draft-')).length"
    async with phone(browser) as page:
        await page.goto(f"{address}/s/{ground.code()}#p1")
        await page.click("label[for=RT01-1]")
        kept = await page.evaluate(drafts)
        await page.evaluate("location.hash = 'check'")
        await at_part(page, "check")
        await page.click("#clear")
        await at_part(page, "start")
        cleared = await page.evaluate(drafts)
        await page.evaluate("localStorage['draft-old'] = JSON.stringify({t: Date.now() - 73 * 3600e3, a: []})")
        await page.reload()
        old = await page.evaluate(drafts)
        await page.evaluate("location.hash = 'p1'")
        await page.click("label[for=RT01-1]")
        await ground.go("paused")
        await page.goto(page.url.split("#")[0])
        paused = await page.evaluate(drafts)
        await ground.go("open")

    assert (kept, cleared, old, paused) == (1, 0, 0, 1)


# ── sending ─────────────────────────────────────────────────────────────────────────────


async def test_a_busy_server_is_asked_again_with_the_same_key(laid: tuple[Ground, str, Browser]) -> None:
    ground, address, browser = laid
    before = await leaves(laid)
    bodies: list[str] = []

    async def busy(route: Route) -> None:
        if route.request.method != "POST":
            return await route.continue_()
        bodies.append(route.request.post_data or "")
        if len(bodies) == 1:
            return await route.fulfill(status=503, headers={"retry-after": "3"}, body="busy")
        if len(bodies) == 2:
            # The answer is kept and the reply gets lost on the way.
            await route.fetch()
            return await route.abort("connectionreset")
        return await route.continue_()

    async with phone(browser) as page:
        await page.route("**/s/*", busy)
        await page.clock.install()
        await page.goto(f"{address}/s/{ground.code()}#p2")
        await page.click("label[for=RT04-1]")
        await page.evaluate("location.hash = 'check'")
        await at_part(page, "check")
        await page.clock.pause_at(await page.evaluate("Date.now() + 1000"))
        await page.click("#send")
        await page.wait_for_selector("#net button")
        said = await page.inner_text("#net")
        # Asked again by itself after two seconds; when that fails, too, a person presses.
        await page.clock.run_for(1900)
        early = len(bodies)
        async with page.expect_event("requestfailed"):
            await page.clock.run_for(200)
        await page.click("#net button")
        await page.wait_for_selector("main[data-done]")

    keys = {re.search(r"\bk=(\w+)", body)[1] for body in bodies}  # type: ignore[index]
    assert said.startswith("还没有交上去。")
    assert early == 1 and len(bodies) == 3 and len(keys) == 1
    assert await leaves(laid) == before + 1


async def test_sending_is_small_and_so_is_the_thanks_page(laid: tuple[Ground, str, Browser]) -> None:
    ground, address, browser = laid
    sizes: dict[str, int] = {}
    async with phone(browser) as page:
        await page.goto(f"{address}/s/{ground.code(PUPIL)}#check")
        await at_part(page, "check")
        await page.evaluate(
            "document.querySelectorAll('.q').forEach(q => { const i = q.querySelector('input'); if (i) i.checked = true; })"
        )
        async with page.expect_response(lambda reply: reply.request.method == "POST") as replying:
            await page.click("#send")
        reply = await replying.value
        sizes["body"] = len(reply.request.post_data or "")
        sizes["reply"] = (await reply.request.sizes())["responseBodySize"]

    assert sizes["body"] <= 4096
    assert sizes["reply"] <= 4096


async def test_on_a_shared_device_the_next_pupil_finds_nothing(laid: tuple[Ground, str, Browser]) -> None:
    ground, address, browser = laid
    async with phone(browser) as page:
        await page.goto(f"{address}/s/{ground.code(PUPIL)}#p12")
        await page.click("label[for=SA12-2]")
        await page.evaluate("location.hash = 'check'")
        await at_part(page, "check")
        await page.click("#send")
        await page.wait_for_selector("main[data-done]")
        thanked = await page.inner_text("h1")
        async with page.expect_navigation():
            await page.click("main a.go")
        ready = await page.is_visible("#code")
        await page.go_back()
        behind = await page.inner_text("h1")
        left = await page.evaluate("sessionStorage.length + localStorage.length")
        answers = await page.locator("input[type=radio]").count()

    assert thanked == behind == "填好了，谢谢你"
    assert ready
    assert (left, answers) == (0, 0)


# ── keys, shifts, requests ──────────────────────────────────────────────────────────────


async def press(page: Page, *keys: str) -> None:
    for key in keys:
        await page.keyboard.press(key)


async def tab_to(page: Page, wanted: str, most: int = 30) -> int:
    """Press Tab until the wanted element has the focus; every stop on the way must be seen."""
    for count in range(1, most + 1):
        await page.keyboard.press("Tab")
        seen, there = await page.evaluate(
            """wanted => { const e = document.activeElement, mark = e.matches('.o input') ? e.nextElementSibling : e;
            const style = getComputedStyle(mark), box = mark.getBoundingClientRect();
            const top = document.elementFromPoint(box.x + box.width / 2, box.y + Math.min(box.height / 2, 10));
            return [style.outlineStyle != 'none' && box.bottom > 0 && box.top < innerHeight
              && (mark == top || mark.contains(top) || top.contains(mark)), e.matches(wanted)]; }""",
            wanted,
        )
        assert seen, await page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
        if there:
            return count
    raise AssertionError(f"{wanted} was not reached by Tab")


async def test_the_whole_way_by_keyboard(laid: tuple[Ground, str, Browser]) -> None:
    ground, address, browser = laid
    before = await leaves(laid)
    async with phone(browser) as page:
        await page.goto(f"{address}/s")
        await tab_to(page, "#code")
        await page.keyboard.type(ground.code().lower())
        async with page.expect_navigation():
            await page.keyboard.press("Enter")
        tabs = await tab_to(page, "#begin")
        await page.keyboard.press("Enter")
        await at_part(page, "p1")
        heading = await page.evaluate("document.activeElement.tagName")
        await tab_to(page, "[name=RT01]")
        await press(page, "Space", "ArrowDown")
        moved = await page.is_checked("#RT01-0")
        await tab_to(page, "#next")
        await page.keyboard.press("Enter")
        await at_part(page, "p2")
        await tab_to(page, "#next")
        await page.keyboard.press("Enter")
        stopped = await page.evaluate("document.activeElement.id")
        await tab_to(page, "#err a")
        await page.keyboard.press("Enter")
        await press(page, "Space")
        chosen = await page.is_checked("#RT04-5")
        await tab_to(page, "#next")
        await page.keyboard.press("Enter")
        await at_part(page, "check")
        await tab_to(page, "#sum .whole a")
        await page.keyboard.press("Enter")
        await at_part(page, "p2")
        await tab_to(page, "[name=RT04]")
        await press(page, "ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown")
        await tab_to(page, "#next")
        await page.keyboard.press("Enter")
        await at_part(page, "check")
        whole = await page.inner_text("dd[data-item]")
        await tab_to(page, "#send")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("main[data-done]")
        focus = await page.evaluate("document.activeElement.tagName")

    assert tabs <= 6
    assert (heading, focus, stopped) == ("H2", "H1", "err")
    assert moved and chosen
    assert whole == "很不满意"
    assert await leaves(laid) == before + 1


async def test_one_request_and_no_shift_while_a_form_is_drawn_and_filled(laid: tuple[Ground, str, Browser]) -> None:
    ground, address, browser = laid
    requests: list[str] = []
    async with phone(browser) as page:
        page.on("request", lambda request: requests.append(request.url))
        await page.add_init_script(WATCH)
        await page.goto(f"{address}/s/{ground.code()}#p1")
        await page.click("label[for=RT01-0]")
        shift = await shift_of(page)

    assert len(requests) == 1
    assert shift <= 0.02


async def test_the_thanks_page_of_a_closed_wave_leaves_no_draft(laid: tuple[Ground, str, Browser]) -> None:
    """Last in this module: it closes the wave."""
    ground, address, browser = laid
    code = ground.code(PARENT)
    async with phone(browser) as page:
        await page.goto(f"{address}/s/{code}#p1")
        await page.click("label[for=RT01-1]")
        await ground.go("closed")
        await page.goto(f"{address}/s/{code}")
        title = await page.inner_text("h1")
        left = await page.evaluate("localStorage.length")

    assert title == "调查已经结束"
    assert left == 0
