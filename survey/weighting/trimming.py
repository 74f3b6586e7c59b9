"""Extreme weights cut down, their excess shared, and the price stated.

Enters: weights and a cap written in the plan. Leaves: weights within the cap with the same total,
and how many were cut. Trimming buys variance with bias: `Trimming.deff_before` and `deff_after`
say what was bought, `n_trimmed` and `share_moved` what was paid with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isnan

import numpy as np

from survey.arrays import Flags, Floats, Ints, ShapeError, weights_column
from survey.errors import SurveyError
from survey.weighting.calibration import Calibration


class CapError(SurveyError):
    """A cap that cannot hold: below the average weight, or upside down."""

    code = "weighting.cap"
    kind = "invalid"


@dataclass(frozen=True, eq=False)
class Trimming:
    """Trimmed weights and what the trimming did."""

    weights: Floats
    trimmed: Flags
    share_moved: float
    deff_before: float
    deff_after: float

    @property
    def n_trimmed(self) -> int:
        return int(self.trimmed.sum())


def trim_weights(
    weights: Floats, *, upper: float = np.inf, lower: float = -np.inf, strict: bool = False
) -> Trimming:
    """Weights cut to [lower, upper], the excess spread equally over the others.

    Args:
        weights: (n,) weights.
        upper, lower: caps in units of the weights.
        strict: repeat until no weight is outside; otherwise the spreading may push some over.

    Raises:
        CapError: the caps leave no room for the total.

    Source: R survey 4.5 `trimWeights(upper, lower, strict)`; Potter (1990).

    >>> trim_weights(np.array([1., 1, 10]), upper=6.0).weights
    array([3., 3., 6.])
    """
    weights = weights_column(weights)
    if isnan(lower) or isnan(upper) or lower >= upper:
        raise CapError("权数上下限", "下限不小于上限", "核对方案里的上下限")
    if strict and not lower * len(weights) <= weights.sum() <= upper * len(weights):
        raise CapError("权数上下限", "限内放不下原来的权数合计", "把上限提高到平均权数以上")
    current, ever = weights.copy(), np.zeros(len(weights), dtype=np.bool_)
    for _ in range(1000):
        outside = (current < lower) | (current > upper)
        if not outside.any():
            break
        ever |= outside
        clipped = np.clip(current, lower, upper)
        excess = (current - clipped).sum()
        free = ~outside if not strict else ~ever
        if not free.any():
            raise CapError("权数上下限", "没有可以分担的答卷", "放宽上下限")
        current = np.where(free, clipped + excess / free.sum(), clipped)
        if not strict:
            break
    return Trimming(
        current,
        ever,
        float(np.abs(current - weights).sum() / 2 / weights.sum()),
        _kish(weights),
        _kish(current),
    )


def trim_to_median(
    weights: Floats, groups: Ints, *, times_median: float = 5.0, cells: Ints | None = None, rounds: int = 5
) -> Trimming:
    """Weights cut at a multiple of their group's median, the excess shared in proportion within cells.

    Args:
        weights: (n,) weights; zeros stay zero and do not count in the median.
        groups: (n,) codes of the group whose median counts.
        times_median: the plan's constant.
        cells: (n,) codes within which the total is kept; the groups when not given.
        rounds: at most so many; sharing may push others over.

    Raises:
        CapError: a multiple below one, or a cell in which every weight is over its cap. ShapeError: codes of
        another length.

    Source: METHOD 7; Liu, Ferraro, Wilson & Brick (2004); R has no call of its own; `survey::trimWeights`
    takes one cap for all.
    """
    weights = weights_column(weights)
    if not times_median >= 1 or times_median == np.inf:
        raise CapError("权数上限的倍数", f"{times_median}不是不小于1的数", "方案里常用5倍中位数")
    if len(groups) != len(weights) or (cells is not None and len(cells) != len(weights)):
        raise ShapeError("权数上限的分组", "和权数的行数不一样", "每一行写明所属的组")
    cells = groups if cells is None else cells
    current, ever = weights.copy(), np.zeros(len(weights), dtype=np.bool_)
    caps = np.full(len(weights), np.inf)
    for group in np.unique(groups):
        inside = (groups == group) & (weights > 0)
        if inside.any():
            caps[groups == group] = times_median * np.median(weights[inside])
    for _ in range(rounds):
        outside = current > caps * (1 + 1e-12)
        if not outside.any():
            break
        ever |= outside
        excess = np.bincount(cells, np.where(outside, current - caps, 0.0))
        room = np.bincount(cells, np.where(ever, 0.0, current))
        if ((excess > 0) & (room == 0)).any():
            raise CapError("权数上限", "同一格里的答卷全部超过上限", "提高倍数，或者把格合并")
        growth = 1 + np.divide(excess, room, out=np.zeros_like(excess), where=room > 0)
        current = np.where(outside, caps, np.where(ever, current, current * growth[cells]))
    return Trimming(
        current,
        ever,
        float(np.abs(current - weights).sum() / 2 / weights.sum()),
        _kish(weights),
        _kish(current),
    )


def trim_and_calibrate(
    weights: Floats,
    groups: Ints,
    step: Callable[[Floats], Calibration],
    *,
    times_median: float = 5.0,
    cells: Ints | None = None,
    rounds: int = 5,
) -> tuple[Calibration, Trimming]:
    """Weights trimmed and brought back to their totals, in turn, until both hold or the rounds are over.

    Args:
        weights: (n,) calibrated weights.
        groups: (n,) codes of the group whose median counts.
        step: the calibration, from weights to a `Calibration`.
        times_median, cells: as for `trim_to_median`.
        rounds: at most so many turns.

    Returns:
        The last calibration, so the known totals are met whatever the cap; and what all turns together
        did: `trimmed` are the weights cut in any turn. Weights may end a little above the cap, since the
        totals come first; compare them with `times_median`.

    Raises:
        CapError: a cell in which every weight is over the cap. What `step` raises.

    Source: METHOD 7; Folsom & Singh (2000) for doing both in one. R `trimWeights()` and `calibrate()` in turn.
    """
    before, made = weights_column(weights), step(weights)
    ever = np.zeros(len(before), dtype=np.bool_)
    for _ in range(rounds):
        turn = trim_to_median(made.weights, groups, times_median=times_median, cells=cells, rounds=1)
        if not turn.n_trimmed:
            break
        ever |= turn.trimmed
        made = step(turn.weights)
    after = made.weights
    moved = float(np.abs(after - before).sum() / 2 / before.sum())
    return made, Trimming(after, ever, moved, _kish(before), _kish(after))


def _kish(weights: Floats) -> float:
    return float((weights > 0).sum() * (weights**2).sum() / weights.sum() ** 2)
