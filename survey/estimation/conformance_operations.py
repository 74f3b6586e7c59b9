"""The operations of the reference vectors, each as a call of the engine's own functions.

Enters: a prepared sample and the operation. Leaves: a plain mapping in the shape of a vector's
`expected`. An operation that is not listed is refused, so a vector is never passed by being skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from typing import Any

import numpy as np

from survey.arrays import Floats
from survey.errors import SurveyError
from survey.estimation import comparison, intervals
from survey.estimation.conformance_designs import Prepared, VectorError, names_of, satisfied
from survey.estimation.design_effect import design_effect, effective_n, kish_deff
from survey.estimation.linearization import Estimate, covariance
from survey.estimation.means import mean, proportion, ratio
from survey.estimation.quantiles import quantile
from survey.estimation.table_tests import table_test
from survey.estimation.totals import total
from survey.fieldwork.outcome_rates import weighted_response_rate
from survey.sampling.design import ReplicateDesign
from survey.weighting.nonresponse import adjust_within_cells, cell_factors

Keyed = list[tuple[str, dict[str, Any], Estimate, Floats]]
STATISTICS = {"mean": mean, "total": total}


def _estimates(
    sample: Prepared, op: Mapping[str, Any], stat: str, domain: np.ndarray
) -> list[tuple[str, Estimate, Floats]]:
    """(key, estimate, column) for every variable, level by level for a categorical one."""
    if stat == "ratio":
        y, x = sample.numbers(op["numerator"]), sample.numbers(op["denominator"])
        one = ratio(y, x, sample.design, domain=domain, skip_missing=bool(op.get("na_rm")))
        return [(f"{op['numerator']}/{op['denominator']}", one, y)]
    missing = np.zeros(len(domain), dtype=bool)
    for name in op["vars"]:
        column = sample.column(name)
        missing |= column == "" if sample.is_categorical(name) else np.isnan(column)
    found = []
    for name in op["vars"]:
        column = sample.column(name)
        if sample.is_categorical(name):
            levels = sorted(set(column) - {""})
            parts = [(f"{name}={level}", (column == level).astype(float)) for level in levels]
        else:
            parts = [(name, column)]
        for key, values in parts:
            values = np.where(missing, np.nan, values)
            found.append(
                (
                    key,
                    STATISTICS[stat](
                        values, sample.design, domain=domain, skip_missing=bool(op.get("na_rm"))
                    ),
                    values,
                )
            )
    return found


def _row(key: str, one: Estimate, level: float) -> dict[str, Any]:
    bounds = intervals.t_interval(one.value, one.variance, one.df, level)
    return {
        "key": key,
        "estimate": one.value,
        "se": one.se,
        "cv": one.cv,
        "lower": None if bounds is None else bounds.lower,
        "upper": None if bounds is None else bounds.upper,
    }


def point(sample: Prepared, op: Mapping[str, Any]) -> dict[str, Any]:
    """mean, total, ratio."""
    level = op.get("level", 0.95)
    found = _estimates(sample, op, op["name"], sample.domain)
    rows = []
    for key, one, values in found:
        row = _row(key, one, level)
        if "deff" in op:
            row["deff"] = design_effect(
                one, values, sample.design, of=op["name"], against=op["deff"], domain=sample.domain
            )
        rows.append(row)
    return {
        "df": sample.design.df(sample.domain),
        "level": level,
        "rows": rows,
        "vcov": covariance([one for _, one, _ in found], sample.design).tolist(),
        "n": int(sample.kept.sum()),
        "sum_weights": float(sample.design.weights[sample.domain].sum()),
    }


def _domains(sample: Prepared, by: list[str]) -> list[tuple[dict[str, str], np.ndarray]]:
    """The combinations with rows, the first variable fastest, each with its mask."""
    names = {v: np.array(names_of(sample.column(v))) for v in by}

    def ordered(v: str) -> list[str]:
        present = sorted(set(names[v][sample.domain]) - {""})
        return present if sample.is_categorical(v) else sorted(present, key=float)

    combinations: list[dict[str, str]] = [{}]
    for v in reversed(by):
        combinations = [{v: level, **rest} for rest in combinations for level in ordered(v)]
    masks = []
    for combination in combinations:
        mask = sample.domain.copy()
        for v in by:
            mask &= names[v] == combination[v]
        if mask.any():
            masks.append(({v: combination[v] for v in by}, mask))
    return masks


def _by(sample: Prepared, op: Mapping[str, Any]) -> Keyed:
    per_domain = [
        (names, mask, _estimates(sample, op, op["stat"], mask)) for names, mask in _domains(sample, op["by"])
    ]
    return [
        (found[at][0], {"names": names, "mask": mask}, found[at][1], found[at][2])
        for at in range(len(per_domain[0][2]))
        for names, mask, found in per_domain
    ]


def by(sample: Prepared, op: Mapping[str, Any]) -> dict[str, Any]:
    level = op.get("level", 0.95)
    found = _by(sample, op)
    rows = []
    for key, where, one, values in found:
        row = {
            "domain": where["names"],
            **_row(key, one, level),
            "n": one.n_rows,
            "n_valid": one.n,
            "df": one.df,
        }
        if "deff" in op:
            row["deff"] = design_effect(
                one, values, sample.design, of=op["stat"], against=op["deff"], domain=where["mask"]
            )
        rows.append(row)
    return {
        "df_design": sample.design.df(sample.domain),
        "level": level,
        "rows": rows,
        "vcov": covariance([one for _, _, one, _ in found], sample.design).tolist(),
    }


def _indicator(sample: Prepared, op: Mapping[str, Any]) -> Floats:
    column = sample.column(op["var"])
    if "value" not in op:
        return sample.numbers(op["var"])
    return np.where(column == "", np.nan, (column == op["value"]).astype(float))


def proportion_ci(sample: Prepared, op: Mapping[str, Any]) -> dict[str, Any]:
    one = proportion(
        _indicator(sample, op), sample.design, domain=sample.domain, skip_missing=bool(op.get("na_rm"))
    )
    level = op.get("level", 0.95)
    df = inf if op.get("df") == "Inf" else op.get("df", one.df)
    # R's beta takes the design's own degrees of freedom whatever df it is given.
    used = one.df if op["method"] in ("beta", "korn_graubard") else df
    # R counts the rows of the design there, not the values; everywhere else n is values.
    n = one.n_rows if op["method"] == "beta" else one.n
    bounds = intervals.proportion_interval(one.value, one.variance, n, used, level, op["method"])
    key = f'I({op["var"]}=="{op["value"]}")' if "value" in op else op["var"]
    row = {
        "key": key,
        "estimate": one.value,
        "se": one.se,
        "lower": None if bounds is None else bounds.lower,
        "upper": None if bounds is None else bounds.upper,
    }
    return {
        "df": df,
        "level": level,
        "rows": [row],
        "n": one.n,
        "n_eff": None if bounds is None else bounds.n_eff,
        "n_eff_df": None if bounds is None else bounds.n_eff_df,
    }


def quantiles(sample: Prepared, op: Mapping[str, Any]) -> dict[str, Any]:
    found = [
        quantile(
            sample.numbers(op["var"]),
            sample.design,
            p,
            domain=sample.domain,
            skip_missing=bool(op.get("na_rm")),
            rule=op["rule"],
            interval=op["interval"],
        )
        for p in op["probs"]
    ]
    rows = [
        {
            "key": f"{one.probability:g}",
            "estimate": one.value,
            "lower": one.lower,
            "upper": one.upper,
            "se": one.se,
        }
        for one in found
    ]
    return {"df": found[0].df, "level": 0.95, "rows": rows}


def contrast(sample: Prepared, op: Mapping[str, Any]) -> dict[str, Any]:
    of = op["of"]
    if of["name"] == "by":
        parts = [(next(iter(where["names"].values())), one) for _, where, one, _ in _by(sample, of)]
    else:
        parts = [(key, one) for key, one, _ in _estimates(sample, of, of["name"], sample.domain)]
    df = sample.design.df(sample.domain)
    made = {
        name: comparison.expression(how, dict(parts), sample.design, df=df)
        if isinstance(how, str)
        else comparison.contrast(how, [one for _, one in parts], sample.design, df=df)
        for name, how in op["contrasts"].items()
    }
    rows = []
    for name, one in made.items():
        test = comparison.t_test(one)
        rows.append({**_row(name, one, 0.95), "t": test.statistic, "p_value": test.p_value})
    return {
        "df": df,
        "level": 0.95,
        "rows": rows,
        "vcov": covariance(list(made.values()), sample.design).tolist(),
    }


def ttest(sample: Prepared, op: Mapping[str, Any]) -> dict[str, Any]:
    y = sample.numbers(op["y"])
    valid = sample.domain & ~np.isnan(y)
    if "group" in op:
        group = np.array(names_of(sample.column(op["group"])))
        valid &= group != ""
        low, high = sorted(set(group[valid]))
        one = comparison.difference_of_domains(
            y, valid & (group == low), valid & (group == high), sample.design
        )
        key = "difference in mean"
    else:
        one, key = mean(y, sample.design, domain=valid), "mean"
    df = sample.design.df(valid) - 1
    test = comparison.t_test(one, df=df)
    bounds = intervals.t_interval(one.value, one.variance, df)
    return {
        "df": df,
        "t": test.statistic,
        "p_value": test.p_value,
        "level": 0.95,
        "rows": [
            {
                "key": key,
                "estimate": one.value,
                "lower": None if bounds is None else bounds.lower,
                "upper": None if bounds is None else bounds.upper,
            }
        ],
    }


def threshold(sample: Prepared, op: Mapping[str, Any]) -> dict[str, Any]:
    one = proportion(sample.numbers(op["var"]), sample.design, domain=sample.domain, skip_missing=True)
    test = comparison.threshold_test(one, op["threshold"])
    return {
        "df": one.df,
        "estimate": one.value,
        "se": one.se,
        "t": test.t,
        "p_value": test.p_value,
        "lower_95_one_sided_linear": test.lower_linear,
        "lower_95_one_sided_logit": test.lower_logit,
        "point_rule_pass": test.point_rule_pass,
        "bound_rule_pass": test.bound_rule_pass,
    }


def chisq(sample: Prepared, op: Mapping[str, Any]) -> dict[str, Any]:
    first, second = op["vars"]
    domain = None if sample.domain.all() else sample.domain
    made = table_test(
        sample.column(first), sample.column(second), sample.design, statistic=op["statistic"], domain=domain
    )
    return {
        "statistic": made.test.statistic,
        "parameters": list(made.test.df),
        "p_value": made.test.p_value,
        "observed": made.observed.tolist(),
        "levels": {first: list(made.levels[0]), second: list(made.levels[1])},
    }


def described(weights: Floats) -> dict[str, Any]:
    """A column of weights as the vectors describe it."""
    return {
        "n": len(weights),
        "sum": float(weights.sum()),
        "sum_sq": float((weights**2).sum()),
        "min": float(weights.min()),
        "max": float(weights.max()),
        "kish_deff": kish_deff(weights),
        "weights": weights.tolist(),
        "first_25": weights[:25].tolist(),
    }


def weights(sample: Prepared, op: Mapping[str, Any]) -> dict[str, Any]:
    return described(sample.design.weights[sample.domain])


def replicate_weights(sample: Prepared, op: Mapping[str, Any]) -> dict[str, Any]:
    design = sample.design
    if not isinstance(design, ReplicateDesign):
        raise VectorError("重复权数", "设计里没有", "核对向量文件")
    matrix = design.replicate_weights
    return {
        "n_replicates": matrix.shape[1],
        "scale": design.scale,
        "rscales": design.rscales.tolist(),
        "df": design.df(),
        "column_sums": matrix.sum(axis=0).tolist(),
        "first_row": matrix[0].tolist(),
        "last_row": matrix[-1].tolist(),
        "sum_sq": float((matrix**2).sum()),
    }


def nonresponse(sample: Prepared, op: Mapping[str, Any]) -> dict[str, Any]:
    eligible = ~satisfied(sample.columns, [{**op["exclude"], "op": "=="}])
    answered = satisfied(sample.columns, [{**op["respondent"], "op": "=="}])[eligible]
    cells = np.array(
        ["|".join(p) for p in zip(*(names_of(sample.column(v)) for v in op["cells"]), strict=True)]
    )[eligible]
    base = sample.numbers(op["weight"])[eligible]
    factors = cell_factors(base, cells, answered)
    adjusted = adjust_within_cells(base, cells, answered)
    return {
        **described(adjusted[answered]),
        "factors": [
            {"cell": name, "factor": factors[name]}
            for name in sorted(factors, key=lambda one: one.split("|")[::-1])
        ],
    }


def fails(sample: Prepared, op: Mapping[str, Any]) -> dict[str, Any]:
    """The operation must be refused; anything else than a refusal is a failure of the vector."""
    try:
        WITH_DATA[op["of"]["name"]](sample, op["of"])
    except SurveyError:
        return {"error": True}
    return {"error": False}


def weighted_rate(sample: Prepared, op: Mapping[str, Any]) -> dict[str, Any]:
    mask = satisfied(sample.columns, op["where"])
    return {
        "rate": weighted_response_rate(
            sample.numbers(op["weight"])[mask], sample.column("disposition")[mask], op["numerators"]
        )
    }


def kish(sample: Prepared, op: Mapping[str, Any]) -> dict[str, Any]:
    column = sample.numbers(op["weight"])
    return {"deff": kish_deff(column), "n_eff": effective_n(column)}


WITH_DATA: dict[str, Callable[[Prepared, Mapping[str, Any]], dict[str, Any]]] = {
    "mean": point,
    "total": point,
    "ratio": point,
    "by": by,
    "proportion_ci": proportion_ci,
    "quantile": quantiles,
    "contrast": contrast,
    "ttest": ttest,
    "threshold_test": threshold,
    "chisq": chisq,
    "weights": weights,
    "replicate_weights": replicate_weights,
    "nonresponse_adjust": nonresponse,
    "degf": lambda sample, op: {"df": sample.design.df(sample.domain)},
    "error": fails,
    "weighted_response_rate": weighted_rate,
    "kish_deff": kish,
}
