"""Coarse pace and times of arrival, as counts; never beside a person.

What is known about the answering itself stays counts: pace in three bands per domain, read
from opened records; arrivals by the hour for the whole wave, because a finer time would
date a leaf; whether schools were in session.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

SCHOOL_HOURS = range(8, 17)
LEFT = "left_"
"""How the counters of unsent forms begin; what follows is the part."""
CHECK = "check"
"""The last screen, where everything is looked through before it is sent."""


@dataclass(frozen=True)
class PaceCount:
    """Records of one domain by pace; `unknown` where it was not measured."""

    domain: str
    fast: int
    usual: int
    slow: int
    unknown: int

    @property
    def measured(self) -> int:
        """Records whose pace is known."""
        return self.fast + self.usual + self.slow


def pace_counts(records: Iterable[Mapping[str, Any]]) -> tuple[PaceCount, ...]:
    """Pace by domain, sorted by domain, in no way dependent on the order of the records.

    >>> pace_counts([{"domain": "1-P", "pace": 0}, {"domain": "1-P", "pace": 1}, {"domain": "1-P"}])
    (PaceCount(domain='1-P', fast=1, usual=1, slow=0, unknown=1),)
    """
    counts: dict[str, list[int]] = {}
    for record in records:
        pace = record.get("pace")
        place = pace if isinstance(pace, int) and pace in (0, 1, 2) else 3
        counts.setdefault(record["domain"], [0, 0, 0, 0])[place] += 1
    return tuple(PaceCount(domain, *numbers) for domain, numbers in sorted(counts.items()))


@dataclass(frozen=True)
class BreakOff:
    """How often forms of one group were left unsent at one part; somebody may have come back."""

    group: str
    part: str
    """The number of the section, or `check`."""
    times: int


def break_offs(counters: Mapping[tuple[str, str], int]) -> tuple[BreakOff, ...]:
    """Break-off by group and part, in the order of the form.

    >>> [one.part for one in break_offs({("parent", "left_check"): 3, ("parent", "left_10"): 1, ("parent", "left_2"): 4})]
    ['2', '10', 'check']
    """
    found = [
        BreakOff(group, kind.removeprefix(LEFT), times)
        for (group, kind), times in counters.items()
        if kind.startswith(LEFT)
    ]
    return tuple(sorted(found, key=lambda one: (one.group, len(one.part), one.part)))


def hour_of_wave(at: datetime, opens_on: date) -> int:
    """The hour since local midnight of the first day, the only time kept of an arrival.

    Args:
        at: an aware local time.

    >>> from datetime import timezone
    >>> hour_of_wave(datetime(2026, 11, 25, 9, 59, tzinfo=timezone.utc), date(2026, 11, 24))
    33
    """
    return (at.date() - opens_on).days * 24 + at.hour


def is_school_time(at: datetime) -> bool:
    """Whether a local time lies on a weekday from 8 to 17 (indicator I15).

    >>> from datetime import timezone
    >>> is_school_time(datetime(2026, 11, 24, 16, 59, tzinfo=timezone.utc))
    True
    """
    return at.weekday() < 5 and at.hour in SCHOOL_HOURS
