"""Durable submissions a second, sealed and unsealed, beside what the disk allows in the same run.

    python benchmarks/intake.py [--database URL] [--answers 20000] [--clients 64]

Each client sends its next answer when the last one was acknowledged, through the job that
the form uses: record, commitment, box, leaf, queue, group commit, signed head, fsync. The
ceiling is the number of bare fsyncs a second on the same folder. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import secrets
import sqlite3
import tempfile
import time
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from survey.certification.sealing import box_public_key
from survey.fieldwork.invitation import issue
from survey.jobs.receive_response import Received, receive_response
from survey.settings import load_settings
from survey.storage.database import open_database
from survey.storage.intake import About
from survey.storage.office import IntakeOffice

ANSWERS = {f"q{number:02d}": number % 4 + 1 for number in range(1, 28)}
NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)


def fsyncs_per_second(folder: Path, seconds: float = 1.0) -> float:
    """Appends of 4 KiB a second, each with its own fsync."""
    n, began = 0, time.perf_counter()
    with open(folder / "fsync", "wb", buffering=0) as file:
        while (elapsed := time.perf_counter() - began) < seconds:
            file.write(bytes(4096))
            os.fsync(file.fileno())
            n += 1
    return n / elapsed


async def run(office: IntakeOffice, wave: str, sealed: bool, n_answers: int, n_clients: int) -> dict[str, Any]:
    """Send so many answers from so many clients and say how it went."""
    key = secrets.token_bytes(32)
    codes = issue([("0001-P", n_answers)], key, secrets.token_bytes)
    box_key = box_public_key(secrets.token_bytes(32)) if sealed else None
    about = About(wave, f"benchmark.example/{wave}", box_key, date(2026, 11, 24))
    await office.create(
        about, [(bytes.fromhex(one.e), one.domain) for one in codes], slip_key=key, log_seed=secrets.token_bytes(32)
    )
    await office.set_state(wave, "planned", "open")
    waiting, latencies = iter(codes), []

    async def client(mine: Iterable[Any]) -> None:
        for one in mine:
            began = time.perf_counter()
            slip = await office.find_slip(one.code)
            outcome = await receive_response(office, wave, slip, secrets.token_bytes(16), ANSWERS, now=NOW, pace=1)
            latencies.append(time.perf_counter() - began)
            assert isinstance(outcome, Received)

    began, busy = time.perf_counter(), time.process_time()
    await asyncio.gather(*(client(waiting) for _ in range(n_clients)))
    elapsed = time.perf_counter() - began
    latencies.sort()
    return {
        "sealed": sealed,
        "answers": n_answers,
        "clients": n_clients,
        "per_second": round(n_answers / elapsed),
        "cpu_ms_per_answer": round((time.process_time() - busy) / n_answers * 1000, 3),
        "p50_ms": round(latencies[len(latencies) // 2] * 1000, 1),
        "p99_ms": round(latencies[int(len(latencies) * 0.99)] * 1000, 1),
        "answers_per_head": round(n_answers / len(await office.heads(wave)), 1),
    }


async def main(arguments: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        settings = load_settings({}, data=folder, database_url=arguments.database, least_free_share=0.0)
        ceiling = fsyncs_per_second(Path(folder))
        async with open_database(settings) as database:
            office = IntakeOffice(settings)
            await office.start()
            runs = [
                await run(office, f"bench-{number}", sealed, arguments.answers, arguments.clients)
                for number, sealed in enumerate((False, True))
            ]
            await office.stop()
            engine = database.engine_name
    return {
        "machine": {"cores": os.cpu_count(), "processor": platform.machine(), "system": platform.system()},
        "versions": {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version},
        "database": engine,
        "bare_fsyncs_per_second": round(ceiling),
        "runs": runs,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", default=None, help="a PostgreSQL address; SQLite without it")
    parser.add_argument("--folder", default=None, help="where the data folder is made")
    parser.add_argument("--answers", type=int, default=20_000)
    parser.add_argument("--clients", type=int, default=64)
    try:
        import uvloop
    except ImportError:
        print(json.dumps(asyncio.run(main(parser.parse_args())), indent=1))
    else:
        print(json.dumps(uvloop.run(main(parser.parse_args())), indent=1))
