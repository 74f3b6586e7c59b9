"""Rates, means and quantiles from cells: every reading in every domain at once.

Enters: `CellTotals` and a design of its cells, raked or not, replicated or not. Leaves: a
`RateTable`, or single `Estimate`s that join into composites and comparisons like any others. All
columns share one pass over the cells: residuals, PSU totals and squares are taken for the whole
table, and its intervals in one call.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from survey.arrays import Flags, Floats, Ints, flags
from survey.cases.answer_counts import Option
from survey.estimation.cell_totals import CellTotals, Reading, ReadingError
from survey.estimation.intervals import (
    IntervalError,
    korn_graubard_bounds,
    proportion_interval,
    t_interval,
    t_quantile,
)
from survey.estimation.linearization import Estimate, variances_of_scores
from survey.estimation.quantiles import Quantile, weighted_quantile
from survey.estimation.replication import replicate_covariance
from survey.sampling.design import Design, ReplicateDesign


@dataclass(frozen=True)
class CellRate:
    """One row of a table: a reading in a domain."""

    domain: str
    reading: str
    value: float
    se: float
    df: float
    n: int
    lower: float | None
    upper: float | None


@dataclass(frozen=True, eq=False)
class RateTable:
    """Rates of all readings in all domains; NaN where the base is empty or no interval can be given.

    Attributes:
        domains: names of the rows.
        readings: names of the columns.
        value, se, lower, upper: (domains, readings).
        df: (domains,) degrees of freedom.
        n: (domains, readings) answers in the base.
    """

    domains: tuple[str, ...]
    readings: tuple[str, ...]
    value: Floats
    se: Floats
    df: Floats
    n: Ints
    lower: Floats
    upper: Floats

    def __len__(self) -> int:
        return self.value.size

    def __iter__(self) -> Iterator[CellRate]:
        for row, domain in enumerate(self.domains):
            for column, reading in enumerate(self.readings):
                at = row, column
                known = not np.isnan(self.lower[at])
                yield CellRate(
                    domain,
                    reading,
                    float(self.value[at]),
                    float(self.se[at]),
                    float(self.df[row]),
                    int(self.n[at]),
                    float(self.lower[at]) if known else None,
                    float(self.upper[at]) if known else None,
                )


def rate_table(
    cells: CellTotals,
    design: Design | ReplicateDesign,
    domains: Mapping[str, Flags] | None = None,
    *,
    level: float = 0.95,
    method: str = "korn_graubard",
) -> RateTable:
    """Rates of all readings in all domains, with errors and intervals.

    Args:
        cells: totals under base weights.
        design: of these cells; its weights may have been calibrated since.
        domains: by name, (cells,) masks; all cells as "" when not given.
        level: of the intervals, in (0, 1).
        method: interval of proportions, as `intervals.METHODS`; means get a t interval.

    Returns:
        Values equal to `means.ratio` over the rows of answers, NaN in a domain without a base.

    Source: METHOD 4 and 8; R `svyby(~y, ~group, design, svymean)`.
    """
    masks = {"": np.ones(len(cells), dtype=bool)} if domains is None else dict(domains)
    size = len(cells)
    if any(np.shape(mask) != (size,) or mask.dtype != np.bool_ for mask in masks.values()):
        masks = {name: flags(mask, f"域“{name}”", size) for name, mask in masks.items()}
    members = _Members(np.stack(list(masks.values())))
    above, base = _scaled(cells, design.weights)
    value, known = _rates(above, base, members)
    if isinstance(design, ReplicateDesign):
        variance = _replicate_variances(cells, design, masks, value)
        df = np.array([design.df(mask) for mask in masks.values()], dtype=float)
    else:
        variance = _variances(above, base, value, known, members, design)
        df = _degrees(design, members)
    # A cell without weight stands for nobody; it is not among those who answered for the domain.
    n = members.sums(cells.n_base * (design.weights != 0)[:, None]).astype(np.int64)
    variance = np.where(np.isnan(value), np.nan, np.maximum(variance, 0.0))
    lower, upper = _bounds(cells.readings, value, variance, n, df, level, method)
    return RateTable(
        tuple(masks),
        tuple(reading.name for reading in cells.readings),
        value,
        np.sqrt(variance),
        df,
        n,
        lower,
        upper,
    )


def by_key(cells: CellTotals, key: str) -> dict[str, Flags]:
    """A domain for each label of a key, in ascending order.

    Args:
        cells: totals that have the key.
        key: its name.

    Returns:
        Label → (cells,) mask.

    Source: METHOD 1, a domain is a mask; R `svyby(by = ~key)` goes through the same groups.
    """
    column = cells.key(key)
    return {str(label): column == label for label in np.unique(column)}


def _scaled(cells: CellTotals, weights: Floats) -> tuple[Floats, Floats]:
    """(cells, readings) totals above the line and in the base, under other weights of the cells."""
    factor = np.divide(weights, cells.weight, out=np.zeros(len(cells)), where=cells.weight != 0)[:, None]
    return cells.above * factor, cells.base * factor


class _Members:
    """Which cells lie in which domains, as pairs: most cells lie in few of many domains."""

    def __init__(self, masks: Flags) -> None:
        self.masks = masks
        self.domain, self.cell = np.nonzero(masks)

    def __len__(self) -> int:
        return len(self.masks)

    def sums(self, values: Floats, group: Ints | None = None, n_groups: int = 1) -> Floats:
        """(groups · domains, p) sums of (cells, p) values in every domain, and in groups of its cells."""
        at = self.domain if group is None else group[self.cell] * len(self.masks) + self.domain
        size = len(self.masks) * n_groups
        sums = np.empty((size, values.shape[1]))
        for place, column in enumerate(values.T):
            sums[:, place] = np.bincount(at, column[self.cell], minlength=size)
        return sums


def _rates(above: Floats, base: Floats, members: _Members) -> tuple[Floats, Floats]:
    """(domains, readings) rates, NaN without a base; and the base of each, one where there is none."""
    total = members.sums(base)
    value = np.divide(members.sums(above), total, out=np.full(total.shape, np.nan), where=total > 0)
    return value, np.where(total > 0, total, 1.0)


def _scores(above: Floats, base: Floats, value: Floats, known: Floats, inside: Flags) -> Floats:
    """(rows, readings) scores w·(y - p x)/X of one domain."""
    return inside[:, None] * (above - np.nan_to_num(value) * base) / known


def _variances(
    above: Floats, base: Floats, value: Floats, known: Floats, members: _Members, design: Design
) -> Floats:
    """(domains, readings) variances of the rates."""
    domains, readings = value.shape
    if design.adjust_domain_lonely:
        # What counts as lonely then depends on the domain, so each has its own pass.
        return np.stack(
            [
                variances_of_scores(_scores(above, base, value[d], known[d], inside), design, inside=inside)
                for d, inside in enumerate(members.masks)
            ]
        )
    if design.adjustments:
        scores = np.concatenate(
            [_scores(above, base, value[d], known[d], inside) for d, inside in enumerate(members.masks)],
            axis=1,
        )
        return variances_of_scores(scores, design).reshape(domains, readings)
    # Without residuals, whole units do for cells: totals of each domain and unit, then their scores.
    last = design.stages[-1]
    shape = (last.n_units, domains, readings)
    scores = members.sums(above, last.unit, last.n_units).reshape(shape)
    scores -= np.nan_to_num(value) * members.sums(base, last.unit, last.n_units).reshape(shape)
    scores /= known
    of_units = scores.reshape(last.n_units, domains * readings)
    return variances_of_scores(of_units, _of_units(design)).reshape(domains, readings)


def _of_units(design: Design) -> Design:
    """The design with one row for each unit of its last stage."""
    _, first = np.unique(design.stages[-1].unit, return_index=True)
    return replace(
        design,
        weights=np.ones(len(first)),
        strata=(),
        psu=(),
        population=(),
        stages=tuple(replace(stage, unit=stage.unit[first]) for stage in design.stages),
    )


def _degrees(design: Design, members: _Members) -> Floats:
    """(domains,) PSUs minus strata with weight in each domain, as `Design.df`."""
    first = design.stages[0]
    weighty = (design.weights != 0).astype(float)[:, None]
    present = members.sums(weighty, first.unit, first.n_units).reshape(first.n_units, len(members)).T > 0
    domain, unit = np.nonzero(present)
    met = np.bincount(
        domain * first.n_strata + first.stratum_of_unit[unit], minlength=len(members) * first.n_strata
    )
    strata = (met.reshape(len(members), first.n_strata) > 0).sum(axis=1)
    return (present.sum(axis=1) - strata).astype(float)


def _replicate_variances(
    cells: CellTotals, design: ReplicateDesign, masks: Mapping[str, Flags], value: Floats
) -> Floats:
    """(domains, readings) variances over the replicates."""
    return np.stack(
        [
            np.diag(replicate_covariance(replicate_rates(cells, design, mask), value[row], design))
            for row, mask in enumerate(masks.values())
        ]
    )


def replicate_rates(cells: CellTotals, design: ReplicateDesign, domain: Flags | None = None) -> Floats:
    """(R, readings) the rates under every replicate weight; NaN where a replicate has no base.

    Args:
        cells: totals under base weights.
        design: replicate weights of these cells.
        domain: (cells,) mask; all cells when not given.

    Returns:
        (R, readings) rates.

    Source: METHOD 17: a matrix (replicates × cells) times (cells × readings); R survey 4.5
    `withReplicates(design, ...)` on the rows.
    """
    inside = flags(domain, "域", len(cells)) & (cells.weight != 0)
    factor = np.zeros_like(design.replicate_weights)
    np.divide(design.replicate_weights, cells.weight[:, None], out=factor, where=inside[:, None])
    above, base = factor.T @ cells.above, factor.T @ cells.base
    return np.divide(above, base, out=np.full(base.shape, np.nan), where=base > 0)


def _bounds(
    readings: tuple[Reading, ...],
    value: Floats,
    variance: Floats,
    n: Ints,
    df: Floats,
    level: float,
    method: str,
) -> tuple[Floats, Floats]:
    """(domains, readings) limits; NaN where there are none."""
    degrees = np.broadcast_to(df[:, None], value.shape)
    shares = np.array([reading.is_share for reading in readings])
    lower, upper = np.full(value.shape, np.nan), np.full(value.shape, np.nan)
    if not 0 < level < 1:
        raise IntervalError("置信水平", f"{level}不在0和1之间", "常用0.95或0.90")
    if method == "korn_graubard":
        low, high = korn_graubard_bounds(
            np.clip(value[:, shares], 0, 1), variance[:, shares], n[:, shares], degrees[:, shares], level
        )
        lower[:, shares], upper[:, shares] = low, high
    rest = np.flatnonzero(~shares) if method == "korn_graubard" else np.arange(len(readings))
    for row, column in ((row, column) for row in range(len(value)) for column in rest):
        p, v = float(value[row, column]), float(variance[row, column])
        if np.isnan(p):
            continue
        found = (
            proportion_interval(min(max(p, 0.0), 1.0), v, int(n[row, column]), df[row], level, method)
            if shares[column]
            else t_interval(p, v, df[row], level)
        )
        if found is not None:
            lower[row, column], upper[row, column] = found.lower, found.upper
    return lower, upper


def cell_estimate(
    cells: CellTotals, design: Design | ReplicateDesign, reading: str, domain: Flags | None = None
) -> Estimate:
    """One rate as an `Estimate`, whose scores are by cell: for composites, comparisons and tests.

    Args:
        cells: totals under base weights.
        design: of these cells; its weights may have been calibrated since.
        reading: its name.
        domain: (cells,) mask; all cells when not given.

    Raises:
        ReadingError: no such reading, or nobody in its base.

    Source: as `means.ratio`, METHOD 8 and 9; R survey 4.5 `svyratio(~y, ~m, subset(design, domain))`.
    """
    names = [one.name for one in cells.readings]
    if reading not in names:
        raise ReadingError(f"“{reading}”", "没有这一项", f"从{'、'.join(names)}里选")
    at = names.index(reading)
    one = cells.read([cells.readings[at]])
    inside = flags(domain, "域", len(cells))
    above, base = _scaled(one, design.weights)
    value, known = _rates(above, base, _Members(inside[None]))
    if np.isnan(value[0, 0]):
        raise ReadingError(
            f"“{reading}”", "域里没有一份可以计算的答卷", "检查域的条件，或者把它与相近的域合并"
        )
    scores = _scores(above, base, value[0], known[0], inside)
    replicates = None
    if isinstance(design, ReplicateDesign):
        replicates = replicate_rates(one, design, inside)
        variance = float(replicate_covariance(replicates, value[0], design)[0, 0])
        replicates = replicates[:, 0]
    else:
        variance = float(variances_of_scores(scores, design, inside=inside)[0])
    counted = inside & (design.weights != 0)
    return Estimate(
        float(value[0, 0]),
        max(variance, 0.0),
        design.df(inside),
        int(one.n_base[counted].sum()),
        int(cells.counts.n[counted].sum()),
        scores[:, 0],
        inside,
        replicates,
    )


def cell_quantile(
    cells: CellTotals,
    design: Design,
    item: str,
    values: Mapping[Option, float],
    probability: float,
    *,
    domain: Flags | None = None,
    level: float = 0.95,
) -> Quantile:
    """A quantile of a coded item and its Woodruff interval, from the counts of its options.

    Args:
        cells: totals whose counts hold the item.
        design: of these cells; its weights may have been calibrated since.
        item: its name.
        values: the value of each option that counts.
        probability: in (0, 1).
        domain: (cells,) mask; all cells when not given.
        level: of the interval, in (0, 1).

    Returns:
        Equal to `quantiles.quantile` over the rows, rule `math`, interval `mean`.

    Raises:
        IntervalError: a probability outside (0, 1). ReadingError: nobody answered the item in the domain.

    Source: Woodruff (1952), JASA 47, p. 635; METHOD 4, quantiles from a histogram per PSU; R survey 4.5
    `svyquantile(~x, design, p, interval.type = "mean", qrule = "math")`.
    """
    if not 0 < probability < 1:
        raise IntervalError("分位数", f"{probability}不在0和1之间", "例如中位数写0.5")
    inside = flags(domain, "域", len(cells))
    options = sorted(values, key=lambda option: values[option])
    each = [Reading(str(option), item, {option: 1.0}) for option in options]
    spread = cells.read(each)
    moved = np.divide(design.weights, spread.weight, out=np.zeros(len(cells)), where=spread.weight != 0)
    weights = (spread.above * (moved * inside)[:, None]).sum(axis=0)
    scale = np.array([float(values[option]) for option in options])
    if not weights.sum() > 0:
        raise ReadingError(
            f"题目“{item}”", "域里没有一份可以计算的答卷", "检查域的条件，或者把它与相近的域合并"
        )
    point = weighted_quantile(scale, weights, probability)
    below = Reading("below", item, {option: float(values[option] <= point) for option in options})
    share = cell_estimate(cells.read([below]), design, "below", inside)
    if share.df <= 0:
        return Quantile(probability, point, None, None, None, share.df)
    t = t_quantile(0.5 + level / 2, share.df)
    lower = weighted_quantile(scale, weights, share.value - t * share.se)
    upper = weighted_quantile(scale, weights, share.value + t * share.se)
    return Quantile(probability, point, lower, upper, (upper - lower) / (2 * t), share.df)
