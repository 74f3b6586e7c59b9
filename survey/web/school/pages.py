"""The pages of a school's contact: sign in, hand out, ask for spare slips, print own posters."""

import hashlib
import hmac
from typing import Any

from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath
from litestar.response import Redirect

from survey.errors import Fault
from survey.jobs.school_page import (
    SchoolView,
    hand_out,
    own_posters,
    request_spares,
    school_view,
    take_back,
)
from survey.storage.school_contacts import (
    ABSOLUTE,
    SchoolSession,
    end_school_session,
    find_school_session,
    spend_school_link,
)
from survey.web.access import StaleFormError, anyone, check_origin, check_query, is_secure, read_form
from survey.web.console.page import GROUPS
from survey.web.errors import WebError
from survey.web.files import download
from survey.web.pages import CHINA, AnyConnection, AnyRequest, html
from survey.web.parts import LINES_ON_A_PAGE, part_of
from survey.web.routing import OwnRouter

PAPERS = {"a3": "A3", "a4": "A4", "a5": "A5"}
STATES = {"asked": "等督导部门答复", "granted": "已同意，请去领", "declined": "没有同意"}


class SchoolLinkError(WebError):
    """Nobody is signed in here, or the link was used or is too old."""

    code = "school.link"
    status = 401

    def __init__(self) -> None:
        super().__init__(
            "学校页面", "登录链接已经用过或过期，或者登录已经结束", "请督导部门再发一个一次性链接"
        )


async def school_contact(connection: AnyConnection, _: BaseRouteHandler) -> None:
    """A guard that lets pass a contact's session, and nothing else."""
    app = connection.app.state
    session_id = connection.cookies.get(_cookie_name(connection), "")
    session = await find_school_session(session_id, now=app.now()) if session_id else None
    if session is None:
        raise SchoolLinkError
    connection.scope["state"]["school"] = session
    connection.scope["state"]["school_key"] = _form_key(session_id)


@get("/in/{token:str}", guards=[anyone])
async def show_link(request: AnyRequest, token: FromPath[str]) -> Response[str]:
    """One button; opening the link spends nothing."""
    return html("school/link.html", token=token)


@post("/in/{token:str}", guards=[anyone], status_code=303)
async def post_link(request: AnyRequest, token: FromPath[str]) -> Redirect:
    """Spend the link and begin a session with a new id."""
    check_origin(request)
    session_id = await spend_school_link(token, now=request.app.state.now())
    if session_id is None:
        raise SchoolLinkError
    return Redirect(path="/school", status_code=303, cookies=[school_cookie(request, session_id)])


@get("/", guards=[school_contact])
async def show_school(request: AnyRequest) -> Response[str]:
    """The school's page."""
    return await _page(request, await _view(request))


@get("/posters/{paper:str}", guards=[school_contact])
async def download_own_posters(request: AnyRequest, paper: FromPath[str]) -> Response[bytes]:
    """The school's own posters, one group a page; with `language` also a page in that language each."""
    app, session = request.app.state, _session(request)
    language = check_query(request, frozenset({"language"})).get("language", "zh")
    pdf = await own_posters(app.settings, session, paper, language, now=app.now())
    also = "" if language == "zh" else f"_{language}"
    return download(pdf, f"{session.school_code}_海报{paper.upper()}{also}.pdf")


@post("/handouts", guards=[school_contact], status_code=303)
async def post_handout(request: AnyRequest) -> Response[str] | Redirect:
    """Tick that a class has its slips, or take the tick back."""
    form, session, now = await _form(request), _session(request), _today(request)
    if form.get("act") == "take_back":
        await take_back(session, form.get("group", ""), form.get("class_name", ""), now=now)
        return Redirect(path="/school", status_code=303)
    view = await _view(request)
    group, class_name, n, on = (form.get(name, "") for name in ("group", "class_name", "n", "on"))
    faults = await hand_out(view, session, group, class_name, n, on, now=now)
    return await _page(request, view, form, faults) if faults else Redirect(path="/school", status_code=303)


@post("/spares", guards=[school_contact], status_code=303)
async def post_spares(request: AnyRequest) -> Response[str] | Redirect:
    """Ask the bureau for spare slips."""
    form, session, now = await _form(request), _session(request), _today(request)
    view = await _view(request)
    group, n, reason = (form.get(name, "") for name in ("spare_group", "spare_n", "reason"))
    faults = await request_spares(view, session, group, n, reason, now=now)
    return await _page(request, view, form, faults) if faults else Redirect(path="/school", status_code=303)


@post("/out", guards=[school_contact], status_code=303)
async def post_out(request: AnyRequest) -> Redirect:
    """Sign out."""
    await _form(request)
    await end_school_session(_session(request))
    return Redirect(path="/", status_code=303, cookies=[school_cookie(request, None)])


def school_router() -> OwnRouter:
    """Everything under /school."""
    return OwnRouter(
        "/school",
        route_handlers=[
            show_link,
            post_link,
            show_school,
            download_own_posters,
            post_handout,
            post_spares,
            post_out,
        ],
        include_in_schema=False,
    )


async def _page(
    request: AnyRequest,
    view: SchoolView,
    form: dict[str, str] | None = None,
    faults: tuple[Fault, ...] = (),
) -> Response[str]:
    return html(
        "school/school.html",
        422 if faults else 200,
        view=view,
        handouts=part_of(request, view.handouts, LINES_ON_A_PAGE, beside=("requests",)),
        requests=part_of(request, view.requests, LINES_ON_A_PAGE, "requests", beside=("page",)),
        groups={group: GROUPS.get(group, group) for group in view.slips},
        papers=PAPERS,
        states=STATES,
        today=_today(request).date().isoformat(),
        typed=form or {},
        faults={fault.item: f"{fault.problem}。{fault.remedy}。" for fault in faults},
        school_key=request.scope["state"]["school_key"],
    )


async def _view(request: AnyRequest) -> SchoolView:
    return await school_view(request.app.state.office, _session(request), now=_today(request))


async def _form(request: AnyRequest) -> dict[str, str]:
    """The fields of one of our own forms.

    Raises:
        ForeignRequestError, StaleFormError: another page's, or another session's.
    """
    check_origin(request)
    form: dict[str, Any] = await read_form(request)
    expected = request.scope["state"]["school_key"]
    if not hmac.compare_digest(str(form.get("school_key", "")).encode(), expected.encode()):
        raise StaleFormError
    return {name: str(value) for name, value in form.items()}


def _session(connection: AnyConnection) -> SchoolSession:
    session: SchoolSession = connection.scope["state"]["school"]
    return session


def _today(request: AnyRequest) -> Any:
    return request.app.state.now().astimezone(CHINA)


def _form_key(session_id: str) -> str:
    return hmac.new(session_id.encode(), b"survey/v1/school-form", hashlib.sha256).hexdigest()


def _cookie_name(connection: AnyConnection) -> str:
    return "__Host-school" if is_secure(connection.app.state.settings) else "school"


def school_cookie(request: AnyRequest, session_id: str | None) -> Cookie:
    """The cookie that carries a contact's session; with None the one that removes it."""
    return Cookie(
        key=_cookie_name(request),
        value=session_id or "",
        path="/",
        httponly=True,
        secure=is_secure(request.app.state.settings),
        samesite="lax",
        max_age=int(ABSOLUTE.total_seconds()) if session_id else 0,
    )
