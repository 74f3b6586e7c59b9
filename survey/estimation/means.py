"""Means, proportions and ratios, for all or for a domain.

Enters: columns of values and a design. Leaves: an `Estimate`, its scores w·(y - R x)/X in the
domain and zero outside. A mean is the ratio of a total to a count, a proportion the mean of an
indicator: one formula, told once in `ratio`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from survey.arrays import Flags, Labels, RangeError
from survey.errors import SurveyError
from survey.estimation.linearization import Estimate, estimates_from_scores
from survey.estimation.totals import counted
from survey.sampling.design import AnyDesign, ReplicateDesign


class ZeroDenominatorError(SurveyError):
    """A ratio over a total of zero."""

    code = "estimation.zero_denominator"
    kind = "invalid"


def ratio(
    y: ArrayLike,
    x: ArrayLike,
    design: AnyDesign,
    *,
    domain: Flags | None = None,
    skip_missing: bool = False,
) -> Estimate:
    """The estimated ratio of two totals, `sum w y / sum w x` over the domain.

    Args:
        y: (n,) numerator values.
        x: (n,) denominator values.
        design: the whole sample; never cut to the domain.
        domain: (n,) True for the rows that count; None is all.
        skip_missing: rows with y or x missing leave the domain; their units stay in the design.

    Raises:
        MissingValuesError, EmptyDomainError: see `totals.total`.
        ZeroDenominatorError: `sum w x` is zero.

    Source: Särndal, Swensson & Wretman (1992), result 5.6.2; R `svyratio(~y, ~x, design)`.

    >>> from survey.sampling.design import Design
    >>> ratio([1., 2, 3], [2., 2, 2], Design.simple(np.ones(3))).value
    1.0
    """
    numerator, inside, valid = counted(y, design, domain, skip_missing, x)
    denominator = np.where(valid, np.asarray(x, dtype=np.float64), 0.0)
    weights = design.weights
    total_x = weights @ denominator
    if total_x == 0:
        raise ZeroDenominatorError("比率", "分母的合计是0", "检查分母变量和域的条件")
    value = weights @ numerator / total_x
    scores = (weights * (numerator - value * denominator) / total_x)[:, None]
    replicates = None
    if isinstance(design, ReplicateDesign):
        replicates = ((numerator @ design.replicate_weights) / (denominator @ design.replicate_weights))[
            :, None
        ]
    return estimates_from_scores(
        np.array([value]),
        scores,
        design,
        domains=[inside],
        n_valid=np.array([(valid & (weights != 0)).sum()]),
        replicates=replicates,
    )[0]


def mean(
    y: ArrayLike, design: AnyDesign, *, domain: Flags | None = None, skip_missing: bool = False
) -> Estimate:
    """The estimated mean of y over the domain.

    Args:
        y: (n,) values.
        design, domain, skip_missing: as for `ratio`.

    Source: Särndal, Swensson & Wretman (1992), eq. 5.8.1; R `svymean(~y, subset(design, domain))`.

    >>> from survey.sampling.design import Design
    >>> one = mean([1., 2, 3, 6], Design.simple(np.ones(4)))
    >>> one.value, round(one.se, 4), one.df
    (3.0, 1.0801, 3)
    """
    return ratio(y, np.ones(len(design)), design, domain=domain, skip_missing=skip_missing)


def proportion(
    flags: ArrayLike, design: AnyDesign, *, domain: Flags | None = None, skip_missing: bool = False
) -> Estimate:
    """The estimated share of the domain for which an indicator holds.

    Args:
        flags: (n,) True/False, or 1.0/0.0 with NaN for rows outside the base.
        design, domain, skip_missing: as for `ratio`.

    Raises:
        RangeError: a value is neither 0 nor 1.

    Source: R `svymean(~y, design)` with a 0/1 column; its interval is in `intervals.py`.
    """
    column = np.asarray(flags, dtype=np.float64)
    if not np.isin(column[~np.isnan(column)], (0.0, 1.0)).all():
        raise RangeError("比例的指标", "出现了0和1以外的值", "先按方案换算成是或否，再求比例")
    return mean(column, design, domain=domain, skip_missing=skip_missing)


def by_domain(
    estimator: Callable[..., Estimate],
    *columns: ArrayLike,
    design: AnyDesign,
    groups: Labels,
    **options: object,
) -> dict[object, Estimate]:
    """One estimate for each value of `groups`, in ascending order.

    Args:
        estimator: `total`, `mean`, `proportion` or `ratio`.
        columns: its (n,) columns.
        groups: (n,) label of the domain each row belongs to.
        design: the whole sample.
        options: passed on to the estimator.

    Returns:
        Label → estimate.

    Source: R `svyby(~y, ~groups, design, svymean)`.
    """
    return {
        name.item() if hasattr(name, "item") else name: estimator(
            *columns, design, domain=groups == name, **options
        )
        for name in np.unique(groups)
    }
