"""Faults of the groups of a written plan: who is asked, with what, from which list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from survey import canonical
from survey.errors import Fault, FaultsError, SurveyError
from survey.scheme.instrument import INSTRUMENTS, Instrument, load_instrument, read_instrument
from survey.scheme.plan import ALL, COUNTY_LISTS, GROUPS, STAGES, GroupPlan
from survey.scheme.scales import load_scales
from survey.scheme.scheme import Scheme

SHAPE = "一类人一行，如 {group: parent, instruments: {all: parents}}"


def short(value: object) -> str:
    """Something a person wrote, cut off at 40 signs for a fault."""
    text = str(value)
    return text if len(text) <= 40 else text[:37] + "…"


def issued_instruments(
    documents: Mapping[str, dict[str, Any]], scheme: Scheme | None
) -> tuple[dict[str, Instrument], list[Fault]]:
    """The issued forms a plan carries, and the faults inside them."""
    own = scheme.answers.own_scales if scheme else {}
    issued: dict[str, Instrument] = {}
    faults = []
    for name, document in documents.items():
        place = f"adopted_instruments.{short(name)}"
        try:
            issued[name] = read_instrument(canonical.encode(document), {**load_scales(), **own})
        except FaultsError as error:
            faults += [
                Fault(fault.code, fault.problem, fault.remedy, item=f"{place}.{fault.item or ''}".rstrip("."))
                for fault in error.faults
            ]
            continue
        except SurveyError as error:
            faults.append(Fault(error.code, error.reason, error.remedy, item=place))
            continue
        if issued[name].id != name or name in INSTRUMENTS:
            faults.append(
                Fault(
                    "plan.instrument_mismatch",
                    f"“{short(name)}”和问卷里的名字不一致，或与自带的重名",
                    "改成一致的、没用过的名字",
                    item=place,
                )
            )
        unread = {
            i.scale
            for i in issued[name].items
            if i.is_satisfaction and scheme and i.scale not in scheme.answers.scales
        }
        for scale in sorted(filter(None, unread)):
            faults.append(
                Fault(
                    "plan.scale_not_read",
                    f"方案没有写选项组“{scale}”怎样算",
                    "在方案的answers.scales里补上",
                    item=place,
                )
            )
    return issued, faults


def group_faults(
    groups: tuple[GroupPlan, ...], scheme: Scheme | None, issued: Mapping[str, Instrument]
) -> Iterator[Fault]:
    """Faults of who is asked, with which instrument, at which stage."""
    if not groups:
        yield Fault("plan.no_groups", "没有写问谁", f"写上{SHAPE}", item="groups")
    asked = {group.id for group in scheme.groups} if scheme else set(GROUPS)
    seen: set[str] = set()
    for entry in groups:
        place = f"groups.{entry.group}"
        if entry.group in seen:
            yield Fault("plan.group_twice", f"“{entry.group}”写了两次", "合成一行", item=place)
        seen.add(entry.group)
        if entry.group not in GROUPS:
            yield Fault(
                "plan.unknown_group",
                f"没有“{short(entry.group)}”这一类人",
                f"可选：{'、'.join(GROUPS)}",
                item="groups",
            )
        elif entry.group not in asked:
            yield Fault(
                "plan.group_not_in_scheme",
                f"方案不问“{entry.group}”",
                f"可选：{'、'.join(sorted(asked))}",
                item=place,
            )
        if entry.from_grade is not None and not 1 <= entry.from_grade <= 9:
            yield Fault(
                "plan.out_of_range", f"年级{entry.from_grade}不对", "写1到9", item=f"{place}.from_grade"
            )
        if entry.group == "student" and entry.from_grade is None:
            yield Fault("plan.from_grade_missing", "没有写从几年级开始问", "在第3步写从几年级问起，如4（计划文件里是from_grade）", item=place)
        yield from _instruments(entry, place, issued)


def _instruments(entry: GroupPlan, place: str, issued: Mapping[str, Instrument]) -> Iterator[Fault]:
    if not entry.instruments:
        yield Fault("plan.no_instrument", "没有写用哪套问卷", "如 instruments: {all: parents}", item=place)
    for stage, name in entry.instruments.items():
        if stage not in (ALL, *STAGES):
            yield Fault(
                "plan.unknown_stage",
                f"没有“{short(stage)}”这个学段",
                f"可选：{'、'.join((ALL, *STAGES))}",
                item=place,
            )
        elif entry.group in COUNTY_LISTS and stage != ALL:
            yield Fault("plan.stage_of_a_county_list", "这一类人不分学段", "写成all", item=place)
        if name not in INSTRUMENTS and name not in issued:
            yield Fault(
                "plan.unknown_instrument",
                f"没有问卷“{short(name)}”",
                f"可选：{'、'.join((*INSTRUMENTS, *issued))}",
                item=place,
            )
            continue
        asked = issued[name] if name in issued else load_instrument(name)
        meant = asked.respondent_group
        if _below_grade_seven(entry, stage) and any(item.kind == "text" for item in asked.items):
            yield Fault(
                "plan.open_text_for_pupils",
                f"“{name}”有文字题，小学生不能写字回答",
                "换一套没有文字题的问卷，或从七年级开始问",
                item=place,
            )
        if (
            entry.group in GROUPS
            and meant != entry.group
            and not (meant == "public" and entry.group in ("deputy", "cppcc"))
        ):
            yield Fault(
                "plan.instrument_of_others", f"“{name}”不是给这一类人的问卷", "换一套问卷", item=place
            )


def _below_grade_seven(entry: GroupPlan, stage: str) -> bool:
    """Whether pupils under about 14 answer here: nothing they write may be kept (TRUST section 16)."""
    return entry.group == "student" and stage not in ("junior", "senior") and (entry.from_grade or 0) < 7


def list_faults(lists: dict[str, int], asked: set[str]) -> Iterator[Fault]:
    """Faults of the numbers of persons on county lists."""
    for group, number in lists.items():
        if group not in COUNTY_LISTS:
            yield Fault(
                "plan.not_a_county_list",
                f"“{short(group)}”不按全县名单抽",
                f"可写：{'、'.join(COUNTY_LISTS)}",
                item="lists",
            )
        if number < 1:
            yield Fault("plan.out_of_range", f"名单人数{number}不对", "写名单上的人数", item=f"lists.{group}")
    for group in ("deputy", "cppcc"):
        if group in asked and group not in lists:
            yield Fault(
                "plan.list_missing",
                "没有写名单上有多少人",
                f"在第4步写上{group}的人数（计划文件里是lists）",
                item=f"lists.{group}",
            )


def everybody_faults(everybody: tuple[str, ...], groups: tuple[GroupPlan, ...]) -> Iterator[Fault]:
    """Faults of the groups that are to be asked whole: each asked at all, and by slips."""
    modes = {entry.group: entry.mode for entry in groups}
    for name in everybody:
        if name != ALL and name not in modes:
            yield Fault(
                "plan.everybody_of_nobody",
                f"计划不问“{short(name)}”，谈不上问遍",
                f"可选：{'、'.join((ALL, *modes))}",
                item="everybody",
            )
    for group, mode in modes.items():
        if mode != "slip" and (group in everybody or ALL in everybody):
            yield Fault(
                "plan.everybody_without_slips",
                "问遍全体要一人一张纸条，这一类人用的是海报",
                "在第5步改成一人一张纸条，或去掉“问遍全体”（计划文件里是mode、everybody）",
                item=f"groups.{group}",
            )
