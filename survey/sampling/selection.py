"""Draws that anyone may replay from a public seed: simple random, systematic, PPS.

Enters: a seed as text and sizes in a stated order. Leaves: indices, counted from 0. Chance comes
from `seeded_uniforms`, SHA-256 of seed and counter, so a stranger can repeat the draw with a
dozen lines in any language and without this product. Frame order matters for systematic draws: it
is the implicit stratification.

The generator, in words: block k (k = 0, 1, …) is SHA-256 of the UTF-8 bytes of `seed`, a colon, and
k in decimal digits; each block gives four numbers, eight bytes big-endian each; a number's first 53
bits divided by 2^53 is a uniform in [0, 1).
"""

from __future__ import annotations

from hashlib import sha256
from math import ceil, floor

import numpy as np
from numpy.typing import ArrayLike

from survey.arrays import Floats, Ints, Labels, RangeError, finite, probabilities
from survey.errors import SurveyError

EDGE = 1e-9


class DrawError(SurveyError):
    """A draw that cannot be made: too many units asked for, or none with a size."""

    code = "sampling.draw"
    kind = "invalid"


def seeded_uniforms(seed: str, count: int) -> Floats:
    """The first `count` uniforms in [0, 1) that a seed gives.

    Args:
        seed: public text.
        count: how many, at least zero.

    Returns:
        (count,) uniforms, always the same for a seed.

    Source: this module's own generator, written out in REPLAY.md; R `digest::digest(paste0(seed, ":", k),
    "sha256", serialize = FALSE)` gives a block.

    >>> seeded_uniforms("2026", 2).round(6)
    array([0.630685, 0.694296])
    """
    head = sha256(seed.encode() + b":")
    blocks = bytearray()
    for k in range(-(-count // 4)):
        block = head.copy()
        block.update(str(k).encode())
        blocks += block.digest()
    whole = np.frombuffer(bytes(blocks), dtype=">u8")[:count]
    return (whole >> np.uint64(11)).astype(np.float64) / 2.0**53


def simple_random(uniforms: Floats, n: int) -> Ints:
    """The n units with the smallest uniforms, in frame order; the rest, in that order, are replacements.

    Args:
        uniforms: (N,) one permanent random number for each unit of the frame.
        n: units to draw, 0 … N.

    Returns:
        (n,) indices in ascending order.

    Raises:
        DrawError: n outside 0…N.

    Source: Fan, Muller & Rezucha (1962); Ohlsson (1995), permanent random numbers; R `sort(order(u)[1:n])`;
    `sampling::srswor` draws by its own generator.

    >>> simple_random(np.array([0.9, 0.1, 0.5]), 2)
    array([1, 2])
    """
    _enough(n, len(finite(uniforms, "随机数")))
    return np.sort(np.argsort(uniforms, kind="stable")[:n])


def replacements(uniforms: Floats, n: int, reserve: int) -> Ints:
    """The next units after a simple random draw of n, in the order in which they step in.

    Args:
        uniforms: (N,) numbers in [0, 1), one for each unit.
        n: units of the draw.
        reserve: replacements wanted.

    Returns:
        (reserve,) indices in the order in which they step in.

    Source: permanent random numbers, as for `simple_random`; R `order(u)[(n + 1):(n + reserve)]`.
    """
    _enough(n + reserve, len(uniforms))
    return np.argsort(uniforms, kind="stable")[n : n + reserve]


def stratified(uniforms: Floats, strata: Labels, sizes: dict[str, int]) -> Ints:
    """A simple random draw in every stratum, in frame order.

    Args:
        uniforms: (N,).
        strata: (N,) labels.
        sizes: units to draw, by label.

    Returns:
        Indices in ascending order, over all strata.

    Raises:
        DrawError: more than a stratum holds, or a stratum without a size.

    Source: `simple_random` in every stratum; R `sampling::strata(method = "srswor")` draws by its own
    generator.
    """
    drawn: list[Ints] = []
    names = np.asarray(strata).astype(str)
    for name in np.unique(names):
        if name not in sizes:
            raise DrawError(f"层“{name}”", "没有写明抽几个", "每一层都要有样本数")
        units = np.flatnonzero(names == name)
        drawn.append(units[simple_random(uniforms[units], sizes[name])])
    return np.sort(np.concatenate(drawn)) if drawn else np.zeros(0, dtype=np.int64)


def systematic(n: int, population: int, start: float) -> Ints:
    """Every (N/n)-th unit from a start, with a fractional interval.

    Args:
        start: uniform in [0, 1); the first unit lies at `start · N/n`.
        n: units to draw.
        population: N, units in the frame.

    Returns:
        (n,) indices in ascending order.

    Source: Särndal, Swensson & Wretman (1992), sec. 3.4.2; R `floor((u + 0:(n - 1)) * N / n) + 1`.

    >>> systematic(3, 10, 0.5)
    array([1, 5, 8])
    """
    _enough(n, population)
    _start(start)
    if n == 0:
        return np.zeros(0, dtype=np.int64)
    return np.floor((start + np.arange(n)) * population / n + 1e-12).astype(np.int64)


def inclusion_probabilities(sizes: ArrayLike, n: int) -> Floats:
    """π proportional to size; units that would exceed one are taken for sure and the rest shared again.

    Args:
        sizes: (N,) measures of size, zero for units that cannot be drawn.
        n: fixed sample size.

    Returns:
        (N,) π that add up to n.

    Raises:
        RangeError: a negative size. DrawError: fewer than n units have a size.

    Source: Särndal, Swensson & Wretman (1992), sec. 3.6.1; R sampling `inclusionprobabilities`.

    >>> inclusion_probabilities([10, 20, 70], 2)
    array([0.33333333, 0.66666667, 1.        ])
    """
    size = finite(sizes, "规模")
    if (size < 0).any():
        raise RangeError("规模", "有负数", "核对抽样框里的规模变量")
    if int((size > 0).sum()) < n or n < 0:
        raise DrawError(
            "不等概率抽样",
            f"规模大于0的单位只有{int((size > 0).sum())}个，要抽{n}个",
            "减少样本数，或者补上规模",
        )
    certain = np.zeros(len(size), dtype=bool)
    while True:
        left = n - int(certain.sum())
        rest = size[~certain].sum()
        share = np.where(certain, 1.0, left * size / rest if rest > 0 else 0.0)
        over = ~certain & (share >= 1)
        if not over.any():
            return share
        certain |= over


def systematic_pps(inclusion: Floats, start: float) -> Ints:
    """Systematic draw with unequal probabilities: a unit is taken when `start + integer` lies in its stretch.

    Args:
        inclusion: (N,) π in frame order (or in random order, for better variances).
        start: uniform in (0, 1).

    Returns:
        Indices in ascending order; as many as the sum of π.

    Source: Madow (1949); reference README: k is taken when a value lies in (C_{k-1}, C_k]; R
    `sampling::UPsystematic` with the same start.

    >>> systematic_pps(np.array([0.5, 0.5, 1.0]), 0.3)
    array([0, 2])
    """
    _start(start)
    upper = np.cumsum(probabilities_or_zero(inclusion))
    lower = np.concatenate([[0.0], upper[:-1]])
    return np.flatnonzero(np.floor(upper - start + EDGE) > np.floor(lower - start + EDGE))


def sampford(inclusion: Floats, seed: str, *, attempts: int = 100_000) -> Ints:
    """Sampford's fixed-size PPS draw; certainty units are always in.

    Args:
        inclusion: (N,) π in [0, 1], adding up to a whole number.
        seed: public text.
        attempts: rejected sets before giving up.

    Returns:
        Indices in ascending order; as many as the sum of π.

    Raises:
        DrawError: no set without repeats in the attempts allowed.

    Source: Sampford (1967), Biometrika 54, p. 499; R sampling `UPsampford`.
    """
    pi = open_probabilities(inclusion)
    sure = np.flatnonzero(inclusion >= 1 - EDGE)
    n = round(float(pi.sum()))
    if n == 0:
        return sure
    odds = np.where((pi > 0) & (pi < 1), pi / np.maximum(1 - pi, EDGE), 0.0)
    first, others = np.cumsum(pi / pi.sum()), np.cumsum(odds / odds.sum())
    for attempt in range(attempts):
        u = seeded_uniforms(f"{seed}/{attempt}", n)
        units = np.concatenate(
            [[np.searchsorted(first, u[0], side="right")], np.searchsorted(others, u[1:], side="right")]
        )
        if len(np.unique(units)) == n:
            return np.sort(np.concatenate([sure, units])).astype(np.int64)
    raise DrawError("Sampford抽样", f"试了{attempts}次仍有重复单位", "改用系统抽样")


def maximum_entropy(inclusion: Floats, uniforms: Floats) -> Ints:
    """The fixed-size PPS draw of largest entropy (conditional Poisson), unit by unit.

    Args:
        inclusion: (N,) π, adding up to a whole number.
        uniforms: (N,).

    Returns:
        Indices in ascending order; as many as the sum of π.

    Source: Chen, Dempster & Liu (1994); Tillé (2006), alg. 5.9; R sampling `UPmaxentropy`.
    """
    sure = np.flatnonzero(inclusion >= 1 - EDGE)
    pi = open_probabilities(inclusion)
    n = round(float(pi.sum()))
    odds = entropy_odds(pi)
    size = len(odds)
    # tail[k, m]: sum over samples of m units among k, k+1, … of the products of odds.
    tail = np.zeros((size + 1, n + 1))
    tail[size, 0] = 1
    for k in range(size - 1, -1, -1):
        tail[k] = tail[k + 1]
        tail[k, 1:] += odds[k] * tail[k + 1, :-1]
    drawn, left = [], n
    for k in range(size):
        if left == 0:
            break
        if uniforms[k] * tail[k, left] < odds[k] * tail[k + 1, left - 1]:
            drawn.append(k)
            left -= 1
    return np.sort(np.concatenate([sure, np.array(drawn, dtype=np.int64)]))


def entropy_odds(inclusion: Floats) -> Floats:
    """The odds of the conditional Poisson design that has these inclusion probabilities; zero for π of 0 or 1.

    Args:
        inclusion: (N,) π in [0, 1], adding up to a whole number.

    Returns:
        (N,) odds.

    Source: Deville (2000); Tillé (2006), alg. 5.7 `UPMEpiktildefrompik`; R `sampling::UPMEpiktildefrompik`.
    """
    pi = open_probabilities(inclusion)
    n = round(float(pi.sum()))
    inside = pi > 0
    trial = pi.copy()
    for _ in range(1000):
        odds = np.where(inside, trial / (1 - np.minimum(trial, 1 - 1e-12)), 0.0)
        reached = entropy_inclusion(odds, n)
        gap = pi - reached
        if np.abs(gap).max() < 1e-14:
            break
        trial = np.clip(trial + gap, 1e-12, 1 - 1e-12) * inside
    return odds


def entropy_inclusion(odds: Floats, n: int) -> Floats:
    """(N,) π of the conditional Poisson design with these odds and size n.

    Args:
        odds: (N,) odds of the design.
        n: its size.

    Returns:
        (N,) π.

    Source: Chen, Dempster & Liu (1994), recursion over sizes; R `sampling::UPMEpikfromq` gives the same by
    rows.
    """
    inclusion = np.zeros_like(odds)
    for m in range(1, n + 1):
        grown = odds * (1 - inclusion)
        inclusion = m * grown / grown.sum()
    return inclusion


def probabilities_or_zero(inclusion: ArrayLike) -> Floats:
    """(N,) probabilities, zero allowed for units that cannot be drawn.

    Args:
        inclusion: (N,) π in [0, 1].

    Returns:
        (N,) the same, checked.

    Source: a check, no formula; R has none.
    """
    pi = finite(inclusion, "入样概率")
    probabilities(np.where(pi == 0, 1.0, pi))
    return pi


def open_probabilities(inclusion: ArrayLike) -> Floats:
    """Inclusion probabilities with certainty units set to zero; what is left adds up to a whole number.

    Args:
        inclusion: (N,) π in [0, 1].

    Returns:
        (N,) π with certainty units at zero.

    Raises:
        DrawError: what is left does not add up to a whole number.

    Source: a check, no formula; R has none.
    """
    pi = probabilities_or_zero(inclusion)
    pi = np.where(pi >= 1 - EDGE, 0.0, pi)
    if abs(pi.sum() - round(float(pi.sum()))) > 1e-6:
        low, high = floor(pi.sum()), ceil(pi.sum())
        raise DrawError("入样概率", f"合计{pi.sum():.6g}不是整数", f"样本数应当是{low}或{high}")
    return pi


def _enough(n: int, population: int) -> None:
    if not 0 <= n <= population:
        raise DrawError("抽样", f"要抽{n}个，抽样框里只有{population}个", "减少样本数，或者全部调查")


def _start(start: float) -> None:
    if not 0 <= start <= 1:
        raise DrawError("抽样的起点", f"{start}不在0到1之间", "用种子算出的随机数")
