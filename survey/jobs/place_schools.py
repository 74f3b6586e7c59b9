"""Put a wave's schools into responsibility areas: by hand, from a pasted list, or as in the last wave.

The frame stays as it was signed; a school may move in the middle of a wave. Whoever moved which
school from where to where is in the audit trail.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from survey.errors import Fault, FaultsError, SurveyError
from survey.scheme.divisions import county_of_area, parent_of, plain_division
from survey.storage.areas import (
    Area,
    areas_of,
    areas_under,
    assign_areas,
    end_area,
    list_areas,
)
from survey.storage.audit import record_audit
from survey.storage.current import transaction
from survey.storage.divisions import local_divisions, save_local_division
from survey.storage.frames import find_frame
from survey.storage.plans import list_waves, load_wave
from survey.storage.samples import find_sample

MOST_LINES = 5000
MOST_AREAS = 99
"""In force in one county; real ones have some ten to thirty, and one page shows them all."""
NONE_SIGNS = frozenset({"", "-", "–", "无", "none"})
"""What a line may say for: in no area."""


class NoEarlierAreasError(SurveyError):
    """No other wave of the county has areas that could be copied."""

    code = "areas.none_earlier"
    kind = "conflict"

    def __init__(self, county: str) -> None:
        super().__init__(f"{county}的责任区", "没有别的调查划过责任区", "在这一页划一次，以后就可以照抄")


class NoCountyDigitsError(SurveyError):
    """The wave's county has no national code above it, so its areas could not be numbered."""

    code = "areas.no_county"
    kind = "conflict"

    def __init__(self, county_code: str) -> None:
        super().__init__(
            f"区划代码 {county_code}", "不知道它属于哪个县", "先用 survey division 登记它的上级，再建责任区"
        )


@dataclass(frozen=True)
class PlacedSchool:
    """A school of the frame: its area, and whether it was drawn."""

    code: str
    name: str
    area: str | None
    drawn: bool


@dataclass(frozen=True)
class Placing:
    """Areas of a county and the schools of one wave in them."""

    areas: tuple[Area, ...]
    """Those in force; a school may still lie in one that was given up."""
    names: Mapping[str, str]
    schools: tuple[PlacedSchool, ...]

    @property
    def counts(self) -> Counter[str]:
        """Area → schools; the empty key counts those in none."""
        return Counter(school.area or "" for school in self.schools)

    @property
    def drawn(self) -> Counter[str]:
        """The same of drawn schools."""
        return Counter(school.area or "" for school in self.schools if school.drawn)


async def placing_of(wave: str) -> Placing:
    """How a wave's schools lie in areas; below the county only one's own."""
    row, frame, sample = await load_wave(wave), await find_frame(wave), await find_sample(wave)
    lies_in, drawn = await areas_of(wave), set(sample.schools if sample else ())
    every = await list_areas()
    schools = tuple(
        PlacedSchool(school.code, school.name, lies_in.get(school.code), school.code in drawn)
        for school in (frame.schools if frame else ())
    )
    return Placing(await areas_under(row.county_code), {one.code: one.name for one in every}, schools)


async def place_schools(
    wave: str, wanted: Mapping[str, str | None], *, actor: str, now: datetime
) -> dict[str, tuple[str | None, str | None]]:
    """Put schools into areas; school → (before, after) of those that moved.

    Raises:
        WaveNotFoundError, AreaUnknownError, SchoolNotListedError.
    """
    async with transaction():
        moved = await assign_areas(wave, wanted)
        if moved:
            details = {school: [before or "", after or ""] for school, (before, after) in sorted(moved.items())}
            await record_audit(actor, "place_schools", wave, details=details, now=now)
    return moved


async def place_listed(
    wave: str, text: str, *, actor: str, now: datetime
) -> dict[str, tuple[str | None, str | None]]:
    """Put schools into areas by a list, one school a line: its code, then the area's name or code.

    Raises:
        FaultsError: every line that cannot be read, with its number.
    """
    placing = await placing_of(wave)
    by_text = {one.name: one.code for one in placing.areas} | {one.code: one.code for one in placing.areas}
    known = {school.code for school in placing.schools}
    wanted: dict[str, str | None] = {}
    faults: list[Fault] = []
    lines = [line for line in text.splitlines() if line.strip()]
    for row, line in enumerate(lines[:MOST_LINES], 1):
        school, _, place = (part.strip() for part in re.sub(r"[\t,，;；]+", "\t", line.strip()).partition("\t"))
        area = by_text.get(place, by_text.get(place.upper()))
        if school not in known:
            faults.append(Fault("areas.school_not_listed", f"“{school[:20]}”不在名册里", "写10位学校标识码", row=row))
        elif area is None and place.lower() not in NONE_SIGNS:
            problem = f"没有登记过责任区“{place[:20]}”"
            faults.append(Fault("areas.unknown", problem, "写登记过的名称或代码；不划入的写“无”", row=row))
        elif school in wanted:
            faults.append(Fault("areas.twice", f"学校{school}写了两行", "一所学校留一行", row=row))
        else:
            wanted[school] = area
    if len(lines) > MOST_LINES:
        faults.append(Fault("areas.too_many", f"有{len(lines)}行", f"一次不超过{MOST_LINES}行"))
    if not lines:
        faults.append(Fault("areas.empty", "一行也没有", "一行写一所学校：标识码，责任区"))
    if faults:
        raise FaultsError("责任区的清单", tuple(faults[:100]))
    return await place_schools(wave, wanted, actor=actor, now=now)


async def copy_areas(wave: str, *, actor: str, now: datetime) -> tuple[str, int]:
    """Put the schools that lie in no area where they lay in the county's last wave that had areas.

    Returns:
        The wave that was copied from, and how many schools moved.

    Raises:
        NoEarlierAreasError: there is none.
    """
    row = await load_wave(wave)
    known = {one.code for one in await areas_under(row.county_code)}
    here = await areas_of(wave)
    for other in await list_waves():
        if other.wave == wave or other.county_code != row.county_code:
            continue
        there = {school: area for school, area in (await areas_of(other.wave)).items() if area in known}
        if there:
            wanted = {school: there[school] for school, area in here.items() if area is None and school in there}
            return other.wave, len(await place_schools(wave, wanted, actor=actor, now=now))
    raise NoEarlierAreasError(row.county)


async def add_area(wave: str, name: str, code: str = "", *, actor: str, now: datetime) -> Area:
    """Register an area of a wave's county; without a code it gets the next number.

    Raises:
        FaultsError: no name, one that is taken, or more areas than a page can show.
        BadDivisionError, NoCountyDigitsError: a code that will not do.
    """
    row = await load_wave(wave)
    clean = name.strip()
    async with transaction():
        every, digits = await list_areas(), await _county_digits(row.county_code)
        mine = [one for one in every if county_of_area(one.code) == digits]
        if not clean or len(clean) > 40 or not clean.isprintable():
            raise FaultsError("责任区", (Fault("areas.name", "名称没有写，或太长", "写1到40个字，如 第一督学责任区", item="name"),))
        if any(one.name == clean and one.ended_on is None for one in mine):
            raise FaultsError("责任区", (Fault("areas.name_taken", f"已经有“{clean}”", "换一个名称", item="name"),))
        if sum(one.ended_on is None for one in mine) >= MOST_AREAS:
            fault = Fault("areas.many", f"已经有{MOST_AREAS}个责任区", "先撤销不用的", item="name")
            raise FaultsError("责任区", (fault,))
        given = code.strip().upper() or _next_code(digits, [one.code for one in mine])
        if county_of_area(given) != digits or "-" not in given:
            fault = Fault("areas.code", f"代码“{given[:20]}”不合规", f"写成{digits}-02这样，或空着自动编号", item="code")
            raise FaultsError("责任区", (fault,))
        await save_local_division(given, row.county_code, clean)
        await record_audit(actor, "place_division", given, details={"under": row.county_code}, now=now)
    return Area(given, clean)


async def give_area_up(code: str, *, actor: str, now: datetime) -> Area | None:
    """Give an area up: accounts limited to it see nothing from now on; None where there was none in force."""
    async with transaction():
        ended = await end_area(code, now.date())
        if ended is not None:
            await record_audit(actor, "end_area", code, now=now)
    return ended


async def _county_digits(county_code: str) -> str:
    local = await local_divisions()
    at: str | None = plain_division(county_code)
    for _ in range(32):
        if at is None or (at.isdigit() and len(at) == 6):
            break
        at = parent_of(at, local)
    if at is None or len(at) != 6:
        raise NoCountyDigitsError(county_code)
    return at


def _next_code(digits: str, taken: Sequence[str]) -> str:
    """The next number after the highest that was ever given.

    >>> _next_code("360828", ["360828-01", "360828-K2"])
    '360828-02'
    """
    numbers = [int(tail) for code in taken if (tail := code.partition("-")[2]).isdigit()]
    return f"{digits}-{max(numbers, default=0) + 1:02d}"
