"""What is said aloud when a wave's forms are spread: groups too few or asked whole, strata joined or alone.

What enters is the plan's groups and the strata; what leaves is one `Fault` for each thing that an
office should look at before the draw. None of them stops anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from survey.errors import Fault
from survey.sampling.scheme_sizes import GROUP_NAMES
from survey.sampling.stratification import Stratum
from survey.scheme.plan import Plan


def too_few(group: str, number: int, minimum_count: int) -> Fault:
    """A group from which too few answers are to be expected to be shown."""
    return Fault(
        "sampling.group_too_few",
        f"{GROUP_NAMES.get(group, group)}只有{number}人，按预计的回收率收不满{minimum_count}份，结果不能单独显示，也不能认证",
        "全部请到并多提醒，或从计划里去掉这一类",
        item=group,
    )


def everybody_asked(plan: Plan, numbers: Mapping[str, int]) -> Fault:
    """What asking groups whole costs, by the frame's own numbers."""
    whole = {group: n for group, n in numbers.items() if plan.asks_whole(group)}
    named = "、".join(f"{GROUP_NAMES.get(group, group)}{n}人" for group, n in whole.items())
    return Fault(
        "sampling.everybody",
        f"{named}问遍全体，一人一张，共{sum(whole.values())}张纸条，每所学校都要发",
        "先算好印制和分发；不问遍，就在第5步去掉“问遍全体”（计划文件里是everybody）",
    )


def strata_notes(strata: Sequence[Stratum]) -> Iterator[Fault]:
    """Strata that are alone, and strata that were joined."""
    for stratum in strata:
        if stratum.take_all:
            yield Fault(
                "sampling.stratum_of_one",
                f"{stratum.name}全区只有1所学校，只能直接选中，谈不上抽学校",
                "可以继续；这一层的误差只算学校里面的",
                item=stratum.id,
            )
        elif len(stratum.places) > 1:
            yield Fault(
                "sampling.strata_joined",
                f"{stratum.name}合成一层抽：其中一处学校太少，单独抽不出误差",
                "不用处理；分城乡的结果照样分开算",
                item=stratum.id,
            )
