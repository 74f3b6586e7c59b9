"""A reference vector's dataset, design and steps, turned into the engine's own values.

Enters: the text columns of a CSV and the `design` and `steps` of a vector. Leaves: a `Prepared`
sample: columns, design and domain. A vector's words become those of a spec, and designs and weights
are made by what makes them from a spec, so that a vector that passes says something about both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

import numpy as np

from survey.arrays import Flags, Floats
from survey.columns import Columns as FileColumns
from survey.columns import text_columns
from survey.errors import SurveyError
from survey.sampling.declared_design import (
    DesignSpec,
    MakeReplicatesSpec,
    PpsSpec,
    ReplicatesSpec,
    StageSpec,
    declared_design,
    replicate_design,
    staged_design,
)
from survey.sampling.design import AnyDesign, Design, PpsDesign
from survey.weighting.declared_steps import STEPS, made_replicates
from survey.weighting.declared_weights import WeightFactor, base_weights
from survey.weighting.design_weights import weights_from_sizes
from survey.weighting.step_specs import Calibrate, MarginSpec, Poststratify, Rake, Trim

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
    texts = dataset(vector["dataset"])
    columns, file = typed(texts), text_columns(texts)
    everyone = np.ones(len(file), dtype=bool)
    described = vector.get("design", {"kind": "taylor"})
    design = _design(described, columns, file, dataset)
    sample = Prepared(columns, design, everyone, everyone)
    for step in vector.get("steps", ()):
        sample = _step(sample, step, file, described)
    return sample


def _design(
    spec: Mapping[str, Any], columns: dict[str, np.ndarray], file: FileColumns, dataset: ReadDataset
) -> AnyDesign:
    """The vector's design in the words of a spec, made by what makes a spec's."""
    kind = spec["kind"]
    if kind == "replicate":
        known = spec.get("type") in ("BRR", "Fay")
        words = ReplicatesSpec(
            columns=(spec["replicates"],),
            kind=spec["type"] if known else "other",
            fay=spec.get("rho", 0.0),
            scale=spec.get("scale", None if known else 1.0),
            rscales=tuple(spec.get("rscales", ())),
            combined=spec.get("combined", True),
            mse=spec.get("mse", False),
        )
        table = typed(dataset(spec["replicates"]))
        matrix = np.column_stack([table[f"r{k + 1}"] for k in range(len(table))])
        return replicate_design(words, columns[spec["weight"]], matrix)
    if kind == "pps":
        pps = PpsSpec(
            probability=spec["prob"],
            method=spec["method"],
            variance=spec.get("variance", "HT"),
            joint=spec.get("joint"),
            sum_p2_over_n=spec.get("sum_p2_over_n"),
        )
        weights = 1 / columns[spec["prob"]]
        return declared_design(
            DesignSpec(pps=pps),
            file,
            weights,
            lambda name: np.column_stack(list(typed(dataset(name)).values())),
        )
    if kind != "taylor":
        raise VectorError("设计", f"不认识“{kind}”", "核对向量文件")
    parts = [spec.get(name, ()) for name in ("strata", "ids", "fpc")]
    stages = [
        StageSpec(strata=() if one is None else (one,), units=unit, population=population)
        for one, unit, population in zip_longest(*parts)
    ]
    staged = DesignSpec(
        stages=tuple(stages),
        lonely_psu=spec.get("lonely_psu", "fail"),
        adjust_domain_lonely=spec.get("adjust_domain_lonely", False),
        ultimate_cluster=spec.get("ultimate_cluster", False),
    )
    if "weight" in spec:
        weights, _ = base_weights((WeightFactor(weight=spec["weight"]),), staged, file)
    else:
        weights = weights_from_sizes(staged_design(staged, file, np.ones(len(file))))
    return staged_design(staged, file, weights)


def _step(
    sample: Prepared, step: Mapping[str, Any], file: FileColumns, described: Mapping[str, Any]
) -> Prepared:
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
        words = MakeReplicatesSpec(kind=step["type"])
        return replace(sample, design=made_replicates(words, design))
    if kind not in STEP_WORDS:
        raise VectorError("步骤", f"不认识“{kind}”", "核对向量文件")
    name, spec = STEP_WORDS[kind](step, described)
    changed, _ = STEPS[name](spec, design, file, _no_margin_file)
    return replace(sample, design=changed)


def _margin(one: Mapping[str, Any]) -> MarginSpec:
    by = tuple(one["by"])
    return MarginSpec(
        by=by, totals={"|".join(str(row[v]) for v in by): float(row["total"]) for row in one["totals"]}
    )


def _calibrate(step: Mapping[str, Any], described: Mapping[str, Any]) -> tuple[str, Calibrate]:
    terms = step["terms"]
    unknown = {term["type"] for term in terms} - {"constant", "numeric", "indicator"}
    if unknown:
        raise VectorError("校准变量", f"不认识“{unknown.pop()}”", "核对向量文件")
    return "calibrate", Calibrate(
        distance=step["method"],
        bounds=tuple(step.get("bounds", ())),
        population=next((float(term["total"]) for term in terms if term["type"] == "constant"), None),
        totals={term["var"]: float(term["total"]) for term in terms if term["type"] == "numeric"},
        some_levels=tuple(
            MarginSpec(by=(term["var"],), totals={str(term["level"]): float(term["total"])})
            for term in terms
            if term["type"] == "indicator"
        ),
        one_factor_per=described["ids"][0] if step.get("aggregate_by_cluster") else None,
    )


STEP_WORDS: dict[str, Callable[[Mapping[str, Any], Mapping[str, Any]], tuple[str, Any]]] = {
    "poststratify": lambda step, _: (
        "poststratify",
        Poststratify(by=_margin(step).by, totals=_margin(step).totals),
    ),
    "rake": lambda step, _: (
        "rake",
        Rake(margins=tuple(_margin(one) for one in step["margins"]), tolerance=1e-12),
    ),
    "calibrate": _calibrate,
    "trim_weights": lambda step, _: (
        "trim",
        Trim(upper=step.get("upper"), lower=step.get("lower"), strict=step.get("strict", False)),
    ),
}


def _no_margin_file(name: str) -> Mapping[str, Mapping[str, float]]:
    raise VectorError(f"边际的文件“{name}”", "参考值不用文件", "核对向量文件")


def names_of(column: np.ndarray) -> list[str]:
    """Values as the names a category goes by: whole numbers without a point, missing as empty text."""
    if column.dtype.kind != "f":
        return [str(value) for value in column]
    return ["" if np.isnan(value) else f"{value:.15g}" for value in column]
