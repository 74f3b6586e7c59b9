"""Messages of the board: held, proposed by one person, released by another, or withheld.

Nothing here leads to an answer, a slip or a person: ids are random, the date is a day, lists
come in the order of the ids. That the second person is another is part of the statement that
releases, and of the table itself.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date

from survey.canonical import sha256_hex
from survey.errors import SurveyError
from survey.storage.current import transaction
from survey.storage.tables import BoardMessages

MOST_MESSAGES = 50_000
"""Of one wave; beyond it somebody is flooding, and no person could read them."""


class BoardFullError(SurveyError):
    """The wave has more messages than anybody could read."""

    code = "board.full"
    kind = "busy"

    def __init__(self, wave: str) -> None:
        super().__init__(f"调查 {wave} 的留言", "已经太多，暂时不收", "有事请打电话")


class MessageMovedError(SurveyError):
    """The message is not where this step begins, or the same person would do both steps."""

    code = "board.moved"
    kind = "conflict"

    def __init__(self) -> None:
        super().__init__(
            "这条留言", "已经有人处理过、改过，或者清理和放行会是同一个人", "刷新后再看；放行要由另一个人来做"
        )


@dataclass(frozen=True)
class Message:
    """One message; `cleared` is what may be shown once it is released."""

    id: str
    group: str
    text: str
    received_on: date
    state: str
    cleared: str
    theme: str
    cleared_by: str | None
    released_by: str | None

    @property
    def cleared_digest(self) -> str:
        """The SHA-256 of the text that may be shown, by which a page says what was read."""
        return sha256_hex((self.cleared or "").encode())


async def add_message(wave: str, message_id: str, group: str, text: str, *, on: date) -> None:
    """Keep a message; the same id again changes nothing.

    Raises:
        BoardFullError: the wave has too many.
    """
    async with transaction():
        if await BoardMessages.exists().where(BoardMessages.id == message_id):
            return
        if await BoardMessages.count().where(BoardMessages.wave == wave) >= MOST_MESSAGES:
            raise BoardFullError(wave)
        await BoardMessages.insert(
            BoardMessages(
                id=message_id,
                wave=wave,
                respondent_group=group,
                text=text,
                received_on=on.isoformat(),
                state="held",
                cleared="",
                theme="",
            )
        )


async def list_messages(wave: str, state: str, *, limit: int = 50, after: str = "") -> tuple[Message, ...]:
    """Messages in a state, in the order of their random ids."""
    rows = (
        await BoardMessages.select()
        .where(BoardMessages.wave == wave, BoardMessages.state == state, BoardMessages.id > after)
        .order_by(BoardMessages.id)
        .limit(limit)
    )
    return tuple(_message(row) for row in rows)


async def find_message(wave: str, message_id: str) -> Message | None:
    """One message of a wave, or None."""
    rows = await BoardMessages.select().where(BoardMessages.wave == wave, BoardMessages.id == message_id)
    return _message(rows[0]) if rows else None


async def count_messages(wave: str) -> dict[str, int]:
    """How many messages stand in each state."""
    return {
        state: await BoardMessages.count().where(BoardMessages.wave == wave, BoardMessages.state == state)
        for state in ("held", "proposed", "released", "withheld")
    }


async def count_released(wave: str) -> tuple[dict[str, int], dict[str, int]]:
    """Released messages by theme, and by group."""
    rows = await BoardMessages.select(BoardMessages.theme, BoardMessages.respondent_group).where(
        BoardMessages.wave == wave, BoardMessages.state == "released"
    )
    return (
        dict(Counter(str(row["theme"]) for row in rows)),
        dict(Counter(str(row["respondent_group"]) for row in rows)),
    )


async def set_theme(wave: str, message_id: str, theme: str) -> str:
    """Give a released message another theme; the one it had.

    Raises:
        MessageMovedError: it is not released.
    """
    async with transaction():
        before = await find_message(wave, message_id)
        if before is None or before.state != "released":
            raise MessageMovedError
        await BoardMessages.update({BoardMessages.theme: theme}).where(
            BoardMessages.wave == wave, BoardMessages.id == message_id
        )
    return before.theme


async def propose_message(wave: str, message_id: str, cleared: str, theme: str, by: str) -> None:
    """The first pair of eyes: what may be shown of a held message.

    Raises:
        MessageMovedError: it is not held.
    """
    rows = (
        await BoardMessages.update(
            {
                BoardMessages.state: "proposed",
                BoardMessages.cleared: cleared,
                BoardMessages.theme: theme,
                BoardMessages.cleared_by: by,
            }
        )
        .where(BoardMessages.wave == wave, BoardMessages.id == message_id, BoardMessages.state == "held")
        .returning(BoardMessages.id)
    )
    if not rows:
        raise MessageMovedError


async def withhold_message(wave: str, message_id: str, by: str) -> None:
    """Keep a held message from everybody for good.

    Raises:
        MessageMovedError: it is not held.
    """
    rows = (
        await BoardMessages.update({BoardMessages.state: "withheld", BoardMessages.cleared_by: by})
        .where(BoardMessages.wave == wave, BoardMessages.id == message_id, BoardMessages.state == "held")
        .returning(BoardMessages.id)
    )
    if not rows:
        raise MessageMovedError


async def release_message(wave: str, message_id: str, by: str, seen: str | None = None) -> None:
    """The second pair of eyes, another person's: the cleared text may be shown.

    Args:
        seen: the SHA-256 of the text that they read; None where it is not asked.

    Raises:
        MessageMovedError: it is not proposed, `by` proposed it, or another text is proposed by now.
    """
    read = await find_message(wave, message_id)
    if read is None or (seen is not None and seen != read.cleared_digest):
        raise MessageMovedError
    rows = (
        await BoardMessages.update({BoardMessages.state: "released", BoardMessages.released_by: by})
        .where(
            BoardMessages.wave == wave,
            BoardMessages.id == message_id,
            BoardMessages.state == "proposed",
            BoardMessages.cleared_by != by,
            BoardMessages.cleared == read.cleared,
        )
        .returning(BoardMessages.id)
    )
    if not rows:
        raise MessageMovedError


async def send_back_message(wave: str, message_id: str) -> None:
    """A proposed message becomes held again: something was overlooked.

    Raises:
        MessageMovedError: it is not proposed.
    """
    rows = (
        await BoardMessages.update({BoardMessages.state: "held", BoardMessages.cleared_by: None})
        .where(BoardMessages.wave == wave, BoardMessages.id == message_id, BoardMessages.state == "proposed")
        .returning(BoardMessages.id)
    )
    if not rows:
        raise MessageMovedError


def _message(row: dict[str, object]) -> Message:
    return Message(
        id=str(row["id"]),
        group=str(row["respondent_group"]),
        text=str(row["text"]),
        received_on=date.fromisoformat(str(row["received_on"])),
        state=str(row["state"]),
        cleared=str(row["cleared"]),
        theme=str(row["theme"]),
        cleared_by=None if row["cleared_by"] is None else str(row["cleared_by"]),
        released_by=None if row["released_by"] is None else str(row["released_by"]),
    )
