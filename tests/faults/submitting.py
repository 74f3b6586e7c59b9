"""A process that fields a wave under load until somebody kills it.

    python submitting.py DATA DATABASE_URL|- FIRST_SLIP

Each acknowledged submission becomes one line on standard output, written only after the
acknowledgement: the slip's number, the leaf's index, the leaf. Sixty-four senders work at
once. Slips from FIRST_SLIP on are used; submission keys follow from the slip's number, so
the next process can ask for the same receipt. Frontiers are written often, so that a kill falls
between any two of them, and the next process starts from one.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
from datetime import date

from survey.certification.sealing import leaf
from survey.settings import load_settings
from survey.storage import frontier
from survey.storage.database import open_database
from survey.storage.intake import About, Accepted, BusyError, Entry, Sealed
from survey.storage.office import IntakeOffice

WAVE = "wave-1"
N_SLIPS = 200_000
SENDERS = 64
OFTEN = 200


def digest(kind: str, number: int) -> bytes:
    return hashlib.sha256(f"{kind}/{number}".encode()).digest()


def entry_of(number: int) -> Entry:
    k = digest("key", number)
    c = os.urandom(32)
    return Entry(k, digest("slip", number), Sealed("0001-P", c, os.urandom(720), leaf(c, "0001-P", k)))


async def create(office: IntakeOffice, n_slips: int = N_SLIPS) -> None:
    """An open wave with slips numbered from 0."""
    about = About(WAVE, "survey.example/wave-1", None, date(2026, 11, 24))
    slips = [(digest("slip", number), "0001-P") for number in range(n_slips)]
    await office.create(about, slips, slip_key=bytes(32), log_seed=bytes(range(32)))
    await office.set_state(WAVE, "planned", "open")


async def main(data: str, url: str, first: int) -> None:
    frontier.EVERY = OFTEN
    settings = load_settings({}, data=data, database_url=None if url == "-" else url, least_free_share=0.0)
    async with open_database(settings):
        office = IntakeOffice(settings)
        await office.start(read_later=True)
        numbers = iter(range(first, N_SLIPS))
        print("ready", flush=True)

        async def send() -> None:
            for number in numbers:
                try:
                    outcome = await office.submit(WAVE, entry_of(number))
                except BusyError:
                    await asyncio.sleep(0.05)
                    continue
                if isinstance(outcome, Accepted):
                    sys.stdout.write(f"{number} {outcome.index} {outcome.leaf.decode()}\n")
                    sys.stdout.flush()

        await asyncio.gather(*(send() for _ in range(SENDERS)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
