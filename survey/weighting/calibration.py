"""Weights that meet known totals: post-stratification, raking, linear and logit calibration.

Enters: weights and totals known from the frame. Leaves: a `Calibration`, whose weights meet every
total, with the `Adjustment` that a variance needs. One problem, three distances: find g near one
with `sum d g(x'lambda) x = T`. Post-stratification is its closed form on exclusive cells, raking
its exponential distance on margins. Stopping is judged on the totals alone; a run that does not
meet them is refused with the worst cell named, and half-raked weights never leave this module.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy  # its parts load themselves when first asked
from numpy.typing import ArrayLike

from survey.arrays import Floats, Ints, ShapeError, finite, weights_column
from survey.errors import SurveyError
from survey.sampling.design import Adjustment, CellAdjustment, Design, ReplicateDesign
from survey.weighting.margins import EmptyMarginError, Margin, check_margins

Distance = Literal["linear", "raking", "logit"]


class NotConvergedError(SurveyError):
    """The totals were not met in the sweeps allowed."""

    code = "weighting.not_converged"
    kind = "refused"


class InfeasibleError(SurveyError):
    """No weights meet the totals: they contradict each other, or the bounds are too narrow."""

    code = "weighting.infeasible"
    kind = "invalid"


@dataclass(frozen=True, eq=False)
class Calibration:
    """Weights that meet their totals, and how they came to.

    Attributes:
        weights: (n,) calibrated weights.
        factors: (n,) new over old; one where the old weight was zero.
        adjustment: what variance estimation needs.
        error: largest |achieved - known| / known total over all totals.
        sweeps: rounds it took.
    """

    weights: Floats
    factors: Floats
    adjustment: Adjustment | CellAdjustment
    error: float
    sweeps: int

    def applied_to(self, design: Design) -> Design:
        """The design under these weights, with the totals remembered."""
        return design.with_weights(self.weights, self.adjustment)


def poststratify(weights: Floats, cells: Margin) -> Calibration:
    """Weights whose sum in every cell is the known total.

    Args:
        weights: (n,) weights before.
        cells: one margin whose categories are exclusive cells.

    Raises:
        EmptyMarginError: a cell without cases or without total.

    Source: Särndal, Swensson & Wretman (1992), sec. 7.6; R `postStratify(design, ~cell, totals)`.

    >>> from survey.weighting.margins import Margin
    >>> poststratify(np.ones(3), Margin("性别", np.array(["m", "f", "f"]), {"m": 10, "f": 30})).weights
    array([10., 15., 15.])
    """
    weights = weights_column(weights)
    code, totals, names = cells.coded(len(weights))
    sums = np.bincount(code, weights, minlength=len(totals))
    if (empty := (sums == 0) & (totals > 0)).any():
        name = names[int(np.flatnonzero(empty)[0])]
        raise EmptyMarginError(
            f"{cells.name}“{name}”", "答卷的权数合计是0", "把它与相近的类合并后再加权", category=name
        )
    ratio = np.divide(totals, sums, out=np.ones_like(sums), where=sums > 0)
    after = weights * ratio[code]
    return Calibration(after, ratio[code], CellAdjustment(code, weights, after), 0.0, 1)


def rake(
    weights: Floats, margins: Sequence[Margin], *, tolerance: float = 1e-8, max_sweeps: int = 500
) -> Calibration:
    """Weights that meet several margins, by multiplying each in turn.

    Args:
        weights: (n,) weights before; raking starts from them.
        margins: known totals, all adding up to the same.
        tolerance: largest margin error over the grand total at which to stop.
        max_sweeps: sweeps over all margins.

    Raises:
        MarginMismatchError: margins that add up differently.
        EmptyMarginError: a category on one side only.
        NotConvergedError: the margins are not met in time.

    Source: Deming & Stephan (1940); Deville, Särndal & Sautory (1993); R `calibrate(calfun = "raking")`,
    whose converged weights are the same.
    """
    weights = weights_column(weights)
    coded = [margin.coded(len(weights)) for margin in margins]
    check_margins(margins)
    # Cases of one combination of categories are raked alike: sweeps run over combinations, not cases.
    key = np.zeros(len(weights), dtype=np.int64)
    for code, totals, _ in coded:
        _, key = np.unique(key * len(totals) + code, return_inverse=True)
        key = key.reshape(-1)
    _, first = np.unique(key, return_index=True)
    base = np.bincount(key, weights).astype(np.float64, copy=False)  # numpy says integers of any bincount
    factors, error, sweeps = rake_cells(
        base, [code[first] for code, _, _ in coded], [totals for _, totals, _ in coded], tolerance, max_sweeps
    )
    if error > tolerance:
        worst, name, reached, wanted = 0.0, "", 0.0, 0.0
        for margin, (code, totals, names) in zip(margins, coded, strict=True):
            sums = np.bincount(code[first], base * factors, minlength=len(totals))
            if (gap := np.abs(sums - totals)).max() > worst:
                at = int(gap.argmax())
                worst, name, reached, wanted = gap[at], f"{margin.name}“{names[at]}”", sums[at], totals[at]
        raise NotConvergedError(
            name,
            f"迭代{sweeps}轮后是{reached:.6g}，控制总数是{wanted:.6g}",
            "合并人数少的类，或者减少边际再加权",
            error=float(error),
        )
    after = weights * factors[key]
    auxiliary = np.column_stack(
        [code[:, None] == np.arange(len(totals)) for code, totals, _ in coded]
    ).astype(float)
    return Calibration(after, factors[key], Adjustment(auxiliary, weights, after), error, sweeps)


def rake_cells(
    base: Floats,
    codes: Sequence[Ints],
    totals: Sequence[Floats],
    tolerance: float = 1e-8,
    max_sweeps: int = 500,
) -> tuple[Floats, float, int]:
    """Raking factors over cells: (cells,) factors, the margin error reached, the sweeps it took.

    Args:
        base: (cells,) sums of weights.
        codes: per margin, (cells,) category codes.
        totals: per margin, (categories,) known totals.
        tolerance: margin error over the grand total at which to stop.
        max_sweeps: sweeps over all margins.

    Returns:
        (cells,) factors; the error reached, which the caller must judge; the sweeps.

    Source: Deming & Stephan (1940); R `loglin(start, margin, fit = TRUE)` on the table of cells.
    """
    grand = max(float(totals[0].sum()), 1e-300)
    current = base.astype(np.float64).copy()
    error = np.inf
    for sweep in range(1, max_sweeps + 1):
        for code, known in zip(codes, totals, strict=True):
            sums = np.bincount(code, current, minlength=len(known))
            current *= np.divide(known, sums, out=np.ones_like(known), where=sums > 0)[code]
        error = max(
            float(np.abs(np.bincount(code, current, minlength=len(known)) - known).max()) / grand
            for code, known in zip(codes, totals, strict=True)
        )
        if error <= tolerance:
            break
    factors = np.divide(current, base, out=np.ones_like(current), where=base > 0)
    return factors, error, sweep


def calibrate(
    weights: Floats,
    auxiliary: ArrayLike,
    totals: ArrayLike,
    *,
    distance: Distance = "linear",
    bounds: tuple[float, float] | None = None,
    clusters: Ints | None = None,
    names: Sequence[str] | None = None,
    tolerance: float = 1e-10,
    max_sweeps: int = 200,
) -> Calibration:
    """Weights nearest to the given ones, in a distance, that meet the totals of all auxiliaries.

    Args:
        weights: (n,) weights d before the step.
        auxiliary: (n, q) variables whose totals are known; a column of ones for the population size.
        totals: (q,) known totals.
        distance: `linear` (chi-square; GREG), `raking` (exponential), `logit` (needs bounds).
        bounds: smallest and largest new weight over old; linear and raking are truncated at them.
        clusters: (n,) codes; one ratio for each cluster, from means of weights and auxiliaries in it.
        names: (q,) what to call the auxiliaries in a refusal.
        tolerance: largest |achieved - known| / (1 + |known|).
        max_sweeps: Newton steps.

    Raises:
        InfeasibleError: totals that no weights can meet; with the narrowest bounds that would do.
        NotConvergedError: not met in the sweeps allowed.
        ShapeError: auxiliaries that are not (n, q).

    Source: Deville & Särndal (1992), cases 1, 2, 6, 7; R survey 4.5 `calibrate(calfun, bounds)`.

    >>> step = calibrate(np.array([1., 1.]), np.array([[1., 0.], [1., 1.]]), [10., 4.])
    >>> step.weights
    array([6., 4.])
    """
    base = weights_column(weights)
    matrix = np.asarray(auxiliary, dtype=np.float64)
    known = finite(totals, "控制总数")
    if matrix.shape != (len(base), len(known)):
        raise ShapeError("校准变量", f"形状是{matrix.shape}", f"应当是{len(base)}行{len(known)}列")
    for column in matrix.T:
        finite(column, "校准变量")
    if clusters is not None:
        counts = np.bincount(clusters)
        base = (np.bincount(clusters, base) / counts)[clusters]
        matrix = np.column_stack([(np.bincount(clusters, column) / counts)[clusters] for column in matrix.T])
    if distance == "logit" and bounds is None:
        raise InfeasibleError("logit校准", "没有给出上下界", "写明权数比值的上下界，例如0.3和3")
    if bounds is not None and not -np.inf < bounds[0] < 1 < bounds[1] < np.inf:
        raise InfeasibleError(
            "权数比值的上下界", f"{bounds[0]:g}到{bounds[1]:g}不包含1", "下界要小于1，上界要大于1"
        )

    scale = np.maximum(np.abs(matrix).max(axis=0), 1e-300)
    x, target = matrix / scale, known / scale
    ratio, slope = _distance(distance, bounds)
    lagrange = np.zeros(len(known))
    misfit = target - x.T @ base
    best = np.abs(misfit / (1 / scale + np.abs(target))).max()
    sweep = 0
    while best > tolerance and sweep < max_sweeps:
        sweep += 1
        hessian = x.T @ (x * (base * slope(x @ lagrange))[:, None])
        step = np.linalg.lstsq(hessian, misfit, rcond=1e-12)[0]
        for halving in range(40):
            trial = lagrange + step / 2**halving
            moved = target - x.T @ (base * ratio(x @ trial))
            error = np.abs(moved / (1 / scale + np.abs(target))).max()
            if error < best:
                lagrange, misfit, best = trial, moved, error
                break
        else:
            break
    if best > tolerance:
        _explain(base, matrix, known, bounds, names, misfit * scale, sweep)
    g = np.where(base > 0, ratio(x @ lagrange), 1.0)
    after = base * g
    return Calibration(np.asarray(weights) * g, g, Adjustment(matrix, base, after), float(best), sweep)


def _distance(
    distance: Distance, bounds: tuple[float, float] | None
) -> tuple[Callable[[Floats], Floats], Callable[[Floats], Floats]]:
    """The ratio g(u) of a distance and its slope, truncated at the bounds."""
    low, high = bounds if bounds is not None else (-np.inf, np.inf)
    if distance == "linear":
        return (
            lambda u: np.clip(1 + u, low, high),
            lambda u: ((1 + u > low) & (1 + u < high)).astype(float),
        )
    if distance == "raking":
        return (
            lambda u: np.clip(np.exp(np.clip(u, -50, 50)), low, high),
            lambda u: np.where(
                (np.exp(np.clip(u, -50, 50)) > low) & (np.exp(np.clip(u, -50, 50)) < high),
                np.exp(np.clip(u, -50, 50)),
                0.0,
            ),
        )
    if distance == "logit":
        a = (high - low) / ((1 - low) * (high - 1))

        def ratio(u: Floats) -> Floats:
            grown = np.exp(np.clip(a * u, -500, 500))
            return (low * (high - 1) + high * (1 - low) * grown) / ((high - 1) + (1 - low) * grown)

        def slope(u: Floats) -> Floats:
            g = ratio(u)
            return (g - low) * (high - g) / ((1 - low) * (high - 1))

        return ratio, slope
    raise InfeasibleError("校准距离", f"没有“{distance}”这一种", "请从linear、raking、logit中选一种")


def _explain(
    base: Floats,
    matrix: Floats,
    known: Floats,
    bounds: tuple[float, float] | None,
    names: Sequence[str] | None,
    misfit: Floats,
    sweeps: int,
) -> None:
    """The refusal of a calibration that met no solution: contradiction, bounds, or patience."""
    called = list(names) if names is not None else [f"第{k + 1}个控制总数" for k in range(len(known))]
    inside = base > 0
    contribution = matrix[inside] * base[inside, None]
    free = np.linalg.lstsq(contribution.T, known, rcond=None)[0]
    gap = np.abs(contribution.T @ free - known) / (1 + np.abs(known))
    worst = called[int(np.abs(misfit / (1 + np.abs(known))).argmax())]
    if gap.max() > 1e-7:
        raise InfeasibleError(
            called[int(gap.argmax())], "与其他控制总数互相矛盾，或者没有一份答卷", "核对控制总数和类别"
        )
    if bounds is not None:
        reach = narrowest_bounds(base, matrix, known)
        if reach is None or reach[0] < bounds[0] or reach[1] > bounds[1]:
            hint = (
                "没有任何非负权数能达到" if reach is None else f"至少要放宽到{reach[0]:.4f}到{reach[1]:.4f}"
            )
            raise InfeasibleError(
                worst, f"在{bounds[0]:g}到{bounds[1]:g}的界内达不到，{hint}", "放宽上下界，或者减少控制总数"
            )
    raise NotConvergedError(worst, f"迭代{sweeps}轮仍未达到控制总数", "合并人数少的类，或者减少控制总数")


def narrowest_bounds(base: Floats, matrix: Floats, known: Floats) -> tuple[float, float] | None:
    """The narrowest symmetric bounds 1 ± t on new weight over old that can meet the totals, if any can.

    Args:
        base: (n,) weights before.
        matrix: (n, q) auxiliaries.
        known: (q,) totals.

    Returns:
        (lower, upper), or None where no weights of at least zero meet the totals.

    Source: METHOD 6; a linear program in t and one ratio for every distinct row of auxiliaries, since rows that
    are alike may share theirs; R has no call of its own.

    >>> narrowest_bounds(np.array([1.0, 1.0]), np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([2.0, 1.5]))
    (0.5, 1.5)
    """
    rows, alike = np.unique(matrix, axis=0, return_inverse=True)
    n = len(rows)
    weight = np.bincount(alike.reshape(-1), base, minlength=n)
    scale = np.maximum(np.abs(known), 1.0)
    equal = np.column_stack([(rows * weight[:, None]).T / scale[:, None], np.zeros(len(known))])
    cost = np.zeros(n + 1)
    cost[-1] = 1
    one, minus = scipy.sparse.identity(n), scipy.sparse.csr_matrix(-np.ones((n, 1)))
    within = scipy.sparse.vstack([scipy.sparse.hstack([one, minus]), scipy.sparse.hstack([-one, minus])], format="csr")
    solved = scipy.optimize.linprog(
        cost,
        A_ub=within,
        b_ub=np.concatenate([np.ones(n), -np.ones(n)]),
        A_eq=equal,
        b_eq=known / scale,
        bounds=[(0, None)] * (n + 1),
        method="highs",
    )
    if solved.status != 0 or solved.x is None:
        return None
    reach = float(solved.x[-1])
    return max(1 - reach, 0.0), 1 + reach


def recalibrated(design: ReplicateDesign, step: Callable[[Floats], Calibration | Floats]) -> ReplicateDesign:
    """A replicate design in which the full sample and every replicate went through a step.

    Args:
        step: from (n,) weights to a `Calibration` or to (n,) weights.
        design: full sample and replicates.

    Source: METHOD 17; R survey 4.5 `calibrate` on a `svyrep.design`.
    """

    def weights_after(weights: Floats) -> Floats:
        result = step(weights)
        return result.weights if isinstance(result, Calibration) else result

    columns = [weights_after(column) for column in design.replicate_weights.T]
    return ReplicateDesign(
        weights_after(design.weights), np.column_stack(columns), design.scale, design.rscales, design.mse
    )
