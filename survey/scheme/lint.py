"""What a person should look at before a wave is published: warnings by the codes of RULES 5.

A fault stops, a warning is printed and goes on record. The scheme's file alone raises some;
a plan adds what was filled in for the wave, and the numbers of the frame add the quotas
that cannot be met. A half-written scheme may be looked at too, so its document is read
with care: what is missing there is the schema's business.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from survey.exact import fraction, percent_text, truncate
from survey.scheme import lint_bands
from survey.scheme.instrument import GRADE_THREE
from survey.scheme.marks import marks, unverified
from survey.scheme.plan import ALL, STAGES, Plan
from survey.scheme.reading import AnswersReading, resolve_scale
from survey.scheme.scheme import Scheme

NATIONAL_CLAIMS = ("国家认定", "官方满意度", "国家督导评估认定", "国家级认定")
FEWEST_DAYS = 4
LONGEST_HOST_OF_SMALL_CODE = 18
"""Up to this host length a slip's link fits a QR code of version 3 (UX section 10)."""


@dataclass(frozen=True)
class Warning_:
    """One thing to look at, under its lint code, with the place where it stands."""

    code: str
    text: str
    path: str = ""


def lint(
    scheme: Scheme,
    plan: Plan | None = None,
    frame_counts: Mapping[str, int] | None = None,
    quotas: Mapping[str, int] | None = None,
    frame_stages: Collection[str] | None = None,
) -> tuple[Warning_, ...]:
    """The warnings a scheme raises, with a plan and the frame's numbers where they are known.

    Args:
        frame_counts: eligible persons of each respondent group in the frame and the lists.
        quotas: forms needed of each group; group floors are taken where none are given.
        frame_stages: stages of the schools in the frame.

    >>> from survey.scheme.presets import load_scheme
    >>> lint(load_scheme("self_monitoring"))
    ()
    """
    found = [
        *_formula(scheme),
        *_answers(scheme),
        *_population(scheme, plan),
        *_unverified(scheme, plan),
        *_shares(scheme),
        *lint_bands.bands(scheme.document, Warning_),
        *_selection(scheme, plan),
        *_window(scheme, plan),
        *_claims(scheme, plan),
        *_quotas(scheme, plan, frame_counts, quotas),
    ]
    if plan is not None:
        found += [
            *_plan(plan),
            *_everybody(scheme, plan, frame_counts or {}),
            *_instruments(scheme, plan),
            *_stages(scheme, plan, frame_stages or ()),
        ]
    return tuple(found)


def lint_draft(document: Mapping[str, Any]) -> tuple[Warning_, ...]:
    """Warnings of a half-written scheme, from what can be read before its schema holds.

    >>> [w.code for w in lint_draft({"requirement": {"line": "85%以上"}, "answers": {"scales": {"sat5": {}}}})]
    ['scheme.dont_know_unset', 'scheme.edge_unsaid']
    """
    return (*_draft_answers(document), *lint_bands.bands(document, Warning_))


def _formula(scheme: Scheme) -> Iterator[Warning_]:
    figure = scheme.figure
    if figure.official_formula == "not_found":
        yield Warning_(
            "scheme.official_formula_not_found",
            "没有查到官方的折算办法，报告会写明使用的是下面的算法",
            "figure.official_formula",
        )
    if figure.formula == "points_mean" and scheme.figure_name.endswith("率"):
        yield Warning_(
            "scheme.mean_called_rate",
            f"“{scheme.figure_name}”是平均得分，不是占比，名字不宜以“率”结尾",
            "figure.name",
        )
    if not isinstance(figure.group_weights, str):
        total = sum(figure.group_weights.values(), Fraction(0))
        strangers = set(figure.group_weights) - {group.id for group in scheme.groups}
        if total != 1 or strangers:
            yield Warning_(
                "scheme.weights_do_not_sum", "各类人的权重加起来不是1，或写了不问的人", "figure.group_weights"
            )


def _answers(scheme: Scheme) -> Iterator[Warning_]:
    answers: AnswersReading = scheme.answers
    yield from _draft_answers(scheme.document)
    for name, reading in answers.scales.items():
        scale = resolve_scale(answers, name)
        place = f"answers.scales.{name}"
        if isinstance(reading.points, Mapping):
            for option in scale.scored:
                if option.key not in reading.points:
                    yield Warning_("scheme.option_unread", f"“{option.zh}”没有写多少分", place)
            lowest = min(reading.points.values())
            if lowest > 0:
                share = percent_text(_decimal(lowest / max(reading.points.values())))
                yield Warning_(
                    "scheme.worst_option_scores",
                    f"最差的选项也有分，结果最低只能到{share}",
                    place,
                )
        if scheme.figure.formula == "share":
            # The best option counts by any reading; what must be said is which others do.
            for option in scale.scored[1:]:
                if option.key in reading.satisfied and option.zh not in scheme.in_words():
                    yield Warning_(
                        "scheme.middle_option_unsaid",
                        f"“{option.zh}”算满意，但算法的文字里没有写",
                        "figure.in_words",
                    )


def _decimal(value: Fraction) -> str:
    return truncate(value, 4)


def _draft_answers(document: Mapping[str, Any]) -> Iterator[Warning_]:
    section = lint_bands.section(document, "answers")
    if section.get("scales") and "dont_know" not in section:
        yield Warning_("scheme.dont_know_unset", "没有写“不了解”怎么算", "answers.dont_know")


def _population(scheme: Scheme, plan: Plan | None) -> Iterator[Warning_]:
    if not scheme.size.needs_population:
        return
    filled = plan is not None and plan.population is not None and bool(plan.population.source.strip())
    if scheme.size.census is None and not filled:
        yield Warning_(
            "scheme.population_source_missing",
            "份数按常住人口算，还没有写是哪一年的人口",
            "sample_size.population.census",
        )


def _unverified(scheme: Scheme, plan: Plan | None) -> Iterator[Warning_]:
    open_marks = unverified(scheme, plan.confirmed if plan else {})
    if open_marks and plan is None:
        places = "、".join(mark.of for mark in open_marks)
        yield Warning_(
            "scheme.value_unverified", f"{len(open_marks)}处的出处没有核实：{places}", open_marks[0].of
        )
    elif plan is not None:
        waiting = {mark.of for mark in marks(scheme) if mark.mark == "unverified"}
        for path in plan.confirmed:
            if path not in waiting:
                yield Warning_("plan.nothing_to_confirm", f"方案里没有待核实的“{path}”", f"confirmed.{path}")
        for mark in open_marks:
            yield Warning_("scheme.value_unverified", f"“{mark.of}”没有核实，发布前要有人确认", mark.of)


def _shares(scheme: Scheme) -> Iterator[Warning_]:
    rule = scheme.allocation
    place = "allocation.shares"
    exact = sum((entry.share for entry in rule.shares if entry.edge == "exactly"), Fraction(0))
    least = sum((entry.share for entry in rule.shares if entry.edge == "at_least"), Fraction(0))
    named = {group for entry in rule.shares for group in entry.groups}
    divided = {group for category in rule.about_equal for group in category}
    asked = {group.id for group in scheme.groups}
    all_exact = bool(rule.shares) and all(entry.edge == "exactly" for entry in rule.shares) and asked <= named
    if all_exact and exact != 1:
        yield Warning_(
            "scheme.shares_do_not_fit", f"比例加起来是{percent_text(_decimal(exact))}，不是100%", place
        )
    elif exact + least > 1:
        yield Warning_(
            "scheme.shares_do_not_fit",
            f"最低比例加起来是{percent_text(_decimal(exact + least))}，超过100%",
            place,
        )
    if scheme.figure.group_weights == "by_allocation" and not asked <= named | divided:
        missing = "、".join(sorted(asked - named - divided))
        yield Warning_(
            "scheme.shares_do_not_fit", f"按比例合成，但没有写这些人的比例：{missing}", "figure.group_weights"
        )


def _selection(scheme: Scheme, plan: Plan | None) -> Iterator[Warning_]:
    section = scheme.document["selection"]
    if section["schools_choose"]:
        yield Warning_(
            "scheme.school_chooses", "学校或班主任可以指定谁来填，会挑人", "selection.schools_choose"
        )
    if plan is None:
        modes = {group.id: group.reached_by == "open_link" for group in scheme.groups}
    else:
        modes = {entry.group: entry.mode == "open" for entry in plan.groups}
    volunteers = [group for group, is_open in modes.items() if is_open]
    if volunteers and len(volunteers) == len(modes):
        yield Warning_(
            "scheme.volunteers_only", "全部答卷来自公开链接，结果不能代表全体", "selection.volunteers"
        )
    elif volunteers and section["volunteers"] == "in_the_figure":
        named = "、".join(scheme.group(group).zh for group in volunteers)
        yield Warning_("scheme.volunteers_mixed", f"{named}来自公开链接，又算进结果", "selection.volunteers")


def _window(scheme: Scheme, plan: Plan | None) -> Iterator[Warning_]:
    days = scheme.days_open
    if plan is None:
        if days["usual"] < FEWEST_DAYS:
            yield Warning_("scheme.window_short", f"只开放{days['usual']}天", "fieldwork.days_open.usual")
        return
    n_days = (plan.closes_on - plan.opens_on).days + 1
    shortest = max(FEWEST_DAYS, days.get("shortest", FEWEST_DAYS))
    if n_days < shortest:
        yield Warning_("scheme.window_short", f"只开放{n_days}天，至少应有{shortest}天", "closes_on")


def _claims(scheme: Scheme, plan: Plan | None) -> Iterator[Warning_]:
    texts = {"title": scheme.title, "figure.name": scheme.figure_name}
    for place, text in texts.items():
        if any(claim in text for claim in NATIONAL_CLAIMS):
            yield Warning_("scheme.national_claim", f"“{text}”会让人以为是国家组织的调查", place)
    approval = plan.approval if plan else None
    if plan and not plan.demonstration and not (approval and approval.form_no and approval.approval_no):
        yield Warning_("scheme.approval_missing", "没有填统计调查的表号和批准文号", "approval")


def _quotas(
    scheme: Scheme,
    plan: Plan | None,
    frame_counts: Mapping[str, int] | None,
    quotas: Mapping[str, int] | None,
) -> Iterator[Warning_]:
    if frame_counts is None:
        return
    asked = {entry.group for entry in plan.groups} if plan else {group.id for group in scheme.groups}
    for group, need in (quotas if quotas is not None else scheme.size.group_floors).items():
        if group in asked and group in frame_counts and need > frame_counts[group]:
            yield Warning_(
                "scheme.group_cannot_fill",
                f"{scheme.group(group).zh}要{need}份，名册里只有{frame_counts[group]}人",
                f"groups.{group}",
            )


def _plan(plan: Plan) -> list[Warning_]:
    found = []
    if len(plan.host) > LONGEST_HOST_OF_SMALL_CODE:
        found.append(
            Warning_(
                "plan.host_long", f"主机名有{len(plan.host)}个字符，纸条的二维码会更密、更难扫", "base_url"
            )
        )
    if len(plan.county) > 8:
        found.append(Warning_("plan.county_long", f"地名“{plan.county}”超过8个字，题目会变长", "county"))
    student = plan.group("student")
    if student and (student.from_grade or 4) < 4 and "students_g4_6" in student.instruments.values():
        found.append(
            Warning_(
                "plan.grade_three_scale",
                "三年级学生应当用三级选项，现在用的是五级，可在第3步改选三级的那一套（students_g3）",
                "groups.student.from_grade",
            )
        )
    if not plan.sealed:
        found.append(Warning_("plan.not_sealed", "答卷在采集期间，系统管理员可以读到", "sealed"))
    return found


def _everybody(scheme: Scheme, plan: Plan, frame_counts: Mapping[str, int]) -> Iterator[Warning_]:
    """What asking everybody costs: a slip for each."""
    for group in (entry.group for entry in plan.groups if plan.asks_whole(entry.group)):
        n = frame_counts.get(group)
        cost = "每人一张纸条，每所学校都要发" if n is None else f"要印{n}张纸条，每所学校都要发"
        yield Warning_("plan.everybody", f"{scheme.group(group).zh}问遍全体：{cost}", f"groups.{group}")


def _stages(scheme: Scheme, plan: Plan, frame_stages: Collection[str]) -> Iterator[Warning_]:
    for entry in plan.groups:
        missed = [stage for stage in STAGES if stage in frame_stages and entry.instrument_for(stage) is None]
        if missed and ALL not in entry.instruments:
            yield Warning_(
                "plan.stage_not_asked",
                f"名册里有这些学段的学校，但没有写{scheme.group(entry.group).zh}用哪套问卷，不会问到：{'、'.join(missed)}",
                f"groups.{entry.group}",
            )


def _instruments(scheme: Scheme, plan: Plan) -> Iterator[Warning_]:
    for entry in plan.groups:
        for name in dict.fromkeys(entry.instruments.values()):
            draft = "students_g4_6" if name == GRADE_THREE else name
            if name not in plan.adopted_instruments and draft not in scheme.drafts(entry.group):
                yield Warning_(
                    "plan.instrument_not_of_scheme",
                    f"方案没有把“{name}”列为{scheme.group(entry.group).zh}的问卷，题目可能不合用",
                    f"groups.{entry.group}",
                )


def parts_and_total_disagree(
    parts: Mapping[str, tuple[int, str]], total: str, shares: Mapping[str, str] | None = None
) -> Warning_ | None:
    """A warning when a typed-in total fits none of the group weightings of its parts.

    Args:
        parts: group to its number of answers and its published rate, as printed.
        total: the published total, as printed; it fits when a weighting, cut off or
            rounded to the same decimals, gives it.
        shares: planned shares of the groups, where they are known.

    >>> parts_and_total_disagree({"教师": (3200, "92.1"), "学生": (6500, "87.5"), "家长": (1868, "78.6")}, "85.3").code
    'report.parts_and_total_disagree'
    """
    rates = {group: fraction(rate) for group, (_, rate) in parts.items()}
    weightings = {
        "按份数": {group: Fraction(n) for group, (n, _) in parts.items()},
        "各类相等": {group: Fraction(1) for group in parts},
    }
    if shares is not None:
        weightings["按计划比例"] = {group: fraction(shares[group]) for group in parts}
    unit = Fraction(1, 10 ** len(total.partition(".")[2]))
    # A part is itself rounded or cut off, so the total may be off by one unit of its own.
    told = []
    for name, weights in weightings.items():
        total_weight = sum(weights.values(), Fraction(0))
        joint = sum((weights[group] * rates[group] for group in parts), Fraction(0)) / total_weight
        told.append(f"{name}{_decimal(joint)[:-2]}")
        if abs(joint - fraction(total)) <= unit:
            return None
    return Warning_("report.parts_and_total_disagree", f"各部分合不出{total}：{'，'.join(told)}", "published")
