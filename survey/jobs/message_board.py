"""Take in a message, and let two people clear it, one after the other.

A message is no answer: it has a table of its own and no key leads there. Pupils' groups have
no board. Every opening and every step is in the audit trail with who and which message,
never with its text.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from survey.errors import Fault, FaultsError, SurveyError
from survey.fieldwork.board_text import THEMES, read_message
from survey.jobs.receive_response import OFFICE_TIME
from survey.scheme.plan import Plan
from survey.storage.audit import record_audit
from survey.storage.board import (
    Message,
    add_message,
    find_message,
    propose_message,
    release_message,
    send_back_message,
    set_theme,
    withhold_message,
)
from survey.storage.office import IntakeOffice
from survey.storage.plans import load_plan

PUPILS = "student"
RECEIVING = ("open", "paused")


class BoardClosedError(SurveyError):
    """The wave takes no messages, or none from this group."""

    code = "board.closed"
    kind = "conflict"

    def __init__(self, wave: str) -> None:
        super().__init__(f"调查 {wave} 的留言", "现在不收，或不收这一类人的", "有事请打电话")


class MessageMissingError(SurveyError):
    """No held message of that id."""

    code = "board.missing"
    kind = "not_found"

    def __init__(self) -> None:
        super().__init__("这条留言", "没有找到，或者已经有人清理过", "回到留言列表再看")


def board_groups(plan: Plan) -> tuple[str, ...]:
    """The groups of a plan that may write; never pupils."""
    return tuple(entry.group for entry in plan.groups if entry.group != PUPILS)


async def leave_message(
    office: IntakeOffice, wave: str, key: bytes, group: str, text: str, *, now: datetime
) -> Fault | None:
    """Keep a message of a running wave, or say what is wrong with it; the same key again is the same message.

    Raises:
        BoardClosedError: not running, or a pupils' group.
        BoardFullError: too many.
    """
    plan = await load_plan(wave)
    if group not in board_groups(plan) or await office.state(wave) not in RECEIVING:
        raise BoardClosedError(wave)
    clean, fault = read_message(text)
    if fault is not None:
        return fault
    message_id = hashlib.sha256(b"survey/v1/board\x00" + key).hexdigest()[:32]
    await add_message(wave, message_id, group, clean, on=now.astimezone(OFFICE_TIME).date())
    return None


async def open_message(wave: str, message_id: str, *, actor: str, now: datetime) -> Message:
    """The whole text of a held message for the person who clears it; the opening is logged.

    Raises:
        MessageMissingError: no such message.
    """
    message = await find_message(wave, message_id)
    if message is None or message.state != "held":
        raise MessageMissingError
    await record_audit(actor, "open_message", wave, details={"message": message_id[:8]}, now=now)
    return message


async def clear_message(
    wave: str, message_id: str, cleared: str, theme: str, *, actor: str, now: datetime
) -> None:
    """The first step: propose what may be shown of a message.

    Raises:
        FaultsError: no text, too long, or an unknown theme.
        MessageMovedError: it is not held.
    """
    clean, fault = read_message(cleared)
    faults = [fault] if fault else []
    if theme not in THEMES:
        faults.append(_no_theme(theme))
    if faults:
        raise FaultsError("清理后的留言", tuple(faults))
    await propose_message(wave, message_id, clean, theme, actor)
    await record_audit(actor, "clear_message", wave, details={"message": message_id[:8]}, now=now)


async def decide_message(
    wave: str, message_id: str, decision: str, *, actor: str, now: datetime, seen: str | None = None
) -> None:
    """Withhold a held message, or release or send back a proposed one; releasing is another person's.

    Args:
        seen: what whoever releases it has read, as `Message.cleared_digest`.

    Raises:
        MessageMovedError: it is not where this step begins, the same person would do both, or another
            text is proposed by now than the one that was read.
    """
    if decision == "release":
        await release_message(wave, message_id, actor, seen)
    elif decision == "send_back":
        await send_back_message(wave, message_id)
    elif decision == "withhold":
        await withhold_message(wave, message_id, actor)
    else:
        raise SurveyError("留言的处理", f"没有“{decision[:20]}”这一种", "用页面上的按钮")
    await record_audit(actor, f"{decision}_message", wave, details={"message": message_id[:8]}, now=now)


async def change_theme(wave: str, message_id: str, theme: str, *, actor: str, now: datetime) -> None:
    """Put a released message under another theme; text and release stay.

    Raises:
        FaultsError: an unknown theme. MessageMovedError: it is not released.
    """
    if theme not in THEMES:
        raise FaultsError("留言的主题", (_no_theme(theme),))
    before = await set_theme(wave, message_id, theme)
    details = {"message": message_id[:8], "before": before, "after": theme}
    await record_audit(actor, "theme_message", wave, details=details, now=now)


def _no_theme(theme: str) -> Fault:
    return Fault("board.theme", f"没有“{theme[:20]}”这个主题", f"可选：{'、'.join(THEMES)}")
