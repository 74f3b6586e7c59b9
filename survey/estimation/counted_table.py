"""A table of rates from counts, by a short spec: which columns are cells, which options satisfy.

Enters: YAML, and `AnswerCounts`. Leaves: what to count (`counting_of`), and one plain document of
rates by group, with errors, intervals, small groups withheld, extremes of few coded (`counted_table`). The full analysis
of a file with its rows is `analysis`; this one needs no rows, so it serves files and databases of
any size, and counts kept from before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

import numpy as np
from msgspec import Meta, Struct

from survey.arrays import Flags
from survey.cases.answer_counts import AnswerCounts, CountedItem, Counting, CountsError, Option
from survey.errors import Fault, FaultsError
from survey.estimation.analysis.disclosing import coded, emptied, hidden_domains
from survey.estimation.analysis.rows import exact_rate
from survey.estimation.cell_rates import RateTable, by_key, rate_table
from survey.estimation.cell_totals import Reading, cell_totals, design_of, rake_cell_totals
from survey.exact import percent_text, truncate
from survey.scheme.typed_text import read_typed

CODE = "count.spec"
EVERYBODY = "全体"


class Closed(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of a spec."""


class CountItemSpec(Closed, frozen=True, kw_only=True):
    """一题。"""

    column: Annotated[str, Meta(description="这一题的列")]
    options: Annotated[tuple[str, ...], Meta(description="全部选项；别的值除了missing一律拒绝")]
    satisfied: Annotated[tuple[str, ...], Meta(description="算满意的选项")]
    base: Annotated[tuple[str, ...], Meta(description="进分母的选项；不写就是全部选项")] = ()
    label: Annotated[str, Meta(description="题目的文字")] = ""


class CountSpec(Closed, frozen=True, kw_only=True):
    """按格计数和由计数算表的说明。"""

    title: Annotated[str, Meta(description="标题")]
    units: Annotated[tuple[str, ...], Meta(description="各阶抽样单位的列，例如学校")]
    items: tuple[CountItemSpec, ...]
    stratum: Annotated[str | None, Meta(description="第一阶的层的列")] = None
    by: Annotated[tuple[str, ...], Meta(description="分组的列，各出一张表")] = ()
    weight: Annotated[str | None, Meta(description="基础权数的列；不写就是等权")] = None
    missing: Annotated[tuple[str, ...], Meta(description="表示没有回答的值，空格子之外")] = ()
    rake: Annotated[dict[str, dict[str, float]], Meta(description="列 → 类 → 已知的合计；迭代加权")] = {}
    lonely: Annotated[
        Literal["fail", "adjust", "average", "certainty", "remove"],
        Meta(description="一层只抽中一个单位时：拒绝，或R survey的几种办法"),
    ] = "fail"
    method: Annotated[
        Literal["korn_graubard", "logit", "mean", "asin", "beta", "wilson", "likelihood"],
        Meta(description="区间方法"),
    ] = "korn_graubard"
    level: Annotated[float, Meta(gt=0.5, lt=1, description="置信水平")] = 0.95
    minimum_count: Annotated[int, Meta(ge=1, description="少于这么多份不显示")] = 10

    @property
    def keys(self) -> tuple[str, ...]:
        """Every column whose values make a cell."""
        first = () if self.stratum is None else (self.stratum,)
        return tuple(dict.fromkeys((*first, *self.units, *self.by, *self.rake)))


def read_count_spec(text: str | bytes) -> CountSpec:
    """The spec in a YAML or JSON text.

    Raises:
        FaultsError: with every fault, its key and its line.
    """
    spec = read_typed(text, CountSpec, "计数说明（spec）", CODE)
    faults = []
    if not spec.units or not spec.items:
        faults.append(Fault(CODE, "没有写units或items", "写明抽样单位的列和至少一题"))
    for at, item in enumerate(spec.items, 1):
        for name in ("satisfied", "base"):
            for option in getattr(item, name):
                if option not in item.options:
                    faults.append(
                        Fault(CODE, f"“{option}”不在options里", "核对选项的写法", item=f"items[{at}].{name}")
                    )
        if item.base and (outside := [one for one in item.satisfied if one not in item.base]):
            faults.append(
                Fault(CODE, f"“{outside[0]}”算满意却不进分母", "把它写进base", item=f"items[{at}].base")
            )
    if faults:
        raise FaultsError("计数说明（spec）", tuple(faults))
    return spec


def counting_of(spec: CountSpec, is_text: Callable[[str], bool]) -> Counting:
    """What to count, options as the columns hold them: text, or whole numbers.

    Raises:
        CountsError: an option that is no whole number, of a column that holds numbers.
    """
    numbers = {number for text in spec.missing if (number := _number(text)) is not None}
    return Counting(
        spec.keys,
        tuple(
            CountedItem(item.column, tuple(_option(one, item.column, is_text) for one in item.options))
            for item in spec.items
        ),
        spec.weight,
        (*spec.missing, *sorted(numbers)),
    )


def _number(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def _option(text: str, column: str, is_text: Callable[[str], bool]) -> Option:
    if is_text(column):
        return text
    number = _number(text)
    if number is None:
        raise CountsError(f"题目“{column}”的选项“{text}”", "不是整数，而数据里这一列是数字", "写数据里的编码")
    return number


def counted_table(spec: CountSpec, counts: AnswerCounts) -> dict[str, Any]:
    """The spec's tables from counts, full precision, as one document.

    Raises:
        MissingColumnError, ReadingError: the counts were made by another spec. UnlistedAnswerError:
            answers outside the options. Those of raking and of variance, such as a lonely PSU.
    """
    counts.refuse_unlisted()
    options = {item.name: {str(one): one for one in item.options} for item in counts.counting.items}
    readings = [
        Reading.share(
            item.column,
            [options.get(item.column, {}).get(one, one) for one in item.satisfied],
            [options.get(item.column, {}).get(one, one) for one in item.base or item.options],
        )
        for item in spec.items
    ]
    cells = cell_totals(counts, readings)
    design = design_of(cells, spec.units, spec.stratum, lonely_psu=spec.lonely)
    raking = None
    if spec.rake:
        design, made = rake_cell_totals(cells, design, spec.rake)
        raking = {
            "error": made.error,
            "sweeps": made.sweeps,
            "smallest_factor": float(made.factors.min()),
            "largest_factor": float(made.factors.max()),
        }

    def table(domains: dict[str, Flags]) -> RateTable:
        return rate_table(cells, design, domains, level=spec.level, method=spec.method)

    whole = table({EVERYBODY: np.ones(len(cells), dtype=bool)})
    rows = _rows(spec, whole, "", np.zeros((1, len(readings)), dtype=bool))
    for key in spec.by:
        groups = table(by_key(cells, key))
        hidden = np.zeros(groups.value.shape, dtype=bool)
        for column in range(len(readings)):
            for at in hidden_domains(
                groups.n[:, column].tolist(),
                spec.minimum_count,
                adds_up=True,
                whole=int(whole.n[0, column]),
            ):
                hidden[at, column] = True
        rows += _rows(spec, groups, key, hidden)
    return {
        "type": "counted_table",
        "v": 1,
        "title": spec.title,
        "answers": int(counts.n.sum()),
        "cells": len(counts),
        "weights_total": float(design.weights.sum()),
        "kish_deff": counts.kish_deff(),
        "rake": raking,
        "interval": {"method": spec.method, "level": spec.level},
        "rows": rows,
    }


def _rows(spec: CountSpec, table: RateTable, key: str, hidden: Flags) -> list[dict[str, Any]]:
    """The rows of one table, small groups emptied."""
    labels = {item.column: item.label or item.column for item in spec.items}
    rows = []
    for at, one in enumerate(table):
        row: dict[str, Any] = {
            "set": key,
            "domain": one.domain,
            "id": one.reading,
            "label": labels[one.reading],
            "n": one.n,
            "value": None if np.isnan(one.value) else one.value,
            "se": None if np.isnan(one.se) else one.se,
            "df": one.df,
            "lower": one.lower,
            "upper": one.upper,
        }
        if row["value"] is not None:
            shown = truncate(exact_rate(min(max(one.value, 0.0), 1.0)))
            row |= {"shown": shown, "percent": percent_text(shown)}
            if one.lower is not None and one.upper is not None:
                ends = (truncate(one.lower), truncate(one.upper))
                row["interval_percent"] = [percent_text(end) for end in ends]
        small = one.n < spec.minimum_count or hidden[np.unravel_index(at, hidden.shape)]
        rows.append(emptied(row, spec.minimum_count) if small else coded(row) if spec.minimum_count > 1 else row)
    return rows
