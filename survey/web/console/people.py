"""C15, light: who may sign in, what was done, and one's own password and sessions."""

from base64 import b64encode
from typing import Any
from urllib.parse import quote, urlsplit

from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.params import FromPath
from litestar.response import Redirect

from survey.errors import SurveyError
from survey.jobs.manage_accounts import end_token, may_manage
from survey.storage.accounts import find_account, list_accounts, set_password
from survey.storage.audit import list_audit, record_audit, verify_audit
from survey.storage.plans import list_waves
from survey.storage.second_factors import (
    begin_second_factor,
    begun_second_factor,
    confirm_second_factor,
    end_second_factor,
    has_second_factor,
    spend_code,
    unused_recovery_codes,
)
from survey.storage.sessions import (
    Session,
    end_session,
    end_session_of,
    end_sessions,
    find_session,
    list_sessions,
    start_session,
)
from survey.storage.subjects import list_subjects
from survey.storage.tokens import list_tokens
from survey.web.access import check_query, may, person_of, read_form, session_cookie
from survey.web.console.device import device_of
from survey.web.console.page import console_page
from survey.web.errors import WebError
from survey.web.pages import AnyRequest
from survey.web.parts import LINES_ON_A_PAGE, Part, part_of
from survey.web.rights import ROLES

ACTS_SHOWN = 200


class SessionGoneError(WebError):
    """The session to be ended is over, or another person's."""

    code = "access.session_gone"
    status = 404

    def __init__(self) -> None:
        super().__init__("登录", "这一处登录已经结束了", "刷新页面看一看")


@get("/people", guards=[may("people.see")])
async def show_people(request: AnyRequest) -> Response[str]:
    """Every account with its roles, and the tokens it answers for."""
    person = person_of(request)
    accounts = [account for account in await list_accounts() if await may_manage(person, account)]
    named = {account.name for account in accounts}
    issuer = request.app.state.settings.oidc_issuer
    tokens = [token for token in await list_tokens() if token.account in named]
    sessions = [one for one in await list_sessions(None, now=request.app.state.now()) if one.account in named]

    def part(name: str, lines: list[Any]) -> Part:
        return part_of(request, lines, LINES_ON_A_PAGE, name, beside=("page", "tokens", "sessions"))

    return console_page(
        request,
        "people.html",
        title="人员",
        command="survey account\nsurvey account 登录名 --display 姓名 --role operator --division 3608\n"
        + ("survey account 登录名 --oidc-subject 标识\n" if request.app.state.provider else "")
        + "survey token 用途 --account 登录名 --days 365\nsurvey token --end 编号",
        accounts=part("page", accounts),
        issuer=issuer,
        subjects=await list_subjects(issuer) if issuer else {},
        tokens=part("tokens", tokens),
        sessions=part("sessions", sessions),
        own_session=_own_session(request),
        role_names=ROLES,
    )


@get("/log", guards=[may("people.see")])
async def show_log(request: AnyRequest) -> Response[str]:
    """The audit trail, newest first, and whether its chain of digests is whole; of a branch its own entries."""
    person, within = person_of(request), None
    asked = check_query(request, frozenset({"before"})).get("before", "")
    before = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else None
    if person.divisions:
        accounts = [account.name for account in await list_accounts() if await may_manage(person, account)]
        within = frozenset([*accounts, *(row.wave for row in await list_waves())])
    try:
        entries: int | None = await verify_audit()
        broken = ""
    except SurveyError as refusal:
        entries, broken = None, str(refusal)
    acts = await list_audit(limit=ACTS_SHOWN, within=within, before=before)
    return console_page(
        request,
        "log.html",
        title="操作日志",
        command=f"survey audit-trail verify\nsurvey audit-trail list --limit {ACTS_SHOWN}",
        acts=acts,
        before=before,
        older=acts[-1].position if len(acts) == ACTS_SHOWN and acts[-1].position else None,
        limited=within is not None,
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
    cookie = await _only_here(request)
    return Redirect(path="/console/account?done=password", status_code=303, cookies=[cookie])


async def _only_here(request: AnyRequest) -> Cookie:
    """End every session of whoever asks and begin a new one here: what lets them in has changed."""
    app, person = request.app.state, person_of(request)
    await end_sessions(person.name)
    session_id = await start_session(person.name, now=app.now(), device=device_of(request))
    # What is written from here on, the form key above all, belongs to the new session.
    request.scope["state"]["session"] = await find_session(session_id, now=app.now())
    request.scope["state"]["session_id"] = session_id
    return session_cookie(app.settings, session_id)


@post("/account/sessions/end", guards=[may("account.own")], status_code=303)
async def post_end_sessions(request: AnyRequest) -> Redirect:
    """End every session of one's own, this one too."""
    app, person = request.app.state, person_of(request)
    await end_session(request.scope["state"]["session_id"])
    await end_sessions(person.name)
    await record_audit(person.name, "end_sessions", person.name, now=app.now())
    return Redirect(path="/console/sign-in", status_code=303, cookies=[session_cookie(app.settings, None)])


@post("/account/sessions/{digest:str}/end", guards=[may("account.own")], status_code=303)
async def post_end_one(request: AnyRequest, digest: FromPath[str]) -> Redirect:
    """End one session of one's own."""
    person = person_of(request)
    await _end(request, digest, person.name)
    return Redirect(path="/console/account", status_code=303)


@post("/people/sessions/{digest:str}/end", guards=[may("people.manage")], status_code=303)
async def post_end_anybodys(request: AnyRequest, digest: FromPath[str]) -> Redirect:
    """End one session of anybody of one's branch."""
    found = [one for one in await list_sessions(None, now=request.app.state.now()) if one.digest == digest]
    account = await find_account(found[0].account) if found else None
    if account is None or not await may_manage(person_of(request), account):
        raise SessionGoneError
    await _end(request, digest, None)
    return Redirect(path="/console/people", status_code=303)


@post("/people/tokens/{token:str}/end", guards=[may("people.manage")], status_code=303)
async def post_end_token(request: AnyRequest, token: FromPath[str]) -> Redirect:
    """收回: a token of an account of one's branch opens nothing any more."""
    person = person_of(request)
    await end_token(token, by=person, actor=person.name, now=request.app.state.now())
    return Redirect(path="/console/people", status_code=303)


async def _end(request: AnyRequest, digest: str, name: str | None) -> None:
    whose = await end_session_of(digest, name)
    if whose is None:
        raise SessionGoneError
    await record_audit(person_of(request).name, "end_session", whose, now=request.app.state.now())


def _own_session(request: AnyRequest) -> str:
    session: Session | None = request.scope["state"].get("session")
    return session.digest if session else ""


@post("/account/code/begin", guards=[may("account.own")], status_code=303)
async def post_begin_code(request: AnyRequest) -> Redirect:
    """Draw a secret for the phone; it is asked for once a code of it was confirmed."""
    await begin_second_factor(request.app.state.settings, person_of(request).name)
    return Redirect(path="/console/account#second-factor", status_code=303)


@post("/account/code", guards=[may("account.own")], status_code=200)
async def post_code(request: AnyRequest) -> Response[str]:
    """Confirm the one-time code that the phone shows; the recovery codes are shown this once.

    Sessions that began with a password alone end, this one gets a new id.
    """
    app, person = request.app.state, person_of(request)
    given = str((await read_form(request)).get("code", "")).replace(" ", "")[:10]
    codes = await confirm_second_factor(app.settings, person.name, given, now=app.now())
    if codes is None:
        return await _account_page(request, code_fault=True, status=422)
    await record_audit(person.name, "set_second_factor", person.name, now=app.now())
    cookie = await _only_here(request)
    page = await _account_page(request, recovery=codes)
    page.cookies.append(cookie)
    return page


@post("/account/code/end", guards=[may("account.own")], status_code=303)
async def post_end_code(request: AnyRequest) -> Response[Any]:
    """Give the one-time code up, by one of its codes; every other session ends."""
    app, person = request.app.state, person_of(request)
    given = str((await read_form(request)).get("code", ""))[:40]
    if not await spend_code(app.settings, person.name, given, now=app.now()):
        return await _account_page(request, code_fault=True, status=422)
    await end_second_factor(person.name)
    await record_audit(person.name, "end_second_factor", person.name, now=app.now())
    return Redirect(path="/console/account", status_code=303, cookies=[await _only_here(request)])


PEOPLE_ROUTES = (
    show_people,
    show_log,
    show_account,
    post_password,
    post_end_sessions,
    post_end_one,
    post_end_anybodys,
    post_end_token,
    post_begin_code,
    post_code,
    post_end_code,
)


async def _account_page(
    request: AnyRequest,
    *,
    fault: str = "",
    done: str = "",
    code_fault: bool = False,
    recovery: tuple[str, ...] = (),
    status: int = 200,
) -> Response[str]:
    person, settings = person_of(request), request.app.state.settings
    confirmed = await has_second_factor(person.name)
    secret = "" if confirmed else await begun_second_factor(settings, person.name) or ""
    host = urlsplit(settings.base_url).hostname or "survey"
    link = f"otpauth://totp/{quote(f'{host}:{person.name}')}?secret={secret}&issuer={quote(host)}"
    return console_page(
        request,
        "account.html",
        title="我的账号",
        command=f"survey account {person.name}",
        status=status,
        fault=fault,
        done=done,
        code_fault=code_fault,
        recovery=recovery,
        confirmed=confirmed,
        secret=grouped_secret(secret),
        picture=code_picture(link) if secret else "",
        codes_left=await unused_recovery_codes(person.name) if confirmed else 0,
        sessions=await list_sessions(person.name, now=request.app.state.now()),
        own_session=_own_session(request),
    )


def code_picture(link: str) -> str:
    """The link as a QR code for an `img`: an authenticator reads it from the screen."""
    import qrcode
    from qrcode.image.svg import SvgPathImage

    drawn = qrcode.make(link, image_factory=SvgPathImage, box_size=12, border=4)
    return "data:image/svg+xml;base64," + b64encode(drawn.to_string()).decode()


def grouped_secret(secret: str) -> str:
    """The secret in groups of four, for typing by hand.

    >>> grouped_secret("ABCDEFGH")
    'ABCD EFGH'
    """
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
