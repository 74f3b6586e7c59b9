"""Variance from scores: what each row adds to an estimate, gathered by unit, stratum and stage.

Enters: (n, p) scores w·z, zero outside the domain, and a design. Leaves: the (p, p) covariance,
and `Estimate`, the value with everything a report says about it. Taylor linearisation was chosen
over replicates as the default because it is exact from counts, needs no seed and costs one pass;
`replication.py` serves those who want the whole weighting in the variance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from survey.arrays import Flags, Floats, Ints, group_sums
from survey.errors import SurveyError
from survey.sampling.design import AnyDesign, Design, PpsDesign, ReplicateDesign, Stage


class LonelyPsuError(SurveyError):
    """A stratum has one drawn unit out of several, and the policy is to stop."""

    code = "estimation.lonely_psu"
    kind = "invalid"


class EmptyDomainError(SurveyError):
    """A domain without a single row that counts."""

    code = "estimation.empty_domain"
    kind = "invalid"


class MissingValuesError(SurveyError):
    """Values are missing and nothing was said about them."""

    code = "estimation.missing_values"
    kind = "invalid"


@dataclass(frozen=True, eq=False)
class Estimate:
    """A number with its uncertainty.

    Attributes:
        value: the estimate.
        variance: its estimated variance, never negative.
        df: degrees of freedom of the domain: PSUs minus strata with weight in it.
        n: rows with a value in the domain.
        n_rows: rows in the domain, with a value or without.
        scores: (n,) what each row of the whole sample adds, w·z; before any calibration residual.
        domain: (n,) the rows it speaks for.
        replicates: (R,) the estimate under each replicate weight, when the design has them.
    """

    value: float
    variance: float
    df: float
    n: int
    n_rows: int
    scores: Floats = field(repr=False)
    domain: Flags = field(repr=False)
    replicates: Floats | None = field(default=None, repr=False)

    @property
    def se(self) -> float:
        """Standard error."""
        return float(np.sqrt(self.variance))

    @property
    def cv(self) -> float:
        """Coefficient of variation; NaN when the estimate is zero."""
        return self.se / abs(self.value) if self.value else float("nan")


def covariance_of_scores(scores: Floats, design: AnyDesign, *, inside: Flags | None = None) -> Floats:
    """The covariance matrix of the sums of scores.

    Args:
        scores: (n, p) contributions w·z, zero outside the domain.
        design: a `Design` or a `PpsDesign`.
        inside: (n,) rows of the domain; only `adjust_domain_lonely` asks for it.

    Returns:
        (p, p): `sum_h (1 - f_h) n_h/(n_h - 1) sum_i (u_hi - mean u_h)²`, plus the later stages where
        the earlier ones have a known population, each times the sampling fractions before it.

    Raises:
        LonelyPsuError: a stratum holds one drawn unit out of several under policy `fail`.
        TypeError: a `ReplicateDesign`, whose variance is not in scores.

    Source: Särndal, Swensson & Wretman (1992), result 4.3.1 and ch. 5; R survey 4.5 `svyrecvar`.

    >>> design = Design(np.ones(4), psu=(np.array([1, 1, 2, 2]),))
    >>> covariance_of_scores(np.array([[1.], [2], [3], [4]]), design)
    array([[16.]])
    """
    if isinstance(design, ReplicateDesign):
        raise TypeError("replicate designs carry their variance in replicates, not in scores")
    if isinstance(design, PpsDesign):
        from survey.estimation.unequal_probability import pps_covariance

        for adjustment in design.adjustments:
            scores = adjustment.residual(scores)
        return pps_covariance(scores, design)
    variance = np.zeros((scores.shape[1],) * 2)
    for deviation, factor in deviations_of(scores, design, inside):
        variance += deviation.T @ (deviation * factor[:, None])
    return variance


def variances_of_scores(scores: Floats, design: Design, *, inside: Flags | None = None) -> Floats:
    """(p,) the diagonal of `covariance_of_scores`, at a cost that grows with p and not its square.

    Args:
        scores, design, inside: as for `covariance_of_scores`.

    Returns:
        (p,) variances.

    Source: as for `covariance_of_scores`; R `diag(vcov(svytotal(…)))`.

    >>> design = Design(np.ones(4), psu=(np.array([1, 1, 2, 2]),))
    >>> variances_of_scores(np.array([[1.], [2], [3], [4]]), design)
    array([16.])
    """
    variance = np.zeros(scores.shape[1])
    for deviation, factor in deviations_of(scores, design, inside):
        variance += factor @ (deviation * deviation)
    return variance


def deviations_of(
    scores: Floats, design: Design, inside: Flags | None = None
) -> Iterator[tuple[Floats, Floats]]:
    """Stage by stage, what a replication method perturbs: deviations and the factors of their squares.

    Args:
        scores: (n, p) scores of the estimators.
        design: strata, units and populations of every stage.
        inside: (n,) rows of a domain; all where None.

    Returns:
        A pair a stage: (units, p) deviations of unit totals from their stratum, (units,) factors.

    Source: as for `covariance_of_scores`; inside R `svyrecvar`, which gives only their sum.
    """
    for adjustment in design.adjustments:
        scores = adjustment.residual(scores)
    for stage, share, number in _stages_of(design):
        yield _stage_deviations(scores, stage, share, design, inside, number)


def gathered_back(waves: Sequence[Floats], design: Design) -> Floats:
    """The transpose of what `deviations_of` does: for every row the sum of its deviations times `waves`.

    Args:
        waves: for each stage that `deviations_of` yields, (units, p) multipliers of the square roots of
            its squares.
        design: as there.

    Returns:
        (n, p); row i is the sum over stages and units k of `a_ki waves_k`, where the deviations of
        scores s are `a_k's`. Linear in the rows, where trying each of them would be quadratic.

    Source: the transpose of `deviations_of`, by hand; R has none: svrep's `as_fays_gen_rep_design` builds
    the matrix of the quadratic form, rows by rows.
    """
    back = np.zeros((len(design), waves[0].shape[1]))
    for wave, (stage, share, number) in zip(waves, _stages_of(design), strict=True):
        factor, adjusted = _stage_terms(stage, share, design, None, number)
        stratum = stage.stratum_of_unit
        units = wave * np.sqrt(factor)[:, None]
        sums = group_sums(units, stratum, stage.n_strata)
        centre = np.where(adjusted[:, None], 0.0, sums / stage.sampled[:, None])[stratum]
        if adjusted.any():
            parent = stage.parent_of_stratum
            n_parents = int(parent.max()) + 1
            counts = np.bincount(parent[stratum], minlength=n_parents)
            moved = group_sums(np.where(adjusted[:, None], sums, 0.0), parent, n_parents) / counts[:, None]
            centre = centre + moved[parent[stratum]]
        back += (units - centre)[stage.unit]
    for adjustment in reversed(design.adjustments):
        back = adjustment.residual_back(back)
    return back


def _stages_of(design: Design) -> Iterator[tuple[Stage, Floats, int]]:
    """The stages that add to the variance, each with the share of what lies in its parents."""
    # What a unit of the stages before contributes is seen once per n/N of them.
    share = np.ones(1)
    for number, stage in enumerate(design.stages, start=1):
        yield stage, share, number
        fraction = stage.sampling_fraction * share[stage.parent_of_stratum]
        if design.ultimate_cluster or not fraction.any():
            break
        share = fraction[stage.stratum_of_unit]


def _stage_deviations(
    scores: Floats, stage: Stage, share: Floats, design: Design, inside: Flags | None, number: int
) -> tuple[Floats, Floats]:
    """What one stage adds, as deviations and factors; `share` (parents,) multiplies what lies in each parent."""
    factor, adjusted = _stage_terms(stage, share, design, inside, number)
    totals = group_sums(scores, stage.unit, stage.n_units)
    stratum = stage.stratum_of_unit
    centre = group_sums(totals, stratum, stage.n_strata) / stage.sampled[:, None]
    if adjusted.any():
        centre = np.where(adjusted[:, None], _parent_means(totals, stage)[stage.parent_of_stratum], centre)
    return totals - centre[stratum], factor


def _stage_terms(
    stage: Stage, share: Floats, design: Design, inside: Flags | None, number: int
) -> tuple[Floats, Flags]:
    """(units,) factors of one stage's squares, and (strata,) those held against the mean of their parent."""
    stratum = stage.stratum_of_unit
    factor = share[stage.parent_of_stratum]
    counts = factor > 0
    take_all = stage.take_all
    lonely = (stage.sampled == 1) & ~take_all & counts
    alone_in_domain = np.zeros_like(lonely)
    if design.adjust_domain_lonely and inside is not None:
        met = np.bincount(stage.unit[inside], minlength=stage.n_units) > 0
        alone_in_domain = (
            (np.bincount(stratum, met, minlength=stage.n_strata) == 1)
            & (stage.sampled > 1)
            & ~take_all
            & counts
        )
    if lonely.any() and design.lonely_psu == "fail":
        name = stage.names[int(np.flatnonzero(lonely)[0])]
        raise LonelyPsuError(
            f"第{number}阶的层“{name}”",
            "总体中不止一个单位，却只抽中一个，方差无法从这一层算出",
            "把它并入最相近的层，或者在方案里写明单个单位层的处理办法（adjust、average等）",
            stratum=name,
            stage=number,
        )

    unknown = lonely | alone_in_domain
    adjusted = unknown if design.lonely_psu == "adjust" else np.zeros_like(unknown)
    scale = np.where(
        take_all, 0.0, (1 - stage.sampling_fraction) * stage.sampled / np.maximum(stage.sampled - 1, 1)
    )
    if design.lonely_psu == "average":
        met = np.ones(stage.n_strata, dtype=bool) if inside is None else _strata_met(stage, inside)
        scale = np.where(unknown, 0.0, scale) * _average_factor(stage, unknown, met)[stage.parent_of_stratum]
    return (scale * factor)[stratum], adjusted


def _parent_means(totals: Floats, stage: Stage) -> Floats:
    """(parents, p) mean of all unit totals within each unit of the stage before."""
    parent = stage.parent_of_stratum[stage.stratum_of_unit]
    n_parents = int(stage.parent_of_stratum.max()) + 1
    return group_sums(totals, parent, n_parents) / np.bincount(parent, minlength=n_parents)[:, None]


def _strata_met(stage: Stage, inside: Flags) -> Flags:
    """(strata,) True where a row of the domain lies; the others have nothing to average."""
    met = np.bincount(stage.unit[inside], minlength=stage.n_units) > 0
    return np.bincount(stage.stratum_of_unit, met, minlength=stage.n_strata) > 0


def _average_factor(stage: Stage, unknown: Flags, met: Flags) -> Floats:
    """(parents,) strata met over those of them with a variance of their own; zero where none has one."""
    n_parents = int(stage.parent_of_stratum.max()) + 1
    strata = np.bincount(stage.parent_of_stratum, met, minlength=n_parents)
    known = np.bincount(stage.parent_of_stratum, met & ~unknown, minlength=n_parents)
    return np.divide(strata, known, out=np.zeros(n_parents), where=known > 0)


def estimates_from_scores(
    values: Floats,
    scores: Floats,
    design: AnyDesign,
    *,
    domains: Sequence[Flags],
    n_valid: Ints,
    replicates: Floats | None = None,
) -> list[Estimate]:
    """Estimates with the variance of each.

    Args:
        values: (p,) the estimates.
        scores: (n, p) their scores.
        domains: p masks of n rows, from which the degrees of freedom are counted.
        n_valid: (p,) rows with a value.
        replicates: (R, p) the estimates under the replicate weights, for a `ReplicateDesign`.
        design: the design the scores rest on.

    Returns:
        p estimates.

    Source: as for `covariance_of_scores`; R `svyrecvar` inside `svytotal`.
    """
    estimates = []
    degrees: dict[int, int] = {}
    for column, domain in enumerate(domains):
        one = scores[:, column : column + 1]
        if isinstance(design, ReplicateDesign):
            from survey.estimation.replication import replicate_covariance

            assert replicates is not None
            variance = replicate_covariance(
                replicates[:, column : column + 1], values[column : column + 1], design
            )[0, 0]
        else:
            variance = covariance_of_scores(one, design, inside=domain)[0, 0]
        df = degrees.setdefault(id(domain), design.df(domain))
        estimates.append(
            Estimate(
                float(values[column]),
                max(float(variance), 0.0),
                df,
                int(n_valid[column]),
                int((domain & (design.weights != 0)).sum()),
                one[:, 0],
                domain,
                None if replicates is None else replicates[:, column],
            )
        )
    return estimates


def covariance(estimates: Sequence[Estimate], design: AnyDesign) -> Floats:
    """The covariance matrix of several estimates of the same sample, whatever their domains.

    Args:
        estimates: p estimates, each over the rows of this design.

    Returns:
        (p, p) covariance. Two groups asked in the same schools are not independent: their covariance
        through the schools is in here.

    Source: as for `covariance_of_scores`; R `vcov(svyby(…, covmat = TRUE))`.
    """
    if isinstance(design, ReplicateDesign):
        from survey.estimation.replication import replicate_covariance

        return replicate_covariance(_replicates(estimates), np.array([one.value for one in estimates]), design)
    scores = np.column_stack([one.scores for one in estimates])
    return covariance_of_scores(scores, design, inside=union(estimates))


def union(estimates: Sequence[Estimate]) -> Flags:
    """(n,) rows that any of the estimates speaks for.

    Args:
        estimates: at least one.

    Returns:
        (n,) mask.

    Source: a union of masks, no formula; R has none.
    """
    return np.logical_or.reduce([one.domain for one in estimates])


def combine(
    value: float, gradient: Floats, estimates: Sequence[Estimate], design: AnyDesign, df: float | None = None
) -> Estimate:
    """The estimate of a smooth function of several estimates, by its gradient.

    Args:
        value: the function at the estimates.
        gradient: (p,) its partial derivatives there.
        df: degrees of freedom; those of the rows any of them speaks for, when not given.
        design: the design all of them rest on.

    Source: Särndal, Swensson & Wretman (1992), sec. 5.5 (delta method); R `svycontrast`.
    """
    matrix = covariance(estimates, design)
    domain = union(estimates)
    combined = replace(
        estimates[0],
        value=float(value),
        variance=max(float(gradient @ matrix @ gradient), 0.0),
        df=design.df(domain) if df is None else df,
        n=sum(one.n for one in estimates),
        n_rows=sum(one.n_rows for one in estimates),
        scores=np.column_stack([one.scores for one in estimates]) @ gradient,
        domain=domain,
        replicates=None,
    )
    if isinstance(design, ReplicateDesign):
        moved = _replicates(estimates) - np.array([one.value for one in estimates])
        return replace(combined, replicates=value + moved @ gradient)
    return combined


def _replicates(estimates: Sequence[Estimate]) -> Floats:
    """(R, p) the estimates, all of a design with replicate weights, under each of them."""
    columns = []
    for one in estimates:
        assert one.replicates is not None
        columns.append(one.replicates)
    return np.column_stack(columns)
