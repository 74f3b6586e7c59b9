"""Who works at the console: accounts, roles, passwords and one-time sign-in links.

Passwords are kept as Argon2id, links as the digest of a random value. There is no default
account: the first comes from the command line with a one-time link.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata
from asyncio import to_thread
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from survey.errors import SurveyError
from survey.scheme.divisions import Level, level_of
from survey.storage.current import transaction
from survey.storage.tables import AccountDivisions, AccountRoles, Accounts, ApiTokens, Sessions, SignInLinks

ROLES = ("admin", "operator", "reviewer", "approver", "auditor", "contact")
LEAST_PASSWORD = 8
MOST_PASSWORD = 256
MOST_DISPLAY_SIGNS = 60
_NAME = re.compile(r"[A-Za-z0-9一-鿿][A-Za-z0-9一-鿿._@-]{0,63}")
_HASHER = PasswordHasher()
_LOCAL_HABITS = re.compile(r"(?:woaini|wodemima|mima|jiaoyuju|dudao|xuexiao|laoshi|admin|qq|wx)[\d._@!-]{0,12}", re.IGNORECASE)
"""What people here take for a password and lists made elsewhere rate too high."""
LEAST_SCORE = 2
"""Of zxcvbn's 0 to 4: at least a million guesses, not among its 30 000 leaked passwords, no keyboard row or date."""


class AccountRefusedError(SurveyError):
    """The account cannot be created or changed like that."""

    code = "storage.account_refused"
    kind = "invalid"


class AccountExistsError(SurveyError):
    """An account of that name exists."""

    code = "storage.account_exists"
    kind = "conflict"


@dataclass(frozen=True)
class Account:
    """A person at the console; `name` is what they type to sign in."""

    name: str
    display: str
    roles: frozenset[str]
    active: bool
    divisions: frozenset[str] = frozenset()
    """The branches of the country it works in; empty means the whole installation."""

    @property
    def level(self) -> Level:
        """How far down the tree it is limited: to counties and all above them, to areas, or to one school."""
        return level_of(self.divisions)


def digest_of(secret: str) -> str:
    """What is stored instead of a random secret.

    A slow hash would add nothing: the secret carries 256 random bits.
    """
    return hashlib.sha256(b"survey/v1/secret\x00" + secret.encode()).hexdigest()


async def create_account(
    name: str, display: str, roles: Iterable[str], password: str | None = None, *, now: datetime
) -> Account:
    """A new account; without a password it can be entered by a one-time link only.

    Raises:
        AccountRefusedError: a name, role or password that will not do.
        AccountExistsError: the name is taken.
    """
    wanted = _known_roles(name, roles)
    if not _NAME.fullmatch(name):
        raise AccountRefusedError(
            f"账号“{name}”", "名字不合要求", "用1到64个字母、数字或汉字，可以有 . _ @ -"
        )
    if len(display) > MOST_DISPLAY_SIGNS:
        raise AccountRefusedError(f"账号“{name}”", "姓名太长", f"写{MOST_DISPLAY_SIGNS}个字以内")
    hashed = await _hash(password) if password is not None else None
    async with transaction():
        if await find_account(name) is not None:
            raise AccountExistsError(f"账号“{name}”", "已经有了", "换一个名字，或者修改原来的账号")
        await Accounts.insert(
            Accounts(name=name, display=display or name, password=hashed, active=True, created_at=now)
        )
        await AccountRoles.insert(*[AccountRoles(account=name, role=role) for role in sorted(wanted)])
    return Account(name, display or name, wanted, True)


async def find_account(name: str) -> Account | None:
    """The account of that name, or None."""
    rows = await Accounts.select(Accounts.name, Accounts.display, Accounts.active).where(
        Accounts.name == name
    )
    if not rows:
        return None
    roles = await AccountRoles.select(AccountRoles.role).where(AccountRoles.account == name)
    held = await AccountDivisions.select(AccountDivisions.division).where(AccountDivisions.account == name)
    return Account(
        name,
        rows[0]["display"],
        frozenset(row["role"] for row in roles),
        rows[0]["active"],
        frozenset(row["division"] for row in held),
    )


async def may_be_one_person(first: str, second: str) -> bool:
    """Whether two accounts may be one person's: the same account, or two that bear the same person's name."""
    if first == second:
        return True
    one, other = await find_account(first), await find_account(second)
    return one is not None and other is not None and _as_read(one.display) == _as_read(other.display)


def _as_read(display: str) -> str:
    """A person's name as an eye reads it: no spaces, no full-width forms, no capitals."""
    return "".join(unicodedata.normalize("NFKC", display).split()).casefold()


async def list_accounts() -> tuple[Account, ...]:
    """All accounts, by name."""
    rows = await Accounts.select(Accounts.name, Accounts.display, Accounts.active).order_by(Accounts.name)
    roles: dict[str, set[str]] = {}
    for row in await AccountRoles.select(AccountRoles.account, AccountRoles.role):
        roles.setdefault(row["account"], set()).add(row["role"])
    held: dict[str, set[str]] = {}
    for row in await AccountDivisions.select(AccountDivisions.account, AccountDivisions.division):
        held.setdefault(row["account"], set()).add(row["division"])
    return tuple(
        Account(
            row["name"],
            row["display"],
            frozenset(roles.get(row["name"], ())),
            row["active"],
            frozenset(held.get(row["name"], ())),
        )
        for row in rows
    )


async def set_password(name: str, password: str, *, now: datetime) -> None:
    """A new password; every session of the account ends."""
    hashed = await _hash(password)
    async with transaction():
        await Accounts.update({Accounts.password: hashed}).where(Accounts.name == name)
        await Sessions.delete().where(Sessions.account == name)


async def set_roles(name: str, roles: Iterable[str]) -> None:
    """What an account may do from now on.

    Raises:
        AccountRefusedError: no role, or one that does not exist.
    """
    wanted = _known_roles(name, roles)
    async with transaction():
        await AccountRoles.delete().where(AccountRoles.account == name)
        await AccountRoles.insert(*[AccountRoles(account=name, role=role) for role in sorted(wanted)])


async def activate_account(name: str) -> None:
    """Open an account again that was shut; it needs a new link or its password to come in."""
    await Accounts.update({Accounts.active: True}).where(Accounts.name == name)


async def deactivate_account(name: str, *, now: datetime) -> None:
    """Shut an account: its sessions, links and tokens end with it."""
    async with transaction():
        await Accounts.update({Accounts.active: False}).where(Accounts.name == name)
        await Sessions.delete().where(Sessions.account == name)
        await SignInLinks.delete().where(SignInLinks.account == name)
        await ApiTokens.update({ApiTokens.revoked_at: now}).where(
            ApiTokens.account == name, ApiTokens.revoked_at.is_null()
        )


async def check_password(name: str, password: str) -> Account | None:
    """The active account that this name and password open, or None.

    An unknown name costs as much time as a wrong password.
    """
    rows = await Accounts.select(Accounts.password).where(Accounts.name == name, Accounts.active.eq(True))
    stored = rows[0]["password"] if rows else None
    if len(password) > MOST_PASSWORD:
        return None
    good = await to_thread(_verify, stored or _nobody(), password)
    return await find_account(name) if good and stored else None


async def issue_sign_in_link(name: str, *, now: datetime, lasts: timedelta = timedelta(hours=24)) -> str:
    """A random value that signs one person in once; only its digest stays here."""
    token = secrets.token_urlsafe(32)
    await SignInLinks.insert(
        SignInLinks(digest=digest_of(token), account=name, expires_at=now + lasts, used_at=None)
    )
    return token


async def spend_sign_in_link(token: str, *, now: datetime) -> Account | None:
    """The account this link opens, the first time and in time; else None."""
    rows = (
        await SignInLinks.update({SignInLinks.used_at: now})
        .where(
            SignInLinks.digest == digest_of(token),
            SignInLinks.used_at.is_null(),
            SignInLinks.expires_at > now,
        )
        .returning(SignInLinks.account)
    )
    account = await find_account(rows[0]["account"]) if rows else None
    return account if account is not None and account.active else None


def _known_roles(name: str, roles: Iterable[str]) -> frozenset[str]:
    wanted = frozenset(roles)
    if not wanted or wanted - set(ROLES):
        raise AccountRefusedError(f"账号“{name}”", "角色不对", f"从这些角色中选：{'、'.join(ROLES)}")
    return wanted


async def _hash(password: str) -> str:
    if not LEAST_PASSWORD <= len(password) <= MOST_PASSWORD:
        raise AccountRefusedError(
            "密码", f"要{LEAST_PASSWORD}到{MOST_PASSWORD}个字符", "建议15个字符以上，例如几个不相关的词"
        )
    if await to_thread(_is_easy_to_guess, password):
        raise AccountRefusedError("密码", "太常见，容易被猜到", "换一个别人想不到的")
    return await to_thread(_HASHER.hash, password)


def _is_easy_to_guess(password: str) -> bool:
    from zxcvbn import zxcvbn  # its lists are read when a password is set, not at every start

    return _LOCAL_HABITS.fullmatch(password) is not None or zxcvbn(password[:72])["score"] < LEAST_SCORE


def _verify(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


_NOBODY: list[str] = []


def _nobody() -> str:
    """The hash an unknown name is checked against."""
    if not _NOBODY:
        _NOBODY.append(_HASHER.hash(secrets.token_urlsafe(16)))
    return _NOBODY[0]
