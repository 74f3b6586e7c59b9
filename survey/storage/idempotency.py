"""Replies to writes of other systems, kept for a day, so that a retry does nothing twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from survey.errors import SurveyError
from survey.storage.current import transaction
from survey.storage.tables import IdempotentReplies

KEPT = timedelta(hours=24)


class KeyInUseError(SurveyError):
    """The key was used for another request."""

    code = "api.idempotency_key_in_use"
    kind = "conflict"

    def __init__(self, key: str) -> None:
        super().__init__(f"Idempotency-Key “{key[:40]}”", "已经用在另一个请求上", "新的请求用新的键")


@dataclass(frozen=True)
class KeptReply:
    """What was asked, as a digest, and what was answered."""

    asked: str
    body: bytes


async def find_reply(token: str, key: str, *, now: datetime) -> KeptReply | None:
    """The reply kept for a token's key, if it is not a day old."""
    rows = await IdempotentReplies.select().where(
        IdempotentReplies.token == token, IdempotentReplies.key == key, IdempotentReplies.kept_at > now - KEPT
    )
    return KeptReply(rows[0]["asked"], rows[0]["body"].encode()) if rows else None


async def keep_reply(token: str, key: str, asked: str, body: bytes, *, now: datetime) -> None:
    """Keep a reply; those older than a day leave."""
    async with transaction():
        await IdempotentReplies.delete().where(IdempotentReplies.kept_at <= now - KEPT)
        await IdempotentReplies.insert(
            IdempotentReplies(token=token, key=key, asked=asked, body=body.decode(), kept_at=now)
        )
