"""Does sending get slower as answers pile up? One wave with few answers stored, one with many.

    python benchmarks/stored.py [--few 5000] [--many 5000000] [--seconds 6] [--rounds 3]

Lays out a sealed wave for each size, fills its intake in bulk (slips used, boxes, leaves, one
signed head, counters: everything that the check at start compares), serves both, and lets wrk
send to one and the other in turn. Prints one JSON document; every acknowledged answer is
counted in the log afterwards. The large file takes about 5 GB and some minutes to make.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import secrets
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from field import answers_to, draws, lay_out, parents
from intake import fsyncs_per_second
from serving import Served, free_port, hidden_fields, machine, wrk

from survey.certification.sealing import leaf
from survey.certification.signature import Signer
from survey.certification.transparency_log import CompactTree, sign_head
from survey.settings import Settings, load_settings
from survey.storage.intake import About
from survey.storage.keys import load_key

BOX_BYTES = 32 + 512 + 16
"""A sealed box of a parent's answers: ephemeral key, two blocks of 256, tag."""


def fill(settings: Settings, wave: str, size: int) -> None:
    """Put `size` answers into the closed file of a wave, as if they had come in as one batch."""
    fill_file(settings, wave, size, [draw.domain for draw in draws(size)])


def fill_file(settings: Settings, wave: str, size: int, domains: list[str]) -> None:
    """The same, spread over these domains."""
    digests = [secrets.token_bytes(32) for _ in range(size)]
    keys = [secrets.token_bytes(32) for _ in range(size)]
    tree = CompactTree()

    def leaves() -> Iterator[tuple[int, bytes, bytes]]:
        for index, (c, k) in enumerate(zip(digests, keys, strict=True)):
            data = leaf(c, domains[index % len(domains)], k)
            tree.add(data)
            yield index, data, k

    file = sqlite3.connect(settings.intake / f"{wave}.db", isolation_level=None)
    file.execute("PRAGMA synchronous=OFF")
    file.execute("PRAGMA cache_size=-500000")
    about = About.from_text(file.execute("SELECT document FROM about").fetchone()[0])
    file.execute("BEGIN")
    file.executemany("INSERT INTO leaves VALUES (?, ?, ?)", leaves())
    file.executemany(
        "INSERT INTO sealed VALUES (?, ?)", ((c, secrets.token_bytes(BOX_BYTES)) for c in sorted(digests))
    )
    file.executemany(
        "INSERT INTO slips VALUES (?, ?, 'used')",
        ((e, domains[e[0] % len(domains)]) for e in sorted(secrets.token_bytes(32) for _ in range(size))),
    )
    note = sign_head(about.origin, size, tree.root(), [Signer(about.origin, load_key(settings, wave, "log"))])
    file.execute("INSERT INTO heads VALUES (?, ?)", (size, note))
    hour = f"hour:{int(time.time()) // 3600}"
    file.executemany("INSERT OR REPLACE INTO counters VALUES ('', ?, ?)", [(hour, size), ("heads", 1)])
    file.execute("COMMIT")
    file.close()


def made(folder: Path, size: int, slips: int) -> dict[str, Any]:
    """A served wave with so many answers, and what a sender needs."""
    wave = f"stored-{size}"
    settings = load_settings({}, data=folder / wave, least_free_share=0.0)
    codes = asyncio.run(lay_out(settings, wave, slips, sealed=True))
    file = folder / f"{wave}.codes"
    file.write_text("\n".join(codes) + "\n")
    fill(settings, wave, size)
    port = free_port()
    command = [sys.executable, "-m", "survey", "serve", "--data", str(settings.data), "--port", str(port)]
    served = Served(command, port, "/healthz", patience=600)
    fields, _ = hidden_fields(served, codes[0])
    body = f"{fields}&{answers_to(parents(wave, True))}"
    path = settings.intake / f"{wave}.db"
    return {"served": served, "codes": str(file), "body": body, "path": path, "from": 0, "runs": [], "size": size}


def stored(path: Path) -> int:
    """Leaves in a file that nobody has open."""
    file = sqlite3.connect(path)
    try:
        return int(file.execute("SELECT count(*) FROM leaves").fetchone()[0])
    finally:
        file.close()


def main(arguments: argparse.Namespace) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(dir=arguments.folder))
    report: dict[str, Any] = {
        "machine": machine(),
        "versions": {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version},
        "connections": arguments.connections,
        "bare_fsyncs_per_second": round(fsyncs_per_second(folder)),
    }
    both: dict[str, dict[str, Any]] = {}
    try:
        for name, size in (("few", arguments.few), ("many", arguments.many)):
            both[name] = made(folder, size, arguments.slips)
        # What was read at start is out of the way before anybody is measured.
        for _ in range(arguments.rounds + 1):
            for one in both.values():
                ran = wrk(
                    one["served"],
                    "send.lua",
                    arguments,
                    CODES=one["codes"],
                    BODY=one["body"],
                    FIRST=str(one["from"]),
                    SCRIPT="",
                )
                one["from"] += ran["requests"] + arguments.connections
                one["runs"].append(ran)
        for name, one in both.items():
            counted = one["runs"][1:]
            report[name] = {
                "stored_before": one["size"],
                "start_seconds": one["served"].start_seconds,
                "memory_mb": one["served"].memory_mb(),
                "file_mb": one["path"].stat().st_size // 2**20,
                "p99_ms": statistics.median(run["p99_ms"] for run in counted),
                "p50_ms": statistics.median(run["p50_ms"] for run in counted),
                "per_second": statistics.median(run["per_second"] for run in counted),
                "runs": one["runs"],
            }
    finally:
        for one in both.values():
            one["served"].stop()
    for name, one in both.items():
        kept = stored(one["path"]) - one["size"]
        acknowledged = sum(run["accepted"] for run in one["runs"])
        report[name]["kept"] = {"acknowledged": acknowledged, "in_the_log": kept}
        assert kept >= acknowledged, "an acknowledged answer is not in the log"
    report["p99_many_over_few"] = round(report["many"]["p99_ms"] / report["few"]["p99_ms"], 2)
    shutil.rmtree(folder)
    return report


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--few", type=int, default=5_000)
    parser.add_argument("--many", type=int, default=5_000_000)
    parser.add_argument("--folder", default=None, help="where the data folders are made")
    parser.add_argument("--seconds", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--slips", type=int, default=120_000)
    print(json.dumps(main(parser.parse_args()), indent=1))
