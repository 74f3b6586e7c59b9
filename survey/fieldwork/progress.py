"""Participation against need and pace; never an answer.

Counts per domain enter, as the intake holds them; sums by group, place, stage and school
leave, with the text a page may show. Before closing nothing here could hold a rate of
satisfaction, because no answer comes near it. A count under ten shows as <10, a school is
shown one of three bands and never a number (UX sections 7 and 11).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal

from survey.fieldwork.small_counts import SMALLEST_SHOWN, hidden_in_tables

NOT_SHOWN = "不显示"

Band = Literal["under_three_tenths", "three_to_six_tenths", "from_six_tenths"]
BAND_WORDS: dict[Band, str] = {
    "under_three_tenths": "不到三成",
    "three_to_six_tenths": "三成到六成",
    "from_six_tenths": "六成以上",
}


@dataclass(frozen=True)
class DomainReturn:
    """What the intake knows of one domain, beside what the sample asked of it."""

    domain: str
    group: str
    school_code: str | None
    school_name: str
    place: str | None
    stage: str | None
    issued: int
    used: int
    need: int
    """Answers the plan wants from this domain."""
    voided: int = 0
    disputed: int = 0
    area: str | None = None
    """The school's responsibility area; empty where it lies in none, None where the wave has no areas."""


@dataclass(frozen=True)
class Tally:
    """A sum over domains that share a key."""

    key: str
    domains: int
    issued: int
    used: int
    need: int
    is_withheld: bool = False
    """Hidden although it may be large: with it a count under ten could be worked out."""

    @property
    def shown(self) -> str:
        """The count as a page shows it while the wave runs.

        >>> Tally("parent", 1, 30, 9, 20).shown, Tally("parent", 1, 2000, 1204, 1850).shown
        ('<10', '1204')
        """
        return NOT_SHOWN if self.is_withheld and self.used >= SMALLEST_SHOWN else shown_count(self.used)

    @property
    def percent(self) -> int | None:
        """Share of the need that is met, in whole percent, cut off; None when the count is not shown."""
        if self.is_withheld or self.used < SMALLEST_SHOWN or not self.need:
            return None
        return self.used * 100 // self.need

    def document(self) -> dict[str, Any]:
        """The tally as plain JSON, showing no more than a page does."""
        return {
            "key": self.key,
            "issued": self.issued,
            "need": self.need,
            "received": None if self.is_withheld or self.used < SMALLEST_SHOWN else self.used,
            "shown": self.shown,
            "percent": self.percent,
        }


@dataclass(frozen=True)
class Share:
    """What one group of one school has returned of its slips, as a cell of a table."""

    shown: str
    step: int
    """Its shade, 1 to 4: under three tenths, under six, under nine, more; 0 where it is not shown."""


@dataclass(frozen=True)
class SchoolReturn:
    """A school's own return: a band, and whether anything came at all."""

    school_code: str
    school_name: str
    band: Band
    is_empty: bool
    area: str | None = None
    groups: tuple[tuple[str, Share], ...] = ()
    """By group, in the order of the wave's domains."""

    @property
    def words(self) -> str:
        """The band in words, 不到三成."""
        return BAND_WORDS[self.band]


@dataclass(frozen=True)
class Pace:
    """How the answers of the whole wave come in against what is needed."""

    day: int
    days: int
    days_left: int
    needed_by_today: int
    needed_per_day: int | None
    """Answers a day needed from now on; 0 when enough are in, None when no day is left."""
    enough_on: date | None
    """The day the need is met at the mean speed so far; None when it will not be in time."""
    is_behind: bool


@dataclass(frozen=True)
class Participation:
    """Everything the monitor may show while a wave runs."""

    whole: Tally
    groups: tuple[Tally, ...]
    places: tuple[Tally, ...]
    stages: tuple[Tally, ...]
    schools: tuple[SchoolReturn, ...]
    pace: Pace
    areas: tuple[Tally, ...] = ()
    """By responsibility area, in the order of codes; county lists lie in none."""

    @property
    def empty_schools(self) -> tuple[SchoolReturn, ...]:
        """Schools from which nothing has come."""
        return tuple(school for school in self.schools if school.is_empty)

    @property
    def slow_areas(self) -> tuple[Tally, ...]:
        """Areas behind their own need at today's pace, and behind the whole wave's share as well."""
        return tuple(one for one in self.areas if one.key and self.is_slow(one))

    def is_slow(self, one: Tally) -> bool:
        """Whether a part is behind its own need at today's pace, and behind the whole wave's share as well."""
        whole, pace = self.whole, self.pace
        return one.used * pace.days < one.need * pace.day and one.used * whole.need < whole.used * one.need

    def document(self) -> dict[str, Any]:
        """Participation as plain JSON for API and command line."""
        pace = self.pace
        return {
            "whole": self.whole.document(),
            "groups": [tally.document() for tally in self.groups],
            "places": [tally.document() for tally in self.places],
            "stages": [tally.document() for tally in self.stages],
            "areas": [tally.document() for tally in self.areas],
            "schools": [
                {
                    "school_code": s.school_code,
                    "school_name": s.school_name,
                    "band": s.band,
                    "empty": s.is_empty,
                    "area": s.area,
                    "groups": {group: share.shown for group, share in s.groups},
                }
                for s in self.schools
            ],
            "pace": {
                "day": pace.day,
                "days": pace.days,
                "days_left": pace.days_left,
                "needed_by_today": pace.needed_by_today,
                "needed_per_day": pace.needed_per_day,
                "enough_on": pace.enough_on.isoformat() if pace.enough_on else None,
                "behind": pace.is_behind,
            },
        }


def participation(
    returns: Sequence[DomainReturn],
    *,
    opens_on: date,
    closes_on: date,
    today: date,
    exact: bool = False,
) -> Participation:
    """Participation of a wave from the counts of its domains.

    Args:
        returns: one entry a domain, county lists included; surplus domains left out.
        today: the local date; before the first day nothing is expected yet.
        exact: fieldwork has ended, so that every domain's count is public.

    Returns:
        Tallies in the order their keys first appear; schools by code.
    """
    whole = _tally("all", returns)
    seen = Participation(
        whole=whole,
        groups=_tallies(returns, lambda entry: entry.group),
        places=_tallies(returns, lambda entry: entry.place),
        stages=_tallies(returns, lambda entry: entry.stage),
        schools=_schools(returns, exact=exact),
        pace=_pace(whole, opens_on, closes_on, today),
        # The schools of no area come last.
        areas=tuple(
            sorted(_tallies(returns, lambda entry: entry.area), key=lambda one: (not one.key, one.key))
        ),
    )
    return seen if exact else _without_small(seen, {entry.group for entry in returns if entry.school_code is None})


def _without_small(seen: Participation, lists: set[str]) -> Participation:
    """The same with counts withheld that would give one under ten away by subtraction."""
    schools = [one for one in seen.groups if one.key not in lists]
    listed = [one for one in seen.groups if one.key in lists]
    tables = (seen.places, seen.stages, seen.areas)
    groups, parts, whole = hidden_in_tables(
        [one.used for one in schools],
        [one.used for one in listed],
        [[one.used for one in table] for table in tables],
    )
    shown = {one.key: one for one in _withheld((*schools, *listed), groups)}
    places, stages, areas = (_withheld(table, some) for table, some in zip(tables, parts, strict=True))
    return replace(
        seen,
        whole=replace(seen.whole, is_withheld=whole),
        groups=tuple(shown[one.key] for one in seen.groups),
        places=places,
        stages=stages,
        areas=areas,
    )


def _withheld(tallies: Sequence[Tally], hidden: frozenset[int]) -> tuple[Tally, ...]:
    return tuple(replace(one, is_withheld=at in hidden) for at, one in enumerate(tallies))


def shown_count(n: int) -> str:
    """A count as a page shows it while the wave runs.

    >>> shown_count(9), shown_count(10)
    ('<10', '10')
    """
    return f"<{SMALLEST_SHOWN}" if n < SMALLEST_SHOWN else str(n)


def band(used: int, issued: int) -> Band:
    """The band of a share of the slips, by exact comparison; 六成以上 includes six tenths.

    >>> band(29, 100), band(30, 100), band(60, 100), band(0, 0)
    ('under_three_tenths', 'three_to_six_tenths', 'from_six_tenths', 'under_three_tenths')
    """
    if not issued or used * 10 < issued * 3:
        return "under_three_tenths"
    return "three_to_six_tenths" if used * 10 < issued * 6 else "from_six_tenths"


def share(used: int, issued: int, *, exact: bool) -> Share:
    """The cell of one group of one school.

    While a wave runs it tells tenths alone, so that no row or column less its other cells gives a
    small count; under ten it tells nothing.

    >>> share(9, 20, exact=False), share(14, 20, exact=False)
    (Share(shown='<10', step=0), Share(shown='7成', step=3))
    >>> share(9, 20, exact=True), share(20, 20, exact=True)
    (Share(shown='45%', step=2), Share(shown='100%', step=4))
    """
    if not exact and used < SMALLEST_SHOWN:
        return Share(shown_count(used), 0)
    tenths = used * 10 // issued if issued else 0
    step = 1 + (tenths >= 3) + (tenths >= 6) + (tenths >= 9)
    if exact:
        return Share(f"{used * 100 // issued if issued else 0}%", step)
    return Share(f"{tenths}成" if tenths else "不到1成", step)


def _tally(key: str, entries: Iterable[DomainReturn]) -> Tally:
    kept = list(entries)
    return Tally(
        key, len(kept), sum(e.issued for e in kept), sum(e.used for e in kept), sum(e.need for e in kept)
    )


def _tallies(
    returns: Sequence[DomainReturn], key_of: Callable[[DomainReturn], str | None]
) -> tuple[Tally, ...]:
    keys = dict.fromkeys(key for entry in returns if (key := key_of(entry)) is not None)
    return tuple(_tally(key, (entry for entry in returns if key_of(entry) == key)) for key in keys)


def _schools(returns: Sequence[DomainReturn], *, exact: bool) -> tuple[SchoolReturn, ...]:
    by_code: dict[str, list[DomainReturn]] = {}
    for entry in returns:
        if entry.school_code is not None:
            by_code.setdefault(entry.school_code, []).append(entry)
    return tuple(
        SchoolReturn(
            school_code=code,
            school_name=entries[0].school_name,
            band=band(sum(e.used for e in entries), sum(e.issued for e in entries)),
            is_empty=not any(e.used for e in entries),
            area=entries[0].area,
            groups=tuple((e.group, share(e.used, e.issued, exact=exact)) for e in entries),
        )
        for code, entries in sorted(by_code.items())
    )


def _pace(whole: Tally, opens_on: date, closes_on: date, today: date) -> Pace:
    days = (closes_on - opens_on).days + 1
    day = min(max((today - opens_on).days + 1, 0), days)
    days_left = (closes_on - max(today, opens_on)).days + 1 if today <= closes_on else 0
    needed_by_today = -(-whole.need * day // days)
    missing = max(whole.need - whole.used, 0)
    if not missing:
        per_day: int | None = 0
    else:
        per_day = -(-missing // days_left) if days_left else None
    return Pace(
        day=day,
        days=days,
        days_left=days_left,
        needed_by_today=needed_by_today,
        needed_per_day=per_day,
        enough_on=_enough_on(whole, opens_on, closes_on, day),
        is_behind=whole.used < needed_by_today,
    )


def _enough_on(whole: Tally, opens_on: date, closes_on: date, day: int) -> date | None:
    """The day the need is met if answers keep coming as they did on average."""
    if not whole.need or not whole.used or not day:
        return None
    days_needed = -(-whole.need * day // whole.used)
    on = opens_on + timedelta(days=days_needed - 1)
    return on if on <= closes_on else None
