"""The pass over answers as one Ibis expression: whatever engine holds the columns counts them.

Enters: an Ibis table, which is a name and a schema, and a `Counting`. Leaves: an expression that an
engine runs (DuckDB over Parquet, PostgreSQL, Spark), and from its rows the same `AnswerCounts` that
`counting` makes in memory. Building an expression touches no engine and no file, so it may stand in
a room that only computes; `storage.answer_engines` opens the engines and runs it.

What keeps four engines equal to the last unit: weights become whole units by operations that IEEE 754
fixes (a power of two, plus a half, floor), sums are of 64-bit integers, and labels are put in order
here, not by an engine's collation.
"""

from __future__ import annotations

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir
import numpy as np

from survey.arrays import Ints, Labels
from survey.cases.answer_counts import (
    LARGEST_WEIGHT,
    SQUARE_UNITS,
    WEIGHT_UNITS,
    AnswerCounts,
    ColumnTypeError,
    CountedItem,
    Counting,
    MissingKeyError,
    Option,
    added,
    refuse_weights,
)
from survey.cases.counting import mismatched


def counting_expression(table: ir.Table, counting: Counting) -> ir.Table:
    """One GROUP BY over the keys: a row for each cell, a column for each count.

    Args:
        table: the answers, one a row.
        counting: what to count.

    Raises:
        MissingColumnError: a column that is not there. ColumnTypeError: a key that is neither whole
            number nor text, a weight that is no number, options of another kind than the answers.

    Source: METHOD 4.
    """
    counting.required(tuple(table.columns))
    keys = {f"key_{at}": _key(table[name], name) for at, name in enumerate(counting.keys)}
    answers = {f"item_{at}": _answer(table[item.name], item) for at, item in enumerate(counting.items)}
    weight = {} if counting.weight is None else {"weight": _number(table[counting.weight], counting.weight)}
    narrow = table.select(**keys, **answers, **weight)
    sums: dict[str, ir.Value] = {"n": narrow.count()}
    units = None
    if counting.weight is not None:
        inside = (narrow.weight >= 0.0) & (narrow.weight <= LARGEST_WEIGHT) & _finite(narrow.weight)
        good = inside.fill_null(False)
        people = ibis.ifelse(good, narrow.weight, 0.0)
        units = _whole(people * float(WEIGHT_UNITS))
        sums["weight"] = units.sum()
        sums["squares"] = _whole(people * people * float(SQUARE_UNITS)).sum()
        sums["bad"] = ibis.ifelse(good, 0, 1).sum()
    for at, item in enumerate(counting.items):
        answer = narrow[f"item_{at}"]
        silent = _like(counting.missing, item)
        said = answer.notnull() & ~answer.isin(silent) if silent else answer.notnull()
        sums[f"answered_{at}"] = ibis.ifelse(said, 1, 0).sum()
        for place, option in enumerate(item.options):
            chosen = (answer == option).fill_null(False)
            sums[f"n_{at}_{place}"] = ibis.ifelse(chosen, 1, 0).sum()
            if units is not None:
                sums[f"weight_{at}_{place}"] = ibis.ifelse(chosen, units, 0).sum()
    return narrow.group_by(list(keys)).agg(**{name: total.cast("int64") for name, total in sums.items()})


def counts_from_rows(rows: Mapping[str, Labels], counting: Counting) -> AnswerCounts:
    """The counts that an engine's rows tell.

    Args:
        rows: the columns of `counting_expression`; labels None or NaN where a key was empty.

    Raises:
        MissingKeyError: answers without stratum, school and so on. RangeError: weights that are missing,
            negative or not finite.
    """
    n = _ints(rows["n"])
    for at, name in enumerate(counting.keys):
        column = np.asarray(rows[f"key_{at}"])
        if (empty := _empty(column)).any():
            raise MissingKeyError(name, int(n[empty].sum()))
    if counting.weight is not None:
        refuse_weights(counting.weight, int(_ints(rows["bad"]).sum()))
    weighted = counting.weight is not None
    places = [(at, place) for at, item in enumerate(counting.items) for place in range(len(item.options))]
    option_n = np.column_stack([_ints(rows[f"n_{at}_{place}"]) for at, place in places])
    return added(
        counting,
        {name: np.asarray(rows[f"key_{at}"]) for at, name in enumerate(counting.keys)},
        n,
        _ints(rows["weight"]) if weighted else n,
        _ints(rows["squares"]) if weighted else n,
        np.column_stack([_ints(rows[f"answered_{at}"]) for at in range(len(counting.items))]),
        option_n,
        np.column_stack([_ints(rows[f"weight_{at}_{place}"]) for at, place in places])
        if weighted
        else option_n,
    )


def _whole(value: ir.FloatingValue) -> ir.IntegerValue:
    """The nearest whole number, halves up; `round` would leave halves to each engine's taste."""
    return (value + 0.5).floor().cast("int64")


def _key(column: ir.Column, name: str) -> ir.Column:
    kind = column.type()
    if kind.is_boolean() or kind.is_integer():
        return _integer(column)
    if kind.is_string():
        return column
    if kind.is_floating():
        # Whole numbers with gaps are often held as floats; a fraction is met again when labels are read.
        return column.cast("float64")
    raise ColumnTypeError(f"“{name}”列", "既不是整数也不是文字", "先改成整数或文字再计数", column=name)


def _integer(column: ir.Column) -> ir.Column:
    """64 bits; a truth value spelled out, since PostgreSQL casts none to bigint. Null stays null."""
    if column.type().is_boolean():
        return ibis.cases((column, 1), (~column, 0), else_=None).cast("int64")
    return column.cast("int64")


def _number(column: ir.Column, name: str) -> ir.Column:
    if not column.type().is_numeric():
        raise ColumnTypeError(f"权数“{name}”", "含有不是数字的内容", "把这一列改成数字再计数", column=name)
    return column.cast("float64")


def _answer(column: ir.Column, item: CountedItem) -> ir.Column:
    kind = column.type()
    if kind.is_string() != isinstance(item.options[0], str) and not kind.is_null():
        raise mismatched(item, kind.is_string())
    if kind.is_floating():
        answer = column.cast("float64")
        # An infinite answer is one nobody listed; NaN is none.
        return ibis.cases((_finite(answer) | answer.isinf(), answer), else_=None)
    if kind.is_boolean() or kind.is_integer():
        return _integer(column)
    if kind.is_string() or kind.is_null():
        return column
    raise ColumnTypeError(
        f"题目“{item.name}”", "答案既不是整数也不是文字", "先改成选项的写法再计数", item=item.name
    )


def _finite(column: ir.Column) -> ir.BooleanValue:
    """Whether a number is neither NaN nor infinite; null for null.

    Not `isnan`: Parquet notes the least and largest of a column without its NaN, and DuckDB 2.0,
    believing the notes, answers `isnan` and `<` without looking. A difference it has to compute.
    """
    return (column - column) == 0.0


def _like(missing: tuple[Option, ...], item: CountedItem) -> list[Option]:
    """The missing answers of the item's own kind, number or text."""
    return [one for one in missing if isinstance(one, str) == isinstance(item.options[0], str)]


def _ints(column: Labels) -> Ints:
    return np.asarray(column).astype(np.int64)


def _empty(column: Labels) -> np.ndarray:
    if column.dtype.kind == "f":
        return np.isnan(column)
    if column.dtype == object:
        return np.array([one is None or one == "" for one in column], dtype=bool)
    return column == "" if column.dtype.kind == "U" else np.zeros(len(column), dtype=bool)
