"""Call-backs: people of a group drawn by chance, asked the key question on the telephone.

The drawn domains enter, a list to call from leaves: a ticket, a domain, the place of a person
on the roll that school or office holds. What comes back is an outcome, a day and one answer.
Web answers are anonymous, so a call-back follows up nobody; it is an independent interview of
a random person, and only the shares of a group are compared (TRUST section 15, I4). No name
and no number is ever read or kept; the ticket is spent without leading to the answer.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from survey.columns import plain_cell
from survey.errors import Fault, SurveyError
from survey.sampling.sample import DomainDraw
from survey.scheme.instrument import Item

OUTCOMES = {"interviewed": "答了", "refused": "不愿答", "not_reached": "没打通"}
NEEDED = 200
"""Interviews without which a quota poster never passes (TRUST section 3)."""
PEOPLE = 500
"""Drawn of each group unless told: 200 interviews when two in five can be reached."""
MOST_DRAWN = 20_000
TICKET, RESULT, DAY, ANSWER = "回访号", "结果", "日期", "答案"
COLUMNS = (TICKET, "域", "学校", "名单上第几人", RESULT, DAY, ANSWER)


class CallBackRefusedError(SurveyError):
    """A call-back that cannot be drawn or recorded."""

    code = "callback.refused"
    kind = "conflict"

    def __init__(self, wave: str, reason: str, remedy: str) -> None:
        super().__init__(f"调查 {wave} 的回访", reason, remedy)


@dataclass(frozen=True)
class Person:
    """One drawn person as the caller finds them: a place on a roll, counted from 1."""

    ticket: str
    draw: DomainDraw
    place: int

    @property
    def row(self) -> tuple[str, ...]:
        """The line of the list, its last three columns for the caller to fill in."""
        return (self.ticket, self.draw.domain, self.draw.school_name, str(self.place), "", "", "")


@dataclass(frozen=True)
class CallBack:
    """What became of one call."""

    ticket: str
    outcome: str
    on: date
    answer: int | None = None


def draw_people(
    domains: Iterable[DomainDraw], n: int, below: Callable[[int], int], token: Callable[[], str]
) -> list[Person]:
    """`n` people of every group, each as likely as any other of the group's drawn domains.

    Args:
        below: a secure random number below its argument.
        token: a new random ticket.

    Returns:
        In the order of the rolls; everybody of a group that has no more than `n`.
    """
    by_group: dict[str, list[DomainDraw]] = {}
    for draw in domains:
        if draw.eligible:
            by_group.setdefault(draw.group, []).append(draw)
    people = []
    for draws in by_group.values():
        everybody = [(draw, place) for draw in draws for place in range(1, draw.eligible + 1)]
        size = min(n, len(everybody))
        for at in range(size):
            # Fisher and Yates, stopped after the first n.
            other = at + below(len(everybody) - at)
            everybody[at], everybody[other] = everybody[other], everybody[at]
        drawn = sorted(everybody[:size], key=lambda one: (one[0].domain, one[1]))
        people += [Person(token(), draw, place) for draw, place in drawn]
    return people


def list_csv(people: Iterable[Person]) -> bytes:
    """The list for the callers, as a spreadsheet program opens it."""
    sheet = io.StringIO()
    csv.writer(sheet).writerows([COLUMNS, *([plain_cell(cell) for cell in one.row] for one in people)])
    return sheet.getvalue().encode("utf-8-sig")


def read_outcomes(
    rows: Sequence[Mapping[str, str]], items: Mapping[str, Item], opens_on: date, today: date
) -> tuple[list[CallBack], list[Fault]]:
    """What callers wrote down, and every fault in it; a row without result, day and answer is not called yet.

    Args:
        rows: column to text; the first stands in line 2 of the file.
        items: ticket to the key item of the person's form.
    """
    calls: list[CallBack] = []
    faults: list[Fault] = []
    names = {**{word: key for key, word in OUTCOMES.items()}, **{key: key for key in OUTCOMES}}
    seen: set[str] = set()
    for number, row in enumerate(rows, 2):
        ticket, result, day, given = (row.get(key, "").strip() for key in (TICKET, RESULT, DAY, ANSWER))
        if not (result or day or given):
            continue
        found: list[tuple[str, str, str]] = []
        if ticket not in items:
            found.append((TICKET, f"没有回访号“{ticket[:20]}”，或者已经登记过", "照抽出的名单填"))
        elif ticket in seen:
            found.append((TICKET, f"回访号{ticket}写了两次", "留下一行"))
        seen.add(ticket)
        if result not in names:
            found.append((RESULT, f"读不懂“{result[:20]}”", "写" + "、".join(OUTCOMES.values())))
        on = _day(day)
        if on is None or not opens_on <= on <= today:
            found.append((DAY, f"“{day[:20]}”不是调查开始以后的日子", "写成 2026-11-24 的样子"))
        answer = None
        if ticket in items and names.get(result) == "interviewed":
            answer = _option(items[ticket], given)
            if answer is None:
                choices = "、".join(f"{option.value} {option.zh}" for option in items[ticket].options)
                found.append((ANSWER, f"没有“{given[:20]}”这个选项", f"写其中一个：{choices}"))
        elif given and names.get(result) != "interviewed":
            found.append((ANSWER, "没有答的人不能有答案", "把答案去掉，或改结果"))
        if found:
            faults += [
                Fault("callback.unreadable", problem, remedy, row=number, column=column)
                for column, problem, remedy in found
            ]
        else:
            assert on is not None
            calls.append(CallBack(ticket, names[result], on, answer))
    return calls, faults


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _option(item: Item, given: str) -> int | None:
    """The value of an option named by value or by label."""
    for option in item.options:
        if given in (str(option.value), option.zh) and isinstance(option.value, int):
            return option.value
    return None
