"""Answers as counts: how many, and standing for how many, gave each option in each cell.

Enters: what one pass over the answers found, in memory (`counting`) or in an engine
(`counting_expression`). Leaves: `AnswerCounts`, from which weights, rates, errors and replicates
follow without the rows. A cell is one combination of the keys: stratum, school, class, group,
raking classes, domains.

Every number here is a whole number. Weights are counted in units of 2⁻³⁰ of a person, each rounded
to its unit before it is added, so that sums are exact: they depend on no order of rows, no number
of threads and no engine, and parts add up to the whole to the last unit. 2⁻³⁰ leaves seven digits
to a weight of a hundredth and room for 8.5 thousand million people in 64 bits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isnan

import numpy as np

from survey.arrays import Flags, Floats, Ints, Labels, RangeError, ShapeError, codes
from survey.errors import SurveyError

WEIGHT_UNITS = 2**30
"""Units of weight to a person."""
SQUARE_UNITS = 2**12
"""Units of squared weight, which only design effects ask for."""
LARGEST_WEIGHT = 2.0**25
"""No row may stand for more people: its square would leave 64 bits."""

Option = int | str


class MissingColumnError(SurveyError):
    """A column that is to be counted is not there."""

    code = "cases.missing_column"
    kind = "invalid"

    def __init__(self, name: str, present: Sequence[str]) -> None:
        shown = "、".join(list(present)[:12]) + ("等" if len(present) > 12 else "")
        super().__init__(
            f"“{name}”列", "数据里没有这一列", f"核对列名；现有的列是{shown or '（没有）'}", column=name
        )


class MissingKeyError(SurveyError):
    """Rows without a value in a column that says where they belong."""

    code = "cases.missing_key"
    kind = "invalid"

    def __init__(self, name: str, rows: int) -> None:
        super().__init__(
            f"“{name}”列",
            f"有{rows}份答卷没有填",
            "层、学校和加权类别每一份都要有；补上，或者单列一类",
            column=name,
            rows=rows,
        )


class ColumnTypeError(SurveyError):
    """A column whose kind of value cannot be counted as asked."""

    code = "cases.column_type"
    kind = "invalid"


class UnlistedAnswerError(SurveyError):
    """Answers that are neither among the item's options nor declared missing."""

    code = "cases.unlisted_answer"
    kind = "invalid"


class CountsError(SurveyError):
    """Counts that cannot be: negative, more valid answers than answers, of other items."""

    code = "cases.counts"
    kind = "invalid"


@dataclass(frozen=True)
class CountedItem:
    """One item and the options that are counted, in order."""

    name: str
    options: tuple[Option, ...]

    def __post_init__(self) -> None:
        if not self.options or len(set(self.options)) != len(self.options):
            raise CountsError(f"题目“{self.name}”", "没有选项，或者选项有重复", "写明每个选项，各写一次")
        if len({isinstance(option, str) for option in self.options}) > 1:
            raise CountsError(f"题目“{self.name}”", "选项里既有数字又有文字", "同一道题的选项只用一种写法")


@dataclass(frozen=True)
class Counting:
    """What one pass over the answers is to count.

    Attributes:
        keys: columns whose combinations are the cells.
        items: columns of answers, with their options.
        weight: column of base weights; None where everybody in a cell weighs the same, and then
            weights are given to cells afterwards.
        missing: answers of any item that mean none was given, beside empty cells.
    """

    keys: tuple[str, ...]
    items: tuple[CountedItem, ...]
    weight: str | None = None
    missing: tuple[Option, ...] = ()

    def __post_init__(self) -> None:
        if len(set(self.keys)) != len(self.keys) or not self.keys:
            raise CountsError("分组的列", "没有写，或者有重复", "写明层、学校等列，各写一次")
        if len({item.name for item in self.items}) != len(self.items):
            raise CountsError("题目", "有重复", "每道题只写一次")
        if not self.items:
            raise CountsError("题目", "一道也没有写", "写明要计数的题目和选项")
        for item in self.items:
            if both := [option for option in item.options if option in self.missing]:
                raise CountsError(
                    f"题目“{item.name}”的选项“{both[0]}”",
                    "又是选项，又表示没有回答",
                    "两处只留一处",
                )

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column the pass reads."""
        weight = () if self.weight is None else (self.weight,)
        return tuple(dict.fromkeys((*self.keys, *weight, *(item.name for item in self.items))))

    @property
    def starts(self) -> Ints:
        """(items + 1,) where each item's options begin among the option columns."""
        return np.cumsum([0, *(len(item.options) for item in self.items)])

    def required(self, present: Sequence[str]) -> None:
        """Nothing, when every column is there.

        Raises:
            MissingColumnError: naming the first that is not.
        """
        for name in self.columns:
            if name not in present:
                raise MissingColumnError(name, present)


@dataclass(frozen=True, eq=False)
class AnswerCounts:
    """Counts of every cell in which somebody answered, cells in ascending order of their keys.

    Attributes:
        counting: what was counted.
        keys: by name, (cells,) the cell's label: whole numbers or text.
        n: (cells,) answers.
        weight: (cells,) their weights in `WEIGHT_UNITS`; the answers themselves without weights.
        squares: (cells,) their squared weights in `SQUARE_UNITS`.
        answered: (cells, items) answers that are not missing.
        option_n: (cells, options of all items) answers by option.
        option_weight: the same, in `WEIGHT_UNITS`.
    """

    counting: Counting
    keys: Mapping[str, Labels]
    n: Ints
    weight: Ints
    squares: Ints
    answered: Ints
    option_n: Ints
    option_weight: Ints

    def __post_init__(self) -> None:
        cells, width = len(self.n), int(self.counting.starts[-1])
        shapes = {
            "weight": (cells,),
            "squares": (cells,),
            "answered": (cells, len(self.counting.items)),
            "option_n": (cells, width),
            "option_weight": (cells, width),
        }
        if tuple(self.keys) != self.counting.keys or any(len(v) != cells for v in self.keys.values()):
            raise ShapeError("计数", "分组的列与计数的行数对不上", "重新计数")
        for name, shape in shapes.items():
            if np.shape(getattr(self, name)) != shape:
                raise ShapeError("计数", f"{name}的形状不是{'×'.join(map(str, shape))}", "重新计数")
        for name in ("n", *shapes):
            column = getattr(self, name)
            if column.dtype.kind not in "iu":
                raise CountsError("计数", f"{name}不是整数", "计数只能是整数，请重新计数")
            if column.size and column.min() < 0:
                raise CountsError("计数", f"{name}里有负数", "计数不能小于0，请查明来源后重新计数")
        listed = np.add.reduceat(self.option_n, self.counting.starts[:-1], axis=1) if cells else self.answered
        if (listed > self.answered).any() or (self.answered > self.n[:, None]).any():
            raise CountsError("计数", "选项的合计多于答卷数", "核对计数的来源，重新计数")

    def __len__(self) -> int:
        return len(self.n)

    @property
    def unit(self) -> float:
        """People to a unit of weight."""
        return 1.0 if self.counting.weight is None else 1.0 / WEIGHT_UNITS

    @property
    def square_unit(self) -> float:
        return 1.0 if self.counting.weight is None else 1.0 / SQUARE_UNITS

    def __add__(self, other: AnswerCounts) -> AnswerCounts:
        """The counts of two parts of the data, such as two files or two workers, in any order."""
        if self.counting != other.counting:
            raise CountsError("两部分计数", "计数的列或题目不同", "用同一份说明分别计数后再合并")
        return added(
            self.counting,
            {name: np.concatenate([column, other.keys[name]]) for name, column in self.keys.items()},
            *(np.concatenate([getattr(self, name), getattr(other, name)]) for name in COUNTED),
        )

    def by(self, *keys: str) -> AnswerCounts:
        """The counts over fewer keys, cells that no longer differ added up."""
        for key in keys:
            if key not in self.keys:
                raise MissingColumnError(key, tuple(self.keys))
        return added(
            replace(self.counting, keys=tuple(keys)),
            {key: self.keys[key] for key in keys},
            *(getattr(self, name) for name in COUNTED),
        )

    def where(self, kept: Flags) -> AnswerCounts:
        """The counts of some cells only, for a report on a part; domains of an estimate are masks instead."""
        return replace(
            self,
            keys={name: column[kept] for name, column in self.keys.items()},
            **{name: getattr(self, name)[kept] for name in COUNTED},
        )

    def refuse_unlisted(self) -> None:
        """Nothing, when every answer is an option or missing.

        Raises:
            UnlistedAnswerError: naming the first item with others.
        """
        listed = np.add.reduceat(self.option_n.sum(axis=0), self.counting.starts[:-1])
        for item, unlisted in zip(self.counting.items, self.answered.sum(axis=0) - listed, strict=True):
            if unlisted:
                raise UnlistedAnswerError(
                    f"题目“{item.name}”",
                    f"有{unlisted}个答案不在选项{'、'.join(map(str, item.options))}之中",
                    "把这些答案写进选项，或者写明它们表示没有回答",
                    item=item.name,
                    answers=int(unlisted),
                )

    def weights(self) -> Floats:
        """(cells,) sums of base weights, in people."""
        return self.weight * np.float64(self.unit)

    def kish_deff(self) -> float:
        """Kish's design effect of the base weights, n Σw²/(Σw)².

        Raises:
            RangeError: nobody carries any weight.

        Source: Kish (1965), sec. 11.7; METHOD 7.
        """
        total = float(self.weight.sum()) * self.unit
        if total == 0:
            raise RangeError("权数", "全部是0", "至少要有一份答卷代表总体中的人")
        return int(self.n.sum()) * float(self.squares.sum()) * self.square_unit / total**2


COUNTED = ("n", "weight", "squares", "answered", "option_n", "option_weight")


def added(counting: Counting, keys: Mapping[str, Labels], *counted: Ints) -> AnswerCounts:
    """Counts of cells in any order, those of equal keys added up; `counted` in the order of `COUNTED`."""
    columns = [whole_or_text(keys[name], name) for name in counting.keys]
    code, first = codes(*columns)
    sums = []
    for column in counted:
        into = np.zeros((len(first), *column.shape[1:]), dtype=np.int64)
        np.add.at(into, code, column)
        sums.append(into)
    named = {name: column[first] for name, column in zip(counting.keys, columns, strict=True)}
    return AnswerCounts(counting, named, *sums)


def whole_or_text(column: Labels, name: str) -> Labels:
    """Labels as whole numbers or text, the two kinds that every engine holds alike.

    Raises:
        MissingKeyError: empty, NaN or "". ColumnTypeError: fractions, dates and the like.
    """
    values = np.asarray(column)
    if values.dtype == object:
        empty = np.array([is_empty(one) or one == "" for one in values], dtype=bool)
        if empty.any():
            raise MissingKeyError(name, int(empty.sum()))
        kinds = {type(one) for one in values.tolist()}
        if kinds <= {str}:
            return values.astype(str)
        values = np.array(values.tolist())
    if values.dtype.kind == "f":
        if (empty := np.isnan(values)).any():
            raise MissingKeyError(name, int(empty.sum()))
        if not (np.isfinite(values).all() and (values == np.floor(values)).all()):
            raise ColumnTypeError(f"“{name}”列", "是小数", "分组的列只能是整数或文字", column=name)
        return values.astype(np.int64)
    if values.dtype.kind in "iub":
        return values.astype(np.int64)
    if values.dtype.kind != "U":
        raise ColumnTypeError(f"“{name}”列", "既不是整数也不是文字", "先改成整数或文字再计数", column=name)
    if (empty := values == "").any():
        raise MissingKeyError(name, int(empty.sum()))
    return values


def is_empty(value: object) -> bool:
    """Whether a single value is no value: None or NaN."""
    return value is None or (isinstance(value, float) and isnan(value))


def refuse_weights(name: str, rows: int) -> None:
    """The refusal of weights that are empty, NaN, infinite, negative or beyond `LARGEST_WEIGHT`.

    Raises:
        RangeError: when there is one.
    """
    if rows:
        raise RangeError(
            f"权数“{name}”",
            f"有{rows}份答卷的权数是空的、负的、无穷大或大于{LARGEST_WEIGHT:,.0f}",
            "补上或改正这些权数；以千人计的权数先除以1000",
            column=name,
            rows=rows,
        )
