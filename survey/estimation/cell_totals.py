"""Totals per cell under a reading of the answers: from counts to what an estimator adds up.

Enters: `AnswerCounts`, and how options become a rate (`Reading`). Leaves: `CellTotals`, and an
ordinary `Design` in which a cell is a row, so that the engine computes from cells what it would
from rows, without a second implementation. This holds because whoever shares a cell shares the
PSU, and because calibration on classes moves all of a cell together. `cell_rates` takes it from
here; cost depends on the number of cells, whatever the number of answers.

Left out on purpose: designs whose last stage is the person. Their within-school variance needs
squares within cells, and the platform's own figure (`wave_rates`) keeps its rows for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from survey.arrays import Floats, Ints, Labels, weights_column
from survey.cases.answer_counts import AnswerCounts, MissingColumnError, Option
from survey.errors import SurveyError
from survey.sampling.design import Design, LonelyPsu
from survey.weighting.calibration import Calibration, rake
from survey.weighting.margins import Margin


class ReadingError(SurveyError):
    """A reading of an item that was not counted, or of options it does not have."""

    code = "estimation.reading"
    kind = "invalid"


@dataclass(frozen=True)
class Reading:
    """How an item's options become a rate or a mean.

    Attributes:
        name: what the row of a table is called.
        item: the item's column.
        points: what each option of the base adds above the line; options not named leave the base.
    """

    name: str
    item: str
    points: Mapping[Option, float]

    @classmethod
    def share(
        cls, item: str, satisfied: Iterable[Option], base: Iterable[Option], name: str | None = None
    ) -> Reading:
        """The share of the base that chose one of the satisfied options.

        >>> Reading.share("q1", [1, 2], [1, 2, 3]).points
        {1: 1.0, 2: 1.0, 3: 0.0}
        """
        liked = set(satisfied)
        return cls(name or item, item, {option: float(option in liked) for option in base})

    @property
    def is_share(self) -> bool:
        """Whether it is a proportion: then its interval is one of a proportion."""
        return set(self.points.values()) <= {0.0, 1.0}


@dataclass(frozen=True, eq=False)
class CellTotals:
    """Weighted totals of every cell under some readings.

    Attributes:
        counts: the counts they come from, with the cells' keys.
        readings: what each column reads.
        weight: (cells,) sum of base weights.
        above: (cells, readings) sum of weights times points.
        base: (cells, readings) sum of weights of answers in the base.
        n_base: (cells, readings) answers in the base.
        each: (cells,) the weight of each answer, where the cells were given weights; None where the
            answers brought their own.
    """

    counts: AnswerCounts
    readings: tuple[Reading, ...]
    weight: Floats
    above: Floats
    base: Floats
    n_base: Ints
    each: Floats | None = None

    def __len__(self) -> int:
        return len(self.weight)

    def key(self, name: str) -> Labels:
        """(cells,) labels of a key.

        Raises:
            MissingColumnError: not a key of these counts.
        """
        if name not in self.counts.keys:
            raise MissingColumnError(name, tuple(self.counts.keys))
        return self.counts.keys[name]

    def read(self, readings: Sequence[Reading]) -> CellTotals:
        """The totals of the same counts and weights under other readings."""
        return cell_totals(self.counts, readings, cell_weights=self.each)


def cell_totals(
    counts: AnswerCounts, readings: Sequence[Reading], *, cell_weights: ArrayLike | None = None
) -> CellTotals:
    """The totals that readings make of counts.

    Args:
        counts: exact counts per cell, item and option.
        readings: how many points each option of an item is worth; an option left out is outside the base.
        cell_weights: (cells,) the weight of each answer of a cell, for counts made without weights.

    Returns:
        (cells, readings) totals of points and of the base, with the counts they came from.

    Raises:
        ReadingError: an item that was not counted, or an option it does not have.

    Source: METHOD 4, sufficient statistics; R has none, it keeps rows.
    """
    each = None if cell_weights is None else weights_column(cell_weights, length=len(counts))
    width = int(counts.counting.starts[-1])
    points, inside = np.zeros((width, len(readings))), np.zeros((width, len(readings)))
    starts = dict(zip((item.name for item in counts.counting.items), counts.counting.starts, strict=False))
    options = {item.name: item.options for item in counts.counting.items}
    for column, reading in enumerate(readings):
        if reading.item not in starts:
            raise ReadingError(
                f"题目“{reading.item}”", "没有计数", f"从{'、'.join(starts)}里选，或者重新计数"
            )
        if unknown := [one for one in reading.points if one not in options[reading.item]]:
            raise ReadingError(
                f"题目“{reading.item}”",
                f"没有选项“{unknown[0]}”",
                f"选项是{'、'.join(map(str, options[reading.item]))}",
            )
        for at, option in enumerate(options[reading.item]):
            if option in reading.points:
                points[starts[reading.item] + at, column] = reading.points[option]
                inside[starts[reading.item] + at, column] = 1
    scale = counts.unit if each is None else (each * counts.unit)[:, None]
    of_cell = counts.weights() if each is None else counts.weights() * each
    weighted = counts.option_weight * scale
    return CellTotals(
        counts,
        tuple(readings),
        of_cell,
        weighted @ points,
        weighted @ inside,
        np.rint(counts.option_n @ inside).astype(np.int64),
        each,
    )


def design_of(
    cells: CellTotals,
    psu: str | Sequence[str],
    stratum: str | None = None,
    *,
    population: Sequence[Floats | None] = (),
    lonely_psu: LonelyPsu = "fail",
) -> Design:
    """A design whose rows are cells, weighted by the sum of weights in each.

    Args:
        cells: totals whose keys name the units.
        psu: names of the keys that say school, class and so on, one for each stage.
        stratum: name of the key of first-stage strata.
        population: per stage, (cells,) units in the population of the cell's stratum.
        lonely_psu: the policy for a stratum with one unit drawn out of several.

    Source: METHOD 4: weights are constant inside a cell, so a design of cells has the PSU totals of
    the rows; R survey 4.5 `svydesign(ids, strata, weights, fpc)` on the rows gives the same errors.
    """
    units = (psu,) if isinstance(psu, str) else tuple(psu)
    return Design(
        cells.weight,
        strata=() if stratum is None else (cells.key(stratum),),
        psu=tuple(cells.key(unit) for unit in units),
        population=tuple(population),
        lonely_psu=lonely_psu,
    )


def rake_cell_totals(
    cells: CellTotals,
    design: Design,
    margins: Mapping[str, Mapping[Any, float]],
    *,
    tolerance: float = 1e-8,
    max_sweeps: int = 500,
) -> tuple[Design, Calibration]:
    """The design of cells raked to known totals by key, and how it went.

    Args:
        cells: totals whose keys the margins name.
        design: of these cells, under the weights before raking.
        margins: by name of a key, the known total of each of its labels.
        tolerance, max_sweeps: of `calibration.rake`.

    Returns:
        The design with raked weights, whose variance takes residuals, and the raking's own account.

    Source: as `weighting.calibration.rake` (Deville & Särndal 1992); R survey 4.5
    `calibrate(design, calfun = "raking")` on the rows.
    """
    known = [Margin(name, cells.key(name), totals) for name, totals in margins.items()]
    made = rake(design.weights, known, tolerance=tolerance, max_sweeps=max_sweeps)
    return made.applied_to(design), made
