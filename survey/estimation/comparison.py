"""Differences between domains or waves, tests of tables, and the test against a threshold.

Enters: estimates of one sample, or of two drawn independently. Leaves: a difference with its
standard error, through the covariance that shared schools bring; Rao–Scott tests, in which a
table's deviations are judged by the design and not as if everybody had been drawn alone.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, sqrt
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats

from survey.arrays import Flags, Floats
from survey.errors import SurveyError
from survey.estimation.intervals import logit, t_quantile
from survey.estimation.linearization import Estimate, combine, covariance
from survey.estimation.means import mean
from survey.estimation.totals import counted, total
from survey.sampling.design import AnyDesign


class ContrastError(SurveyError):
    """A contrast that does not fit its estimates."""

    code = "estimation.contrast"
    kind = "invalid"


class TableError(SurveyError):
    """A table that cannot be tested."""

    code = "estimation.table"
    kind = "invalid"


@dataclass(frozen=True)
class Test:
    """A statistic, its degrees of freedom and its two-sided (or upper-tail) p value."""

    statistic: float
    df: tuple[float, ...]
    p_value: float


def contrast(
    coefficients: Sequence[float], estimates: Sequence[Estimate], design: AnyDesign, *, df: float | None = None
) -> Estimate:
    """A linear combination of estimates of one sample, covariance included.

    Args:
        coefficients: one for each estimate.
        df: degrees of freedom; those of the rows any estimate speaks for, when not given.

    Raises:
        ContrastError: another number of coefficients than of estimates.

    Source: R survey 4.5 `svycontrast(svyby(..., covmat = TRUE), list(c(...)))`.
    """
    if len(coefficients) != len(estimates):
        raise ContrastError("对比", f"有{len(coefficients)}个系数、{len(estimates)}个估计值", "两者的个数要相同")
    gradient = np.asarray(coefficients, dtype=np.float64)
    value = float(gradient @ np.array([one.value for one in estimates]))
    return combine(value, gradient, estimates, design, df)


def expression(
    formula: str, estimates: Mapping[str, Estimate], design: AnyDesign, *, df: float | None = None
) -> Estimate:
    """A smooth expression in named estimates, by its derivatives.

    Args:
        formula: arithmetic, `log`, `exp`, `sqrt` over the names; nothing else is read.

    Raises:
        ContrastError: a name or a construct that is not known.

    Source: delta method; R survey 4.5 `svycontrast(x, quote(a/b))`.
    """
    names = list(estimates)
    value, slopes = _evaluate(ast.parse(formula, mode="eval").body, {k: e.value for k, e in estimates.items()})
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
        known = {
            "log": (np.log, lambda x: 1 / x),
            "exp": (np.exp, np.exp),
            "sqrt": (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
        }
        if node.func.id in known:
            function, derivative = known[node.func.id]
            return float(function(value)), {k: float(derivative(value)) * slope for k, slope in slopes.items()}
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
    raise ContrastError("对比的算式", f"看不懂“{ast.unparse(node)}”", "只用估计值的名字、四则运算、log、exp和sqrt")


def t_test(estimate: Estimate, *, null: float = 0.0, df: float | None = None) -> Test:
    """Student's t of an estimate against a value, two-sided.

    Source: R survey 4.5 `svyttest`, whose df is the design's minus one.
    """
    degrees = estimate.df if df is None else df
    if degrees <= 0 or estimate.variance <= 0:
        return Test(float("nan"), (degrees,), float("nan"))
    t = (estimate.value - null) / estimate.se
    return Test(t, (degrees,), float(2 * special.stdtr(degrees, -abs(t))))


def difference_of_domains(
    y: ArrayLike, first: Flags, second: Flags, design: AnyDesign, *, skip_missing: bool = False
) -> Estimate:
    """Mean of y in the second domain minus mean in the first, degrees of freedom of both together.

    Source: METHOD 16; equal to `svyttest(y ~ group)` and to the slope of a regression on the indicator.
    """
    means = [mean(y, design, domain=domain, skip_missing=skip_missing) for domain in (first, second)]
    return contrast([-1.0, 1.0], means, design)


def difference_of_waves(first: Estimate, second: Estimate) -> Estimate:
    """Second minus first for two samples drawn independently; Satterthwaite's degrees of freedom.

    Returns:
        An `Estimate` without scores, since the two have no rows in common.

    Source: METHOD 16; Satterthwaite (1946), `(v1+v2)²/(v1²/df1 + v2²/df2)`.
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

    Source: METHOD 15.
    """
    if estimate.df <= 0 or estimate.variance <= 0:
        at_edge = estimate.value >= threshold
        return ThresholdTest(float("nan"), float("nan"), None, None, at_edge, None)
    t = (estimate.value - threshold) / estimate.se
    linear = estimate.value - t_quantile(level, estimate.df) * estimate.se
    bounds = logit(estimate.value, estimate.variance, estimate.n, estimate.df, 2 * level - 1)
    lower = None if bounds is None else bounds.lower
    return ThresholdTest(
        t,
        float(special.stdtr(estimate.df, -t)),
        linear,
        lower,
        estimate.value >= threshold,
        None if lower is None else lower >= threshold,
    )


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """P values adjusted for having looked at all of them.

    Source: Holm (1979); R `p.adjust(method = "holm")`.

    >>> holm([0.01, 0.04, 0.03])
    (0.03, 0.06, 0.06)
    """
    order = np.argsort(p_values, kind="stable")
    adjusted, running = [0.0] * len(p_values), 0.0
    for rank, at in enumerate(order):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[at]))
        adjusted[at] = round(running, 15)
    return tuple(adjusted)


@dataclass(frozen=True, eq=False)
class TableTest:
    """A test of independence in a two-way table, and the weighted table scaled to the rows it rests on."""

    test: Test
    observed: Floats
    levels: tuple[tuple[str, ...], tuple[str, ...]]


TableStatistic = Literal["F", "Chisq", "Wald", "adjWald", "lincom"]


def table_test(
    rows: ArrayLike, columns: ArrayLike, design: AnyDesign, *, statistic: TableStatistic = "F", domain: Flags | None = None
) -> TableTest:
    """A test of independence of two classifications under the design.

    Args:
        rows, columns: (n,) codes or labels as floats or strings; NaN or "" is missing.
        statistic: `F` Rao–Scott second order (the default); `Chisq` first order; `Wald`, `adjWald`
            on deviations from independence; `lincom` the exact mixture by saddlepoint.

    Raises:
        TableError: fewer than two rows or columns.

    Source: Rao & Scott (1984), Ann. Stat. 12, p. 46; Koch, Freeman & Freeman (1975); R survey 4.5 `svychisq`.
    """
    a, a_levels, a_known = _classified(rows)
    b, b_levels, b_known = _classified(columns)
    inside = (np.ones(len(a), dtype=bool) if domain is None else domain) & a_known & b_known
    r, c = len(a_levels), len(b_levels)
    if r < 2 or c < 2:
        raise TableError("二维表", "有一个变量只有一类", "两个变量各自至少要有两类")
    cell = a * c + b
    indicators = [(cell == k).astype(float) for k in range(r * c)]
    everyone = np.ones(len(a), dtype=bool) if domain is None else domain
    nu = design.df(everyone)
    n = int(((everyone & (design.weights > 0)) if domain is not None else design.weights > 0).sum())
    if statistic in ("Wald", "adjWald"):
        test = _wald(a, b, indicators, inside, design, r, c, nu, statistic)
        weighted = np.array([design.weights @ (column * inside) for column in indicators])
        return TableTest(test, (weighted / weighted.sum() * n).reshape(r, c), (a_levels, b_levels))

    shares = [mean(column, design, domain=inside) for column in indicators]
    p = np.array([one.value for one in shares])
    v = covariance(shares, design)
    grid_a, grid_b = np.repeat(np.arange(r), c), np.tile(np.arange(c), r)
    main = np.column_stack(
        [np.ones(r * c)]
        + [(grid_a == k).astype(float) for k in range(1, r)]
        + [(grid_b == k).astype(float) for k in range(1, c)]
    )
    inner = np.column_stack(
        [((grid_a == i) & (grid_b == j)).astype(float) for i in range(1, r) for j in range(1, c)]
    )
    contrasts = inner - main @ np.linalg.lstsq(main, inner, rcond=None)[0]
    inverse = np.diag(np.divide(1.0, p, out=np.zeros_like(p), where=p > 0))
    denominator = contrasts.T @ (inverse / n) @ contrasts
    numerator = contrasts.T @ inverse @ v @ inverse @ contrasts
    delta = np.linalg.solve(denominator, numerator)
    observed = n * p.reshape(r, c)
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0)) / observed.sum()
    x2 = float(((observed - expected) ** 2 / expected).sum())
    trace = float(np.trace(delta))
    if statistic == "F":
        d0 = trace**2 / float(np.trace(delta @ delta))
        value = x2 / trace
        test = Test(value, (d0, d0 * nu), float(stats.f.sf(value, d0, d0 * nu)))
    elif statistic == "Chisq":
        k = (r - 1) * (c - 1)
        test = Test(x2, (float(k),), float(stats.chi2.sf(x2 / (trace / k), k)))
    elif statistic == "lincom":
        weights = np.linalg.eigvals(delta).real
        test = Test(x2, (), _mixture_tail(x2, weights, nu))
    else:
        raise TableError("检验统计量", f"没有“{statistic}”这一种", "请从F、Chisq、Wald、adjWald、lincom中选一种")
    return TableTest(test, observed, (a_levels, b_levels))


def _wald(
    a: np.ndarray, b: np.ndarray, indicators: list[Floats], inside: Flags, design: AnyDesign, r: int, c: int, nu: float,
    statistic: str,
) -> Test:
    """Wald's test on the cell totals minus what independence would make them."""
    columns = [
        *indicators,
        *[(a == k).astype(float) for k in range(r)],
        *[(b == k).astype(float) for k in range(c)],
        np.ones(len(a)),
    ]
    totals = [total(column, design, domain=inside) for column in columns]
    value = np.array([one.value for one in totals])
    cells, row, column, one = value[: r * c], value[r * c : r * c + r], value[r * c + r : -1], value[-1]
    jacobian = np.zeros((r * c, len(value)))
    for i in range(r):
        for j in range(c):
            at = i * c + j
            jacobian[at, at] = 1
            jacobian[at, r * c + i] = -column[j] / one
            jacobian[at, r * c + r + j] = -row[i] / one
            jacobian[at, -1] = row[i] * column[j] / one**2
    deviation = cells - np.outer(row, column).ravel() / one
    v = jacobian @ covariance(totals, design) @ jacobian.T
    use = np.arange(r * c).reshape(r, c)[1:, 1:].ravel()
    wald = float(deviation[use] @ np.linalg.solve(v[np.ix_(use, use)], deviation[use]))
    k = (r - 1) * (c - 1)
    if statistic == "Wald":
        value_, ddf = wald / k, float(nu)
    else:
        ddf = float(nu - k + 1)
        value_ = wald * ddf / (k * nu)
    return Test(value_, (float(k), ddf), float(stats.f.sf(value_, k, ddf)))


def _classified(values: ArrayLike) -> tuple[np.ndarray, tuple[str, ...], Flags]:
    """(n,) codes, the levels in ascending order, and which rows have one."""
    column = np.asarray(values)
    if column.dtype.kind in "fiub":
        column = column.astype(float)
        known = ~np.isnan(column)
        levels, code = np.unique(column[known], return_inverse=True)
        names = tuple(f"{level:g}" for level in levels)
    else:
        column = np.array(["" if value is None else str(value) for value in column])
        known = column != ""
        levels, code = np.unique(column[known], return_inverse=True)
        names = tuple(str(level) for level in levels)
    full = np.zeros(len(column), dtype=np.int64)
    full[known] = code.reshape(-1)
    return full, names, known


def _mixture_tail(x: float, weights: Floats, ddf: float) -> float:
    """P(sum a_i F_i > x), F_i with 1 and ddf degrees of freedom over one common denominator.

    Source: Kuonen (1999), Biometrika 86, p. 929 (saddlepoint); R survey 4.5 `pFsum`.
    """
    if ddf == inf:
        return _saddlepoint(x, weights)
    return _saddlepoint(0.0, np.concatenate([weights, [-x / ddf] * int(ddf)]))


def _saddlepoint(x: float, weights: Floats) -> float:
    from scipy.optimize import brentq

    largest = weights.max()
    a, x = weights / largest, x / largest
    high = 0.99999 / (2 * a.max())
    if (a < 0).any():
        low = 0.99999 * float((1 / (2 * a[a < 0])).max())
    else:
        low = -0.01 if x > a.sum() else -len(a) / (2 * x)

    def slope(zeta: float) -> float:
        return float((a / (1 - 2 * zeta * a)).sum()) - x

    zeta = brentq(slope, low, high, xtol=1e-12)
    if abs(zeta) < 1e-4:
        return float(stats.norm.sf((x - a.sum()) / sqrt(2 * (a**2).sum())))
    cumulant = -0.5 * float(np.log(1 - 2 * zeta * a).sum())
    curvature = 2 * float((a**2 / (1 - 2 * zeta * a) ** 2).sum())
    w = np.sign(zeta) * sqrt(2 * (zeta * x - cumulant))
    v = zeta * sqrt(curvature)
    return float(stats.norm.sf(w + np.log(v / w) / w))
