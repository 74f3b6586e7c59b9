"""Every route of the API under one address, and its description."""

from litestar import Response, Router, get
from litestar.handlers import BaseRouteHandler

from survey.web.access import session_of, token_of
from survey.web.api.answers import answer
from survey.web.api.certificates import show_certificate
from survey.web.api.figures import show_figure
from survey.web.api.frames import show_frame, show_sample
from survey.web.api.ledger import LEDGER_API
from survey.web.api.openapi import describe_api
from survey.web.api.participation import show_participation
from survey.web.api.waves import show_wave, show_waves
from survey.web.pages import AnyConnection, AnyRequest


async def known_reader(connection: AnyConnection, _: BaseRouteHandler) -> None:
    """A guard for the description: any valid token, or anyone signed in at the console."""
    if await session_of(connection) is None:
        await token_of(connection)


@get("/openapi.json", guards=[known_reader])
async def show_description(request: AnyRequest) -> Response[bytes]:
    """The OpenAPI document."""
    return answer(describe_api())


def api_router() -> Router:
    """The API, version 1."""
    return Router(
        "/api/v1",
        route_handlers=[
            show_description,
            show_waves,
            show_wave,
            show_participation,
            show_figure,
            show_certificate,
            show_frame,
            show_sample,
            *LEDGER_API,
        ],
    )
