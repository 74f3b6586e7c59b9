"""Counts of a running wave: nobody gets one under ten by taking published counts from each other."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
import scipy

from survey.fieldwork.progress import DomainReturn, Participation, Tally, participation
from survey.fieldwork.small_counts import SMALLEST_SHOWN

DAY = date(2026, 11, 26)
GROUPS = ("parent", "teacher", "student")
LISTS = ("deputy", "cppcc")


def wave(seed: int) -> list[DomainReturn]:
    """A small county: schools in places, stages and areas, and perhaps lists of the county."""
    rng = np.random.default_rng(seed)
    schools, groups, lists = int(rng.integers(2, 15)), int(rng.integers(1, 4)), int(rng.integers(0, 3))
    mean = rng.choice([5, 15, 60, 300]) / schools
    places, stages, areas = rng.integers(1, 4), rng.integers(1, 4), rng.integers(0, 5)
    returns = []
    for school in range(schools):
        place, stage = f"p{rng.integers(places)}", f"s{rng.integers(stages)}"
        area = f"a{rng.integers(areas)}" if areas else None
        for group in GROUPS[:groups]:
            used = int(rng.negative_binomial(1, 1 / (1 + mean)))
            returns.append(
                DomainReturn(f"{school}-{group}", group, str(school), "", place, stage, used, used, used, area=area)
            )
    for name in LISTS[:lists]:
        used = int(rng.negative_binomial(1, 1 / (1 + rng.choice([3, 20, 60]))))
        returns.append(DomainReturn(name, name, None, "", None, None, used, used, used))
    return returns


def seen_of(returns: list[DomainReturn]) -> Participation:
    return participation(returns, opens_on=DAY, closes_on=DAY, today=DAY)


def narrow(seen: Participation) -> list[tuple[str, float]]:
    """Hidden counts that a reader of all tables together can put within fewer than five values."""
    tables = [table for table in (seen.places, seen.stages, seen.areas) if table]
    cells: list[Tally] = [*seen.groups, *(one for table in tables for one in table)]
    rows, sums = [], []
    if seen.whole.document()["received"] is not None:
        rows.append([float(one in seen.groups) for one in cells])
        sums.append(seen.whole.used)
    for table in tables:
        # A partition adds up to the groups that answer at schools.
        rows.append([(one in table) - float(one in seen.groups and one.key in GROUPS) for one in cells])
        sums.append(0)
    bounds = [_known(one) for one in cells]
    found = []
    for at, one in enumerate(cells):
        if one.document()["received"] is None:
            goal = [float(place == at) for place in range(len(cells))]
            ends = [_end(goal, sign, rows, sums, bounds) for sign in (1, -1)]
            if ends[1] - ends[0] < 5 - 1e-6:
                found.append((one.key, one.used))
    return found


def _known(one: Tally) -> tuple[float, float | None]:
    if (received := one.document()["received"]) is not None:
        return received, received
    return (0, SMALLEST_SHOWN - 1) if one.shown == "<10" else (SMALLEST_SHOWN, None)


def _end(goal: list[float], sign: int, rows: list, sums: list, bounds: list) -> float:
    equal = {"A_eq": rows, "b_eq": sums} if rows else {}
    solved = scipy.optimize.linprog([sign * one for one in goal], bounds=bounds, method="highs", **equal)
    return float("inf") if solved.status == 3 else float(sign * solved.fun)


def attack(seeds: range) -> int:
    """Waves in which something larger than ten was hidden; fails where a small count is given away."""
    hidden = 0
    for seed in seeds:
        seen = seen_of(wave(seed))
        assert narrow(seen) == [], seed
        hidden += "不显示" in {one.shown for one in (*seen.groups, *seen.places, *seen.stages, *seen.areas)}
    return hidden


def test_no_table_of_a_running_wave_gives_a_small_count_away() -> None:
    assert attack(range(40)) > 10


@pytest.mark.slow
def test_no_table_of_two_thousand_waves_gives_a_small_count_away() -> None:
    assert attack(range(2000)) > 500


def test_the_attack_finds_a_county_less_its_areas() -> None:
    seen = seen_of(
        [DomainReturn(str(at), "parent", str(at), "", "p", "s", n, n, n, area=f"a{at}") for at, n in enumerate((7, 40, 60))]
    )
    bare = Participation(
        seen.whole, seen.groups, seen.places, seen.stages, seen.schools, seen.pace,
        tuple(Tally(one.key, one.domains, one.issued, one.used, one.need) for one in seen.areas),
    )  # fmt: skip

    assert narrow(bare) == [("a0", 7)]
    assert [one.shown for one in seen.areas] == ["<10", "不显示", "60"]
    assert narrow(seen) == []


def test_after_closing_every_count_is_public() -> None:
    seen = participation(wave(1), opens_on=DAY, closes_on=DAY, today=DAY, exact=True)

    assert not any(one.is_withheld for one in (*seen.groups, *seen.places, *seen.stages, *seen.areas))
