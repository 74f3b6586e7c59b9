"""The inverse of the inclusion probability: what a case weighs before anything else is known.

Enters: probabilities of every stage, or the sizes of population and sample. Leaves: (n,) weights.
In a census, where everyone was asked, the design weight is one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from survey.arrays import Floats, probabilities
from survey.errors import SurveyError
from survey.sampling.design import Design


class UnknownPopulationError(SurveyError):
    """Weights were to come from population sizes, and a stage has none."""

    code = "weighting.unknown_population"
    kind = "invalid"


def weights_from_probabilities(*stages: ArrayLike) -> Floats:
    """Design weights, the product over stages of 1/π.

    Args:
        stages: per stage, (n,) inclusion probabilities in (0, 1], given the stages before.

    Returns:
        (n,) weights, at least one.

    Raises:
        RangeError: a probability outside (0, 1].

    Source: Särndal, Swensson & Wretman (1992), eq. 2.8.1; R `1/(p1 * p2)`.

    >>> weights_from_probabilities([0.5, 0.25], [1.0, 0.5])
    array([2., 8.])
    """
    return 1 / np.prod([probabilities(stage) for stage in stages], axis=0)


def weights_from_sizes(design: Design) -> Floats:
    """Design weights N/n of every stage multiplied, from the population sizes the design knows.

    Args:
        design: its own weights are not read.

    Returns:
        (n,) weights; a stage whose population is unknown everywhere counts as one to one.

    Raises:
        UnknownPopulationError: a stage has population sizes for some strata only.

    Source: R survey 4.5, `svydesign(fpc = ~N1 + N2)` without weights.

    >>> weights_from_sizes(Design(np.ones(2), population=(np.array([10.0, 10.0]),)))
    array([5., 5.])
    """
    weights = np.ones(len(design))
    for number, stage in enumerate(design.stages):
        known = np.isfinite(stage.population)
        if not known.any():
            continue
        if not known.all():
            name = stage.names[int(np.flatnonzero(~known)[0])]
            raise UnknownPopulationError(
                f"第{number + 1}阶的层“{name}”", "没有总体单位数", "补上总体单位数再算设计权数"
            )
        weights *= (stage.population / stage.sampled)[stage.stratum_of_unit[stage.unit]]
    return weights
