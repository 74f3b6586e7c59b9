"""Replicate weights: jackknife, balanced half-samples, Fay's variant, Rao–Wu bootstrap.

Enters: a design, and for the random kinds a generator. Leaves: a `ReplicateDesign`, ready to pass
through the same nonresponse and calibration steps as the full sample (`calibration.recalibrated`).
"""

from __future__ import annotations

import numpy as np

from survey.arrays import Floats
from survey.errors import SurveyError
from survey.sampling.design import Design, ReplicateDesign, Stage


class ReplicateError(SurveyError):
    """This design has no replicates of this kind."""

    code = "weighting.replicates"
    kind = "invalid"


def jackknife_1(design: Design) -> ReplicateDesign:
    """JK1: every PSU left out once, as if there were one stratum.

    Args:
        design: one stratum of two PSUs or more.

    Returns:
        Weights `n/(n-1)` for the others; scale `(1 - n/N)(n-1)/n`.

    Raises:
        ReplicateError: several strata, or one PSU.

    Source: Wolter (2007), ch. 4; R `as.svrepdesign(design, type = "JK1")`.
    """
    first = design.stages[0]
    if first.n_strata > 1:
        raise ReplicateError("JK1", f"设计有{first.n_strata}个层", "分层的设计请用JKn")
    n = first.n_units
    order = _as_they_come(first)
    if n < 2:
        raise ReplicateError("JK1", "只有一个抽样单位", "至少要有两个抽样单位")
    factors = np.full((n, n), n / (n - 1))
    factors[order, np.arange(n)] = 0.0
    scale = (1 - float(first.sampling_fraction[0])) * (n - 1) / n
    return ReplicateDesign(design.weights, design.weights[:, None] * factors[first.unit], scale, np.ones(n))


def jackknife_n(design: Design) -> ReplicateDesign:
    """JKn: every PSU left out once, its stratum's others taking its place.

    Args:
        design: strata of two PSUs or more.

    Returns:
        rscales `(1 - f_h)(n_h - 1)/n_h`; strata with one PSU or all PSUs taken give no replicate.

    Raises:
        ReplicateError: a stratum has one PSU out of several, and the design's policy is `fail`.

    Source: Wolter (2007), sec. 4.6; R `as.svrepdesign(design, type = "JKn")`.
    """
    first = design.stages[0]
    if design.lonely_psu == "fail" and (lonely := design.lonely_strata()):
        raise ReplicateError(
            f"层“{lonely[0]}”", "只抽中一个单位，无法轮换剔除", "先合并层，或者写明单个单位层的处理办法"
        )
    columns, rscales = [], []
    for unit in _as_they_come(first):
        stratum = first.stratum_of_unit[unit]
        n = first.sampled[stratum]
        if n < 2:
            continue
        factor = np.ones(first.n_units)
        factor[first.stratum_of_unit == stratum] = n / (n - 1)
        factor[unit] = 0.0
        columns.append(factor[first.unit])
        rscales.append((1 - first.sampling_fraction[stratum]) * (n - 1) / n)
    if not columns:
        raise ReplicateError("JKn", "没有一个层抽中两个以上的单位", "先合并层")
    return ReplicateDesign(
        design.weights, design.weights[:, None] * np.column_stack(columns), 1.0, np.array(rscales)
    )


def _as_they_come(first: Stage) -> list[int]:
    """Units stratum by stratum, strata and units in the order in which their rows come."""
    _, seen = np.unique(first.unit, return_index=True)
    strata: dict[int, None] = dict.fromkeys(first.stratum_of_unit[unit] for unit in np.argsort(seen))
    return [
        int(unit) for stratum in strata for unit in np.argsort(seen) if first.stratum_of_unit[unit] == stratum
    ]


def hadamard(at_least: int) -> Floats:
    """A Hadamard matrix of ±1, of the smallest order ≥ `at_least` that Sylvester or Paley's
    construction reaches.

    Args:
        at_least: smallest order wanted.

    Returns:
        (order, order) of ±1 with orthogonal rows.

    Source: Sylvester (1867); Paley (1933); R `survey::hadamard(n)` returns 0/1 and may pick another order.

    >>> h = hadamard(3)
    >>> (h.T @ h == 4 * np.eye(4)).all().item()
    True
    """
    order = 1
    while True:
        for start in (order,) if order in (1, 2) or order % 4 == 0 else ():
            if start >= at_least and (matrix := _hadamard_of(start)) is not None:
                return matrix
        order += 1


def _hadamard_of(order: int) -> Floats | None:
    if order == 1:
        return np.ones((1, 1))
    if order == 2:
        return np.array([[1.0, 1], [1, -1]])
    q = order - 1
    if order % 4 == 0 and q > 2 and all(q % k for k in range(2, int(q**0.5) + 1)):
        squares = {(k * k) % q for k in range(1, q)}
        jacobsthal = np.array(
            [[0 if i == j else (1 if (i - j) % q in squares else -1) for j in range(q)] for i in range(q)]
        )
        skew = np.zeros((order, order))
        skew[0, 1:], skew[1:, 0], skew[1:, 1:] = 1, -1, jacobsthal
        return skew + np.eye(order)
    if order % 2 == 0 and (half := _hadamard_of(order // 2)) is not None:
        return np.kron(np.array([[1.0, 1], [1, -1]]), half)
    return None


def balanced_half_samples(design: Design, *, fay: float = 0.0) -> ReplicateDesign:
    """BRR: from each stratum of two PSUs one counts double, in orthogonal patterns; Fay's dampened variant.

    Args:
        design: two PSUs in every stratum.
        fay: ρ in [0, 1); 0 is plain BRR.

    Returns:
        Scale `1/(R (1 - ρ)²)`.

    Raises:
        ReplicateError: a stratum does not have exactly two PSUs.

    Source: McCarthy (1969); Judkins (1990); R `as.svrepdesign(design, type = "BRR" | "Fay")`.
    """
    first = design.stages[0]
    if (wrong := first.sampled != 2).any():
        name = first.names[int(np.flatnonzero(wrong)[0])]
        raise ReplicateError(
            f"层“{name}”", "不是恰好两个抽样单位", "平衡半样本要求每层两个单位，请改用JKn或自助法"
        )
    if not 0 <= fay < 1:
        raise ReplicateError("Fay系数", f"{fay}不在0到1之间", "常用0.3或0.5")
    pattern = hadamard(first.n_strata + 1)[1 : first.n_strata + 1]
    sign = np.ones(first.n_units)
    seen: set[int] = set()
    for unit, stratum in enumerate(first.stratum_of_unit):
        if int(stratum) in seen:
            sign[unit] = -1
        seen.add(int(stratum))
    factors = 1 + (1 - fay) * sign[:, None] * pattern[first.stratum_of_unit]
    count = pattern.shape[1]
    return ReplicateDesign(
        design.weights,
        design.weights[:, None] * factors[first.unit],
        1 / (count * (1 - fay) ** 2),
        np.ones(count),
    )


def rao_wu_factors(design: Design, replicates: int, rng: np.random.Generator) -> Floats:
    """(PSUs, R) Rao–Wu bootstrap factors: n_h - 1 PSUs drawn with replacement from each stratum.

    Args:
        rng: the caller's generator, so that the replicates can be drawn again.
        design: strata and first-stage populations.
        replicates: R, how many.

    Returns:
        `1 + sqrt(1 - f_h)(n_h/(n_h - 1) hits - 1)`; ones in strata of a single PSU under a policy
        other than `fail`.

    Raises:
        ReplicateError: a stratum has one PSU out of several, and the policy is `fail`.

    Source: Rao & Wu (1988); Rao, Wu & Yue (1992); METHOD 17; R `survey::subbootweights` without the finite
    population factor.
    """
    first = design.stages[0]
    if design.lonely_psu == "fail" and (lonely := design.lonely_strata()):
        raise ReplicateError(
            f"层“{lonely[0]}”", "只抽中一个单位，无法重抽", "先合并层，或者写明单个单位层的处理办法"
        )
    factors = np.ones((first.n_units, replicates))
    for stratum, n in enumerate(first.sampled.astype(int)):
        if n < 2:
            continue
        units = np.flatnonzero(first.stratum_of_unit == stratum)
        hits = rng.multinomial(n - 1, np.full(n, 1 / n), size=replicates).T
        dampened = np.sqrt(max(1 - first.sampling_fraction[stratum], 0.0))
        factors[units] = 1 + dampened * (n / (n - 1) * hits - 1)
    return factors


def rao_wu(design: Design, replicates: int, rng: np.random.Generator) -> ReplicateDesign:
    """Rao–Wu bootstrap replicates of a design, centred at the full sample.

    Args:
        design: strata and first-stage populations.
        replicates: R, how many.
        rng: the caller's generator.

    Source: see `rao_wu_factors`; R `as.svrepdesign(design, type = "subbootstrap")`.
    """
    factors = rao_wu_factors(design, replicates, rng)[design.stages[0].unit]
    return ReplicateDesign(
        design.weights, design.weights[:, None] * factors, 1 / replicates, np.ones(replicates), mse=True
    )


def successive_differences(design: Design) -> ReplicateDesign:
    """Successive-difference replicates for a systematic sample, in the order in which PSUs come.

    Args:
        design: rows in the order of the systematic draw; in every stratum a loop of its own.

    Returns:
        Factors `1 + sqrt(1 − f_h) 2^(−3/2) (a_i − a_next)` from rows of a Hadamard matrix, the last PSU of
        a stratum followed by its first; scale `4/R`. On a total this is exactly
        `(1 − f_h)/2 · (Σ (y_i − y_{i−1})² + (y_n − y_1)²)`, summed over strata.

    Source: Fay & Train (1995); Ash (2014), Survey Methodology 40, p. 47, estimator SD2; R svrep `as_sdr_design`.
    """
    first = design.stages[0]
    order = np.array(_as_they_come(first))
    # Row 0 of a Hadamard matrix is constant and tells no two PSUs apart.
    rows = hadamard(first.n_units + 1)[1 : first.n_units + 1]
    count = rows.shape[1]
    following = np.arange(len(order))
    stratum = first.stratum_of_unit[order]
    for one in np.unique(stratum):
        members = np.flatnonzero(stratum == one)
        following[members] = np.roll(members, -1)
    factors = np.ones((first.n_units, count))
    dampened = np.sqrt(np.maximum(1 - first.sampling_fraction[stratum], 0.0))[:, None]
    factors[order] += dampened * (rows - rows[following]) * 2**-1.5
    return ReplicateDesign(
        design.weights, design.weights[:, None] * factors[first.unit], 4 / count, np.ones(count), mse=True
    )
