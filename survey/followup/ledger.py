"""The problem ledger: a problem's life from 待整改 to 回头看, with every act kept.

What enters is an entry and an act by a named person at a given time; what leaves is the entry
after it, or a refusal. An entry is never edited in place: its state is what its history says, so
reopening keeps what was done before. Closing needs evidence and a second person. A problem that
cannot be mended ends in a written explanation (情况说明), by the same road.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from survey.errors import Fault, FaultsError, SurveyError

STATES = {
    "to_mend": "待整改",
    "mending": "整改中",
    "to_close": "待销号",
    "closed": "已销号",
    "explained": "情况说明",
    "looked_again": "回头看",
}
"""States in the order in which a problem meets them."""

SOURCES = {
    "item": "题目",
    "rate": "分组满意度",
    "fall": "比上次下降",
    "fact": "现场核查事实",
    "text": "已公开的留言",
}
"""Where a problem may come from; never a respondent."""

ENDED = frozenset({"closed", "explained", "looked_again"})

_ROAD = {
    "start": (("to_mend",), "mending"),
    "submit": (("mending",), "to_close"),
    "close": (("to_close",), "closed"),
    "accept_explanation": (("to_close",), "explained"),
    "send_back": (("to_close",), "mending"),
    "look_again": (("closed", "explained"), "looked_again"),
    "reopen": (("closed", "explained", "looked_again"), "mending"),
}
ACTS = {
    "open": "登记",
    "start": "开始整改",
    "submit": "申请销号",
    "close": "同意销号",
    "accept_explanation": "同意作情况说明",
    "send_back": "退回",
    "look_again": "回头看合格",
    "reopen": "重新整改",
    "change": "改责任和时限",
}
_LIMITS = {
    "problem": 500,
    "basis": 500,
    "unit": 100,
    "person": 50,
    "measures": 2000,
    "evidence": 2000,
    "note": 2000,
}


class WrongTurnError(SurveyError):
    """The entry is not where this act begins."""

    code = "followup.wrong_turn"
    kind = "conflict"

    def __init__(self, number: int, state: str, act: str) -> None:
        super().__init__(
            f"台账第{number}号",
            f"现在是“{STATES[state]}”，不能做“{ACTS[act]}”",
            "刷新后看一看它走到了哪一步",
        )


class SamePersonError(SurveyError):
    """The person who asked for closing may not agree to it."""

    code = "followup.same_person"
    kind = "forbidden"

    def __init__(self, number: int) -> None:
        super().__init__(f"台账第{number}号", "申请销号的人不能自己同意销号", "请另一个人核对佐证后同意")


@dataclass(frozen=True)
class Act:
    """One thing done to an entry: who, when, what, from where to where, with which words."""

    at: datetime
    who: str
    act: str
    state: str
    """The state after it."""
    note: str = ""
    evidence: str = ""

    @property
    def name(self) -> str:
        """What was done, in Chinese."""
        return ACTS[self.act]

    @property
    def state_name(self) -> str:
        """The state after it, in Chinese."""
        return STATES[self.state]


@dataclass(frozen=True)
class LedgerEntry:
    """One problem of one wave."""

    wave: str
    number: int
    source: str
    source_key: str
    """The row, fact or text it came from, so that it is not taken up twice."""
    problem: str
    basis: str
    unit: str = ""
    person: str = ""
    due_on: date | None = None
    measures: str = ""
    about: str = ""
    """A school's or a responsibility area's code; empty where it is about the whole county."""
    history: tuple[Act, ...] = field(default=())

    @property
    def state(self) -> str:
        """Where the entry stands."""
        return self.history[-1].state

    @property
    def state_name(self) -> str:
        """Where the entry stands, in Chinese."""
        return STATES[self.state]

    @property
    def source_name(self) -> str:
        """Where the problem came from, in Chinese."""
        return SOURCES[self.source]

    @property
    def version(self) -> int:
        """How many acts it has seen; whoever saves names the version they read."""
        return len(self.history)

    @property
    def was_reopened(self) -> bool:
        """Whether mending had to begin again."""
        return any(act.act == "reopen" for act in self.history)

    def is_overdue(self, today: date) -> bool:
        """Whether the date has passed and the problem is not closed."""
        return self.due_on is not None and self.due_on < today and self.state not in ENDED

    def acts(self) -> tuple[str, ...]:
        """What may be done next."""
        return tuple(act for act, (begins, _) in _ROAD.items() if self.state in begins)

    def document(self) -> dict[str, Any]:
        """The entry as plain JSON."""
        return {
            "wave": self.wave,
            "number": self.number,
            "source": self.source,
            "source_key": self.source_key,
            "problem": self.problem,
            "basis": self.basis,
            "unit": self.unit,
            "person": self.person,
            "due_on": None if self.due_on is None else self.due_on.isoformat(),
            "measures": self.measures,
            "about": self.about,
            "state": self.state,
            "history": [
                {
                    "at": act.at.isoformat(),
                    "who": act.who,
                    "act": act.act,
                    "state": act.state,
                    "note": act.note,
                    "evidence": act.evidence,
                }
                for act in self.history
            ],
        }


def read_entry(document: dict[str, Any]) -> LedgerEntry:
    """The entry that `LedgerEntry.document` wrote."""
    return LedgerEntry(
        **{
            key: document[key]
            for key in (
                "wave",
                "number",
                "source",
                "source_key",
                "problem",
                "basis",
                "unit",
                "person",
                "measures",
            )
        },
        about=document.get("about", ""),
        due_on=None if document["due_on"] is None else date.fromisoformat(document["due_on"]),
        history=tuple(
            Act(
                datetime.fromisoformat(act["at"]),
                *(act[key] for key in ("who", "act", "state", "note", "evidence")),
            )
            for act in document["history"]
        ),
    )


def new_entry(
    wave: str,
    number: int,
    source: str,
    source_key: str,
    problem: str,
    basis: str,
    *,
    about: str = "",
    who: str,
    now: datetime,
) -> LedgerEntry:
    """A problem taken up: 待整改.

    Raises:
        FaultsError: an unknown source, an empty problem or basis, or a text that is too long.
    """
    faults = _texts(problem=problem, basis=basis)
    faults += [_missing(name) for name, text in (("problem", problem), ("basis", basis)) if not text.strip()]
    if source not in SOURCES:
        faults.append(
            Fault(
                "followup.unknown_source",
                f"来源“{source}”不认识",
                f"写{'、'.join(SOURCES)}之一",
                item="source",
            )
        )
    _refuse(f"{wave}的新问题", faults)
    return LedgerEntry(
        wave, number, source, source_key, problem.strip(), basis.strip(),
        about=about, history=(Act(now, who, "open", "to_mend"),),
    )  # fmt: skip


def take_act(
    entry: LedgerEntry,
    act: str,
    *,
    who: str,
    now: datetime,
    note: str = "",
    evidence: str = "",
    unit: str | None = None,
    person: str | None = None,
    due_on: date | None = None,
    measures: str | None = None,
) -> LedgerEntry:
    """The entry after an act.

    Args:
        act: one of `ACTS` but `open`; `change` keeps the state.
        note: the words with it: why it is sent back or reopened, what was seen at the second look.
        evidence: what shows that it is mended, asked for by `submit`.
        unit, person, due_on, measures: whose it is; `start` asks for all four, `change` may change any.

    Raises:
        WrongTurnError: the entry does not stand where this act begins.
        SamePersonError: the person who submitted it agrees to it.
        FaultsError: something the act needs is missing or too long.
    """
    if act == "change":
        begins, after = tuple(STATES), entry.state
        if entry.state in ENDED:
            raise WrongTurnError(entry.number, entry.state, act)
    elif act in _ROAD:
        begins, after = _ROAD[act]
    else:
        raise FaultsError(f"台账第{entry.number}号", (Fault("followup.unknown_act", f"没有“{act}”这一步", f"写{'、'.join(_ROAD)}之一", item="act"),))  # fmt: skip
    if entry.state not in begins:
        raise WrongTurnError(entry.number, entry.state, act)
    if act in ("close", "accept_explanation") and who == _submitter(entry.history):
        raise SamePersonError(entry.number)
    moved = replace(
        entry,
        unit=entry.unit if unit is None else unit.strip(),
        person=entry.person if person is None else person.strip(),
        measures=entry.measures if measures is None else measures.strip(),
        due_on=entry.due_on if due_on is None else due_on,
    )
    _refuse(f"台账第{entry.number}号", _needs(moved, act, note, evidence, today=now.date()))
    return replace(moved, history=(*entry.history, Act(now, who, act, after, note.strip(), evidence.strip())))


def by_urgency(entries: Iterable[LedgerEntry], today: date) -> list[LedgerEntry]:
    """Overdue first, then by date, then by number; what has ended comes last."""
    return sorted(
        entries,
        key=lambda one: (
            one.state in ENDED,
            not one.is_overdue(today),
            one.due_on or date.max,
            one.number,
        ),
    )


def _submitter(history: tuple[Act, ...]) -> str | None:
    return next((act.who for act in reversed(history) if act.act == "submit"), None)


def _needs(entry: LedgerEntry, act: str, note: str, evidence: str, *, today: date) -> list[Fault]:
    faults = _texts(
        note=note, evidence=evidence, unit=entry.unit, person=entry.person, measures=entry.measures
    )
    if act in ("start", "change"):
        for name in ("unit", "person", "measures"):
            if not getattr(entry, name):
                faults.append(_missing(name))
        if entry.due_on is None:
            faults.append(_missing("due_on"))
        elif act == "start" and entry.due_on < today:
            faults.append(
                Fault("followup.due_in_the_past", "整改时限已经过了", "写今天或以后的日期", item="due_on")
            )
    if act == "submit" and not evidence.strip():
        faults.append(_missing("evidence"))
    if act in ("send_back", "reopen", "look_again", "accept_explanation") and not note.strip():
        faults.append(_missing("note"))
    return faults


_NAMES = {
    "problem": "问题", "basis": "依据", "unit": "责任单位", "person": "责任人", "due_on": "时限",
    "measures": "措施", "evidence": "佐证", "note": "说明",
}  # fmt: skip


def _missing(name: str) -> Fault:
    return Fault("followup.missing", f"没有写{_NAMES[name]}", f"补上{_NAMES[name]}", item=name)


def _texts(**texts: str) -> list[Fault]:
    faults = []
    for name, text in texts.items():
        if len(text) > _LIMITS[name]:
            faults.append(
                Fault(
                    "followup.too_long",
                    f"{_NAMES[name]}有{len(text)}个字",
                    f"写在{_LIMITS[name]}个字以内",
                    item=name,
                )
            )
        if any(not sign.isprintable() and sign not in "\n\r\t" for sign in text):
            faults.append(
                Fault(
                    "followup.control_signs", f"{_NAMES[name]}里有看不见的控制符", "删掉后重新输入", item=name
                )
            )
    return faults


def _refuse(thing: str, faults: list[Fault]) -> None:
    if faults:
        raise FaultsError(thing, tuple(faults))
