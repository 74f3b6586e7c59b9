"""One line of the result table: an estimate with its interval, counts and cautions.

Enters: an `ItemReading`, a mask and a `Sample`. Leaves: a plain mapping, full precision, with the
text that pages show beside it. What is too small to show is emptied by `disclosing`, not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import inf, isfinite
from typing import Any, Literal

import numpy as np
import scipy  # its parts load themselves when first asked

from survey.arrays import Flags, Floats
from survey.estimation.analysis.readings import ItemReading
from survey.estimation.analysis.sample import Sample
from survey.estimation.analysis.spec import AnalysisSpec
from survey.estimation.composite import composite_interval
from survey.estimation.design_effect import design_effect, nchs_presentation
from survey.estimation.figure import EVIDENCE_WORDS, decision_words, evidence_grade
from survey.estimation.intervals import (
    FEWEST_PSUS,
    Interval,
    korn_graubard,
    planned_n,
    proportion_interval,
    t_interval,
)
from survey.estimation.linearization import Estimate
from survey.estimation.means import mean, proportion, ratio
from survey.estimation.quantiles import quantile
from survey.estimation.totals import total
from survey.exact import percent_text, truncate
from survey.sampling.declared_design import DesignSpecError, of_rows
from survey.sampling.design import AnyDesign, Design
from survey.scheme.scheme_parts import Line
from survey.weighting.declared_steps import changed
from survey.weighting.nonresponse import adjust_within_cells

CAUTIONS = {
    "no_interval": "自由度不够，不给区间",
    "no_answers": "没有一份有效回答",
    "unreliable": "按NCHS标准不可靠",
    "review_df": "自由度少于8，区间只供参考",
    "review_extreme": "全部相同，看区间",
    "footnote_complement": "另一侧的占比不可靠",
    "few_against": f"不满意的人来自不到{FEWEST_PSUS}个抽样单位，误差难估准，区间已放宽",
    "few_against_unwidened": f"不满意的人来自不到{FEWEST_PSUS}个抽样单位，误差难估准",
    "many_dont_know": "不了解的超过10%",
    "coded": "不足40份，95%以上写≥95%，5%以下写≤5%，不给区间",
    "on_the_line": "同要求线的差小于计算误差，按正好相等处理",
}
EXACTNESS = 1e-13


def exact_rate(value: float) -> Fraction:
    """The rate as a fraction: a float that is a small fraction, or within 1e-13 of ten decimals, is that.

    The fraction goes first: one rate in some five hundred lies that near to ten decimals by chance.

    >>> exact_rate(0.85 - 1e-16), exact_rate(2 / 3), exact_rate(296 / 1483)
    (Fraction(17, 20), Fraction(2, 3), Fraction(296, 1483))
    """
    small = Fraction(value).limit_denominator(10**6)
    if abs(float(small) - value) <= EXACTNESS / 100:
        return small
    near = Fraction(round(value, 10)).limit_denominator(10**10)
    return near if abs(float(near) - value) <= EXACTNESS else Fraction(value)


@dataclass(frozen=True, eq=False)
class Reckoner:
    """Rows of one item under one spec and sample."""

    spec: AnalysisSpec
    sample: Sample
    reading: ItemReading

    @cached_property
    def design(self) -> AnyDesign:
        """The design this item rests on: the sample's, unless the item says otherwise."""
        return self._own(self.sample.design)

    @cached_property
    def base_design(self) -> AnyDesign:
        """The same under base weights alone."""
        return self._own(self.sample.base)

    def _own(self, design: AnyDesign) -> AnyDesign:
        reading = self.reading
        if reading.spec.answers_stand_for:
            if getattr(design, "adjustments", ()):
                raise DesignSpecError(
                    f"题“{reading.id}”",
                    "权数校准过以后不能再让一格的回答代表全格",
                    "把answers_stand_for换成weighting里的一步",
                )
            cells = self.sample.columns.crossed(reading.spec.answers_stand_for)
            valid = ~np.isnan(reading.values)
            design, _ = changed(design, lambda weights: adjust_within_cells(weights, cells, valid))
        if reading.leaves_sample is not None and reading.leaves_sample.any():
            design = of_rows(design, ~reading.leaves_sample)
        return design

    def kept(self, column: Any) -> Any:
        """A column of the sample's rows over the rows of this item's design."""
        leaves = self.reading.leaves_sample
        return column if leaves is None or not leaves.any() else column[~leaves]

    def estimate(
        self, domain: Flags, design: AnyDesign | None = None, values: Floats | None = None
    ) -> Estimate:
        """The item's estimate over a mask of the sample's rows.

        Raises:
            EmptyDomainError: no row with a value and a weight.
        """
        design = self.design if design is None else design
        y = self.kept(self.reading.values if values is None else values)
        inside = self.kept(domain)
        statistic = self.reading.spec.statistic
        if statistic == "ratio":
            x = self.kept(self.reading.denominator)
            return ratio(y, x, design, domain=inside, skip_missing=True)
        made = {"proportion": proportion, "distribution": proportion, "total": total}.get(statistic, mean)
        return made(y, design, domain=inside, skip_missing=True)

    def has_answers(self, domain: Flags, values: Floats | None = None) -> bool:
        """Whether any row with a weight has a value there."""
        y = self.kept(self.reading.values if values is None else values)
        return bool((self.kept(domain) & ~np.isnan(y) & (self.design.weights != 0)).any())

    def row(
        self, domain: Flags, *, option: tuple[str, str, Floats] | None = None, whole: bool = False
    ) -> dict[str, Any]:
        """The line of a domain, or of one option in it.

        Args:
            whole: the line of everybody, which also carries the base-weighted value.
        """
        values = None if option is None else option[2]
        line = None if option is not None else line_of(self.spec, self.reading.id, whole=whole)
        n_rows = int((self.kept(domain) & (self.design.weights != 0)).sum())
        if not self.has_answers(domain, values):
            return {"n": 0, "n_rows": n_rows, "value": None, "cautions": ["no_answers"]}
        one = self.estimate(domain, values=values)
        y = self.kept(self.reading.values if values is None else values)
        row: dict[str, Any] = {
            "n": one.n,
            "n_rows": one.n_rows,
            "value": one.value,
            "se": one.se,
            "cv": finite_or_none(one.cv),
            "df": finite_or_none(one.df),
            "unweighted": self._unweighted(domain, y),
            "cautions": [],
        }
        if self.reading.spec.statistic != "ratio":
            of: Literal["mean", "total"] = "total" if self.reading.spec.statistic == "total" else "mean"
            row["deff"] = finite_or_none(
                design_effect(
                    one, y, self.design, of=of, against=self.spec.design_effect, domain=self.kept(domain)
                )
            )
        if self.reading.is_rate:
            self._rate(row, one, domain, y)
        else:
            bounds = t_interval(one.value, one.variance, self._df(one), self._level)
            _bound(row, bounds, "t")
            row["shown"] = number_shown(one.value)
        self._dont_know(row, domain, option)
        if line is not None:
            judged(row, line, self.one_sided(one, domain))
        if one.df <= 0:
            # Within one unit chance cannot be seen: what the formula gives there is no error of anything.
            row |= {"se": None, "cv": None, "deff": None, "n_eff": None, "cautions": ["no_interval"]}
        if whole and self.sample.weighted:
            base = self.estimate(domain, self.base_design, values)
            row["base_weighted"], row["base_weighted_se"] = base.value, base.se
        return row

    def quantiles(self, domain: Flags) -> list[dict[str, Any]]:
        """One line for each quantile asked for."""
        if not self.has_answers(domain):
            n_rows = int((domain & (self.design.weights != 0)).sum())
            return [{"n": 0, "n_rows": n_rows, "value": None, "cautions": ["no_answers"]}]
        y, inside = self.kept(self.reading.values), self.kept(domain)
        lines = []
        for chance in self.reading.spec.probabilities:
            one = quantile(
                y, self.design, chance, domain=inside, skip_missing=True,
                rule=self.reading.spec.quantile_rule, level=self._level,
            )  # fmt: skip
            row: dict[str, Any] = {
                "option": f"{chance:g}",
                "option_label": "中位数" if chance == 0.5 else f"{chance * 100:g}%分位数",
                "n": int((inside & ~np.isnan(y) & (self.design.weights != 0)).sum()),
                "n_rows": int((inside & (self.design.weights != 0)).sum()),
                "value": one.value,
                "se": one.se,
                "df": finite_or_none(one.df),
                "lower": one.lower,
                "upper": one.upper,
                "interval": "woodruff",
                "shown": number_shown(one.value),
                "cautions": [] if one.lower is not None else ["no_interval"],
            }
            lines.append(row)
        return lines

    @property
    def _level(self) -> float:
        return interval_level(self.spec)

    def _df(self, one: Estimate) -> float:
        return degrees(self.spec, one)

    def _rate(self, row: dict[str, Any], one: Estimate, domain: Flags, y: Floats) -> None:
        """Interval, display and cautions of a proportion."""
        p = min(max(one.value, 0.0), 1.0)
        cap = self._cap(one, self.kept(domain), y)
        method = self.spec.interval.method
        exact = exact_rate(p)
        bounds = self._bounds(p, one, self._level, cap)
        _bound(row, bounds, method)
        row["shown"], row["percent"] = truncate(exact), percent_text(truncate(exact))
        if cap is not None:
            row["cautions"].append("few_against" if method == "korn_graubard" else "few_against_unwidened")
        held = korn_graubard(p, one.variance, one.n, one.df)
        row["n_eff"] = None if held is None else finite_or_none(held.n_eff)
        if self.spec.disclosure.reliability == "off":
            return
        lower, upper = (None, None) if held is None else (held.lower, held.upper)
        said = nchs_presentation(p, one.n, 0 if held is None else held.n_eff, one.df, lower, upper)
        row["reliability"] = said.decision
        row["cautions"] += ["unreliable"] if said.decision == "suppress" else list(said.flags)

    def _bounds(self, p: float, one: Estimate, level: float, cap: float | None) -> Interval | None:
        if self.spec.interval.method == "korn_graubard":
            return korn_graubard(p, one.variance, one.n, self._df(one), level, at_most=cap)
        n = one.n_rows if self.spec.interval.method == "beta" else one.n
        return proportion_interval(p, one.variance, n, self._df(one), level, self.spec.interval.method)

    def _cap(self, one: Estimate, inside: Flags, y: Floats) -> float | None:
        """The effective size to cap at where few units hold the dissatisfied, as for a wave of our own."""
        design = self.design
        if self.reading.spec.statistic != "proportion" or not isinstance(design, Design) or not one.value < 1:
            return None
        counts = inside & ~np.isnan(y) & (design.weights != 0)
        unit = design.stages[0].unit
        against = len(np.unique(unit[counts & (y < 1)]))
        return planned_n(one.n, len(np.unique(unit[counts]))) if against < FEWEST_PSUS else None

    def _unweighted(self, domain: Flags, y: Floats) -> float | None:
        counts = self.kept(domain) & ~np.isnan(y) & (self.design.weights != 0)
        if self.reading.spec.statistic == "ratio":
            below = self.kept(self.reading.denominator)[counts].sum()
            return finite_or_none(float(y[counts].sum() / below)) if below else None
        made = y[counts].sum() if self.reading.spec.statistic == "total" else y[counts].mean()
        return float(made)

    def _dont_know(self, row: dict[str, Any], domain: Flags, option: object) -> None:
        """The share of don't-knows among answers, and the figure with all of them as not satisfied."""
        reading = self.reading
        if reading.spec.dont_know is None or option is not None:
            return
        unsure = np.where(reading.silent, np.nan, reading.dont_know.astype(float))
        share = self._mean(unsure, domain)
        if share is not None:
            row["dont_know"] = share
            if share > 0.1:
                row["cautions"].append("many_dont_know")
        if reading.careful is not None:
            row["conservative"] = self._mean(reading.careful, domain)

    def _mean(self, values: Floats, domain: Flags) -> float | None:
        """The weighted mean alone, where no error is asked for; None where nobody has a value."""
        y, weights = self.kept(values), self.design.weights
        counts = self.kept(domain) & ~np.isnan(y) & (weights != 0)
        base = weights[counts].sum()
        return float(weights[counts] @ y[counts] / base) if base else None

    def one_sided(self, one: Estimate, domain: Flags) -> tuple[float, float] | None:
        """Both one-sided bounds at the level, for the grade of evidence."""
        level = 2 * self._level - 1
        y = self.kept(self.reading.values)
        if self.reading.is_rate:
            bounds = self._bounds(
                min(max(one.value, 0.0), 1.0), one, level, self._cap(one, self.kept(domain), y)
            )
        else:
            bounds = t_interval(one.value, one.variance, self._df(one), level)
        return None if bounds is None else (bounds.lower, bounds.upper)


def interval_level(spec: AnalysisSpec) -> float:
    """The level of two-sided intervals, from the multiplier where one is written."""
    return spec.interval.level if spec.interval.z is None else 2 * float(scipy.special.ndtr(spec.interval.z)) - 1


def degrees(spec: AnalysisSpec, one: Estimate) -> float:
    """Degrees of freedom of an interval; none stay none, however it is asked."""
    infinite = spec.interval.df == "infinite" or spec.interval.z is not None
    return inf if infinite and one.df > 0 else one.df


def judged(row: dict[str, Any], line: Line, bounds: tuple[float, float] | None) -> None:
    """Write the decision against a line into a row: unrounded, with its grade of evidence."""
    exact = exact_rate(row["value"])
    if abs(float(exact) - float(Fraction(line.threshold))) <= EXACTNESS and exact != Fraction(line.threshold):
        exact = Fraction(line.threshold)
        row["cautions"].append("on_the_line")
    reached = line.reached(exact)
    row["line"], row["line_in_words"], row["reached"] = line.threshold, line.in_words(), reached
    grade = evidence_grade(exact, line, *bounds) if bounds is not None else None
    inside = row.get("lower") is not None and line.reached(Fraction(row["lower"])) != line.reached(
        Fraction(row["upper"])
    )
    row["decision"] = decision_words(reached, inside)
    row["evidence"] = grade
    # The decision itself stands beside it already.
    row["evidence_words"] = (
        EVIDENCE_WORDS[grade].partition("，")[2] if grade else "没有区间，不知道有多大把握"
    )


def composite_bounds(
    spec: AnalysisSpec, shares: list[float], parts: list[Estimate], one: Estimate, level: float
) -> Interval | None:
    """The interval of a composite; of rates on the log-odds scale, otherwise a t interval."""
    if all(-1e-12 <= part.value <= 1 + 1e-12 for part in parts):
        return composite_interval(shares, parts, one, level)
    return t_interval(one.value, one.variance, degrees(spec, one), level)


def _bound(row: dict[str, Any], bounds: Interval | None, method: str) -> None:
    row["lower"], row["upper"] = (None, None) if bounds is None else (bounds.lower, bounds.upper)
    row["interval"] = None if bounds is None else method
    if bounds is None:
        row["cautions"].append("no_interval")


def finite_or_none(value: float | None) -> float | None:
    """The number, or None where there is none to speak of."""
    return None if value is None or not isfinite(value) else float(value)


def number_shown(value: float) -> str:
    """A mean, total or ratio as tables show it, cut off after one to four decimals by its size.

    >>> number_shown(776758.9648), number_shown(2.92989691), number_shown(10.934)
    ('776,758.9', '2.9298', '10.9340')
    """
    places = 1 if abs(value) >= 1000 else 2 if abs(value) >= 100 else 4
    text = truncate(Fraction(repr(value)), places)
    whole, _, rest = text.partition(".")
    return f"{int(whole):,}.{rest}" if not whole.startswith("-0") else text


def words_of(cautions: list[str]) -> str:
    """Cautions as one sentence each."""
    return "；".join(CAUTIONS[one] for one in cautions)


def line_of(spec: AnalysisSpec, id_: str, *, whole: bool = True) -> Line | None:
    """The line a figure must meet, if the spec names one; of groups only where it says so."""
    for one in spec.lines:
        if id_ in one.of and (whole or one.groups):
            return (
                Line("at_least", one.at_least) if one.at_least is not None else Line("above", str(one.above))
            )
    return None


def no_nan(value: Any) -> Any:
    """A plain value with NaN and infinities as None, for JSON."""
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: no_nan(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [no_nan(one) for one in value]
    return value
