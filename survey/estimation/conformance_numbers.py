"""The operations of the reference vectors that need no data: sizes, allocations, draws, rates.

Enters: the operation's own numbers. Leaves: a plain mapping in the shape of a vector's `expected`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import ceil, inf
from typing import Any

import numpy as np

from survey.estimation.design_effect import nchs_presentation
from survey.fieldwork.outcome_rates import Dispositions, outcome_rates
from survey.sampling import allocation, joint_probabilities, sample_size, selection


def _size(n: float, **more: Any) -> dict[str, Any]:
    return {"n": n, "n_rounded": ceil(n - 1e-9), **more}


def n_proportion(op: Mapping[str, Any]) -> dict[str, Any]:
    shared: dict[str, Any] = {"level": op.get("level", 0.95), "z": op.get("z")}
    goal: dict[str, Any] = {
        "half_width": op.get("moe"),
        "relative_half_width": op.get("relative_moe"),
        "cv": op.get("cv"),
    }
    n = sample_size.n_proportion(
        op["p"], **goal, **shared, population=op.get("population", inf), correction=op["fpc_form"]
    )
    n0 = sample_size.n_proportion(op["p"], **goal, **shared, correction=op["fpc_form"])
    return _size(n, n0=n0, published=ceil(n - 1e-9))


def n_wilson(op: Mapping[str, Any]) -> dict[str, Any]:
    n = sample_size.n_proportion_wilson(op["p"], op["half_width"], op["level"])
    lower, upper = sample_size.wilson_limits(op["p"], n, op["level"])
    return _size(n, lower=lower, upper=upper)


def n_two(op: Mapping[str, Any]) -> dict[str, Any]:
    n = sample_size.n_two_proportions(
        op["p1"],
        op["p2"],
        p_both=op["p_both"],
        overlap=op["overlap"],
        alternative=op["alternative"],
        alpha=op["alpha"],
        power=op["power"],
    )
    return {"n1": ceil(n - 1e-9), "n2": ceil(n - 1e-9), "n1_unrounded": n}


def n_plan(op: Mapping[str, Any]) -> dict[str, Any]:
    made = sample_size.n_planned(
        op["p"],
        op["moe"],
        level=op["level"],
        deff=op["deff"],
        response_rate=op["response_rate"],
        population=op["population"],
    )
    return {
        "n0": made.n0,
        "n_complete": made.n_complete,
        "n_complete_rounded": made.n_complete_rounded,
        "n_invite": made.n_invite,
    }


def allocate(op: Mapping[str, Any]) -> dict[str, Any]:
    rules = {
        "proportional": lambda: allocation.proportional(op["n"], op["sizes"]),
        "neyman": lambda: allocation.neyman(op["n"], op["sizes"], op["sds"]),
        "cost": lambda: allocation.for_cost(op["cost"], op["sizes"], op["sds"], op["unit_costs"]),
        "power": lambda: allocation.power(op["n"], op["sizes"], op["power"]),
    }
    return {"allocation": rules[op["rule"]]().tolist()}


def allocate_integer(op: Mapping[str, Any]) -> dict[str, Any]:
    made = allocation.allocate_integer(op["n"], op["sizes"], op["minimum"])
    return {"allocation": made.tolist(), "total": int(made.sum())}


def optimum(op: Mapping[str, Any]) -> dict[str, Any]:
    made = sample_size.two_stage_optimum(
        op["cost_psu"], op["cost_unit"], op["icc"], op["unit_relvariance"], op["total_cost"]
    )
    return {"n_psu": made.n_psu, "n_per_psu": made.n_per_psu, "cv": made.cv}


def inclusion(op: Mapping[str, Any]) -> dict[str, Any]:
    pik = selection.inclusion_probabilities(op["sizes"], op["n"])
    below = pik[pik < 1]
    return {
        "pik": pik.tolist(),
        "sum": float(pik.sum()),
        "n_certainty": int((pik == 1).sum()),
        "max_below_one": float(below.max()) if below.size else -inf,
        "sum_sq": float((pik**2).sum()),
    }


def systematic(op: Mapping[str, Any]) -> dict[str, Any]:
    pik = selection.inclusion_probabilities(op["sizes"], op["n"])
    return {"pik": pik.tolist(), "selected": (selection.systematic_pps(pik, op["start"]) + 1).tolist()}


def rates(op: Mapping[str, Any]) -> dict[str, Any]:
    counts = op["counts"]
    return dict(
        outcome_rates(
            Dispositions(
                counts["I"],
                counts["P"],
                counts["R"],
                counts["NC"],
                counts["O"],
                counts["U"],
                counts["ineligible"],
            )
        )
    )


def presentation(op: Mapping[str, Any]) -> dict[str, Any]:
    made = nchs_presentation(op["p"], op["n"], op["n_eff"], op["df"], op["lower"], op["upper"])
    return {"decision": made.decision, "flags": list(made.flags)}


WITHOUT_DATA: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "n_proportion": n_proportion,
    "n_proportion_wilson": n_wilson,
    "n_proportion_logodds": lambda op: _size(
        sample_size.n_proportion_logodds(op["p"], op["half_width"], op["level"], op["population"])
    ),
    "n_mean": lambda op: _size(sample_size.n_mean(op["sd"], op["moe"], op["level"], op["population"])),
    "n_two_proportions": n_two,
    "n_proportion_plan": n_plan,
    "allocate": allocate,
    "allocate_integer": allocate_integer,
    "two_stage_optimum": optimum,
    "cluster_deff": lambda op: {
        "deff": sample_size.cluster_deff(op["icc"], op["cluster_size"], op["kish_weight_deff"])
    },
    "achieved_moe": lambda op: {
        "moe": sample_size.achieved_half_width(
            op["p"], op["n"], level=op["level"], deff=op["deff"], population=op["population"]
        )
    },
    "inclusion_probabilities": inclusion,
    "systematic_pps_select": systematic,
    "joint_inclusion": lambda op: {"vcov": joint_probabilities.JOINT[op["method"]](np.array(op["pik"])).tolist()},
    "aapor_rates": rates,
    "nchs_presentation": presentation,
}
