"""The publishable figure: decided unrounded, truncated once, as text.

What enters is an exact fraction, the scheme's line and an interval; what leaves is text and a
decision. The fraction is compared as it is; only then four decimals are kept and the rest is cut
off, here and nowhere else, so that no figure ever shows a line it does not reach. Beside the
decision stands the grade of evidence (METHOD step 15): whether a one-sided 95% bound lies on the
same side of the line as the figure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Any, Literal

from survey.errors import SurveyError
from survey.exact import fraction, percent_text, truncate
from survey.scheme.scheme import Line

Grade = Literal["pass_firm", "pass_point_only", "fail_point_only", "fail_firm"]

EVIDENCE_WORDS = {
    "pass_firm": "达到，单侧95%下限也在线上",
    "pass_point_only": "达到，但单侧95%下限在线下，把握不足",
    "fail_point_only": "未达到，但单侧95%上限在线上，把握不足",
    "fail_firm": "未达到，单侧95%上限也在线下",
}


class GroupWithoutOpinionError(SurveyError):
    """A group with a share in the figure gave no valid opinion, so the figure is undefined."""

    code = "estimation.group_without_opinion"
    kind = "refused"

    def __init__(self, name: str) -> None:
        super().__init__(name, "没有一份有效意见，合成的数算不出来", "延长填答时间；不能用别的类代替")


@dataclass(frozen=True)
class Figure:
    """A figure as it is published: the exact fraction, and its text cut off once."""

    value: Fraction
    name: str

    @property
    def shown(self) -> str:
        """Four decimals, the rest cut off."""
        return truncate(self.value)

    @property
    def percent(self) -> str:
        """The shown text with its point moved; no digit changes.

        >>> Figure(Fraction(849996, 1000000), "满意度").percent
        '84.99%'
        """
        return percent_text(self.shown)

    def document(self) -> dict[str, str]:
        """The figure as canonical JSON: fraction in lowest terms, shown text, percent, name."""
        return {
            "numerator": str(self.value.numerator),
            "denominator": str(self.value.denominator),
            "shown": self.shown,
            "percent": self.percent,
            "name": self.name,
        }


def weighted_ratio(
    rows: Iterable[tuple[str, Fraction, Fraction | int, Fraction | int]], shares: Mapping[str, Fraction]
) -> Fraction:
    """Σ_g share_g · (Σ w·x ÷ Σ w·v): the estimator `weighted-ratio/v1`, exactly.

    Args:
        rows: (group, w, x, v) of every pool.
        shares: each group's share; they add up to one.

    Raises:
        GroupWithoutOpinionError: a group with a share and no valid opinion.

    >>> half = Fraction(1, 2)
    >>> weighted_ratio([("a", Fraction(3), 4, 8), ("a", Fraction(1), 9, 9), ("b", Fraction(1), 1, 2)], {"a": half, "b": half})
    Fraction(25, 44)
    """
    sums: dict[str, tuple[Fraction, Fraction]] = {group: (Fraction(0), Fraction(0)) for group in shares}
    for group, w, x, v in rows:
        if group in sums:
            sums[group] = (sums[group][0] + w * x, sums[group][1] + w * v)
    figure = Fraction(0)
    for group, share in shares.items():
        top, base = sums[group]
        if share and not base:
            raise GroupWithoutOpinionError(group)
        figure += share * top / base if share else 0
    return figure


def common_denominator(weights: Iterable[Fraction]) -> int:
    """The least common denominator of some weights; a verifier bounds it."""
    common = 1
    for weight in weights:
        common = lcm(common, weight.denominator)
    return common


def evidence_grade(figure: Fraction, line: Line, lower: float | None, upper: float | None) -> Grade | None:
    """How firm a decision is: on which side of the line the one-sided bounds lie.

    Args:
        figure: exact, compared unrounded.
        line: the scheme's line with its edge.
        lower, upper: one-sided 95% bounds; None where there is no interval.

    Source: METHOD step 15.

    >>> evidence_grade(Fraction(9, 10), Line("at_least", "0.85"), 0.86, 0.93)
    'pass_firm'
    """
    if lower is None or upper is None:
        return None
    if line.reached(figure):
        return "pass_firm" if line.reached(Fraction(lower)) else "pass_point_only"
    return "fail_point_only" if line.reached(Fraction(upper)) else "fail_firm"


def weakest_grade(grades: Sequence[Grade | None]) -> Grade | None:
    """The grade of a verdict that every group must reach: missed by one is missed, firm only if all are.

    >>> weakest_grade(["pass_firm", "pass_point_only"]), weakest_grade(["pass_firm", "fail_point_only", "fail_firm"])
    ('pass_point_only', 'fail_firm')
    """
    if not grades or None in grades:
        return None
    order: tuple[Grade, ...] = ("fail_firm", "fail_point_only", "pass_point_only", "pass_firm")
    return min((one for one in grades if one is not None), key=order.index)


def crosses(line: Line | None, lower: str | None, upper: str | None) -> bool:
    """Whether an interval, as shown, has the line inside: its ends decide differently."""
    if line is None or lower is None or upper is None:
        return False
    return line.reached(fraction(lower)) != line.reached(fraction(upper))


def decision_words(reached: bool | None, interval_crosses: bool) -> str:
    """达到, 未达到 or 不作判断, with the interval's word where it crosses; never 通过."""
    words = {True: "达到", False: "未达到", None: "不作判断"}[reached]
    return f"{words}（区间跨过要求线）" if interval_crosses and reached is not None else words


def interval_document(lower: float, upper: float, **more: Any) -> dict[str, Any]:
    """Interval ends as text, cut off like the figure."""
    return {"lower": truncate(lower), "upper": truncate(upper), **more}
