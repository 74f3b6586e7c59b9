"""Does starting or sending get slower as answers pile up? One wave with few answers stored, one with many.

    python benchmarks/stored.py [--few 5000] [--many 5000000] [--seconds 6] [--rounds 3] [--folder FOLDER]

Lays out a sealed wave for each size, fills its intake in bulk (slips used, boxes, leaves, a
frontier, one signed head, counters: everything that a start compares), serves both, and lets wrk
send to one and the other in turn: once while the whole is still being read behind the start, and
then after that. Prints one JSON document with the seconds from the command to the first answered
page and to the first acknowledged answer, the memory there and after the reading; every
acknowledged answer is counted in the log afterwards. Five million answers take 5 GB of disk and
some minutes to make; with --folder they are made once and used again by later runs.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import platform
import re
import secrets
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from field import answers_to, draws, lay_out, parents
from intake import fsyncs_per_second
from serving import Served, free_port, hidden_fields, machine, wrk

from survey.certification.sealing import leaf
from survey.certification.signature import Signer
from survey.certification.transparency_log import CompactTree, sign_head
from survey.settings import Settings, load_settings
from survey.storage.accounts import create_account
from survey.storage.database import open_database
from survey.storage.frontier import Frontier
from survey.storage.intake import About
from survey.storage.keys import load_key
from survey.storage.tokens import create_token

TAIL = 1_000
"""Leaves behind the last frontier; the product writes one every 1 024."""
BOX_BYTES = 32 + 512 + 16
"""A sealed box of a parent's answers: ephemeral key, two blocks of 256, tag."""


def fill(settings: Settings, wave: str, size: int) -> None:
    """Put `size` answers into the closed file of a wave, as if they had come in as one batch."""
    fill_file(settings, wave, size, [draw.domain for draw in draws(size)])


def fill_file(settings: Settings, wave: str, size: int, domains: list[str]) -> None:
    """The same, spread over these domains."""
    digests = sorted(secrets.token_bytes(32) for _ in range(size))
    key, tree, behind = secrets.token_bytes(32), CompactTree(), Frontier()

    def leaves() -> Iterator[tuple[int, bytes, bytes]]:
        nonlocal behind
        for index, c in enumerate(digests):
            k = hashlib.sha256(key + c).digest()
            data = leaf(c, domains[index % len(domains)], k)
            tree.add(data)
            if index + 1 == size - TAIL:
                behind = Frontier(tree.size, tree.tops, 0)
            yield index, data, k

    file = sqlite3.connect(settings.intake / f"{wave}.db", isolation_level=None)
    file.execute("PRAGMA journal_mode=OFF")
    file.execute("PRAGMA synchronous=OFF")
    file.execute("PRAGMA cache_size=-2000000")
    about = About.from_text(file.execute("SELECT document FROM about").fetchone()[0])
    seed = load_key(settings, wave, "log")
    file.execute("BEGIN")
    file.executemany("INSERT INTO leaves VALUES (?, ?, ?)", leaves())
    file.executemany("INSERT INTO sealed VALUES (?, randomblob(?))", ((c, BOX_BYTES) for c in digests))
    file.executemany(
        "INSERT INTO slips VALUES (?, ?, 'used')",
        ((e, domains[e[0] % len(domains)]) for e in sorted(secrets.token_bytes(32) for _ in range(size))),
    )
    note = sign_head(about.origin, size, tree.root(), [Signer(about.origin, seed)])
    file.execute("INSERT INTO heads VALUES (?, ?)", (size, note))
    if behind.size:
        file.execute("INSERT INTO frontiers VALUES (?, ?, ?, ?)", behind.row(about, seed))
    hour = f"hour:{int(time.time()) // 3600}"
    file.executemany("INSERT OR REPLACE INTO counters VALUES ('', ?, ?)", [(hour, size), ("heads", 1)])
    file.execute("COMMIT")
    file.close()


def lay_out_full(place: Path, wave: str, size: int, slips: int) -> None:
    """A wave of its own with so many answers, the codes that are left, and a token to ask how it is."""
    settings = load_settings({}, data=place / "data", least_free_share=0.0)
    codes = asyncio.run(lay_out(settings, wave, slips, sealed=True))
    fill(settings, wave, size)
    token = asyncio.run(make_token(settings))
    (place / "token").write_text(token)
    (place / "next").write_text("0")
    (place / "codes").write_text("\n".join(codes) + "\n")


async def make_token(settings: Settings) -> str:
    """A token that may read the metrics."""
    now = datetime.now(UTC)
    async with open_database(settings):
        await create_account("meter", "计量", ["admin"], now=now)
        return await create_token("meter", "stored", ["metrics:read"], now + timedelta(days=30), now=now)


def metric(one: dict[str, Any], name: str) -> float:
    """One figure of a running server."""
    asked = urllib.request.Request(
        f"{one['served'].address}/metrics", headers={"Authorization": f"Bearer {one['token']}"}
    )
    text = urllib.request.urlopen(asked).read().decode()
    return float(re.search(rf"^{name} (\S+)$", text, re.MULTILINE)[1])


def serve(both: dict[str, dict[str, Any]], name: str, folder: Path, size: int, slips: int) -> None:
    """Add a served wave with so many answers to `both`, and what a sender needs."""
    wave = f"stored-{size}"
    place = folder / wave
    began = time.perf_counter()
    if not (place / "codes").is_file():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        lay_out_full(place, wave, size, slips)
    built = time.perf_counter() - began
    settings = load_settings({}, data=place / "data", least_free_share=0.0)
    codes, first = (place / "codes").read_text().split(), int((place / "next").read_text())
    path = settings.intake / f"{wave}.db"
    one = both[name] = {"path": path, "place": place, "size": stored(path), "runs": [], "from": first + 1}
    port = free_port()
    command = [sys.executable, "-m", "survey", "serve", "--data", str(settings.data), "--port", str(port)]
    began = time.perf_counter()
    one["served"] = served = Served(command, port, f"/s/{codes[first]}", patience=600)
    fields, _ = hidden_fields(served, codes[first])
    one["first_form"] = round(time.perf_counter() - began, 2)
    one["body"] = f"{fields}&{answers_to(parents(wave, True))}"
    sent = f"k={secrets.token_hex(16)}&{one['body']}".encode()
    reply = urllib.request.urlopen(f"{served.address}/s/{codes[first]}", sent)
    assert len(reply.url) > 200, "the first answer was not acknowledged"
    one["first_answer"] = round(time.perf_counter() - began, 2)
    (place / "next").write_text(str(one["from"]))
    served.wait_until_whole()
    one["memory_at_first"] = served.memory_mb()
    one |= {"built": round(built, 1), "began": began, "token": (place / "token").read_text()}


def wait_until_read(one: dict[str, Any]) -> None:
    """Until everything that is stored was read behind the start."""
    while metric(one, "survey_waves_to_read"):
        time.sleep(0.2)
    one["read"] = round(time.perf_counter() - one["began"], 1)
    one["memory_when_read"] = one["served"].memory_mb()
    assert not metric(one, "survey_waves_read_only"), "the reading of the whole found a fault"


def send(one: dict[str, Any], arguments: argparse.Namespace) -> dict[str, Any]:
    """One run of wrk against one server."""
    codes = str(one["place"] / "codes")
    ran = wrk(one["served"], "send.lua", arguments, CODES=codes, BODY=one["body"], FIRST=str(one["from"]), SCRIPT="")
    # wrk does not count what was under way at its end.
    one["from"] += ran["requests"] + 2 * arguments.connections
    (one["place"] / "next").write_text(str(one["from"]))
    return ran


def stored(path: Path) -> int:
    """Leaves in a file that nobody has open."""
    file = sqlite3.connect(path)
    try:
        return int(file.execute("SELECT count(*) FROM leaves").fetchone()[0])
    finally:
        file.close()


def main(arguments: argparse.Namespace) -> dict[str, Any]:
    folder = Path(arguments.folder or tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    report: dict[str, Any] = {
        "machine": machine(),
        "versions": {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version},
        "connections": arguments.connections,
        "bare_fsyncs_per_second": round(fsyncs_per_second(folder)),
    }
    both: dict[str, dict[str, Any]] = {}
    try:
        for name, size in (("few", arguments.few), ("many", arguments.many)):
            serve(both, name, folder, size, arguments.slips)
        if metric(both["many"], "survey_waves_to_read"):
            report["while_the_whole_is_read"] = send(both["many"], arguments)
        for one in both.values():
            wait_until_read(one)
        for _ in range(arguments.rounds + 1):
            for one in both.values():
                one["runs"].append(send(one, arguments))
        for name, one in both.items():
            counted = one["runs"][1:]
            report[name] = {
                "stored_before": one["size"],
                "built_in_seconds": one["built"],
                "start_seconds": one["served"].start_seconds,
                "first_form_seconds": one["first_form"],
                "first_answer_seconds": one["first_answer"],
                "whole_read_after_seconds": one["read"],
                "memory_mb_at_first_answer": one["memory_at_first"],
                "memory_mb_when_read": one["memory_when_read"],
                "memory_mb": one["served"].memory_mb(),
                "file_mb": one["path"].stat().st_size // 2**20,
                "p99_ms": statistics.median(run["p99_ms"] for run in counted),
                "p50_ms": statistics.median(run["p50_ms"] for run in counted),
                "per_second": statistics.median(run["per_second"] for run in counted),
                "runs": one["runs"],
            }
    finally:
        for one in both.values():
            if "served" in one:
                one["served"].stop()
    during = report.get("while_the_whole_is_read", {"accepted": 0})["accepted"]
    for name, one in both.items():
        kept = stored(one["path"]) - one["size"]
        acknowledged = 1 + sum(run["accepted"] for run in one["runs"]) + during * (name == "many")
        report[name]["kept"] = {"acknowledged": acknowledged, "in_the_log": kept}
        assert kept >= acknowledged, "an acknowledged answer is not in the log"
    report["p99_many_over_few"] = round(report["many"]["p99_ms"] / report["few"]["p99_ms"], 2)
    if not arguments.folder:
        shutil.rmtree(folder)
    return report


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--few", type=int, default=5_000)
    parser.add_argument("--many", type=int, default=5_000_000)
    parser.add_argument("--folder", default=None, help="where the data folders are kept for later runs")
    parser.add_argument("--seconds", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--slips", type=int, default=120_000)
    print(json.dumps(main(parser.parse_args()), indent=1))
