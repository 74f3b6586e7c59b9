"""The rows of the certified table: counts from which anybody recomputes the figure.

What enters is pools, rates and the figure; what leaves is one row a pool, in the shape that the
figure's estimator names (`certification.table`). Counts are whole numbers, weights and points exact
text, and nothing in a row says when or in which order people answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from survey.cases.derivation import Column
from survey.estimation.beside import sums_over
from survey.estimation.figure_parts import OVERALL
from survey.estimation.wave_figure import WaveFigure
from survey.estimation.wave_rates import WaveRates, of_group
from survey.exact import fraction_text
from survey.weighting.domain_weights import Pool


def certified_rows(pools: Sequence[Pool], rates: WaveRates, whole: WaveFigure) -> list[dict[str, Any]]:
    """The table of the figure's estimator, sorted by row.

    Args:
        pools: whom each row counts, with its weight.
        rates: the counts.
        whole: the figure, with the columns of its parts.
    """
    read = {
        (group, part): rates.sums(one, of_group(group))
        for group, parts in whole.columns.items()
        for part, one in parts.items()
    }

    def counts(pool: Pool, part: str) -> tuple[Fraction, Fraction]:
        return sums_over(read[pool.group, part], pool.domains)

    rows = []
    for pool in pools:
        row: dict[str, Any] = {"domain": pool.id, "group": pool.group, "n": pool.n}
        parts: dict[str, Column] = dict(whole.columns[pool.group])
        if whole.estimator == "full-body/v1":
            row["x"] = int(counts(pool, OVERALL)[0])
        elif whole.estimator == "weighted-ratio/v1":
            x, v = counts(pool, OVERALL)
            row |= {"v": int(v), "w": fraction_text(pool.weight), "x": int(x)}
        else:
            found = {part: counts(pool, part) for part in parts}
            row |= {
                "w": fraction_text(pool.weight),
                "parts": {p: {"v": int(v), "x": fraction_text(x)} for p, (x, v) in found.items() if v},
            }
        rows.append(row)
    return sorted(rows, key=lambda row: row["domain"])
