"""What an estimator must know of a sample: strata, units and populations of every stage, and weights.

Enters: columns of labels in row order. Leaves: a `Design` with every stage coded by its full
path, so that a class called "1" in two schools is two classes and a school called "A" in two
strata is two schools. A domain is never cut out of a design: estimators take a mask, and a unit
drawn without a member in the domain still counts as drawn.

A design also remembers the known totals its weights were made to meet (`Adjustment`), because
they take variance away; and which policy holds for a stratum in which one unit was drawn out of
several, because that choice moves a standard error.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from survey.arrays import (
    Flags,
    Floats,
    Ints,
    Labels,
    RangeError,
    ShapeError,
    codes,
    finite,
    floats,
    group_sums,
    labels,
    probabilities,
    weights_column,
)
from survey.errors import SurveyError

LonelyPsu = Literal["fail", "remove", "certainty", "adjust", "average"]
POLICIES: tuple[str, ...] = ("fail", "remove", "certainty", "adjust", "average")


class PolicyError(SurveyError):
    """A lonely-PSU policy nobody knows."""

    code = "sampling.lonely_policy_unknown"
    kind = "invalid"


class PopulationError(SurveyError):
    """The population of a stratum is smaller than its sample, or differs within the stratum."""

    code = "sampling.population"
    kind = "invalid"


@dataclass(frozen=True, eq=False)
class Stage:
    """One stage of selection, coded by full path.

    Attributes:
        unit: (n,) code of the unit that each row belongs to.
        stratum_of_unit: (units,) code of the stratum each unit was drawn in.
        parent_of_stratum: (strata,) unit of the stage before, in which the stratum lies; zeros at stage 1.
        sampled: (strata,) units drawn.
        population: (strata,) units in the population; inf when unknown, and then the stage counts
            as drawn with replacement.
        names: (strata,) the stratum's label, for refusals.
    """

    unit: Ints
    stratum_of_unit: Ints
    parent_of_stratum: Ints
    sampled: Floats
    population: Floats
    names: tuple[str, ...]

    @property
    def n_units(self) -> int:
        return len(self.stratum_of_unit)

    @property
    def n_strata(self) -> int:
        return len(self.sampled)

    @property
    def sampling_fraction(self) -> Floats:
        """(strata,) n/N, zero when the population is unknown."""
        return self.sampled / self.population

    @property
    def take_all(self) -> Flags:
        """(strata,) True where every unit was taken: no variance arises at this stage."""
        return 1 - self.sampling_fraction < 1e-7


@dataclass(frozen=True, eq=False)
class Adjustment:
    """Known totals that the weights meet, and how they came to meet them.

    The linearised variable is replaced by its residual from the regression on the auxiliary
    variables, fitted with the weights before the step (Deville & Särndal 1992, eq. 3.4).

    Attributes:
        auxiliary: (n, q) calibration variables; indicators of the cells for post-stratification.
        before: (n,) weights before the step.
        after: (n,) weights after the step.
    """

    auxiliary: Floats
    before: Floats
    after: Floats

    def residual(self, scores: Floats) -> Floats:
        """(n, p) scores w·z turned into w·e, with e the residual of z given the known totals.

        >>> before, after = np.array([1., 1, 2]), np.array([2., 2, 2])
        >>> step = Adjustment(np.array([[1.], [1], [1]]), before, after)
        >>> step.residual(after[:, None] * np.array([[3.], [5], [4]])).ravel()
        array([-2.,  2.,  0.])
        """
        counts = self.after != 0
        z = np.zeros_like(scores)
        z[counts] = scores[counts] / self.after[counts, None]
        inverse, before = self._inverse_gram, self.before[:, None]
        coefficients = inverse @ (self.auxiliary.T @ (before * z))
        # One step of refinement gives back the digits that the normal equations cost.
        coefficients += inverse @ (self.auxiliary.T @ (before * (z - self.auxiliary @ coefficients)))
        return self.after[:, None] * (z - self.auxiliary @ coefficients)

    def residual_back(self, multipliers: Floats) -> Floats:
        """(n, p) the transpose of `residual`: `residual(s)'v` equals `s'residual_back(v)`."""
        weighted, before = self.after[:, None] * multipliers, self.before[:, None]
        coefficients = self._inverse_gram @ (self.auxiliary.T @ weighted)
        left = weighted - before * (self.auxiliary @ coefficients)
        coefficients = self._inverse_gram @ (self.auxiliary.T @ left)
        return _over(left - before * (self.auxiliary @ coefficients), self.after)

    @cached_property
    def _inverse_gram(self) -> Floats:
        """(q, q) generalised inverse of x'Dx; the same for every estimate of a report."""
        weighted = self.auxiliary * self.before[:, None]
        size = np.sqrt(np.maximum((weighted * self.auxiliary).sum(axis=0), 1e-300))
        gram = (weighted / size).T @ (self.auxiliary / size)
        values, vectors = np.linalg.eigh(gram)
        # Margins are collinear: the pseudo-inverse picks one solution, and the fit is unique all the same.
        keep = values > 1e-12 * values.max()
        return (vectors[:, keep] / values[keep]) @ vectors[:, keep].T / np.outer(size, size)


@dataclass(frozen=True, eq=False)
class CellAdjustment:
    """Known totals of exclusive cells: the same as `Adjustment` on indicators, without the matrix."""

    cell: Ints
    before: Floats
    after: Floats

    def residual(self, scores: Floats) -> Floats:
        """(n, p) scores w·z turned into w·(z - mean of z in the cell, by the weights before)."""
        n_cells = int(self.cell.max()) + 1
        z = np.zeros_like(scores)
        positive = self.after > 0
        z[positive] = scores[positive] / self.after[positive, None]
        sums = group_sums(self.before[:, None] * z, self.cell, n_cells)
        base = np.bincount(self.cell, self.before, minlength=n_cells)
        means = np.divide(sums, base[:, None], out=np.zeros_like(sums), where=base[:, None] > 0)
        return self.after[:, None] * (z - means[self.cell])

    def residual_back(self, multipliers: Floats) -> Floats:
        """(n, p) the transpose of `residual`."""
        n_cells = int(self.cell.max()) + 1
        weighted = self.after[:, None] * multipliers
        base = np.bincount(self.cell, self.before, minlength=n_cells)[:, None]
        sums = group_sums(weighted, self.cell, n_cells)
        means = np.divide(sums, base, out=np.zeros_like(sums), where=base > 0)
        return _over(weighted - self.before[:, None] * means[self.cell], np.maximum(self.after, 0))


def _over(values: Floats, weights: Floats) -> Floats:
    """(n, p) values over (n,) weights, zero where a row stands for nobody."""
    return np.divide(values, weights[:, None], out=np.zeros_like(values), where=weights[:, None] != 0)


@dataclass(frozen=True, eq=False)
class Design:
    """How the rows were drawn, stage by stage, and whom each stands for.

    Attributes:
        weights: (n,) final weights; zero for rows that stand for nobody. Negative only after a linear
            calibration without bounds.
        strata: per stage, (n,) labels; an empty tuple is one stratum.
        psu: per stage, (n,) labels; an empty tuple makes every row its own PSU.
        population: per stage, (n,) units in the population of the row's stratum; None is unknown.
        lonely_psu: what a stratum with one drawn unit out of several contributes. `fail`: a refusal.
            `remove`, `certainty`: nothing. `adjust`: its deviation from the mean of all unit totals
            of the stage. `average`: the mean of the other strata.
        adjust_domain_lonely: apply the policy also where only one unit of a stratum meets the domain.
        ultimate_cluster: variance of the first stage only.
        adjustments: known totals met, in the order in which they were met.

    Source: R survey 4.5, `svydesign(id, strata, weights, fpc, nest = TRUE)`.

    >>> design = Design(np.ones(4), strata=(np.array(list("aabb")),), psu=(np.array([1, 2, 1, 2]),))
    >>> design.stages[0].n_units, design.df()
    (4, 2)
    """

    weights: Floats
    strata: tuple[Labels | None, ...] = ()
    psu: tuple[Labels, ...] = ()
    population: tuple[Floats | None, ...] = ()
    lonely_psu: LonelyPsu = "fail"
    adjust_domain_lonely: bool = False
    ultimate_cluster: bool = False
    adjustments: tuple[Adjustment | CellAdjustment, ...] = ()
    stages: tuple[Stage, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        # A linear calibration without bounds may turn a weight negative; a design weight never is.
        weights = finite(self.weights, "权数") if self.adjustments else weights_column(self.weights)
        object.__setattr__(self, "weights", weights)
        if self.lonely_psu not in POLICIES:
            raise PolicyError(
                "单个抽样单位层的处理办法",
                f"没有“{self.lonely_psu}”这一种",
                f"请从{'、'.join(POLICIES)}中选一种",
            )
        if not self.stages:
            object.__setattr__(self, "stages", _stages(self, len(weights)))

    @classmethod
    def simple(cls, weights: ArrayLike, population: float | None = None) -> Design:
        """A simple random sample of n rows, out of a population of known or unknown size."""
        column = weights_column(weights)
        sizes = () if population is None else (np.full(len(column), float(population)),)
        return cls(column, population=sizes)

    def __len__(self) -> int:
        return len(self.weights)

    def with_weights(
        self, weights: ArrayLike, adjustment: Adjustment | CellAdjustment | None = None
    ) -> Design:
        """The same draw under other weights; with the known totals that led to them, if any."""
        added = () if adjustment is None else (adjustment,)
        check = weights_column if adjustment is None else finite
        column = check(weights, "权数", length=len(self))
        return replace(self, weights=column, adjustments=self.adjustments + added)

    def df(self, domain: Flags | None = None) -> int:
        """PSUs minus strata, counting those with weight in the domain.

        Source: Korn & Graubard (1999), sec. 5.2; R `degf(subset(design, domain))`.
        """
        n_psu, n_strata = self.counts(domain)
        return n_psu - n_strata

    def counts(self, domain: Flags | None = None) -> tuple[int, int]:
        """Number of PSUs and of first-stage strata with weight in the domain."""
        first = self.stages[0]
        inside = self.weights != 0 if domain is None else domain & (self.weights != 0)
        present = np.bincount(first.unit[inside], minlength=first.n_units) > 0
        return int(present.sum()), len(np.unique(first.stratum_of_unit[present]))

    def lonely_strata(self) -> tuple[str, ...]:
        """Names of the first-stage strata with one drawn unit out of several; a report lists them."""
        first = self.stages[0]
        lonely = (first.sampled == 1) & ~first.take_all
        return tuple(name for name, alone in zip(first.names, lonely, strict=True) if alone)


@dataclass(frozen=True, eq=False)
class ReplicateDesign:
    """Weights, and the replicates of the whole weighting that carry its variance.

    Variance is `scale * sum_r rscales_r (theta_r - c)^2`, with c the mean of the replicates, or the
    full-sample estimate when `mse` is True.

    Attributes:
        weights: (n,) full-sample weights.
        replicate_weights: (n, R) analysis weights of each replicate.
        scale: one factor for all replicates; (R-1)/R for JK1, 1/R for BRR, 1/(R(1-rho)^2) for Fay.
        rscales: (R,) a factor for each.
        mse: centre at the full-sample estimate.

    Source: R survey 4.5, `svrepdesign(combined.weights = TRUE)`.
    """

    weights: Floats
    replicate_weights: Floats
    scale: float
    rscales: Floats
    mse: bool = False

    def __post_init__(self) -> None:
        weights = weights_column(self.weights)
        matrix = np.asarray(self.replicate_weights, dtype=np.float64)
        rscales = finite(self.rscales, "重复权数的系数")
        if matrix.ndim != 2 or matrix.shape != (len(weights), len(rscales)):
            raise ShapeError(
                "重复权数",
                f"形状是{'×'.join(map(str, matrix.shape))}，应当是{len(weights)}×{len(rscales)}",
                "每行一条记录，每列一组重复权数，系数与列数相同",
            )
        if not np.isfinite(matrix).all():
            raise RangeError("重复权数", "含有空值或无穷大", "补齐重复权数再试")
        if not (np.isfinite(self.scale) and self.scale > 0):
            raise RangeError("重复权数的总系数", "不是大于0的数", "按重复方法填写总系数")
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "replicate_weights", matrix)
        object.__setattr__(self, "rscales", rscales)

    def __len__(self) -> int:
        return len(self.weights)

    def df(self, domain: Flags | None = None) -> int:
        """Rank of the replicate weights with rows in the domain, minus one (R `degf`)."""
        matrix = self.replicate_weights if domain is None else self.replicate_weights[domain]
        if not matrix.size:
            return 0
        # Singular values squared: R counts those above 1e-5 of the largest.
        values = np.linalg.eigvalsh(matrix.T @ matrix)
        return int((values > max(1e-10 * values[-1], 1e-300)).sum()) - 1


@dataclass(frozen=True, eq=False)
class PpsDesign:
    """One stage drawn with unequal probabilities without replacement.

    Attributes:
        weights: (n,) 1/π, or calibrated.
        probability: (n,) first-order inclusion probabilities.
        method: `brewer`, `overton`, `hartley_rao`, `poisson` approximate the joint probabilities;
            `joint` takes them from `joint`.
        joint: (n, n) joint inclusion probabilities, the first-order ones on the diagonal.
        variance: with a matrix, given or approximated: HT (Horvitz–Thompson) or YG (Sen–Yates–Grundy).
        sum_p2_over_n: for `hartley_rao`, the sum of π² over the population divided by n, when known.
        stratum: (n,) labels; one stratum when not given.

    Source: R survey 4.5, `svydesign(fpc = ~prob, pps = …, variance = …)`.
    """

    weights: Floats
    probability: Floats
    method: Literal["brewer", "overton", "hartley_rao", "poisson", "joint"] = "brewer"
    joint: Floats | None = None
    variance: Literal["HT", "YG"] = "HT"
    sum_p2_over_n: float | None = None
    stratum: Labels | None = None
    adjustments: tuple[Adjustment | CellAdjustment, ...] = ()

    def __post_init__(self) -> None:
        probability = probabilities(self.probability)
        object.__setattr__(self, "probability", probability)
        object.__setattr__(self, "weights", weights_column(self.weights, length=len(probability)))
        if self.joint is not None and np.shape(self.joint) != (len(probability),) * 2:
            raise ShapeError("联合入样概率", "不是每两条记录一个数的方阵", "给出与记录数相同的方阵")

    def __len__(self) -> int:
        return len(self.weights)

    def df(self, domain: Flags | None = None) -> int:
        """Units minus strata with weight in the domain."""
        inside = self.weights > 0 if domain is None else domain & (self.weights > 0)
        strata = 1 if self.stratum is None else len(np.unique(self.stratum[inside]))
        return int(inside.sum()) - strata


AnyDesign = Design | ReplicateDesign | PpsDesign


def _stages(design: Design, n: int) -> tuple[Stage, ...]:
    """The design's stages, coded by full path."""
    n_stages = max(len(design.psu), len(design.strata), len(design.population), 1)
    stages: list[Stage] = []
    parent = np.zeros(n, dtype=np.int64)
    for number in range(n_stages):
        of_stratum = design.strata[number] if number < len(design.strata) else None
        stratum_labels = (
            np.zeros(n, dtype=np.int64)
            if of_stratum is None
            else labels(of_stratum, f"第{number + 1}阶的层", length=n)
        )
        stratum, first_of_stratum = codes(parent, stratum_labels)
        if number < len(design.psu):
            unit, first = codes(stratum, labels(design.psu[number], f"第{number + 1}阶的抽样单位", length=n))
        else:
            unit, first = np.arange(n, dtype=np.int64), np.arange(n, dtype=np.int64)
        stratum_of_unit = stratum[first]
        sampled = np.bincount(stratum_of_unit, minlength=len(first_of_stratum)).astype(np.float64)
        given = design.population[number] if number < len(design.population) else None
        names = tuple(str(stratum_labels[row]) for row in first_of_stratum)
        population = _population(given, stratum, first_of_stratum, sampled, names, n)
        stages.append(Stage(unit, stratum_of_unit, parent[first_of_stratum], sampled, population, names))
        parent = unit
    return tuple(stages)


def _population(
    given: ArrayLike | None, stratum: Ints, first: Ints, sampled: Floats, names: tuple[str, ...], n: int
) -> Floats:
    """(strata,) population sizes, checked against the sample; inf when unknown."""
    if given is None:
        return np.full(len(first), np.inf)
    column = floats(given, "总体单位数", length=n)
    if np.isnan(column).any():
        raise PopulationError("总体单位数", "有空值", "每一层都要写明总体有多少个单位")
    population = column[first]
    if not np.array_equal(column, population[stratum]):
        uneven = names[int(stratum[np.flatnonzero(column != population[stratum])[0]])]
        raise PopulationError(f"层“{uneven}”", "同一层里的总体单位数不一致", "同一层只能有一个总体单位数")
    if (short := population < sampled - 1e-9).any():
        name = names[int(np.flatnonzero(short)[0])]
        raise PopulationError(f"层“{name}”", "总体单位数少于抽中的单位数", "核对抽样框中这一层的单位数")
    return population
