"""A reference vector's dataset, design and steps, turned into the engine's own values.

Enters: the text columns of a CSV and the `design` and `steps` of a vector. Leaves: a `Prepared`
sample: columns, design and domain. Nothing is computed here but by the rooms before this one, so
that a vector that passes says something about them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from survey.arrays import Flags, Floats
from survey.errors import SurveyError
from survey.sampling.design import AnyDesign, Design, PpsDesign, ReplicateDesign
from survey.weighting.calibration import Calibration, calibrate, poststratify, rake, recalibrated
from survey.weighting.design_weights import weights_from_sizes
from survey.weighting.margins import Margin
from survey.weighting.replicates import jackknife_1, jackknife_n
from survey.weighting.trimming import trim_weights

Columns = Mapping[str, Sequence[str]]
ReadDataset = Callable[[str], Columns]


class VectorError(SurveyError):
    """A vector asks for something this product does not know."""

    code = "estimation.vector"
    kind = "invalid"


@dataclass(frozen=True, eq=False)
class Prepared:
    """Columns, the design after its steps, and the domain the operation speaks of."""

    columns: dict[str, np.ndarray]
    design: AnyDesign
    domain: Flags
    kept: Flags
    """Rows that R keeps in the design object: all of them once weights are calibrated or PPS."""

    def column(self, name: str) -> np.ndarray:
        if name not in self.columns:
            raise VectorError(f"变量“{name}”", "数据里没有", "核对数据文件")
        return self.columns[name]

    def numbers(self, name: str) -> Floats:
        column = self.column(name)
        if column.dtype.kind != "f":
            raise VectorError(f"变量“{name}”", "不是数值", "核对数据文件")
        return column

    def is_categorical(self, name: str) -> bool:
        return self.column(name).dtype.kind != "f"


def typed(columns: Columns) -> dict[str, np.ndarray]:
    """Columns as floats where every filled field is a number, otherwise as text; empty is missing.

    >>> typed({"a": ["1", ""], "b": ["x", "2"]})["a"]
    array([ 1., nan])
    """
    result: dict[str, np.ndarray] = {}
    for name, values in columns.items():
        try:
            result[name] = np.array([float(value) if value != "" else np.nan for value in values])
        except ValueError:
            result[name] = np.array([str(value) for value in values])
    return result


def satisfied(columns: dict[str, np.ndarray], conditions: Sequence[Mapping[str, Any]]) -> Flags:
    """(n,) rows for which all conditions hold; a missing value satisfies none."""
    mask = np.ones(len(next(iter(columns.values()))), dtype=bool)
    for condition in conditions:
        column, op, value = columns[condition["var"]], condition["op"], condition["value"]
        if op == "in":
            mask &= np.isin(column, _like(column, value))
            continue
        wanted = _like(column, [value])[0]
        present = column != "" if column.dtype.kind != "f" else ~np.isnan(column)
        compare = {
            "==": np.equal,
            "!=": np.not_equal,
            ">": np.greater,
            ">=": np.greater_equal,
            "<": np.less,
            "<=": np.less_equal,
        }
        if op not in compare:
            raise VectorError("条件", f"不认识“{op}”", "核对向量文件")
        mask &= present & compare[op](column, wanted)
    return mask


def _like(column: np.ndarray, values: Sequence[Any]) -> np.ndarray:
    return (
        np.array([float(v) for v in values])
        if column.dtype.kind == "f"
        else np.array([str(v) for v in values])
    )


def prepared(vector: Mapping[str, Any], dataset: ReadDataset) -> Prepared:
    """The sample a vector speaks of, after all its steps.

    Raises:
        VectorError: a kind of design or step that is not known.
    """
    columns = typed(dataset(vector["dataset"]))
    n = len(next(iter(columns.values())))
    everyone = np.ones(n, dtype=bool)
    design = _design(vector.get("design", {"kind": "taylor"}), columns, dataset, n)
    sample = Prepared(columns, design, everyone, everyone)
    for step in vector.get("steps", ()):
        sample = _step(sample, step)
    return sample


def _design(
    spec: Mapping[str, Any], columns: dict[str, np.ndarray], dataset: ReadDataset, n: int
) -> AnyDesign:
    kind = spec["kind"]
    if kind == "replicate":
        weights = columns[spec["weight"]]
        table = typed(dataset(spec["replicates"]))
        matrix = np.column_stack([table[f"r{k + 1}"] for k in range(len(table))])
        if spec.get("combined") is False:
            matrix = matrix * weights[:, None]
        count = matrix.shape[1]
        scale = {"BRR": 1 / count, "Fay": 1 / (count * (1 - spec.get("rho", 0.0)) ** 2)}.get(
            spec.get("type", ""), 1.0
        )
        return ReplicateDesign(
            weights,
            matrix,
            spec.get("scale", scale),
            np.array(spec.get("rscales", [1.0] * count)),
            spec.get("mse", False),
        )
    if kind == "pps":
        probability = columns[spec["prob"]]
        joint = None
        if "joint" in spec:
            table = typed(dataset(spec["joint"]))
            joint = np.column_stack(list(table.values()))
        return PpsDesign(
            1 / probability,
            probability,
            spec["method"],
            joint,
            spec.get("variance", "HT"),
            spec.get("sum_p2_over_n"),
        )
    if kind != "taylor":
        raise VectorError("设计", f"不认识“{kind}”", "核对向量文件")
    design = Design(
        columns[spec["weight"]] if "weight" in spec else np.ones(n),
        tuple(columns[name] for name in spec.get("strata", ())),
        tuple(columns[name] for name in spec.get("ids", ())),
        tuple(columns[name] for name in spec.get("fpc", ())),
        spec.get("lonely_psu", "fail"),
        spec.get("adjust_domain_lonely", False),
        spec.get("ultimate_cluster", False),
    )
    return design if "weight" in spec else design.with_weights(weights_from_sizes(design))


def _step(sample: Prepared, step: Mapping[str, Any]) -> Prepared:
    kind, design = step["step"], sample.design
    if kind == "subset":
        inside = sample.domain & satisfied(sample.columns, step["where"])
        calibrated = isinstance(design, PpsDesign) or (
            isinstance(design, Design) and bool(design.adjustments)
        )
        return replace(sample, domain=inside, kept=sample.kept if calibrated else inside)
    if not sample.domain.all():
        raise VectorError("步骤", f"“{kind}”排在取域之后", "先加权，再取域")
    if kind == "as_replicates":
        makers = {"JK1": jackknife_1, "JKn": jackknife_n}
        return replace(sample, design=makers[step["type"]](design))
    if kind == "trim_weights":

        def change(weights: Floats) -> Floats:
            return trim_weights(
                weights,
                upper=step.get("upper", np.inf),
                lower=step.get("lower", -np.inf),
                strict=step.get("strict", False),
            ).weights
    elif kind in ("poststratify", "rake", "calibrate"):
        change = _calibration(sample, step)
    else:
        raise VectorError("步骤", f"不认识“{kind}”", "核对向量文件")
    if isinstance(design, ReplicateDesign):
        return replace(sample, design=recalibrated(design, change))
    changed = change(design.weights)
    if isinstance(changed, Calibration):
        return replace(sample, design=changed.applied_to(design))
    return replace(sample, design=design.with_weights(changed))


def _calibration(sample: Prepared, step: Mapping[str, Any]) -> Callable[[Floats], Calibration]:
    """The step as a function of weights."""
    if step["step"] == "poststratify":
        margin = _margin(sample, step["by"], step["totals"])
        return lambda weights: poststratify(weights, margin)
    if step["step"] == "rake":
        margins = [_margin(sample, one["by"], one["totals"]) for one in step["margins"]]
        return lambda weights: rake(weights, margins, tolerance=1e-12, max_sweeps=2000)
    terms = step["terms"]
    n = len(sample.domain)
    auxiliary = np.column_stack([_term(sample, term, n) for term in terms])
    totals = [term["total"] for term in terms]
    clusters = None
    if step.get("aggregate_by_cluster"):
        assert isinstance(sample.design, Design)
        clusters = sample.design.stages[0].unit
    return lambda weights: calibrate(
        weights,
        auxiliary,
        totals,
        distance=step["method"],
        bounds=tuple(step["bounds"]) if "bounds" in step else None,
        clusters=clusters,
        names=[term.get("level", term.get("var", term["type"])) for term in terms],
        tolerance=1e-12,
    )


def _margin(sample: Prepared, by: Sequence[str], totals: Sequence[Mapping[str, Any]]) -> Margin:
    joined = np.array(
        ["|".join(parts) for parts in zip(*(names_of(sample.column(v)) for v in by), strict=True)]
    )
    known = {"|".join(str(row[v]) for v in by): float(row["total"]) for row in totals}
    return Margin("×".join(by), joined, known)


def _term(sample: Prepared, term: Mapping[str, Any], n: int) -> Floats:
    if term["type"] == "constant":
        return np.ones(n)
    if term["type"] == "numeric":
        return sample.numbers(term["var"])
    if term["type"] == "indicator":
        return (np.array(names_of(sample.column(term["var"]))) == str(term["level"])).astype(float)
    raise VectorError("校准变量", f"不认识“{term['type']}”", "核对向量文件")


def names_of(column: np.ndarray) -> list[str]:
    """Values as the names a category goes by: whole numbers without a point, missing as empty text."""
    if column.dtype.kind != "f":
        return [str(value) for value in column]
    return ["" if np.isnan(value) else f"{value:.15g}" for value in column]
