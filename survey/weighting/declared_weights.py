"""Base weights described in words: the factors of each stage, multiplied.

Enters: `WeightFactor`s, `Columns`, the design's populations. Leaves: (n,) weights, none negative
or missing. A file without any word about weights gets N/n where the design knows every
population, and otherwise a refusal: equal weights are a claim, and somebody must make it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from msgspec import Meta, Struct

from survey.arrays import Floats, RangeError, codes, probabilities, weights_column
from survey.columns import Columns
from survey.errors import SurveyError
from survey.sampling.declared_design import DesignSpec, per_row, staged_design
from survey.weighting.design_weights import weights_from_sizes


class WeightSpecError(SurveyError):
    """Base weights described not at all, or in two ways at once."""

    code = "weighting.base_weight_spec"
    kind = "invalid"


class PpsSizeError(SurveyError):
    """A measure of size that cannot have been drawn with probability proportional to it."""

    code = "weighting.pps_size"
    kind = "invalid"


class WeightFactor(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """基础权数的一个因子，各因子相乘。"""

    weight: Annotated[str | None, Meta(description="权数的列（1/π）")] = None
    probability: Annotated[str | None, Meta(description="入样概率的列，取倒数")] = None
    population: Annotated[
        str | float | None, Meta(description="总体人数（一列或一个数），除以within里的记录数")
    ] = None
    within: Annotated[tuple[str, ...], Meta(description="配合population：在哪些列的每一格里数记录")] = ()
    size: Annotated[
        str | None, Meta(description="规模的列：与规模成比例抽的单位，π = drawn × size ÷ total_size")
    ] = None
    total_size: Annotated[str | float | None, Meta(description="配合size：总体（或层）的规模合计")] = None
    drawn: Annotated[str | float | None, Meta(description="配合size：抽了几个单位")] = None
    constant: Annotated[
        Annotated[float, Meta(gt=0)] | None, Meta(description="每条记录同一个数；普查写1")
    ] = None
    total: Annotated[Annotated[float, Meta(gt=0)] | None, Meta(description="等权，合计是这个数")] = None

    def floats(self, columns: Columns) -> Floats:
        """(n,) the factor of every row."""
        said = [
            k
            for k in ("weight", "probability", "population", "size", "constant", "total")
            if getattr(self, k) is not None
        ]
        if len(said) != 1:
            raise WeightSpecError(
                "base_weights", f"一个因子里写了{'、'.join(said) or '不完整的内容'}", "每个因子只写一种来源"
            )
        if self.weight is not None:
            return weights_column(columns[self.weight].complete_numbers(), f"“{self.weight}”列")
        if self.probability is not None:
            return 1 / probabilities(columns[self.probability].complete_numbers(), f"“{self.probability}”列")
        if self.constant is not None:
            return np.full(len(columns), self.constant)
        if self.total is not None:
            return np.full(len(columns), self.total / len(columns))
        return self._over_cases(columns) if self.population is not None else self._by_size(columns)

    def _over_cases(self, columns: Columns) -> Floats:
        assert self.population is not None
        people = per_row(self.population, columns)
        cell = np.zeros(len(columns), dtype=np.int64)
        if self.within:
            cell, _ = codes(columns.crossed(self.within))
        factor = people / np.bincount(cell)[cell]
        return weights_column(factor, f"“{self.population}”除以记录数")

    def _by_size(self, columns: Columns) -> Floats:
        if self.size is None or self.total_size is None or self.drawn is None:
            raise WeightSpecError("base_weights", "写了size，缺total_size或drawn", "三项都要写")
        size = columns[self.size].complete_numbers()
        if (size <= 0).any():
            row = int(np.flatnonzero(size <= 0)[0]) + 1
            raise PpsSizeError(
                f"“{self.size}”列",
                f"第{row}条记录的规模是{size[row - 1]:g}，这样的单位不可能按规模抽中",
                "补上它抽样时的规模，或改写入样概率",
                row=row,
            )
        total = per_row(self.total_size, columns)
        if (total <= 0).any():
            raise PpsSizeError("total_size", "不是大于0的数", "写总体（或层）的规模合计")
        chance = per_row(self.drawn, columns) * size / total
        if (chance > 1 + 1e-12).any() or (chance <= 0).any():
            row = int(np.flatnonzero((chance > 1 + 1e-12) | (chance <= 0))[0]) + 1
            raise RangeError(
                "由规模算出的入样概率", f"第{row}条记录是{chance[row - 1]:.4g}，不在(0, 1]里",
                "必选的单位另作一层，直接写它的权数1", row=row,
            )  # fmt: skip
        return 1 / np.minimum(chance, 1.0)


def base_weights(factors: Sequence[WeightFactor], design: DesignSpec, columns: Columns) -> tuple[Floats, str]:
    """(n,) base weights, and in words where they come from.

    Raises:
        WeightSpecError: nothing was said, and the design does not know its populations.
        RangeError, NotFiniteError: a weight negative or missing, a probability outside (0, 1].
    """
    if factors:
        weights = np.ones(len(columns))
        for factor in factors:
            weights = weights * factor.floats(columns)
        return weights_column(weights, "基础权数"), " × ".join(_in_words(factor) for factor in factors)
    if design.pps is not None:
        return 1 / probabilities(
            columns[design.pps.probability].complete_numbers()
        ), f"1 ÷ {design.pps.probability}"
    if design.stages and all(stage.population is not None for stage in design.stages):
        return weights_from_sizes(
            staged_design(design, columns, np.ones(len(columns)))
        ), "各阶总体单位数 ÷ 抽中单位数"
    raise WeightSpecError(
        "base_weights",
        "没有写权数从哪里来，设计里也没有各阶的总体单位数",
        "写权数的列、入样概率或总体人数；等权的普查写constant: 1",
    )


def _in_words(factor: WeightFactor) -> str:
    if factor.weight is not None:
        return factor.weight
    if factor.probability is not None:
        return f"1 ÷ {factor.probability}"
    if factor.constant is not None:
        return f"{factor.constant:g}"
    if factor.total is not None:
        return f"{factor.total:,.10g} ÷ 记录数"
    if factor.size is not None:
        return f"{factor.total_size} ÷ ({factor.drawn} × {factor.size})"
    inside = f"“{'×'.join(factor.within)}”里的" if factor.within else ""
    return f"{factor.population} ÷ {inside}记录数"
