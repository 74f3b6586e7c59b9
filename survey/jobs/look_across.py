"""Look across waves and counties: trends, comparisons, warnings; from certified results and counts only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from survey.errors import SurveyError
from survey.followup.across import Against, Change, against_each_other, trend
from survey.followup.early_warning import (
    Warning,
    by_gravity,
    warning_of_withdrawal,
    warnings_of_fieldwork,
    warnings_of_results,
)
from survey.followup.findings import weak_points
from survey.followup.published import PublishedWave
from survey.jobs.participation import participation
from survey.jobs.revocations import withdrawn
from survey.storage.areas import area_names
from survey.storage.office import IntakeOffice
from survey.storage.plans import WaveRow, list_waves, load_plans
from survey.storage.results import load_published


class CountyUnknownError(SurveyError):
    """No certified wave belongs to a county of that code."""

    code = "followup.county_unknown"
    kind = "not_found"

    def __init__(self, county_code: str) -> None:
        super().__init__(
            f"县区 {county_code}", "没有它的已签发的调查", "看一看代码；在“各县”页可以看到有哪些"
        )


@dataclass(frozen=True)
class County:
    """A county with its certified waves, the oldest first, and the changes between them."""

    code: str
    name: str
    waves: tuple[PublishedWave, ...]
    closed_on: tuple[str, ...]
    """The last day of each wave."""
    changes: tuple[Change, ...]

    @property
    def newest(self) -> PublishedWave:
        """The wave that closed last."""
        return self.waves[-1]


@dataclass(frozen=True)
class Overview:
    """Every county with its certified waves, how the newest stand to each other, and every warning."""

    counties: tuple[County, ...]
    against: dict[str, Against]
    """Newest wave of a county → how it stands against the others'."""
    warnings: tuple[Warning, ...]


async def look_across(
    office: IntakeOffice | None, rows: Sequence[WaveRow] | None = None, *, now: datetime
) -> Overview:
    """All counties and all warnings.

    Args:
        rows: the waves to look at, as of one branch; None looks at all.
        office: the intakes of running waves; None leaves the warnings of fieldwork out.
        now: in the county's own time zone, since days decide.
    """
    seen_rows = await list_waves() if rows is None else rows
    gone = await withdrawn([row.wave for row in seen_rows])
    counties = await _counties([row for row in seen_rows if row.wave not in gone])
    warnings = [warning for county in counties for warning in _warnings(county)]
    warnings += [warning_of_withdrawal(row.wave, row.county, gone[row.wave]) for row in seen_rows if row.wave in gone]
    if office is not None:
        for row in seen_rows:
            if row.state in ("open", "paused") and row.wave not in office.damaged():
                seen = await participation(office, row.wave, now=now)
                warnings += warnings_of_fieldwork(row.wave, row.county, seen, await area_names())
    return Overview(
        counties, against_each_other([county.newest for county in counties]), tuple(by_gravity(warnings))
    )


async def look_at_county(
    county_code: str, rows: Sequence[WaveRow] | None = None
) -> tuple[County, tuple[Warning, ...]]:
    """One county over time, and what its newest result warns of.

    Args:
        rows: the waves to look at, as of one branch; None looks at all.

    Raises:
        CountyUnknownError: no certified wave has that county.
    """
    seen_rows = await list_waves() if rows is None else rows
    gone = await withdrawn([row.wave for row in seen_rows])
    for county in await _counties([row for row in seen_rows if row.wave not in gone]):
        if county.code == county_code:
            return county, tuple(by_gravity(_warnings(county)))
    raise CountyUnknownError(county_code)


def _warnings(county: County) -> tuple[Warning, ...]:
    last = county.changes[-1] if county.changes else None
    return warnings_of_results(county.name, county.newest, weak_points(county.newest), last)


async def _counties(every: Sequence[WaveRow]) -> tuple[County, ...]:
    rows = [row for row in every if row.state == "certified"]
    names = [row.wave for row in rows]
    plans, published = await load_plans(names), await load_published(names)
    of_county: dict[str, list[tuple[str, str, str]]] = {}
    for row in rows:
        plan = plans[row.wave]
        of_county.setdefault(plan.county_code, []).append((str(plan.closes_on), row.wave, row.county))
    counties = []
    for code in sorted(of_county):
        ordered = sorted(of_county[code])
        waves = tuple(published[wave] for _, wave, _ in ordered)
        counties.append(
            County(code, ordered[-1][2], waves, tuple(day for day, _, _ in ordered), trend(waves))
        )
    return tuple(counties)
