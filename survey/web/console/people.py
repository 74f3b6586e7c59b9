"""C15, light: who may sign in, what was done, and one's own password and sessions."""

from typing import Any

from litestar import Response, get, post
from litestar.response import Redirect

from survey.errors import SurveyError
from survey.storage.accounts import list_accounts, set_password
from survey.storage.audit import list_audit, record_audit, verify_audit
from survey.storage.sessions import end_session, end_sessions, list_sessions, start_session
from survey.storage.tokens import list_tokens
from survey.web.access import ROLES, check_query, may, person_of, read_form, session_cookie
from survey.web.console.page import console_page

ACTS_SHOWN = 200
from survey.web.pages import AnyRequest


@get("/people", guards=[may("people.see")])
async def show_people(request: AnyRequest) -> Response[str]:
    """Every account with its roles, and the tokens it answers for."""
    accounts = await list_accounts()
    tokens = [token for account in accounts for token in await list_tokens(account.name)]
    return console_page(
        request,
        "people.html",
        title="人员",
        command="survey account\nsurvey token 用途 --days 365",
        accounts=accounts,
        tokens=tokens,
        role_names=ROLES,
    )


@get("/log", guards=[may("people.see")])
async def show_log(request: AnyRequest) -> Response[str]:
    """The audit trail, newest first, and whether its chain of digests is whole."""
    try:
        entries: int | None = await verify_audit()
        broken = ""
    except SurveyError as refusal:
        entries, broken = None, str(refusal)
    return console_page(
        request,
        "log.html",
        title="操作日志",
        command="",
        acts=await list_audit(limit=ACTS_SHOWN),
        entries=entries,
        broken=broken,
    )


@get("/account", guards=[may("account.own")])
async def show_account(request: AnyRequest) -> Response[str]:
    """One's own account: password and open sessions."""
    query = check_query(request, frozenset({"done"}))
    return await _account_page(request, done=query.get("done", ""))


@post("/account/password", guards=[may("account.own")], status_code=303)
async def post_password(request: AnyRequest) -> Response[Any]:
    """Set one's own password; every other session of the account ends, this one gets a new id."""
    app, person = request.app.state, person_of(request)
    form = await read_form(request)
    password, again = str(form.get("password", "")), str(form.get("again", ""))
    if password != again:
        return await _account_page(request, fault="两次输入的不一样。请重新输入。", status=422)
    try:
        await set_password(person.name, password, now=app.now())
    except SurveyError as refusal:
        return await _account_page(request, fault=f"{refusal.reason}。{refusal.remedy}。", status=422)
    await record_audit(person.name, "set_password", person.name, now=app.now())
    await end_sessions(person.name)
    session_id = await start_session(person.name, now=app.now())
    return Redirect(
        path="/console/account?done=password",
        status_code=303,
        cookies=[session_cookie(app.settings, session_id)],
    )


@post("/account/sessions/end", guards=[may("account.own")], status_code=303)
async def post_end_sessions(request: AnyRequest) -> Redirect:
    """End every session of one's own, this one too."""
    app, person = request.app.state, person_of(request)
    await end_session(request.scope["state"]["session_id"])
    await end_sessions(person.name)
    await record_audit(person.name, "end_sessions", person.name, now=app.now())
    return Redirect(path="/console/sign-in", status_code=303, cookies=[session_cookie(app.settings, None)])


PEOPLE_ROUTES = (show_people, show_log, show_account, post_password, post_end_sessions)


async def _account_page(
    request: AnyRequest, *, fault: str = "", done: str = "", status: int = 200
) -> Response[str]:
    person = person_of(request)
    return console_page(
        request,
        "account.html",
        title="我的账号",
        command=f"survey account {person.name}",
        status=status,
        fault=fault,
        done=done,
        sessions=await list_sessions(person.name, now=request.app.state.now()),
    )
