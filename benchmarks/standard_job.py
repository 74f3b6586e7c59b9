"""The standard job of METHOD section 5, done by this product and, as a floor, by DuckDB and bare NumPy.

150 schools in six strata, four respondent groups, ten yes/no items near 95 %, unequal weights. The
job: the design; ten rates with errors and intervals; the same by four groups; raking on three
margins (6 + 4 + 2 classes, margin error 1e-8); ten rates again with the variance after raking.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import perf_counter, process_time

import duckdb
import numpy as np
from scipy import special

from survey.cases.answer_counts import AnswerCounts, CountedItem, Counting
from survey.cases.counting import count_columns
from survey.estimation.cell_rates import RateTable, by_key, rate_table, replicate_rates
from survey.estimation.cell_totals import CellTotals, Reading, cell_totals, design_of, rake_cell_totals
from survey.weighting.cell_raking import rake_replicates
from survey.weighting.replicates import rao_wu_factors

SCHOOLS, STRATA, GROUPS, ITEMS = 150, 6, 4, 10
KEYS = ("stratum", "school", "group", "gender")
NAMES = tuple(f"y{k}" for k in range(ITEMS))
COUNTING = Counting(KEYS, tuple(CountedItem(name, (0, 1)) for name in NAMES), "w")
READINGS = [Reading.share(name, [1], [0, 1]) for name in NAMES]

Values = dict[str, np.ndarray]


def standard_answers(n: int, seed: int = 11) -> dict[str, np.ndarray]:
    """n answers of the standard county, a column each."""
    rng = np.random.default_rng(seed)
    school = rng.integers(0, SCHOOLS, n, dtype=np.int16)
    rate = np.clip(0.95 + rng.normal(0, 0.02, (ITEMS, SCHOOLS)), 0, 1).astype(np.float32)
    columns = {
        "stratum": (school % STRATA).astype(np.int16),
        "school": school,
        "group": rng.integers(0, GROUPS, n, dtype=np.int16),
        "gender": rng.integers(0, 2, n, dtype=np.int16),
        "w": rng.uniform(1, 5, n),
    }
    for name, row in zip(NAMES, rate, strict=True):
        columns[name] = (rng.random(n, dtype=np.float32) < row[school]).astype(np.int8)
    return columns


def margins(columns: dict[str, np.ndarray]) -> dict[str, dict[int, float]]:
    """Known totals near those of the sample, adding up to the same."""
    total = round(float(columns["w"].sum()))
    shares = {
        "stratum": [0.17, 0.16, 0.17, 0.16, 0.17, 0.17],
        "group": [0.26, 0.24, 0.27, 0.23],
        "gender": [0.48, 0.52],
    }
    return {name: {at: share * total for at, share in enumerate(row)} for name, row in shares.items()}


def seconds(work: Callable[[], object], times: int) -> float:
    """The median of several runs, after one that warms up."""
    return measured_together({"": work}, times)[""][0]


def measured_together(works: dict[str, Callable[[], object]], times: int) -> dict[str, tuple[float, float]]:
    """Medians of wall and processor seconds of several works, done in turn so that each meets the same load."""
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for work in works.values():
        work()
    for _ in range(times):
        for name, work in works.items():
            began, spent = perf_counter(), process_time()
            work()
            took[name].append((perf_counter() - began, process_time() - spent))
    return {
        name: (median(wall for wall, _ in runs), median(cpu for _, cpu in runs))
        for name, runs in took.items()
    }


def analysis(counts: AnswerCounts, known: dict[str, dict[int, float]]) -> Values:
    """Everything after the pass."""
    cells = cell_totals(counts, READINGS)
    design = design_of(cells, "school", "stratum")
    whole = rate_table(cells, design)
    grouped = rate_table(cells, design, by_key(cells, "group"))
    raked, _ = rake_cell_totals(cells, design, known, tolerance=1e-8)
    return values(whole, grouped, rate_table(cells, raked))


def values(whole: RateTable, grouped: RateTable, after: RateTable) -> Values:
    """The numbers that all who did the job must agree on."""
    return {
        "rates": whole.value.ravel(),
        "errors": whole.se.ravel(),
        "lower": whole.lower.ravel(),
        "upper": whole.upper.ravel(),
        "rates by group": grouped.value.ravel(),
        "errors by group": grouped.se.ravel(),
        "raked rates": after.value.ravel(),
        "raked errors": after.se.ravel(),
    }


def job(columns: dict[str, np.ndarray], known: dict[str, dict[int, float]]) -> Values:
    """The whole standard job from columns."""
    return analysis(count_columns(columns, COUNTING), known)


def report_tables(counts: AnswerCounts) -> dict[str, Callable[[], RateTable]]:
    """Tables a report asks for, each from counts already kept, nothing else prepared."""

    def table(key: str | None) -> RateTable:
        cells = cell_totals(counts, READINGS)
        return rate_table(
            cells, design_of(cells, "school", "stratum"), None if key is None else by_key(cells, key)
        )

    return {
        "items": lambda: table(None),
        "items by group": lambda: table("group"),
        "items by gender": lambda: table("gender"),
        "items by stratum": lambda: table("stratum"),
        "items by school": lambda: table("school"),
    }


def raked_replicates(cells: CellTotals, known: dict[str, dict[int, float]], replicates: int) -> np.ndarray:
    """(R, items) rates of raked Rao–Wu replicates, from drawing the replicates on."""
    design = design_of(cells, "school", "stratum")
    factors = rao_wu_factors(design, replicates, np.random.default_rng(1))
    return replicate_rates(cells, rake_replicates(design, factors, cells.counts.keys, known))


class Floor:
    """METHOD's floor: one DuckDB GROUP BY over its own table, then as little NumPy as gives the numbers."""

    def __init__(self, columns: dict[str, np.ndarray]) -> None:
        self.connection = duckdb.connect()
        self.connection.register("columns", columns)
        self.connection.execute("CREATE TABLE answers AS SELECT * FROM columns")
        self.connection.unregister("columns")
        # Two spellings of the same sums; whichever is quicker here is the floor.
        self.spellings = [
            ", ".join(f"SUM(w * y{k})" for k in range(ITEMS)),
            ", ".join(f"SUM(w) FILTER (y{k} = 1)" for k in range(ITEMS)),
        ]

    def job(self, known: dict[str, dict[int, float]], spelling: int) -> Values:
        """The standard job."""
        query = f'SELECT {", ".join(KEYS[:2])}, "group", gender, COUNT(*), SUM(w), {self.spellings[spelling]} FROM answers GROUP BY 1, 2, 3, 4'
        rows = [np.asarray(column) for column in self.connection.execute(query).fetchnumpy().values()]
        stratum, school, group, gender = (column.astype(np.int64) for column in rows[:4])
        n, w, y = rows[4].astype(float), rows[5], np.column_stack(rows[6:])
        of_school = np.zeros(SCHOOLS, dtype=np.int64)
        of_school[school] = stratum
        schools_in = np.bincount(of_school, minlength=STRATA).astype(float)

        def errors(z: np.ndarray) -> np.ndarray:
            u = _sums(z, school, SCHOOLS)
            mean = _sums(u, of_school, STRATA) / schools_in[:, None]
            return np.sqrt((schools_in / (schools_in - 1))[of_school] @ (u - mean[of_school]) ** 2)

        total = w.sum()
        p = y.sum(axis=0) / total
        se = errors((y - w[:, None] * p) / total)
        df = SCHOOLS - STRATA
        n_star = np.minimum(
            n.sum(),
            p * (1 - p) / se**2 * (special.stdtrit(n.sum() - 1, 0.025) / special.stdtrit(df, 0.025)) ** 2,
        )
        low = special.betaincinv(p * n_star, (1 - p) * n_star + 1, 0.025)
        high = special.betaincinv(p * n_star + 1, (1 - p) * n_star, 0.975)
        p_group, se_group = [], []
        for g in range(GROUPS):
            inside = (group == g)[:, None]
            there = (w * inside[:, 0]).sum()
            one = (y * inside).sum(axis=0) / there
            p_group.append(one)
            se_group.append(errors((y - w[:, None] * one) * inside / there))
        raked = w.copy()
        codes = (stratum, group, gender)
        totals = [np.array(list(known[name].values())) for name in ("stratum", "group", "gender")]
        while True:
            for code, wanted in zip(codes, totals, strict=True):
                raked *= (wanted / np.bincount(code, raked, minlength=len(wanted)))[code]
            gap = max(
                np.abs(np.bincount(code, raked, minlength=len(wanted)) - wanted).max()
                for code, wanted in zip(codes, totals, strict=True)
            )
            if gap <= 1e-8 * totals[0].sum():
                break
        moved = (raked / w)[:, None]
        after = (y * moved).sum(axis=0) / raked.sum()
        z = (y / w[:, None] - after) / raked.sum()
        x = np.concatenate(
            [code[:, None] == np.arange(len(t)) for code, t in zip(codes, totals, strict=True)], axis=1
        ).astype(float)
        fitted = x @ (np.linalg.pinv((x * w[:, None]).T @ x, rcond=1e-12) @ ((x * w[:, None]).T @ z))
        return {
            "rates": p,
            "errors": se,
            "lower": low,
            "upper": high,
            "rates by group": np.concatenate(p_group),
            "errors by group": np.concatenate(se_group),
            "raked rates": after,
            "raked errors": errors((z - fitted) * raked[:, None]),
        }


def _sums(z: np.ndarray, code: np.ndarray, size: int) -> np.ndarray:
    return np.column_stack([np.bincount(code, column, minlength=size) for column in z.T])
