"""Every address of the answering side, in the order a respondent meets them."""

import logging
import secrets
import traceback
from collections.abc import Callable, Sequence
from datetime import datetime
from time import monotonic

from litestar import Response
from litestar.di import Provide
from litestar.exceptions import HTTPException

from survey.errors import SurveyError
from survey.storage.intake import IntakeBrokenError, IntakeUnreadError
from survey.storage.office import IntakeOffice
from survey.web.respondent.accessibility import show_accessibility
from survey.web.respondent.board import BOARD_ROUTES
from survey.web.respondent.body import UnsentFormError
from survey.web.respondent.check import send_check, show_check
from survey.web.respondent.desk import Desk
from survey.web.respondent.entry import send_dispute, send_entry, show_dispute, show_entry
from survey.web.respondent.form import send_form, show_form
from survey.web.respondent.hear import hear
from survey.web.respondent.left import note_left
from survey.web.respondent.look import read_look
from survey.web.respondent.misses import Misses
from survey.web.respondent.pages import Pages
from survey.web.respondent.posters import send_open_form, show_open, show_open_waves, show_poster
from survey.web.respondent.preview import hear_preview, send_preview, show_preview
from survey.web.respondent.privacy import show_privacy
from survey.web.respondent.reply import AnyRequest, Asked
from survey.web.respondent.thanks import show_receipt, show_thanks
from survey.web.respondent.waves import Waves
from survey.web.routing import OwnRouter

log = logging.getLogger("survey.web.respondent")

RETRY_AFTER_SECONDS = 60
RESTING_RETRY_SECONDS = 600
"""When to come again to a wave that is being read whole or mended."""


def respondent_router(office: IntakeOffice, *, base_url: str, clock: Callable[[], datetime]) -> OwnRouter:
    """The answering side over one intake, with a desk of its own."""
    return router_at(open_desk(office, base_url=base_url, clock=clock))


def open_desk(office: IntakeOffice, *, base_url: str, clock: Callable[[], datetime]) -> Desk:
    """The desk of this process.

    Args:
        office: the intake of all published waves.
        base_url: the public address without a path; receipts lead there.
        clock: aware, in UTC.
    """
    base_url = base_url.rstrip("/")
    return Desk(
        office=office,
        pages=Pages(base_url.partition("://")[2]),
        waves=Waves(monotonic),
        misses=Misses(monotonic),
        clock=clock,
        base_url=base_url,
    )


def router_at(desk: Desk) -> OwnRouter:
    """Every page of the answering side, worked at one desk."""

    async def provide_desk() -> Desk:
        """The one desk of this process; it knows whose survey this is before anything is refused."""
        if not desk.waves.are_read:
            await desk.waves.place()
        return desk

    def refuse(request: AnyRequest, refusal: SurveyError) -> Response[bytes]:
        """A deliberate refusal as a kind page; the draft is still on the phone."""
        return trouble_page(desk, request, refusal)

    def turn_away(request: AnyRequest, failure: HTTPException) -> Response[bytes]:
        """What the framework refuses: a body too large, an address that is none."""
        key = "state.not_found" if failure.status_code in (404, 405) else "state.bad_form"
        return said(desk, request, key, failure.status_code)

    def fail(request: AnyRequest, failure: Exception) -> Response[bytes]:
        """What went wrong with us; the log gets the kind and an incident number, never an answer."""
        return trouble_page(desk, request, failure)

    return OwnRouter(
        "/",
        route_handlers=[
            show_entry,
            send_entry,
            show_form,
            send_form,
            show_thanks,
            show_receipt,
            show_privacy,
            show_accessibility,
            show_preview,
            send_preview,
            hear_preview,
            hear,
            note_left,
            show_dispute,
            send_dispute,
            show_check,
            send_check,
            show_open_waves,
            show_open,
            show_poster,
            send_open_form,
            *BOARD_ROUTES,
        ],
        dependencies={"desk": Provide(provide_desk)},
        exception_handlers={SurveyError: refuse, HTTPException: turn_away, Exception: fail},
        include_in_schema=False,
    )


def trouble_page(desk: Desk, request: Asked, failure: Exception) -> Response[bytes]:
    """The page for whatever was refused or went wrong; it asks the database nothing.

    What was sent is never lost by it: the page holds the form and offers to send it again.
    """
    form: Sequence[tuple[str, str]] = ()
    if isinstance(failure, UnsentFormError):
        form, failure = failure.fields, failure.failure
    if isinstance(failure, SurveyError):
        if isinstance(failure, IntakeBrokenError | IntakeUnreadError):
            return _not_now(desk, request, "state.paused", RESTING_RETRY_SECONDS, form)
        if failure.kind == "busy":
            wait = int(failure.details.get("retry_after", RETRY_AFTER_SECONDS))
            return _not_now(desk, request, "state.busy", wait, form)
        if failure.kind == "not_found":
            return said(desk, request, "state.not_found", 404)
        status = getattr(failure, "status", 400 if failure.kind == "invalid" else 500)
        if status < 500:
            return said(desk, request, "state.bad_form", status)
    return _incident(desk, request, failure, form)


def _not_now(
    desk: Desk, request: Asked, key: str, wait: int, form: Sequence[tuple[str, str]]
) -> Response[bytes]:
    place = desk.waves.last_place
    look = read_look(request.query_params, place.languages)
    lines = [look.words(one) for one in (key, *(["state.kept"] if form else []))]
    return desk.notice(look, place, f"{key}_title", *lines, status=503, retry_after=wait, form=form)


def _incident(
    desk: Desk, request: Asked, failure: Exception, form: Sequence[tuple[str, str]]
) -> Response[bytes]:
    incident = secrets.token_hex(4)
    where = "" if failure.__traceback__ is None else traceback.extract_tb(failure.__traceback__)[-1].name
    log.error("incident %s: %s in %s", incident, type(failure).__name__, where)
    place = desk.waves.last_place
    look = read_look(request.query_params, place.languages)
    first = look.words("state.kept" if form else "state.error")
    told = look.words("state.incident", incident=incident)
    return desk.notice(look, place, "state.error_title", first, told, status=500, form=form)


def said(desk: Desk, request: Asked, key: str, status: int) -> Response[bytes]:
    """A page of one sentence under its title, and where nothing was found a way on."""
    look = read_look(request.query_params, desk.waves.last_place.languages)
    link = ("/s" + look.query, look.words("state.enter_code")) if status in (404, 405) else None
    return desk.notice(look, desk.waves.last_place, f"{key}_title", look.words(key), status=status, link=link)
