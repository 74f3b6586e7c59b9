"""Sufficient statistics: the totals per cell from which every rate, error and weight step follows.

Enters: one pass over the answers, grouped by school and weighting classes. Leaves: `CellTotals`, and
an ordinary `Design` in which a cell is a row, so that the engine computes from cells what it would
from rows, without a second implementation. This holds because weights are the same for everybody
in a cell, or are summed there, and because calibration on classes moves all of a cell together.
After the pass, cost depends on the number of cells, whatever the number of answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from survey.arrays import Flags, Floats, Ints, ShapeError
from survey.estimation.intervals import Interval, proportion_interval
from survey.estimation.linearization import covariance_of_scores
from survey.sampling.design import Design, LonelyPsu
from survey.weighting.calibration import Calibration, rake
from survey.weighting.margins import Margin


@dataclass(frozen=True, eq=False)
class CellTotals:
    """Totals of every non-empty cell.

    Attributes:
        keys: by name, (cells,) the cell's code.
        n: (cells,) answers.
        weight: (cells,) sum of weights.
        valid: (cells, items) sum of weights of valid answers.
        yes: (cells, items) sum of weights of satisfied answers.
        n_valid: (cells, items) valid answers.
    """

    keys: Mapping[str, Ints]
    n: Ints
    weight: Floats
    valid: Floats
    yes: Floats
    n_valid: Ints

    def __len__(self) -> int:
        return len(self.n)

    def __add__(self, other: CellTotals) -> CellTotals:
        """The totals of two parts of the data, such as two files or two workers, in any order."""
        return _summed(
            {name: np.concatenate([self.keys[name], other.keys[name]]) for name in self.keys},
            [
                np.concatenate([getattr(self, k), getattr(other, k)])
                for k in ("n", "weight", "valid", "yes", "n_valid")
            ],
        )


def cell_totals(
    keys: Mapping[str, Ints], weights: Floats, yes: ArrayLike, valid: ArrayLike | None = None
) -> CellTotals:
    """The totals per cell, in one pass over each column.

    Args:
        keys: by name, (n,) non-negative codes; school, stratum, group, raking classes, domains.
        weights: (n,) base weights.
        yes: (items, n) 1 where satisfied, one contiguous row for each item.
        valid: (items, n) 1 where the answer counts for the base; every answer when not given.

    Raises:
        ShapeError: columns of different lengths.

    Source: METHOD 4.

    >>> cells = cell_totals({"school": np.array([0, 1, 0])}, np.array([1., 2, 3]), np.array([[1, 1, 0]]))
    >>> cells.weight, cells.yes.ravel()
    (array([4., 2.]), array([1., 2.]))
    """
    rows = len(weights)
    indicators = np.atleast_2d(np.asarray(yes))
    if any(len(column) != rows for column in keys.values()) or indicators.shape[1] != rows:
        raise ShapeError("汇总", "各列的行数不同", "各列的行数要相同")
    sizes = {name: int(column.max()) + 1 if rows else 0 for name, column in keys.items()}
    code = np.zeros(rows, dtype=np.int64)
    for name, column in keys.items():
        code *= sizes[name]
        code += column
    span = int(np.prod([float(size) for size in sizes.values()])) if sizes else 1
    if span > max(4 * rows, 1 << 20):
        # So many combinations that most are empty: number those that occur.
        present, code = np.unique(code, return_inverse=True)
        span = len(present)
        taken = np.arange(span)
    else:
        present = None
        taken = np.flatnonzero(np.bincount(code, minlength=span))
    n = np.bincount(code, minlength=span)[taken]
    weight = np.bincount(code, weights, minlength=span)[taken]
    counted = np.column_stack([np.bincount(code, weights * row, minlength=span)[taken] for row in indicators])
    if valid is None:
        base = np.repeat(weight[:, None], len(indicators), axis=1)
        n_base = np.repeat(n[:, None], len(indicators), axis=1)
    else:
        masks = np.atleast_2d(np.asarray(valid))
        base = np.column_stack([np.bincount(code, weights * row, minlength=span)[taken] for row in masks])
        n_base = np.column_stack([np.bincount(code, row, minlength=span)[taken] for row in masks]).astype(
            np.int64
        )
    rest = taken if present is None else present[taken]
    coded: dict[str, Ints] = {}
    for name in reversed(list(keys)):
        rest, coded[name] = np.divmod(rest, sizes[name])
    return CellTotals({name: coded[name] for name in keys}, n, weight, base, counted, n_base)


def _summed(keys: Mapping[str, Ints], columns: Sequence[np.ndarray]) -> CellTotals:
    """Totals of rows that are cells already, those of equal keys added up."""
    _, first, code = np.unique(
        np.column_stack(list(keys.values())), axis=0, return_index=True, return_inverse=True
    )
    code = code.reshape(-1)
    summed = []
    for column in columns:
        into = np.zeros((len(first), *column.shape[1:]), dtype=column.dtype)
        np.add.at(into, code, column)
        summed.append(into)
    return CellTotals({name: column[first] for name, column in keys.items()}, *summed)


def design_of(
    cells: CellTotals,
    psu: str,
    stratum: str | None = None,
    *,
    population: Floats | None = None,
    lonely_psu: LonelyPsu = "fail",
) -> Design:
    """A design whose rows are cells, weighted by the sum of weights in each.

    Args:
        psu, stratum: names of keys.
        population: (cells,) PSUs in the population of the cell's stratum.
    """
    return Design(
        cells.weight,
        strata=() if stratum is None else (cells.keys[stratum],),
        psu=(cells.keys[psu],),
        population=() if population is None else (population,),
        lonely_psu=lonely_psu,
    )


@dataclass(frozen=True)
class CellRate:
    """The rate of one item in one domain."""

    domain: str
    item: int
    value: float
    se: float
    df: int
    n: int
    interval: Interval | None


def rates_from_cells(
    cells: CellTotals,
    design: Design,
    domains: Mapping[str, Flags] | None = None,
    *,
    level: float = 0.95,
    method: str = "korn_graubard",
) -> list[CellRate]:
    """Rates of all items in all domains, with errors and intervals, in one matrix product.

    Args:
        cells: totals under base weights.
        design: of these cells; its weights may have been calibrated since.
        domains: by name, (cells,) masks; all cells as "" when not given.

    Returns:
        A row for every domain and item; equal to `means.ratio` over the rows of answers.

    Source: METHOD 4, checked against the rows to 1e-12.
    """
    masks = {"": np.ones(len(cells), dtype=bool)} if domains is None else domains
    factor = np.divide(design.weights, cells.weight, out=np.zeros(len(cells)), where=cells.weight != 0)[
        :, None
    ]
    yes, base = cells.yes * factor, cells.valid * factor
    values, scores = [], []
    for mask in masks.values():
        total = base[mask].sum(axis=0)
        p = np.divide(yes[mask].sum(axis=0), total, out=np.full(len(total), np.nan), where=total != 0)
        values.append(p)
        known = np.where(total != 0, total, 1.0)
        scores.append(mask[:, None] * (yes - np.nan_to_num(p) * base) / known)
    variances = np.diag(covariance_of_scores(np.column_stack(scores), design)).reshape(len(masks), -1)
    rates = []
    for (name, mask), p, v in zip(masks.items(), values, variances, strict=True):
        df, n = design.df(mask), cells.n_valid[mask].sum(axis=0)
        for item, value in enumerate(p):
            variance = max(float(v[item]), 0.0)
            interval = (
                None
                if np.isnan(value)
                else proportion_interval(float(value), variance, int(n[item]), df, level, method)
            )
            rates.append(CellRate(name, item, float(value), variance**0.5, df, int(n[item]), interval))
    return rates


def rake_cell_totals(
    cells: CellTotals, design: Design, margins: Mapping[str, Mapping[int, float]], **options: float
) -> tuple[Design, Calibration]:
    """The design of cells raked to known totals by key, and how it went.

    Args:
        margins: by name of a key, the known total of each of its codes.
        options: `tolerance` and `max_sweeps` of `calibration.rake`.
    """
    known = [Margin(name, cells.keys[name], totals) for name, totals in margins.items()]
    made = rake(design.weights, known, **options)
    return made.applied_to(design), made
