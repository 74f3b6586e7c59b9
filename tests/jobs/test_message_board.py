"""The message board: apart from answers, closed for pupils, released by two different people."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest

from survey.canonical import encode
from survey.errors import FaultsError
from survey.fieldwork.board_text import MOST_SIGNS, masked, read_message
from survey.jobs.create_wave import create_wave
from survey.jobs.message_board import (
    BoardClosedError,
    MessageMissingError,
    clear_message,
    decide_message,
    leave_message,
    open_message,
)
from survey.scheme.plan import example_plan_text, plan_document, read_plan
from survey.storage.audit import list_audit
from survey.storage.board import MessageMovedError, count_messages, list_messages
from survey.storage.database import Database
from survey.storage.intake import About
from survey.storage.office import IntakeOffice
from survey.storage.tables import BoardMessages

NOW = datetime(2026, 11, 26, 15, 30, tzinfo=UTC)
WAVE = "wave-1"
SAID = "三年级的张老师让买了3本练习册，电话13800138000"


@pytest.fixture
async def running(database: Database, office: IntakeOffice) -> IntakeOffice:
    """A running wave; nobody has answered."""
    plan = msgspec.structs.replace(read_plan(example_plan_text()), wave=WAVE)
    await create_wave(encode(plan_document(plan)), actor="test", now=NOW)
    about = About(WAVE, f"survey.example/{WAVE}", None, date(2026, 11, 24))
    await office.create(about, [], slip_key=os.urandom(32), log_seed=os.urandom(32))
    await office.set_state(WAVE, "planned", "open")
    return office


async def say(office: IntakeOffice, text: str = SAID, group: str = "parent", key: bytes | None = None) -> Any:
    return await leave_message(office, WAVE, key or os.urandom(16), group, text, now=NOW)


async def test_two_different_people_release_a_message_and_one_cannot_be_both(running: IntakeOffice) -> None:
    await say(running)
    [held] = await list_messages(WAVE, "held")
    await open_message(WAVE, held.id, actor="jia", now=NOW)
    by = {"now": NOW}
    await clear_message(WAVE, held.id, "三年级有老师让买练习册", "收费", actor="jia", **by)
    with pytest.raises(MessageMovedError):
        await decide_message(WAVE, held.id, "release", actor="jia", **by)
    with pytest.raises(MessageMissingError):
        await open_message(WAVE, held.id, actor="yi", now=NOW)
    await decide_message(WAVE, held.id, "release", actor="yi", **by)
    [released] = await list_messages(WAVE, "released")
    log = await list_audit()

    assert (released.cleared, released.cleared_by, released.released_by) == (
        "三年级有老师让买练习册",
        "jia",
        "yi",
    )
    assert [entry.what for entry in log[:3]] == ["release_message", "clear_message", "open_message"]
    assert "练习册" not in str(log)


async def test_a_message_sent_back_is_held_again_and_a_withheld_one_stays_so(running: IntakeOffice) -> None:
    await say(running)
    [held] = await list_messages(WAVE, "held")
    by = {"now": NOW}
    with pytest.raises(FaultsError):
        await clear_message(WAVE, held.id, "  ", "天气", actor="jia", **by)
    await clear_message(WAVE, held.id, "买练习册", "收费", actor="jia", **by)
    await decide_message(WAVE, held.id, "send_back", actor="yi", **by)
    await decide_message(WAVE, held.id, "withhold", actor="yi", **by)
    with pytest.raises(MessageMovedError):
        await clear_message(WAVE, held.id, "买练习册", "收费", actor="jia", **by)

    assert await count_messages(WAVE) == {"held": 0, "proposed": 0, "released": 0, "withheld": 1}


async def test_pupils_strangers_and_closed_waves_have_no_board_and_twice_is_once(
    running: IntakeOffice,
) -> None:
    key = os.urandom(16)
    await say(running, key=key)
    await say(running, key=key)
    for group in ("student", "nobody", ""):
        with pytest.raises(BoardClosedError):
            await say(running, group=group)
    await running.set_state(WAVE, "open", "closed")
    with pytest.raises(BoardClosedError):
        await say(running)

    rows = await BoardMessages.select()
    assert len(rows) == 1
    assert set(rows[0]) == {
        *("id", "wave", "respondent_group", "text", "received_on", "state", "cleared", "theme"),
        *("cleared_by", "released_by"),
    }
    assert rows[0]["received_on"] == "2026-11-26" and await running.leaves(WAVE) == []


@pytest.mark.parametrize("text", ["", " \n ", "字" * (MOST_SIGNS + 1), "a\x00b", "a\u202eb", "a\x1bb"])
def test_nothing_too_much_and_control_characters_are_faults(text: str) -> None:
    assert read_message(text)[1] is not None


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("打138-0013-8000找我", "打■找我"),
        ("身份证11010519491231002X", "身份证■"),
        ("写到 a.b@mail.example 或 https://x.example/y", "写到 ■ 或 ■"),
        ("微信号：wang_12345", "■"),
        ("王校长和李小红老师", "■校长和■老师"),
        ("食堂2024年涨价到15元", "食堂2024年涨价到15元"),
    ],
)
def test_what_points_at_a_person_by_its_form_is_masked(text: str, hidden: str) -> None:
    assert masked(text) == hidden
