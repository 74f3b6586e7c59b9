"""Differences between domains or waves, and the test against a threshold.

Enters: estimates of one sample, or of two drawn independently. Leaves: a difference with its
standard error, through the covariance that shared schools bring. Tests of whole tables are in
`table_tests.py`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy  # its parts load themselves when first asked
from numpy.typing import ArrayLike

from survey.arrays import Flags, Floats, finite
from survey.errors import SurveyError
from survey.estimation.intervals import logit, t_quantile
from survey.estimation.linearization import Estimate, combine
from survey.estimation.means import mean
from survey.sampling.design import AnyDesign, Design


class ContrastError(SurveyError):
    """A contrast that does not fit its estimates."""

    code = "estimation.contrast"
    kind = "invalid"


@dataclass(frozen=True)
class Significance:
    """A statistic, its degrees of freedom and its two-sided (or upper-tail) p value."""

    statistic: float
    df: tuple[float, ...]
    p_value: float


def contrast(
    coefficients: Sequence[float],
    estimates: Sequence[Estimate],
    design: AnyDesign,
    *,
    df: float | None = None,
) -> Estimate:
    """A linear combination of estimates of one sample, covariance included.

    Args:
        coefficients: one for each estimate.
        df: degrees of freedom; those of the rows any estimate speaks for, when not given.
        estimates: p estimates of one sample.
        design: the design all of them rest on.

    Raises:
        ContrastError: another number of coefficients than of estimates.

    Source: R survey 4.5 `svycontrast(svyby(..., covmat = TRUE), list(c(...)))`.
    """
    if len(coefficients) != len(estimates):
        raise ContrastError(
            "对比", f"有{len(coefficients)}个系数、{len(estimates)}个估计值", "两者的个数要相同"
        )
    gradient = np.asarray(coefficients, dtype=np.float64)
    value = float(gradient @ np.array([one.value for one in estimates]))
    return combine(value, gradient, estimates, design, df)


def expression(
    formula: str, estimates: Mapping[str, Estimate], design: AnyDesign, *, df: float | None = None
) -> Estimate:
    """A smooth expression in named estimates, by its derivatives.

    Args:
        formula: arithmetic, `log`, `exp`, `sqrt` over the names; nothing else is read.
        estimates: name → estimate of one sample.
        design: the design all of them rest on.
        df: degrees of freedom; those of all rows concerned when not given.

    Raises:
        ContrastError: a name or a construct that is not known.

    Source: delta method; R survey 4.5 `svycontrast(x, quote(a/b))`.
    """
    names = list(estimates)
    value, slopes = _evaluate(
        ast.parse(formula, mode="eval").body, {k: e.value for k, e in estimates.items()}
    )
    gradient = np.array([slopes.get(name, 0.0) for name in names])
    return combine(value, gradient, [estimates[name] for name in names], design, df)


def _evaluate(node: ast.expr, values: Mapping[str, float]) -> tuple[float, dict[str, float]]:
    """The value of an expression and its partial derivatives, by forward differentiation."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value), {}
    if isinstance(node, ast.Name) and node.id in values:
        return values[node.id], {node.id: 1.0}
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        sign = -1.0 if isinstance(node.op, ast.USub) else 1.0
        value, slopes = _evaluate(node.operand, values)
        return sign * value, {name: sign * slope for name, slope in slopes.items()}
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1:
        value, slopes = _evaluate(node.args[0], values)
        known: dict[str, tuple[Callable[[float], float], Callable[[float], float]]] = {
            "log": (np.log, lambda x: 1 / x),
            "exp": (np.exp, np.exp),
            "sqrt": (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
        }
        if node.func.id in known:
            function, derivative = known[node.func.id]
            return float(function(value)), {
                k: float(derivative(value)) * slope for k, slope in slopes.items()
            }
    if isinstance(node, ast.BinOp):
        a, da = _evaluate(node.left, values)
        b, db = _evaluate(node.right, values)
        rules = {
            ast.Add: lambda: (a + b, 1.0, 1.0),
            ast.Sub: lambda: (a - b, 1.0, -1.0),
            ast.Mult: lambda: (a * b, b, a),
            ast.Div: lambda: (a / b, 1 / b, -a / b**2),
            ast.Pow: lambda: (a**b, b * a ** (b - 1), a**b * np.log(a) if db else 0.0),
        }
        if type(node.op) in rules:
            value, left, right = rules[type(node.op)]()
            names = {*da, *db}
            return float(value), {k: left * da.get(k, 0.0) + right * db.get(k, 0.0) for k in names}
    raise ContrastError(
        "对比的算式", f"看不懂“{ast.unparse(node)}”", "只用估计值的名字、四则运算、log、exp和sqrt"
    )


def t_test(estimate: Estimate, *, null: float = 0.0, df: float | None = None) -> Significance:
    """Student's t of an estimate against a value, two-sided.

    Args:
        estimate: any, of a finite value.
        null: the value it is held against.
        df: degrees of freedom; the estimate's own when not given.

    Source: R survey 4.5 `svyttest`, whose df is the design's minus one.
    """
    degrees = estimate.df if df is None else df
    if degrees <= 0 or estimate.variance <= 0:
        return Significance(float("nan"), (degrees,), float("nan"))
    t = (estimate.value - null) / estimate.se
    return Significance(t, (degrees,), float(2 * scipy.special.stdtr(degrees, -abs(t))))


def difference_of_domains(
    y: ArrayLike, first: Flags, second: Flags, design: AnyDesign, *, skip_missing: bool = False
) -> Estimate:
    """Mean of y in the second domain minus mean in the first, degrees of freedom of both together.

    Args:
        y: (n,) values.
        first, second: (n,) masks.
        design: the whole sample.
        skip_missing: rows without a value leave their domain.

    Source: METHOD 16; equal to `svyttest(y ~ group)` and to the slope of a regression on the indicator; R
    `svyttest(y ~ group, design)$estimate`.
    """
    means = [mean(y, design, domain=domain, skip_missing=skip_missing) for domain in (first, second)]
    return contrast([-1.0, 1.0], means, design)


def difference_of_waves(first: Estimate, second: Estimate) -> Estimate:
    """Second minus first for two samples drawn independently; Satterthwaite's degrees of freedom.

    Args:
        first, second: estimates of two samples drawn apart.

    Returns:
        An `Estimate` without scores, since the two have no rows in common.

    Source: METHOD 16; Satterthwaite (1946), `(v1+v2)²/(v1²/df1 + v2²/df2)`; R has no call of its own; the
    formula is that of `t.test(var.equal = FALSE)`.
    """
    variance = first.variance + second.variance
    parts = [(one.variance, one.df) for one in (first, second)]
    if any(df <= 0 for _, df in parts):
        df = 0.0
    else:
        lower = sum(v**2 / df for v, df in parts)
        df = variance**2 / lower if lower > 0 else min(d for _, d in parts)
    empty = np.zeros(0)
    return Estimate(
        second.value - first.value,
        variance,
        df,
        first.n + second.n,
        first.n_rows + second.n_rows,
        empty,
        empty.astype(bool),
    )


def stacked(first: Design, second: Design) -> Design:
    """Two waves as one design: schools asked in both are one unit, whatever their rows.

    Args:
        first, second: designs with the same stages, labels of strata and units meaning the same in both.

    Returns:
        A design over the rows of the first, then of the second; n_h counts the schools of either wave.

    Raises:
        ContrastError: another number of stages, or known totals of their own (calibrated weights carry
            residuals; use replicates for those).

    Source: METHOD 16; R `svydesign(id = ~school, strata = ~stratum, data = rbind(first, second))`.
    """
    kinds = [(len(one.strata), len(one.psu), len(one.population)) for one in (first, second)]
    if kinds[0] != kinds[1] or first.adjustments or second.adjustments:
        raise ContrastError(
            "两次调查的设计", "阶数不同，或者带着各自的控制总数", "用同样的设计；带控制总数的用重复权数"
        )

    def joined(columns: Sequence[tuple[ArrayLike | None, ArrayLike | None]]) -> tuple[Any, ...]:
        if any((a is None) != (b is None) for a, b in columns):
            raise ContrastError("两次调查的设计", "一次有总体单位数或层，另一次没有", "两次都写，或者都不写")
        return tuple(None if a is None else np.concatenate([a, b]) for a, b in columns)

    return replace(
        first,
        weights=np.concatenate([first.weights, second.weights]),
        strata=joined(list(zip(first.strata, second.strata, strict=True))),
        psu=joined(list(zip(first.psu, second.psu, strict=True))),
        population=joined(list(zip(first.population, second.population, strict=True))),
        stages=(),
    )


def difference_of_overlapping_waves(
    first_y: ArrayLike, first: Design, second_y: ArrayLike, second: Design, *, skip_missing: bool = False
) -> Estimate:
    """Mean of the second wave minus mean of the first, when some or all schools were asked in both.

    Args:
        first_y, second_y: (n1,) and (n2,) values.
        first, second: the waves' designs; a school has one label in both.
        skip_missing: rows without a value leave their wave.

    Returns:
        The difference over the stacked rows, with the covariance that shared schools bring; degrees of
        freedom of all schools together.

    Raises:
        ContrastError: designs that cannot be stacked.

    Source: METHOD 16, u2 − u1 by school; R `svycontrast(svyby(~y, ~wave, stacked, svymean, covmat = TRUE), c(-1, 1))`.
    """
    design = stacked(first, second)
    in_first = np.arange(len(design)) < len(first)
    y = np.concatenate([np.asarray(first_y, dtype=np.float64), np.asarray(second_y, dtype=np.float64)])
    return difference_of_domains(y, in_first, ~in_first, design, skip_missing=skip_missing)


@dataclass(frozen=True)
class ThresholdTest:
    """How surely a rate stands above a threshold; two rules and both bounds, always together.

    `point_rule_pass` is the regulations' rule; `bound_rule_pass` asks it of the logit lower bound.
    """

    t: float
    p_value: float
    lower_linear: float | None
    lower_logit: float | None
    point_rule_pass: bool
    bound_rule_pass: bool | None


def threshold_test(estimate: Estimate, threshold: float, *, level: float = 0.95) -> ThresholdTest:
    """One-sided test of `p <= threshold`, and one-sided lower bounds at `level`.

    Args:
        estimate: a proportion.
        threshold: T in (0, 1).
        level: one-sided, of the bounds.

    Returns:
        Both rules and both bounds; no bounds without degrees of freedom or variance.

    Raises:
        ContrastError: a threshold outside [0, 1].

    Source: METHOD 15; R `pt((p - T)/SE, degf, lower = FALSE)`, `svyciprop(level = .90)` for the bound.
    """
    if not 0 <= threshold <= 1:
        raise ContrastError("要求线", f"{threshold}不在0到1之间", "写成0.85这样的数")
    if estimate.df <= 0 or estimate.variance <= 0:
        at_edge = estimate.value >= threshold
        return ThresholdTest(float("nan"), float("nan"), None, None, at_edge, None)
    t = (estimate.value - threshold) / estimate.se
    linear = estimate.value - t_quantile(level, estimate.df) * estimate.se
    bounds = logit(estimate.value, estimate.variance, estimate.n, estimate.df, 2 * level - 1)
    lower = None if bounds is None else bounds.lower
    return ThresholdTest(
        t,
        float(scipy.special.stdtr(estimate.df, -t)),
        linear,
        lower,
        estimate.value >= threshold,
        None if lower is None else lower >= threshold,
    )


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """P values adjusted for having looked at all of them.

    Args:
        p_values: each in [0, 1].

    Returns:
        Adjusted values in the order given; at most 1.

    Raises:
        ContrastError: a value outside [0, 1].

    Source: Holm (1979); R `p.adjust(method = "holm")`.

    >>> holm([0.01, 0.04, 0.03])
    (0.03, 0.06, 0.06)
    """
    values = _p_values(p_values)
    order = np.argsort(values, kind="stable")
    adjusted, running = [0.0] * len(values), 0.0
    for rank, at in enumerate(order):
        running = max(running, min(1.0, (len(values) - rank) * float(values[at])))
        adjusted[at] = round(running, 15)
    return tuple(adjusted)


def benjamini_hochberg(p_values: Sequence[float]) -> tuple[float, ...]:
    """P values adjusted so that, of the differences called real, at most this share is expected to be chance.

    Args:
        p_values: each in [0, 1].

    Returns:
        Adjusted values in the order given; at most 1.

    Raises:
        ContrastError: a value outside [0, 1].

    Source: Benjamini & Hochberg (1995), JRSS B 57, p. 289; R `p.adjust(method = "BH")`.

    >>> benjamini_hochberg([0.01, 0.04, 0.03])
    (0.03, 0.04, 0.04)
    """
    values = _p_values(p_values)
    order = np.argsort(-values, kind="stable")
    adjusted, running = [0.0] * len(values), 1.0
    for rank, at in enumerate(order):
        running = min(running, float(values[at]) * len(values) / (len(values) - rank))
        adjusted[at] = round(running, 15)
    return tuple(adjusted)


def _p_values(p_values: Sequence[float]) -> Floats:
    values = finite(p_values, "p值")
    if ((values < 0) | (values > 1)).any():
        raise ContrastError("p值", "不在0到1之间", "核对检验的结果")
    return values
