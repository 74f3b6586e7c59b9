"""Which wave needs a look now, and why.

What enters is participation of running waves and results of certified ones; what leaves is
warnings, each with what was seen and what can be done. A running wave is warned about by its
counts alone: before opening nobody, and so no warning, knows what is answered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from survey.exact import percent_text
from survey.fieldwork.progress import NOT_SHOWN, Participation, Tally
from survey.followup.across import Change
from survey.followup.findings import Finding
from survey.followup.published import Apart, PublishedWave

MOST_NAMED = 5
"""A warning names so many schools, or areas, and counts the rest."""

KINDS = {
    "withdrawn": "证书已撤回",
    "under_line": "低于要求",
    "touches_line": "区间碰到要求线",
    "fell": "比上次下降",
    "weak_part": "有明显低于要求的部分",
    "apart": "有学校和全县不同",
    "behind": "收得慢",
    "area_behind": "有督学责任区收得慢",
    "empty_schools": "有学校一份也没有",
    "thin": "答卷太少，说不清",
}
"""Kinds of warning, the gravest first."""


@dataclass(frozen=True)
class Warning:
    """One reason to look at a wave, with the facts and the way out."""

    kind: str
    wave: str
    county: str
    seen: str
    remedy: str

    @property
    def name(self) -> str:
        """The kind in Chinese."""
        return KINDS[self.kind]


def _received(tally: Tally) -> str:
    return f"收到{tally.shown}份" if tally.shown != NOT_SHOWN else "收到的份数不显示"


def warnings_of_fieldwork(
    wave: str, county: str, seen: Participation, areas: Mapping[str, str] | None = None
) -> tuple[Warning, ...]:
    """What the counts of a running wave warn of.

    Args:
        areas: code → name of responsibility areas.
    """
    found = []
    if seen.pace.is_behind and seen.whole.used < seen.whole.need:
        day = seen.pace.needed_per_day
        pace = "到截止收不够" if day is None else f"还剩{seen.pace.days_left}天，每天要收{day}份"
        found.append(
            Warning("behind", wave, county, f"需要{seen.whole.need}份，{_received(seen.whole)}，{pace}", "先问纸条发到了没有；不够就延期，由两人签署")
        )  # fmt: skip
    if seen.slow_areas and seen.pace.day > 1:
        slow = "；".join(
            f"{(areas or {}).get(one.key, one.key)}需要{one.need}份，{_received(one)}"
            for one in seen.slow_areas[:MOST_NAMED]
        )
        rest = len(seen.slow_areas) - MOST_NAMED
        more = f"；还有{rest}个" if rest > 0 else ""
        found.append(
            Warning("area_behind", wave, county, f"{slow}{more}", "请责任区的督学到学校看纸条发了没有，不问谁填了、怎么填")
        )  # fmt: skip
    if seen.empty_schools and seen.pace.day > 1:
        names = "、".join(school.school_name for school in seen.empty_schools[:MOST_NAMED])
        rest = len(seen.empty_schools) - MOST_NAMED
        more = f"等{len(seen.empty_schools)}所" if rest > 0 else ""
        found.append(
            Warning("empty_schools", wave, county, f"{names}{more}一份也没有收回", "打电话问纸条是否发到，不问谁填了、怎么填")
        )  # fmt: skip
    return tuple(found)


def warning_of_withdrawal(wave: str, county: str, reason: str) -> Warning:
    """That a wave's figure is certified no more, and so stands in no comparison."""
    return Warning(
        "withdrawn", wave, county, f"最近的证书已经撤回，理由：{reason}", "重新签发以前，这次的数不能引用，也不参加比较"
    )


def warnings_of_results(
    county: str, published: PublishedWave, weak: Sequence[Finding], last_change: Change | None
) -> tuple[Warning, ...]:
    """What a certified result warns of.

    Args:
        weak: the wave's weak rows (`findings.weak_points`).
        last_change: from the county's wave before, where there is one.
    """
    found: list[tuple[str, str, str]] = []
    if published.line_in_words is not None:
        asked = f"满意度{percent_text(published.whole.shown)}，要求{published.line_in_words}"
        if published.reached is False:
            found.append(("under_line", asked, "看问题台账；整改后另做一次调查"))
        elif published.crosses and published.lower and published.upper:
            across = f"{percent_text(published.lower)}到{percent_text(published.upper)}"
            found.append(
                ("touches_line", f"{asked}，区间{across}", "下次多抽学校，区间会窄；现在不能说稳稳达到")
            )
    if last_change is not None and last_change.is_fall:
        found.append(
            ("fell", f"比 {last_change.before} 低，不是抽样误差能解释的", "看哪些题目、哪类人下降了")
        )
    if weak:
        found.append(("weak_part", f"{weak[0].text}（共{len(weak)}处）", "在问题台账里登记"))
    if published.apart:
        found.append(("apart", _apart_in_words(published.apart), "先看回收和质量标记，再到校了解；不问谁填了、怎么填"))
    if published.evidence_class == "A" and not any(row.table == "by_group" for row in published.rows):
        found.append(("thin", "各类人的答卷都不到可以显示的份数", "下次多发纸条"))
    return tuple(Warning(kind, published.wave, county, seen, remedy) for kind, seen, remedy in found)


def _apart_in_words(apart: Sequence[Apart]) -> str:
    """Schools under their county first; a school far above may be coached, and needs a look, too."""
    ordered = sorted(apart, key=lambda one: not one.is_below)
    named = "；".join(
        f"{one.name}{one.percent}，{'低于' if one.is_below else '高于'}全县这一类人" for one in ordered[:MOST_NAMED]
    )
    rest = len(ordered) - MOST_NAMED
    more = f"；还有{rest}处" if rest > 0 else ""
    return f"{named}{more}；不是抽样误差能解释的"


def by_gravity(warnings: Sequence[Warning]) -> list[Warning]:
    """The gravest first, then by county and wave."""
    order = list(KINDS)
    return sorted(warnings, key=lambda one: (order.index(one.kind), one.county, one.wave))
