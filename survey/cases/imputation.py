"""Imputed values beside the originals, each with its method; never in their place.

Enters: a column with blanks (NaN), the class each row belongs to, and a named method. Leaves: an
`Imputed`: the originals as they were, the completed column, and which rows were filled from whom.
Nothing here is done unless it is asked for: the figure leaves blanks out of its base (METHOD step 12),
and a completed column only shows what another treatment would give. Its variance is not that of a
column that was answered: whoever estimates from it says so, or uses replicates that impute anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from survey.arrays import Flags, Floats, Ints, Labels, NotFiniteError, codes, floats, labels, weights_column
from survey.errors import SurveyError
from survey.sampling.selection import seeded_uniforms

Method = Literal["class_mean", "class_mode", "hot_deck", "sequential"]
METHODS: dict[str, str] = {
    "class_mean": "同一类里有答案的人的加权平均",
    "class_mode": "同一类里权数最大的答案",
    "hot_deck": "同一类里随机抽一个有答案的人，按种子可重做",
    "sequential": "同一类里排在前面、离得最近的有答案的人",
}


class ImputationError(SurveyError):
    """Blanks that this method cannot fill: no donor in the class, no such method, no seed."""

    code = "cases.imputation"
    kind = "invalid"


@dataclass(frozen=True, eq=False)
class Imputed:
    """A column completed, with everything needed to take the completion away again.

    Attributes:
        original: (n,) as it came, NaN for blanks.
        values: (n,) the same with blanks filled.
        imputed: (n,) True for the rows that were filled.
        donor: (n,) row whose answer was taken, counted from 0; -1 where none was.
        method: its name in `METHODS`.
    """

    original: Floats
    values: Floats
    imputed: Flags
    donor: Ints
    method: str

    @property
    def share(self) -> float:
        """The share of rows that were filled."""
        return float(self.imputed.mean()) if len(self.imputed) else 0.0

    def in_words(self) -> str:
        """What was done, for the note under a number that rests on it."""
        return f"有{int(self.imputed.sum())}份没有填，按“{METHODS[self.method]}”补上；原答案不变"


def impute(
    values: ArrayLike,
    classes: Labels,
    method: Method,
    *,
    weights: ArrayLike | None = None,
    seed: str | None = None,
) -> Imputed:
    """A column with its blanks filled from the answers of the same class.

    Args:
        values: (n,) values, NaN for a blank.
        classes: (n,) imputation class, known for everybody, such as school × group.
        method: `class_mean`, `class_mode` (ties go to the smaller value), `hot_deck` (needs `seed`),
            `sequential` (the nearest answered row above in the class, below where there is none above).
        weights: (n,) for the mean and the mode; equal when not given.
        seed: public text, from which a hot deck can be dealt again.

    Returns:
        An `Imputed`; where nothing is blank it is the column itself.

    Raises:
        ImputationError: an unknown method, a hot deck without a seed, a class of blanks alone.
        NotFiniteError: an infinite value. ShapeError: columns of different lengths.

    Source: Kalton & Kasprzyk (1986), Survey Methodology 12, p. 1, for the methods and their bias; R `VIM::hotdeck`
    deals by its own generator, `ave(y, class, FUN = function(v) mean(v, na.rm = TRUE))` is the class mean.

    >>> one = impute([1.0, np.nan, 0.0], np.array(["a", "a", "b"]), "class_mean")
    >>> one.values, one.imputed
    (array([1., 1., 0.]), array([False,  True, False]))
    """
    column = floats(values, "要补的变量")
    if np.isinf(column).any():
        raise NotFiniteError("要补的变量", "含有无穷大", "查明来源，改正后再补")
    if method not in METHODS:
        raise ImputationError("插补的办法", f"没有“{method}”这一种", f"请从{'、'.join(METHODS)}中选一种")
    if method == "hot_deck" and not seed:
        raise ImputationError("插补的种子", "没有给", "写一段公开的文字，别人才能照样重做")
    named = labels(classes, "插补的分组", length=len(column))
    w = np.ones(len(column)) if weights is None else weights_column(weights, length=len(column))
    code, first = codes(named)
    blank = np.isnan(column)
    filled, donor = column.copy(), np.full(len(column), -1, dtype=np.int64)
    for one in np.unique(code[blank]):
        inside = code == one
        donors, wanting = np.flatnonzero(inside & ~blank), np.flatnonzero(inside & blank)
        if not len(donors):
            raise ImputationError(f"分组“{named[first[one]]}”", "没有一个人回答", "把它与相近的组合并后再补")
        if method == "class_mean":
            shares = w[donors] if w[donors].any() else np.ones(len(donors))
            filled[wanting] = shares @ column[donors] / shares.sum()
        elif method == "class_mode":
            kinds, place = np.unique(column[donors], return_inverse=True)
            filled[wanting] = kinds[int(np.bincount(place, w[donors]).argmax())]
        else:
            donor[wanting] = _donors(donors, wanting, method, f"{seed}/{named[first[one]]}")
            filled[wanting] = column[donor[wanting]]
    return Imputed(column, filled, blank, donor, method)


def _donors(donors: Ints, wanting: Ints, method: str, seed: str) -> Ints:
    """(wanting,) the row each blank takes its value from."""
    if method == "hot_deck":
        drawn = seeded_uniforms(seed, len(wanting))
        return donors[np.minimum((drawn * len(donors)).astype(np.int64), len(donors) - 1)]
    above = np.searchsorted(donors, wanting) - 1
    return donors[np.maximum(above, 0)]
