"""Where forms were left unsent, as counts; never beside a person.

What else is known about the answering itself stays counts, too: pace in three bands in the opened
records (`response.pace`), arrivals by the hour for the whole wave and by school time for a domain in
the intake (`storage.tally`), because a finer time would date a leaf.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LEFT = "left_"
"""How the counters of unsent forms begin; what follows is the part."""
CHECK = "check"
"""The last screen, where everything is looked through before it is sent."""


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
