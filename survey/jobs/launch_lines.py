"""The sixteen lines of the launch checklist: what each says when it holds and when it does not.

Ten are read from facts, six a named person answers for. A demonstration collects no real answers,
so a line that guards real people does not stop it; a line that guards the evidence stops both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from survey.storage.launch_ticks import Tick

State = Literal["green", "amber", "red"]

STATE_WORDS: dict[State, str] = {"green": "可以", "amber": "提醒", "red": "不能发布"}


@dataclass(frozen=True)
class Seen:
    """What was found about a line: its state, why, and what to do where it is not green."""

    state: State
    reason: str
    remedy: str = ""


@dataclass(frozen=True)
class Line:
    """A line before anybody looked: its words, the page that mends it, and how strict it is."""

    key: str
    title: str
    page: str
    """Of the wave's pages, the one where it is mended."""
    guards_people: bool = False
    """Red for a real wave, amber for a demonstration."""
    asked: str = ""
    """For a line that a person ticks: what they answer for."""


LINES = (
    Line("plan_signed", "方案由两人签署", "signing"),
    Line("plan_holds", "样本、问卷和算法与签下的一样", ""),
    Line("values_confirmed", "没有核实的数都有人确认", "setup", guards_people=True),
    Line("languages", "每种语言的译文都审定过", "setup"),
    Line("address", "网址是正式的，和印在纸上的一样", "setup", guards_people=True),
    Line("papers", "纸条已经排印并取走", "papers", guards_people=True),
    Line("held_codes", "留给上级的填写码已经取走", "papers"),
    Line("no_answers", "没有试填留下的答卷", "monitor"),
    Line("intake", "答卷库能写，磁盘够用", ""),
    Line("clock", "服务器时间正确，填写日期没有过", "setup"),
    Line(
        "approval",
        "统计调查的批准文号",
        "setup",
        guards_people=True,
        asked="已问过当地统计机构，本次调查不需要批准文号",
    ),
    Line(
        "phones",
        "在两部手机的微信里打开过",
        "launch",
        guards_people=True,
        asked="用两部手机的微信扫海报，都打开了题目，试填到了最后一页",
    ),
    Line(
        "telephone",
        "公布的电话有人接",
        "launch",
        guards_people=True,
        asked="打过方案上的电话，有人接，能回答家长的问题",
    ),
    Line(
        "notices",
        "告知已经发给家长，里面没有答题示例",
        "papers",
        guards_people=True,
        asked="告知（有学生参加时包括监护人告知）已经发出，里面没有答题示例、培训和动员",
    ),
    Line(
        "counted",
        "纸条由两人清点、封好",
        "papers",
        guards_people=True,
        asked="每所学校的纸条由两人清点、打乱、封好，份数与清单一致",
    ),
    Line(
        "backup",
        "备份恢复过一次",
        "launch",
        guards_people=True,
        asked="用最近的备份在另一个文件夹恢复过一次，能打开",
    ),
)
BY_KEY = {line.key: line for line in LINES}


@dataclass(frozen=True)
class LaunchItem:
    """A line as it stands now."""

    line: Line
    seen: Seen
    tick: Tick | None = None

    @property
    def state(self) -> State:
        """Green, amber or red."""
        return self.seen.state

    @property
    def can_be_ticked(self) -> bool:
        """Whether a person's word settles it, and has not yet."""
        return bool(self.line.asked) and self.tick is None and self.state != "green"

    def document(self, wave: str) -> dict[str, Any]:
        """The item as plain JSON."""
        page = f"/{self.line.page}" if self.line.page else ""
        ticked = self.tick and {
            "person": self.tick.person,
            "note": self.tick.note,
            "at": self.tick.ticked_at.isoformat(),
        }
        return {
            "item": self.line.key,
            "title": self.line.title,
            "state": self.seen.state,
            "reason": self.seen.reason,
            "remedy": self.seen.remedy,
            "page": f"/console/waves/{wave}{page}",
            **({"ticked": ticked} if ticked else {}),
        }


def settled(line: Line, seen: Seen, tick: Tick | None, demonstration: bool) -> LaunchItem:
    """The item after a person's word and the mildness due to a demonstration."""
    if line.asked and tick is not None and seen.state != "green":
        note = f"：{tick.note}" if tick.note else ""
        return LaunchItem(line, Seen("green", f"{tick.person}确认{note}"), tick)
    if seen.state == "red" and demonstration and line.guards_people:
        return LaunchItem(line, Seen("amber", f"{seen.reason}。演示可以不做", seen.remedy), tick)
    return LaunchItem(line, seen, tick)
