"""Who is signed in: 32 random bytes in the cookie, their digest in the table.

A session ends after two hours without a step, after twelve hours in any case, and with its
account. Signing in always makes a new id; an id that a client brought is never taken over.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from survey.storage.accounts import Account, digest_of, find_account
from survey.storage.current import transaction
from survey.storage.tables import Sessions

IDLE = timedelta(hours=2)
ABSOLUTE = timedelta(hours=12)
SEEN_STEP = timedelta(minutes=1)
"""A page writes the time of the last step only when a minute has passed: reading stays reading."""


@dataclass(frozen=True)
class Session:
    """One signed-in browser."""

    account: Account
    started_at: datetime
    seen_at: datetime
    expires_at: datetime
    digest: str


@dataclass(frozen=True)
class OpenSession:
    """One line of the list of sessions; `digest` names it and opens nothing."""

    digest: str
    account: str
    device: str
    started_at: datetime
    seen_at: datetime


async def start_session(name: str, *, now: datetime, device: str = "") -> str:
    """The id of a new session; it goes into the cookie and is kept nowhere.

    Args:
        device: browser and system in words, for the list; never an address.
    """
    session_id = secrets.token_urlsafe(32)
    async with transaction():
        await Sessions.delete().where((Sessions.expires_at <= now) | (Sessions.seen_at <= now - IDLE))
        await Sessions.insert(
            Sessions(
                digest=digest_of(session_id),
                account=name,
                started_at=now,
                seen_at=now,
                expires_at=now + ABSOLUTE,
                device=device,
            )
        )
    return session_id


async def find_session(session_id: str, *, now: datetime) -> Session | None:
    """The live session of that id, or None when unknown, idle too long or over."""
    digest = digest_of(session_id)
    rows = await Sessions.select().where(
        Sessions.digest == digest, Sessions.expires_at > now, Sessions.seen_at > now - IDLE
    )
    if not rows:
        return None
    account = await find_account(rows[0]["account"])
    if account is None or not account.active:
        return None
    if now - rows[0]["seen_at"] >= SEEN_STEP:
        await Sessions.update({Sessions.seen_at: now}).where(Sessions.digest == digest)
    return Session(account, rows[0]["started_at"], rows[0]["seen_at"], rows[0]["expires_at"], digest)


async def end_session(session_id: str) -> None:
    """Sign one browser out."""
    await Sessions.delete().where(Sessions.digest == digest_of(session_id))


async def list_sessions(name: str | None, *, now: datetime) -> tuple[OpenSession, ...]:
    """The live sessions of an account, or of everybody, the oldest first."""
    query = Sessions.select().where(Sessions.expires_at > now, Sessions.seen_at > now - IDLE)
    rows = await (query if name is None else query.where(Sessions.account == name)).order_by(
        Sessions.started_at
    )
    return tuple(
        OpenSession(row["digest"], row["account"], row["device"], row["started_at"], row["seen_at"])
        for row in rows
    )


async def end_session_of(digest: str, name: str | None) -> str | None:
    """End the session that the list calls `digest`; whose it was, or None where there is none.

    Args:
        name: only a session of this account; None for anybody's.
    """
    query = Sessions.delete().where(Sessions.digest == digest)
    rows = await (query if name is None else query.where(Sessions.account == name)).returning(
        Sessions.account
    )
    return rows[0]["account"] if rows else None


async def end_sessions(name: str) -> None:
    """Sign an account out everywhere."""
    await Sessions.delete().where(Sessions.account == name)
