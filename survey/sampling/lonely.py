"""Strata with one drawn unit out of several, joined with the stratum most like them.

Enters: a `Design` and one number for each stratum that was known before anybody answered (size,
share of town schools, last wave's rate). Leaves: the design with those strata joined, and which
joined which, for the report. Joining is preferred to `adjust` and `average` (METHOD step 9), since
it needs no assumption but likeness; likeness by this wave's answers would be choosing one's error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from survey.errors import SurveyError
from survey.sampling.design import Design


class LikenessError(SurveyError):
    """Strata cannot be joined by likeness: a number is missing, or there is nothing to join."""

    code = "sampling.likeness"
    kind = "invalid"


def collapse_lonely(design: Design, likeness: Mapping[str, float]) -> tuple[Design, dict[str, str]]:
    """The design with every lonely first-stage stratum joined to the one most like it.

    Args:
        design: strata and units at the first stage; weights are kept as they are.
        likeness: first-stage stratum (as text) → a finite number known beforehand; the nearest number
            is the most like, the earlier name where two are as near.

    Returns:
        The new design (itself where nothing is lonely), and the strata that were joined: old name → the
        name of the stratum it went into. Populations of joined strata are added; unknown stays unknown.

    Raises:
        LikenessError: a stratum without a finite number, or no other stratum to join.

    Source: Wolter (2007), sec. 2.5, collapsed strata; METHOD 9. R: recode the strata, then
    `svydesign(strata = ~collapsed)`; equal to it on the same coding.

    >>> design = Design(np.ones(5), strata=(np.array(list("aabbc")),), psu=(np.arange(5),))
    >>> joined, which = collapse_lonely(design, {"a": 1.0, "b": 9.0, "c": 8.0})
    >>> which, joined.lonely_strata()
    ({'c': 'b'}, ())
    """
    joined: dict[str, str] = {}
    names = np.array([str(name) for name in _labels(design)])
    units = np.array([f"{s}/{u}" for s, u in zip(names, design.stages[0].unit, strict=True)])
    current = design
    while lonely := current.lonely_strata():
        present = sorted(set(names.tolist()))
        missing = [name for name in present if not np.isfinite(likeness.get(name, np.nan))]
        if missing:
            raise LikenessError(
                f"层“{missing[0]}”", "没有写相似程度的数", "给每一层一个事先知道的数，如学校平均人数"
            )
        small = min(lonely)
        others = [name for name in present if name != small]
        if not others:
            raise LikenessError(f"层“{small}”", "只有这一层，没有可以合并的", "改用adjust，或者按普查处理")
        into = min(others, key=lambda name: (abs(likeness[name] - likeness[small]), name))
        names = np.where(names == small, into, names)
        joined = {old: into if new == small else new for old, new in joined.items()} | {small: into}
        current = _with_strata(design, names, units)
    return current, joined


def _labels(design: Design) -> list[object]:
    if not design.strata or design.strata[0] is None:
        return [""] * len(design)
    return list(design.strata[0])


def _with_strata(design: Design, names: np.ndarray, units: np.ndarray) -> Design:
    """The design under new first-stage strata, its units told apart by where they came from."""
    population = list(design.population)
    if population and population[0] is not None:
        first = design.stages[0]
        of_unit = np.zeros(first.n_units, dtype=object)
        of_unit[first.unit] = names
        sizes: dict[str, float] = {}
        for stratum in range(first.n_strata):
            name = str(of_unit[np.flatnonzero(first.stratum_of_unit == stratum)[0]])
            sizes[name] = sizes.get(name, 0.0) + float(first.population[stratum])
        population[0] = np.array([sizes[name] for name in names])
    return replace(
        design,
        strata=(names, *design.strata[1:]),
        psu=(units, *design.psu[1:]),
        population=tuple(population),
        stages=(),
    )
