"""All slips of a wave in memory: where each belongs, what became of it, and how many of each there are.

A slip is sixteen bytes of its digest and one integer, the number of its domain times four and
its state, in plain arrays: five million slips are a hundred megabytes and no object each. The
book is filled in the order of the digests, a slice at a time while the wave runs, so at every
moment it knows all slips up to one digest and none behind it; those are asked of the database.
Counts are kept as slips change, so that a page which shows participation costs the same with
two million slips as with two thousand.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

from survey.storage.intake import DomainCount

SLIP_STATES = ("unused", "used", "disputed", "voided")
_, USED, DISPUTED, VOIDED = range(4)
_STATE = {name: number for number, name in enumerate(SLIP_STATES)}


class SlipBook:
    """Slips by digest."""

    def __init__(self) -> None:
        self._domains: list[str] = []
        self._numbers: dict[str, int] = {}
        # The first and the second eight bytes of every digest, in order; 128 bits tell slips apart.
        self._first, self._second, self._codes = array("Q"), array("Q"), array("I")
        self._counts: Counter[int] = Counter()
        self.last = b""
        """The last digest that was read."""
        self.is_whole = False

    def __len__(self) -> int:
        return len(self._codes)

    def add(self, rows: Sequence[tuple[bytes, str, str]]) -> None:
        """Take the next slips in, by ascending digest.

        Raises:
            ValueError: they do not ascend, or one is in no known state.
        """
        if not rows:
            return
        digests = [row[0] for row in rows]
        if digests[0] <= self.last or {*map(len, digests)} != {32} or digests != sorted({*digests}):
            raise ValueError("slips out of order")
        codes = array("I", [self._number(domain) * 4 + _state(state) for _, domain, state in rows])
        self._first += _integers([e[:8] for e in digests])
        self._second += _integers([e[8:16] for e in digests])
        self._codes += codes
        self._counts.update(codes)
        self.last = digests[-1]

    def covers(self, e: bytes) -> bool:
        """Whether the book has come as far as this digest."""
        return self.is_whole or e <= self.last

    def find(self, e: bytes) -> tuple[str, str] | None:
        """Domain and state of a slip the book covers; None where there is no such slip."""
        at = self._place(e)
        if at is None:
            return None
        code = self._codes[at]
        return self._domains[code >> 2], SLIP_STATES[code & 3]

    def turn(self, e: bytes, state: int) -> None:
        """A slip is in another state from now on; one further on will be read in that state."""
        at = self._place(e)
        if at is not None:
            before = self._codes[at]
            self._codes[at] = after = before & ~3 | state
            self._counts[after] += 1
            self._counts[before] -= 1

    def in_state(self, state: int) -> int:
        """How many slips of all domains are in a state."""
        return sum(n for code, n in self._counts.items() if code & 3 == state)

    def by_domain(self) -> list[DomainCount]:
        """Every domain with its slips, those used, disputed and voided."""
        counted = self._counts
        return [
            DomainCount(
                domain,
                sum(counted[at + state] for state in range(4)),
                counted[at + USED] + counted[at + DISPUTED],
                counted[at + DISPUTED],
                counted[at + VOIDED],
            )
            for domain, at in sorted((domain, 4 * number) for domain, number in self._numbers.items())
        ]

    def _number(self, domain: str) -> int:
        found = self._numbers.get(domain)
        if found is None:
            found = self._numbers[domain] = len(self._domains)
            self._domains.append(domain)
        return found

    def _place(self, e: bytes) -> int | None:
        first, second = int.from_bytes(e[:8]), int.from_bytes(e[8:16])
        at = bisect_left(self._first, first)
        while at < len(self._first) and self._first[at] == first:
            if self._second[at] == second:
                return at
            at += 1
        return None


def _state(name: str) -> int:
    if name not in _STATE:
        raise ValueError("a slip in no known state")
    return _STATE[name]


def _integers(parts: Sequence[bytes]) -> array[int]:
    """Eight bytes each, the first the highest, so that integers ascend as the bytes do."""
    numbers = array("Q")
    numbers.frombytes(b"".join(parts))
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers
