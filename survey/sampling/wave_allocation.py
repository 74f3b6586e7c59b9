"""How a wave's forms spread over strata: as the people live, bent to a scheme's places and grade bands.

What enters is a plan, its scheme, a frame and its strata; what leaves is, for every group met in
schools, how many slips each stratum is given, and for every county list how many persons are
asked. A group starts in proportion to its people. Where the scheme wants places as the resident
population or grade bands about equal, the proportions are scaled by turns until both lie within
the scheme's tolerance and no further, because every step away from proportion costs precision.
Slips = forms owed over expected response, rounded up; where the scheme counts forms given out,
the forms owed themselves. Every group gets enough slips to expect twice the smallest count that
may be shown, so that its result need not be hidden; nobody is asked twice. A group that the plan
asks whole gets a slip for everybody, in every school of every stratum that has any of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from survey.arrays import Floats, Ints
from survey.errors import Fault
from survey.exact import fraction
from survey.sampling.allocation_notes import everybody_asked, strata_notes, too_few
from survey.sampling.frame import KIND_CODES, PLACE_NAMES, PLACES, SPANNING_KINDS, Frame, School
from survey.sampling.scheme_sizes import GROUP_NAMES, Owed, largest_remainder, owed_forms
from survey.sampling.stratification import Stratum, strata_of
from survey.scheme.plan import GroupPlan, Plan
from survey.scheme.scheme import Scheme

SCHOOL_GROUPS = ("parent", "student", "teacher")
SLIPS_PER_SCHOOL = 15
"""Slips of the largest group in one school, where the plan does not say: about ten come back."""
ENOUGH_PEOPLE = Fraction(3, 2)
"""Schools are drawn until, on average, they hold half as many people again as there are slips."""
KINDERGARTEN_YEARS = {"k1": -2, "k2": -1, "k3": 0}


@dataclass(frozen=True)
class WaveAllocation:
    """Everything about the size of a wave's sample that is settled before chance is asked."""

    owed: Owed
    strata: tuple[Stratum, ...]
    schools_drawn: Mapping[str, int]
    eligible: Mapping[str, Mapping[str, int]]
    """group → school code → eligible persons, for groups met in schools."""
    lists: Mapping[str, int]
    """group → eligible persons, for county lists."""
    slips: Mapping[str, Mapping[str, int]]
    """group → stratum → slips, for groups met in schools."""
    list_slips: Mapping[str, int]
    numbers: Mapping[str, int]
    notes: tuple[Fault, ...]

    def eligible_in(self, group: str, stratum: Stratum) -> int:
        """Eligible persons of a group in a stratum."""
        return sum(self.eligible[group].get(school.code, 0) for school in stratum.schools)


def asked_groups(plan: Plan) -> tuple[GroupPlan, ...]:
    """The plan's groups that are drawn; those of an open link stand apart (class C)."""
    return tuple(entry for entry in plan.groups if entry.mode != "open")


def _eligible_of(scheme: Scheme, group: GroupPlan, schools: Sequence[School]) -> dict[str, int]:
    """School code → persons of a group that may be asked there, for schools that have any.

    Nobody where the plan has no form for the school's stage. A pupil stands for one parent; pupils
    count from the youngest grade of the plan, else of the scheme.
    """
    own = {entry.id: entry.from_grade for entry in scheme.groups}
    youngest = group.from_grade
    if youngest is None and group.group != "parent":
        youngest = own.get(group.group)
    # A kind's stage is looked up once; only where a kind spans stages do the school's grades say.
    kinds = {
        kind: group.instrument_for(stage) is not None
        for kind, (stage, _) in KIND_CODES.items()
        if kind not in SPANNING_KINDS
    }
    found: dict[str, int] = {}
    for school in schools:
        asked = kinds.get(school.kind_code)
        if asked is None:
            asked = group.instrument_for(school.stage) is not None
        if asked:
            n = school.teachers if group.group == "teacher" else school.pupils_from(youngest)
            if n > 0:
                found[school.code] = n
    return found


def allocate_wave(plan: Plan, scheme: Scheme, frame: Frame) -> WaveAllocation:
    """The sizes of a wave: owed, spread over strata and lists, with the schools each stratum needs.

    Raises:
        PopulationMissingError, NoStepError, GroupShortError, NobodyToAskError: see `scheme_sizes`.
    """
    groups = asked_groups(plan)
    eligible = {
        entry.group: _eligible_of(scheme, entry, frame.schools)
        for entry in groups
        if entry.group in SCHOOL_GROUPS
    }
    lists = {
        entry.group: plan.lists.get(entry.group, len(frame.schools) if entry.group == "principal" else 0)
        for entry in groups
        if entry.group not in SCHOOL_GROUPS
    }
    numbers = {
        entry.group: sum(eligible[entry.group].values()) if entry.group in eligible else lists[entry.group]
        for entry in groups
    }
    goal = plan.sample
    owed = owed_forms(
        scheme,
        [entry.group for entry in groups],
        numbers,
        population=plan.population.count if plan.population else None,
        half_width=fraction(goal.half_width) if goal.half_width else None,
    )
    response = fraction(goal.expected_response)
    asked = {school for counts in eligible.values() for school in counts}
    strata = strata_of(school for school in frame.schools if school.code in asked)
    notes = list(owed.notes)
    issued = {
        group: n if plan.asks_whole(group) else _issued(owed, group, response, n, plan.minimum_count)
        for group, n in numbers.items()
    }
    for group, n in issued.items():
        if n * response < plan.minimum_count:
            notes.append(too_few(group, numbers[group], plan.minimum_count))
    slips: dict[str, dict[str, int]] = {}
    people_of = {group: _people_by_school(strata, counts) for group, counts in eligible.items()}
    if any(plan.asks_whole(group) for group in numbers):
        notes.append(everybody_asked(plan, numbers))
    for group, people in people_of.items():
        if plan.asks_whole(group):
            slips[group] = {name: int(n.sum()) for name, n in people.items()}
            continue
        shares, said = _spread(plan, scheme, group, strata, people)
        notes += said
        room = {name: int(n.sum()) for name, n in people.items()}
        slips[group] = _capped(
            issued[group], shares, room, math.ceil(3 * plan.minimum_count / (2 * response))
        )
    drawn = {stratum.id: _schools_needed(plan, stratum, people_of, slips) for stratum in strata}
    notes += strata_notes(strata)
    return WaveAllocation(
        owed,
        strata,
        drawn,
        eligible,
        lists,
        slips,
        {group: issued[group] for group in lists},
        numbers,
        tuple(notes),
    )


def _people_by_school(strata: Sequence[Stratum], counts: Mapping[str, int]) -> dict[str, Ints]:
    """Stratum → (schools,) eligible persons, in the stratum's order."""
    return {
        stratum.id: np.array([counts.get(school.code, 0) for school in stratum.schools], dtype=np.int64)
        for stratum in strata
    }


def _issued(owed: Owed, group: str, response: Fraction, number: int, minimum_count: int) -> int:
    wanted = Fraction(owed.by_group[group])
    if owed.counts == "valid_forms":
        wanted /= response
    return min(max(math.ceil(wanted), math.ceil(2 * minimum_count / response)), number)


def _schools_needed(
    plan: Plan,
    stratum: Stratum,
    people_of: Mapping[str, Mapping[str, Ints]],
    slips: Mapping[str, Mapping[str, int]],
) -> int:
    """Schools to draw in a stratum: at least two, and enough to hand out its slips sensibly."""
    in_frame = len(stratum.schools)
    if any(plan.asks_whole(group) and counts[stratum.id].any() for group, counts in people_of.items()):
        return in_frame
    if plan.sample.schools_per_stratum is not None:
        return min(max(plan.sample.schools_per_stratum, 2), in_frame)
    per_school = plan.sample.slips_per_school or SLIPS_PER_SCHOOL
    needed = 2
    for group, counts in people_of.items():
        people = int(counts[stratum.id].sum())
        wanted = slips[group][stratum.id]
        if wanted:
            needed = max(
                needed, math.ceil(wanted / per_school), math.ceil(ENOUGH_PEOPLE * wanted * in_frame / people)
            )
    return min(needed, in_frame)


def _capped(total: int, shares: Mapping[str, float], room: Mapping[str, int], enough: int) -> dict[str, int]:
    """Whole slips by stratum in proportion to `shares`, none above its people; what overflows moves on.

    Args:
        enough: slips from which a stratum's answers may be shown; half an even share is kept for it.
    """
    names = [name for name in shares if room[name] > 0]
    # A stratum's answers should stand on their own feet where the total allows it.
    least = {name: min(room[name], enough, max(total // (2 * len(names)), 2)) for name in names}
    total = max(total, sum(least.values()))
    full: dict[str, int] = {}
    while True:
        free = [name for name in names if name not in full]
        rest = min(total - sum(full.values()), sum(room[name] for name in free))
        minima = [least[name] for name in free]
        quotas = dict(
            zip(free, largest_remainder(rest, [Fraction(shares[name]) for name in free], minima), strict=True)
        )
        over = {name: room[name] for name, quota in quotas.items() if quota > room[name]}
        if not over:
            return {name: full.get(name, quotas.get(name, 0)) for name in shares}
        full |= over


def _spread(
    plan: Plan, scheme: Scheme, group: str, strata: Sequence[Stratum], eligible: Mapping[str, Ints]
) -> tuple[dict[str, float], list[Fault]]:
    """Each stratum's share of a group's slips, and what could not be kept of the scheme's wishes."""
    people = {stratum.id: int(eligible[stratum.id].sum()) for stratum in strata}
    total = sum(people.values())
    shares = {name: n / total for name, n in people.items()}
    margins: list[_Margin] = []
    rule = scheme.allocation
    if rule.places is not None:
        margins.append(_place_margin(plan, scheme, strata, eligible))
    if group in rule.band_groups:
        margins.append(_band_margin(plan, scheme, group, strata, eligible))
    for _ in range(500):
        if all(margin.holds(shares) for margin in margins):
            break
        for margin in margins:
            shares = margin.scaled(shares)
        # Half of its share by people is the least a stratum gets: nobody's weight doubles, nobody is left out.
        shares = {name: max(share, people[name] / total / 2) for name, share in shares.items()}
    said = [
        Fault(
            "sampling.spread_not_met",
            f"{GROUP_NAMES[group]}的{margin.what}做不到方案要的比例，已尽量接近",
            "报告会写明；可以核对名册的城乡分类和各年级人数",
            item=group,
        )
        for margin in margins
        if not margin.holds(shares)
    ]
    return shares, said


@dataclass(frozen=True)
class _Margin:
    """A wish about how a group falls: each stratum's parts, the shares aimed at, and the tolerance."""

    what: str
    parts: Mapping[str, Mapping[str, float]]
    target: Mapping[str, float]
    tolerance: Mapping[str, float]

    def current(self, shares: Mapping[str, float]) -> dict[str, float]:
        """The share of each part under these shares of strata."""
        return {
            part: sum(shares[name] * parts.get(part, 0.0) for name, parts in self.parts.items())
            for part in self.target
        }

    def holds(self, shares: Mapping[str, float]) -> bool:
        """Whether every part lies within 95% of its tolerance, leaving room for whole slips."""
        now = self.current(shares)
        return all(abs(now[part] - self.target[part]) <= 0.95 * self.tolerance[part] for part in self.target)

    def scaled(self, shares: Mapping[str, float]) -> dict[str, float]:
        """Shares one step closer: each stratum times the mean of what its parts lack of the nearer edge."""
        now = self.current(shares)
        room = {part: 0.9 * width for part, width in self.tolerance.items()}
        aims = {
            part: min(max(now[part], aim - room[part]), aim + room[part]) for part, aim in self.target.items()
        }
        lack = {part: aim / now[part] if now[part] > 0 else 1.0 for part, aim in aims.items()}
        moved = {
            name: share * sum(weight * lack.get(part, 1.0) for part, weight in self.parts[name].items())
            for name, share in shares.items()
        }
        total = sum(moved.values())
        return {name: share / total for name, share in moved.items()}


def place_shares(plan: Plan, scheme: Scheme, strata: Sequence[Stratum]) -> dict[str, float]:
    """The share of forms each place should have: the scheme's, the plan's, or else the frame's pupils.

    Places without a school are left out and the others keep their proportions.
    """
    rule = scheme.allocation.places
    of_place = np.zeros(len(PLACES), dtype=np.int64)
    for stratum in strata:
        np.add.at(of_place, stratum.place_of, stratum.pupils)
    pupils = dict(zip(PLACES, of_place.tolist(), strict=True))
    if rule is not None and rule.shares is not None:
        # A scheme that knows two kinds of place counts the third with the towns (its `kinds` say so).
        wished = {place: float(share) for place, share in rule.shares.items()}
        if "urban" not in wished and pupils["urban"]:
            together = pupils["urban"] + pupils["town"]
            town = wished.get("town", 0.0)
            wished |= {"urban": town * pupils["urban"] / together, "town": town * pupils["town"] / together}
    elif plan.place_shares is not None:
        wished = {place: float(fraction(share)) for place, share in plan.place_shares.items()}
    else:
        wished = {place: float(n) for place, n in pupils.items()}
    kept = {place: wished.get(place, 0.0) for place in PLACES if pupils[place]}
    total = sum(kept.values())
    return {
        place: share / total if total else pupils[place] / sum(pupils.values())
        for place, share in kept.items()
    }


def _place_margin(
    plan: Plan, scheme: Scheme, strata: Sequence[Stratum], eligible: Mapping[str, Ints]
) -> _Margin:
    target = place_shares(plan, scheme, strata)
    rule = scheme.allocation.places
    assert rule is not None
    parts = {
        stratum.id: _parts(
            PLACES,
            eligible[stratum.id],
            np.arange(len(stratum.schools)),
            stratum.place_of,
            np.ones(len(stratum.schools)),
        )
        for stratum in strata
    }
    present = {place for weights in parts.values() for place in weights}
    target = {place: share for place, share in target.items() if place in present}
    total = sum(target.values())
    return _Margin(
        "、".join(PLACE_NAMES[place] for place in target),
        parts,
        {place: share / total for place, share in target.items()},
        dict.fromkeys(target, float(rule.within)),
    )


def _band_margin(
    plan: Plan, scheme: Scheme, group: str, strata: Sequence[Stratum], eligible: Mapping[str, Ints]
) -> _Margin:
    entry = plan.group(group)
    youngest = entry.from_grade if entry is not None else None
    band_of = {
        KINDERGARTEN_YEARS[grade] if isinstance(grade, str) else grade: band.zh
        for band in scheme.allocation.bands
        for grade in band.grades
    }

    names = [band.zh for band in scheme.allocation.bands]
    parts = {
        stratum.id: _band_parts(names, band_of, youngest, stratum, eligible[stratum.id]) for stratum in strata
    }
    # A band counts as one of the equals only if it is whole: pupils from grade 4 have no first band.
    whole = [
        band.zh for band in scheme.allocation.bands if any(band.zh in weights for weights in parts.values())
    ]
    within = scheme.document["allocation"]["grade_bands"]["about_equal_within"]
    tolerance = float(fraction(within)) / len(whole) if whole else 0.0
    return _Margin(
        "各年级段", parts, {band: 1 / len(whole) for band in whole}, dict.fromkeys(whole, tolerance)
    )


def _band_parts(
    names: Sequence[str], band_of: Mapping[int, str], youngest: int | None, stratum: Stratum, people: Ints
) -> dict[str, float]:
    """What shares of a stratum's eligible persons fall into each grade band, by each school's own pupils."""
    school, grade, pupils = stratum.pupils_by_grade
    place = {number: names.index(name) for number, name in band_of.items()}
    counted = [number for number in place if youngest is None or number >= youngest]
    kept = np.isin(grade, counted)
    school, grade, pupils = school[kept], grade[kept], pupils[kept]
    band = np.zeros(len(grade), dtype=np.int64)
    for number in counted:
        band[grade == number] = place[number]
    width = max(len(names), 1)
    of_band = np.bincount(school * width + band, pupils, minlength=len(people) * width)
    of_school = np.bincount(school, pupils, minlength=len(people))
    # In the order in which bands are met, school by school: sums of floats depend on it.
    met, first = np.unique(school * width + band, return_index=True)
    pairs = met[np.argsort(first, kind="stable")]
    pairs = pairs[of_school[pairs // width] > 0]
    at = pairs // width
    return _parts(names, people, at, pairs % width, of_band[pairs] / of_school[at])


def _parts(names: Sequence[str], people: Ints, school: Ints, part: Ints, weight: Floats) -> dict[str, float]:
    """What shares of a stratum's eligible persons fall into each part, parts in the order they are met.

    Args:
        people: (schools,) eligible persons.
        school, part, weight: school by school, which part some of its people fall into, and what share.
    """
    total = int(people.sum())
    if len(part) == 0:
        return {}
    moved = weight * people[school] / total if total else np.zeros(len(part))
    sums = np.bincount(part, moved, minlength=len(names))
    _, first = np.unique(part, return_index=True)
    return {names[int(part[at])]: float(sums[part[at]]) for at in np.sort(first)}
