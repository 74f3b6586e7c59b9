"""A sample divided over strata, and whole numbers that keep the total.

Enters: stratum sizes and a rule. Leaves: real-valued shares (`allocate`) or whole numbers between a
minimum and the stratum's size (`allocate_integer`). Rounding is by largest remainder, earlier
stratum first, so the same input always gives the same sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor

import numpy as np
import scipy  # its parts load themselves when first asked
from numpy.typing import ArrayLike

from survey.arrays import Floats, Ints, RangeError, finite
from survey.errors import SurveyError


class AllocationError(SurveyError):
    """A sample that cannot be divided as asked."""

    code = "sampling.allocation"
    kind = "invalid"


def proportional(n: float, sizes: ArrayLike) -> Floats:
    """n_h proportional to N_h.

    Args:
        n: total, a finite number.
        sizes: (H,) stratum sizes N_h, finite, none negative, not all zero.

    Returns:
        (H,) real-valued n_h that add up to n.

    Source: Cochran (1977), sec. 5.9; PracTools `strAlloc(alloc = "prop")`.

    >>> proportional(10, [30, 70])
    array([3., 7.])
    """
    size = _sizes(sizes)
    return _total(n) * size / size.sum()


def neyman(n: float, sizes: ArrayLike, sds: ArrayLike) -> Floats:
    """n_h proportional to N_h S_h: the most precise mean for n.

    Args:
        n: total, a finite number.
        sizes: (H,) stratum sizes N_h, finite, none negative, not all zero.
        sds: (H,) standard deviations S_h, finite.

    Returns:
        (H,) real-valued n_h that add up to n.

    Raises:
        AllocationError: every N_h S_h is zero.

    Source: Neyman (1934); Cochran (1977), eq. 5.26; PracTools `strAlloc(alloc = "neyman")`.
    """
    spread = _sizes(sizes) * finite(sds, "层内标准差")
    if spread.sum() <= 0:
        raise AllocationError("层内标准差", "全部是0", "填写各层的标准差，或者改用按比例分配")
    return _total(n) * spread / spread.sum()


def for_cost(cost: float, sizes: ArrayLike, sds: ArrayLike, unit_costs: ArrayLike) -> Floats:
    """n_h proportional to N_h S_h / sqrt(c_h): the most precise mean for a budget.

    Args:
        cost: budget, a finite number.
        sizes: (H,) stratum sizes N_h, finite, none negative, not all zero.
        sds: (H,) standard deviations S_h, finite.
        unit_costs: (H,) costs c_h of one unit, above zero.

    Returns:
        (H,) real-valued n_h that cost `cost` together.

    Raises:
        RangeError: a cost that is not above zero.

    Source: Cochran (1977), eq. 5.23; PracTools `strAlloc(alloc = "totcost")`.
    """
    spread, price = _sizes(sizes) * finite(sds, "层内标准差"), finite(unit_costs, "单位费用")
    if (price <= 0).any():
        raise RangeError("单位费用", "有不大于0的值", "费用要大于0")
    return _total(cost) * (spread / np.sqrt(price)) / (spread * np.sqrt(price)).sum()


def power(n: float, sizes: ArrayLike, exponent: float = 0.5) -> Floats:
    """n_h proportional to N_h^q: between equal (0) and proportional (1).

    Args:
        n: total, a finite number.
        sizes: (H,) stratum sizes N_h, finite, none negative, not all zero.
        exponent: q, a finite number; 0 equal, 1 proportional.

    Returns:
        (H,) real-valued n_h that add up to n.

    Raises:
        RangeError: an exponent that is no number, sizes that are none.

    Source: Bankier (1988), The American Statistician 42, p. 174; R `n * N^q / sum(N^q)`; PracTools has no
    call of its own for it.
    """
    if not np.isfinite(exponent):
        raise RangeError("幂", f"{exponent}不是数", "0是平均分配，1是按比例")
    grown = _sizes(sizes) ** exponent
    return _total(n) * grown / grown.sum()


def several_goals(
    sizes: ArrayLike,
    sds: Sequence[ArrayLike],
    half_widths: Sequence[float],
    *,
    z: float = 1.959963984540054,
    minimum: float = 2.0,
) -> Floats:
    """The smallest allocation that meets a half-width for each of several means.

    Args:
        sizes: (H,) stratum sizes.
        sds: per goal, (H,) standard deviations.
        half_widths: per goal, of the overall mean.
        z: normal quantile of the level.
        minimum: fewest units of a stratum.

    Returns:
        (H,) real-valued sizes between `minimum` and N_h.

    Raises:
        AllocationError: even a census would not do, or the solver gave up.

    Source: Bethel (1989), Survey Methodology 15, p. 47; as a convex program in 1/n_h; R `PracTools::strAlloc`
    meets one goal; for several `nloptr::auglag` on the same program.
    """
    size = _sizes(sizes)
    share = size / size.sum()
    if not all(0 < half < np.inf for half in half_widths) or not 0 < z < np.inf or not minimum >= 0:
        raise AllocationError("多目标分配", "误差、分位数或最少份数不可用", "误差大于0，最少份数不小于0")
    spreads = [(share * finite(column, "层内标准差")) ** 2 for column in sds]
    limits = [(half / z) ** 2 for half in half_widths]
    low = np.minimum(minimum, size)

    def slack(n: Floats) -> Floats:
        return np.array(
            [1 - (s * (1 / n - 1 / size)).sum() / v for s, v in zip(spreads, limits, strict=True)]
        )

    start = np.clip(proportional(size.sum() / 2, size), low, size)
    # A constraint may return several values, one for each goal; scipy's stubs let it return one number.
    solved = scipy.optimize.minimize(  # type: ignore[call-overload]
        lambda n: n.sum() / size.sum(),
        start,
        jac=lambda n: np.ones_like(n) / size.sum(),
        constraints=[
            {
                "type": "ineq",
                "fun": slack,
                "jac": lambda n: np.array([s / n**2 / v for s, v in zip(spreads, limits, strict=True)]),
            }
        ],
        bounds=list(zip(low, size, strict=True)),
        method="SLSQP",
        options={"maxiter": 500, "ftol": 1e-12},
    )
    if slack(solved.x).min() < -1e-6:
        raise AllocationError("多目标分配", "没有能同时达到各项精度的分配", "放宽精度，或者检查标准差")
    return solved.x


def several_goals_whole(
    sizes: ArrayLike,
    sds: Sequence[ArrayLike],
    half_widths: Sequence[float],
    *,
    z: float = 1.959963984540054,
    minimum: float = 2.0,
) -> Ints:
    """Whole numbers that meet every goal of `several_goals`, none of which can be one less.

    Args:
        sizes, sds, half_widths, z, minimum: as for `several_goals`.

    Returns:
        (H,) whole sizes: the real ones rounded up, then taken back one by one where every half-width
        is still met, the stratum with the largest rounding first.

    Raises:
        AllocationError: even a census would not do.

    Source: Bethel (1989), as `several_goals`, with rounding that never gives up a goal; R has no call of its own.

    >>> several_goals_whole([300, 700], [[1.0, 2.0]], [0.2])
    array([ 38, 176])
    """
    real = several_goals(sizes, sds, half_widths, z=z, minimum=minimum)
    size = _sizes(sizes)
    share = size / size.sum()
    spreads = [(share * finite(column, "层内标准差")) ** 2 for column in sds]
    low = np.minimum(np.ceil(minimum), size)
    whole = np.minimum(np.ceil(real - 1e-6), size)

    def met(n: Floats) -> bool:
        return all(
            (spread * (1 / n - 1 / size)).sum() <= (half / z) ** 2 * (1 + 1e-9)
            for spread, half in zip(spreads, half_widths, strict=True)
        )

    while not met(whole) and (whole < size).any():
        whole = np.minimum(whole + 1, size)
    for at in np.argsort(real - whole, kind="stable"):
        less = whole.copy()
        less[at] -= 1
        while less[at] >= max(low[at], 1) and met(less):
            whole = less.copy()
            less[at] -= 1
    return whole.astype(np.int64)


def allocate_integer(n: int, sizes: ArrayLike, minimum: int = 0, shares: ArrayLike | None = None) -> Ints:
    """Whole numbers that add up to n, at least `minimum` and at most N_h each.

    Args:
        n: total.
        sizes: (H,) stratum sizes N_h.
        minimum: per stratum; a smaller stratum gives all it has.
        shares: (H,) what to be proportional to; the sizes when not given.

    Returns:
        (H,) whole numbers: clip proportional shares to [minimum, N_h], share the rest again until
        stable, floor, then one more for the largest fractional parts, earlier stratum first.

    Raises:
        AllocationError: n below the sum of minimums or above the population.

    Source: reference README, `allocate_integer`; largest remainder (Hare–Niemeyer); R has no call of its own.

    >>> allocate_integer(85, [40, 12, 300, 7], 10)
    array([10, 10, 58,  7])
    """
    size = _sizes(sizes)
    base = size if shares is None else _sizes(shares)
    low = np.minimum(float(minimum), size)
    if not low.sum() - 1e-9 <= n <= size.sum() + 1e-9:
        raise AllocationError(
            "样本分配", f"总数{n}不在{low.sum():g}到{size.sum():g}之间", "调整总数或每层的最少人数"
        )
    fixed = np.full(len(size), np.nan)
    while True:
        free = np.isnan(fixed)
        rest = n - np.nansum(fixed)
        real = np.where(
            free, rest * base / base[free].sum() if free.any() and base[free].sum() > 0 else 0.0, fixed
        )
        below, above = free & (real < low), free & (real > size)
        if not (below | above).any():
            break
        # The side that misses by more is fixed first, so that the total can still be met.
        if (low - real)[below].sum() >= (real - size)[above].sum():
            fixed = np.where(below, low, fixed)
        else:
            fixed = np.where(above, size, fixed)
    whole = np.array([floor(value + 1e-9) for value in real], dtype=np.int64)
    remainder = real - whole
    missing = round(n - whole.sum())
    for at in np.argsort(-np.round(remainder, 9), kind="stable"):
        if missing <= 0:
            break
        if whole[at] < size[at]:
            whole[at] += 1
            missing -= 1
    return whole


def _sizes(sizes: ArrayLike) -> Floats:
    column = finite(sizes, "层的大小")
    if (column < 0).any() or column.sum() <= 0:
        raise RangeError("层的大小", "有负数，或者全部是0", "核对各层的单位数")
    return column


def _total(n: float) -> float:
    if not 0 <= n < np.inf:
        raise AllocationError("样本分配", f"总数{n}不是不小于0的数", "写要分配的份数")
    return n
