"""Visitors of the answering side over plain sockets: honest ones, slow ones, hostile ones.

    python benchmarks/visitors.py curve [--peak 1000] [--rise 60] [--stay 600] [--fall 60]
    python benchmarks/visitors.py slow  [--slow 1000] [--rate 300] [--stay 60]
    python benchmarks/visitors.py fuzz  [--count 1000000]

Each starts `survey serve` on a data folder of its own with a sealed wave, loads it from the
same machine, stops it, opens the log and holds every acknowledged receipt against it.
`curve` is an opening hour: arrivals rise to a peak, stay and decay; everyone loads the form
and sends it after a thinking time of their own. `slow` keeps connections that send a byte a
second beside honest visitors. `fuzz` sends forms that were damaged in every way known to us.
Arrivals wait for nobody, and times count from the instant that was meant. Prints one JSON
document with what the visitors themselves cost.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import uvloop
from damage import damaged
from field import answers_to, lay_out, parents
from intake import fsyncs_per_second
from lines import Lines, Tally
from people import People, hold, receipt_of
from serving import Served, free_port, machine

from survey.settings import load_settings

WAVE = "evening-1"
TICK = 0.005
"""Arrivals are let in this often; the wait for the tick counts as the server's."""


async def trickle(port: int, seconds: float, chance: random.Random) -> int:
    """Connections that never finish: half in the head, half in the body; how often we were hung up on."""
    ends, hung_up = time.monotonic() + seconds, 0
    while time.monotonic() < ends:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            head = b"POST /s/23456789BCDF HTTP/1.1\r\nHost: x\r\n"
            if chance.random() < 0.5:
                head += b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\n"
            writer.write(head)
            while time.monotonic() < ends:
                writer.write(b"x")
                await writer.drain()
                try:
                    if not await asyncio.wait_for(reader.read(1000), 1.0):
                        break
                except TimeoutError:
                    continue
            writer.close()
        except OSError:
            await asyncio.sleep(0.1)
        hung_up += 1
    return hung_up


class Arrivals:
    """People let in by a curve of arrivals a second, whether or not those before them are done."""

    def __init__(self, people: People, codes: list[str], thinking: float, seed: int) -> None:
        self._people, self._codes, self._thinking = people, iter(codes), thinking
        self._chance = random.Random(seed)
        self._visits: set[asyncio.Task[None]] = set()
        self._late: list[float] = []

    async def run(self, seconds: float, rate: Callable[[float], float]) -> dict[str, Any]:
        """Let them in for so long, wait for the last, and say how late the door was."""
        began, at = time.monotonic(), 0.0
        while at < seconds:
            now = time.monotonic() - began
            while at <= now and at < seconds:
                if (a_second := rate(at)) > 0:
                    self._late.append(now - at)
                    self._let_in(began + at)
                at += 1 / max(a_second, 1.0)
            await asyncio.sleep(TICK)
        if self._visits:
            await asyncio.gather(*self._visits)
        late = sorted(self._late)
        return {"arrivals": len(late), "generator_late_p99_ms": round(late[int(len(late) * 0.99)] * 1000, 1)}

    def _let_in(self, due: float) -> None:
        thinking = self._chance.expovariate(1 / self._thinking) if self._thinking else 0.0
        visit = asyncio.create_task(self._people.visit(next(self._codes), due, thinking))
        self._visits.add(visit)
        visit.add_done_callback(self._visits.discard)


class Watch:
    """The server's memory while it works, looked at every second."""

    def __init__(self, served: Served) -> None:
        self._served, self.seen = served, [served.memory_mb()]

    async def look(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            self.seen.append(self._served.memory_mb())

    def report(self) -> dict[str, int]:
        """At the start, when a tenth of the time was over, at the most, at the end."""
        return {
            "memory_mb": self.seen[0],
            "memory_mb_warm": self.seen[len(self.seen) // 10],
            "memory_mb_most": max(self.seen),
            "memory_mb_after": self._served.memory_mb(),
        }


# ── the three evenings ──────────────────────────────────────────────────────────────────


async def curve(port: int, codes: list[str], answers: str, a: argparse.Namespace) -> dict[str, Any]:
    tally = Tally()
    lines = Lines(port, a.lines, tally)
    whole = a.rise + a.stay + a.fall

    def rate(at: float) -> float:
        return a.peak * min(at / max(a.rise, 0.01), 1.0, (whole - at) / max(a.fall, 0.01))

    told = await Arrivals(People(lines, tally, answers), codes, a.thinking, 5).run(whole, rate)
    return {**tally.report(), **told, "receipts": tally.receipts, "peak_arrivals_per_second": a.peak}


async def slow(port: int, codes: list[str], answers: str, a: argparse.Namespace) -> dict[str, Any]:
    tally, chance = Tally(), random.Random(6)
    lines = Lines(port, a.lines, tally)
    trickling = [asyncio.create_task(trickle(port, a.stay, chance)) for _ in range(a.slow)]
    await asyncio.sleep(min(2.0, a.stay / 4))
    arrivals = Arrivals(People(lines, tally, answers), codes, 0.0, 6)
    told = await arrivals.run(a.stay - min(3.0, a.stay / 3), lambda _: a.rate)
    hung_up = sum(await asyncio.gather(*trickling))
    return {
        **tally.report(),
        **told,
        "receipts": tally.receipts,
        "slow_connections": a.slow,
        "slow_ended": hung_up,
    }


async def fuzz(port: int, codes: list[str], answers: str, a: argparse.Namespace) -> dict[str, Any]:
    tally, chance = Tally(), random.Random(a.seed)
    lines = Lines(port, 32, tally)
    hidden = await People(lines, tally, answers).open_form(codes[0])
    left = iter(range(a.count))

    async def sender() -> None:
        for _ in left:
            good = f"{urlencode({**hidden, 'k': chance.randbytes(16).hex()})}&{answers}".encode()
            if receipt := receipt_of(await lines.ask("damaged", damaged(chance, codes, good))):
                tally.receipts.append(receipt)

    await asyncio.gather(*(sender() for _ in range(32)))
    return {**tally.report(), "receipts": tally.receipts, "seed": a.seed, "connections_opened": lines.opened}


EVENINGS = {"curve": curve, "slow": slow, "fuzz": fuzz}


async def watched(served: Served, evening: Any) -> dict[str, Any]:
    """What an evening found, what the server's memory was, and what the visitors cost."""
    watch = Watch(served)
    looking = asyncio.create_task(watch.look())
    began, work, of_server = time.perf_counter(), time.process_time(), processor_seconds(served)
    result: dict[str, Any] = await evening
    took = time.perf_counter() - began
    looking.cancel()
    return {
        **result,
        **watch.report(),
        "seconds": round(took, 1),
        "requests_per_second": round(result["requests"] / took),
        "generator_cores": round((time.process_time() - work) / took, 2),
        "server_cores": round((processor_seconds(served) - of_server) / took, 2),
        "load_after": [round(one, 1) for one in os.getloadavg()],
    }


def processor_seconds(served: Served) -> float:
    """What a process has cost until now."""
    fields = Path(f"/proc/{served.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(a: argparse.Namespace) -> dict[str, Any]:
    if a.stay is None:
        a.stay = 600.0 if a.evening == "curve" else 60.0
    folder = Path(tempfile.mkdtemp(dir=a.folder))
    settings = load_settings({}, data=folder, least_free_share=0.0)
    report: dict[str, Any] = {"machine": machine(), "evening": a.evening}
    report["bare_fsyncs_per_second"] = round(fsyncs_per_second(folder))
    codes = asyncio.run(lay_out(settings, WAVE, a.slips, sealed=True))
    answers = answers_to(parents(WAVE, True))
    port = free_port()
    command = [sys.executable, "-m", "survey", "serve", "--data", str(folder), "--port", str(port)]
    served = Served(command, port, "/healthz")
    try:
        result = uvloop.run(watched(served, EVENINGS[a.evening](port, codes, answers, a)))
    finally:
        served.stop()
    receipts = result.pop("receipts")
    report |= result | asyncio.run(hold(settings, WAVE, receipts))
    shutil.rmtree(folder)
    return report


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("evening", choices=tuple(EVENINGS))
    parser.add_argument("--folder", default=None, help="where the data folder is made")
    parser.add_argument("--slips", type=int, default=700_000)
    parser.add_argument("--lines", type=int, default=256, help="connections that the visitors share")
    parser.add_argument("--peak", type=float, default=1000.0)
    parser.add_argument("--rise", type=float, default=60.0)
    parser.add_argument("--stay", type=float, default=None, help="600 seconds at the peak, 60 of slow ones")
    parser.add_argument("--fall", type=float, default=60.0)
    parser.add_argument("--thinking", type=float, default=20.0)
    parser.add_argument("--slow", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=300.0)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    return parser


if __name__ == "__main__":
    print(json.dumps(main(arguments().parse_args()), indent=1))
