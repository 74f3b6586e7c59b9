"""Two PostgreSQL servers, two processes before each, a process or a server killed: waves are the shards."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from survey.settings import Settings, load_settings
from survey.storage.database import open_database
from survey.storage.office import IntakeOffice


def neighbour(name: str) -> ModuleType:
    """A module that lies beside this one."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


kill, restart = neighbour("test_kill"), neighbour("test_restart")
EACH = 30_000
"""Slips that one process sends."""


class Sender:
    """A process under load; what it was told stays in a file, however it ends."""

    def __init__(self, settings: Settings, first: int, told: Path) -> None:
        self.told = told
        with told.open("wb") as file:
            command = [
                sys.executable,
                str(kill.PROGRAM),
                str(settings.data),
                settings.database_url,
                str(first),
            ]
            self.process = subprocess.Popen(command, stdout=file)

    def lines(self) -> list[str]:
        """Every acknowledgement that was written whole."""
        text = self.told.read_text()
        return text[: text.rfind("\n") + 1].splitlines()[1:]

    async def until(self, n: int) -> None:
        """Return once so many were acknowledged."""
        while len(self.lines()) < n:
            assert self.process.poll() is None
            await asyncio.sleep(0.05)

    def kill(self) -> None:
        """`kill -9`."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()


async def fielded(servers: tuple[Any, Any], tmp_path: Path) -> tuple[list[Settings], list[list[Sender]]]:
    """A wave on each server, and two processes before each that take answers in."""
    places, senders = [], []
    for number, server in enumerate(servers):
        settings = load_settings(
            {}, data=tmp_path / f"data-{number}", database_url=server.get_uri(), least_free_share=0.0
        )
        async with open_database(settings):
            office = IntakeOffice(settings)
            await office.start()
            await kill.submitting.create(office, 3 * EACH)
            await office.stop()
        places.append(settings)
        senders.append([Sender(settings, at * EACH, tmp_path / f"told-{number}-{at}") for at in range(2)])
    await asyncio.gather(*(one.until(100) for pair in senders for one in pair))
    return places, senders


async def hold(places: list[Settings], senders: list[list[Sender]]) -> None:
    """Stop whoever still sends; every acknowledgement stands in its wave's log, once."""
    for one in (one for several in senders for one in several):
        if one.process.poll() is None:
            one.kill()
    for settings, several in zip(places, senders, strict=True):
        acked: dict[int, tuple[int, str]] = {}
        for line in (line for one in several for line in one.lines()):
            number, index, leaf = line.split(" ", 2)
            assert int(number) not in acked, "acknowledged twice"
            acked[int(number)] = int(index), leaf
        leaves = await kill.check(settings, acked, several[0].lines())
        assert len({index for index, _ in acked.values()}) == len(acked) <= len(leaves)


@pytest.mark.long
async def test_a_process_killed_among_four_loses_and_doubles_nothing(
    two_servers: tuple[Any, Any], tmp_path: Path
) -> None:
    places, senders = await fielded(two_servers, tmp_path)
    victim, survivor = senders[0]
    victim.kill()
    before, others = len(survivor.lines()), [len(one.lines()) for one in senders[1]]
    senders[0].append(Sender(places[0], 2 * EACH, tmp_path / "told-after"))
    waited = zip(senders[1], others, strict=True)
    await asyncio.gather(
        survivor.until(before + 100), senders[0][2].until(100), *(one.until(n + 100) for one, n in waited)
    )
    await hold(places, senders)


@pytest.mark.long
async def test_while_one_server_is_down_the_waves_of_the_other_go_on(
    two_servers: tuple[Any, Any], tmp_path: Path
) -> None:
    places, senders = await fielded(two_servers, tmp_path)
    options = (two_servers[0].pgdata / "postmaster.opts").read_text().strip().partition(" ")[2]
    await asyncio.to_thread(restart.pg_ctl, two_servers[0], "-m", "immediate", "stop")
    down, others = [len(one.lines()) for one in senders[0]], [len(one.lines()) for one in senders[1]]
    await asyncio.gather(*(one.until(n + 200) for one, n in zip(senders[1], others, strict=True)))
    still = [len(one.lines()) for one in senders[0]]
    await asyncio.to_thread(restart.pg_ctl, two_servers[0], "-o", options, "start")
    await asyncio.gather(*(one.until(n + 100) for one, n in zip(senders[0], still, strict=True)))
    await hold(places, senders)

    # What was committed may still be told; nothing is taken in by a server that is not there.
    assert all(later - n <= kill.submitting.SENDERS for later, n in zip(still, down, strict=True))
