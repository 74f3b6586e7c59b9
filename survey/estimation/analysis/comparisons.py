"""Differences between the groups of a column, with the covariance that shared units bring.

Enters: a comparison of the spec and its item. Leaves: a line for each pair, its p value adjusted
for having looked at all of them. A group that may not be shown, or whose share is told as a bound, is
not compared either.
"""

from __future__ import annotations

from itertools import combinations
from math import isnan
from typing import Any

from survey.cases.few_answers import code_of
from survey.errors import Fault, FaultsError
from survey.estimation.analysis.disclosing import hidden_domains
from survey.estimation.analysis.rows import Reckoner, degrees, exact_rate, finite_or_none, interval_level
from survey.estimation.analysis.sample import Sample
from survey.estimation.analysis.spec import CODE, AnalysisSpec, ComparisonSpec
from survey.estimation.comparison import contrast, holm, t_test
from survey.estimation.intervals import t_interval

MAX_PAIRS = 2_000


def compare(
    spec: AnalysisSpec, sample: Sample, one: ComparisonSpec, reckoner: Reckoner
) -> list[dict[str, Any]]:
    """A line for each pair of groups, second minus first.

    Raises:
        FaultsError: a group to compare with that is not there, a statistic that has no difference,
            or too many pairs.

    Source: METHOD 16; R survey 4.5 `svycontrast(svyby(..., covmat = TRUE))`, `p.adjust(method = "holm")`.
    """
    if reckoner.reading.spec.statistic in ("distribution", "quantile"):
        raise _refused(one, f"“{one.item}”的statistic不能比较", "改用proportion、mean、total或ratio")
    column = sample.columns[one.by]
    names = column.names()
    levels = [level for level in column.levels() if reckoner.has_answers(names == level)]
    if one.against is not None and one.against not in levels:
        raise _refused(one, f"“{one.by}”里没有“{one.against}”", f"有：{'、'.join(levels[:12])}")
    estimates = {level: reckoner.estimate(names == level) for level in levels}
    hidden = hidden_domains(
        [estimates[level].n for level in levels], spec.disclosure.minimum_count, adds_up=True,
        whole=sum(found.n for found in estimates.values()),
    )  # fmt: skip
    if reckoner.reading.is_rate and spec.disclosure.minimum_count > 1:
        rates = [(exact_rate(estimates[level].value), estimates[level].n) for level in levels]
        hidden |= {at for at, (rate, n) in enumerate(rates) if code_of(rate, n) is not None}
    shown = [level for at, level in enumerate(levels) if at not in hidden]
    pairs = [
        pair if pair[0] == one.against else (pair[1], pair[0]) if pair[1] == one.against else pair
        for pair in combinations(shown, 2)
        if one.against is None or one.against in pair
    ]
    if len(pairs) > MAX_PAIRS:
        raise _refused(one, f"要比{len(pairs)}对，太多了", "写明against，或换一列分组")
    level = interval_level(spec)
    rows, p_values = [], []
    for first, second in pairs:
        made = contrast([-1.0, 1.0], [estimates[first], estimates[second]], reckoner.design)
        test = t_test(made, df=degrees(spec, made))
        bounds = t_interval(made.value, made.variance, degrees(spec, made), level)
        p_values.append(test.p_value)
        rows.append(
            {
                "item": one.item,
                "label": reckoner.reading.label,
                "by": one.by,
                "first": first,
                "second": second,
                "first_label": column.label(first),
                "second_label": column.label(second),
                "difference": made.value,
                "se": made.se,
                "df": finite_or_none(test.df[0]),
                "lower": None if bounds is None else bounds.lower,
                "upper": None if bounds is None else bounds.upper,
                "t": finite_or_none(test.statistic),
                "p_value": finite_or_none(test.p_value),
            }
        )
    known = [at for at, p in enumerate(p_values) if not isnan(p)]
    adjusted = (
        holm([p_values[at] for at in known]) if one.adjust == "holm" else [p_values[at] for at in known]
    )
    for at, p in zip(known, adjusted, strict=True):
        rows[at]["p_adjusted"] = p
    return rows


def _refused(one: ComparisonSpec, problem: str, remedy: str) -> FaultsError:
    return FaultsError(
        "计算说明（spec）", (Fault(CODE, problem, remedy, item=f"comparisons（{one.item}×{one.by}）"),)
    )
