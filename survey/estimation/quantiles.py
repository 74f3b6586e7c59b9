"""Quantiles, with Woodruff's interval: the interval of a proportion read back on the scale of y.

Enters: a column and a design. Leaves: for each probability the quantile, its limits and a standard
error taken from their distance. Two rules say what a quantile of a step function is: `math`, the
smallest value at which the weighted distribution reaches p, and `hf7`, R's interpolation.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from survey.arrays import Flags, Floats
from survey.estimation.intervals import IntervalError, beta, t_quantile
from survey.estimation.means import mean
from survey.estimation.totals import counted
from survey.sampling.design import AnyDesign

Rule = Literal["math", "hf7"]


@dataclass(frozen=True)
class Quantile:
    """A quantile with its interval; limits are None without degrees of freedom."""

    probability: float
    value: float
    lower: float | None
    upper: float | None
    se: float | None
    df: float


def weighted_quantile(y: Floats, weights: Floats, probability: float, rule: Rule = "math") -> float:
    """The p-quantile of y under weights.

    Args:
        y: (n,) values; rows of weight zero do not count.
        weights: (n,).
        probability: p; outside [0, 1] it gives the smallest or largest value.
        rule: `math`: inf of x with F(x) ≥ p. `hf7`: linear between points at cumulated weight
            before x, over all weight but the last.

    Source: Hyndman & Fan (1996), types 1 and 7; R survey 4.5 `svyquantile(qrule = "math" | "hf7")`.

    >>> weighted_quantile(np.array([1., 2, 3, 4]), np.ones(4), 0.5)
    2.0
    >>> weighted_quantile(np.array([1., 2, 3, 4]), np.ones(4), 0.5, "hf7")
    2.5
    """
    counts = weights != 0
    order = np.argsort(y[counts], kind="stable")
    x, w = y[counts][order], weights[counts][order]
    cumulated = np.cumsum(w)
    if rule == "hf7":
        if len(x) == 1:
            return float(x[0])
        position = np.concatenate([[0.0], cumulated[:-1]]) / cumulated[-2]
        return float(np.interp(probability, position, x))
    # Rounding of the cumulated weights must not push p past the value it reaches exactly.
    reached = cumulated / cumulated[-1] >= probability - 1e-12
    return float(x[int(np.argmax(reached))]) if reached.any() else float(x[-1])


def quantile(
    y: ArrayLike,
    design: AnyDesign,
    probability: float,
    *,
    domain: Flags | None = None,
    skip_missing: bool = False,
    rule: Rule = "math",
    interval: Literal["mean", "beta"] = "mean",
    level: float = 0.95,
) -> Quantile:
    """A quantile and its Woodruff interval.

    Args:
        y, design, domain, skip_missing: as for `means.mean`.
        probability: in (0, 1).
        rule: see `weighted_quantile`.
        interval: of the proportion at or below the quantile: t on the plain scale, or `beta`.
        level: two-sided, in (0, 1).

    Raises:
        IntervalError: a probability or level outside (0, 1).

    Source: Woodruff (1952), JASA 47, p. 635; R survey 4.5 `svyquantile(interval.type, qrule)`.
    """
    if not 0 < level < 1:
        raise IntervalError("置信水平", f"{level}不在0和1之间", "常用0.95或0.90")
    if not 0 < probability < 1:
        raise IntervalError("分位数", f"{probability}不在0和1之间", "例如中位数写0.5")
    values, inside, valid = counted(y, design, domain, skip_missing)
    weights = np.where(valid, design.weights, 0.0)
    point = weighted_quantile(values, weights, probability, rule)
    below = np.where(valid, (values <= point).astype(float), np.nan)
    share = mean(below, design, domain=inside, skip_missing=True)
    if share.df <= 0:
        return Quantile(probability, point, None, None, None, share.df)
    t = t_quantile(0.5 + level / 2, share.df)
    if interval == "beta":
        bounds = beta(share.value, share.variance, share.n, share.df, level)
        low, high = (bounds.lower, bounds.upper) if bounds else (share.value, share.value)
    else:
        low, high = share.value - t * sqrt(share.variance), share.value + t * sqrt(share.variance)
    lower = weighted_quantile(values, weights, low, rule)
    upper = weighted_quantile(values, weights, high, rule)
    return Quantile(probability, point, lower, upper, (upper - lower) / (2 * t), share.df)
