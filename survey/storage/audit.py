"""The audit trail: who did what to which object, when, with which result.

Each entry is canonical JSON that holds the digest of the entry before it, so an entry can
neither be changed nor taken out unseen. Never in it: answers, slip codes, receipts,
respondents' addresses, passwords.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from survey.canonical import NotCanonicalError, decode, encode, sha256_hex
from survey.errors import SurveyError
from survey.storage.current import take_turn, transaction
from survey.storage.tables import AuditTrail

FIRST = "0" * 64


class AuditBrokenError(SurveyError):
    """An entry was changed, or one is missing."""

    code = "storage.audit_broken"

    def __init__(self, position: int) -> None:
        super().__init__("操作记录", f"第{position + 1}条与前一条接不上，被改动过", "保留现场，用备份核对")


@dataclass(frozen=True)
class AuditEntry:
    """One line of the trail."""

    position: int
    at: str
    who: str
    what: str
    object: str
    result: str
    details: dict[str, Any]


async def record_audit(
    who: str,
    what: str,
    object: str,
    result: str = "ok",
    details: dict[str, Any] | None = None,
    *,
    now: datetime,
) -> None:
    """Append one entry; inside a transaction it stands or falls with the deed."""
    async with transaction():
        await take_turn("audit")
        last = await AuditTrail.select().order_by(AuditTrail.position, ascending=False).limit(1)
        position = last[0]["position"] + 1 if last else 0
        document = encode(
            {
                "at": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                "details": _clean(details or {}),
                "object": _clean(object),
                "position": position,
                "previous": last[0]["digest"] if last else FIRST,
                "result": _clean(result),
                "what": _clean(what),
                "who": _clean(who),
            }
        )
        await AuditTrail.insert(
            AuditTrail(position=position, document=document.decode(), digest=sha256_hex(document))
        )


async def list_audit(
    limit: int = 200,
    wave: str | None = None,
    *,
    within: frozenset[str] | None = None,
    before: int | None = None,
) -> tuple[AuditEntry, ...]:
    """The newest entries, newest first.

    Args:
        before: only entries older than the one of this position.
        wave: entries of this object only.
        within: entries of these objects only, and who of these signed in: waves and accounts of one branch.
    """
    query = AuditTrail.select().order_by(AuditTrail.position, ascending=False)
    # The object is inside the canonical text: the database leaves out most, reading decides.
    if before is not None:
        query = query.where(AuditTrail.position < before)
    named = query if wave is None else query.where(AuditTrail.document.like(f'%"object":"{wave}"%'))
    rows = await (query.limit(limit) if wave is None and within is None else named)
    entries = (_entry(row["document"]) for row in rows)
    shown = (entry for entry in entries if wave is None or entry.object == wave)
    return tuple(islice((entry for entry in shown if within is None or _subject(entry) in within), limit))


def _subject(entry: AuditEntry) -> str:
    """Whom or what an entry is about: of signing in at the console, who tried."""
    return entry.who if entry.object == "console" else entry.object


async def acts_on(wave: str, what: str) -> int:
    """How often something was done to an object, with whatever result."""
    return int(
        await AuditTrail.count().where(
            AuditTrail.document.like(f'%"object":"{wave}"%'),
            AuditTrail.document.like(f'%"what":"{what}"%'),
        )
    )


async def who_did(object: str, what: str) -> frozenset[str]:
    """Everybody who did something to an object, and was not refused."""
    rows = await AuditTrail.select(AuditTrail.document).where(
        AuditTrail.document.like(f'%"object":"{object}"%'),
        AuditTrail.document.like(f'%"what":"{what}"%'),
    )
    entries = (_entry(row["document"]) for row in rows)
    return frozenset(one.who for one in entries if (one.object, one.what, one.result) == (object, what, "ok"))


async def newest_act() -> datetime | None:
    """When the newest entry was made."""
    last = await AuditTrail.select().order_by(AuditTrail.position, ascending=False).limit(1)
    return datetime.fromisoformat(_entry(last[0]["document"]).at) if last else None


async def audit_head() -> tuple[int, str]:
    """How many entries there are, and the digest of the last: whoever keeps it notices a trail cut short."""
    last = await AuditTrail.select().order_by(AuditTrail.position, ascending=False).limit(1)
    return (last[0]["position"] + 1, last[0]["digest"]) if last else (0, FIRST)


async def verify_audit(known: tuple[int, str] | None = None) -> int:
    """The number of entries, all of which follow from one another.

    Args:
        known: number and digest that somebody kept of an earlier day, such as from a daily letter.

    Raises:
        AuditBrokenError: names the first entry that does not.
    """
    previous, expected = FIRST, 0
    for row in await AuditTrail.select().order_by(AuditTrail.position):
        document = row["document"].encode()
        try:
            value = decode(document)
            follows = value["previous"] == previous and value["position"] == row["position"] == expected
        except (NotCanonicalError, KeyError, TypeError):
            follows = False
        if not follows or sha256_hex(document) != row["digest"]:
            raise AuditBrokenError(expected)
        previous, expected = row["digest"], expected + 1
        if known is not None and known[0] == expected and known[1] != previous:
            raise AuditBrokenError(expected - 1)
    if known is not None and known[0] > expected:
        raise AuditBrokenError(expected)
    return expected


def _entry(document: str) -> AuditEntry:
    value = decode(document.encode())
    del value["previous"]
    return AuditEntry(**value)


def _clean(value: Any) -> Any:
    """The value with line breaks and control characters escaped, so no entry can pose as two."""
    if isinstance(value, str):
        return "".join(
            sign if sign.isprintable() else sign.encode("unicode_escape", "backslashreplace").decode()
            for sign in value
        )
    if isinstance(value, dict):
        return {str(key): _clean(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(part) for part in value]
    return value
