"""Counts that stay hidden while a wave runs: those under ten, and what would give them away.

Areas, places and stages each add up to all drawn schools, groups to the whole. A single count
under ten is therefore the total less the others; so a larger one is hidden beside it, until every
reading of what is hidden leaves at least five values open and the hidden counts together hold ten
(TRUST section 16; Hundepool et al., Statistical Disclosure Control, 2012, section 4.2, secondary
suppression). A reader is taken to know which counts are under ten, and every total that follows.
Tests audit the outcome by linear programming over all tables at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

SMALLEST_SHOWN = 10
NARROWEST = 5
"""Values that a hidden count may at least have apart, from lowest to highest."""
SMALL_MOST = SMALLEST_SHOWN - 1


def hidden_counts(counts: Sequence[int], *, known_total: bool = True) -> frozenset[int] | None:
    """Which counts of one table to hide; None where even hiding all of them is not enough.

    Args:
        known_total: whether a reader has the sum of all of them.

    >>> sorted(hidden_counts([9, 40, 25])), hidden_counts([9, 8])
    ([0, 2], None)
    >>> sorted(hidden_counts([9, 40, 25], known_total=False))
    [0]
    """
    hidden = {at for at, n in enumerate(counts) if n < SMALLEST_SHOWN}
    if not hidden or not known_total:
        return frozenset(hidden)
    while not _is_open(sorted(counts[at] for at in hidden)):
        left = [at for at in range(len(counts)) if at not in hidden]
        if not left:
            return None
        # The smallest that is large enough to hide behind; ties go to the earlier row.
        enough = [at for at in left if counts[at] >= SMALLEST_SHOWN + NARROWEST]
        hidden.add(min(enough, key=lambda at: (counts[at], at)) if enough else max(left, key=lambda at: counts[at]))
    return frozenset(hidden)


def _is_open(hidden: Sequence[int]) -> bool:
    """Whether hidden counts of known sum leave each other enough room."""
    small = sum(n < SMALLEST_SHOWN for n in hidden)
    large, total = len(hidden) - small, sum(hidden)
    if large:
        return total - SMALLEST_SHOWN * large >= NARROWEST
    lowest, highest = max(total - SMALL_MOST * (small - 1), 0), min(total, SMALL_MOST)
    return total >= SMALLEST_SHOWN and highest - lowest >= NARROWEST


def hidden_in_tables(
    schools_by_group: Sequence[int], lists: Sequence[int], partitions: Sequence[Sequence[int]]
) -> tuple[frozenset[int], tuple[frozenset[int], ...], bool]:
    """Which counts of linked tables to hide: of groups, of each partition of the schools, and whether of the whole.

    Args:
        schools_by_group: counts of the groups that answer at schools.
        lists: counts of the groups that are lists of the county, as deputies; they belong to no school.
        partitions: counts by place, by stage, by area; each adds up to all schools or is empty.

    Returns:
        Positions in `(*schools_by_group, *lists)`, positions in each partition, whether the whole is hidden.
    """
    schools, listed = sum(schools_by_group), sum(lists)
    groups = (*schools_by_group, *lists)
    tables = [tuple(one) for one in partitions]
    if not lists or not schools_by_group or min(schools, listed) >= SMALLEST_SHOWN:
        # Schools and lists have each a total that a reader can have; each part protects itself.
        first, second = hidden_counts(schools_by_group), hidden_counts(lists)
        inner = [hidden_counts(table) for table in tables]
        if first is not None and second is not None and None not in inner:
            moved = frozenset(at + len(schools_by_group) for at in second)
            return first | moved, tuple(one or frozenset() for one in inner), False
    # One part is too small to have a total: no table may give the schools' total away.
    both = hidden_counts(groups) if not (lists and schools_by_group) else _mixed(schools_by_group, lists)
    beside = [_beside(table, listed) if table and lists else hidden_counts(table) for table in tables]
    if both is not None and None not in beside:
        kept = tuple(one or frozenset() for one in beside)
        if _are_open(schools_by_group, lists, tables, both, kept):
            return both, kept, False
    return (
        frozenset(range(len(groups))),
        tuple(frozenset(range(len(table))) for table in tables),
        True,
    )


def _are_open(
    schools_by_group: Sequence[int],
    lists: Sequence[int],
    tables: Sequence[Sequence[int]],
    groups: frozenset[int],
    hidden: Sequence[frozenset[int]],
) -> bool:
    """Whether every hidden count keeps its room, although all tables share the schools' total.

    The tables share nothing else, so the narrowest range of each hidden count follows from the
    range that all of them together leave that total.
    """
    whole, among = sum(schools_by_group) + sum(lists), len(schools_by_group)
    sides = [_Side.of(schools_by_group, {at for at in groups if at < among}, 0, 1)]
    sides.append(_Side.of(lists, {at - among for at in groups if at >= among}, whole, -1))
    sides += [_Side.of(table, set(some), 0, 1) for table, some in zip(tables, hidden, strict=True) if table]
    lowest, highest = max(one.total[0] for one in sides), min(one.total[1] for one in sides)
    return all(one.leaves_room(lowest, highest) for one in sides)


@dataclass(frozen=True)
class _Side:
    """One table seen from the schools' total: what of it is shown, and the ends of each hidden count."""

    shown: int
    ends: tuple[tuple[float, float], ...]
    start: int
    sign: int
    """The schools' total is `start` + `sign` times this table's sum."""

    @classmethod
    def of(cls, counts: Sequence[int], hidden: set[int], start: int, sign: int) -> _Side:
        ends = tuple(
            (0, SMALL_MOST) if counts[at] < SMALLEST_SHOWN else (SMALLEST_SHOWN, inf) for at in sorted(hidden)
        )
        return cls(sum(n for at, n in enumerate(counts) if at not in hidden), ends, start, sign)

    @property
    def total(self) -> tuple[float, float]:
        """The lowest and the highest that the schools' total can be."""
        lowest, highest = (self.shown + sum(one[side] for one in self.ends) for side in (0, 1))
        both = (self.start + self.sign * lowest, self.start + self.sign * highest)
        return min(both), max(both)

    def leaves_room(self, lowest: float, highest: float) -> bool:
        """Whether each hidden count keeps its room when the schools' total lies between the two."""
        sums = ((lowest - self.start) * self.sign, (highest - self.start) * self.sign)
        for at, (least, most) in enumerate(self.ends):
            others = [one for place, one in enumerate(self.ends) if place != at]
            low = max(least, min(sums) - self.shown - sum(one[1] for one in others))
            high = min(most, max(sums) - self.shown - sum(one[0] for one in others))
            if high - low < NARROWEST:
                return False
        return True


def _mixed(schools_by_group: Sequence[int], lists: Sequence[int]) -> frozenset[int] | None:
    """Groups hidden so that a large one of either part stands for what the other part hides."""
    counts = (*schools_by_group, *lists)
    found = hidden_counts(counts)
    if found is None:
        return None
    for part in (range(len(schools_by_group)), range(len(schools_by_group), len(counts))):
        if not found & set(part):
            found |= {min(part, key=lambda at: (counts[at] < SMALLEST_SHOWN + NARROWEST, counts[at]))}
    return found if _is_open([counts[at] for at in sorted(found)]) else None


def _beside(table: Sequence[int], listed: int) -> frozenset[int] | None:
    """Rows of a partition hidden so that neither they nor the lists beside them follow from the whole."""
    found = hidden_counts((*table, listed))
    if found is None:
        return None
    rows = found - {len(table)}
    if not rows:
        rows = frozenset({min(range(len(table)), key=lambda at: (table[at] < SMALLEST_SHOWN + NARROWEST, table[at]))})
    return rows if _is_open([*(table[at] for at in sorted(rows)), listed]) else None
