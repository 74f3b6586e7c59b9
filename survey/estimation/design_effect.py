"""Design effects: Kish's from weights alone, and the design's own; effective sample size.

Enters: weights, or an estimate with the column it came from. Leaves: a ratio of variances. The
comparison sample is said aloud: `wr` is simple random sampling with replacement, `wor` without,
out of a population as large as the sum of the weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from survey.arrays import RangeError, finite, weights_column
from survey.estimation.intervals import Interval
from survey.estimation.linearization import Estimate
from survey.estimation.totals import counted
from survey.sampling.design import AnyDesign


def kish_deff(weights: ArrayLike) -> float:
    """`1 + CV²(w)`, the factor by which unequal weights alone inflate variance.

    Args:
        weights: (n,) weights; zeros do not count.

    Source: Kish (1965, 1992); R `n * sum(w^2) / sum(w)^2`.

    >>> kish_deff([1.0, 3.0])
    1.25
    """
    column = finite(weights, "权数")
    column = column[column != 0]
    return float(len(column) * (column**2).sum() / column.sum() ** 2)


def effective_n(weights: ArrayLike) -> float:
    """`(sum w)² / sum w²`: the equally weighted sample that would be as precise.

    Args:
        weights: (n,) weights, none negative.

    Source: Kish (1965); R `sum(w)^2 / sum(w^2)`.

    >>> effective_n([1.0, 3.0])
    1.6
    """
    column = weights_column(weights)
    return float(column.sum() ** 2 / (column**2).sum())


def weighted_variance(y: ArrayLike, design: AnyDesign, domain: ArrayLike | None = None) -> float:
    """The estimated variance of y in the population, `n/(n-1) sum w (y - ybar)² / sum w`.

    Args:
        y: (n,) values; NaN leaves.
        design: the whole sample.
        domain: (n,) mask; None is all.

    Source: R survey 4.5 `svyvar`.
    """
    values, _, valid = counted(y, design, domain, True)
    weights = np.where(valid, design.weights, 0.0)
    n = int((weights != 0).sum())
    if n < 2:
        return float("nan")
    centre = weights @ values / weights.sum()
    return float(n / (n - 1) * (weights @ (values - centre) ** 2) / weights.sum())


def design_effect(
    estimate: Estimate,
    y: ArrayLike,
    design: AnyDesign,
    *,
    of: Literal["mean", "total"] = "mean",
    against: Literal["wr", "wor"] = "wr",
    domain: ArrayLike | None = None,
) -> float:
    """Variance of the estimate over that of a simple random sample as large.

    Args:
        estimate: a mean or total of y.
        y: (n,) the column it came from.
        against: `wr` with replacement, `wor` without.
        design: the whole sample.
        of: `mean` or `total`, what the estimate is.
        domain: (n,) mask; None is all.

    Returns:
        The ratio; NaN where simple random sampling would have no variance.

    Source: Kish (1965), sec. 8.2; R survey 4.5 `svymean(deff = TRUE)` is `wor`, `"replace"` is `wr`.
    """
    _, _, valid = counted(y, design, domain, True)
    weights = np.where(valid, design.weights, 0.0)
    n, total_weight = int((weights != 0).sum()), float(weights.sum())
    srs = weighted_variance(y, design, domain) / n
    if against == "wor":
        srs *= max(1 - n / total_weight, 0.0)
    if of == "total":
        srs *= total_weight**2
    return estimate.variance / srs if srs > 0 else float("nan")


@dataclass(frozen=True)
class Presentation:
    """Whether a proportion may be shown, and with which remarks."""

    decision: Literal["present", "suppress"]
    flags: tuple[str, ...]


def nchs_presentation(
    p: float, n: float, n_eff: float, df: float, lower: float | None, upper: float | None
) -> Presentation:
    """The NCHS decision on showing a proportion, with what a reviewer should look at.

    Args:
        p: the proportion.
        n, n_eff: rows and effective rows it rests on.
        df: degrees of freedom.
        lower, upper: its Korn–Graubard interval; None when there is none.

    Returns:
        `suppress` when n or n_eff < 30, the interval is missing or 0.30 wide, or wider than 0.05 and
        than 1.3 p; flags `review_df` (df < 8), `review_extreme` (p is 0 or 1), `footnote_complement`
        (the share of the others is too uncertain).

    Source: Parker et al. (2017), NCHS Series 2 no. 175; R `surveytable` applies the same rules.

    >>> nchs_presentation(0.95, 400, 220, 20, 0.9123, 0.9748)
    Presentation(decision='present', flags=())
    """
    if n < 30 or n_eff < 30 or lower is None or upper is None:
        return Presentation("suppress", ())
    width = upper - lower
    inside = 0 < p < 1
    if inside and (width >= 0.30 or (width > 0.05 and width / p > 1.30)):
        return Presentation("suppress", ())
    flags = []
    if df < 8:
        flags.append("review_df")
    if not inside:
        flags.append("review_extreme")
    if inside and width > 0.05 and width / (1 - p) > 1.30:
        flags.append("footnote_complement")
    return Presentation("present", tuple(flags))


def reliability_document(
    p: float, n: float, n_eff: float, df: float, interval: Interval | None
) -> dict[str, Any]:
    """The NCHS presentation decision with its flags, in words.

    Args:
        p, n, n_eff, df: as for `nchs_presentation`.
        interval: Korn–Graubard; None when there is none.

    Returns:
        `decision`, `flags` and `words`, ready for a document.

    Source: METHOD 18, `nchs_presentation`; R `surveytable` applies the same rules.
    """
    lower, upper = (None, None) if interval is None else (interval.lower, interval.upper)
    made = nchs_presentation(p, n, n_eff, df, lower, upper)
    words = []
    if made.decision == "suppress":
        words.append("按NCHS标准不够可靠（份数少或区间太宽），不宜单独引用")
    if "footnote_complement" in made.flags:
        words.append("不满意的比例本身误差很大，不宜单独引用")
    return {"decision": made.decision, "flags": list(made.flags), "words": words}


def intraclass_correlation(deff: float, kish: float, cluster_size: float) -> float:
    """The ρ that a design effect implies: `deff = kish (1 + (b - 1) ρ)` solved for ρ.

    Args:
        deff: design effect, finite.
        kish: of the weights, above zero.
        cluster_size: b, persons of a cluster.

    Raises:
        RangeError: an argument out of range.

    Source: Kish (1987); R has no call of its own.

    >>> round(intraclass_correlation(2.86, 1.3, 25), 4)
    0.05
    """
    if not (0 <= deff < inf and 0 < kish < inf and 1 <= cluster_size < inf):
        raise RangeError("设计效应", "设计效应、权数的设计效应或每校人数不可用", "都要大于0")
    return (deff / kish - 1) / (cluster_size - 1) if cluster_size > 1 else float("nan")
