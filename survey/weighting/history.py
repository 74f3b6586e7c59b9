"""The factor each step multiplied in, so that any weight can be explained.

Enters: weights after each step. Leaves: a `WeightHistory`: for every case the factors in order,
and for the report the diagnostics of each step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from survey.arrays import Floats, finite, weights_column


@dataclass(frozen=True)
class StepDiagnostics:
    """What one step did to the weights, as a report lists it."""

    name: str
    total: float
    smallest: float
    largest: float
    kish_deff: float
    effective_n: float
    smallest_factor: float
    largest_factor: float
    note: str


@dataclass(frozen=True, eq=False)
class WeightHistory:
    """Design weights, and what was multiplied in since.

    >>> history = WeightHistory.begin(np.array([2.0, 2.0])).then("无回答", [4.0, 0.0])
    >>> history.weights, history.explain(0)
    (array([4., 0.]), (('设计权数', 2.0), ('无回答', 2.0)))
    """

    steps: tuple[tuple[str, Floats, str], ...]

    @classmethod
    def begin(cls, design_weights: Floats, note: str = "") -> WeightHistory:
        """A history whose first factor is the design weight."""
        return cls((("设计权数", weights_column(design_weights), note),))

    def then(self, name: str, weights: Floats, note: str = "") -> WeightHistory:
        """The history with one more step, given the weights it left behind.

        A linear calibration without bounds may leave some below zero; nothing else may.
        """
        column = finite(weights, "权数", length=len(self.steps[0][1]))
        return WeightHistory((*self.steps, (name, column, note)))

    @property
    def weights(self) -> Floats:
        """(n,) the final weights."""
        return self.steps[-1][1]

    def factors(self) -> Floats:
        """(n, steps) design weight, then the factor of each step; one where the weight was zero before."""
        columns = [self.steps[0][1]]
        for (_, before, _), (_, after, _) in zip(self.steps, self.steps[1:], strict=False):
            columns.append(np.divide(after, before, out=np.ones_like(after), where=before != 0))
        return np.column_stack(columns)

    def explain(self, case: int) -> tuple[tuple[str, float], ...]:
        """The factors of one case, by name, in order; their product is its weight."""
        return tuple(
            (name, float(factor))
            for (name, _, _), factor in zip(self.steps, self.factors()[case], strict=True)
        )

    def diagnostics(self) -> tuple[StepDiagnostics, ...]:
        """One line for every step: totals, extremes, Kish's design effect."""
        factors = self.factors()
        lines = []
        for number, (name, weights, note) in enumerate(self.steps):
            counts = weights != 0
            carried = weights[counts]
            deff = float(len(carried) * (carried**2).sum() / carried.sum() ** 2)
            factor = factors[counts, number]
            lines.append(
                StepDiagnostics(
                    name,
                    float(weights.sum()),
                    float(carried.min()),
                    float(carried.max()),
                    deff,
                    len(carried) / deff,
                    float(factor.min()),
                    float(factor.max()),
                    note,
                )
            )
        return tuple(lines)
