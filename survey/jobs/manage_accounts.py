"""Who may sign in: the first account, later ones, one-time links and tokens for other systems."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from survey.errors import SurveyError
from survey.settings import Settings
from survey.storage.accounts import create_account, find_account, issue_sign_in_link, list_accounts
from survey.storage.audit import record_audit
from survey.storage.divisions import save_local_division, set_divisions
from survey.storage.second_factors import end_second_factor
from survey.storage.subjects import save_subject
from survey.storage.tokens import create_token

ROLES = ("admin", "operator", "reviewer", "approver", "auditor")


class AlreadySetUpError(SurveyError):
    """The data folder already has accounts."""

    code = "accounts.already_set_up"
    kind = "conflict"

    def __init__(self) -> None:
        super().__init__("数据文件夹", "已经有账号了", "用 survey account 名字 给账号一个新的登录链接")


class NoProviderError(SurveyError):
    """There is no unified sign-in that a subject could belong to."""

    code = "accounts.no_provider"
    kind = "conflict"

    def __init__(self) -> None:
        super().__init__("统一登录", "没有设置", "先设 SURVEY_OIDC_ISSUER 和 SURVEY_OIDC_CLIENT_ID")


class AccountUnknownError(SurveyError):
    """No account of that name."""

    code = "accounts.unknown"
    kind = "not_found"

    def __init__(self, name: str) -> None:
        super().__init__(f"账号 {name}", "没有这个账号", "用 survey account 看一看有哪些，或加 --role 新建")


async def first_account(settings: Settings, name: str, display: str, *, actor: str, now: datetime) -> str:
    """Create the first account, an administrator, and return its one-time sign-in address.

    Raises:
        AlreadySetUpError: there are accounts already.
    """
    if await list_accounts():
        raise AlreadySetUpError()
    await new_account(name, display, ("admin", "operator"), actor=actor, now=now)
    return await sign_in_address(settings, name, actor=actor, now=now)


async def new_account(name: str, display: str, roles: Iterable[str], *, actor: str, now: datetime) -> None:
    """Create an account that signs in by link until it has set a password."""
    await create_account(name, display, frozenset(roles), now=now)
    await record_audit(actor, "create_account", name, details={"roles": sorted(roles)}, now=now)


async def sign_in_address(settings: Settings, name: str, *, actor: str, now: datetime) -> str:
    """A one-time sign-in address for an account, good for 24 hours.

    Raises:
        AccountUnknownError: no such account.
    """
    if await find_account(name) is None:
        raise AccountUnknownError(name)
    token = await issue_sign_in_link(name, now=now)
    await record_audit(actor, "issue_sign_in_link", name, now=now)
    return f"{settings.base_url}/console/sign-in/{token}"


async def limit_account(name: str, divisions: Iterable[str], *, actor: str, now: datetime) -> None:
    """Let an account work in some divisions only; none means the whole installation.

    Raises:
        AccountUnknownError, BadDivisionError.
    """
    if await find_account(name) is None:
        raise AccountUnknownError(name)
    held = await set_divisions(name, divisions)
    await record_audit(actor, "limit_account", name, details={"divisions": sorted(held)}, now=now)


async def name_subject(
    settings: Settings, name: str, subject: str | None, *, actor: str, now: datetime
) -> None:
    """Register who an account is at the unified sign-in, or with None that it is nobody there.

    Raises:
        NoProviderError, AccountUnknownError, SubjectRefusedError.
    """
    if settings.oidc_issuer is None:
        raise NoProviderError
    if await find_account(name) is None:
        raise AccountUnknownError(name)
    await save_subject(name, settings.oidc_issuer, subject)
    act = "name_subject" if subject else "forget_subject"
    await record_audit(actor, act, name, now=now)


async def place_division(code: str, under: str, name: str, *, actor: str, now: datetime) -> None:
    """Give a division without a national code its place in the tree.

    Raises:
        BadDivisionError: a code that will not do, or a place under itself.
    """
    await save_local_division(code, under, name)
    await record_audit(actor, "place_division", code, details={"under": under}, now=now)


async def forget_code(name: str, *, actor: str, now: datetime) -> None:
    """Forget an account's one-time code, as after a lost phone; the next sign-in link needs none.

    Raises:
        AccountUnknownError: no such account.
    """
    if await find_account(name) is None:
        raise AccountUnknownError(name)
    await end_second_factor(name)
    await record_audit(actor, "reset_second_factor", name, now=now)


async def issue_token(
    account: str, label: str, scopes: frozenset[str], lasts: timedelta, *, actor: str, now: datetime
) -> str:
    """A bearer token for another system; only its digest is kept.

    Raises:
        AccountUnknownError: no such account.
    """
    if await find_account(account) is None:
        raise AccountUnknownError(account)
    token = await create_token(account, label, scopes, now + lasts, now=now)
    await record_audit(actor, "issue_token", label, details={"scopes": sorted(scopes)}, now=now)
    return token
