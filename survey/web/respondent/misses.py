"""How often an address has tried codes that do not exist, in memory only.

A mistyped code fails its check sign and is never counted; a well-formed code that no wave
knows is a miss. After thirty misses within ten minutes the address rests for ten minutes.
The limit is wide because a school shares one address, and guessing is hopeless anyway
(TRUST section 6). Sending answers is never limited.
"""

from __future__ import annotations

import logging
import math
from collections import OrderedDict, deque
from collections.abc import Callable
from time import monotonic

MOST_MISSES = 30
WINDOW_SECONDS = 600.0
MOST_ADDRESSES = 50_000
ALARM_PER_HOUR = 3_000
HOUR_SECONDS = 3600.0

MOST_FROM_ONE = 30
"""Messages of one address in an hour: a school shares one."""
MOST_FROM_ALL = 3_000

MOST_LEFT_FROM_ONE = 300
"""Forms left unsent that one address may report in an hour; what comes above is not counted."""
MOST_LEFT_FROM_ALL = 30_000

log = logging.getLogger("survey.web.respondent")


class Misses:
    """Counts of unknown codes per network address; forgotten with the process."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()
        self._resting: OrderedDict[str, float] = OrderedDict()
        self._hour_began = clock()
        self.this_hour = 0
        """Misses of the running hour, whoever made them."""

    @property
    def lately(self) -> int:
        """Misses since this hour of counting began; 0 when it is over."""
        return self.this_hour if self._clock() - self._hour_began < HOUR_SECONDS else 0

    def minutes_to_rest(self, address: str) -> int:
        """Whole minutes the address still has to wait, 0 when it may look up."""
        if not self._resting:
            return 0
        until = self._resting.get(network_of(address))
        if until is None:
            return 0
        left = until - self._clock()
        if left <= 0:
            del self._resting[network_of(address)]
            return 0
        return math.ceil(left / 60)

    def count(self, address: str) -> None:
        """Note one well-formed code that nobody knows."""
        network = network_of(address)
        now = self._clock()
        self._watch(now)
        times = self._seen.setdefault(network, deque())
        self._seen.move_to_end(network)
        times.append(now)
        while times and times[0] <= now - WINDOW_SECONDS:
            times.popleft()
        if len(times) >= MOST_MISSES:
            del self._seen[network]
            self._resting[network] = now + WINDOW_SECONDS
        while len(self._seen) > MOST_ADDRESSES:
            self._seen.popitem(last=False)
        while len(self._resting) > MOST_ADDRESSES:
            self._resting.popitem(last=False)

    def _watch(self, now: float) -> None:
        """Say once an hour, and to nobody's harm, that somebody is guessing on a large scale."""
        if now - self._hour_began >= HOUR_SECONDS:
            self._hour_began, self.this_hour = now, 0
        self.this_hour += 1
        if self.this_hour == ALARM_PER_HOUR:
            log.warning("more than %d unknown codes within an hour", ALARM_PER_HOUR)


class Pace:
    """How many messages came in the last hour, from an address and from everybody; in memory only."""

    def __init__(self, from_one: int = MOST_FROM_ONE, from_all: int = MOST_FROM_ALL) -> None:
        self._from_one, self._from_all = from_one, from_all
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()
        self._all: deque[float] = deque()

    def is_too_fast(self, address: str) -> bool:
        """Whether one more message must wait; else it is counted."""
        now = monotonic()
        own = self._seen.setdefault(network_of(address), deque())
        self._seen.move_to_end(network_of(address))
        while len(self._seen) > MOST_ADDRESSES:
            self._seen.popitem(last=False)
        for times in (own, self._all):
            while times and times[0] <= now - HOUR_SECONDS:
                times.popleft()
        if len(own) >= self._from_one or len(self._all) >= self._from_all:
            return True
        own.append(now)
        self._all.append(now)
        return False


def network_of(address: str) -> str:
    """An IPv4 address itself; of IPv6 the first four groups, which one household shares."""
    return ":".join(address.split(":")[:4]) if ":" in address else address
