"""换一种算法: the same answers by every other way that is in use (RULES section 3).

What enters is the wave's rates; what leaves is a table with one row a way: its formula in words,
the figure with the same weights and shares, the plain figure of all answers thrown together, and
whether it would meet the line. No official formula was found, and the same people pass or fail
85% by the formula alone, so the report prints them all. A way that the scheme's options, or a
sample, do not allow keeps its row and says why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from survey.cases.case_file import CaseFile
from survey.cases.derivation import (
    Column,
    ReadAnswer,
    Worth,
    column,
    content,
    even_over_one,
    hundred_seventy_thirty,
    overall,
    points_reading,
    top_reading,
    twenty_over_one,
)
from survey.estimation.figure import GroupWithoutOpinionError, weighted_ratio
from survey.estimation.figure_parts import OVERALL
from survey.estimation.wave_figure import NotEverybodyAskedError, full_body_share, majority_grade
from survey.estimation.wave_rates import WaveRates, of_group
from survey.exact import percent_text, truncate
from survey.scheme.instrument import Item
from survey.scheme.scales import Scale
from survey.scheme.scheme import Line


@dataclass(frozen=True)
class Way:
    """One way from options to a figure."""

    id: str
    name: str
    formula: str
    read: ReadAnswer | None
    unit: str = "percent"
    """`percent`, or `points` where the way is called points of 100."""
    needs: Callable[[Scale], bool] = lambda scale: True
    why_not: str = ""


def votes_over_one(scale: Scale) -> Mapping[str, Fraction] | None:
    """1/0.9/0.7/0.5 on four options, 0.9/0.7/0.5 on three; other scales have no such reading."""
    worths = {4: (10, 9, 7, 5), 3: (9, 7, 5)}.get(len(scale.scored))
    if worths is None:
        return None
    return {option.key: Fraction(worth, 10) for option, worth in zip(scale.scored, worths, strict=True)}


def middle_reading(item: Item, answer: object) -> tuple[Worth, Worth] | None:
    """Even points from 0 to 1; a don't-know stands in the middle and counts."""
    if answer is None:
        return None
    option = item.answer_scale.option(answer)  # type: ignore[arg-type]
    return (Fraction(1, 2), 1) if option.kind == "none" else (even_over_one(item.answer_scale)[option.key], 1)


def _options(*numbers: int) -> Callable[[Scale], bool]:
    return lambda scale: len(scale.scored) in numbers


WAYS = (
    Way("top_option_over_all", "最好一项÷全部答卷", "最好一项的份数÷全部回答（含说不清）", top_reading(1, "all")),
    Way("top_option_over_valid", "最好一项÷有效份数", "最好一项的份数÷有效份数（说不清不算）", top_reading(1, "valid")),
    Way("top_two_over_all", "最好两项÷全部答卷", "最好两项的份数÷全部回答（含说不清）", top_reading(2, "all")),
    Way("top_two_over_valid", "最好两项÷有效份数", "最好两项的份数÷有效份数（说不清不算）", top_reading(2, "valid")),
    Way(
        "points_100_70_30", "100/70/30计分", "满意100、基本满意70、不满意30，求平均；最低也有30分",
        points_reading(hundred_seventy_thirty), "points", _options(3), "要三个选项",
    ),
    Way(
        "points_20_100", "20到100计分", "五个选项20、40、60、80、100（三个选项100、60、20），求平均；最低也有20分",
        points_reading(twenty_over_one), "points", _options(3, 5), "要三个或五个选项",
    ),
    Way(
        "points_0_100", "0到100等距计分", "从最差0分到最好100分等距，求平均",
        points_reading(even_over_one), "points",
    ),
    Way(
        "points_0_100_middle", "0到100等距，说不清居中", "从最差0分到最好100分等距，说不清、不了解算50分，求平均",
        middle_reading, "points",
    ),
    Way(
        "items_dimensions_groups", "题目—方面—各类人逐层平均", "内容各题等距计分，先按方面平均，再按各类人简单平均",
        None, "points",
    ),
    Way(
        "votes_1_09_07_05", "1/0.9/0.7/0.5折算", "四个选项按1、0.9、0.7、0.5（三个选项从0.9起）折算÷有效票；最低也有50%",
        points_reading(votes_over_one), "percent", _options(3, 4), "要三个或四个选项",
    ),
    Way("majority_of_full_body", "全体过半数定等", "满意超过全体的一半为满意，加上基本满意过半为基本满意", None, "grade"),
    Way("weighted_items", "各题加权", "各题按0.25、0.20、0.15等加权", None, "points", lambda scale: False, "方案没有给各题的权重"),
    Way("bands_of_an_index", "指数分档", "等距计分的平均分：80以上、60到79、40到59、40以下", None, "grade"),
    Way("index_from_1_7", "1到7分指数", "折成百分的办法没有公布", None, "points", lambda scale: False, "折算办法没有公布，算不出来"),
)  # fmt: skip


def other_ways(
    rates: WaveRates,
    shares: Mapping[str, Fraction],
    line: Line | None,
    groups: Sequence[str],
    *,
    plain: bool = True,
) -> list[dict[str, Any]]:
    """Every way as a row: the figure with the wave's weights and shares, and the plain one beside.

    Args:
        plain: whether that stands beside; where groups are withheld the two together would tell them.
    """
    case_file = rates.case_file
    scales = {
        item.answer_scale.id: item.answer_scale
        for one in case_file.instruments.values()
        for item in overall(one)
    }
    even: Fraction | None = None
    rows = []
    for way in WAYS:
        row: dict[str, Any] = {"way": way.id, "name": way.name, "formula": way.formula, "unit": way.unit}
        if not all(way.needs(scale) for scale in scales.values()):
            rows.append(
                row | {"shown": None, "percent": None, "plain": None, "reached": None, "note": way.why_not}
            )
            continue
        if way.unit == "grade":
            words, note = (
                _majority(rates, shares)
                if way.id == "majority_of_full_body"
                else ("" if even is None else _band(even), "")
            )
            shown = words or None
            rows.append(row | {"shown": shown, "percent": shown, "plain": None, "reached": None, "note": note})
            continue
        if way.read is None:
            value, unweighted = _by_items(rates, groups) if plain else None, None
        else:
            answers = column(case_file, overall, way.read)
            value, unweighted = _joined(rates, answers, shares), rates.plain(answers, groups) if plain else None
        if way.id == "points_0_100":
            even = value
        rows.append(
            row
            | {
                "shown": None if value is None else truncate(value),
                "percent": None if value is None else _as_unit(value, way.unit),
                "plain": None if unweighted is None else _as_unit(unweighted, way.unit),
                "reached": None if value is None or line is None else line.reached(value),
                "note": "",
            }
        )
    return rows


def _majority(rates: WaveRates, shares: Mapping[str, Fraction]) -> tuple[str, str]:
    """The grade of the full body, or why there is none: everybody must have been asked."""
    best, two = (
        {group: {OVERALL: column(rates.case_file, overall, top_reading(number, "all"))} for group in shares}
        for number in (1, 2)
    )
    try:
        return majority_grade(full_body_share(rates, best, shares), full_body_share(rates, two, shares)), ""
    except (NotEverybodyAskedError, GroupWithoutOpinionError):
        return "", "要问遍全体成员，抽样调查不适用"


def _as_unit(value: Fraction, unit: str) -> str:
    return truncate(value * 100, 2) + "分" if unit == "points" else percent_text(truncate(value))


def _band(value: Fraction) -> str:
    for least, words in ((80, "80以上"), (60, "60到79"), (40, "40到59")):
        if value * 100 >= least:
            return words
    return "40以下"


def _joined(rates: WaveRates, answers: Column, shares: Mapping[str, Fraction]) -> Fraction | None:
    """The figure of a column with the wave's weights and shares; None where a group is outside the base."""
    rows = rates.pool_rows(answers)
    with_base = {group for group, _, _, base in rows if base}
    if any(share and group not in with_base for group, share in shares.items()):
        return None
    return weighted_ratio(rows, shares)


def _by_items(rates: WaveRates, groups: Sequence[str]) -> Fraction | None:
    """Even points: mean of items within a dimension, of dimensions within a group, of the groups."""
    means = [mean for group in groups if (mean := _group_mean(rates, group)) is not None]
    return sum(means, Fraction(0)) / len(means) if len(means) == len(groups) and means else None


def _group_mean(rates: WaveRates, group: str) -> Fraction | None:
    case_file = rates.case_file
    domains = [domain for domain, draw in rates.draws.items() if draw.group == group]
    items: dict[str, Item] = {
        item.id: item
        for domain in domains
        if domain in case_file.instruments
        for item in content(case_file.instruments[domain])
    }
    dimensions: dict[str, list[Fraction]] = {}
    for item in items.values():
        value = _item_mean(rates, case_file, item, group)
        if value is not None:
            dimensions.setdefault(item.dimension or "", []).append(value)
    if not dimensions:
        return None
    means = [sum(values, Fraction(0)) / len(values) for values in dimensions.values()]
    return sum(means, Fraction(0)) / len(means)


def _item_mean(rates: WaveRates, case_file: CaseFile, item: Item, group: str) -> Fraction | None:
    read = points_reading(even_over_one)
    answers = column(case_file, lambda one: (found,) if (found := one.by_id.get(item.id)) else (), read)
    top = base = Fraction(0)
    for domain, (up, down, _, _) in rates.sums(answers, of_group(group)).items():
        top += rates.weights.weight(domain) * up
        base += rates.weights.weight(domain) * down
    return top / base if base else None
