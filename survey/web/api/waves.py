"""Waves: the list by cursor, and one wave."""

import base64
import binascii

from litestar import Response, get
from litestar.params import FromPath

from survey.errors import SurveyError
from survey.scheme.plan import Plan
from survey.storage.divisions import waves_of
from survey.storage.plans import WaveRow, load_fielded_plan, load_wave
from survey.web.access import check_query, reader_of, token_with
from survey.web.api.answers import answer
from survey.web.api.documents import Links, Wave, WavePage

MOST = 100
DEFAULT = 50
from survey.web.pages import AnyRequest


class BadPageError(SurveyError):
    """The cursor or the size of a page is not one we gave or allow."""

    code = "api.bad_page"
    kind = "refused"

    def __init__(self, what: str) -> None:
        super().__init__("翻页", f"{what}不对", f"limit写1到{MOST}的整数，cursor原样使用上一页的next")


@get("/waves", guards=[token_with("waves:read")])
async def show_waves(request: AnyRequest) -> Response[bytes]:
    """Waves, the newest first, a page at a time."""
    query = check_query(request, frozenset({"limit", "cursor"}))
    limit = _limit(query.get("limit"))
    rows = list(await waves_of(reader_of(request)))
    if cursor := query.get("cursor"):
        rows = _after(rows, cursor)
    page = rows[:limit]
    items = [wave_document(row, await load_fielded_plan(row.wave)) for row in page]
    following = _cursor(page[-1].wave) if len(rows) > limit else None
    return answer(WavePage(items=items, next=following))


@get("/waves/{wave:str}", guards=[token_with("waves:read")])
async def show_wave(request: AnyRequest, wave: FromPath[str]) -> Response[bytes]:
    """One wave."""
    check_query(request, frozenset())
    return answer(wave_document(await load_wave(wave), await load_fielded_plan(wave)))


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


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= MOST):
        raise BadPageError("limit")
    return int(text)


def _cursor(wave: str) -> str:
    return base64.urlsafe_b64encode(wave.encode()).decode().rstrip("=")


def _after(rows: list[WaveRow], cursor: str) -> list[WaveRow]:
    """The rows behind the cursor's wave; waves are never removed, so a cursor we gave is found."""
    try:
        wave = base64.b64decode(
            cursor.encode("ascii") + b"=" * (-len(cursor) % 4), b"-_", validate=True
        ).decode()
    except (binascii.Error, ValueError) as error:
        raise BadPageError("cursor") from error
    for position, row in enumerate(rows):
        if row.wave == wave:
            return rows[position + 1 :]
    raise BadPageError("cursor")
