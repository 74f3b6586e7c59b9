"""Census mode: everybody was asked, so doubt comes from those who did not answer.

Enters: for every response cell (school × group) how many were asked, how many gave a valid answer
and how many of these are satisfied. Leaves: the rate, its standard error with respondents taken as
a simple random sample of their cell, its interval, and the break-even rate: what the silent would
have to think for the verdict to turn. Taking schools as fully enumerated clusters instead would
give variance zero, which is wrong; leaving the correction out would overstate it. Bias from
nonresponse is in neither, and so the response rate and the break-even rate always stand beside the
figure. A wave whose plan says `everybody` takes its response cells from the pools of its weights
(`wave_rates`), in which a school with too few answers is joined with its neighbours.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf, sqrt

import numpy as np
import scipy  # its parts load themselves when first asked
from numpy.typing import ArrayLike

from survey.arrays import Floats, Labels, ShapeError, finite
from survey.errors import SurveyError
from survey.estimation.composite import shares_n
from survey.estimation.intervals import EDGE, Interval, IntervalError, korn_graubard
from survey.estimation.linearization import Estimate
from survey.sampling.design import Design
from survey.weighting.nonresponse import adjust_within_cells


class CensusCellError(SurveyError):
    """A response cell whose counts cannot be."""

    code = "estimation.census_cell"
    kind = "invalid"


@dataclass(frozen=True)
class CensusRate:
    """The rate of everybody asked, as far as those who answered can tell.

    Attributes:
        rate: `sum N_c p_c / N` over cells with at least two valid answers.
        se: its standard error; nobody is in doubt who answered.
        df: valid answers minus cells.
        asked, valid: persons asked and valid answers in the cells that count.
        cells: cells that count; `left_out` had fewer than two valid answers and are not in the rate.
        pooled: satisfied over valid, cells ignored; shown beside the rate.
    """

    rate: float
    se: float
    df: int
    asked: int
    valid: int
    cells: int
    left_out: int
    pooled: float

    @property
    def response_rate(self) -> float:
        return self.valid / self.asked


def census_rate(asked: ArrayLike, valid: ArrayLike, satisfied: ArrayLike) -> CensusRate:
    """The rate of a census from its counts by response cell.

    Args:
        asked: (cells,) persons asked, N_c; a cell with more answers than persons counts as its answers.
        valid: (cells,) valid answers, r_c.
        satisfied: (cells,) satisfied among them.

    Returns:
        `V = sum_c (N_c/N)² (1 - r_c/N_c) p_c(1 - p_c)/(r_c - 1)`.

    Raises:
        CensusCellError: more satisfied than valid, a negative count, or no cell with two answers.
        ShapeError: columns of different lengths.

    Source: METHOD 14; Cochran (1977), eq. 5.7 for response cells as strata; R
    `svymean(~sat, svydesign(id = ~1, strata = ~cell, weights = ~w, fpc = ~N))`.

    >>> one = census_rate([10, 4], [5, 4], [4, 2])
    >>> round(one.rate, 4), round(one.se, 4), one.df
    (0.7143, 0.101, 7)
    """
    n_c, r_c, x_c = finite(asked, "应答人数"), finite(valid, "有效答卷数"), finite(satisfied, "满意人数")
    if not len(n_c) == len(r_c) == len(x_c):
        raise ShapeError("普查的计数", "各列长短不一", "每个学校×群体一行")
    if (x_c < 0).any() or (x_c > r_c).any() or (n_c < 0).any():
        cell = int(np.flatnonzero((x_c < 0) | (x_c > r_c) | (n_c < 0))[0]) + 1
        raise CensusCellError(f"第{cell}个学校×群体", "满意人数、有效答卷数和应答人数前后矛盾", "核对这一行")
    n_c = np.maximum(n_c, r_c)
    counts = r_c >= 2
    if not counts.any():
        raise CensusCellError("普查", "没有一个学校×群体有两份以上的有效答卷", "把学校合并后再算")
    n_c, r_c, x_c = n_c[counts], r_c[counts], x_c[counts]
    share, p = n_c / n_c.sum(), x_c / r_c
    variance = (share**2 * (1 - r_c / n_c) * p * (1 - p) / (r_c - 1)).sum()
    return CensusRate(
        float(share @ p),
        sqrt(float(variance)),
        int(r_c.sum() - len(r_c)),
        int(n_c.sum()),
        int(r_c.sum()),
        len(r_c),
        int((~counts).sum()),
        float(x_c.sum() / r_c.sum()),
    )


def census_design(cells: Labels, asked: Floats, responded: ArrayLike) -> tuple[Design, Floats]:
    """The design in which respondents stand for their response cell, and the weights of everybody asked.

    Args:
        cells: (n,) response cell of everybody asked.
        asked: (n,) persons asked in the cell of each, N_c.
        responded: (n,) True where a valid answer came back.

    Returns:
        A `Design` over the respondents, in row order, and their (n,) weights with zeros for the others.

    Source: METHOD 14, step by step; equal to `census_rate` on the counts; R `svydesign(id = ~1, strata =
    ~cell, weights = ~w, fpc = ~N)`.
    """
    answered = np.asarray(responded, dtype=bool)
    weights = adjust_within_cells(np.ones(len(cells)), cells, answered)
    design = Design(
        weights[answered],
        strata=(np.asarray(cells)[answered],),
        population=(np.asarray(asked, dtype=np.float64)[answered],),
        lonely_psu="certainty",
    )
    return design, weights


def break_even_rate(threshold: float, rate: float, response_rate: float) -> float | None:
    """The rate among those who did not answer at which the verdict turns.

    Args:
        threshold: T.
        rate: the respondents' rate.
        response_rate: in (0, 1].

    Returns:
        `(T - RR p)/(1 - RR)`; below 0 or above 1 the verdict cannot turn; None when everybody answered.

    Raises:
        CensusCellError: a response rate outside (0, 1].

    Source: METHOD 14; R has no call of its own.

    >>> round(break_even_rate(0.85, 0.90, 0.80), 4)
    0.65
    """
    if not (0 <= threshold <= 1 and 0 <= rate <= 1):
        raise CensusCellError("满意率或要求线", f"{rate}或{threshold}不在0到1之间", "都写成0到1之间的数")
    if not 0 < response_rate <= 1:
        raise CensusCellError("回答率", f"{response_rate}不在0到1之间", "回答率是有效答卷数除以应答人数")
    return None if response_rate == 1 else (threshold - response_rate * rate) / (1 - response_rate)


def hypergeometric_interval(satisfied: int, n: int, population: int, level: float = 0.95) -> Interval:
    """The exact interval when n of a known population were asked by simple random sampling.

    Args:
        satisfied: of the n asked, how many.
        n: asked, 1…population.
        population: N.
        level: two-sided, in (0, 1).

    Returns:
        Bounds D/N for the smallest and largest D whose upper and lower tails exceed alpha/2; at n = N
        the proportion itself, which is then known.

    Raises:
        IntervalError: counts that contradict each other, or a level out of range.

    Source: METHOD 11, census mode; Buonaccorsi (1987), The American Statistician 41, p. 215; R has no call of
    its own; `phyper` gives the tails.

    >>> hypergeometric_interval(3, 3, 4).lower
    0.75
    """
    if not 0 <= satisfied <= n <= population or n == 0 or not 0 < level < 1:
        raise IntervalError("超几何区间", "人数前后不一致", "核对满意人数、回答人数和总人数")
    alpha = (1 - level) / 2
    possible = range(satisfied, population - n + satisfied + 1)
    # Both tails move one way with D, so the edge is found by halving.
    tail = scipy.stats.hypergeom
    low = bisect_right(possible, alpha, key=lambda d: tail.sf(satisfied - 1, population, d, n))
    high = bisect_left(possible, -alpha, key=lambda d: -tail.cdf(satisfied, population, d, n)) - 1
    return Interval(possible[low] / population, possible[high] / population, level, "hypergeometric")


def finite_n(n: int, population: int) -> float:
    """The answers that an endless population would have needed: `n (N - 1)/(N - n)`; inf where all answered.

    Args:
        n: valid answers, 1 … N.
        population: N persons asked.

    Source: METHOD 11, the cap of Korn–Graubard in a census; Cochran (1977), eq. 3.8; R has no call of its own.

    >>> finite_n(50, 101)
    98.03921568627452
    """
    return inf if n >= population else n * (population - 1) / (population - n)


def census_interval(
    shares: Sequence[Fraction | float],
    estimates: Sequence[Estimate],
    asked: Sequence[int],
    combined: Estimate,
    level: float = 0.95,
    *,
    at_most: float | None = None,
) -> Interval | None:
    """The interval of a proportion, or of one for several groups by shares, of whom everybody was asked.

    Args:
        shares: (G,) a_g, adding up to one; `[1]` for one group.
        estimates: (G,) p_g with their valid answers.
        asked: (G,) persons asked, N_g.
        combined: the estimate of the sum; of one group that group's own.
        level: two-sided, in (0, 1).
        at_most: a cap on the effective size, where very few persons are of the minority.

    Returns:
        Korn–Graubard at p(1 − p)/V, capped at `finite_n` instead of n. At 0 and 1 each group's exact
        hypergeometric bound, joined by MOVER. Where everybody answered the figure itself: it is known.
        None when df <= 0.

    Source: METHOD 11, census mode; Zou & Donner (2008) for MOVER; R has no call of its own; `phyper` gives the
    bound at 1.

    >>> twelve = Estimate(1.0, 0.0, 11, 12, 12, np.zeros(12), np.ones(12, dtype=bool))
    >>> census_interval([1], [twelve], [12], twelve).lower, census_interval([1], [twelve], [15], twelve).lower
    (1.0, 0.8666666666666667)
    """
    value = min(max(combined.value, 0.0), 1.0)
    if all(one.n >= people for one, people in zip(estimates, asked, strict=True)):
        return Interval(value, value, level, "hypergeometric")
    if combined.df <= 0:
        return None
    if value < EDGE or value > 1 - EDGE:
        bounds = [
            hypergeometric_interval(one.n if value > 0.5 else 0, one.n, max(people, one.n), level)
            for one, people in zip(estimates, asked, strict=True)
        ]
        reach = sqrt(sum((float(a) * one.width) ** 2 for a, one in zip(shares, bounds, strict=True)))
        lower, upper = (1 - reach, 1.0) if value > 0.5 else (0.0, reach)
        return Interval(max(lower, 0.0), min(upper, 1.0), level, "hypergeometric")
    most = shares_n(shares, [finite_n(one.n, people) for one, people in zip(estimates, asked, strict=True)])
    n = int(shares_n(shares, [one.n for one in estimates]))
    return korn_graubard(value, combined.variance, max(n, 1), combined.df, level, at_most=at_most, most=most)
