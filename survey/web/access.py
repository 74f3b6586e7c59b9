"""Who may do what, as guards; every handler names one, and what no guard allows is refused.

A person signs in and carries a session cookie; a system carries a bearer token with scopes.
The two never mix: a cookie opens no API route and a token no page. The answering side has
neither, there the slip's code is the right.

A form that changes something must come from one of our own pages. Browsers say so in
`Sec-Fetch-Site`; where it is absent (plain http on an office network) `Origin` says it, and
in any case the form carries a field derived from the session that no foreign page can know.
"""

import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

from litestar.datastructures import Cookie, FormMultiDict, UploadFile
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler

from survey.scheme.divisions import Level
from survey.settings import Settings
from survey.storage.accounts import Account, find_account
from survey.storage.divisions import enter_branch
from survey.storage.plans import find_wave
from survey.storage.sessions import Session, find_session
from survey.storage.states import WaveNotFoundError
from survey.storage.tokens import ApiToken, find_token
from survey.web.errors import UnreadableBodyError, WebError
from survey.web.pages import AnyConnection, AnyRequest
from survey.web.rights import RIGHT_OF_SCOPE, RIGHTS, ROLES, SCOPES, levels_of

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class NotSignedInError(WebError):
    """The page needs a person, and nobody is signed in."""

    code = "access.not_signed_in"
    status = 401

    def __init__(self, path: str = "/console") -> None:
        super().__init__("登录", "还没有登录，或者登录已经过期", "请重新登录")
        self.sign_in_path = f"/console/sign-in?next={quote(path, safe='/')}"


class NotAllowedError(WebError):
    """The person's roles do not carry this right."""

    code = "access.not_allowed"
    status = 403

    def __init__(self, right: str) -> None:
        needed = "、".join(ROLES[role] for role in ROLES if role in RIGHTS[right])
        super().__init__("权限", "您的账号不能做这一步", f"请由{needed}来做，或请管理员调整您的角色")


class NotOnThisLevelError(WebError):
    """The account is limited to an area or a school, where this is not done."""

    code = "access.not_on_this_level"
    status = 403

    def __init__(self, level: Level) -> None:
        where = {"area": "督学责任区", "school": "一所学校", "county": "县和县以上"}[level]
        super().__init__("权限", f"您的账号只管{where}，不能做这一步", "请由县里的人来做，或请管理员调整您的区划")


class ForeignRequestError(WebError):
    """A form arrived that none of our pages sent."""

    code = "access.foreign_request"
    status = 403

    def __init__(self) -> None:
        super().__init__("表单", "不是从本系统的页面发来的", "请回到本系统的页面，重新填写后发送")


class StaleFormError(WebError):
    """The form's hidden field does not belong to this session."""

    code = "access.stale_form"
    status = 403

    def __init__(self) -> None:
        super().__init__("表单", "页面已经过期，没有执行", "请刷新页面，再做一次")


class TokenMissingError(WebError):
    """The API was asked without a token that is known and still valid."""

    code = "access.token_invalid"
    status = 401

    def __init__(self, present: bool) -> None:
        super().__init__(
            "接口令牌",
            "没有这个令牌，或者已经过期" if present else "请求里没有令牌",
            "请在Authorization头里写Bearer和有效的令牌；令牌由管理员发放",
        )
        self.headers = {
            "WWW-Authenticate": 'Bearer realm="survey"' + (', error="invalid_token"' if present else "")
        }


class ScopeMissingError(WebError):
    """The token is valid but does not carry the scope."""

    code = "access.scope_missing"
    status = 403

    def __init__(self, scope: str) -> None:
        super().__init__("接口令牌", f"没有“{scope}”这项范围", "请管理员发放带有这项范围的令牌", scope=scope)
        self.headers = {
            "WWW-Authenticate": f'Bearer realm="survey", error="insufficient_scope", scope="{scope}"'
        }


def utc_now() -> datetime:
    """This instant, aware and in UTC."""
    return datetime.now(UTC)


Guard = Callable[[AnyConnection, BaseRouteHandler], Any]


async def anyone(connection: AnyConnection, _: BaseRouteHandler) -> None:
    """Open to everybody, said aloud, so that a forgotten guard is not mistaken for this."""


def may(right: str) -> Guard:
    """A guard that lets pass whoever is signed in with a role that holds `right`."""
    holders = RIGHTS[right]

    async def guard(connection: AnyConnection, _: BaseRouteHandler) -> None:
        session = await session_of(connection)
        if session is None:
            raise NotSignedInError(connection.scope["path"])
        if not holders & frozenset(session.account.roles):
            raise NotAllowedError(right)
        if session.account.level not in levels_of(right):
            raise NotOnThisLevelError(session.account.level)
        await in_own_branch(connection, session.account)

    guard.__name__ = f"may_{right.replace('.', '_')}"
    return guard


def token_with(scope: str) -> Guard:
    """A guard that lets pass a bearer token which carries `scope`."""
    assert scope in SCOPES

    async def guard(connection: AnyConnection, _: BaseRouteHandler) -> None:
        token = await token_of(connection)
        connection.app.state.ration.take(token.digest)
        if scope not in token.scopes:
            raise ScopeMissingError(scope)
        owner = await find_account(token.account)
        if owner is None or not owner.active:
            raise TokenMissingError(present=True)
        if not RIGHTS[RIGHT_OF_SCOPE[scope]] & owner.roles:
            raise NotAllowedError(RIGHT_OF_SCOPE[scope])
        if owner.level not in levels_of(scope):
            raise NotOnThisLevelError(owner.level)
        connection.scope["state"]["token_owner"] = owner
        await in_own_branch(connection, owner)

    guard.__name__ = f"token_with_{scope.replace(':', '_')}"
    return guard


async def in_own_branch(connection: AnyConnection, account: Account) -> None:
    """Refuse a wave of another branch as if it did not exist; storage keeps to the branch from here on.

    Raises:
        WaveNotFoundError: the wave lies outside the account's divisions.
    """
    await enter_branch(account)
    wave = connection.path_params.get("wave")
    if wave is not None and account.divisions and await find_wave(str(wave)) is None:
        raise WaveNotFoundError(str(wave))


def reader_of(connection: AnyConnection) -> Account:
    """Whoever a guard has let pass: the person signed in, or the account that a token belongs to."""
    owner: Account | None = connection.scope["state"].get("token_owner")
    return owner if owner is not None else person_of(connection)


def cookie_name(settings: Settings) -> str:
    """`__Host-session` on https; a plain name where the address is http and the prefix refused."""
    return "__Host-session" if is_secure(settings) else "session"


def is_secure(settings: Settings) -> bool:
    """Whether the public address is https."""
    return urlsplit(settings.base_url).scheme == "https"


def session_cookie(settings: Settings, session_id: str | None) -> Cookie:
    """The cookie that carries a session; with None the one that removes it."""
    return Cookie(
        key=cookie_name(settings),
        value=session_id or "",
        path="/",
        httponly=True,
        secure=is_secure(settings),
        samesite="lax",
        max_age=None if session_id else 0,
    )


async def session_of(connection: AnyConnection) -> Session | None:
    """The session of the cookie, if storage knows it; an id that storage never gave is nobody's."""
    state = connection.scope["state"]
    if "session" not in state:
        app = connection.app.state
        session_id = connection.cookies.get(cookie_name(app.settings), "")
        found = await find_session(session_id, now=app.now()) if session_id else None
        state["session"] = found
        state["session_id"] = session_id if found else None
    session: Session | None = state["session"]
    return session


async def token_of(connection: AnyConnection) -> ApiToken:
    """The bearer token of the request.

    Raises:
        TokenMissingError: no token, or one that is unknown, ended or expired.
    """
    kind, _, text = connection.headers.get("authorization", "").partition(" ")
    present = kind.lower() == "bearer" and bool(text.strip())
    app = connection.app.state
    found = await find_token(text.strip(), now=app.now()) if present else None
    if found is None:
        raise TokenMissingError(present)
    return found


def person_of(connection: AnyConnection) -> Account:
    """The account that a guard has already let pass.

    Raises:
        NotSignedInError: no guard has; the route is wired wrongly and stays closed.
    """
    session: Session | None = connection.scope["state"].get("session")
    if session is None:
        raise NotSignedInError(connection.scope["path"])
    return session.account


def form_key(connection: AnyConnection) -> str:
    """The hidden field of this session's forms; empty where nobody is signed in."""
    session_id = connection.scope["state"].get("session_id")
    if not session_id:
        return ""
    return hmac.new(session_id.encode(), b"survey/v1/form", hashlib.sha256).hexdigest()


async def check_form(request: AnyRequest) -> None:
    """Before an unsafe handler: the form comes from our own page, is readable and is this session's.

    Raises:
        ForeignRequestError, StaleFormError, UnreadableBodyError.
    """
    if request.method not in UNSAFE:
        return
    check_origin(request)
    form = await read_form(request)
    expected = form_key(request)
    if expected and not hmac.compare_digest(str(form.get("form_key", "")).encode(), expected.encode()):
        raise StaleFormError


def check_origin(request: AnyRequest) -> None:
    """Refuse an unsafe request that another site's page sent.

    Raises:
        ForeignRequestError: the browser names another site, or names none on https.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        if site != "same-origin":
            raise ForeignRequestError
        return
    origin = request.headers.get("origin")
    settings = request.app.state.settings
    if origin in (None, "null"):
        # Plain http on an office network: `no-referrer` makes browsers send "null" and no
        # Sec-Fetch-Site. The hidden field still binds the form to the session.
        if is_secure(settings):
            raise ForeignRequestError
        return
    own = {urlsplit(settings.base_url).netloc, request.headers.get("host", "")}
    if urlsplit(origin).netloc not in own:
        raise ForeignRequestError


async def read_form(request: AnyRequest) -> dict[str, str | UploadFile]:
    """The fields of a form, each given once.

    Raises:
        UnreadableBodyError: not a form, broken, not UTF-8, or a field given twice.
    """
    try:
        form = await request.form()
    except HTTPException:
        raise
    except (UnicodeError, RecursionError, ValueError, KeyError, IndexError) as error:
        raise UnreadableBodyError from error
    return single_values(form)


def single_values(form: FormMultiDict) -> dict[str, Any]:
    """Each name with its only value.

    Raises:
        UnreadableBodyError: a name was given twice, so two readers could see two values.
    """
    pairs = list(form.multi_items())
    values = dict(pairs)
    if len(values) != len(pairs):
        raise UnreadableBodyError("有重复的字段")
    return values


def check_query(request: AnyRequest, known: frozenset[str]) -> dict[str, str]:
    """The query of a request, each name known and given once.

    Raises:
        UnreadableBodyError: an unknown or repeated name.
    """
    pairs = list(request.query_params.multi_items())
    values = dict(pairs)
    if len(values) != len(pairs) or not values.keys() <= known:
        raise UnreadableBodyError("网址里有不认识的或重复的参数")
    return values
