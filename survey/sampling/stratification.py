"""Strata of schools, place × stage, with those too small to stand alone joined by a stated rule.

What enters is schools; what leaves is strata in a fixed order. A stratum of one school would
have to be taken whole to be taken at all, and would say nothing about chance, so it joins a
neighbour first. The rule, decided on 2026-11-24: schools of one stage stay together, because the
stage decides the form and the pupils' age; a stratum of fewer than two schools joins the
neighbouring place of its stage (urban–town–rural in a row) that has more schools, the earlier one
where they have as many; a stage of one school in the whole county stays alone and is taken
whole, with no first-stage chance. A school keeps its own place whatever stratum it is drawn in,
so results by place are unaffected. Reopen it if a county needs strata by township.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np

from survey.arrays import Ints
from survey.sampling.frame import PLACE_NAMES, PLACES, STAGES, School
from survey.scheme.plan_words import STAGE_NAMES

FEWEST_SCHOOLS = 2


@dataclass(frozen=True)
class Stratum:
    """Schools drawn together: one stage, one place or several joined."""

    id: str
    places: tuple[str, ...]
    stage: str
    schools: tuple[School, ...]

    @cached_property
    def place(self) -> str:
        """The place that most of its schools lie in; it stands for the stratum in tables."""
        counts = np.bincount(self.place_of, minlength=len(PLACES))
        return max(self.places, key=lambda place: (counts[at := PLACES.index(place)], -at))

    @cached_property
    def place_of(self) -> Ints:
        """(schools,) the place of each school, as its position in `PLACES`."""
        position = {place: at for at, place in enumerate(PLACES)}
        return np.array([position[school.place] for school in self.schools], dtype=np.int64)

    @cached_property
    def pupils(self) -> Ints:
        """(schools,) pupils of each school."""
        return np.array([school.pupils for school in self.schools], dtype=np.int64)

    @cached_property
    def pupils_by_grade(self) -> tuple[Ints, Ints, Ints]:
        """Every grade of every school in order: the school's position, the grade, its pupils."""
        grades = [school.grades for school in self.schools]
        lengths = np.fromiter(map(len, grades), dtype=np.int64, count=len(grades))
        size = int(lengths.sum())
        return (
            np.repeat(np.arange(len(grades)), lengths),
            np.fromiter(chain.from_iterable(grades), dtype=np.int64, count=size),
            np.fromiter(chain.from_iterable(map(dict.values, grades)), dtype=np.int64, count=size),
        )

    @property
    def name(self) -> str:
        """The stratum in Chinese, 镇区小学 or 镇区和乡村初中."""
        return "和".join(PLACE_NAMES[place] for place in self.places) + STAGE_NAMES[self.stage]

    @property
    def take_all(self) -> bool:
        """Whether the stratum is too small for chance: its one school is always drawn."""
        return len(self.schools) < FEWEST_SCHOOLS


def strata_of(schools: Iterable[School], fewest: int = FEWEST_SCHOOLS) -> tuple[Stratum, ...]:
    """Strata of place × stage, the small ones joined, in the order of stages and places.

    Args:
        schools: the schools that can be drawn.
        fewest: a stratum of fewer schools joins a neighbour.
    """
    cells: dict[tuple[str, str], list[School]] = {}
    for school in schools:
        cells.setdefault((school.stage, school.place), []).append(school)
    strata = []
    for stage in STAGES:
        parts = [([place], cells[stage, place]) for place in PLACES if (stage, place) in cells]
        while len(parts) > 1 and any(len(members) < fewest for _, members in parts):
            small = min(range(len(parts)), key=lambda at: (len(parts[at][1]), at))
            beside = [at for at in (small - 1, small + 1) if 0 <= at < len(parts)]
            into = max(beside, key=lambda at: (len(parts[at][1]), -at))
            first, second = sorted((small, into))
            joined = (parts[first][0] + parts[second][0], parts[first][1] + parts[second][1])
            parts[first : second + 1] = [joined]
        for places, members in parts:
            ordered = tuple(sorted(members, key=lambda school: school.code))
            strata.append(Stratum(f"{'+'.join(places)}/{stage}", tuple(places), stage, ordered))
    return tuple(strata)
