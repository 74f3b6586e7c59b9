"""An instrument cut into the steps a phone shows: parts of at most five questions.

An instrument enters, a tuple of steps leaves. A section longer than five is cut into
near-equal parts (11 → 4 + 4 + 3), because two questions alone on a last screen read as an
afterthought. In the one-per-screen layout every item is a step of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from survey.scheme.instrument import Instrument, Item

MOST_ITEMS = 5


@dataclass(frozen=True)
class Step:
    """One screen of the form: a part of a section, or a single question."""

    number: int
    section: int
    """Which section of the instrument, from 0."""
    title: dict[str, str]
    items: tuple[Item, ...]


def cut(count: int, most: int = MOST_ITEMS) -> tuple[int, ...]:
    """Sizes of near-equal parts of at most `most`, the larger ones first.

    >>> cut(11), cut(4), cut(6), cut(10)
    ((4, 4, 3), (4,), (3, 3), (5, 5))
    """
    parts = -(-count // most)
    base, larger = divmod(count, parts)
    return tuple(base + 1 if part < larger else base for part in range(parts))


def steps(instrument: Instrument, one_per_screen: bool) -> tuple[Step, ...]:
    """The screens of the form in order, each with its section's title."""
    found: list[Step] = []
    for index, section in enumerate(instrument.sections):
        items = tuple(section.items)
        sizes = (1,) * len(items) if one_per_screen else cut(len(items))
        start = 0
        for size in sizes:
            found.append(Step(len(found) + 1, index, dict(section.title), items[start : start + size]))
            start += size
    return tuple(found)
