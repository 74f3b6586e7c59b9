"""How a block of items of one scale was answered: one line down, the same twice, consistent.

Enters: the items of a block. Leaves: counts and Cronbach's alpha. Nothing is left out for it: a
straight line may be an honest answer, so it is counted and shown, and domains can look at both kinds.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from survey.arrays import Floats, Ints
from survey.estimation.analysis.sample import Sample
from survey.estimation.analysis.spec import QualitySpec
from survey.sampling.declared_design import expanded


def quality_of(spec: QualitySpec, sample: Sample) -> dict[str, Any]:
    """Straight lines by value, rows that equal another, and alpha over the rows without a gap."""
    names = expanded(spec.items)
    same = expanded(spec.identical_over) or names
    columns = [sample.columns[name] for name in names]
    table = np.column_stack([column.numbers() for column in columns])
    whole = ~np.isnan(table).any(axis=1)
    straight = whole & (table == table[:, :1]).all(axis=1)
    by_value = Counter(columns[0].names()[straight].tolist())
    return {
        "items": list(names),
        "rows": len(sample.columns),
        "complete_rows": int(whole.sum()),
        "straight_line_rows": int(straight.sum()),
        "straight_line_share": float(straight.sum() / whole.sum()) if whole.any() else None,
        "straight_line_by_value": {key: by_value[key] for key in columns[0].levels() if key in by_value},
        "identical_rows": _identical([sample.columns[name].code for name in same]),
        "cronbach_alpha": cronbach_alpha(table[whole]),
        "cronbach_alpha_weighted": cronbach_alpha(table[whole], sample.design.weights[whole]),
    }


def cronbach_alpha(table: Floats, weights: Floats | None = None) -> float | None:
    """`k/(k-1) (1 - sum var(item) / var(total))`; None with fewer than two items or without spread.

    Args:
        table: (n, k) answers without gaps.
        weights: (n,) equal when not given; the factor n/(n-1) cancels.

    Source: Cronbach (1951), Psychometrika 16, p. 297; R `psych::alpha`, `survey::svycralpha`.

    >>> round(cronbach_alpha(np.array([[1., 1], [2, 2], [3, 3]])), 6)
    1.0
    """
    k = table.shape[1]
    w = np.ones(len(table)) if weights is None else weights
    if k < 2 or len(table) < 2 or w.sum() <= 0:
        return None

    def spread(values: Floats) -> Floats:
        centre = (w @ values) / w.sum()
        return np.asarray((w @ (values - centre) ** 2) / w.sum())

    total = float(spread(table.sum(axis=1)))
    return None if total <= 0 else float(k / (k - 1) * (1 - spread(table).sum() / total))


def _identical(codes: list[Ints]) -> int:
    """Rows that some other row equals in every column."""
    _, counts = np.unique(np.column_stack(codes), axis=0, return_counts=True)
    return int(counts[counts > 1].sum())
