"""Rao–Scott tests: independence in a two-way table, judged by the design.

Enters: two classifications and a design. Leaves: a statistic whose reference distribution knows
that people were drawn by school and weighted, and not each on his own.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt
from typing import Literal

import numpy as np
import scipy  # its parts load themselves when first asked
from numpy.typing import ArrayLike

from survey.arrays import Flags, Floats
from survey.errors import SurveyError
from survey.estimation.comparison import Significance
from survey.estimation.linearization import covariance
from survey.estimation.means import mean
from survey.estimation.totals import total
from survey.sampling.design import AnyDesign


class TableError(SurveyError):
    """A table that cannot be tested."""

    code = "estimation.table"
    kind = "invalid"


@dataclass(frozen=True, eq=False)
class TableTest:
    """A test of independence in a two-way table, and the weighted table scaled to the rows it rests on."""

    test: Significance
    observed: Floats
    levels: tuple[tuple[str, ...], tuple[str, ...]]


TableStatistic = Literal["F", "Chisq", "Wald", "adjWald", "lincom"]


def table_test(
    rows: ArrayLike,
    columns: ArrayLike,
    design: AnyDesign,
    *,
    statistic: TableStatistic = "F",
    domain: Flags | None = None,
) -> TableTest:
    """A test of independence of two classifications under the design.

    Args:
        rows, columns: (n,) codes or labels as floats or strings; NaN or "" is missing.
        statistic: `F` Rao–Scott second order (the default); `Chisq` first order; `Wald`, `adjWald`
            on deviations from independence; `lincom` the exact mixture by saddlepoint.
        design: the whole sample.
        domain: (n,) mask; None is all.

    Returns:
        The test and the weighted table scaled to the rows it rests on.

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
        test = Significance(value, (d0, d0 * nu), float(scipy.stats.f.sf(value, d0, d0 * nu)))
    elif statistic == "Chisq":
        k = (r - 1) * (c - 1)
        test = Significance(x2, (float(k),), float(scipy.stats.chi2.sf(x2 / (trace / k), k)))
    elif statistic == "lincom":
        weights = np.linalg.eigvals(delta).real
        # R's denominator: the second-order degrees of freedom, which is what its vectors pin down.
        d0 = trace**2 / float(np.trace(delta @ delta))
        test = Significance(x2, (), _mixture_tail(x2, weights, d0 * nu))
    else:
        raise TableError(
            "检验统计量", f"没有“{statistic}”这一种", "请从F、Chisq、Wald、adjWald、lincom中选一种"
        )
    return TableTest(test, observed, (a_levels, b_levels))


def _wald(
    a: np.ndarray,
    b: np.ndarray,
    indicators: list[Floats],
    inside: Flags,
    design: AnyDesign,
    r: int,
    c: int,
    nu: float,
    statistic: str,
) -> Significance:
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
    return Significance(value_, (float(k), ddf), float(scipy.stats.f.sf(value_, k, ddf)))


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

    A fractional ddf counts its whole part in the denominator, as R's `rep(-x/ddf, ddf)` does.

    Source: Kuonen (1999), Biometrika 86, p. 929 (saddlepoint); R survey 4.5 `pFsum`.
    """
    if ddf == inf:
        return _saddlepoint(x, weights)
    return _saddlepoint(0.0, np.concatenate([weights, [-x / ddf] * int(ddf)]))


def _saddlepoint(x: float, weights: Floats) -> float:
    largest = weights.max()
    a, x = weights / largest, x / largest
    high = 0.99999 / (2 * a.max())
    if (a < 0).any():
        low = 0.99999 * float((1 / (2 * a[a < 0])).max())
    else:
        low = -0.01 if x > a.sum() else -len(a) / (2 * x)

    def slope(zeta: float) -> float:
        return float((a / (1 - 2 * zeta * a)).sum()) - x

    zeta = scipy.optimize.brentq(slope, low, high, xtol=1e-12)
    if abs(zeta) < 1e-4:
        return float(scipy.stats.norm.sf((x - a.sum()) / sqrt(2 * (a**2).sum())))
    cumulant = -0.5 * float(np.log(1 - 2 * zeta * a).sum())
    curvature = 2 * float((a**2 / (1 - 2 * zeta * a) ** 2).sum())
    w = np.sign(zeta) * sqrt(2 * (zeta * x - cumulant))
    v = zeta * sqrt(curvature)
    return float(scipy.stats.norm.sf(w + np.log(v / w) / w))
