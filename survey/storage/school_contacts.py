"""What a school's contact may see and do, each call bound to one school of one wave.

A contact has no account: a one-time link begins a session, and every function a school page
uses takes that session and reads or writes the rows of its school alone. There is no way from
here to an answer, a figure, another school, or to who has answered.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from survey.errors import SurveyError
from survey.storage.accounts import digest_of
from survey.storage.current import transaction
from survey.storage.school_tables import Handouts, SchoolLinks, SchoolSessions, SpareRequests

LINK_LASTS = timedelta(days=14)
IDLE = timedelta(hours=2)
ABSOLUTE = timedelta(hours=12)
SEEN_STEP = timedelta(minutes=1)
MOST_ROWS = 500
"""Classes of one school; more is no school."""


class TooManyRowsError(SurveyError):
    """A school has written down more than any school has."""

    code = "school.too_many"
    kind = "conflict"

    def __init__(self) -> None:
        super().__init__("这所学校的登记", f"已经有{MOST_ROWS}行", "打电话给督导部门核对")


class RequestDecidedError(SurveyError):
    """The request was decided before, or does not exist."""

    code = "school.decided"
    kind = "conflict"

    def __init__(self) -> None:
        super().__init__("这次申请", "已经办过，或者没有找到", "刷新后再看")


@dataclass(frozen=True)
class SchoolSession:
    """A signed-in contact: one school of one wave, and nothing else."""

    wave: str
    school_code: str
    contact: str
    digest: str


@dataclass(frozen=True)
class Handout:
    """Slips that were handed out to one class."""

    school_code: str
    group: str
    class_name: str
    n: int
    on: date


@dataclass(frozen=True)
class SpareRequest:
    """Spare slips a school asked for."""

    id: str
    school_code: str
    group: str
    n: int
    reason: str
    state: str
    decided_by: str | None


# ── signing in ──────────────────────────────────────────────────────────────────────────────


async def issue_school_link(wave: str, school_code: str, contact: str, *, now: datetime) -> str:
    """A random value that signs a contact in once; only its digest stays here."""
    token = secrets.token_urlsafe(32)
    await SchoolLinks.insert(
        SchoolLinks(
            digest=digest_of(token),
            wave=wave,
            school_code=school_code,
            contact=contact,
            expires_at=now + LINK_LASTS,
            used_at=None,
        )
    )
    return token


async def spend_school_link(token: str, *, now: datetime) -> str | None:
    """The id of a new session, the first time and in time; else None."""
    async with transaction():
        rows = (
            await SchoolLinks.update({SchoolLinks.used_at: now})
            .where(
                SchoolLinks.digest == digest_of(token),
                SchoolLinks.used_at.is_null(),
                SchoolLinks.expires_at > now,
            )
            .returning(SchoolLinks.wave, SchoolLinks.school_code, SchoolLinks.contact)
        )
        if not rows:
            return None
        return await start_school_session(**rows[0], now=now)


async def start_school_session(wave: str, school_code: str, contact: str, *, now: datetime) -> str:
    """The id of a new session of one school of one wave."""
    session_id = secrets.token_urlsafe(32)
    async with transaction():
        await SchoolSessions.delete().where(
            (SchoolSessions.expires_at <= now) | (SchoolSessions.seen_at <= now - IDLE)
        )
        await SchoolSessions.insert(
            SchoolSessions(
                digest=digest_of(session_id),
                wave=wave,
                school_code=school_code,
                contact=contact,
                started_at=now,
                seen_at=now,
                expires_at=now + ABSOLUTE,
            )
        )
    return session_id


def contact_of(account: str) -> str:
    """How a session that an account began names its contact."""
    return f"@{account}"


async def end_school_sessions_of(account: str) -> None:
    """End every session of a school's pages that an account began."""
    await SchoolSessions.delete().where(SchoolSessions.contact == contact_of(account))


async def find_school_session(session_id: str, *, now: datetime) -> SchoolSession | None:
    """The live session of that id, or None."""
    digest = digest_of(session_id)
    rows = await SchoolSessions.select().where(
        SchoolSessions.digest == digest, SchoolSessions.expires_at > now, SchoolSessions.seen_at > now - IDLE
    )
    if not rows:
        return None
    if now - rows[0]["seen_at"] >= SEEN_STEP:
        await SchoolSessions.update({SchoolSessions.seen_at: now}).where(SchoolSessions.digest == digest)
    return SchoolSession(rows[0]["wave"], rows[0]["school_code"], rows[0]["contact"], digest)


async def end_school_session(session: SchoolSession) -> None:
    """Sign a contact out."""
    await SchoolSessions.delete().where(SchoolSessions.digest == session.digest)


async def withdraw_school(wave: str, school_code: str) -> None:
    """End every link and session of a school: its contact has changed."""
    async with transaction():
        for table in (SchoolLinks, SchoolSessions):
            await table.delete().where(table.wave == wave, table.school_code == school_code)


async def list_school_contacts(wave: str) -> dict[str, list[tuple[str, bool]]]:
    """School code to its contacts and whether each has used the link."""
    contacts: dict[str, list[tuple[str, bool]]] = {}
    for row in await SchoolLinks.select().where(SchoolLinks.wave == wave).order_by(SchoolLinks.expires_at):
        contacts.setdefault(row["school_code"], []).append((row["contact"], row["used_at"] is not None))
    return contacts


# ── a school's own rows ─────────────────────────────────────────────────────────────────────


async def save_handout(session: SchoolSession, group: str, class_name: str, n: int, on: date) -> None:
    """Tick that a class has its slips; the same class again replaces its row.

    Raises:
        TooManyRowsError: more rows than any school has classes.
    """
    own = (Handouts.wave == session.wave) & (Handouts.school_code == session.school_code)
    same = own & (Handouts.respondent_group == group) & (Handouts.class_name == class_name)
    async with transaction():
        await Handouts.delete().where(same)
        if await Handouts.count().where(own) >= MOST_ROWS:
            raise TooManyRowsError
        await Handouts.insert(
            Handouts(
                wave=session.wave,
                school_code=session.school_code,
                respondent_group=group,
                class_name=class_name,
                n=n,
                handed_out_on=on.isoformat(),
            )
        )


async def remove_handout(session: SchoolSession, group: str, class_name: str) -> None:
    """Take a tick of one's own school back."""
    await Handouts.delete().where(
        Handouts.wave == session.wave,
        Handouts.school_code == session.school_code,
        Handouts.respondent_group == group,
        Handouts.class_name == class_name,
    )


async def own_handouts(session: SchoolSession) -> tuple[Handout, ...]:
    """What one's own school has handed out."""
    return await _handouts(
        (Handouts.wave == session.wave) & (Handouts.school_code == session.school_code)
    )


async def ask_spares(session: SchoolSession, group: str, n: int, reason: str, *, now: datetime) -> None:
    """Ask the bureau for spare slips.

    Raises:
        TooManyRowsError: more requests than any school makes.
    """
    own = (SpareRequests.wave == session.wave) & (SpareRequests.school_code == session.school_code)
    if await SpareRequests.count().where(own) >= MOST_ROWS:
        raise TooManyRowsError
    await SpareRequests.insert(
        SpareRequests(
            id=secrets.token_hex(8),
            wave=session.wave,
            school_code=session.school_code,
            respondent_group=group,
            n=n,
            reason=reason,
            state="asked",
            asked_at=now,
        )
    )


async def own_requests(session: SchoolSession) -> tuple[SpareRequest, ...]:
    """What one's own school has asked for."""
    return await _requests(
        (SpareRequests.wave == session.wave) & (SpareRequests.school_code == session.school_code)
    )


# ── the bureau ──────────────────────────────────────────────────────────────────────────────


async def list_handouts(wave: str) -> tuple[Handout, ...]:
    """What every school has handed out."""
    return await _handouts(Handouts.wave == wave)


async def list_requests(wave: str) -> tuple[SpareRequest, ...]:
    """What every school has asked for."""
    return await _requests(SpareRequests.wave == wave)


async def decide_request(wave: str, request: str, granted: bool, by: str, *, now: datetime) -> SpareRequest:
    """Grant or decline a request, once.

    Raises:
        RequestDecidedError: decided before, or no such request.
    """
    rows = (
        await SpareRequests.update(
            {
                SpareRequests.state: "granted" if granted else "declined",
                SpareRequests.decided_by: by,
                SpareRequests.decided_at: now,
            }
        )
        .where(SpareRequests.wave == wave, SpareRequests.id == request, SpareRequests.state == "asked")
        .returning(*SpareRequests.all_columns())
    )
    if not rows:
        raise RequestDecidedError
    return _request(rows[0])


async def _handouts(which: Any) -> tuple[Handout, ...]:
    rows = (
        await Handouts.select()
        .where(which)
        .order_by(Handouts.school_code, Handouts.respondent_group, Handouts.class_name)
    )
    return tuple(
        Handout(
            row["school_code"],
            row["respondent_group"],
            row["class_name"],
            row["n"],
            date.fromisoformat(row["handed_out_on"]),
        )
        for row in rows
    )


async def _requests(which: Any) -> tuple[SpareRequest, ...]:
    rows = await SpareRequests.select().where(which).order_by(SpareRequests.asked_at)
    return tuple(map(_request, rows))


def _request(row: dict[str, Any]) -> SpareRequest:
    return SpareRequest(
        row["id"],
        row["school_code"],
        row["respondent_group"],
        row["n"],
        row["reason"],
        row["state"],
        row["decided_by"],
    )
