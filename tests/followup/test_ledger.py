"""A problem's life: forward by named acts, backward only by reopening, never without its history."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey.errors import FaultsError
from survey.followup.ledger import (
    ACTS,
    ENDED,
    LedgerEntry,
    SamePersonError,
    WrongTurnError,
    by_urgency,
    new_entry,
    read_entry,
    take_act,
)

NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
OWNER: dict[str, Any] = {
    "unit": "县财政局",
    "person": "预算股股长",
    "due_on": date(2026, 12, 20),
    "measures": "补齐课桌三百套",
}


def fresh() -> LedgerEntry:
    return new_entry("w1", 1, "item", "weak:items:parent:P03", "课桌不够", "证书第3号", who="lin", now=NOW)


def after(*acts: tuple[str, str], entry: LedgerEntry | None = None) -> LedgerEntry:
    entry = entry or fresh()
    for act, who in acts:
        given = (
            OWNER if act == "start" else {"evidence": "验收单12号"} if act == "submit" else {"note": "看过"}
        )
        entry = take_act(entry, act, who=who, now=NOW, **given)
    return entry


def test_the_whole_road_is_walked_and_kept() -> None:
    entry = after(("start", "lin"), ("submit", "lin"), ("close", "wu"), ("look_again", "zhao"))

    assert entry.state_name == "回头看"
    assert [act.name for act in entry.history] == ["登记", "开始整改", "申请销号", "同意销号", "回头看合格"]
    assert entry.unit == "县财政局"


def test_who_asked_for_closing_does_not_agree_to_it() -> None:
    waiting = after(("start", "lin"), ("submit", "lin"))

    with pytest.raises(SamePersonError):
        take_act(waiting, "close", who="lin", now=NOW)
    with pytest.raises(SamePersonError):
        take_act(waiting, "accept_explanation", who="lin", now=NOW, note="没有地")


def test_closing_is_not_asked_for_without_evidence() -> None:
    with pytest.raises(FaultsError, match="没有写佐证"):
        take_act(after(("start", "lin")), "submit", who="lin", now=NOW)


def test_starting_names_everything_that_is_missing_at_once() -> None:
    with pytest.raises(FaultsError) as refused:
        take_act(fresh(), "start", who="lin", now=NOW)

    assert {fault.item for fault in refused.value.faults} == {"unit", "person", "due_on", "measures"}


def test_a_date_that_has_passed_is_no_date_to_begin_with() -> None:
    with pytest.raises(FaultsError, match="时限已经过了"):
        take_act(fresh(), "start", who="lin", now=NOW, **OWNER | {"due_on": date(2026, 11, 1)})


def test_reopening_keeps_what_was_done() -> None:
    closed = after(("start", "lin"), ("submit", "lin"), ("close", "wu"))
    again = take_act(closed, "reopen", who="zhao", now=NOW, note="回头看发现课桌又少了")

    assert again.state == "mending"
    assert again.was_reopened
    assert again.history[: len(closed.history)] == closed.history


@pytest.mark.parametrize("act", [act for act in ACTS if act not in ("open", "start", "change")])
def test_nothing_is_skipped(act: str) -> None:
    with pytest.raises(WrongTurnError):
        take_act(fresh(), act, who="wu", now=NOW, note="n", evidence="e")


def test_overdue_comes_first_and_what_has_ended_last() -> None:
    late = after(("start", "lin"))
    closed = after(("start", "lin"), ("submit", "lin"), ("close", "wu"))
    order = by_urgency([closed, fresh(), late], date(2027, 1, 1))

    assert order == [late, fresh(), closed]
    assert late.is_overdue(date(2026, 12, 21))
    assert not late.is_overdue(date(2026, 12, 20))


@pytest.mark.parametrize(
    ("problem", "basis", "code"),
    [("", "依据", "followup.missing"), ("字" * 501, "依据", "followup.too_long"), ("坏\x00字", "依据", "followup.control_signs")],
)  # fmt: skip
def test_a_problem_that_cannot_be_read_later_is_refused(problem: str, basis: str, code: str) -> None:
    with pytest.raises(FaultsError) as refused:
        new_entry("w1", 1, "fact", "", problem, basis, who="lin", now=NOW)

    assert code in {fault.code for fault in refused.value.faults}


@given(
    st.lists(
        st.tuples(st.sampled_from([act for act in ACTS if act != "open"]), st.sampled_from(["lin", "wu"])),
        max_size=12,
    )
)
def test_whatever_is_tried_the_history_only_grows_and_reads_back(tries: list[tuple[str, str]]) -> None:
    entry, at = fresh(), NOW
    for act, who in tries:
        at += timedelta(minutes=1)
        try:
            moved = take_act(entry, act, who=who, now=at, note="n", evidence="e", **OWNER)
        except (WrongTurnError, SamePersonError):
            continue
        assert moved.history[:-1] == entry.history
        entry = moved

    assert read_entry(entry.document()) == entry
    if entry.state in ENDED:
        submitter = [act.who for act in entry.history if act.act == "submit"][-1]
        agreed = [act.who for act in entry.history if act.act in ("close", "accept_explanation")][-1]
        assert submitter != agreed
