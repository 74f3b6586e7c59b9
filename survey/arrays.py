"""Names for the array types that formulas speak of, and the checks they make on entry.

What enters a formula is a column: floats, integers, flags or labels. Each check returns the
column as a numpy array or refuses it by name. Nothing is repaired here: a negative weight or a
NaN is a fact about the data, and whoever owns the data decides what it means.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from survey.errors import SurveyError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Labels = NDArray[Any]


class ShapeError(SurveyError):
    """Two columns that describe the same rows have different lengths."""

    code = "arrays.shape"
    kind = "invalid"


class NotFiniteError(SurveyError):
    """A column holds NaN or an infinity where a number is needed."""

    code = "arrays.not_finite"
    kind = "invalid"


class RangeError(SurveyError):
    """A column holds a number outside the range that makes sense for it."""

    code = "arrays.range"
    kind = "invalid"


class EmptyError(SurveyError):
    """A column without a single row."""

    code = "arrays.empty"
    kind = "invalid"


def floats(values: ArrayLike, name: str, *, length: int | None = None) -> Floats:
    """A one-dimensional column of floats, NaN allowed.

    Args:
        values: (n,) anything numpy reads as numbers.
        name: what a person calls this column; it stands in the refusal.
        length: n, when another column has fixed it already.

    Raises:
        RangeError: a value is not a number at all.
        ShapeError: not one-dimensional, or not of the given length.
    """
    try:
        column = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as problem:
        raise RangeError(name, "含有不是数字的内容", "把这一列改成数字再试") from problem
    return _shaped(column, name, length)


def finite(values: ArrayLike, name: str, *, length: int | None = None) -> Floats:
    """A column of floats without NaN and infinities.

    Raises:
        NotFiniteError: with the first offending row, counted from 1.
    """
    column = floats(values, name, length=length)
    if not np.isfinite(column).all():
        row = int(np.flatnonzero(~np.isfinite(column))[0]) + 1
        raise NotFiniteError(
            name, f"第{row}行是空值或无穷大", "补上这个数，或者把这一行移出计算范围再试", row=row
        )
    return column


def weights_column(values: ArrayLike, name: str = "权数", *, length: int | None = None) -> Floats:
    """A column of weights: finite, none negative, not all zero.

    Raises:
        RangeError: a weight is negative, or no row carries any weight.
    """
    column = finite(values, name, length=length)
    if (column < 0).any():
        row = int(np.flatnonzero(column < 0)[0]) + 1
        raise RangeError(name, f"第{row}行小于0", "权数不能是负数，请查明来源后改正", row=row)
    if column.size and not (column > 0).any():
        raise RangeError(name, "全部是0", "至少要有一行代表总体中的人")
    return column


def probabilities(values: ArrayLike, name: str = "入样概率", *, length: int | None = None) -> Floats:
    """A column of inclusion probabilities, each in (0, 1].

    Raises:
        RangeError: a value is outside (0, 1].
    """
    column = finite(values, name, length=length)
    if ((column <= 0) | (column > 1)).any():
        row = int(np.flatnonzero((column <= 0) | (column > 1))[0]) + 1
        raise RangeError(name, f"第{row}行不在0到1之间", "入样概率要大于0、不超过1", row=row)
    return column


def labels(values: ArrayLike, name: str, *, length: int | None = None) -> Labels:
    """A one-dimensional column of labels; NaN is no label.

    Raises:
        NotFiniteError: a label is missing.
    """
    column = np.asarray(values)
    if column.dtype == object:
        column = np.array(["" if value is None else str(value) for value in column], dtype=str)
    column = _shaped(column, name, length)
    if column.dtype.kind == "f" and np.isnan(column).any():
        row = int(np.flatnonzero(np.isnan(column))[0]) + 1
        raise NotFiniteError(name, f"第{row}行没有填", "每一行都要写明所属的类别", row=row)
    return column


def flags(values: ArrayLike | None, name: str, length: int) -> Flags:
    """A mask over n rows; None means every row."""
    if values is None:
        return np.ones(length, dtype=np.bool_)
    column = np.asarray(values)
    if column.dtype.kind not in "b":
        raise RangeError(name, "不是真假值", "域要用真假值逐行标明，不能用行号")
    return _shaped(column, name, length)


def codes(*columns: Labels) -> tuple[Ints, Ints]:
    """Codes 0…k-1 for the distinct combinations of several label columns, in ascending order.

    Args:
        columns: one or more (n,) label columns; the first varies slowest in the ordering.

    Returns:
        (n,) the combination's code, and (k,) the first row in which each combination stands.

    >>> codes(np.array(["b", "a", "b"]), np.array([1, 1, 1]))
    (array([1, 0, 1]), array([1, 0]))
    """
    code = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        names, inner = np.unique(column, return_inverse=True)
        # Re-coding after each column keeps the product below n², safe in 64 bits.
        _, code = np.unique(code * len(names) + inner.reshape(-1), return_inverse=True)
        code = code.reshape(-1)
    _, first = np.unique(code, return_index=True)
    return code.astype(np.int64), first.astype(np.int64)


WIDE = 32
"""Columns from which on sums are taken for all of them at once."""


def group_sums(values: Floats, group: Ints, n_groups: int) -> Floats:
    """Sums of each column of values within groups.

    Args:
        values: (n, p).
        group: (n,) codes in 0…n_groups-1.

    Returns:
        (n_groups, p).

    >>> group_sums(np.array([[1., 2.], [3., 4.], [5., 6.]]), np.array([0, 1, 0]), 2)
    array([[6., 8.],
           [3., 4.]])
    """
    if len(group) == n_groups and np.array_equal(group, np.arange(n_groups)):
        return np.asarray(values, dtype=np.float64)
    if values.shape[1] > WIDE:
        # Rows of one group side by side: a call for each column would cost more than the adding.
        order = np.argsort(group, kind="stable")
        present, starts = np.unique(group[order], return_index=True)
        sums = np.zeros((n_groups, values.shape[1]))
        if len(present):
            sums[present] = np.add.reduceat(values[order], starts, axis=0)
        return sums
    sums = np.empty((n_groups, values.shape[1]))
    for column in range(values.shape[1]):
        sums[:, column] = np.bincount(group, values[:, column], minlength=n_groups)
    return sums


def _shaped(column: NDArray[Any], name: str, length: int | None) -> NDArray[Any]:
    if column.ndim != 1:
        raise ShapeError(name, f"应当是一列，实际是{column.ndim}维", "每次只给一列")
    if length is not None and len(column) != length:
        raise ShapeError(name, f"有{len(column)}行，其他列有{length}行", "各列的行数要相同")
    return column
