"""Rows of published results, and what can be said between two of them.

What enters is the results document of a certified wave; what leaves is a `PublishedWave` with its
shown rows, and the difference of two independent rows with its error. A withheld row does not exist here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor, sqrt
from typing import Any

import scipy  # its parts load themselves when first asked

from survey.errors import SurveyError
from survey.exact import percent_text

TABLES = {"by_group": "人群", "by_stage": "学段", "by_place": "城乡", "by_dimension": "方面", "items": "题目"}
"""Tables of a results document, in the order in which they are read, with their names."""


class NotComparableError(SurveyError):
    """Two waves whose figures mean different things."""

    code = "followup.not_comparable"
    kind = "refused"

    def __init__(self, first: str, second: str, reasons: Sequence[str]) -> None:
        super().__init__(
            f"{first} 和 {second} 的比较",
            "；".join(reasons),
            "只比较问卷、选项、算法和填答方式都相同的两次调查",
            reasons=list(reasons),
        )


@dataclass(frozen=True)
class PublishedRow:
    """One shown rate: where it stands, what it is, how surely."""

    table: str
    group: str
    """The respondent group of an item's row; empty elsewhere."""
    key: str
    name: str
    shown: str
    """The rate as it was published, four decimals."""
    se: float
    df: float
    n: int
    coded: str | None = None
    """≥95% or ≤5%, where of few answers no more is told; `shown` is then the bound, and there is no error."""

    @property
    def percent(self) -> str:
        """The rate as pages print it."""
        return self.coded or percent_text(self.shown)

    @property
    def value(self) -> float:
        """The published rate as a number, for computing; what is shown stays `shown`."""
        return float(self.shown)

    @property
    def place(self) -> tuple[str, str, str]:
        """Table, group and key: the same row in another wave."""
        return self.table, self.group, self.key

    def chance_below(self, line: float) -> float:
        """The one-sided p value of "the rate is at least `line`"; small means surely under it.

        Args:
            line: in (0, 1).

        Source: t test with the row's own degrees of freedom (METHOD 15); where the sample shows no
        spread, the exact binomial tail `P(X <= n·value)`; of a coded row its bound from below, all
        from above, so that the chance is never too small and tells nothing that the bound does not.
        """
        if self.coded is not None:
            most = self.n if self.value > 0.5 else floor(self.n * self.value)
            return float(scipy.stats.binom.cdf(most, self.n, line))
        if self.se > 0 and self.df > 0:
            return float(scipy.special.stdtr(self.df, (self.value - line) / self.se))
        return float(scipy.stats.binom.cdf(round(self.n * self.value), self.n, line))


@dataclass(frozen=True)
class Difference:
    """Second minus first, of two samples drawn independently."""

    value: float
    se: float
    df: float
    p_value: float
    """Two-sided."""
    lower: float
    upper: float


@dataclass(frozen=True)
class Apart:
    """A drawn school's group that chance cannot explain as its county's: which, its rate, and the side."""

    name: str
    percent: str
    is_below: bool


@dataclass(frozen=True)
class PublishedWave:
    """What a certified results document says, without the parts that only a report prints."""

    wave: str
    title: str
    whole: PublishedRow
    """The figure itself as a row."""
    rows: tuple[PublishedRow, ...]
    """Every shown row of every table; the withheld ones are not here."""
    lower: str | None
    upper: str | None
    threshold: str | None
    line_in_words: str | None
    reached: bool | None
    crosses: bool
    decision: str
    n: int
    evidence_class: str
    formula: str
    method_version: str
    veto: bool
    demonstration: bool
    asked_whole: bool = False
    """Whether everybody was asked, so that its error is of the silent alone."""
    apart: tuple[Apart, ...] = ()
    """Schools' groups that differ from their county beyond chance, after Holm's correction over all of them."""

    @property
    def is_open(self) -> bool:
        """Whether volunteers answered, so that there is neither interval nor verdict."""
        return self.evidence_class == "C"


def read_published(results: Mapping[str, Any]) -> PublishedWave:
    """The wave that a results document publishes; volunteers' waves lose interval, line and verdict."""
    open_link = results["evidence_class"] == "C"
    interval = None if open_link else results.get("interval")
    return PublishedWave(
        wave=results["wave"],
        title=results["title"],
        whole=PublishedRow(
            "figure", "", "figure", str(results["name"]), str(results["figure"]["shown"]),
            float(results["se"]), float(results["df"]), int(results["n_valid"]),
        ),
        rows=_rows(results),
        lower=interval["lower"] if interval else None,
        upper=interval["upper"] if interval else None,
        threshold=None if open_link else results.get("threshold"),
        line_in_words=None if open_link else results.get("line_in_words"),
        reached=None if open_link else results.get("reached"),
        crosses=bool(results.get("crosses")) and not open_link,
        decision="" if open_link else str(results.get("decision") or ""),
        n=int(results["n"]),
        evidence_class=results["evidence_class"],
        formula=results["formula_in_words"],
        method_version=str(results.get("method_version")),
        veto=bool(results.get("veto")),
        demonstration=bool(results.get("demonstration")),
        asked_whole=_asked_whole(results),
        apart=() if open_link else tuple(
            Apart(_name(row), str(row["display"]), row["against_county"] == "below")
            for row in results.get("by_school") or ()
            if row.get("against_county") in ("below", "above")
        ),
    )  # fmt: skip


def _asked_whole(results: Mapping[str, Any]) -> bool:
    history = (results.get("weighting") or {}).get("history") or ()
    return bool(history) and all(row["design_weight"] == "1" for row in history)


def _rows(results: Mapping[str, Any]) -> tuple[PublishedRow, ...]:
    return tuple(
        PublishedRow(
            table=table,
            group=str(row.get("group", "")) if table == "items" else "",
            key=str(row["key"]),
            name=_name(row),
            shown=str(row.get("coded") or row["shown"]),
            se=float(row["se"] or 0),
            df=float(row["df"]),
            n=int(row["n_valid"]),
            coded=str(row["percent"]) if row.get("coded") else None,
        )
        for table in TABLES
        for row in results.get(table) or ()
        if not row.get("withheld")
        and not row.get("no_error")
        and (row.get("coded") or (row.get("shown") is not None and row.get("se") is not None))
    )


def why_not_comparable(first: PublishedWave, second: PublishedWave) -> tuple[str, ...]:
    """Why two waves must not be compared; empty when they may be."""
    reasons = []
    if first.formula != second.formula:
        reasons.append("算法不同")
    if first.evidence_class != second.evidence_class:
        reasons.append("填答方式的证据等级不同")
    if first.method_version != second.method_version:
        reasons.append("方法版本不同")
    if first.demonstration != second.demonstration:
        reasons.append("其中一次是演示数据")
    if {first.evidence_class, second.evidence_class} - {"A"}:
        reasons.append("自愿参加或按名额填答的结果没有误差可算")
    return tuple(reasons)


def why_no_change(first: PublishedWave, second: PublishedWave) -> tuple[str, ...]:
    """Why nothing is said of a change from one wave to the next; empty when it may be.

    Where everybody is asked, the error is that of the silent: about this year's people. Of a change one asks
    whether it would come again with other people, which needs the error between schools; it is not kept.

    Source: METHOD 14, census mode: "use the second for change between rounds".
    """
    reasons = why_not_comparable(first, second)
    if first.asked_whole or second.asked_whole:
        return (*reasons, "问遍全体的调查，误差只算没有回答的人，不能拿来检验变化")
    return reasons


def difference(first: PublishedRow, second: PublishedRow, level: float = 0.95) -> Difference:
    """Second minus first for independent samples, with Satterthwaite's degrees of freedom.

    Args:
        level: of the interval, in (0, 1).

    Source: METHOD 16; Satterthwaite (1946), `(v1+v2)²/(v1²/df1 + v2²/df2)`; `estimation.comparison.
    difference_of_waves` does the same from answers.

    >>> one = PublishedRow("figure", "", "figure", "", "0.9000", 0.01, 30, 900)
    >>> two = PublishedRow("figure", "", "figure", "", "0.8600", 0.01, 30, 900)
    >>> round(difference(one, two).value, 4), round(difference(one, two).p_value, 4)
    (-0.04, 0.0064)
    """
    value, variance = second.value - first.value, first.se**2 + second.se**2
    if variance <= 0 or min(first.df, second.df) <= 0 or first.coded or second.coded:
        # Nothing varied in either sample, or nothing is known of how it would, or only a bound is told.
        return Difference(value, sqrt(max(variance, 0.0)), 0.0, float("nan"), float("nan"), float("nan"))
    df = variance**2 / (first.se**4 / first.df + second.se**4 / second.df)
    se = sqrt(variance)
    half = float(scipy.special.stdtrit(df, (1 + level) / 2)) * se
    return Difference(
        value, se, df, float(2 * scipy.special.stdtr(df, -abs(value / se))), value - half, value + half
    )


def _name(row: Mapping[str, Any]) -> str:
    group = row.get("group_name")
    return f"{row['name']}（{group}）" if group else str(row["name"])
