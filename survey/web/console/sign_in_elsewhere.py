"""The unified sign-in: to the provider and back. An account that has a one-time code is still asked for it."""

from typing import Any

from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.response import Redirect

from survey.errors import SurveyError
from survey.jobs.manage_accounts import name_subject
from survey.jobs.sign_in_elsewhere import LASTS, Provider
from survey.storage.audit import record_audit
from survey.web.access import anyone, check_query, is_secure, may, person_of, read_form
from survey.web.console.sign_in import first_step_given, own_page
from survey.web.errors import UnknownPageError
from survey.web.pages import AnyRequest

ANSWER = frozenset({"state", "code", "error", "error_description", "error_uri", "iss", "session_state"})


@get("/sign-in/unified", guards=[anyone])
async def go_elsewhere(request: AnyRequest) -> Redirect:
    """On to the provider; nothing is kept here until somebody comes back."""
    query = check_query(request, frozenset({"next"}))
    address, cookie = await _provider(request).begin(
        own_page(query.get("next", "")), now=request.app.state.now()
    )
    return Redirect(path=address, status_code=303, cookies=[_cookie(request, cookie)])


@get("/sign-in/unified/back", guards=[anyone])
async def come_back(request: AnyRequest) -> Response[Any]:
    """In, if the provider names somebody whom an account here is registered for."""
    answer, now = check_query(request, ANSWER), request.app.state.now()
    try:
        account, next_page = await _provider(request).finish(
            request.cookies.get(_cookie_name(request), ""), answer, now=now
        )
    except SurveyError as refusal:
        await record_audit(
            "-", "sign_in_unified", "console", "refused", details={"why": refusal.code}, now=now
        )
        raise
    reply = await first_step_given(request, account, next_page)
    reply.cookies.append(_cookie(request, None))
    return reply


@post("/people/subject", guards=[may("people.manage")], status_code=303)
async def post_subject(request: AnyRequest) -> Redirect:
    """Register who an account is at the provider; an empty field takes it away."""
    form, app = await read_form(request), request.app.state
    await name_subject(
        app.settings,
        str(form.get("name", ""))[:100],
        str(form.get("subject", ""))[:300].strip() or None,
        by=person_of(request),
        actor=person_of(request).name,
        now=app.now(),
    )
    return Redirect(path="/console/people", status_code=303)


ELSEWHERE_ROUTES = (go_elsewhere, come_back, post_subject)


def _provider(request: AnyRequest) -> Provider:
    provider: Provider | None = request.app.state.provider
    if provider is None:
        raise UnknownPageError("统一登录", "没有设置", "请用密码登录")
    return provider


def _cookie_name(request: AnyRequest) -> str:
    return "__Host-sign-in" if is_secure(request.app.state.settings) else "sign-in"


def _cookie(request: AnyRequest, value: str | None) -> Cookie:
    """What binds the way back to this browser; with None the one that removes it."""
    return Cookie(
        key=_cookie_name(request),
        value=value or "",
        path="/",
        httponly=True,
        secure=is_secure(request.app.state.settings),
        samesite="lax",
        max_age=int(LASTS.total_seconds()) if value else 0,
    )
