"""Counties side by side, and one county over time: certified figures only, no ranks, every doubt told."""

from typing import Any

from litestar import Response, get
from litestar.params import FromPath

from survey.exact import percent_text
from survey.followup.across import ItemChange, item_changes
from survey.followup.published import PublishedWave
from survey.jobs.look_across import County, look_across, look_at_county
from survey.storage.divisions import waves_of
from survey.web.access import may, person_of
from survey.web.console.charts import SlopeChart, dot_chart, slope_chart
from survey.web.console.page import GROUPS, console_page
from survey.web.pages import CHINA, AnyRequest


@get("/counties", guards=[may("results.see")])
async def show_counties(request: AnyRequest) -> Response[str]:
    """The newest certified figure of every county, how surely it differs, and what needs a look."""
    app = request.app.state
    seen = await look_across(app.office, await waves_of(person_of(request)), now=app.now().astimezone(CHINA))
    lines = [_line(county.name, county.newest) for county in seen.counties]
    return console_page(
        request,
        "counties.html",
        title="各县",
        command="survey counties",
        counties=[(county, county.newest, seen.against[county.newest.wave]) for county in seen.counties],
        chart=dot_chart("各县的满意度", lines, _one_line([one.newest for one in seen.counties]), by_value=False),
        warnings=seen.warnings,
    )


@get("/counties/{code:str}", guards=[may("results.see")])
async def show_county(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """One county from wave to wave: each change with its interval and its test."""
    county, warnings = await look_at_county(code, await waves_of(person_of(request)))
    return console_page(
        request,
        "county.html",
        title=county.name,
        crumbs=(("各县", "/console/counties"),),
        command=f"survey counties {code}",
        county=county,
        waves=list(zip(county.closed_on, county.waves, strict=True)),
        chart=dot_chart(f"{county.name}历次的满意度", _by_time(county), _one_line(county.waves), by_value=False),
        titles={wave.wave: f"{wave.title}（{day[:7]}）" for day, wave in zip(county.closed_on, county.waves, strict=True)},
        changes=[(change, _points(change.difference)) for change in county.changes],
        warnings=warnings,
        items=_items(county),
    )


COUNTY_ROUTES = (show_counties, show_county)


def _items(county: County) -> list[tuple[str, SlopeChart, list[tuple[ItemChange, dict[str, str] | None]]]]:
    """Every group's items from the last wave but one to the last: a chart, and its table's rows."""
    if len(county.waves) < 2:
        return []
    before, after = (day[:7] for day in county.closed_on[-2:])
    found: dict[str, list[ItemChange]] = {}
    for change in item_changes(*county.waves[-2:]):
        found.setdefault(change.after.group, []).append(change)
    return [
        (
            GROUPS.get(group, group),
            slope_chart(f"{GROUPS.get(group, group)}逐题的变化", before, after, changes),
            [(change, _points(change.difference)) for change in changes],
        )
        for group, changes in found.items()
    ]


def _line(name: str, wave: PublishedWave) -> dict[str, Any]:
    """A wave as a row of a chart."""
    interval = {"lower": wave.lower, "upper": wave.upper} if wave.lower and wave.upper else None
    return {
        "name": name,
        "shown": wave.whole.shown,
        "percent": percent_text(wave.whole.shown),
        "interval": interval,
    }


def _by_time(county: County) -> list[dict[str, Any]]:
    return [_line(day[:7], wave) for day, wave in zip(county.closed_on, county.waves, strict=True)]


def _one_line(waves: Any) -> str | None:
    """The line to draw, where all waves have the same."""
    lines = {wave.threshold for wave in waves}
    return lines.pop() if len(lines) == 1 else None


def _points(change: Any) -> dict[str, str] | None:
    """A difference in percentage points, with its sign; two decimals, as its parts are known."""
    if change is None:
        return None
    return {
        "value": f"{100 * change.value:+.2f}",
        "lower": f"{100 * change.lower:+.2f}",
        "upper": f"{100 * change.upper:+.2f}",
    }
