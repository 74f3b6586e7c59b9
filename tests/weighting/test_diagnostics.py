"""A weighting says aloud how unequal it is, whether its totals are met, and what trimming did."""

from __future__ import annotations

import numpy as np
import pytest

from survey.weighting.calibration import rake
from survey.weighting.diagnostics import ToleranceError, describe_weights
from survey.weighting.margins import Margin
from survey.weighting.trimming import CapError, trim_and_calibrate


def sample(n: int = 400) -> tuple[np.ndarray, list[Margin]]:
    rng = np.random.default_rng(2)
    place, group = rng.choice(["town", "rural"], n, p=[0.8, 0.2]), rng.choice(["a", "b", "c"], n)
    weights = rng.lognormal(0, 0.9, n)
    return weights, [
        Margin("城乡", place, {"town": 5000.0, "rural": 5000.0}),
        Margin("人群", group, {"a": 2000.0, "b": 3000.0, "c": 5000.0}),
    ]


def test_margins_met_are_said_to_be_met_and_the_heaviest_are_named():
    weights, margins = sample()
    made = describe_weights(rake(weights, margins).weights, margins)

    assert made.met and "全部达到" in made.in_words()
    assert made.heaviest[0][0] == int(np.argmax(rake(weights, margins).weights))
    assert made.effective_n == pytest.approx(made.n / made.kish_deff)


def test_margins_that_are_not_met_are_never_called_converged():
    weights, margins = sample()
    made = describe_weights(weights, margins)

    assert not made.met and "没有收敛" in made.in_words()
    assert made.worst is not None and made.worst.margin in ("城乡", "人群")


@pytest.mark.parametrize("tolerance", [-1.0, float("nan"), float("inf")])
def test_a_tolerance_that_is_none_is_refused(tolerance):
    with pytest.raises(ToleranceError):
        describe_weights(np.ones(3), tolerance=tolerance)


def test_trimming_and_raking_in_turn_meets_the_totals_and_tames_the_largest():
    weights, margins = sample()
    groups = np.zeros(len(weights), dtype=np.int64)
    plain = rake(weights, margins)
    made, trimming = trim_and_calibrate(weights, groups, lambda w: rake(w, margins), times_median=3.0)

    assert describe_weights(made.weights, margins).met
    assert trimming.n_trimmed > 0
    assert made.weights.max() < plain.weights.max()
    assert trimming.deff_after < describe_weights(plain.weights).kish_deff


def test_weights_within_the_cap_are_left_as_calibrated():
    weights, margins = sample()
    groups = np.zeros(len(weights), dtype=np.int64)
    made, trimming = trim_and_calibrate(weights, groups, lambda w: rake(w, margins), times_median=1000.0)

    assert trimming.n_trimmed == 0
    assert made.weights == pytest.approx(rake(weights, margins).weights)


def test_a_cap_below_the_median_is_refused():
    weights, margins = sample()
    with pytest.raises(CapError):
        trim_and_calibrate(
            weights, np.zeros(400, dtype=np.int64), lambda w: rake(w, margins), times_median=0.5
        )
