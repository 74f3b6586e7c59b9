"""NaN and ±inf anywhere are refused by a stable code, never turned into a figure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf, nan
from typing import Any

import numpy as np
import pytest

from survey.errors import SurveyError
from survey.estimation import (
    census,
    comparison,
    composite,
    design_effect,
    intervals,
    means,
    quantiles,
    totals,
)
from survey.estimation.disclosure_audit import audit, protect
from survey.sampling import allocation, decision, joint_probabilities, multistage, sample_size, selection
from survey.sampling.design import Design, PpsDesign, ReplicateDesign
from survey.sampling.lonely import collapse_lonely
from survey.weighting import calibration, design_weights, diagnostics, nonresponse, trimming
from survey.weighting.margins import Margin

Y = [1.0, 0.0, 1.0, 1.0]
W = [2.0, 2.0, 3.0, 3.0]
HALF = np.array(list("aabb"))
ASKED = np.array([True, True, True, False])
DESIGN = Design(np.array(W), psu=(np.arange(4),))


def design(weights=W, population=(9.0, 9.0, 9.0, 9.0)) -> Design:
    return Design(np.array(weights), psu=(np.arange(4),), population=(np.array(population),))


def rake(weights=W, a=10.0, b=10.0):
    return calibration.rake(np.array(weights), [Margin("x", HALF, {"a": a, "b": b})])


def step(weights):
    return rake(weights)


CALLS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "total": (lambda y: totals.total(y, DESIGN), {"y": Y}),
    "mean": (lambda y: means.mean(y, DESIGN), {"y": Y}),
    "ratio": (lambda y, x: means.ratio(y, x, DESIGN), {"y": Y, "x": [1.0, 1.0, 2.0, 1.0]}),
    "proportion": (lambda y: means.proportion(y, DESIGN), {"y": Y}),
    "quantile": (
        lambda y, probability, level: quantiles.quantile(y, DESIGN, probability, level=level),
        {"y": Y, "probability": 0.5, "level": 0.95},
    ),
    "design": (design, {"weights": W}),
    "pps design": (lambda w, p: PpsDesign(np.array(w), np.array(p)), {"w": W, "p": [0.5, 0.5, 0.4, 0.4]}),
    "replicate design": (
        lambda w, r, scale, rscales: ReplicateDesign(
            np.array(w), np.column_stack([r, r]), scale, np.array(rscales)
        ),
        {"w": W, "r": W, "scale": 1.0, "rscales": [1.0, 1.0]},
    ),
    "weighted variance": (lambda y: design_effect.weighted_variance(y, DESIGN), {"y": [1.0, 0.0, 2.0, 1.0]}),
    "kish": (design_effect.kish_deff, {"weights": W}),
    "effective n": (design_effect.effective_n, {"weights": W}),
    "intraclass": (design_effect.intraclass_correlation, {"deff": 1.4, "kish": 1.1, "cluster_size": 5.0}),
    "korn_graubard": (
        lambda p, variance, level: intervals.korn_graubard(p, variance, 100, 12, level),
        {"p": 0.9, "variance": 0.001, "level": 0.95},
    ),
    "t_interval": (
        lambda value, variance, level: intervals.t_interval(value, variance, 12, level),
        {"value": 0.9, "variance": 0.001, "level": 0.95},
    ),
    "hypergeometric": (lambda level: census.hypergeometric_interval(8, 10, 20, level), {"level": 0.95}),
    "binomial": (lambda level: intervals.binomial_interval(8, 10, level), {"level": 0.95}),
    "planned_n": (lambda rho: intervals.planned_n(100, 10, rho), {"rho": 0.1}),
    "census": (
        census.census_rate,
        {"asked": [20.0, 30.0], "valid": [10.0, 12.0], "satisfied": [8.0, 9.0]},
    ),
    "break even": (census.break_even_rate, {"threshold": 0.85, "rate": 0.9, "response_rate": 0.6}),
    "composite": (
        lambda shares: composite.composite(
            shares, [means.mean(Y, DESIGN, domain=HALF == k) for k in "ab"], DESIGN
        ),
        {"shares": [0.5, 0.5]},
    ),
    "holm": (comparison.holm, {"p_values": [0.1, 0.2]}),
    "false discovery": (comparison.benjamini_hochberg, {"p_values": [0.1, 0.2]}),
    "threshold": (
        lambda threshold: comparison.threshold_test(means.mean(Y, DESIGN), threshold),
        {"threshold": 0.85},
    ),
    "audit": (
        lambda counts: audit(counts, np.ones((1, 3)), np.array([True, True, False])),
        {"counts": [3.0, 20.0, 30.0]},
    ),
    "protect": (lambda counts: protect(counts, np.ones((1, 3)), 5), {"counts": [3.0, 20.0, 30.0]}),
    "n_proportion": (
        lambda p, half_width, level: sample_size.n_proportion(p, half_width=half_width, level=level),
        {"p": 0.85, "half_width": 0.03, "level": 0.95},
    ),
    "n_wilson": (sample_size.n_proportion_wilson, {"p": 0.85, "half_width": 0.03, "level": 0.95}),
    "n_logodds": (sample_size.n_proportion_logodds, {"p": 0.85, "half_width": 0.03, "level": 0.95}),
    "wilson limits": (sample_size.wilson_limits, {"p": 0.85, "n": 100.0, "level": 0.95}),
    "n_mean": (sample_size.n_mean, {"sd": 2.0, "half_width": 0.3, "level": 0.95}),
    "n_two": (
        sample_size.n_two_proportions,
        {"p1": 0.85, "p2": 0.9, "overlap": 0.5, "alpha": 0.05, "power": 0.8},
    ),
    "n_planned": (
        sample_size.n_planned,
        {"p": 0.85, "half_width": 0.03, "level": 0.95, "deff": 1.5, "response_rate": 0.6},
    ),
    "n_for_decision": (
        decision.n_for_decision,
        {"true_rate": 0.9, "threshold": 0.85, "chance": 0.8, "deff": 1.5, "level": 0.95},
    ),
    "half width": (sample_size.achieved_half_width, {"p": 0.85, "n": 400.0, "level": 0.95, "deff": 1.5}),
    "cluster deff": (sample_size.cluster_deff, {"rho": 0.05, "cluster_size": 25.0, "kish_weight_deff": 1.2}),
    "two stages": (
        sample_size.two_stage_optimum,
        {"cost_psu": 100.0, "cost_unit": 2.0, "rho": 0.05, "unit_relvariance": 0.2, "total_cost": 9000.0},
    ),
    "chance": (
        decision.chance_of_reaching,
        {"true_rate": 0.88, "threshold": 0.85, "n": 400.0, "deff": 1.5, "level": 0.95},
    ),
    "proportional": (allocation.proportional, {"n": 10.0, "sizes": [30.0, 70.0]}),
    "neyman": (allocation.neyman, {"n": 10.0, "sizes": [30.0, 70.0], "sds": [1.0, 2.0]}),
    "for cost": (
        allocation.for_cost,
        {"cost": 10.0, "sizes": [30.0, 70.0], "sds": [1.0, 2.0], "unit_costs": [1.0, 2.0]},
    ),
    "power": (allocation.power, {"n": 10.0, "sizes": [30.0, 70.0], "exponent": 0.5}),
    "several goals": (
        lambda sizes, sds, half: allocation.several_goals(sizes, [sds], [half]),
        {"sizes": [300.0, 700.0], "sds": [1.0, 2.0], "half": 0.2},
    ),
    "inclusion": (lambda sizes: selection.inclusion_probabilities(sizes, 1), {"sizes": [30.0, 70.0]}),
    "systematic": (lambda start: selection.systematic(2, 10, start), {"start": 0.5}),
    "systematic pps": (
        lambda inclusion, start: selection.systematic_pps(np.array(inclusion), start),
        {"inclusion": [0.5, 0.5], "start": 0.5},
    ),
    "simple random": (
        lambda uniforms: selection.simple_random(np.array(uniforms), 1),
        {"uniforms": [0.5, 0.2]},
    ),
    "sampford": (lambda inclusion: selection.sampford(np.array(inclusion), "x"), {"inclusion": [0.5, 0.5]}),
    "maximum entropy": (
        lambda inclusion: selection.maximum_entropy(np.array(inclusion), np.array([0.1, 0.2])),
        {"inclusion": [0.5, 0.5]},
    ),
    **{
        f"joint {name}": (lambda inclusion, one=one: one(np.array(inclusion)), {"inclusion": [0.5, 0.5]})
        for name, one in joint_probabilities.JOINT.items()
    },
    "stages": (
        lambda sizes: multistage.draw_stages([[20], [30]], 1, 1, "x", school_sizes=sizes),
        {"sizes": [20.0, 30.0]},
    ),
    "likeness": (
        lambda a: collapse_lonely(Design(np.ones(3), strata=(np.array(list("aab")),)), {"a": a, "b": 1.0}),
        {"a": 2.0},
    ),
    "probabilities": (design_weights.weights_from_probabilities, {"stages": [0.5, 0.2]}),
    "poststratify": (
        lambda weights, a: calibration.poststratify(
            np.array(weights), Margin("x", HALF, {"a": a, "b": 10.0})
        ),
        {"weights": W, "a": 10.0},
    ),
    "rake": (rake, {"weights": W, "a": 10.0}),
    "calibrate": (
        lambda weights, x, total: calibration.calibrate(np.array(weights), np.array(x)[:, None], [total]),
        {"weights": W, "x": [1.0, 1.0, 1.0, 2.0], "total": 20.0},
    ),
    "calibrate in bounds": (
        lambda low, high: calibration.calibrate(
            np.array(W), np.ones((4, 1)), [11.0], distance="logit", bounds=(low, high)
        ),
        {"low": 0.3, "high": 3.0},
    ),
    "trim": (lambda weights: trimming.trim_weights(np.array(weights), upper=5.0), {"weights": W}),
    "trim to median": (
        lambda weights, times: trimming.trim_to_median(
            np.array(weights), np.zeros(4, dtype=np.int64), times_median=times
        ),
        {"weights": W, "times": 5.0},
    ),
    "within cells": (
        lambda weights: nonresponse.adjust_within_cells(np.array(weights), HALF, ASKED),
        {"weights": W},
    ),
    "cell factors": (
        lambda weights: nonresponse.cell_factors(np.array(weights), HALF, ASKED),
        {"weights": W},
    ),
    "collapse": (
        lambda weights: nonresponse.collapse_cells(HALF, ASKED, np.array(weights), {}, minimum=1),
        {"weights": W},
    ),
    "propensities": (
        lambda x, weights: nonresponse.response_propensities(np.array(x)[:, None], ASKED, weights),
        {"x": [0.1, 0.9, 0.4, 0.5], "weights": W},
    ),
    "by propensity": (
        lambda weights, p: nonresponse.adjust_by_propensity(np.array(weights), np.array(p), ASKED, classes=1),
        {"weights": W, "p": [0.5, 0.6, 0.4, 0.4]},
    ),
    "describe": (lambda weights: diagnostics.describe_weights(np.array(weights)), {"weights": W}),
}


def spoiled() -> Iterator[tuple[str, Callable[..., Any], dict[str, Any]]]:
    """Every call with one number in turn replaced by NaN, inf and -inf."""
    for name, (function, arguments) in CALLS.items():
        for key, value in arguments.items():
            for bad in (nan, inf, -inf):
                if isinstance(value, list):
                    spoilt: Any = [bad, *value[1:]]
                else:
                    spoilt = bad
                yield f"{name}: {key}={bad}", function, arguments | {key: spoilt}


def call(function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    if function is design_weights.weights_from_probabilities:
        return function(arguments["stages"])
    return function(**arguments)


@pytest.mark.parametrize("name", CALLS)
def test_the_call_itself_is_good(name):
    function, arguments = CALLS[name]
    call(function, arguments)


def test_nan_and_infinities_are_refused_wherever_a_number_is_asked():
    passed = []
    for name, function, arguments in spoiled():
        try:
            with np.errstate(all="ignore"):
                call(function, arguments)
        except SurveyError as error:
            assert error.code.count(".") == 1 and error.remedy, name
            continue
        except Exception as error:
            passed.append(f"{name}: {type(error).__name__}")
            continue
        passed.append(name)

    # A missing value leaves the variance of a column, as its docstring says.
    assert passed == ["weighted variance: y=nan"]
