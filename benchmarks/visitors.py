"""Visitors of the answering side over plain sockets: honest ones, slow ones, hostile ones.

    python benchmarks/visitors.py curve [--peak 1000] [--rise 60] [--stay 600] [--fall 60]
    python benchmarks/visitors.py slow  [--slow 1000] [--rate 300] [--stay 60]
    python benchmarks/visitors.py fuzz  [--count 1000000]

Each starts `survey serve` on a data folder of its own with a sealed wave, loads it from the
same machine, stops it, opens the log and holds every acknowledged receipt against it.
`curve` is an opening hour: arrivals rise to a peak, stay and decay; everyone loads the form
and sends it after a thinking time of their own. `slow` keeps connections that send a byte a
second beside honest visitors. `fuzz` sends forms that were damaged in every way known to us.
Prints one JSON document.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import random
import re
import secrets
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from field import answers_to, lay_out, parents
from intake import fsyncs_per_second
from serving import Served, free_port, machine

from survey.certification.receipt import parse_receipt
from survey.certification.transparency_log import leaf_hash
from survey.settings import Settings, load_settings
from survey.storage.database import open_database
from survey.storage.office import IntakeOffice

WAVE = "evening-1"
PATIENCE = 10.0
FORM = "application/x-www-form-urlencoded"


@dataclass
class Tally:
    """What the visitors met."""

    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    receipts: list[str] = field(default_factory=list)

    def report(self) -> dict[str, Any]:
        times = sorted(self.latencies) or [0.0]
        return {
            "requests": sum(self.statuses.values()),
            "p50_ms": round(times[len(times) // 2] * 1000, 1),
            "p99_ms": round(times[int(len(times) * 0.99)] * 1000, 1),
            "max_ms": round(times[-1] * 1000, 1),
            "statuses": {str(status): n for status, n in sorted(self.statuses.items())},
            "broken": dict(self.broken),
            "acknowledged": len(self.receipts),
        }


async def ask(port: int, tally: Tally, head: str, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
    """One request on a connection of its own; status 0 when none came back."""
    began = time.perf_counter()
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(head.encode("latin-1") + b"Host: 127.0.0.1\r\nConnection: close\r\n\r\n" + body)
                answer = await reader.read()
            finally:
                writer.close()
    except (OSError, TimeoutError) as error:
        tally.broken[type(error).__name__] += 1
        return 0, {}, b""
    tally.latencies.append(time.perf_counter() - began)
    top, _, content = answer.partition(b"\r\n\r\n")
    first, *lines = top.decode("latin-1").split("\r\n")
    if not first.startswith("HTTP/1."):
        tally.broken["no answer"] += 1
        return 0, {}, b""
    status = int(first.split(" ")[1])
    tally.statuses[status] += 1
    return status, {line.split(":")[0].lower(): line.partition(":")[2].strip() for line in lines}, content


async def open_form(port: int, tally: Tally, code: str) -> dict[str, str]:
    """The hidden fields of a slip's form."""
    _, headers, body = await ask(port, tally, f"GET /s/{code} HTTP/1.1\r\nAccept-Encoding: gzip\r\n")
    page = gzip.decompress(body).decode() if headers.get("content-encoding") == "gzip" else body.decode()
    return dict(re.findall(r'<input type="hidden" name="([kvs])" value="([^"]*)"', page))


def sending(code: str, body: bytes, kind: str = FORM, query: str = "") -> str:
    return f"POST /s/{code}{query} HTTP/1.1\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"


async def visit(port: int, tally: Tally, code: str, answers: str, thinking: float) -> None:
    """Scan, think, send once; a 503 is tried again after the time it names, as the page's script does."""
    hidden = await open_form(port, tally, code)
    await asyncio.sleep(thinking)
    body = f"{urlencode(hidden)}&{answers}".encode()
    for _ in range(5):
        status, headers, _ = await ask(port, tally, sending(code, body), body)
        if status != 503:
            break
        await asyncio.sleep(float(headers.get("retry-after", "1")))
    if status == 303 and len(headers["location"]) > 200:
        tally.receipts.append(headers["location"].rsplit("/", 1)[1])


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


def damaged(chance: random.Random, codes: list[str], good: bytes) -> tuple[str, bytes]:
    """A request nobody's browser sends."""
    code, kind, query, body = chance.choice(codes), FORM, "", bytearray(good)
    for _ in range(chance.randint(1, 3)):
        way = chance.randrange(15)
        at = chance.randrange(len(body) + 1)
        if way == 0:
            del body[at : at + chance.randint(1, 40)]
        elif way == 1:
            body[at:at] = chance.randbytes(chance.randint(1, 60))
        elif way == 2:
            body += b"&" + bytes(body[: chance.randint(0, 80)])
        elif way == 3:
            body += b"&PA01=" + b"9" * chance.choice((1, 30, 70_000))
        elif way == 4:
            body[at:at] = chance.choice((b"%", b"%zz", b"%ff%fe", b"%ed%a0%80", b"%00", b"\x00", b"+&=", b"%u4e00"))
        elif way == 5:
            kind = chance.choice(
                ("application/json", "text/plain", "multipart/form-data; boundary=x", "", "application/xml", "a/b" * 99)
            )
        elif way == 6:
            body = bytearray(json.dumps({"k": "0" * 32, "answers": [[[]]] * 5}).encode())
        elif way == 7:
            body = bytearray(b"--x\r\nContent-Disposition: form-data; name=k\r\n\r\n1\r\n--x--")
        elif way == 8:
            body += b"".join(b"&f%d=1" % number for number in range(chance.choice((10, 600))))
        elif way == 9:
            code = chance.choice((code.lower(), code[:11], code + "2", "%00", "%FF" * 4, "a" * 3000, "23456789BCDF"))
        elif way == 10:
            query = chance.choice(("?z=9", "?lang=xx", "?z=%ff", "?" + "a=b&" * 300, "?lang=en&lang=zh", "?%00"))
        elif way == 11:
            body = bytearray(chance.randbytes(chance.randint(0, 2000)))
        elif way == 12:
            body += "&PA25=".encode() + urlencode({"": "\u202e\u0007\U0001f600" * chance.randint(1, 300)})[1:].encode()
        elif way == 13:
            body = bytearray(re.sub(rb"k=[0-9a-f]+", b"k=" + chance.choice((b"", b"zz", b"0" * 64)), bytes(body)))
        else:
            body = bytearray(b"&".join(chance.sample(parts := bytes(body).split(b"&"), len(parts))))
    return sending(code, bytes(body), kind, query), bytes(body)


# ── the three evenings ──────────────────────────────────────────────────────────────────


async def curve(port: int, codes: list[str], answers: str, a: argparse.Namespace) -> dict[str, Any]:
    tally, chance, visits, due = Tally(), random.Random(5), set(), 0.0
    left, began = iter(codes), time.perf_counter()
    while (now := time.perf_counter() - began) < a.rise + a.stay + a.fall:
        share = min(now / max(a.rise, 0.01), 1.0, (a.rise + a.stay + a.fall - now) / max(a.fall, 0.01))
        due += a.peak * share * 0.01
        while due >= 1:
            due -= 1
            thinking = chance.expovariate(1 / a.thinking)
            task = asyncio.create_task(visit(port, tally, next(left), answers, thinking))
            visits.add(task)
            task.add_done_callback(visits.discard)
        await asyncio.sleep(max(0.0, began + now + 0.01 - time.perf_counter()))
    await asyncio.gather(*visits)
    return {**tally.report(), "receipts": tally.receipts, "peak_arrivals_per_second": a.peak}


async def slow(port: int, codes: list[str], answers: str, a: argparse.Namespace) -> dict[str, Any]:
    tally, chance, left = Tally(), random.Random(6), iter(codes)
    trickling = [asyncio.create_task(trickle(port, a.stay, chance)) for _ in range(a.slow)]
    await asyncio.sleep(min(2.0, a.stay / 4))
    honest, began, sent = [], time.perf_counter(), 0
    while (now := time.perf_counter() - began) < a.stay - min(3.0, a.stay / 3):
        while sent < now * a.rate:
            honest.append(asyncio.create_task(visit(port, tally, next(left), answers, 0.0)))
            sent += 1
        await asyncio.sleep(0.01)
    await asyncio.gather(*honest)
    hung_up = sum(await asyncio.gather(*trickling))
    return {**tally.report(), "receipts": tally.receipts, "slow_connections": a.slow, "slow_ended": hung_up}


async def fuzz(port: int, codes: list[str], answers: str, a: argparse.Namespace) -> dict[str, Any]:
    tally, chance = Tally(), random.Random(a.seed)
    hidden = await open_form(port, tally, codes[0])
    left = iter(range(a.count))

    async def sender() -> None:
        for _ in left:
            good = f"{urlencode({**hidden, 'k': chance.randbytes(16).hex()})}&{answers}".encode()
            head, body = damaged(chance, codes, good)
            _, headers, _ = await ask(port, tally, head, body)
            if len(headers.get("location", "")) > 200:
                tally.receipts.append(headers["location"].partition("?")[0].rsplit("/", 1)[1])

    await asyncio.gather(*(sender() for _ in range(32)))
    return {**tally.report(), "receipts": tally.receipts}


async def hold(settings: Settings, receipts: list[str]) -> dict[str, int]:
    """Every receipt against the log: its leaf stands where it says."""
    async with open_database(settings):
        office = IntakeOffice(settings)
        await office.start()
        leaves = await office.leaves(WAVE)
        await office.stop()
    told = {(one.index, one.leaf_hash) for one in map(parse_receipt, receipts)}
    lost = sum(index >= len(leaves) or leaf_hash(leaves[index]) != hashed for index, hashed in told)
    return {"in_the_log": len(leaves), "lost": lost, "doubled": len(leaves) - len(set(leaves))}


def main(a: argparse.Namespace) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(dir=a.folder))
    settings = load_settings({}, data=folder, least_free_share=0.0)
    report: dict[str, Any] = {"machine": machine(), "evening": a.evening}
    report["bare_fsyncs_per_second"] = round(fsyncs_per_second(folder))
    codes = asyncio.run(lay_out(settings, WAVE, a.slips, sealed=True))
    answers = answers_to(parents(WAVE, True))
    port = free_port()
    served = Served([sys.executable, "-m", "survey", "serve", "--data", str(folder), "--port", str(port)], port, "/healthz")
    try:
        report["memory_mb"] = served.memory_mb()
        evening = {"curve": curve, "slow": slow, "fuzz": fuzz}[a.evening]
        result = asyncio.run(evening(port, codes, answers, a))
        report["memory_mb_after"] = served.memory_mb()
    finally:
        served.stop()
    receipts = result.pop("receipts")
    report |= result | asyncio.run(hold(settings, receipts))
    shutil.rmtree(folder)
    return report


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("evening", choices=("curve", "slow", "fuzz"))
    parser.add_argument("--folder", default=None, help="where the data folder is made")
    parser.add_argument("--slips", type=int, default=700_000)
    parser.add_argument("--peak", type=float, default=1000.0)
    parser.add_argument("--rise", type=float, default=60.0)
    parser.add_argument("--stay", type=float, default=600.0)
    parser.add_argument("--fall", type=float, default=60.0)
    parser.add_argument("--thinking", type=float, default=20.0)
    parser.add_argument("--slow", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=300.0)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    return parser


if __name__ == "__main__":
    print(json.dumps(main(arguments().parse_args()), indent=1))
