"""The form that nearly everybody opens, kept so ready that only its hidden fields are missing.

Whoever scans a slip asks for one address with nothing behind it, in Chinese, packed. For such
a visitor the form of a domain is the same but for its submission key and its stamp, whose
length never changes: headers, length and all compressed pieces stand here, with the checksum
up to the gap. The first visitor of a domain is served the long way, which leaves the form
here; anything out of the ordinary goes the long way always.
"""

from __future__ import annotations

import secrets
import zlib
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from survey.fieldwork.code import LENGTH
from survey.storage.office import IntakeOffice
from survey.web.respondent.misses import Misses
from survey.web.respondent.pages import hidden_bytes
from survey.web.respondent.splice import GZIP_HEADER, Passing, SplicedPage, stored
from survey.web.respondent.stamp import make_stamp

MOST_READY = 20_000
"""Domains kept; each costs some hundred bytes, since the compressed pieces are shared."""
HIDDEN_LENGTH = len(hidden_bytes("0" * 32, "0" * 24))

Headers = tuple[tuple[bytes, bytes], ...]


class Ready(NamedTuple):
    """A domain's form, complete up to its hidden fields and complete behind them."""

    before: tuple[bytes, ...]
    checksum: int
    """Of everything before the gap."""
    passing: Passing
    after: bytes
    size: bytes
    """Of the whole page unpacked, as it ends a gzip member."""
    headers: Headers
    fresh_until: float
    """By the monotonic clock: when the wave must be read again."""
    closes: float
    """The end of the last day, in seconds since the epoch."""


class ReadyForms:
    """The forms that stand ready, by wave and domain."""

    def __init__(self, office: IntakeOffice, misses: Misses, stamp_key: bytes) -> None:
        self._office = office
        self._misses = misses
        self._stamp_key = stamp_key
        self._ready: dict[tuple[str, str], Ready] = {}
        self._stamp = (0, "")

    async def form(
        self, code: str, asked: Iterable[tuple[bytes, bytes]], address: str, monotonic: float, now: datetime
    ) -> tuple[Headers, bytes] | None:
        """Headers and body of an unused slip's form, or None when this request must go the long way."""
        if len(code) != LENGTH or not code.isascii() or self._misses.minutes_to_rest(address):
            return None
        for name, value in asked:
            if name == b"accept-encoding":
                if b"gzip" not in value:
                    return None
                break
        else:
            return None
        slip = await self._office.find_slip(code)
        if slip is None or slip.state != "unused" or slip.wave_state != "open":
            return None
        ready = self._ready.get((slip.wave, slip.domain))
        instant = now.timestamp()
        if ready is None or monotonic >= ready.fresh_until or instant >= ready.closes:
            return None
        second = int(instant)
        if second != self._stamp[0]:
            self._stamp = (second, make_stamp(self._stamp_key, second))
        gap = hidden_bytes(secrets.token_hex(16), self._stamp[1])
        checksum = ready.passing.after(zlib.crc32(gap, ready.checksum))
        body = (*ready.before, gap, ready.after, checksum.to_bytes(4, "little"), ready.size)
        return ready.headers, b"".join(body)

    def keep(
        self,
        wave: str,
        domain: str,
        blank: SplicedPage,
        school: bytes | None,
        *,
        headers: Headers,
        fresh_until: float,
        closes: float,
    ) -> None:
        """Keep a domain's form for those who come next.

        Args:
            school: the school's name, which fills a gap of its own before the hidden fields; None without.
            headers: all of them but the body's length.
        """
        if len(self._ready) >= MOST_READY:
            self._ready.clear()
        before = [GZIP_HEADER, blank.packed[0]]
        checksum = blank.sums[0].after(0)
        if school is not None:
            before += (stored(len(school)), school, blank.packed[1])
            checksum = blank.sums[1].after(zlib.crc32(school, checksum))
        before.append(stored(HIDDEN_LENGTH))
        size = sum(map(len, blank.plain)) + len(school or b"") + HIDDEN_LENGTH
        length = sum(map(len, before)) + HIDDEN_LENGTH + len(blank.packed[-1]) + 8
        self._ready[wave, domain] = Ready(
            tuple(before),
            checksum,
            blank.sums[-1],
            blank.packed[-1],
            (size & 0xFFFFFFFF).to_bytes(4, "little"),
            (*headers, (b"content-length", str(length).encode())),
            fresh_until,
            closes,
        )
