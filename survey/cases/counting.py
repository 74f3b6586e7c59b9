"""The pass over answers in memory: columns in, counts out, each row touched a few times and never again.

Enters: columns by name, as NumPy holds them. Leaves: `AnswerCounts`, equal to what an engine gives
for the same `Counting` (`counting_expression`).

Items are read in bundles: five yes/no items of one row are one number below 32, so one addition
counts them all, and each item's own counts are sums over the others. A bundle stays small enough
for its counters to lie in the processor's cache. Rows go in blocks, so what is held beside the
columns does not grow with them, except for one code a row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from survey.arrays import Floats, Ints, Labels, ShapeError
from survey.cases.answer_counts import (
    LARGEST_WEIGHT,
    SQUARE_UNITS,
    WEIGHT_UNITS,
    AnswerCounts,
    ColumnTypeError,
    CountedItem,
    Counting,
    Option,
    added,
    is_empty,
    refuse_weights,
    whole_or_text,
)

BLOCK = 1 << 17
"""Rows to a block."""
WIDEST = 64
"""Combinations of answers to a bundle, unless one item alone has more."""
SPAN = 1 << 22
"""Largest range of combined keys, or of one item's answers, looked up in a table."""


def count_columns(columns: Mapping[str, ArrayLike], counting: Counting) -> AnswerCounts:
    """The counts of every non-empty cell.

    Args:
        columns: by name, (n,) keys as whole numbers or text, weights, answers; NaN, None and masked
            answers are missing.
        counting: what to count.

    Raises:
        MissingColumnError: a column that is not there. MissingKeyError: a row without stratum,
            school and so on. RangeError: a weight that is missing, negative or not finite.
        ColumnTypeError: options written as text for answers held as numbers, or the reverse.

    Source: METHOD 4.

    >>> asked = Counting(("school",), (CountedItem("q1", (0, 1)),))
    >>> counts = count_columns({"school": [3, 8, 3], "q1": [1, 1, 0]}, asked)
    >>> counts.keys["school"], counts.option_n.tolist()
    (array([3, 8]), [[1, 1], [0, 1]])
    """
    counting.required(tuple(columns))
    rows = len(np.asarray(columns[counting.keys[0]]))
    for name in counting.columns:
        if np.shape(columns[name]) != (rows,):
            raise ShapeError(f"“{name}”列", f"不是{rows}行的一列", "各列的行数要相同")
    cell, keys = _cells({name: _unmasked(columns[name]) for name in counting.keys}, rows)
    weights = None if counting.weight is None else _weights(columns[counting.weight], counting.weight)
    states = [_states(columns[item.name], item, counting.missing) for item in counting.items]

    size = len(next(iter(keys.values())))
    n = np.bincount(cell, minlength=size)
    weight, squares = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    bundles = [_Bundle(bundle, size, weights is not None) for bundle in _bundles(states)]
    for start in range(0, rows, BLOCK):
        block = slice(start, start + BLOCK)
        at = cell[block].astype(np.int64)
        units = None
        if weights is not None:
            people = weights[block]
            units = np.floor(people * WEIGHT_UNITS + 0.5).astype(np.int64)
            np.add.at(weight, at, units)
            np.add.at(squares, at, np.floor(people * people * SQUARE_UNITS + 0.5).astype(np.int64))
        for bundle in bundles:
            bundle.count(at, block, units)
    if weights is None:
        weight, squares = n.copy(), n.copy()
    counted = [one for bundle in bundles for one in bundle.of_items()]
    return added(
        counting,
        keys,
        n,
        weight,
        squares,
        np.column_stack([answered for answered, _, _ in counted]),
        np.column_stack([option_n for _, option_n, _ in counted]),
        np.column_stack([option_weight for _, _, option_weight in counted]),
    )


def _cells(keys: Mapping[str, Labels], rows: int) -> tuple[Ints, dict[str, Labels]]:
    """(n,) the code of each row's cell, and the labels of the cells that occur."""
    code = np.zeros(rows, dtype=np.int64)
    labels: dict[str, Labels] = {}
    size, cells = 1, 1
    pending: list[tuple[str, Labels]] = []
    for name, column in keys.items():
        inner, names = _coded(column, name)
        if size * len(names) > SPAN:
            # So many combinations that most are empty: only those that occur go on.
            code, labels = _compact(code, size, cells, labels, pending)
            size = cells = len(next(iter(labels.values()))) if labels else 1
            pending = []
        code *= len(names)
        code += inner
        size *= len(names)
        pending.append((name, names))
    return _compact(code, size, cells, labels, pending)


def _compact(
    code: Ints, size: int, cells: int, labels: Mapping[str, Labels], pending: list[tuple[str, Labels]]
) -> tuple[Ints, dict[str, Labels]]:
    """Codes without gaps, and the labels each code stands for.

    Args:
        code: (n,) below `size`: a cell numbered so far, then one digit for each pending key.
        cells: cells numbered so far, with `labels`.
        pending: keys since then, each with the labels of its digits.
    """
    if size > SPAN:
        taken, code = np.unique(code, return_inverse=True)
        code = code.reshape(-1)
    else:
        taken = np.flatnonzero(np.bincount(code, minlength=size))
        place = np.zeros(size, dtype=np.int64)
        place[taken] = np.arange(len(taken))
        code = place[code]
    rest, found = taken, {}
    for name, names in reversed(pending):
        rest, digit = np.divmod(rest, max(len(names), 1))
        found[name] = names[digit]
    return code, {name: column[rest] for name, column in labels.items()} | dict(reversed(found.items()))


def _unmasked(column: ArrayLike) -> Labels:
    """(n,) the column, None where it was masked."""
    if not np.ma.isMaskedArray(column):
        return np.asarray(column)
    values = column.data.astype(object)
    values[np.ma.getmaskarray(column)] = None
    return values


def _coded(column: Labels, name: str) -> tuple[Ints, Labels]:
    """(n,) digits of a key, and the label of each digit."""
    values = column if column.dtype.kind in "iu" else whole_or_text(column, name)
    if values.dtype.kind in "iu" and values.size:
        low, high = int(values.min()), int(values.max())
        if high - low < SPAN:
            return values.astype(np.int64) - low if low else values, np.arange(low, high + 1)
    names, digits = np.unique(values, return_inverse=True)
    return digits.reshape(-1), names


def _weights(column: ArrayLike, name: str) -> Floats:
    """(n,) weights that stand for somebody or nobody, none of them missing."""
    try:
        weights = np.ma.filled(np.ma.asarray(column, dtype=np.float64), np.nan)
    except (TypeError, ValueError) as problem:
        raise ColumnTypeError(f"权数“{name}”", "含有不是数字的内容", "把这一列改成数字再计数") from problem
    if weights.size and not (weights.min() >= 0 and weights.max() <= LARGEST_WEIGHT):
        refuse_weights(name, int((~((weights >= 0) & (weights <= LARGEST_WEIGHT))).sum()))
    return weights


@dataclass(frozen=True, eq=False)
class _States:
    """An item's answers as small numbers: options by place, then unlisted, then missing, as far as they occur."""

    state: Ints
    """(n,) below `size`."""
    options: tuple[int | None, ...]
    """The option's state, in the item's order; None where nobody chose it."""
    answered: tuple[int, ...]
    """States that are answers, listed or not."""
    size: int


def _states(column: ArrayLike, item: CountedItem, missing: tuple[Option, ...]) -> _States:
    """An item's answers, each distinct answer looked up once."""
    state, distinct = _distinct(_unmasked(column), item.name)
    known = [one for one in distinct if one is not None]
    if known and isinstance(known[0], str) != isinstance(item.options[0], str):
        raise mismatched(item, isinstance(known[0], str))
    place = {answer: at for at, answer in enumerate(distinct)}
    silent = {None, *missing}
    return _States(
        state,
        tuple(place.get(option) for option in item.options),
        tuple(at for at, answer in enumerate(distinct) if answer not in silent),
        max(len(distinct), 1),
    )


def mismatched(item: CountedItem, text: bool) -> ColumnTypeError:
    """The refusal of options and answers of different kinds."""
    held, asked = ("文字", "数字") if text else ("数字", "文字")
    return ColumnTypeError(
        f"题目“{item.name}”", f"数据里是{held}，选项写的是{asked}", f"选项改用{held}书写", item=item.name
    )


def _distinct(values: Labels, name: str) -> tuple[Ints, list[Option | None]]:
    """(n,) the place of each answer among the distinct ones, and these; None is missing."""
    if values.dtype.kind == "b":
        values = values.view(np.int8)
    if values.dtype.kind in "iu":
        low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
        if high - low < WIDEST // 2:
            return values - low if low else values, list(range(low, high + 1))
    elif values.dtype.kind == "f":
        empty = np.isnan(values)
        values = np.where(empty, 0, values)
        with np.errstate(invalid="ignore"):
            whole = values.astype(np.int64)
        if (whole == values).all():
            state, distinct = _distinct(whole, name)
        else:
            # Fractions are nobody's option; as themselves they are answers outside the options.
            names, state = np.unique(values, return_inverse=True)
            state, distinct = state.reshape(-1), names.tolist()
        if not empty.any():
            return state, distinct
        return np.where(empty, len(distinct), state), [*distinct, None]
    elif values.dtype == object:
        empty = np.array([is_empty(one) for one in values.tolist()], dtype=bool)
        filled = np.array([one for one in values.tolist() if not is_empty(one)])
        state = np.zeros(len(values), dtype=np.int64)
        if not filled.size:
            return state, [None]
        inner, distinct = _distinct(filled, name)
        state[~empty] = inner
        state[empty] = len(distinct)
        return state, [*distinct, None] if empty.any() else distinct
    names, state = np.unique(values, return_inverse=True)
    return state.reshape(-1), names.tolist()


def _bundles(states: list[_States]) -> list[list[_States]]:
    """Items in order, joined while their combinations stay few."""
    bundles: list[list[_States]] = []
    width = WIDEST + 1
    for one in states:
        if width * one.size > WIDEST:
            bundles.append([])
            width = 1
        bundles[-1].append(one)
        width *= one.size
    return bundles


class _Bundle:
    """The counters of a few items together: (cells × combinations) answers, and their weights."""

    def __init__(self, states: list[_States], cells: int, weighted: bool) -> None:
        self.states, self.cells = states, cells
        self.width = int(np.prod([one.size for one in states]))
        self.n = np.zeros(cells * self.width, dtype=np.int64)
        self.weight = np.zeros(cells * self.width, dtype=np.int64) if weighted else self.n

    def count(self, cell: Ints, block: slice, units: Ints | None) -> None:
        """Add a block of rows."""
        narrow = np.uint8 if self.width <= 256 else np.int64
        combined: NDArray[Any] = self.states[0].state[block].astype(narrow)
        for one in self.states[1:]:
            combined *= narrow(one.size)
            combined += one.state[block].astype(narrow, copy=False)
        at = cell * self.width
        at += combined
        np.add.at(self.n, at, 1)
        if units is not None:
            np.add.at(self.weight, at, units)

    def of_items(self) -> Iterator[tuple[Ints, Ints, Ints]]:
        """Item by item, (cells,) answers, and (cells, options) counts and weights."""
        nobody = np.zeros(self.cells, dtype=np.int64)
        for one, n, weight in zip(
            self.states, self._margins(self.n), self._margins(self.weight), strict=True
        ):
            chosen = [
                np.column_stack([nobody if at is None else counted[:, at] for at in one.options])
                for counted in (n, weight)
            ]
            yield n[:, list(one.answered)].sum(axis=1), chosen[0], chosen[1]

    def _margins(self, combined: Ints) -> Iterator[Ints]:
        """(cells, states) of every item in turn; what is summed up for one is left out for the next."""
        rest = combined
        for one in self.states:
            split = rest.reshape(self.cells, one.size, rest.size // max(self.cells * one.size, 1))
            yield split.sum(axis=2)
            rest = split.sum(axis=1)
