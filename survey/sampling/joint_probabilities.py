"""Joint inclusion probabilities of fixed-size draws with unequal probabilities.

Enters: (N,) inclusion probabilities that add up to a whole number. Leaves: (N, N) probabilities that
two units are both drawn, the first-order ones on the diagonal, as variance estimation by
Horvitz–Thompson or Sen–Yates–Grundy needs them. Each function belongs to one way of drawing in
`selection`; the matrix of another way would give a wrong variance without a word. Exact sums over
samples are the field's own formulas, never simulation; they cost about N² n steps and more, so they
are for strata of some hundred units.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from survey.arrays import Floats
from survey.sampling.selection import (
    EDGE,
    entropy_inclusion,
    entropy_odds,
    inclusion_probabilities,
    open_probabilities,
    probabilities_or_zero,
    systematic_pps,
)


def joint_maximum_entropy(inclusion: Floats) -> Floats:
    """(N, N) joint inclusion probabilities of the maximum-entropy design.

    Args:
        inclusion: (N,) π in [0, 1], adding up to a whole number.

    Returns:
        (N, N) symmetric, π on the diagonal.

    Source: Chen, Dempster & Liu (1994), eq. 8; R sampling `UPmaxentropypi2`.
    """
    pi = probabilities_or_zero(inclusion)
    inside = np.flatnonzero((pi > 0) & (pi < 1 - EDGE))
    joint = np.outer(pi, pi)
    part = pi[inside]
    n = round(float(part.sum()))
    if n:
        odds = entropy_odds(part)
        for at, unit in enumerate(inside):
            others = odds.copy()
            others[at] = 0.0
            joint[unit, inside] = part[at] * entropy_inclusion(others, n - 1) if n > 1 else 0.0
    joint = (joint + joint.T) / 2
    np.fill_diagonal(joint, pi)
    return joint


def joint_sampford(inclusion: ArrayLike) -> Floats:
    """(N, N) joint inclusion probabilities of Sampford's draw.

    Args:
        inclusion: (N,) π in [0, 1], adding up to a whole number; units of π = 1 are always in.

    Returns:
        With p = π/n, λ = p/(1 − n p) and L_m the sum over sets of m units of the products of λ,
        `π_ij = K λ_i λ_j Σ_{t=2…n} (t − n(p_i + p_j)) L_{n−t}(without i, j)/n^{t−2}` and
        `1/K = Σ_{t=1…n} t L_{n−t}/n^t`.

    Raises:
        DrawError: π that do not add up to a whole number.

    Source: Sampford (1967), Biometrika 54, p. 499–513; checked against enumeration of every sample. R
    `sampling::UPsampfordpi2`.

    >>> joint_sampford([0.5, 0.5, 1.0])[0].round(6).tolist()
    [0.5, 0.0, 0.5]
    """
    pi = probabilities_or_zero(inclusion)
    inside = np.flatnonzero((pi > 0) & (pi < 1 - EDGE))
    joint = np.outer(pi, pi)
    n = round(float(open_probabilities(pi).sum()))
    if n:
        part = pi[inside]
        odds = part / n / (1 - part)
        order = np.arange(1, n + 1)
        whole = _elementary(odds[None, :], n)[0]
        constant = 1 / float((order * whole[n - order] / float(n) ** order).sum())
        for at, unit in enumerate(inside):
            others = np.tile(odds, (len(inside), 1))
            others[:, at] = 0.0
            np.fill_diagonal(others, 0.0)
            sums = _elementary(others, n)
            row = np.zeros(len(inside))
            for t in range(2, n + 1):
                row += (t - (part[at] + part)) * sums[:, n - t] / float(n) ** (t - 2)
            joint[unit, inside] = constant * odds[at] * odds * row
    np.fill_diagonal(joint, pi)
    return joint


def _elementary(odds: Floats, n: int) -> Floats:
    """(rows, n + 1) elementary symmetric sums L_0 … L_n of each row."""
    sums = np.zeros((len(odds), n + 1))
    sums[:, 0] = 1.0
    for column in odds.T:
        sums[:, 1:] += column[:, None] * sums[:, :-1]
    return sums


def joint_tille(inclusion: Floats) -> Floats:
    """(N, N) joint inclusion probabilities of Tillé's elimination procedure.

    Args:
        inclusion: (N,) π in [0, 1], adding up to a whole number.

    Returns:
        (N, N) symmetric, π on the diagonal.

    Source: Tillé (1996), Biometrika 83, p. 238; R sampling `UPtillepi2`.
    """
    pi = probabilities_or_zero(inclusion)
    n, size = round(float(pi.sum())), len(pi)
    before = np.ones(size)
    joint = np.ones((size, size))
    for left in range(size - 1, n - 1, -1):
        after = inclusion_probabilities(pi, left)
        out = 1 - after / before
        joint *= 1 - out[:, None] - out[None, :]
        before = after
    np.fill_diagonal(joint, pi)
    return joint


def joint_midzuno(inclusion: Floats) -> Floats:
    """(N, N) joint inclusion probabilities of the generalised Midzuno draw, the complement of elimination.

    Args:
        inclusion: (N,) π in [0, 1], adding up to a whole number.

    Returns:
        (N, N) symmetric, π on the diagonal.

    Source: Deville & Tillé (1998); R sampling `UPmidzunopi2`.
    """
    pi = probabilities_or_zero(inclusion)
    joint = pi[:, None] + pi[None, :] - 1 + joint_tille(1 - pi)
    np.fill_diagonal(joint, pi)
    return joint


def joint_systematic(inclusion: Floats) -> Floats:
    """(N, N) joint inclusion probabilities of a systematic PPS draw in the given order.

    Args:
        inclusion: (N,) π in [0, 1], adding up to a whole number.

    Returns:
        (N, N) symmetric, π on the diagonal.

    Source: Madow (1949), exact by the stretches of the start; R sampling `UPsystematicpi2`.
    """
    pi = probabilities_or_zero(inclusion)
    ends = np.cumsum(pi)
    points = np.unique(np.round(np.concatenate([[0.0], ends - np.floor(ends + EDGE), [1.0]]), 12))
    points = np.clip(points, 0.0, 1.0)
    joint = np.zeros((len(pi), len(pi)))
    for low, high in pairwise(points):
        if high - low > EDGE:
            drawn = systematic_pps(pi, (low + high) / 2)
            joint[np.ix_(drawn, drawn)] += high - low
    np.fill_diagonal(joint, pi)
    return joint


JOINT: dict[str, Callable[[Floats], Floats]] = {
    "tille": joint_tille,
    "maxentropy": joint_maximum_entropy,
    "midzuno": joint_midzuno,
    "sampford": joint_sampford,
    "systematic": joint_systematic,
}
