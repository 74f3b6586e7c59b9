"""Participation: what the plan needs and what has come, never an answer."""

from typing import Any

from litestar import Response, get
from litestar.params import FromPath
from msgspec.structs import replace

from survey.errors import SurveyError
from survey.estimation.wave_tables import NO_AREA
from survey.fieldwork.progress import Tally
from survey.jobs.participation import participation
from survey.sampling.frame import PLACE_NAMES
from survey.scheme.plan_words import STAGE_NAMES
from survey.storage.areas import area_names
from survey.storage.plans import load_wave
from survey.web.access import check_query, token_with
from survey.web.api.answers import answer
from survey.web.api.documents import Participation, Share
from survey.web.console.page import GROUPS, PUBLISHED, state_reached
from survey.web.pages import CHINA, AnyRequest


class NotPublishedError(SurveyError):
    """No slip exists yet, so nobody can have taken part."""

    code = "api.not_published"
    kind = "conflict"

    def __init__(self, state_name: str) -> None:
        super().__init__("参与情况", f"还没有填写码，现在是“{state_name}”", "签署方案以后再来取")


@get("/waves/{wave:str}/participation", guards=[token_with("participation:read")])
async def show_participation(request: AnyRequest, wave: FromPath[str]) -> Response[Any]:
    """Counts of a published wave; under ten they are withheld until it has closed."""
    check_query(request, frozenset())
    row = await load_wave(wave)
    if row.state not in PUBLISHED:
        raise NotPublishedError(row.state_name)
    seen = await participation(request.app.state.office, wave, now=request.app.state.now().astimezone(CHINA))
    exact = state_reached(row.state, "closed")
    document = Participation(
        wave=wave,
        state=row.state,
        as_of=request.app.state.now().isoformat(timespec="seconds"),
        required=seen.whole.need,
        issued=seen.whole.issued,
        returned=_count(seen.whole, exact),
        groups=_shares(seen.groups, GROUPS, exact),
        places=_shares(seen.places, PLACE_NAMES, exact),
        areas=_shares(seen.areas, {**await area_names(), "": NO_AREA}, exact),
        stages=_shares(seen.stages, STAGE_NAMES, exact),
        schools_without_return=len(seen.empty_schools),
    )
    return answer(request, document, same=replace(document, as_of=""))


def _shares(tallies: tuple[Tally, ...], names: dict[str, str], exact: bool) -> list[Share]:
    return [
        Share(
            name=tally.key,
            label=names.get(tally.key, tally.key),
            required=tally.need,
            returned=_count(tally, exact),
        )
        for tally in tallies
    ]


def _count(tally: Tally, exact: bool) -> str:
    return str(tally.used) if exact else tally.shown
