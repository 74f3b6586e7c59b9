"""Do a write of another system once, however often it is sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from survey.storage.current import take_turn, transaction
from survey.storage.idempotency import KeyInUseError, find_reply, keep_reply


async def once(
    token: str, key: str, asked: str, work: Callable[[], Awaitable[bytes]], *, now: datetime
) -> tuple[bytes, bool]:
    """The reply to a write, and whether it is the one given before.

    The work and the memory of it are one transaction, and requests with the same key wait for each
    other. A refusal undoes both: whoever mends the request may use the key again.

    Args:
        token: digest of the asking system's token; keys of different tokens never meet.
        key: the request's own key.
        asked: digest of what is asked, so that a key is not taken for another request.
        work: does the write and returns the reply.

    Raises:
        KeyInUseError: the key was used for another request within a day.
    """
    async with transaction():
        await take_turn(f"once.{token}.{key}")
        earlier = await find_reply(token, key, now=now)
        if earlier is not None:
            if earlier.asked != asked:
                raise KeyInUseError(key)
            return earlier.body, True
        body = await work()
        await keep_reply(token, key, asked, body, now=now)
        return body, False
