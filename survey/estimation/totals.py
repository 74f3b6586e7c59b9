"""Horvitz–Thompson totals, overall and by domain.

Enters: a column of values and a design. Leaves: an `Estimate` whose scores are w·y in the domain
and zero outside. A total of an indicator is a count of people.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from survey.arrays import Flags, Floats, NotFiniteError, flags, floats
from survey.estimation.linearization import (
    EmptyDomainError,
    Estimate,
    MissingValuesError,
    estimates_from_scores,
)
from survey.sampling.design import AnyDesign, ReplicateDesign


def total(
    y: ArrayLike, design: AnyDesign, *, domain: Flags | None = None, skip_missing: bool = False
) -> Estimate:
    """The estimated total of y, `sum w y` over the domain.

    Args:
        y: (n,) values; indicators for a count.
        design: the whole sample; never cut to the domain.
        domain: (n,) True for the rows to add up; None is all.
        skip_missing: rows whose y is NaN leave the domain; their units stay in the design.

    Raises:
        MissingValuesError: y is NaN in the domain and `skip_missing` was not asked for.
        EmptyDomainError: no row with weight is left.

    Source: Särndal, Swensson & Wretman (1992), eq. 2.8.1; R `svytotal(~y, subset(design, domain))`.

    >>> from survey.sampling.design import Design
    >>> count = total([1., 0, 1, 1], Design.simple(np.full(4, 10.0), population=40))
    >>> count.value, round(count.se, 4)
    (30.0, 9.4868)
    """
    values, inside, valid = counted(y, design, domain, skip_missing)
    scores = np.where(valid, design.weights * values, 0.0)[:, None]
    replicates = values_at_replicates(values, design) if isinstance(design, ReplicateDesign) else None
    return estimates_from_scores(
        scores.sum(axis=0),
        scores,
        design,
        domains=[inside],
        n_valid=np.array([(valid & (design.weights != 0)).sum()]),
        replicates=replicates,
    )[0]


def values_at_replicates(values: Floats, design: ReplicateDesign) -> Floats:
    """(R, 1) the total of values under each replicate weight.

    Args:
        values: (n,) with zeros where they do not count.
        design: with replicate weights.

    Returns:
        (R, 1) totals.

    Source: the definition of a replicate estimate; R `colSums(y * repweights)`.
    """
    return (values @ design.replicate_weights)[:, None]


def counted(
    y: ArrayLike, design: AnyDesign, domain: ArrayLike | None, skip_missing: bool, *more: ArrayLike
) -> tuple[Floats, Flags, Flags]:
    """Values with zeros where they do not count, the domain, and the rows that count.

    Args:
        more: further columns that must be there for a row to count.
        y, design, domain, skip_missing: as for `total`.

    Returns:
        (n,) values, (n,) mask of the domain, (n,) mask of the rows that count.

    Raises:
        MissingValuesError, EmptyDomainError: see `total`.
        NotFiniteError: an infinite value in the domain.

    Source: METHOD 1: a domain is a mask, a missing item leaves the base; R `subset(design, …)` with `na.rm =
    TRUE`.
    """
    n = len(design)
    values = floats(y, "变量", length=n)
    inside = flags(domain, "域", n)
    valid = inside.copy()
    for column in (values, *(floats(column, "变量", length=n) for column in more)):
        if np.isinf(column[inside]).any():
            raise NotFiniteError("变量", "含有无穷大", "查明来源，改正后再算")
        valid &= ~np.isnan(column)
    if not skip_missing and (valid != inside).any():
        raise MissingValuesError(
            "变量",
            f"域内有{int((inside & ~valid).sum())}行没有值",
            "写明缺失值的处理办法：跳过（skip_missing）或先插补",
        )
    if not (valid & (design.weights != 0)).any():
        raise EmptyDomainError("域", "没有一条可以计算的记录", "检查域的条件，或者把它与相近的域合并")
    return np.where(valid, values, 0.0), inside, valid
