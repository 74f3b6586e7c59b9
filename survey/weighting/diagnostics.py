"""What a weighting must say aloud: how unequal, who weighs most, which totals are met, how it ended.

Enters: final weights, and the margins they were to meet. Leaves: a `WeightDiagnostics` of plain
numbers and one sentence in words. Convergence is a claim about margins and is made from the margins
themselves, achieved against known, never from the solver's own word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from survey.arrays import Floats, weights_column
from survey.errors import SurveyError
from survey.weighting.margins import Margin


class ToleranceError(SurveyError):
    """A tolerance or a number of rows that makes no sense."""

    code = "weighting.tolerance"
    kind = "invalid"


@dataclass(frozen=True)
class MarginCheck:
    """One category of one margin: what is known of it, and what the weights add up to."""

    margin: str
    category: str
    known: float
    reached: float

    @property
    def error(self) -> float:
        """|reached − known| over the known total; over one where that is zero."""
        return abs(self.reached - self.known) / (abs(self.known) or 1.0)


@dataclass(frozen=True)
class WeightDiagnostics:
    """Weights, described.

    Attributes:
        n: rows with weight.
        total: sum of weights.
        smallest, median, largest: of the positive weights.
        kish_deff: `1 + CV²`.
        effective_n: n over that.
        heaviest: (row counted from 0, weight, share of the total) of the largest, largest first.
        margins: every category of every margin.
        met: whether every margin is within the tolerance.
    """

    n: int
    total: float
    smallest: float
    median: float
    largest: float
    kish_deff: float
    effective_n: float
    heaviest: tuple[tuple[int, float, float], ...]
    margins: tuple[MarginCheck, ...]
    met: bool

    @property
    def worst(self) -> MarginCheck | None:
        """The category farthest from its known total."""
        return max(self.margins, key=lambda one: one.error, default=None)

    def in_words(self) -> str:
        """One sentence: margins met or not, the spread of weights, what it costs."""
        if self.worst is None:
            said = "没有控制总数"
        elif self.met:
            said = f"{len(self.margins)}个控制总数全部达到，最大相对误差{self.worst.error:.1e}"
        else:
            said = (
                f"没有收敛：{self.worst.margin}“{self.worst.category}”是{self.worst.reached:,.6g}，"
                f"应为{self.worst.known:,.6g}"
            )
        return (
            f"{said}；权数从{self.smallest:.4g}到{self.largest:.4g}，"
            f"权数不等使方差增大到{self.kish_deff:.2f}倍，{self.n}份相当于{self.effective_n:.0f}份"
        )


def describe_weights(
    weights: Floats, margins: Sequence[Margin] = (), *, tolerance: float = 1e-6, heaviest: int = 5
) -> WeightDiagnostics:
    """The diagnostics of some weights.

    Args:
        weights: (n,) final weights, none negative.
        margins: the known totals they were to meet.
        tolerance: largest relative error of a category that counts as met.
        heaviest: how many of the largest weights to name.

    Raises:
        RangeError, NotFiniteError: weights that are none. EmptyMarginError: a category on one side only.
        ToleranceError: a negative or infinite tolerance, a negative number of rows.

    Source: Kish (1965), sec. 11.7 for the design effect; METHOD 6–7. R `summary(weights(design))`,
    `svytotal(~margin, design)` for the totals.

    >>> describe_weights(np.array([1.0, 1.0, 2.0])).kish_deff
    1.125
    """
    weights = weights_column(weights)
    if not (np.isfinite(tolerance) and tolerance >= 0) or heaviest < 0:
        raise ToleranceError("权数的检查", f"容许误差{tolerance}不可用", "写一个不小于0的数，如0.000001")
    positive = weights[weights > 0]
    checks = []
    for margin in margins:
        code, known, names = margin.coded(len(weights))
        reached = np.bincount(code, weights, minlength=len(known))
        checks += [
            MarginCheck(margin.name, name, float(k), float(r))
            for name, k, r in zip(names, known, reached, strict=True)
        ]
    deff = float(len(positive) * (positive**2).sum() / positive.sum() ** 2)
    order = np.argsort(-weights, kind="stable")[:heaviest]
    return WeightDiagnostics(
        len(positive),
        float(weights.sum()),
        float(positive.min()),
        float(np.median(positive)),
        float(positive.max()),
        deff,
        len(positive) / deff,
        tuple((int(row), float(weights[row]), float(weights[row] / weights.sum())) for row in order),
        tuple(checks),
        all(one.error <= tolerance for one in checks),
    )
