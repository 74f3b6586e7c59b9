"""Census mode: everybody was asked, so doubt comes from those who did not answer.

Enters: for every response cell (school × group) how many were asked, how many gave a valid answer
and how many of these are satisfied. Leaves: the rate, its standard error with respondents taken as
a simple random sample of their cell, and the break-even rate: what the silent would have to think
for the verdict to turn. Taking schools as fully enumerated clusters instead would give variance
zero, which is wrong; leaving the correction out would overstate it. Bias from nonresponse is in
neither, and so the response rate and the break-even rate always stand beside the figure.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from survey.arrays import Floats, Labels, ShapeError, finite
from survey.errors import SurveyError
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
