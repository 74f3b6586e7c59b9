"""`kill -9` of a real process under load: nothing acknowledged is lost, doubled or moved."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import random
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from survey.certification.note import open_note
from survey.certification.sealing import read_leaf
from survey.certification.transparency_log import MerkleTree, parse_checkpoint
from survey.settings import Settings
from survey.storage.database import open_database
from survey.storage.intake import Accepted
from survey.storage.office import IntakeOffice
from survey.storage.postgres_schema import drop_schema

PROGRAM = Path(__file__).with_name("submitting.py")
spec = importlib.util.spec_from_file_location("submitting", PROGRAM)
submitting = importlib.util.module_from_spec(spec)
spec.loader.exec_module(submitting)


async def test_a_few_kills_lose_nothing(settings: Settings) -> None:
    acked, kills, stored = await rounds(settings, 4, n_slips=40_000)

    assert kills == 4
    assert acked > 100 and stored >= acked


@pytest.mark.slow
async def test_two_hundred_kills_lose_nothing(settings: Settings) -> None:
    acked = kills = stored = waves = 0
    chance = random.Random(7)
    while kills < 200:
        place = replace(settings, data=settings.data.with_name(f"data-{waves}"))
        told = await rounds(place, 200 - kills, submitting.N_SLIPS, chance)
        acked, kills, stored, waves = acked + told[0], kills + told[1], stored + told[2], waves + 1
        if settings.database_url:
            await drop_schema(settings.database_url, submitting.WAVE)
        print(
            f"\n{settings.database_url and 'postgres' or 'sqlite'}: {kills} kills in {waves} waves, ", end=""
        )
        print(f"{acked} acked, {stored - acked} stored but never acked", flush=True)

    assert kills == 200 and stored >= acked > 1000


async def rounds(
    settings: Settings, n_kills: int, n_slips: int, chance: random.Random | None = None
) -> tuple[int, int, int]:
    """Kill and restart so many times, or until the slips run low.

    Returns:
        How many were acknowledged, killed, stored.
    """
    chance = chance or random.Random(7)
    async with open_database(settings):
        office = IntakeOffice(settings)
        await office.start()
        await submitting.create(office, n_slips)
        await office.stop()

    acked: dict[int, tuple[int, str]] = {}
    first, kills, leaves = 0, 0, []
    for _ in range(n_kills):
        lines, killed = await asyncio.to_thread(run_and_kill, settings, first, chance.uniform(0.3, 1.2))
        kills += killed
        for line in lines:
            number, index, leaf = line.split(" ", 2)
            assert int(number) not in acked, "acknowledged twice"
            acked[int(number)] = int(index), leaf
        leaves = await check(settings, acked, lines)
        # Senders had at most one unanswered submission each; the next process starts behind them.
        first = max([first, *acked]) + submitting.SENDERS + 1
        if first > n_slips * 3 // 4:
            break
    return len(acked), kills, len(leaves)


def run_and_kill(settings: Settings, first: int, seconds: float) -> tuple[list[str], bool]:
    """The complete lines a process wrote before it was killed, and whether it had to be."""
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), str(settings.data), settings.database_url or "-", str(first)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    timer = threading.Timer(seconds, os.kill, (process.pid, signal.SIGKILL))
    timer.start()
    output = process.stdout.read()
    process.wait()
    timer.cancel()
    whole = output[: output.rfind("\n") + 1]
    return whole.splitlines(), process.returncode == -signal.SIGKILL


async def check(settings: Settings, acked: dict[int, tuple[int, str]], newest: list[str]) -> list[bytes]:
    """Open what is left, as a restart does, and hold every acknowledgement against it."""
    async with open_database(settings):
        office = IntakeOffice(settings)
        # From the frontier alone, and then everything.
        office._bytes_left = 0
        await office.start()
        assert not office.resting()
        await office.readings.read()
        assert not office.resting()
        leaves = await office.leaves(submitting.WAVE)
        boxes = await office.boxes(submitting.WAVE)
        tree = MerkleTree.of_leaves(leaves)
        heads = [
            parse_checkpoint(open_note(note, [office.log_signer(submitting.WAVE).key]).text)
            for note in (await office.heads(submitting.WAVE))[-50:]
        ]
        [count] = await office.participation(submitting.WAVE)
        again = [
            await office.submit(submitting.WAVE, submitting.entry_of(int(line.split(" ", 1)[0])))
            for line in newest[-5:]
        ]
        await office.stop()

    lost = [number for number, (index, leaf) in acked.items() if leaves[index] != leaf.encode()]
    assert not lost
    assert len(set(leaves)) == len(leaves) == len(boxes) == count.used
    assert {read_leaf(leaf)["c"] for leaf in leaves} == set(boxes)
    assert all(head.root == tree.root(head.size) for head in heads) and heads[-1].size == len(leaves)
    assert all(isinstance(one, Accepted) and one.repeated for one in again)
    return leaves
