"""A small wave to field in tests: slips made of counted digests, entries made of random boxes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from datetime import date

from survey.certification.sealing import leaf
from survey.storage.intake import About, Entry, Poster, Sealed
from survey.storage.office import IntakeOffice

SLIP_KEY = bytes(range(32))
LOG_SEED = bytes(range(32, 64))


def digest(number: int, domain: str = "") -> bytes:
    return hashlib.sha256(f"{domain}/{number}".encode()).digest()


def about(wave: str = "wave-1", posters: Sequence[Poster] = ()) -> About:
    return About(wave, f"survey.example/{wave}", None, date(2026, 11, 24), tuple(posters))


async def begin(
    office: IntakeOffice, n_slips: int = 20, wave: str = "wave-1", posters: Sequence[Poster] = ()
) -> list[bytes]:
    """An open wave with slips in the domain 0001-P; the slips' digests."""
    slips = [digest(number) for number in range(n_slips)]
    await office.create(
        about(wave, posters), [(e, "0001-P") for e in slips], slip_key=SLIP_KEY, log_seed=LOG_SEED
    )
    await office.set_state(wave, "planned", "open")
    return slips


def sealed(domain: str, k: bytes) -> Sealed:
    c = os.urandom(32)
    return Sealed(domain, c, os.urandom(300), leaf(c, domain, k))


def entry(
    e: bytes | None, k: bytes | None = None, domain: str = "0001-P", surplus: str | None = None
) -> Entry:
    k = k or os.urandom(32)
    return Entry(k, e, sealed(domain, k), sealed(surplus, k) if surplus else None)
