"""Every route of the API under one address, and its description."""

from typing import Any

from litestar import Response, get
from litestar.handlers import BaseRouteHandler

from survey.web.access import check_query, session_of, token_of
from survey.web.api.answers import answer, check_accept
from survey.web.api.certificates import show_certificate
from survey.web.api.figures import show_areas, show_figure
from survey.web.api.frames import show_frame, show_sample
from survey.web.api.ledger import LEDGER_API
from survey.web.api.openapi import describe_api
from survey.web.api.participation import show_participation
from survey.web.api.records import CONTRACT_ROUTES, show_record, show_records
from survey.web.api.waves import show_wave, show_waves
from survey.web.pages import AnyConnection, AnyRequest
from survey.web.routing import OwnRouter


async def known_reader(connection: AnyConnection, _: BaseRouteHandler) -> None:
    """A guard for the description: any valid token, or anyone signed in at the console."""
    if await session_of(connection) is None:
        token = await token_of(connection)
        connection.app.state.ration.take(token.digest)


@get("/openapi.json", guards=[known_reader])
async def show_description(request: AnyRequest) -> Response[Any]:
    """The OpenAPI document."""
    check_query(request, frozenset())
    return answer(request, describe_api())


def api_router() -> OwnRouter:
    """The API, version 1, and beside it, open to everybody, the contract of its records."""
    return OwnRouter("/", route_handlers=[*CONTRACT_ROUTES, _version_1()])


def _version_1() -> OwnRouter:
    return OwnRouter(
        "/api/v1",
        before_request=check_accept,
        route_handlers=[
            show_description,
            show_waves,
            show_wave,
            show_participation,
            show_figure,
            show_areas,
            show_certificate,
            show_frame,
            show_sample,
            show_records,
            show_record,
            *LEDGER_API,
        ],
    )
