"""How many forms a scheme owes, and how they fall to the groups that a plan asks.

What enters is a scheme's rule, the resident population and the number of people in each group;
what leaves is the forms owed by group and each group's planned share as an exact fraction, which
is the weight it has in a figure joined `by_allocation`. Rates are fractions throughout: 1.5‰ of
533,334 people is 800.001, so 801 forms, which a binary float would miss. Only the sample size
for a stated precision passes through a normal quantile, and is rounded up.

Where a plan leaves a group out, the rest of the scheme is read as it stands: a lower bound
stays, groups that were about equal stay so among themselves, and exact shares keep their
proportions; a note says so. A group smaller than its quota is taken whole, the gap goes to no
other group, and a note says that too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from survey.errors import Fault, SurveyError
from survey.exact import fraction_text
from survey.scheme.scheme import Scheme, SizeRule

GROUP_NAMES = {
    "parent": "家长",
    "teacher": "教师",
    "principal": "校长",
    "student": "学生",
    "deputy": "人大代表",
    "cppcc": "政协委员",
    "public": "其他群众",
}


class PopulationMissingError(SurveyError):
    """The scheme counts by population and the plan does not give one."""

    code = "sampling.population_missing"
    kind = "invalid"

    def __init__(self) -> None:
        super().__init__(
            "样本数量", "方案按常住人口定份数，计划里没有填常住人口", "在第4步填人数、年份和来源（计划文件里是population）"
        )


class NoStepError(SurveyError):
    """No step of the scheme holds this population, or two do."""

    code = "sampling.no_step"
    kind = "invalid"

    def __init__(self, population: int, n: int) -> None:
        super().__init__(
            "样本数量",
            f"常住人口{population}落在方案的{n}档里，应当正好一档",
            "改正方案的steps，让每个人口数正好属于一档",
        )


class GroupShortError(SurveyError):
    """A quota exceeds its group, and the scheme refuses that."""

    code = "sampling.group_short"
    kind = "refused"

    def __init__(self, group: str, quota: int, number: int) -> None:
        super().__init__(
            f"{GROUP_NAMES.get(group, group)}",
            f"应有{quota}份，名册里只有{number}人",
            "改用允许全部请到的方案，或调整各类人的份数",
        )


class NobodyToAskError(SurveyError):
    """A group of the plan has nobody in it."""

    code = "sampling.group_empty"
    kind = "invalid"

    def __init__(self, group: str) -> None:
        super().__init__(
            f"{GROUP_NAMES.get(group, group)}",
            "一个人也没有，份数分不下去",
            "在第4步填这类人的人数（计划文件里是lists），或在第3步不问这一类",
        )


@dataclass(frozen=True)
class Owed:
    """What a scheme owes of a wave: forms in all and by group, planned shares, what to say aloud."""

    total: int
    by_group: Mapping[str, int]
    shares: Mapping[str, Fraction]
    counts: str
    short: tuple[str, ...]
    notes: tuple[Fault, ...]


def round_as(value: Fraction, rounding: str) -> int:
    """The whole number that a scheme's rounding rule makes of `value`; halves go up in `nearest`.

    >>> round_as(Fraction(800001, 1000), "up"), round_as(Fraction(5, 2), "nearest"), round_as(Fraction(5, 2), "down")
    (801, 3, 2)
    """
    return {"up": math.ceil(value), "down": math.floor(value), "nearest": math.floor(value + Fraction(1, 2))}[
        rounding
    ]


def forms_by_population(rule: SizeRule, population: int) -> int:
    """Forms owed by a rule of permille or of steps.

    Raises:
        NoStepError: a population that no step, or more than one, holds.
    """
    if rule.rule == "steps":
        holding = [step.forms for step in rule.steps if step.holds(population)]
        if len(holding) != 1:
            raise NoStepError(population, len(holding))
        owed = holding[0]
    else:
        assert rule.per_thousand is not None
        owed = round_as(population * rule.per_thousand / 1000, rule.rounding)
    return max([owed, *(step.forms for step in rule.floors if step.holds(population))])


def forms_for_precision(
    half_width: Fraction,
    *,
    confidence: Fraction,
    expected_rate: Fraction,
    design_effect: Fraction,
    number: int,
) -> int:
    """Valid forms for an interval of ± `half_width`, with design effect and finite population.

    n₀ = z²p(1−p)/e², n₁ = n₀·deff, n = n₁/(1 + (n₁−1)/N), rounded up (METHOD step 2).

    >>> forms_for_precision(Fraction(3, 100), confidence=Fraction(95, 100), expected_rate=Fraction(85, 100),
    ...                     design_effect=Fraction(2), number=10**9)
    1089
    """
    from scipy.special import ndtri

    z = float(ndtri((1 + float(confidence)) / 2))
    p, e = float(expected_rate), float(half_width)
    n1 = z * z * p * (1 - p) / (e * e) * float(design_effect)
    return min(math.ceil(n1 / (1 + (n1 - 1) / number)), number)


def largest_remainder(
    total: int, shares: Sequence[Fraction], minima: Sequence[int] | None = None
) -> tuple[int, ...]:
    """Whole quotas in proportion to `shares` that add up to `total` and respect the minima.

    A share whose quota would fall below its minimum gets the minimum; the others divide the rest.
    Remainders are compared exactly, ties go to the earlier share.

    >>> largest_remainder(100, [Fraction(1, 3)] * 3), largest_remainder(7, [Fraction(1, 2), Fraction(1, 2)], [4, 0])
    ((34, 33, 33), (4, 3))
    """
    minima = minima or [0] * len(shares)
    held: set[int] = set()
    quotas = [0] * len(shares)
    while True:
        free = [at for at in range(len(shares)) if at not in held]
        rest = total - sum(minima[at] for at in held)
        weight = sum((shares[at] for at in free), Fraction(0))
        aims = {at: rest * shares[at] / weight if weight else Fraction(0) for at in free}
        quotas = [minima[at] if at in held else math.floor(aims[at]) for at in range(len(shares))]
        by_remainder = sorted((at for at in free if weight), key=lambda at: (quotas[at] - aims[at], at))
        for at in by_remainder[: max(total - sum(quotas), 0)]:
            quotas[at] += 1
        below = [at for at in free if quotas[at] < minima[at]]
        if not below:
            return tuple(quotas)
        held.add(min(below, key=lambda at: (quotas[at] - minima[at], at)))


@dataclass(frozen=True)
class _Category:
    """Groups that the scheme counts together, with their share of the forms."""

    groups: tuple[str, ...]
    share: Fraction
    at_least: Fraction | None = None


def categories(scheme: Scheme, groups: Sequence[str], numbers: Mapping[str, int]) -> tuple[_Category, ...]:
    """The scheme's categories among the groups asked, with exact shares that add up to one."""
    rule = scheme.allocation
    asked = set(groups)
    kept = [(tuple(g for g in share.groups if g in asked), share.edge, share.share) for share in rule.shares]
    kept = [entry for entry in kept if entry[0]]
    equal = [found for among in rule.about_equal if (found := tuple(g for g in among if g in asked))]
    named = {group for entry in (*kept, *((e, "", 0) for e in equal)) for group in entry[0]}
    loose = [(group,) for group in groups if group not in named]
    if not kept and not equal and not loose:
        return ()
    fixed = [(g, edge, share) for g, edge, share in kept if edge != "at_most"]
    capped = [(g, share) for g, edge, share in kept if edge == "at_most"]
    rest = 1 - sum((share for _, _, share in fixed), Fraction(0))
    sharing = [*equal, *loose]
    parts: dict[tuple[str, ...], Fraction] = {}
    waiting = sorted(capped, key=lambda entry: entry[1])
    while waiting:
        even = rest / (len(waiting) + len(sharing))
        members, cap = waiting.pop(0)
        parts[members] = min(cap, even)
        rest -= parts[members]
    if sharing:
        parts |= {members: rest / len(sharing) for members in sharing}
        rest = Fraction(0)
    # Whatever nobody is left to take returns to those whose share is only a lower bound, else to all in proportion.
    open_above = [entry for entry in fixed if entry[1] == "at_least"] or fixed or None
    base = sum((share for _, _, share in open_above), Fraction(0)) if open_above else Fraction(1)
    made = []
    for members, edge, share in fixed:
        more = rest * share / base if open_above and (members, edge, share) in open_above else Fraction(0)
        made.append(_Category(members, share + more, share if edge == "at_least" else None))
    made += [_Category(members, share) for members, share in parts.items()]
    total = sum((category.share for category in made), Fraction(0))
    return tuple(_Category(c.groups, c.share / total, c.at_least) for c in made)


def owed_forms(
    scheme: Scheme,
    groups: Sequence[str],
    numbers: Mapping[str, int],
    *,
    population: int | None,
    half_width: Fraction | None = None,
) -> Owed:
    """What the scheme owes of a wave that asks `groups`.

    Args:
        scheme: the rule.
        groups: the plan's groups, in its order.
        numbers: people in each group of the frame.
        population: the resident population, where the rule counts by it.
        half_width: a precision the plan asks on top; it can only raise the number.

    Raises:
        PopulationMissingError, NoStepError, GroupShortError, NobodyToAskError.
    """
    for group in groups:
        if numbers.get(group, 0) <= 0:
            raise NobodyToAskError(group)
    rule = scheme.size
    everybody = sum(numbers[group] for group in groups)
    parts = categories(scheme, groups, numbers)
    floors: dict[str, int] = {}
    if rule.needs_population:
        if population is None:
            raise PopulationMissingError
        total = forms_by_population(rule, population)
    elif rule.rule == "group_floors":
        floors = {group: rule.group_floors[group] for group in groups if group in rule.group_floors}
        total = sum(floors.values())
    else:
        total, floors = _by_precision(scheme, groups, numbers, everybody)
    if half_width is not None:
        goal = rule.precision
        wished = forms_for_precision(
            half_width,
            confidence=goal.confidence if goal else scheme.figure.confidence,
            expected_rate=goal.expected_rate if goal else Fraction(85, 100),
            design_effect=goal.design_effect if goal else Fraction(2),
            number=everybody,
        )
        if wished > total and floors:
            floors = {group: math.ceil(Fraction(n * wished, total)) for group, n in floors.items()}
        total = max(total, wished, sum(floors.values()))
    by_group = dict(floors) if floors else _by_category(total, parts, numbers)
    for group in groups:
        by_group.setdefault(group, 0)
    notes = _left_out(scheme, groups)
    short = []
    for group in groups:
        if by_group[group] > numbers[group]:
            if scheme.allocation.when_short == "refuse":
                raise GroupShortError(group, by_group[group], numbers[group])
            short.append(group)
            name = GROUP_NAMES.get(group, group)
            notes.append(
                Fault(
                    "sampling.group_short",
                    f"{name}应有{by_group[group]}份，名册里只有{numbers[group]}人，全部请到，缺的{by_group[group] - numbers[group]}份不由别的人补",
                    "报告会写明，不用处理",
                    item=group,
                )
            )
    return Owed(
        total, {group: min(by_group[group], numbers[group]) for group in groups},
        planned_shares(parts, numbers), rule.counts, tuple(short), tuple(notes),
    )  # fmt: skip


def _by_precision(
    scheme: Scheme, groups: Sequence[str], numbers: Mapping[str, int], everybody: int
) -> tuple[int, dict[str, int]]:
    goal = scheme.size.precision
    assert goal is not None

    def forms(number: int) -> int:
        return forms_for_precision(
            goal.half_width,
            confidence=goal.confidence,
            expected_rate=goal.expected_rate,
            design_effect=goal.design_effect,
            number=number,
        )

    if goal.for_each == "whole":
        return forms(everybody), {}
    floors = {group: forms(numbers[group]) for group in groups}
    return sum(floors.values()), floors


def _by_category(total: int, parts: Sequence[_Category], numbers: Mapping[str, int]) -> dict[str, int]:
    minima = [math.ceil(total * part.at_least) if part.at_least is not None else 0 for part in parts]
    quotas = largest_remainder(total, [part.share for part in parts], minima)
    by_group: dict[str, int] = {}
    for part, quota in zip(parts, quotas, strict=True):
        inner = largest_remainder(quota, [Fraction(numbers[group]) for group in part.groups])
        by_group |= dict(zip(part.groups, inner, strict=True))
    return by_group


def planned_shares(parts: Sequence[_Category], numbers: Mapping[str, int]) -> dict[str, Fraction]:
    """Each group's planned share: its category's, divided by the numbers of the category's groups."""
    shares: dict[str, Fraction] = {}
    for part in parts:
        together = sum(numbers[group] for group in part.groups)
        shares |= {group: part.share * Fraction(numbers[group], together) for group in part.groups}
    return shares


def _left_out(scheme: Scheme, groups: Sequence[str]) -> list[Fault]:
    missing = [group.id for group in scheme.groups if group.id not in groups]
    if not missing:
        return []
    names = "、".join(GROUP_NAMES.get(group, group) for group in missing)
    return [
        Fault(
            "sampling.groups_left_out",
            f"方案里的{names}这次没有问，比例在其余各类人里重新算过",
            "报告会写明；要问他们，在第3步勾上（计划文件里是groups）",
        )
    ]


def figure_shares(
    scheme: Scheme, planned: Mapping[str, Fraction], numbers: Mapping[str, int]
) -> dict[str, str]:
    """The weight of each group in the figure, as exact fraction text: what the plan signs.

    Raises:
        PooledNotFixedError: the scheme pools answers of several groups, so no weight can be fixed before.
    """
    rule = scheme.figure.group_weights
    groups = list(numbers)
    if isinstance(rule, Mapping):
        parts = {group: rule[group] for group in groups if group in rule}
    elif rule == "by_allocation":
        parts = dict(planned)
    elif rule == "population":
        parts = {group: Fraction(numbers[group]) for group in groups}
    elif rule == "equal" or len(groups) == 1:
        parts = {group: Fraction(1) for group in groups}
    else:
        raise PooledNotFixedError
    total = sum(parts.values(), Fraction(0))
    return {group: fraction_text(share / total) for group, share in parts.items()}


class PooledNotFixedError(SurveyError):
    """A figure pooled over several groups has weights that only fieldwork decides."""

    code = "sampling.pooled_not_fixed"
    kind = "refused"

    def __init__(self) -> None:
        super().__init__(
            "各类人的合成办法",
            "“pooled”要等收回来才知道各类人占多少，事先定不下来",
            "改成by_allocation、equal、population或写明比例",
        )
