"""Waves: the list by cursor, and one wave."""

from typing import Any

from litestar import Response, get
from litestar.params import FromPath

from survey.scheme.plan import Plan
from survey.storage.divisions import waves_of
from survey.storage.plans import WaveRow, load_fielded_plan, load_fielded_plans, load_wave
from survey.web.access import check_query, reader_of, token_with
from survey.web.api.answers import answer
from survey.web.api.documents import Links, Wave, WavePage
from survey.web.api.paging import page_asked, page_of
from survey.web.pages import AnyRequest


@get("/waves", guards=[token_with("waves:read")])
async def show_waves(request: AnyRequest) -> Response[Any]:
    """Waves, the newest first, a page at a time."""
    asked = page_asked(request)
    page, following = page_of(await own_waves(request), asked, lambda row: row.wave)
    plans = await load_fielded_plans([row.wave for row in page])
    items = [wave_document(row, plans[row.wave]) for row in page]
    return answer(request, WavePage(items=items, next=following))


@get("/waves/{wave:str}", guards=[token_with("waves:read")])
async def show_wave(request: AnyRequest, wave: FromPath[str]) -> Response[Any]:
    """One wave."""
    check_query(request, frozenset())
    return answer(request, wave_document(await load_wave(wave), await load_fielded_plan(wave)))


async def own_waves(request: AnyRequest) -> list[WaveRow]:
    """The waves of the token's branch, the newest first, in one order also where two were made at once."""
    rows = await waves_of(reader_of(request))
    return sorted(rows, key=lambda row: (row.created_at, row.wave), reverse=True)


def wave_document(row: WaveRow, plan: Plan) -> Wave:
    """A wave as the API says it."""
    address = f"/api/v1/waves/{row.wave}"
    return Wave(
        wave=row.wave,
        title=row.title,
        county=row.county,
        county_code=plan.county_code,
        office=plan.office,
        scheme=plan.scheme,
        state=row.state,
        state_name=row.state_name,
        demonstration=row.demonstration,
        opens_on=str(plan.opens_on),
        closes_on=str(plan.closes_on),
        results_on=str(plan.results_on),
        groups=[group.group for group in plan.groups],
        links=Links(
            self=address,
            participation=f"{address}/participation",
            figure=f"{address}/figure",
            certificate=f"{address}/certificate",
        ),
    )
