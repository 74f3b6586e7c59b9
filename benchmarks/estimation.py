"""The standard job of METHOD section 5: ten rates, four groups, one raking, from answers in columns.

    python benchmarks/estimation.py [--answers 1000000] [--repeat 5] [--replicates 500]

150 schools in six strata, four respondent groups, ten yes/no items near 95 %, unequal weights. The
job: the design; ten rates with errors and intervals; the same by four groups; raking on three
margins (6 + 4 + 2 classes, margin error 1e-8); ten rates again with the variance after raking.
DuckDB's GROUP BY over the same columns is timed in the same run when `duckdb` is installed: it is
the floor. Ratios are what counts; the machine is named beside them.
"""

from __future__ import annotations

import argparse
import platform
import resource
from collections.abc import Callable
from time import perf_counter

import numpy as np

from survey.arrays import group_sums
from survey.estimation.cell_totals import (
    CellTotals,
    cell_totals,
    design_of,
    rake_cell_totals,
    rates_from_cells,
)
from survey.weighting.calibration import rake_cells
from survey.weighting.replicates import rao_wu_factors

SCHOOLS, STRATA, GROUPS, ITEMS = 150, 6, 4, 10


def standard_answers(n: int, seed: int = 11) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Keys, weights and (items, n) answers of the standard job."""
    rng = np.random.default_rng(seed)
    school = rng.integers(0, SCHOOLS, n, dtype=np.int16)
    rate = np.clip(0.95 + rng.normal(0, 0.02, (ITEMS, SCHOOLS)), 0, 1)
    yes = np.stack([rng.random(n, dtype=np.float32) < row[school] for row in rate]).astype(np.int8)
    keys = {
        "stratum": (school % STRATA).astype(np.int16),
        "school": school,
        "group": rng.integers(0, GROUPS, n, dtype=np.int16),
        "gender": rng.integers(0, 2, n, dtype=np.int16),
    }
    return keys, rng.uniform(1, 5, n), yes


def margins(total: float) -> dict[str, dict[int, float]]:
    """Known totals near those of the sample, adding up to the same."""
    shares = {
        "stratum": [0.17, 0.16, 0.17, 0.16, 0.17, 0.17],
        "group": [0.5, 0.2, 0.2, 0.1],
        "gender": [0.48, 0.52],
    }
    return {name: {at: share * total for at, share in enumerate(row)} for name, row in shares.items()}


def analysis(cells: CellTotals) -> int:
    """Everything after the pass; the number of rates it gave."""
    design = design_of(cells, "school", "stratum")
    groups = {str(g): cells.keys["group"] == g for g in range(GROUPS)}
    rates = rates_from_cells(cells, design)
    rates += rates_from_cells(cells, design, groups)
    raked, _ = rake_cell_totals(cells, design, margins(float(cells.weight.sum())), tolerance=1e-8)
    return len(rates + rates_from_cells(cells, raked))


def raked_replicates(cells: CellTotals, replicates: int) -> np.ndarray:
    """(R, items) rates of raked Rao–Wu replicates, from cells."""
    design = design_of(cells, "school", "stratum")
    factors = rao_wu_factors(design, replicates, np.random.default_rng(1))[design.stages[0].unit]
    known = margins(float(cells.weight.sum()))
    names = list(known)
    codes = [cells.keys[name].astype(np.int64) for name in names]
    totals = [np.array(list(known[name].values())) for name in names]
    thetas = np.empty((replicates, cells.yes.shape[1]))
    for r in range(replicates):
        base = cells.weight * factors[:, r]
        g, _, _ = rake_cells(base, codes, totals, 1e-8, 500)
        scale = factors[:, r] * g
        thetas[r] = (scale @ cells.yes) / (scale @ cells.valid)
    return thetas


def seconds(work: Callable[[], object], repeat: int) -> float:
    """The best of several runs."""
    best = float("inf")
    for _ in range(repeat):
        began = perf_counter()
        work()
        best = min(best, perf_counter() - began)
    return best


def duckdb_floor(keys: dict[str, np.ndarray], weights: np.ndarray, yes: np.ndarray, repeat: int) -> float | None:
    """Seconds of one GROUP BY over the same columns and the analysis after it; None without DuckDB."""
    try:
        import duckdb
    except ImportError:
        return None
    columns = {**keys, "w": weights, **{f"y{k}": row for k, row in enumerate(yes)}}
    connection = duckdb.connect()
    connection.register("columns", columns)
    connection.execute("CREATE TABLE answers AS SELECT * FROM columns")
    sums = ", ".join(f"SUM(w * y{k}) AS s{k}" for k in range(ITEMS))
    query = f"SELECT stratum, school, \"group\", gender, COUNT(*) AS n, SUM(w) AS w, {sums} FROM answers GROUP BY 1, 2, 3, 4"

    def job() -> int:
        table = connection.execute(query).fetchnumpy()
        weight = np.asarray(table["w"], float)
        counted = np.column_stack([np.asarray(table[f"s{k}"], float) for k in range(ITEMS)])
        n = np.asarray(table["n"])
        base = np.repeat(weight[:, None], ITEMS, axis=1)
        whole = CellTotals(
            {name: np.asarray(table[name], dtype=np.int64) for name in keys},
            n,
            weight,
            base,
            counted,
            np.repeat(n[:, None], ITEMS, axis=1),
        )
        return analysis(whole)

    return seconds(job, repeat)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--answers", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--replicates", type=int, default=500)
    asked = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}")
    print("answers      pass s   analysis s   job s    floor s   ratio   peak MB")
    for n in asked.answers:
        keys, weights, yes = standard_answers(n)
        passed = seconds(lambda k=keys, w=weights, y=yes: cell_totals(k, w, y), asked.repeat)
        cells = cell_totals(keys, weights, yes)
        after = seconds(lambda c=cells: analysis(c), asked.repeat)
        floor = duckdb_floor(keys, weights, yes, asked.repeat)
        job = passed + after
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        beside = "  –        –   " if floor is None else f"{floor:8.4f} {job / floor:6.2f}"
        print(f"{n:>9,} {passed:9.4f} {after:11.4f} {job:9.4f}  {beside} {peak:9.0f}")
    if asked.replicates:
        took = seconds(lambda: raked_replicates(cells, asked.replicates), 1)
        print(f"{asked.replicates} raked Rao–Wu replicates of {len(cells)} cells: {took:.3f} s")
        assert group_sums(cells.yes, cells.keys["group"], GROUPS).shape == (GROUPS, ITEMS)


if __name__ == "__main__":
    main()
