"""The sample a spec speaks of: columns joined and derived, design, weights and their history.

Enters: an `AnalysisSpec`, the columns of its file and a way to the files beside it. Leaves: a
`Sample`, under its base weights and under its final ones. Rows that are not of the sample leave
here, before the design, and are counted; after this nobody drops a row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from survey.arrays import Floats, NotFiniteError, RangeError
from survey.cases.column_expression import read_formula
from survey.columns import Column, Columns, UnknownColumnError, unknown_column
from survey.errors import Fault, FaultsError, SurveyError
from survey.estimation.analysis.spec import AnalysisSpec, Join, columns_needed
from survey.sampling.declared_design import declared_design
from survey.sampling.design import AnyDesign, Design, PpsDesign, ReplicateDesign
from survey.weighting.declared_steps import Progress, apply_steps, made_replicates
from survey.weighting.declared_weights import base_weights
from survey.weighting.history import WeightHistory

ReadTable = Callable[[str], Columns]
"""From the name of a file beside the spec to its columns."""


class JoinError(SurveyError):
    """A file that cannot be joined: a key twice, or a case without a partner."""

    code = "analysis.join"
    kind = "invalid"


class MarginFileError(SurveyError):
    """A file of margins that is none."""

    code = "analysis.margin_file"
    kind = "invalid"


@dataclass(frozen=True, eq=False)
class Sample:
    """A file under a spec's design and weights."""

    columns: Columns
    design: AnyDesign
    base: AnyDesign
    """The same design under the base weights alone."""
    history: WeightHistory
    weighted: bool
    """Whether any step followed the base weights."""
    n_file: int
    notes: list[str] = field(default_factory=list)

    def described(self) -> dict[str, Any]:
        """The design in counts and words, for the report."""
        design = self.design
        found: dict[str, Any] = {"records": len(self.columns), "left_out": self.n_file - len(self.columns)}
        found["df"] = int(design.df())
        if isinstance(design, ReplicateDesign):
            found |= {
                "kind": "replicates",
                "in_words": "重复权数",
                "replicates": len(design.rscales),
                "mse": design.mse,
            }
        elif isinstance(design, PpsDesign):
            found |= {"kind": "pps", "in_words": f"一阶段不等概率，方差用{design.method}"}
        else:
            psus, strata = design.counts()
            found |= {
                "kind": "stages",
                "in_words": f"{len(design.stages)}阶抽样，泰勒线性化"
                if design.psu
                else "每条记录一个抽样单位，泰勒线性化",
                "strata": strata,
                "psus": psus,
                "with_population": [bool(np.isfinite(stage.population).all()) for stage in design.stages],
                "lonely_psu": design.lonely_psu,
                "lonely_strata": list(design.lonely_strata()),
            }
        return found


def sample_of(
    spec: AnalysisSpec, columns: Columns, read: ReadTable, *, progress: Progress | None = None
) -> Sample:
    """The sample under its base and final weights.

    Args:
        columns: the file, with at least the columns the spec names.
        read: reads the files beside it.
        progress: told of the weighting steps.

    Raises:
        SurveyError: whatever does not fit, named; see the rooms before.
    """
    notes: list[str] = []
    n_file = len(columns)
    check_columns(spec, columns)
    columns = _made(spec, columns, read)
    if spec.cases.sample:
        kept = columns.where(spec.cases.sample)
        columns = columns.take(kept)
        notes.append(f"按cases.sample去掉{n_file - len(columns)}条不属于样本的记录，留下{len(columns)}条")
    if spec.items or spec.base_weights:
        weights, source = base_weights(spec.base_weights, spec.design, columns)
    else:
        # Published rates and the quality of answers rest on no weight.
        weights, source = np.ones(len(columns)), "不加权"
    design = declared_design(spec.design, columns, weights, lambda name: _matrix(name, read(name)))
    if spec.design.make_replicates is not None:
        design = made_replicates(spec.design.make_replicates, design)
        made = spec.design.make_replicates
        seed = f"，种子{made.seed}" if made.seed is not None else ""
        notes.append(
            f"重复权数由设计生成：{made.kind}，{len(design.rscales)}组{seed}；每一组都重做了全部加权"
        )
    weighted = apply_steps(
        spec.weighting,
        design,
        columns,
        lambda name: margin_table(name, read(name)),
        source=source,
        progress=progress,
    )
    notes += weighted.notes
    zero = int((weighted.design.weights == 0).sum())
    if zero:
        notes.append(f"{zero}条记录的权数是0，不代表任何人；它们的抽样单位仍算在设计里")
    if (
        isinstance(weighted.design, Design)
        and weighted.design.lonely_psu != "fail"
        and (lonely := weighted.design.lonely_strata())
    ):
        shown = "、".join(lonely[:10]) + ("等" if len(lonely) > 10 else "")
        notes.append(f"{len(lonely)}层只抽中一个单位（{shown}），按{weighted.design.lonely_psu}处理")
    return Sample(columns, weighted.design, design, weighted.history, bool(spec.weighting), n_file, notes)


def check_columns(spec: AnalysisSpec, columns: Columns) -> None:
    """Nothing, when the file has every column the spec speaks of; otherwise all that it lacks.

    Raises:
        FaultsError: each missing column with the names most like it.
    """
    elsewhere = set(spec.derive) | {name for join in spec.cases.join for name in join.columns}
    known = columns.everything or tuple(columns)
    faults = tuple(
        Fault(UnknownColumnError.code, refusal.reason, refusal.remedy, column=name)
        for name in sorted(columns_needed(spec) - elsewhere - set(known))
        for refusal in (unknown_column(name, (*known, *elsewhere)),)
    )
    if faults:
        raise FaultsError("spec里写的列", faults)


def _made(spec: AnalysisSpec, columns: Columns, read: ReadTable) -> Columns:
    """The columns with texts for nothing marked, other files joined, new columns derived."""
    if spec.cases.missing:
        columns = Columns(
            {name: column.without(spec.cases.missing) for name, column in columns.columns.items()},
            columns.n,
            columns.everything,
        )
    for join in spec.cases.join:
        columns = joined(columns, read(join.file), join, spec.cases.missing)
    for name, text in spec.derive.items():
        columns = columns.with_column(read_formula(name, text).column(columns))
    return columns


def joined(columns: Columns, other: Columns, join: Join, missing: tuple[str, ...] = ()) -> Columns:
    """The columns with those of another file beside them, found by a common key.

    Raises:
        JoinError: a key twice in the other file, or a case whose key it lacks.
    """
    keys = other[join.on].complete_names()
    place: dict[str, int] = {}
    for row, key in enumerate(keys.tolist()):
        if key in place:
            raise JoinError(
                f"文件“{join.file}”", f"“{join.on}”列的“{key}”出现了两次", "每个值只能有一行", value=key
            )
        place[key] = row
    ours = columns[join.on]
    for text in ours.present():
        if text not in place:
            raise JoinError(
                f"文件“{join.file}”", f"没有“{join.on}”是“{text}”的一行", "补上，或核对两边的写法", value=text
            )
    if ours.is_missing.any():
        ours.complete_names()
    rows = np.array([place.get(text, 0) for text in ours.distinct], dtype=np.int64)[ours.code]
    for name in join.columns:
        if name in columns:
            raise JoinError(f"文件“{join.file}”", f"“{name}”列数据文件里已经有了", "换一个列名", value=name)
        one = other[name].without(missing)
        columns = columns.with_column(
            Column(name, one.code[rows], one.distinct, one.labels, one.title, one.missing)
        )
    return columns


def margin_table(name: str, table: Columns) -> Mapping[str, Mapping[str, float]]:
    """Margin → category → total, from a file of three columns.

    Raises:
        MarginFileError: another shape, a category twice.
    """
    for wanted in ("margin", "category", "total"):
        if wanted not in table:
            raise MarginFileError(
                f"文件“{name}”", f"没有{wanted}列", "边际的文件要有margin、category、total三列"
            )
    found: dict[str, dict[str, float]] = {}
    rows = zip(
        table["margin"].complete_names().tolist(),
        table["category"].complete_names().tolist(),
        table["total"].complete_numbers().tolist(),
        strict=True,
    )
    for margin, category, total in rows:
        inside = found.setdefault(margin, {})
        if category in inside:
            raise MarginFileError(f"文件“{name}”", f"“{margin}”的“{category}”写了两次", "每一类只写一行")
        if total < 0:
            raise RangeError(f"文件“{name}”", f"“{margin}”的“{category}”小于0", "核对总数")
        inside[category] = total
    return found


def _matrix(name: str, table: Columns) -> Floats:
    """A file of numbers as a matrix, its columns in file order."""
    values = np.column_stack([table[one].numbers() for one in table.everything])
    if np.isnan(values).any():
        raise NotFiniteError(f"文件“{name}”", "有空格", "方阵的每一格都要有数")
    return values
