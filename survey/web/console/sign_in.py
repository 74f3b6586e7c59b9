"""Signing in and out: by password, or by a link that works once.

Opening a one-time link changes nothing, because messengers open links before people do; the
button on its page spends it. Every way in gives a new session id. A wrong password makes the
next try wait longer, per account and address, so nobody can lock another person out.
"""

from datetime import datetime, timedelta
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from survey.storage import accounts, audit, sessions
from survey.storage.accounts import Account
from survey.storage.second_factors import has_second_factor, read_step, sign_step, spend_code
from survey.web.access import (
    anyone,
    check_query,
    form_key,
    may,
    person_of,
    read_form,
    session_cookie,
    session_of,
)
from survey.web.console.device import device_of
from survey.web.errors import WebError
from survey.web.pages import AnyRequest, html
from survey.web.rights import has_right

HOME = "/console/waves"
FREE_TRIES = 5
LONGEST_WAIT = timedelta(minutes=10)
STEP_LASTS = timedelta(minutes=5)
"""How long the one-time code may take after the password."""
_KEPT = 10_000


class TooManyTriesError(WebError):
    """Too many wrong passwords from this address for this account."""

    code = "access.too_many_tries"
    status = 429

    def __init__(self, wait: timedelta) -> None:
        seconds = max(int(wait.total_seconds()), 1)
        super().__init__("登录", "密码错的次数太多", f"请{seconds}秒后再试，或请管理员发一个一次性登录链接")
        self.headers = {"Retry-After": str(seconds)}


class SpentLinkError(WebError):
    """The one-time link is unknown, used or too old."""

    code = "access.link_spent"
    status = 410

    def __init__(self) -> None:
        super().__init__("一次性登录链接", "已经用过、过期或者不完整", "请管理员再发一个，或者用密码登录")


class StepOverError(WebError):
    """The password was given too long ago, or never."""

    code = "access.step_over"
    status = 410

    def __init__(self) -> None:
        super().__init__("登录", "输入密码以后过了太久", "请从头再登录一次")


class Tries:
    """Wrong passwords so far, by account and address, in this process's memory only."""

    def __init__(self) -> None:
        self._failed: dict[tuple[str, str], tuple[int, datetime]] = {}

    def wait(self, who: tuple[str, str], now: datetime) -> timedelta:
        """How long this account must still wait at this address; zero if not at all."""
        count, last = self._failed.get(who, (0, now))
        if count < FREE_TRIES:
            return timedelta(0)
        pause = min(timedelta(seconds=2 ** min(count - FREE_TRIES, 20)), LONGEST_WAIT)
        return max(last + pause - now, timedelta(0))

    def failed(self, who: tuple[str, str], now: datetime) -> None:
        """Remember one more wrong password; the oldest entries are forgotten first."""
        count, _ = self._failed.pop(who, (0, now))
        if len(self._failed) >= _KEPT:
            self._failed.pop(next(iter(self._failed)))
        self._failed[who] = (count + 1, now)

    def passed(self, who: tuple[str, str]) -> None:
        """Forget the wrong passwords after a right one."""
        self._failed.pop(who, None)


@get("/sign-in", guards=[anyone])
async def show_sign_in(request: AnyRequest) -> Response[Any]:
    """The sign-in page; whoever is signed in already goes on to the waves."""
    query = check_query(request, frozenset({"next"}))
    if await session_of(request) is not None:
        return Redirect(path=own_page(query.get("next", "")), status_code=303)
    return _sign_in_page(request, next_page=own_page(query.get("next", "")))


@post("/sign-in", guards=[anyone], status_code=303)
async def post_sign_in(request: AnyRequest) -> Response[Any]:
    """Sign in by name and password."""
    form = await read_form(request)
    name, password = str(form.get("name", "")).strip(), str(form.get("password", ""))
    app = request.app.state
    address = request.client.host if request.client else "-"
    who = (name[:100], address)
    if (wait := app.tries.wait(who, app.now())) > timedelta(0):
        raise TooManyTriesError(wait)
    account = await accounts.check_password(name, password) if 0 < len(password) <= 1024 else None
    next_page = own_page(str(form.get("next", "")))
    if account is None:
        app.tries.failed(who, app.now())
        await audit.record_audit(name[:100] or "-", "sign_in", "console", "refused", now=app.now())
        return _sign_in_page(request, next_page=next_page, name=name[:100], wrong=True, status=422)
    app.tries.passed(who)
    return await first_step_given(request, account, next_page)


@post("/sign-in/code", guards=[anyone], status_code=303)
async def post_code(request: AnyRequest) -> Response[Any]:
    """The second step: the one-time code, or a recovery code."""
    app, form = request.app.state, await read_form(request)
    step, next_page = str(form.get("step", "")), own_page(str(form.get("next", "")))
    name = read_step(app.settings, step, now=app.now())
    if name is None:
        raise StepOverError
    who = (f"{name[:100]} code", request.client.host if request.client else "-")
    if (wait := app.tries.wait(who, app.now())) > timedelta(0):
        raise TooManyTriesError(wait)
    account = await accounts.find_account(name)
    given = str(form.get("code", ""))[:40]
    good = (
        account is not None and account.active and await spend_code(app.settings, name, given, now=app.now())
    )
    if account is None or not good:
        app.tries.failed(who, app.now())
        await audit.record_audit(name, "sign_in_code", "console", "refused", now=app.now())
        return _code_page(request, step, next_page, wrong=True, status=422)
    app.tries.passed(who)
    return await _let_in(request, account, next_page)


@get("/sign-in/{token:str}", guards=[anyone])
async def show_link(request: AnyRequest, token: FromPath[str]) -> Response[str]:
    """A button; opening the link spends nothing."""
    return html("console/sign_in_link.html", token=token[:200], form_key=form_key(request))


@post("/sign-in/{token:str}", guards=[anyone], status_code=303)
async def post_link(request: AnyRequest, token: FromPath[str]) -> Response[Any]:
    """Spend a one-time link and sign in."""
    app = request.app.state
    account = await accounts.spend_sign_in_link(token, now=app.now())
    if account is None:
        await audit.record_audit("-", "sign_in_by_link", "console", "refused", now=app.now())
        raise SpentLinkError
    return await first_step_given(request, account, HOME)


@post("/sign-out", guards=[may("account.own")], status_code=303)
async def post_sign_out(request: AnyRequest) -> Redirect:
    """End this session, here and in storage."""
    app = request.app.state
    await audit.record_audit(person_of(request).name, "sign_out", "console", now=app.now())
    await sessions.end_session(request.scope["state"]["session_id"])
    return Redirect(path="/console/sign-in", status_code=303, cookies=[session_cookie(app.settings, None)])


SIGN_IN_ROUTES = (show_sign_in, post_sign_in, post_code, show_link, post_link, post_sign_out)


async def first_step_given(request: AnyRequest, account: Account, next_page: str) -> Response[Any]:
    """In, or first to the one-time code where the account has one.

    Neither a link nor the unified sign-in stands for the phone.
    """
    app = request.app.state
    if not await has_second_factor(account.name):
        return await _let_in(request, account, next_page)
    return _code_page(request, sign_step(app.settings, account.name, app.now() + STEP_LASTS), next_page)


def _code_page(
    request: AnyRequest, step: str, next_page: str, *, wrong: bool = False, status: int = 200
) -> Response[str]:
    return html(
        "console/sign_in_code.html",
        status,
        step=step,
        next_page=next_page,
        wrong=wrong,
        form_key=form_key(request),
    )


async def _let_in(request: AnyRequest, account: Account, next_page: str) -> Redirect:
    """A fresh session for the account; whatever session the browser brought has ended."""
    app = request.app.state
    await session_of(request)
    if brought := request.scope["state"].get("session_id"):
        await sessions.end_session(brought)
    session_id = await sessions.start_session(account.name, now=app.now(), device=device_of(request))
    await audit.record_audit(account.name, "sign_in", "console", now=app.now())
    if next_page == HOME and not has_right(account, "wave.see"):
        next_page = "/console"
    return Redirect(path=next_page, status_code=303, cookies=[session_cookie(app.settings, session_id)])


def _sign_in_page(
    request: AnyRequest,
    *,
    next_page: str,
    name: str = "",
    wrong: bool = False,
    status: int = 200,
) -> Response[str]:
    provider = request.app.state.provider
    return html(
        "console/sign_in.html",
        status,
        next_page=next_page,
        name=name,
        wrong=wrong,
        form_key=form_key(request),
        elsewhere=provider is not None,
        silent=provider is not None and provider.silent(request.app.state.now()) is not None,
        is_https=request.app.state.settings.base_url.startswith("https:"),
    )


def own_page(path: str) -> str:
    """The page to go on to: one of the console's, never another site's."""
    plain = path.startswith("/console/") and "\\" not in path and "//" not in path and path.isprintable()
    return path if plain and not path.startswith("/console/sign-in") else HOME
