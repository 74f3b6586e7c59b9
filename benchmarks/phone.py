"""The answering page on a weak phone: UX section 2's table, measured in Chromium.

    python -m benchmarks.phone [--rounds 3] [--write]

A real server, a real browser: the network is throttled by the browser's own protocol, and a
relay in front of the server makes each new connection wait three round trips more, as name,
connection and TLS would. The processor is throttled four times. `--write` keeps the figures
in `benchmarks/phone.md` and puts the same table into the README in place of the last.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import logging
import os
import platform
import re
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import Browser, Page

from survey.web.templating import inline_text
from tests.web.respondent.browser import free_port, phone
from tests.web.respondent.ground import PARENT, PUPIL, Ground, form_body
from tests.web.respondent.screens import rig

NETWORKS = {"400 kbps, 400 ms, 4× CPU": (400, 0.400), "1.6 Mbps, 150 ms, 4× CPU": (1600, 0.150)}
LIMITS = {"400 kbps, 400 ms, 4× CPU": (2500, 3000), "1.6 Mbps, 150 ms, 4× CPU": (1200, 1500)}
ROUND_TRIPS_TO_CONNECT = 3
SLOWDOWN = 4
REPORT = Path(__file__).with_suffix(".md")
README = Path(__file__).parents[1] / "README.md"
HEADING = "# The answering page on a weak phone\n\n"

WATCH = """
window.seen = {lcp: 0, long: [], shift: 0};
new PerformanceObserver(l => l.getEntries().forEach(e => { seen.lcp = e.startTime; })).observe({type: 'largest-contentful-paint', buffered: true});
new PerformanceObserver(l => l.getEntries().forEach(e => { seen.long.push([e.startTime, e.duration]); })).observe({type: 'longtask', buffered: true});
new PerformanceObserver(l => l.getEntries().forEach(e => { if (!e.hadRecentInput) seen.shift += e.value; })).observe({type: 'layout-shift', buffered: true});
"""
READ = """() => {
  const page = performance.getEntriesByType('navigation')[0], paint = performance.getEntriesByName('first-contentful-paint')[0];
  const last = seen.long.reduce((end, t) => Math.max(end, t[0] + t[1]), 0);
  return {requests: 1 + performance.getEntriesByType('resource').length,
    lcp: seen.lcp, interactive: Math.max(page.domContentLoadedEventEnd, last), shift: seen.shift,
    blocking: seen.long.filter(t => t[0] + t[1] > paint.startTime).reduce((sum, t) => sum + Math.max(t[1] - 50, 0), 0)};
}"""


@asynccontextmanager
async def far_away(port: int, round_trip: float) -> AsyncIterator[str]:
    """The server behind connections that take their time to be made."""
    tasks: set[asyncio.Task[None]] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(ROUND_TRIPS_TO_CONNECT * round_trip)
        there, back = await asyncio.open_connection("127.0.0.1", port)
        for one in (pump(reader, back), pump(there, writer)):
            task = asyncio.create_task(one)
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(connect, "127.0.0.1", near := free_port())
    try:
        yield f"http://127.0.0.1:{near}"
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()


async def load(browser: Browser, url: str, kbps: int, round_trip: float) -> dict[str, float]:
    """One cold visit on a slow network with a slow processor, in milliseconds."""
    async with phone(browser) as page:
        page.set_default_timeout(20_000)
        wire = await page.context.new_cdp_session(page)
        await wire.send("Network.enable")
        speed = kbps * 1000 / 8
        await wire.send(
            "Network.emulateNetworkConditions",
            {"offline": False, "latency": round_trip * 1000, "downloadThroughput": speed, "uploadThroughput": speed},
        )
        await wire.send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
        await page.add_init_script(WATCH)
        await page.goto(url)
        await page.wait_for_timeout(1500)
        found = await page.evaluate(READ)
        await scroll_through(page)
        found["shift"] = await page.evaluate("seen.shift")
        return dict(found)


async def scroll_through(page: Page) -> None:
    """Open the first part and answer it, so that a late shift would be seen."""
    await page.click("#begin")
    await page.wait_for_selector("#p1.on")
    await page.locator(".step.on .o label").first.click()
    await page.wait_for_timeout(100)


async def loads(laid: Ground, address: str, browser: Browser, rounds: int) -> dict[str, dict[str, float]]:
    """The median of some cold visits on each network."""
    port = int(address.rpartition(":")[2])
    found = {}
    for name, (kbps, round_trip) in NETWORKS.items():
        async with far_away(port, round_trip) as far:
            visits = [await load(browser, f"{far}/s/{laid.code()}", kbps, round_trip) for _ in range(rounds)]
        found[name] = {key: round(statistics.median(visit[key] for visit in visits), 3) for key in visits[0]}
    return found


async def weights(laid: Ground, address: str) -> dict[str, int]:
    """Bytes of the heaviest form over the wire with its headers, and of its script."""
    async with httpx.AsyncClient(base_url=address, headers={"accept-encoding": "gzip"}) as client:
        forms = []
        for domain in (PARENT, PUPIL):
            for query in ("", "?z=2", "?lang=en"):
                reply = await client.get(f"/s/{laid.code(domain)}{query}")
                head = sum(len(name) + len(value) + 4 for name, value in reply.headers.items())
                forms.append(int(reply.headers["content-length"]) + head)
    script = gzip.compress(inline_text("respondent/form.js").encode(), 9)
    return {"form": max(forms), "script": len(script)}


async def sendings(laid: Ground, address: str, count: int = 150) -> dict[str, float]:
    """Sending one form after another: largest body and reply, and the server's time at the 95th percentile."""
    times, bodies, replies = [], [], []
    async with httpx.AsyncClient(base_url=address) as client:
        for _ in range(count):
            code = laid.code()
            page = (await client.get(f"/s/{code}")).text
            every = {name: "4" for name in re.findall(r'name="(PA\d\d)"[^>]*value="4"', page)} | {"PA25": "好" * 200}
            body = form_body(page, every)
            headers = {"content-type": "application/x-www-form-urlencoded", "x-requested-with": "form"}
            began = time.perf_counter()
            reply = await client.post(f"/s/{code}", content=body, headers=headers)
            times.append((time.perf_counter() - began) * 1000)
            reply.raise_for_status()
            bodies.append(len(body))
            replies.append(int(reply.headers["content-length"]))
    return {"body": max(bodies), "reply": max(replies), "p95": round(statistics.quantiles(times, n=20)[-1], 1)}


async def measure(rounds: int) -> dict[str, Any]:
    """Everything, on one server and one browser."""
    with tempfile.TemporaryDirectory() as folder:
        async with rig(Path(folder), languages=["zh", "en"]) as (laid, address, browser):
            await laid.go("open")
            return {
                "loads": await loads(laid, address, browser, rounds),
                "bytes": await weights(laid, address),
                "sending": await sendings(laid, address),
                "machine": f"{os.cpu_count()} CPUs, {platform.machine()}, Chromium {browser.version}",
            }


def table(found: dict[str, Any]) -> str:
    """The figures as the README shows them."""
    asked = max(one["requests"] for one in found["loads"].values())
    many = f"{asked:.0f} request" + "s" * (asked > 1)
    rows = [(f"form over the wire, headers in, {many}", f"{found['bytes']['form'] / 1024:.1f} KB", "14 KB")]
    rows.append(("of that the script", f"{found['bytes']['script'] / 1024:.1f} KB", "5 KB"))
    for name, one in found["loads"].items():
        lcp, interactive = LIMITS[name]
        rows.append((f"LCP at {name}", f"{one['lcp'] / 1000:.2f} s", f"{lcp / 1000} s"))
        rows.append((f"interactive at {name}", f"{one['interactive'] / 1000:.2f} s", f"{interactive / 1000} s"))
    rows.append(("blocking time", f"{max(one['blocking'] for one in found['loads'].values()):.0f} ms", "50 ms"))
    rows.append(("layout shift", f"{max(one['shift'] for one in found['loads'].values()):.3f}", "0.02"))
    rows.append(("sent body, every answer and 200 characters", f"{found['sending']['body'] / 1024:.1f} KB", "4 KB"))
    rows.append(("server time of a sending, p95", f"{found['sending']['p95']:.0f} ms", "300 ms"))
    rows.append(("its reply, the thanks page with a receipt", f"{found['sending']['reply'] / 1024:.1f} KB", "4 KB"))
    lines = ["| what | measured | limit |", "|---|---|---|", *(f"| {a} | {b} | {c} |" for a, b, c in rows)]
    return "\n".join([*lines, "", f"Measured by `python -m benchmarks.phone --write` on {found['machine']}.", ""])


def within(found: dict[str, Any]) -> bool:
    """Whether every limit of UX section 2 is kept."""
    times = all(
        one["lcp"] <= LIMITS[name][0] and one["interactive"] <= LIMITS[name][1]
        and one["blocking"] <= 50 and one["shift"] <= 0.02 and one["requests"] == 1
        for name, one in found["loads"].items()
    )  # fmt: skip
    sizes, sending = found["bytes"], found["sending"]
    small = sizes["form"] <= 14 * 1024 and sizes["script"] <= 5 * 1024
    return times and small and max(sending["body"], sending["reply"]) <= 4096 and sending["p95"] <= 300


def keep(new: str) -> None:
    """Put a table into the report and the README, where the one before it stood word for word.

    Raises:
        ValueError: the README does not hold the table of the report.
    """
    last = REPORT.read_text(encoding="utf-8").removeprefix(HEADING).strip()
    before, found, after = README.read_text(encoding="utf-8").partition(last)
    if not found:
        raise ValueError("README.md does not hold the table of benchmarks/phone.md")
    REPORT.write_text(HEADING + new, encoding="utf-8")
    README.write_text(before + new.strip() + after, encoding="utf-8")


def main() -> None:
    """Measure, print one JSON document, and keep the table if asked."""
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--rounds", type=int, default=3)
    reader.add_argument("--write", action="store_true")
    asked = reader.parse_args()
    logging.disable(logging.INFO)
    found = asyncio.run(measure(asked.rounds))
    print(json.dumps(found | {"within": within(found)}, ensure_ascii=False, indent=1))
    if asked.write:
        keep(table(found))


if __name__ == "__main__":
    main()
