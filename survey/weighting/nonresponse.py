"""Adjustment for unit nonresponse: within cells, or by estimated response propensity.

Enters: weights of all eligible sampled units and who answered. Leaves: weights in which the
respondents of a cell also stand for its nonrespondents. Cells are joined along an order declared
before the field work (`collapse_cells`), never by looking at answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from survey.arrays import (
    Flags,
    Floats,
    Labels,
    RangeError,
    finite,
    flags,
    labels,
    probabilities,
    weights_column,
)
from survey.errors import SurveyError


class EmptyCellError(SurveyError):
    """An adjustment cell without a single respondent."""

    code = "weighting.empty_cell"
    kind = "invalid"


class PropensityError(SurveyError):
    """Response propensities cannot be estimated from these covariates."""

    code = "weighting.propensity"
    kind = "invalid"


def adjust_within_cells(weights: Floats, cells: Labels, responded: Flags) -> Floats:
    """Weights in which each cell's respondents also stand for its nonrespondents.

    Args:
        weights: (n,) design weights of all eligible sampled units, positive.
        cells: (n,) adjustment cell, known for respondents and nonrespondents alike.
        responded: (n,) True where a usable questionnaire came back.

    Returns:
        (n,) weights with the same total in every cell; nonrespondents carry zero.

    Raises:
        EmptyCellError: some cell holds no respondent.

    Source: Särndal, Swensson & Wretman (1992), ch. 15, response homogeneity groups; R `ave(w, cell, FUN =
    sum) / ave(w * r, cell, FUN = sum) * w * r`, as the vectors do.

    >>> adjust_within_cells(np.array([10., 10, 20]), np.array(["g7", "g7", "g8"]),
    ...                     np.array([True, False, True]))
    array([20.,  0., 20.])
    """
    weights = weights_column(weights)
    cells, responded = (
        labels(cells, "无回答调整格", length=len(weights)),
        flags(responded, "是否回答", len(weights)),
    )
    names, cell = np.unique(cells, return_inverse=True)
    eligible = np.bincount(cell, weights)
    answered = np.bincount(cell, weights * responded)
    if (empty := answered == 0).any():
        listed = "、".join(str(name) for name in names[empty])
        raise EmptyCellError(
            f"无回答调整格“{listed}”",
            "没有一份答卷",
            "把它与方案里排在后面的格合并",
            cells=[str(x) for x in names[empty]],
        )
    return np.where(responded, weights * (eligible / answered)[cell], 0.0)


def cell_factors(weights: Floats, cells: Labels, responded: Flags) -> dict[str, float]:
    """Factor of every cell: weights of all eligible over weights of respondents, by cell name.

    Args:
        weights: (n,) design weights.
        cells: (n,) adjustment cell.
        responded: (n,) True where a questionnaire came back.

    Returns:
        Cell → factor, at least one.

    Raises:
        EmptyCellError: some cell holds no respondent.

    Source: as for `adjust_within_cells`; R `tapply(w, cell, sum) / tapply(w * r, cell, sum)`.
    """
    adjusted = adjust_within_cells(weights, cells, responded)
    return {
        str(name): float(adjusted[cells == name].sum() / (weights * responded)[cells == name].sum())
        for name in np.unique(cells)
    }


def collapse_cells(
    cells: Labels,
    responded: Flags,
    weights: Floats,
    order: Mapping[str, Sequence[str]],
    *,
    minimum: int = 20,
    largest_factor: float = 3.0,
) -> tuple[Labels, dict[str, str]]:
    """Cells joined until each has enough respondents and no factor is too large.

    Args:
        cells: (n,) cell names.
        responded: (n,) True where a questionnaire came back.
        weights: (n,) design weights.
        order: for each cell, the cells it may join, nearest first, declared beforehand.
        minimum: fewest respondents of a cell.
        largest_factor: largest adjustment factor of a cell.

    Returns:
        (n,) new cell names, and which cell was joined to which; a cell with nowhere left to go stays
        as it is, and whoever adjusts by it is told.

    Raises:
        RangeError: a minimum below zero, or a largest factor that is not above one.

    Source: METHOD 5; Kalton & Flores-Cervantes (2003), JOS 19, p. 81; R has no call of its own.

    >>> new, joined = collapse_cells(np.array(["a", "b", "b"]), np.array([False, True, True]),
    ...                              np.ones(3), {"a": ["b"], "b": ["a"]}, minimum=1)
    >>> joined
    {'a': 'b'}
    """
    weights = weights_column(weights)
    responded = flags(responded, "是否回答", len(weights))
    cells = labels(cells, "无回答调整格", length=len(weights))
    if minimum < 0 or not largest_factor > 1:
        raise RangeError("合并无回答格的规则", "最少份数小于0，或最大倍数不大于1", "常用20份和3倍")
    current = np.array([str(cell) for cell in cells], dtype=object)
    joined: dict[str, str] = {}
    while True:
        weak = []
        for name in sorted(set(current)):
            inside = current == name
            answers = int((inside & responded).sum())
            factor = weights[inside].sum() / max(weights[inside & responded].sum(), 1e-300)
            targets = [x for x in order.get(name, ()) if x != name and (current == x).any()]
            if (answers < minimum or factor > largest_factor) and targets:
                weak.append((answers, name, targets[0]))
        if not weak:
            return current.astype(str), joined
        _, name, target = min(weak)
        current[current == name] = target
        joined[name] = target


def response_propensities(
    covariates: ArrayLike, responded: Flags, weights: ArrayLike | None = None
) -> Floats:
    """Estimated probability of answering, by logistic regression on what is known of everybody.

    Args:
        covariates: (n, q) frame variables; a constant is added.
        responded: (n,) True where a usable questionnaire came back.
        weights: (n,) weights of the likelihood; equal when not given.

    Returns:
        (n,) propensities strictly between 0 and 1.

    Raises:
        PropensityError: the covariates separate respondents from nonrespondents, or the fit does not settle.

    Source: Little (1986), Int. Stat. Rev. 54, p. 139; R `glm(responded ~ x, quasibinomial, weights)`.
    """
    responded = flags(responded, "是否回答", len(responded))
    matrix = np.column_stack([np.ones(len(responded)), np.asarray(covariates, dtype=np.float64)])
    for column in matrix.T:
        finite(column, "回答倾向的协变量")
    prior = np.ones(len(responded)) if weights is None else weights_column(weights, length=len(responded))
    prior = prior / prior.mean()
    beta = np.zeros(matrix.shape[1])
    for _ in range(100):
        fitted = 1 / (1 + np.exp(-np.clip(matrix @ beta, -500, 500)))
        information = matrix.T @ (matrix * (prior * fitted * (1 - fitted))[:, None])
        step = np.linalg.lstsq(information, matrix.T @ (prior * (responded - fitted)), rcond=None)[0]
        beta = beta + step
        if np.abs(step).max() < 1e-10 * (1 + np.abs(beta).max()):
            if ((fitted < 1e-8) | (fitted > 1 - 1e-8)).any():
                break
            return fitted
    raise PropensityError("回答倾向模型", "协变量把回答者和未回答者完全分开了", "减少协变量，或者改用调整格")


def adjust_by_propensity(
    weights: Floats, propensities: Floats, responded: Flags, *, classes: int | None = 5
) -> Floats:
    """Weights divided by response propensity, smoothed within classes of it.

    Args:
        weights: (n,) design weights.
        propensities: (n,) in (0, 1).
        responded: (n,).
        classes: number of classes with about equal weight; None divides by each one's own propensity.

    Returns:
        (n,) weights; nonrespondents carry zero. With classes the total is kept exactly.

    Raises:
        EmptyCellError: a class holds no respondent; fewer classes would do.
        PropensityError: fewer than one class. RangeError: a propensity outside (0, 1].

    Source: Valliant, Dever & Kreuter (2018), sec. 13.5; R `PracTools::pclass` for the classes.
    """
    weights = weights_column(weights)
    chances = probabilities(propensities, "回答倾向", length=len(weights))
    responded = flags(responded, "是否回答", len(weights))
    if classes is not None and classes < 1:
        raise PropensityError("回答倾向的分组", f"{classes}组", "至少1组，常用5组；None表示不分组")
    if classes is None:
        return np.where(responded, weights / chances, 0.0)
    order = np.argsort(chances, kind="stable")
    position = np.empty(len(weights))
    position[order] = np.cumsum(weights[order]) - weights[order] / 2
    label = np.minimum((position / weights.sum() * classes).astype(int), classes - 1)
    return adjust_within_cells(weights, label, responded)
