"""All slips of a wave in memory: where each belongs, what became of it, and how many of each there are.

The counts are kept as slips change, so that a page which shows participation costs the same
with two million slips as with two thousand. A slip is a digest and one integer: the number of
its domain times four, and its state.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from survey.storage.intake import DomainCount

SLIP_STATES = ("unused", "used", "disputed", "voided")
UNUSED, USED, DISPUTED, VOIDED = range(4)


class SlipBook:
    """Slips by digest."""

    def __init__(self, rows: Iterable[tuple[bytes, str, str]] = (), domains: Iterable[str] = ()) -> None:
        self.domains = list(domains)
        number = {domain: at * 4 for at, domain in enumerate(self.domains)}
        self._codes = {e: number[domain] + SLIP_STATES.index(state) for e, domain, state in rows}
        self._counts = Counter(self._codes.values())

    def find(self, e: bytes) -> tuple[str, str] | None:
        """Domain and state of a slip; None where there is no such slip."""
        code = self._codes.get(e)
        return None if code is None else (self.domains[code >> 2], SLIP_STATES[code & 3])

    def domain(self, e: bytes) -> str:
        """The domain of a slip that is there."""
        return self.domains[self._codes[e] >> 2]

    def state(self, e: bytes) -> int | None:
        """The number of a slip's state; None where there is no such slip."""
        code = self._codes.get(e)
        return None if code is None else code & 3

    def turn(self, e: bytes, state: int) -> None:
        """A slip is in another state from now on."""
        before = self._codes[e]
        self._codes[e] = after = before & ~3 | state
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
            for at, domain in zip(range(0, 4 * len(self.domains), 4), self.domains, strict=True)
        ]
