"""Values as a terminal shows them: short lines of plain Chinese, figures aligned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from survey.errors import SurveyError
from survey.exact import fraction, percent_text, truncate
from survey.fieldwork.paradata import CHECK, BreakOff
from survey.fieldwork.progress import Participation
from survey.sampling.frame_file import FrameReading
from survey.sampling.sample import Sample
from survey.sampling.scheme_sizes import GROUP_NAMES
from survey.sampling.wave_sample import Preview
from survey.scheme.plan import Plan
from survey.scheme.plan_words import MODES
from survey.scheme.scheme import Scheme


def plan_text(plan: Plan, scheme: Scheme) -> str:
    """A plan in the lines that a reader would ask about; every field stands in its JSON."""
    line, ways = scheme.requirement.line, dict(MODES)
    groups = [
        f"  {GROUP_NAMES.get(one.group, one.group)}：{'、'.join(dict.fromkeys(one.instruments.values()))}，{ways[one.mode]}"
        + (f"，从{one.from_grade}年级起" if one.from_grade else "")
        for one in plan.groups
    ]
    lists = "、".join(f"{GROUP_NAMES.get(group, group)}{count}人" for group, count in plan.lists.items())
    goal = plan.sample
    return "\n".join(
        (
            f"调查：{plan.wave}　{plan.title}",
            f"地方：{plan.county}（{plan.county_code}），{plan.office}，{plan.telephone}",
            f"方案：{scheme.title}",
            f"填写：{plan.opens_on}到{plan.closes_on}，{plan.results_on}公布",
            "人群：",
            *groups,
            *([f"名单：{lists}"] if lists else []),
            f"设想：应答率{goal.expected_response}，满意度{goal.expected_rate}，校内相关{goal.rho}",
            f"算法：{scheme.in_words()}",
            f"要求：{'没有要求线' if line is None else line.in_words()}",
            f"语言：{'、'.join(plan.languages)}　网址：{plan.base_url}",
        )
    )


def frame_text(reading: FrameReading, imported: bool) -> str:
    """Totals, warnings and faults of a frame file."""
    totals = reading.totals
    lines = []
    if reading.frame is None:
        lines.append(f"有{len(reading.faults)}处错，一行也没有导入：")
        lines += [f"- {fault}" for fault in reading.faults]
    else:
        verb = "已导入" if imported else "可以导入"
        lines.append(
            f"{verb}：{totals['schools']}所学校，{totals['classes']}个班，{totals['students']}名学生。"
        )
        lines.append(f"名册摘要：{reading.frame.digest}")
    lines += [f"提醒：{warning}" for warning in reading.warnings]
    return "\n".join(lines)


def preview_text(preview: Preview) -> str:
    """What drawing would give, group by group."""
    lines = [
        (f"方案要求有效{preview.required_total}份；准备发{preview.slips_total}张，"
        f"抽{preview.schools}所学校（共{preview.schools_in_frame}所），{len(preview.strata)}层。"),
        *(
            f"  {GROUP_NAMES[group]}：要{preview.required[group]}份，发{preview.issued[group]}张，"
            f"名册上{preview.numbers[group]}人，误差约±{percent_text(preview.half_widths[group])}"
            for group in preview.required
        ),
        f"全体预计误差：±{percent_text(preview.half_width)}（把握95%）",
        *(
            f"  若真实是{percent_text(row['true_rate'])}：判达到且有把握{percent_text(row['pass_firm'])}，"
            f"达到但把握不足{percent_text(row['pass_point_only'])}，"
            f"未达到{percent_text(truncate(fraction(row['fail_point_only']) + fraction(row['fail_firm'])))}"
            for row in preview.chances
        ),
        *(f"提醒：{warning}" for warning in preview.warnings),
    ]
    return "\n".join(lines)


def sample_text(sample: Sample) -> str:
    """The drawn sample, stratum by stratum."""
    return "\n".join(
        [
            f"已抽样，种子 {sample.seed}，样本摘要 {sample.digest}",
            *(
                f"  {stratum.name}：{stratum.schools_in_frame}所抽{stratum.schools_drawn}所"
                for stratum in sample.strata
            ),
        ]
    )


def participation_text(seen: Participation) -> str:
    """Counts by group, and the pace; never an answer."""
    whole = seen.whole
    lines = [f"收到 {whole.shown} / 需要 {whole.need}，发出 {whole.issued}"]
    lines += [
        f"  {GROUP_NAMES.get(tally.key, tally.key)}：{tally.shown} / {tally.need}" for tally in seen.groups
    ]
    lines += [f"  责任区 {tally.key or '未划入'}：{tally.shown} / {tally.need}" for tally in seen.areas]
    lines.append(f"一份也没有的学校：{len(seen.empty_schools)}所。结束前不显示满意度。")
    return "\n".join(lines)


def break_off_text(left: Sequence[BreakOff]) -> str:
    """Where forms were left unsent; nothing where the plan does not count it."""
    lines = [
        f"  {GROUP_NAMES.get(one.group, one.group)}：{'提交前核对' if one.part == CHECK else f'问卷第{one.part}节'} {one.times if one.times >= 10 else '<10'}次"
        for one in left
    ]
    return "\n".join(["", "中途离开（有人还会回来）：", *lines]) if lines else ""


TABLE_NAMES = {
    "group": "by_group",
    "stage": "by_stage",
    "place": "by_place",
    "area": "by_area",
    "school": "by_school",
    "dimension": "by_dimension",
    "items": "items",
}
"""What `--by` calls the tables of a results document."""


class UnknownWayError(SurveyError):
    """A formula that is not among those a wave's results are told in."""

    code = "cli.unknown_way"
    kind = "invalid"

    def __init__(self, named: str, known: Sequence[str]) -> None:
        super().__init__(f"--formula {named}", "没有这种算法", f"从这些里选：{'、'.join(known)}")


def way_text(results: Mapping[str, Any], named: str) -> str:
    """The same answers by another formula, in one line.

    Raises:
        UnknownWayError: there is none of that name.
    """
    ways = {way["way"]: way for way in results["another_formula"]}
    named = named.replace("-", "_")
    if named not in ways:
        raise UnknownWayError(named, list(ways))
    way = ways[named]
    plain = f"（不加权{way['plain']}）" if way.get("plain") else ""
    return f"{way['name']}：{way.get('percent') or way.get('shown') or '算不出'}{plain}　{way['formula']}" + (
        f"　{way['note']}" if way.get("note") else ""
    )


def results_text(results: Mapping[str, Any], by: Sequence[str] = ("group",)) -> str:
    """The figure with its doubt, the decision and some of its tables, from a results document."""
    lines = [
        (f"{results['name']}：{results['figure']['percent']}  标准误 {_points(results['se'])}  "
        f"95%区间 {_interval(results['interval'])}  有效{results['n_valid']}份"),
        f"要求：{results['line_in_words']}；{results['decision']}"
        if results["threshold"]
        else "没有要求线，不作判断",
        *(f"  注意：{words}" for words in results.get("cautions") or ()),
        *([f"  {tipping['words']}"] if (tipping := results.get("tipping")) and tipping["words"] else ()),
    ]
    for row in (row for name in by for row in results.get(TABLE_NAMES[name]) or ()):
        # A school stands once for each group.
        name = f"{row['name']} {GROUP_NAMES[row['group']]}" if "school" in by and row.get("group") else row["name"]
        if row.get("withheld"):
            lines.append(f"  {name}：不显示（少于规定份数，或会推算出来）")
        else:
            lines.append(f"  {name}：{row['display']}  {_interval(row.get('interval'))}  n={row['n']}")
    return "\n".join(lines)


def _points(se: str) -> str:
    """A standard error in percentage points."""
    return f"{percent_text(se).rstrip('%')}个百分点"


def _interval(interval: Mapping[str, str] | None) -> str:
    if interval is None:
        return "（不给区间）"
    return f"{percent_text(interval['lower'])}–{percent_text(interval['upper'])}"
