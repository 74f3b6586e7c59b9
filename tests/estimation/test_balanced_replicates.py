"""Replicates of the linearised variance: what makes them is the transpose of what makes the variance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from survey.estimation.balanced_replicates import balanced_replicates
from survey.estimation.linearization import deviations_of, gathered_back
from survey.sampling.design import Adjustment, CellAdjustment, Design


def design(rng: Any, lonely: str) -> Design:
    """Strata, schools and persons with finite populations, one stratum of one school; known totals met twice."""
    n = 240
    school = rng.integers(0, 23, n)
    school[:23] = np.arange(23)
    stratum = np.where(school == 22, 9, school % 4)
    kind = school * 2 + rng.integers(0, 2, n)
    population = np.array([30, 12, 40, 6, 0, 0, 0, 0, 0, 8])[stratum]
    persons = np.bincount(kind, minlength=46)[kind] + rng.integers(0, 3, 46)[kind]
    before = rng.uniform(1, 3, n)
    middle, after = before * rng.uniform(0.8, 1.2, n), before * rng.uniform(0.7, 1.3, n)
    after[5] = 0
    return Design(
        after,
        strata=(stratum, kind),
        psu=(school, np.arange(n)),
        population=(population, persons),
        lonely_psu=lonely,  # type: ignore[arg-type]
        adjustments=(
            CellAdjustment(rng.integers(0, 5, n), middle, after),
            Adjustment(np.column_stack([np.ones(n), rng.normal(size=(n, 2))]), before, after),
        ),
    )


@pytest.mark.parametrize("lonely", ["adjust", "average", "remove", "certainty"])
def test_gathering_back_is_the_transpose_of_the_deviations(lonely: str) -> None:
    rng = np.random.default_rng(7)
    made = design(rng, lonely)
    whole = [deviation * np.sqrt(factor)[:, None] for deviation, factor in deviations_of(np.eye(len(made)), made)]
    waves = [rng.normal(size=(len(one), 3)) for one in whole]

    told = gathered_back(waves, made)

    assert len(whole) == 2
    np.testing.assert_allclose(told, np.concatenate(whole).T @ np.concatenate(waves), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("lonely", ["adjust", "average"])
def test_the_replicates_give_the_linearised_variance(lonely: str) -> None:
    rng = np.random.default_rng(8)
    made = design(rng, lonely)
    y = rng.normal(size=len(made))
    scores = (made.weights * y)[:, None]
    linearised = sum(float((factor @ deviation**2)[0]) for deviation, factor in deviations_of(scores, made))

    replicates = balanced_replicates(made, most=512)

    totals = y @ replicates.replicate_weights
    assert replicates.scale * ((totals - y @ made.weights) ** 2).sum() == pytest.approx(linearised, rel=1e-9)
    assert (replicates.replicate_weights[made.weights > 0] > 0).all()
