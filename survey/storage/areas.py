"""Responsibility areas of a county, and which school of a wave lies in which.

The frame is signed and does not change; which area a school belongs to may change at any time,
so it stands beside the frame. An area that was given up keeps its name for older waves, is
offered no more, and whoever is limited to it sees nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from survey.errors import SurveyError
from survey.scheme.divisions import is_under, level_of
from survey.storage.branch import is_below_county
from survey.storage.current import transaction
from survey.storage.divisions import local_divisions
from survey.storage.plans import load_wave
from survey.storage.school_tables import SchoolAreas
from survey.storage.tables import LocalDivisions

AT_ONCE = 400
"""Rows in one statement; SQLite binds some thousands of values at most."""


class AreaUnknownError(SurveyError):
    """Not an area of this county, or one that was given up."""

    code = "areas.unknown"
    kind = "invalid"

    def __init__(self, code: str, county: str) -> None:
        super().__init__(
            f"督学责任区“{code[:40]}”", f"不是{county}的责任区，或者已经撤销", "从本县登记过的责任区里选；没有就先登记"
        )


class SchoolNotListedError(SurveyError):
    """The wave's frame does not list the school."""

    code = "areas.school_not_listed"
    kind = "not_found"

    def __init__(self, school: str) -> None:
        super().__init__(f"学校 {school[:20]}", "不在这次调查的名册里", "核对标识码，或重新导入名册")


@dataclass(frozen=True)
class Area:
    """A responsibility area: its code, its name, and the day it was given up."""

    code: str
    name: str
    ended_on: str | None = None


async def list_areas() -> tuple[Area, ...]:
    """Every area of every county, those given up too, by code."""
    rows = await LocalDivisions.select().order_by(LocalDivisions.code)
    return tuple(
        Area(row["code"], row["name"], row["ended_on"]) for row in rows if level_of([row["code"]]) == "area"
    )


async def areas_under(county_code: str) -> tuple[Area, ...]:
    """The areas in force of a county, by code."""
    local = await local_divisions()
    return tuple(
        one for one in await list_areas() if one.code in local and is_under(one.code, {county_code}, local)
    )


async def area_names() -> dict[str, str]:
    """Code → name of every area, those given up too."""
    return {one.code: one.name for one in await list_areas()}


async def end_area(code: str, on: date) -> Area | None:
    """Give an area up; None where there is none in force of this code."""
    rows = (
        await LocalDivisions.update({LocalDivisions.ended_on: on.isoformat()})
        .where(LocalDivisions.code == code, LocalDivisions.ended_on.is_null())
        .returning(LocalDivisions.code, LocalDivisions.name)
    )
    return Area(rows[0]["code"], rows[0]["name"], on.isoformat()) if rows else None


async def list_schools(wave: str, schools: Iterable[str]) -> None:
    """Keep a row for each school of a frame that was just imported; a school that was there keeps its area."""
    wanted = set(schools)
    async with transaction():
        there = await areas_of(wave)
        gone = sorted(there.keys() - wanted)
        for at in range(0, len(gone), AT_ONCE):
            await SchoolAreas.delete().where(
                SchoolAreas.wave == wave, SchoolAreas.school_code.is_in(gone[at : at + AT_ONCE])
            )
        new = [SchoolAreas(wave=wave, school_code=code) for code in sorted(wanted - there.keys())]
        for at in range(0, len(new), AT_ONCE):
            await SchoolAreas.insert(*new[at : at + AT_ONCE])


async def areas_of(wave: str) -> dict[str, str | None]:
    """School → its area's code, for every school of the wave's frame that may be seen."""
    rows = await SchoolAreas.select(SchoolAreas.school_code, SchoolAreas.area).where(SchoolAreas.wave == wave)
    return {row["school_code"]: row["area"] for row in rows}


async def own_schools(wave: str) -> frozenset[str] | None:
    """The schools somebody below the county may see; None where all may be seen."""
    return frozenset(await areas_of(wave)) if is_below_county() else None


async def assign_areas(
    wave: str, wanted: Mapping[str, str | None]
) -> dict[str, tuple[str | None, str | None]]:
    """Put schools of a wave into areas of its county, or with None into none.

    Returns:
        School → (area before, area after), of those that moved.

    Raises:
        AreaUnknownError: an area of another county, or one that was given up.
        SchoolNotListedError: a school that the wave's frame does not list.
    """
    row = await load_wave(wave)
    known = {one.code for one in await areas_under(row.county_code)}
    if bad := sorted({area for area in wanted.values() if area is not None} - known):
        raise AreaUnknownError(bad[0], row.county)
    async with transaction():
        there = await areas_of(wave)
        if strange := sorted(wanted.keys() - there.keys()):
            raise SchoolNotListedError(strange[0])
        moved = {code: (there[code], area) for code, area in wanted.items() if there[code] != area}
        for area in {after for _, after in moved.values()}:
            codes = sorted(code for code, (_, after) in moved.items() if after == area)
            for at in range(0, len(codes), AT_ONCE):
                await SchoolAreas.update({SchoolAreas.area: area}).where(
                    SchoolAreas.wave == wave, SchoolAreas.school_code.is_in(codes[at : at + AT_ONCE])
                )
    return moved


async def waves_of_school(school_code: str) -> tuple[str, ...]:
    """The waves whose frames list a school."""
    rows = await SchoolAreas.select(SchoolAreas.wave).where(SchoolAreas.school_code == school_code)
    return tuple(sorted(row["wave"] for row in rows))
