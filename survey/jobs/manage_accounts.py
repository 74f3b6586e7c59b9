"""Who may sign in: the first account, later ones, one-time links and tokens for other systems."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from survey.errors import SurveyError
from survey.scheme.divisions import is_under, level_of
from survey.settings import Settings
from survey.storage.accounts import (
    Account,
    activate_account,
    create_account,
    deactivate_account,
    find_account,
    issue_sign_in_link,
    list_accounts,
    set_roles,
)
from survey.storage.areas import waves_of_school
from survey.storage.audit import record_audit
from survey.storage.current import take_turn, transaction
from survey.storage.divisions import local_divisions, save_local_division, set_divisions
from survey.storage.school_contacts import end_school_sessions_of
from survey.storage.second_factors import end_second_factor
from survey.storage.sessions import end_sessions
from survey.storage.subjects import save_subject
from survey.storage.tokens import ApiToken, create_token, list_tokens, revoke_token


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


class AccountShutError(SurveyError):
    """The account was shut."""

    code = "accounts.shut"
    kind = "conflict"

    def __init__(self, name: str) -> None:
        super().__init__(f"账号 {name}", "已经停用", "先重新启用，再发登录链接")


class AccountUnknownError(SurveyError):
    """No account of that name."""

    code = "accounts.unknown"
    kind = "not_found"

    def __init__(self, name: str) -> None:
        super().__init__(f"账号 {name}", "没有这个账号", "用 survey account 看一看有哪些，或加 --role 新建")


class NobodyNamedError(SurveyError):
    """A command named no account, and there is not just one administrator that can be meant."""

    code = "accounts.nobody_named"

    def __init__(self, admins: list[str]) -> None:
        reason = f"没有写是谁的，管理员有{len(admins)}个" if admins else "没有写是谁的，也没有不限区划的管理员"
        super().__init__("账号", reason, f"用 --account 写明，例如 {admins[0] if admins else '登录名'}")


class TokenUnknownError(SurveyError):
    """No live token of that name."""

    code = "accounts.token_unknown"
    kind = "not_found"

    def __init__(self, name: str) -> None:
        super().__init__(f"令牌 {name[:20]}", "没有这个令牌，或者已经收回", "用 survey token --list 看一看有哪些")


class NotYoursToManageError(SurveyError):
    """The account, or what it would be given, lies outside the branch of whoever manages it; or is their own."""

    code = "accounts.not_yours"
    kind = "forbidden"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"账号 {name}", reason, "请管全部区划的管理员，或另一位管理员来做")


class ContactWithoutSchoolError(SurveyError):
    """The role of a school's contact and the limit to one school belong together."""

    code = "accounts.contact_without_school"
    kind = "invalid"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"账号 {name}", "学校联系人要限于一所学校，限于学校的账号也只能是学校联系人", "角色只选学校联系人，区划写那所学校的10位标识码"
        )


async def first_account(settings: Settings, name: str, display: str, *, actor: str, now: datetime) -> str:
    """Create the first account, an administrator, and return its one-time sign-in address.

    Raises:
        AlreadySetUpError: there are accounts already.
    """
    if await list_accounts():
        raise AlreadySetUpError()
    await new_account(name, display, ("admin", "operator"), actor=actor, now=now)
    return await sign_in_address(settings, name, actor=actor, now=now)


async def meant_account(name: str | None) -> str:
    """The account that a command means: the one named, else `admin`, else the only administrator of everything.

    Raises:
        NobodyNamedError: none, or several.
    """
    if name is not None:
        return name
    admins = [one.name for one in await list_accounts() if one.active and "admin" in one.roles and not one.divisions]
    if "admin" not in admins and len(admins) != 1:
        raise NobodyNamedError(admins)
    return "admin" if "admin" in admins else admins[0]


async def new_account(
    name: str,
    display: str,
    roles: Iterable[str],
    divisions: Iterable[str] = (),
    *,
    by: Account | None = None,
    actor: str,
    now: datetime,
) -> None:
    """Create an account that signs in by link until it has set a password.

    Args:
        by: who creates it, where that is an account that may be limited itself; None at the server.

    Raises:
        AccountRefusedError, AccountExistsError, BadDivisionError, MixedLevelsError: what will not do.
        ContactWithoutSchoolError: a contact of no school, or somebody else of one.
        NotYoursToManageError: outside the branch of `by`.
    """
    wanted = frozenset(roles)
    async with transaction():
        await create_account(name, display, wanted, now=now)
        held = await set_divisions(name, divisions)
        await _check_place(name, wanted, held, by)
        details = {"roles": sorted(wanted), **({"divisions": sorted(held)} if held else {})}
        await record_audit(actor, "create_account", name, details=details, now=now)


class AccountChangedError(SurveyError):
    """Somebody else changed the account in the meantime."""

    code = "account.changed"
    kind = "conflict"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"账号 {name}", "您打开以后，别的管理员改过它", "上面是现在的，下面是您选的；看清以后再保存一次，就用您选的"
        )


def seen_of(account: Account) -> str:
    """What a page showed of an account's roles and divisions, to be told again when they are changed.

    >>> seen_of(Account("jia", "甲", frozenset({"operator", "admin"}), True, frozenset({"3608"})))
    'admin operator|3608'
    """
    return f"{' '.join(sorted(account.roles))}|{' '.join(sorted(account.divisions))}"


async def change_account(
    name: str,
    roles: Iterable[str],
    divisions: Iterable[str],
    *,
    seen: str | None = None,
    by: Account | None = None,
    actor: str,
    now: datetime,
) -> Account:
    """Give an account other roles and other divisions; whoever is signed in with it has to sign in again.

    Args:
        seen: what the page showed, as `seen_of`; None changes whatever stands there.

    Raises:
        AccountUnknownError: no such account.
        AccountChangedError: it is not as the page showed it.
        AccountRefusedError, BadDivisionError, MixedLevelsError, ContactWithoutSchoolError: what will not do.
        NotYoursToManageError: outside the branch of `by`, or their own account.
    """
    wanted = frozenset(roles)
    async with transaction():
        await take_turn(f"account.{name}")
        before = await _managed(name, by)
        if seen is not None and seen != seen_of(before):
            raise AccountChangedError(name)
        await set_roles(name, wanted)
        held = await set_divisions(name, divisions)
        await _check_place(name, wanted, held, by)
        await _end_everything(name)
        details = {
            "roles": [sorted(before.roles), sorted(wanted)],
            "divisions": [sorted(before.divisions), sorted(held)],
        }
        await record_audit(actor, "change_account", name, details=details, now=now)
    return replace(before, roles=wanted, divisions=held)


async def shut_account(name: str, *, by: Account | None = None, actor: str, now: datetime) -> None:
    """Shut an account: its sessions, links and tokens end.

    Raises:
        AccountUnknownError, NotYoursToManageError.
    """
    await _managed(name, by)
    async with transaction():
        await deactivate_account(name, now=now)
        await end_school_sessions_of(name)
        await record_audit(actor, "deactivate_account", name, now=now)


async def reopen_account(name: str, *, by: Account | None = None, actor: str, now: datetime) -> None:
    """Open an account again that was shut.

    Raises:
        AccountUnknownError, NotYoursToManageError.
    """
    await _managed(name, by)
    async with transaction():
        await activate_account(name)
        await record_audit(actor, "activate_account", name, now=now)


async def may_manage(by: Account, account: Account) -> bool:
    """Whether an account lies wholly in the branch of another, so that the other may see and change it."""
    if not by.divisions:
        return True
    if not account.divisions:
        return False
    if account.level == "school":
        return all([bool(await waves_of_school(school)) for school in account.divisions])
    local = await local_divisions()
    return all(is_under(code, by.divisions, local) for code in account.divisions)


async def _managed(name: str, by: Account | None) -> Account:
    """The account, for whoever may change it."""
    account = await find_account(name)
    if account is None or (by is not None and not await may_manage(by, account)):
        raise AccountUnknownError(name)
    if by is not None and by.name == name:
        raise NotYoursToManageError(name, "是您自己的账号，自己不能改它的角色、区划和停用")
    return account


async def _check_place(name: str, roles: frozenset[str], held: frozenset[str], by: Account | None) -> None:
    """Refuse roles and divisions that do not fit each other, or that the manager could not have either."""
    if ("contact" in roles) != (level_of(held) == "school") or ("contact" in roles and len(roles) > 1):
        raise ContactWithoutSchoolError(name)
    if by is not None and not await may_manage(by, Account(name, "", roles, True, held)):
        raise NotYoursToManageError(name, "要给的区划不在您管的区划里")


async def _end_everything(name: str) -> None:
    await end_sessions(name)
    await end_school_sessions_of(name)


async def sign_in_address(
    settings: Settings, name: str, *, by: Account | None = None, actor: str, now: datetime
) -> str:
    """A one-time sign-in address for an account, good for 24 hours.

    Raises:
        AccountUnknownError: no such account.
        NotYoursToManageError: their own account; they are signed in already.
    """
    if not (await _managed(name, by)).active:
        raise AccountShutError(name)
    token = await issue_sign_in_link(name, now=now)
    await record_audit(actor, "issue_sign_in_link", name, now=now)
    return f"{settings.base_url}/console/sign-in/{token}"


async def limit_account(name: str, divisions: Iterable[str], *, actor: str, now: datetime) -> None:
    """Let an account work in some divisions only; none means the whole installation.

    Raises:
        AccountUnknownError, BadDivisionError, MixedLevelsError, ContactWithoutSchoolError.
    """
    account = await find_account(name)
    if account is None:
        raise AccountUnknownError(name)
    async with transaction():
        held = await set_divisions(name, divisions)
        await _check_place(name, account.roles, held, None)
        await end_school_sessions_of(name)
        details = {"divisions": [sorted(account.divisions), sorted(held)]}
        await record_audit(actor, "limit_account", name, details=details, now=now)


async def name_subject(
    settings: Settings,
    name: str,
    subject: str | None,
    *,
    by: Account | None = None,
    actor: str,
    now: datetime,
) -> None:
    """Register who an account is at the unified sign-in, or with None that it is nobody there.

    Raises:
        NoProviderError, AccountUnknownError, SubjectRefusedError.
    """
    if settings.oidc_issuer is None:
        raise NoProviderError
    account = await find_account(name)
    if account is None or (by is not None and not await may_manage(by, account)):
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


async def forget_code(name: str, *, by: Account | None = None, actor: str, now: datetime) -> None:
    """Forget an account's one-time code, as after a lost phone; the next sign-in link needs none.

    Raises:
        AccountUnknownError: no such account.
        NotYoursToManageError: their own account; they give it up on their own page, by one of its codes.
    """
    await _managed(name, by)
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


async def end_token(name: str, *, by: Account | None = None, actor: str, now: datetime) -> ApiToken:
    """Take a token back: whatever uses it is refused from now on.

    Args:
        name: as the list calls it (`ApiToken.name`).

    Raises:
        TokenUnknownError: not there, ended before, or of an account outside the branch of `by`.
    """
    token = next((one for one in await list_tokens() if one.name == name and one.revoked_at is None), None)
    account = None if token is None else await find_account(token.account)
    if token is None or account is None or not (by is None or await may_manage(by, account)):
        raise TokenUnknownError(name)
    async with transaction():
        await revoke_token(token.digest, now=now)
        details = {"account": account.name, "scopes": sorted(token.scopes)}
        await record_audit(actor, "end_token", token.label, details=details, now=now)
    return token
