"""Rates that somebody else has published: their intervals, and whether the printed ones agree.

Enters: a file in which every row is a rate with the number it rests on. Leaves: an interval for
each, as of a simple random sample of that number, and how many printed intervals it reproduces.
"""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from survey.arrays import RangeError
from survey.columns import Columns
from survey.estimation.analysis.rows import interval_level
from survey.estimation.analysis.spec import AnalysisSpec
from survey.estimation.intervals import Interval, korn_graubard, proportion_interval
from survey.sampling.sample_size import wilson_limits


def published_rows(spec: AnalysisSpec, columns: Columns) -> dict[str, Any]:
    """Every row with its interval, and the comparison with the printed ones.

    Raises:
        RangeError: a rate outside [0, 1], or a number that is not positive.

    Source: Wilson (1927) for `wilson`; Clopper & Pearson (1934) for `korn_graubard`, which at
    `n_eff = n` is theirs; the others on the binomial variance p(1-p)/n.
    """
    one = spec.published
    assert one is not None
    rates, counts = columns[one.rate].complete_numbers(), columns[one.n].complete_numbers()
    for name, wrong, what in (
        (one.rate, (rates < 0) | (rates > 1), "不在0到1之间"),
        (one.n, counts <= 0, "不是大于0的数"),
    ):
        if wrong.any():
            at = int(np.flatnonzero(wrong)[0]) + 1
            raise RangeError(f"“{name}”列", f"第{at}条记录{what}", "核对这一行", row=at)
    level = interval_level(spec)
    names = [columns[key].names().tolist() for key in one.key]
    printed = [None if name is None else columns[name].numbers() for name in (one.lower, one.upper)]
    rows, worst, agree, compared = [], 0.0, 0, 0
    for at in range(len(columns)):
        bounds = _bounds(float(rates[at]), float(counts[at]), level, spec.interval.method)
        row: dict[str, Any] = {
            "key": {key: values[at] for key, values in zip(one.key, names, strict=True)},
            "value": float(rates[at]),
            "n": float(counts[at]),
            "lower": None if bounds is None else bounds[0],
            "upper": None if bounds is None else bounds[1],
        }
        if printed[0] is not None and printed[1] is not None and bounds is not None:
            gap = max(abs(bounds[0] - printed[0][at]), abs(bounds[1] - printed[1][at]))
            if not np.isnan(gap):
                compared += 1
                agree += gap <= one.tolerance
                worst = max(worst, float(gap))
                row |= {
                    "printed_lower": float(printed[0][at]),
                    "printed_upper": float(printed[1][at]),
                    "gap": float(gap),
                }
        rows.append(row)
    return {
        "rows": rows,
        "compared": compared,
        "agree": int(agree),
        "tolerance": one.tolerance,
        "largest_gap": worst if compared else None,
    }


def _bounds(p: float, n: float, level: float, method: str) -> tuple[float, float] | None:
    if method == "wilson":
        return wilson_limits(p, n, level)
    variance = p * (1 - p) / n
    found: Interval | None
    if method == "korn_graubard":
        found = korn_graubard(p, variance, max(int(n), 1), inf, level)
    else:
        found = proportion_interval(p, variance, max(int(n), 2), inf, level, method)
    return None if found is None else (found.lower, found.upper)
