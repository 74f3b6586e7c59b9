"""Random answers in columns, as awkward as real ones: silences, strange answers, Chinese labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from survey.cases.answer_counts import CountedItem, Counting

PLACES = np.array(["城关镇", "河东乡", "Ürüm’chi", "a,b"])
WORDS = np.array(["满意", "基本满意", "不满意", "不了解"])

COUNTING = Counting(
    ("stratum", "school", "place", "gender"),
    (
        CountedItem("q1", (1, 2, 3, 4, 5)),
        CountedItem("q2", ("满意", "基本满意", "不满意")),
        CountedItem("q3", (0, 1)),
        CountedItem("q4", (10, 20, 7_000_000)),
    ),
    "weight",
    missing=(9, "不了解"),
)


def random_columns(seed: int, rows: int = 4000) -> dict[str, Any]:
    """Columns as NumPy holds them: q1 with NaN, q2 with None, q4 over a wide range."""
    rng = np.random.default_rng(seed)
    school = rng.integers(100, 124, rows)
    q1 = rng.integers(1, 7, rows).astype(float)
    q1[rng.random(rows) < 0.1] = np.nan
    q1[rng.random(rows) < 0.05] = 9
    q1[rng.random(rows) < 0.01] = np.inf
    q2 = WORDS[rng.integers(0, 4, rows)].astype(object)
    q2[rng.random(rows) < 0.1] = None
    return {
        "stratum": school % 4,
        "school": school,
        "place": PLACES[rng.integers(0, 4, rows)],
        "gender": rng.integers(0, 2, rows).astype(np.int8),
        "weight": np.choose(rng.integers(0, 3, rows), [rng.uniform(0.01, 40, rows), 1.0, 0.0]),
        "q1": q1,
        "q2": q2,
        "q3": rng.integers(0, 2, rows).astype(bool),
        "q4": rng.choice([10, 20, 30, 7_000_000], rows),
    }
