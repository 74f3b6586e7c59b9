"""Who an account is at the provider of the unified sign-in: registered by a person, never by signing in.

A subject means something with its issuer only, so both are kept: after a change of provider
nobody is let in by a number that now belongs to somebody else.
"""

from __future__ import annotations

from datetime import datetime

from survey.errors import SurveyError
from survey.storage.accounts import Account, find_account
from survey.storage.current import transaction
from survey.storage.tables import AccountSubjects, SpentStarts

LONGEST = 255
"""OpenID Connect Core 1.0, section 2: a subject is at most 255 ASCII characters."""


class SubjectRefusedError(SurveyError):
    """The subject cannot be registered."""

    code = "storage.subject_refused"
    kind = "invalid"


async def save_subject(account: str, issuer: str, subject: str | None) -> None:
    """Register who the account is at the provider; with None it is nobody there any more.

    Raises:
        SubjectRefusedError: not a subject, or another account's.
    """
    thing = f"账号 {account} 的统一登录标识"
    if subject is not None and not (
        1 <= len(subject) <= LONGEST and subject.isascii() and subject.isprintable()
    ):
        raise SubjectRefusedError(
            thing, "要1到255个英文字母、数字或符号", "从统一登录的管理页抄下这个人的标识（sub）"
        )
    async with transaction():
        if subject is not None:
            held = await AccountSubjects.select(AccountSubjects.account).where(
                AccountSubjects.issuer == issuer, AccountSubjects.subject == subject
            )
            if held and held[0]["account"] != account:
                raise SubjectRefusedError(
                    thing, f"已经登记给账号 {held[0]['account']}", "先从那个账号去掉，或核对标识"
                )
        await AccountSubjects.delete().where(AccountSubjects.account == account)
        if subject is not None:
            await AccountSubjects.insert(AccountSubjects(account=account, issuer=issuer, subject=subject))


async def find_subject_account(issuer: str, subject: str) -> Account | None:
    """The active account that is registered under this subject, or None."""
    rows = await AccountSubjects.select(AccountSubjects.account).where(
        AccountSubjects.issuer == issuer, AccountSubjects.subject == subject
    )
    account = await find_account(rows[0]["account"]) if rows else None
    return account if account is not None and account.active else None


async def list_subjects(issuer: str) -> dict[str, str]:
    """The subject of each account that has one at this provider."""
    rows = await AccountSubjects.select().where(AccountSubjects.issuer == issuer)
    return {row["account"]: row["subject"] for row in rows}


async def spend_start(state: str, until: datetime, *, now: datetime) -> bool:
    """Whether the sign-in that was begun under `state` comes back for the first time."""
    async with transaction():
        await SpentStarts.delete().where(SpentStarts.expires_at <= now)
        new = (
            await SpentStarts.insert(SpentStarts(state=state, expires_at=until))
            .on_conflict(action="DO NOTHING")
            .returning(SpentStarts.state)
        )
    return bool(new)
