"""The power goes: whatever was not synced is lost, torn or kept as it pleases the disk.

A real process takes answers in under `power.c`, which writes down every write, truncation and
sync of the intake files and every acknowledgement. A cut is a place in that list. The disk
after it holds all that was synced before; of what was not, each write and truncation is kept
or dropped by chance, and a kept write may keep only some of its 512-byte sectors. Then the
intake opens what is left as it would after a restart (TRUST R1, R8, T3).
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import random
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from survey.settings import Settings
from survey.storage.database import open_database
from survey.storage.intake_sqlite import SqliteIntake
from survey.storage.keys import load_key
from survey.storage.office import IntakeOffice

PROGRAM = Path(__file__).with_name("submitting.py")
spec = importlib.util.spec_from_file_location("submitting", PROGRAM)
submitting = importlib.util.module_from_spec(spec)
spec.loader.exec_module(submitting)
WAVE = submitting.WAVE
SECTOR = 512
N_SLIPS = 20_000


@dataclass
class File:
    """One file on the failing disk."""

    durable: bytearray
    pending: list[tuple[str, int, bytes]] = field(default_factory=list)

    def sync(self) -> None:
        for kind, at, data in self.pending:
            apply(self.durable, kind, at, data)
        self.pending.clear()

    def after(self, chance: random.Random) -> bytes:
        """What the disk may hold once the power is back."""
        left = bytearray(self.durable)
        keep = chance.choice((0.0, 0.2, 0.5, 0.8, 1.0))
        for kind, at, data in self.pending:
            if kind == "T" or chance.random() >= 0.5:
                if chance.random() < keep:
                    apply(left, kind, at, data)
                continue
            for start in range(0, len(data), SECTOR):
                if chance.random() < keep:
                    apply(left, kind, at + start, data[start : start + SECTOR])
        return bytes(left)


def apply(content: bytearray, kind: str, at: int, data: bytes) -> None:
    if len(content) < at:
        content.extend(bytes(at - len(content)))
    if kind == "T":
        del content[at:]
    else:
        content[at : at + len(data)] = data


def events(log: Path) -> Iterator[tuple[str, int, int, bytes]]:
    """(kind, file, offset, bytes) in the order in which they happened."""
    data, at = log.read_bytes(), 0
    while at + 14 <= len(data):
        kind, file, offset, length = struct.unpack_from("<cBQI", data, at)
        at += 14
        carried = length if kind in b"WA" else 0
        yield kind.decode(), file, offset, data[at : at + carried]
        at += carried


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recorder, compiled for this machine."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("needs a C compiler on Linux")
    target = tmp_path_factory.mktemp("power") / "power.so"
    source = Path(__file__).with_name("power.c")
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(target), str(source), "-ldl", "-lpthread"]
    subprocess.run(command, check=True)
    return target


async def test_forty_power_cuts_lose_nothing(sqlite_settings: Settings, shim: Path, tmp_path: Path) -> None:
    cuts, acked = await lose_power(sqlite_settings, shim, tmp_path, n_cuts=40, n_acks=1_500)

    assert cuts == 40 and acked > 1_000


@pytest.mark.slow
async def test_two_thousand_power_cuts_lose_nothing(
    sqlite_settings: Settings, shim: Path, tmp_path: Path
) -> None:
    cuts, acked = await lose_power(sqlite_settings, shim, tmp_path, n_cuts=2_000, n_acks=4_000)

    print(f"\n{cuts} power cuts over {acked} acknowledged answers: 0 lost, every file opened")
    assert cuts == 2_000


async def lose_power(
    settings: Settings, shim: Path, tmp_path: Path, n_cuts: int, n_acks: int
) -> tuple[int, int]:
    """Record one run, then cut the power at so many places of it."""
    async with open_database(settings):
        office = IntakeOffice(settings)
        await office.start()
        await submitting.create(office, N_SLIPS)
        await office.stop()
    database = settings.intake / f"{WAVE}.db"
    before = database.read_bytes()
    log = tmp_path / "power.log"
    await asyncio.to_thread(record, settings, shim, log, n_acks)

    happened = list(events(log))
    chance = random.Random(11)
    first_write = next(place for place, event in enumerate(happened) if event[0] == "W")
    places = sorted(chance.sample(range(first_write, len(happened)), n_cuts))
    files = [File(bytearray(before)), File(bytearray())]
    acked: list[tuple[int, bytes]] = []
    line = b""
    ground = tmp_path / "after"
    ground.mkdir()
    seed = load_key(settings, WAVE, "log")
    done = 0
    for place, (kind, file, offset, data) in enumerate(happened):
        while done < len(places) and places[done] == place:
            contents = [one.after(chance) for one in files]
            await open_after_cut(ground, contents, seed, acked, from_frontier=done % 2 == 0)
            done += 1
        if kind == "S":
            files[file].sync()
        elif kind == "A":
            whole, _, line = (line + data).rpartition(b"\n")
            for told in whole.splitlines():
                if told != b"ready":
                    _, index, leaf = told.split(b" ", 2)
                    acked.append((int(index), leaf))
        else:
            files[file].pending.append((kind, offset, data))
    return done, len(acked)


def record(settings: Settings, shim: Path, log: Path, n_acks: int) -> None:
    """Let a process take answers in under the recorder until it has acknowledged enough."""
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), str(settings.data), "-", "0"],
        stdout=subprocess.PIPE,
        env={**os.environ, "LD_PRELOAD": str(shim), "POWER_LOG": str(log)},
    )
    for _ in range(n_acks + 1):
        process.stdout.readline()
    process.kill()
    process.stdout.read()
    process.wait()


async def open_after_cut(
    ground: Path, contents: list[bytes], seed: bytes, acked: list[tuple[int, bytes]], *, from_frontier: bool
) -> None:
    """The intake must open what the cut left, and hold every answer that was acknowledged before.

    Half the cuts are opened as a large wave is, from the frontier alone; of the others all is read.
    """
    path = ground / f"{WAVE}.db"
    path.write_bytes(contents[0])
    journal = path.with_name(path.name + "-journal")
    journal.write_bytes(contents[1])
    intake = SqliteIntake(path, seed, lambda: datetime.now(UTC))
    await intake.start(0 if from_frontier else None)
    leaves = await intake.leaves()
    await intake.stop()

    assert intake.resting is None
    lost = [index for index, leaf in acked if index >= len(leaves) or leaves[index] != leaf]
    assert not lost
