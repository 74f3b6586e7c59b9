"""The one road a wave can take, and what is said to whoever leaves it.

A wave moves forward only. States decide alone; clocks never do.
"""

from __future__ import annotations

from survey.errors import SurveyError

STEPS: dict[str, frozenset[str]] = {
    "draft": frozenset({"framed"}),
    "framed": frozenset({"framed", "drawn"}),
    "drawn": frozenset({"framed", "drawn", "planned"}),
    "planned": frozenset({"open"}),
    "open": frozenset({"paused", "closed"}),
    "paused": frozenset({"open", "closed"}),
    "closed": frozenset({"opened"}),
    "opened": frozenset({"estimated"}),
    "estimated": frozenset({"estimated", "certified"}),
    "certified": frozenset({"certified"}),
}
"""From each state, the states that may follow; nothing that was signed is ever taken back."""

NAMES = {
    "draft": "草稿",
    "framed": "已导入学校名册",
    "drawn": "已抽样",
    "planned": "已签署方案",
    "open": "正在填答",
    "paused": "暂停",
    "closed": "已结束",
    "opened": "已开箱",
    "estimated": "已计算",
    "certified": "已签发",
}
BEFORE_SIGNING = ("draft", "framed", "drawn")


class WaveNotFoundError(SurveyError):
    """There is no wave of that name."""

    code = "storage.wave_not_found"
    kind = "not_found"

    def __init__(self, wave: str) -> None:
        super().__init__(f"调查 {wave}", "没有找到", "看一看名字是否写对")


class WrongStateError(SurveyError):
    """The wave is not where this step begins."""

    code = "storage.wrong_state"
    kind = "conflict"

    def __init__(self, wave: str, state: str, expected: tuple[str, ...]) -> None:
        wanted = "或".join(NAMES.get(name, name) for name in expected)
        super().__init__(
            f"调查 {wave}",
            f"现在是“{NAMES.get(state, state)}”，这一步要在“{wanted}”时做",
            "刷新后看一看这次调查走到了哪一步",
            state=state,
            expected=list(expected),
        )
