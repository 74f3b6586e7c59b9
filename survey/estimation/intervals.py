"""Intervals for proportions, near 0 and 1 too, and for means.

Enters: an estimate, its variance, its degrees of freedom and the rows it rests on. Leaves: an
`Interval`, or None where no interval can be given: with no degrees of freedom, and for the
methods that are undefined at an observed 0 or 1. A zero-width interval is never given: software
that prints [1, 1] for twelve answers of twelve says more than anybody knows.

Korn–Graubard is the default because it is the only one of the eight that did not collapse near
100 % in simulation (METHOD section 2). Every method takes the same five arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import asin, exp, inf, isfinite, log, nan, pi, sin, sqrt

import numpy as np
import scipy  # its parts load themselves when first asked

from survey.arrays import Floats, Ints
from survey.errors import SurveyError

EDGE = 1e-12
"""A proportion closer than this to 0 or 1 is 0 or 1: rounding of unequal weights leaves 1 - 2e-16."""


class IntervalError(SurveyError):
    """A level outside (0, 1), a proportion outside [0, 1], a negative variance."""

    code = "estimation.interval"
    kind = "invalid"


@dataclass(frozen=True)
class Interval:
    """Lower and upper limit at a level; the method that made it; the sample size it went by."""

    lower: float
    upper: float
    level: float
    method: str
    n_eff: float = nan
    n_eff_df: float = nan

    @property
    def width(self) -> float:
        return self.upper - self.lower


def t_quantile(probability: float, df: float) -> float:
    """Quantile of Student's t; of the normal when df is infinite; NaN without degrees of freedom.

    Args:
        probability: in (0, 1).
        df: degrees of freedom; inf is the normal.

    Source: Student (1908); R `qt(p, df)`.
    """
    if df <= 0:
        return nan
    return float(scipy.special.ndtri(probability) if df == inf else scipy.special.stdtrit(df, probability))


def t_interval(value: float, variance: float, df: float, level: float = 0.95) -> Interval | None:
    """`value ± t se`; None when df <= 0.

    Args:
        value: the estimate, finite.
        variance: finite, at least zero.
        df: degrees of freedom.
        level: two-sided, in (0, 1).

    Returns:
        The interval, or None when df <= 0.

    Raises:
        IntervalError: a value that is no number; a variance or level out of range.

    Source: METHOD 10; R `confint(svymean(...), df = degf(design))`.

    >>> round(t_interval(3.0, 1.0, float("inf")).upper, 6)
    4.959964
    """
    if not isfinite(value):
        raise IntervalError("估计值", f"{value}不是数", "先查明估计值为何算不出")
    _check(0.5, variance, level)
    if df <= 0:
        return None
    reach = t_quantile(0.5 + level / 2, df) * sqrt(variance)
    return Interval(value - reach, value + reach, level, "mean")


def korn_graubard(
    p: float,
    variance: float,
    n: int,
    df: float,
    level: float = 0.95,
    *,
    at_most: float | None = None,
    most: float | None = None,
) -> Interval | None:
    """The exact binomial interval at the effective sample size; the one to publish.

    Args:
        p: estimated proportion in [0, 1].
        variance: its design variance.
        n: rows with a value in the domain.
        df: degrees of freedom of the domain.
        level: two-sided level; a one-sided 95 % bound is a limit at 0.90.
        at_most: a cap on the effective sample size below n, such as `planned_n`, for a variance that
            rests on too few dissatisfied schools to be believed.
        most: the cap that stands for n where the population is finite, `census.finite_n`.

    Returns:
        `n_eff = p(1-p)/v` (n at 0 and 1 and where v is 0), reduced for the degrees of freedom and
        capped at n; None when df <= 0.

    Source: Korn & Graubard (1998), Survey Methodology 24, p. 193–201; NCHS Series 2 no. 175; R
    `svyciprop(method = "beta")` without the cap at n.

    >>> twelve = korn_graubard(1.0, 0.0, 12, 11)
    >>> round(twelve.lower, 3), twelve.upper
    (0.735, 1.0)
    """
    _check(p, variance, level)
    if df <= 0 or n <= 0:
        return None
    alpha = 1 - level
    cap = float(n) if most is None else most
    at_edge = p < EDGE or p > 1 - EDGE
    if at_edge or variance <= 0:
        n_eff = float(n)
    else:
        n_eff = p * (1 - p) / variance
    if at_edge:
        n_star, p = float(n), float(round(p))
    else:
        n_star = (
            min(cap, n_eff * (t_quantile(alpha / 2, n - 1) / t_quantile(alpha / 2, df)) ** 2)
            if n > 1
            else 1.0
        )
    if at_most is not None:
        n_star = min(n_star, at_most)
    lower = 0.0 if p == 0 else float(scipy.special.betaincinv(p * n_star, (1 - p) * n_star + 1, alpha / 2))
    upper = (
        1.0 if p == 1 else float(scipy.special.betaincinv(p * n_star + 1, (1 - p) * n_star, 1 - alpha / 2))
    )
    return Interval(lower, upper, level, "korn_graubard", min(n_eff, cap), n_star)


def korn_graubard_bounds(
    p: Floats, variance: Floats, n: Ints, df: Floats, level: float = 0.95
) -> tuple[Floats, Floats]:
    """The limits of `korn_graubard` for a whole table at once; NaN where it gives none.

    Args:
        p, variance, n, df: arrays of one shape; p NaN where there is no estimate.
        level: two-sided, in (0, 1), for all of them.

    Returns:
        Lower and upper limits, of the arrays' shape.

    Source: as `korn_graubard`, element by element; R `svyby(…, svyciprop, method = "beta")` without the cap at n.

    >>> low, high = korn_graubard_bounds(np.array([1.0]), np.array([0.0]), np.array([12]), np.array([11.0]))
    >>> low.round(3), high
    (array([0.735]), array([1.]))
    """
    alpha = 1 - level
    known = (df > 0) & (n > 0) & np.isfinite(p)
    sure = np.where(known, p, 0.5)
    at_edge = (sure < EDGE) | (sure > 1 - EDGE)
    spread = np.where(known & ~at_edge & (variance > 0), variance, 1.0)
    degrees, rows = np.where(known, df, 1.0), np.maximum(n, 2).astype(float)
    effective = np.where(variance > 0, sure * (1 - sure) / spread, n)
    shrunk = (
        effective
        * (scipy.special.stdtrit(rows - 1, alpha / 2) / scipy.special.stdtrit(degrees, alpha / 2)) ** 2
    )
    n_star = np.where(at_edge, n, np.where(n > 1, np.minimum(n, shrunk), 1.0))
    share = np.where(at_edge, np.round(sure), sure)
    a, b = share * n_star, (1 - share) * n_star
    lower = np.where(share == 0, 0.0, scipy.special.betaincinv(np.maximum(a, TINY), b + 1, alpha / 2))
    upper = np.where(share == 1, 1.0, scipy.special.betaincinv(a + 1, np.maximum(b, TINY), 1 - alpha / 2))
    return np.where(known, lower, np.nan), np.where(known, upper, np.nan)


TINY = 1e-300
"""Stands in for a shape parameter of zero, whose limit is known without it."""

FEWEST_PSUS = 5
"""With the minority in fewer PSUs than this, a variance is guesswork (METHOD 2): caution, and a cap."""


def planned_n(n: float, psus: int, rho: float = 0.10) -> float:
    """The effective sample size that the plan's intra-class correlation would leave of n answers.

    Args:
        n: answers in the domain.
        psus: PSUs they come from.
        rho: intra-class correlation assumed where the data cannot tell it.

    Raises:
        IntervalError: an argument out of range.

    Source: Kish (1965), `n / (1 + (n/m - 1) rho)`; benchmarks/estimation_coverage.md has what it mends; R has
    no call of its own.

    >>> planned_n(144, 12, 0.10)
    68.57142857142857
    """
    if n < 1 or psus < 1 or not 0 <= rho <= 1:
        raise IntervalError(
            "计划的有效样本量", "份数、学校数或相关不可用", "份数和学校数不小于1，相关在0到1之间"
        )
    return n / (1 + (n / psus - 1) * rho)


def wald(p: float, variance: float, n: int, df: float, level: float = 0.95) -> Interval | None:
    """`p ± t se`, R's `mean`: not for p above .9 or below .1, and never at 0 or 1.

    Args:
        p, variance, n, df, level: as for `korn_graubard`.

    Returns:
        The interval; None without degrees of freedom, at 0 and 1, and without variance.

    Source: R survey 4.5 `svyciprop(method = "mean")`.
    """
    return None if _undefined(p, variance, df, level) else t_interval(p, variance, df, level)


def logit(p: float, variance: float, n: int, df: float, level: float = 0.95) -> Interval | None:
    """The t interval on the log-odds scale, brought back.

    Args:
        p, variance, n, df, level: as for `korn_graubard`.

    Returns:
        The interval; None without degrees of freedom, at 0 and 1, and without variance.

    Source: R survey 4.5 `svyciprop(method = "logit")` and `"xlogit"`, which agree in exact arithmetic.

    >>> half = logit(0.5, 0.0025, 100, float("inf"))
    >>> round(half.lower, 4), round(half.upper, 4)
    (0.4032, 0.5968)
    """
    if _undefined(p, variance, df, level):
        return None
    centre = log(p / (1 - p))
    reach = t_quantile(0.5 + level / 2, df) * sqrt(variance) / (p * (1 - p))
    return Interval(_expit(centre - reach), _expit(centre + reach), level, "logit")


def arcsine(p: float, variance: float, n: int, df: float, level: float = 0.95) -> Interval | None:
    """The t interval on the variance-stabilising scale, brought back.

    Args:
        p, variance, n, df, level: as for `korn_graubard`.

    Returns:
        The interval; None without degrees of freedom, at 0 and 1, and without variance.

    Source: R survey 4.5 `svyciprop(method = "asin")`.
    """
    if _undefined(p, variance, df, level):
        return None
    centre = asin(sqrt(p))
    reach = t_quantile(0.5 + level / 2, df) * sqrt(variance) / (2 * sqrt(p * (1 - p)))
    lower = sin(max(centre - reach, 0.0)) ** 2
    upper = sin(min(centre + reach, pi / 2)) ** 2
    return Interval(lower, upper, level, "asin")


def beta(p: float, variance: float, n: int, df: float, level: float = 0.95) -> Interval | None:
    """Korn–Graubard as R computes it: no cap at n, undefined at 0 and 1.

    Args:
        n: rows of the domain, those without a value included, as R's `nrow(design)` counts them.
        p, variance, df, level: as for `korn_graubard`.

    Returns:
        The interval; None without degrees of freedom, at 0 and 1, and without variance.

    Source: R survey 4.5 `svyciprop(method = "beta")`.
    """
    if _undefined(p, variance, df, level):
        return None
    alpha = 1 - level
    n_eff = p * (1 - p) / variance
    n_star = n_eff * (t_quantile(alpha / 2, n - 1) / t_quantile(alpha / 2, df)) ** 2
    lower = float(scipy.special.betaincinv(p * n_star, (1 - p) * n_star + 1, alpha / 2))
    upper = float(scipy.special.betaincinv(p * n_star + 1, (1 - p) * n_star, 1 - alpha / 2))
    return Interval(lower, upper, level, "beta", n_eff, n_star)


def wilson(p: float, variance: float, n: int, df: float, level: float = 0.95) -> Interval | None:
    """Wilson's score interval at the effective sample size.

    Args:
        p, variance, n, df, level: as for `korn_graubard`.

    Returns:
        The interval; None without degrees of freedom, at 0 and 1, and without variance.

    Source: Wilson (1927); Dean & Pagano (2015); R survey 4.5 `svyciprop(method = "wilson")`.
    """
    if _undefined(p, variance, df, level):
        return None
    n_eff = p * (1 - p) / variance
    t = t_quantile(0.5 + level / 2, df)
    centre = (p + t * t / (2 * n_eff)) / (1 + t * t / n_eff)
    reach = t / (1 + t * t / n_eff) * sqrt(p * (1 - p) / n_eff + t * t / (4 * n_eff * n_eff))
    return Interval(centre - reach, centre + reach, level, "wilson", n_eff)


def likelihood(p: float, variance: float, n: int, df: float, level: float = 0.95) -> Interval | None:
    """The values whose binomial deviance, divided by the design effect, is within t².

    Args:
        p, variance, n, df, level: as for `korn_graubard`.

    Returns:
        The interval; None without degrees of freedom, at 0 and 1, and without variance.

    Source: Rao & Scott (1984) scaled likelihood; R survey 4.5 `svyciprop(method = "likelihood")`,
    which interpolates the profile and so differs by up to half a percent.
    """
    if _undefined(p, variance, df, level):
        return None
    n_eff = p * (1 - p) / variance
    limit = t_quantile(0.5 + level / 2, df) ** 2

    def excess(q: float) -> float:
        return 2 * n_eff * (p * log(p / q) + (1 - p) * log((1 - p) / (1 - q))) - limit

    lower = scipy.optimize.brentq(excess, 1e-300, p, xtol=1e-15, rtol=1e-14) if excess(1e-300) > 0 else 0.0
    upper = (
        scipy.optimize.brentq(excess, p, 1 - 1e-16, xtol=1e-15, rtol=1e-14) if excess(1 - 1e-16) > 0 else 1.0
    )
    return Interval(float(lower), float(upper), level, "likelihood", n_eff)


METHODS: dict[str, Callable[[float, float, int, float, float], Interval | None]] = {
    "korn_graubard": korn_graubard,
    "logit": logit,
    "xlogit": logit,
    "mean": wald,
    "asin": arcsine,
    "beta": beta,
    "wilson": wilson,
    "likelihood": likelihood,
}


def proportion_interval(
    p: float, variance: float, n: int, df: float, level: float = 0.95, method: str = "korn_graubard"
) -> Interval | None:
    """The interval of a proportion by a named method.

    Args:
        p, variance, n, df, level: as for `korn_graubard`.
        method: a key of `METHODS`.

    Returns:
        The interval, or None where the method gives none.

    Raises:
        IntervalError: no such method; or p, variance or level outside its range.

    Source: the method's own; R `svyciprop(method = …)`.
    """
    if method not in METHODS:
        raise IntervalError("区间方法", f"没有“{method}”这一种", f"请从{'、'.join(METHODS)}中选一种")
    return METHODS[method](p, variance, n, df, level)


def binomial_interval(satisfied: int, n: int, level: float = 0.95) -> Interval:
    """Clopper and Pearson's exact interval for a simple random sample.

    Args:
        satisfied: how many, 0 … n.
        n: asked, above zero.
        level: two-sided, in (0, 1).

    Raises:
        IntervalError: counts that contradict each other, or a level out of range.

    Source: Clopper & Pearson (1934); R `binom.test`.
    """
    if not 0 <= satisfied <= n or n == 0 or not 0 < level < 1:
        raise IntervalError("二项区间", "人数前后不一致，或置信水平不在0和1之间", "核对满意人数和回答人数")
    alpha = (1 - level) / 2
    lower = 0.0 if satisfied == 0 else float(scipy.stats.beta.ppf(alpha, satisfied, n - satisfied + 1))
    upper = 1.0 if satisfied == n else float(scipy.stats.beta.ppf(1 - alpha, satisfied + 1, n - satisfied))
    return Interval(lower, upper, level, "clopper_pearson")


def _check(p: float, variance: float, level: float) -> None:
    if not 0 < level < 1:
        raise IntervalError("置信水平", f"{level}不在0和1之间", "常用0.95或0.90")
    if not (isfinite(p) and -EDGE <= p <= 1 + EDGE):
        raise IntervalError("比例", f"{p}不在0到1之间", "只有比例才能用这种区间")
    if not (isfinite(variance) and variance >= 0):
        raise IntervalError("方差", f"{variance}不是非负数", "先查明方差为何算不出")


def _undefined(p: float, variance: float, df: float, level: float) -> bool:
    _check(p, variance, level)
    return df <= 0 or variance <= 0 or p < EDGE or p > 1 - EDGE


def _expit(x: float) -> float:
    return 1 / (1 + exp(-x)) if x >= 0 else exp(x) / (1 + exp(x))
