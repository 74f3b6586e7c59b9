"""Hostile strings through every text field and every page that shows them: nothing acts, no cell computes.

By default some of each family go through some doors each; `-m slow` sends all of them through all. Every
reply is read as a browser would read it: the mark may stand in it as text or as a value and nowhere else.
What was kept is then opened in the machine's Chromium twice: under the page's own policy, and with the
policy switched off, so that escaping alone must hold. Files are opened as their readers would.
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
import logging
import os
import re
import shutil
import socket
import time
import zipfile
import zlib
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
import uvicorn
from openpyxl import Workbook

from survey.cli.logs import JsonLines
from survey.columns import plain_cell

from . import hostile
from .conftest import BASE, Site
from .console.test_every_page import MOST_BYTES, pages_of
from .hostile_doors import BEGUN, DONE, DOORS, RUNNING, Taken, taken_in, text_fields
from .hostile_files import acting, computing

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
FOCUS = "document.querySelectorAll('input,textarea,a,button,summary').forEach(e => e.focus())"
KEPT = (
    *(f"{DONE}/ledger", f"{RUNNING}/board", f"{RUNNING}/schools", f"{BEGUN}/launch", f"{BEGUN}/frame", "/school"),
    *("/console/setup", "/console/webhooks", "/console/people", "/console/log"),
)
"""Where most of what was typed stands again: looked at by default, every other page on request."""
WITHOUT_A_DOOR = {
    ("/console/people/subject", "subject"): "tests/web/test_sign_in_elsewhere.py; only where there is a provider",
}
PARTS = 4
FILES = {"csv": 500, "xlsx": 250, "pdf": 10, "docx": 1, "zip": 2}
"""So many of each must have been opened in a part: a door that leads to no file looks at none."""
FURTHER = re.compile(rf'<a href="([^"#]+)[^"]*" rel="next">|<a href="({DONE}/ledger/\d+|{RUNNING}/board/[0-9a-f]{{32}})"')


class Reader(HTMLParser):
    """Says where the mark stands that is neither text nor a plain value, and every attribute that acts."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        for name, value in attrs:
            told = (value or "").strip()
            if hostile.MARK in tag + name or name.startswith("on") or name in ("srcdoc", "style"):
                self.faults.append(f"<{tag} {name}>")
            elif name in ("href", "src", "action", "formaction", "data", "poster", "xlink:href") and not re.match(
                rf"/(?!/)|#|\?|tel:|mailto:|{BASE}/|data:,$|data:image/|$", told
            ):
                self.faults.append(f"<{tag} {name}={told[:40]}>")
        if tag in ("iframe", "object", "embed", "base", "math", "video", "animate", "foreignobject"):
            self.faults.append(f"<{tag}>")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_comment(self, data: str) -> None:
        if hostile.MARK in data:
            self.faults.append("<!-- -->")

    def handle_data(self, data: str) -> None:
        if self._inside in ("script", "style") and hostile.MARK in data:
            self.faults.append(f"<{self._inside}> with text")
        if "49zq7" in data or "7777777zq7" in data:
            self.faults.append("a template was computed")


def check(door: str, text: str, reply: Any) -> list[str]:
    """What in a reply would act, by name."""
    if reply is None:
        return []
    kind = reply.headers.get("content-type", "")
    faults = [f"status {reply.status_code}"] if reply.status_code >= 500 and reply.status_code != 503 else []
    for name, value in reply.headers.items():
        # A name that is told back is quoted as RFC 5987 or RFC 3986 say; nothing of it makes a header.
        loose = hostile.MARK in value and name not in ("location", "content-disposition")
        if hostile.MARK in name or loose or (name == "location" and not value.startswith(("/", BASE))) or value.startswith("//"):
            faults.append(f"header {name}: {value[:60]}")
    if "text/html" in kind:
        reader = Reader()
        reader.feed(reply.text)
        faults += reader.faults
    elif "json" in kind:
        json.loads(reply.content)
    elif reply.content:
        faults += acting(reply.content, kind)
    return [f"{door}: {fault} by {text[:60]!r}" for fault in faults]


def kind_of(reply: Any) -> str:
    """What a reply is, in a word."""
    if reply is None:
        return "none"
    data, kind = reply.content, reply.headers.get("content-type", "")
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            held = {"xl/workbook.xml": "xlsx", "word/document.xml": "docx"}
            return next((kind for name, kind in held.items() if name in packed.namelist()), "zip")
    return next((name for name in ("html", "json", "csv", "pdf") if name in kind), "other")


class Watch:
    """What ran, asked or spoke up in a browser."""

    def __init__(self, address: str) -> None:
        self.seen: list[str] = []
        self._address = address

    def over(self, page: Any) -> None:
        """Watch a page."""
        page.on("dialog", self._close)
        page.on("pageerror", lambda error: self.seen.append(f"script {error}"))
        page.on("request", self._asked)
        page.on("popup", lambda _: self.seen.append("a window"))

    async def _close(self, dialog: Any) -> None:
        self.seen.append(f"dialog {dialog.message}")
        await dialog.dismiss()

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self._address, "data:", "about:")):
            self.seen.append(f"asked {request.url[:100]}")


async def shown_in_chromium(site: Site, paths: list[str], bodies: list[str], chromium: str) -> list[str]:
    """What happened: pages under their own policy, the same under none, and replies that show a string again."""
    from playwright.async_api import async_playwright

    door = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{door.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(site.app, log_level="error", access_log=False, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[door]))
    watch = Watch(address)
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            for bypass in (False, True):
                context = await browser.new_context(bypass_csp=bypass)
                context.set_default_timeout(120_000)
                await context.add_cookies(
                    [{"name": name, "value": value, "url": address} for name, value in site.client.cookies.items()]
                )
                page = await context.new_page()
                watch.over(page)
                if not bypass:
                    # A policy that had to step in means that something tried.
                    await page.add_init_script(
                        "document.addEventListener('securitypolicyviolation', e => { throw Error('policy ' + e.violatedDirective + ' ' + e.blockedURI) })"
                    )
                for path in paths:
                    reply = await page.goto(address + path)
                    assert reply is not None and reply.status == 200, (path, reply and reply.status)
                    assert page.url == address + path
                    await page.evaluate(FOCUS)
            bare = await context.new_page()
            watch.over(bare)
            # At our own address, so that an address without a scheme would lead away too.
            await bare.goto(f"{address}/health")
            await bare.route("**/*", lambda route: route.abort())
            for body in bodies:
                # Without the links to our own style and script, which have no server here.
                await bare.set_content(re.sub(r'(<link|<script)[^>]*(href|src)="/static[^>]*>', "", body), wait_until="commit")
                await bare.evaluate(FOCUS)
            # The watch itself: a string that does act is seen.
            seen, watch.seen = watch.seen, []
            async with bare.expect_event("dialog"):
                await bare.set_content(f"<img src=//zq7.example/x onerror={hostile.ACT}>")
            acted, watch.seen = watch.seen, seen
            assert {one.split()[0] for one in acted} == {"asked", "dialog"}, acted
            await browser.close()
    finally:
        server.should_exit = True
        await serving
    return watch.seen


def first_pages(at: Taken) -> list[str]:
    """Addresses of every page and file that shows what was typed; long lists lead on from them."""
    whole = [*pages_of(at.site), "/school", "/school/posters/a4"]
    for other in (RUNNING, BEGUN):
        whole += [path.replace(DONE, other) for path in pages_of(at.site) if path.startswith(f"{DONE}/") and "/ledger/" not in path]
    whole += [f"/console/setup/{at.draft}/{step}" for step in range(1, 9)]
    whole += [f"{RUNNING}/board?state={state}" for state in ("held", "proposed", "released")]
    whole += [f"{DONE}/report/{kind}" for kind in ("pdf", "docx", "xlsx")]
    return list(dict.fromkeys(whole))


async def read_pages(at: Taken, paths: list[str]) -> tuple[list[str], list[str]]:
    """The pages that answered, with every further one their lists lead to; and what in any reply would act."""
    waiting, shown, faults = dict.fromkeys(paths), [], []
    while waiting:
        path = next(iter(waiting))
        del waiting[path]
        reply = await at.get(path)
        at.replies[kind_of(reply)] += 1
        faults += check(path, "", reply)
        # An address that leads on is looked at where it leads.
        if kind_of(reply) == "html" and reply.status_code == 200 and not reply.history:
            shown.append(path)
            at.heaviest = max(at.heaviest, (len(reply.content), path))
            at.asked |= text_fields(path, reply.text)
            seen = {*shown, *waiting}
            waiting |= dict.fromkeys(link for found in FURTHER.findall(reply.text) if (link := unescape("".join(found))) not in seen)
    return shown, faults


async def sweep(site: Site, strings: tuple[str, ...], chromium: str | None, *, every: int, deep: bool) -> Taken:
    """Each string through every `every`-th door, then every page and file that may show it.

    Args:
        deep: look at every page in the browser, and make the packs that take seconds.
    """
    began, at = time.monotonic(), await taken_in(site, strings)
    faults: list[str] = []
    bodies: dict[str, str] = {}
    for number, text in enumerate(strings):
        for place, (name, door) in enumerate(DOORS.items()):
            if (number + place) % every:
                continue
            replies = await door(at, text)
            for reply in replies if isinstance(replies, list) else [replies]:
                faults += check(name, text, reply)
                at.replies[kind_of(reply)] += 1
                if kind_of(reply) == "html" and (deep or name not in bodies):
                    bodies[name if not deep else f"{name} {number % 40}"] = reply.text
    assert faults == []
    typed = time.monotonic()

    pages = first_pages(at)
    shown, faults = await read_pages(at, pages if deep else [path for path in pages if path.startswith(KEPT)])
    for path in ("/api/v1/waves/county-a/ledger", "/api/v1/waves/county-a", "/api/v1/waves"):
        faults += check(path, "", await at.get(path))
    if deep:
        for path in (f"{DONE}/pack", f"{DONE}/answers"):
            packed = await at.post(path, "")
            faults += check(path, "", packed)
            at.replies[kind_of(packed)] += 1
    assert faults == []
    read = time.monotonic()
    if chromium:
        seen = await shown_in_chromium(site, shown if deep else shown[::3], list(bodies.values()), chromium)
        assert seen == []
    done = time.monotonic()
    print(
        f"\n{len(strings)} strings, {len(DOORS)} doors, replies {dict(at.replies)}, {typed - began:.0f} s; "
        f"{len(shown)} pages, the heaviest {at.heaviest}, {read - typed:.0f} s; in the browser {done - read:.0f} s"
    )
    return at


@pytest.fixture
def chromium() -> str | None:
    """The machine's browser; without one the replies are still read, tag by tag."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    assert found or not os.environ.get("CI")
    return found


@pytest.fixture
def log_lines() -> Any:
    """What a running service would write to its log."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    # The client of these tests logs too; what it says is not the service's.
    handler.addFilter(lambda record: not record.name.startswith("http"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


def told_nothing(log: io.StringIO) -> None:
    """Every line is one event, and none tells what somebody typed."""
    lines = log.getvalue().splitlines()

    assert lines and all(json.loads(line)["source"] for line in lines)
    assert [line[:200] for line in lines if hostile.MARK in line] == []


@pytest.mark.long
async def test_some_of_every_family_do_nothing_anywhere(
    certified: Site, chromium: str | None, log_lines: io.StringIO
) -> None:
    await sweep(certified, hostile.sample(1), chromium, every=8, deep=False)

    told_nothing(log_lines)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
async def test_two_thousand_strings_do_nothing_anywhere(
    certified: Site, chromium: str | None, log_lines: io.StringIO, part: int
) -> None:
    strings = hostile.corpus()
    assert len(set(strings)) == hostile.SIZE
    at = await sweep(certified, strings[part::PARTS], chromium, every=1, deep=True)

    assert at.asked - at.filled - set(WITHOUT_A_DOOR) == set()
    assert {kind: n for kind, n in at.replies.items() if kind in FILES and n < FILES[kind]} == {}
    assert at.heaviest[0] <= MOST_BYTES
    told_nothing(log_lines)


def test_what_would_act_is_noticed() -> None:
    reader = Reader()
    reader.feed(
        "<b onclick=x>zq7</b><a href=javascript:x>x</a><script>zq7</script><iframe></iframe><!--zq7--><p title=zq7>zq7</p>"
    )
    book = Workbook()
    book.worksheets[0].append(["=1+1", " +1+1", "-0.5", "王"])
    stream = io.BytesIO()
    book.save(stream)
    packed = zlib.compress(b"<< /S /URI /URI (http://zq7.example/) >>")
    pdf = (
        b"%PDF-1.7\n1 0 obj\n<< /OpenAction << /S /JavaScript >> >>\nendobj\n2 0 obj\n<< /Length 3 >>\nstream\n/JS\nendstream\n"
        b"endobj\n3 0 obj\n<< /Type /ObjStm >>\nstream\n" + packed + b"\nendstream\nendobj\n"
    )

    assert len(reader.faults) == 5
    assert acting(stream.getvalue(), "") == ["A1 f", "A1 '=1+1'", "B1 ' +1+1'"]
    assert len(acting(pdf, "")) == 3
    assert acting("编号,问题\n1,＝1+1\n".encode(), "text/csv") == ["cell '＝1+1'"]


def test_no_string_computes_in_a_cell() -> None:
    written = io.StringIO()
    csv.writer(written).writerows([[plain_cell(text)] for text in hostile.corpus()])

    assert computing(list(csv.reader(io.StringIO(written.getvalue())))) == []
    assert len(computing([[text] for text in hostile.corpus()])) > 200
