"""Named columns of a file, every value as its text: what a description in words speaks of.

Enters: distinct texts and, row by row, which of them stands there. Leaves: numbers, category
names or masks, as a formula asks for them. A file of any kind comes down to this one shape, so
that "1" of a CSV and 1.0 of an SPSS file are the same answer. Nothing is guessed: a text that is
no number is refused where a number is needed, with its row.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cached_property
from math import isfinite, isnan, nan

import numpy as np

from survey.arrays import EmptyError, Flags, Floats, Ints, Labels, NotFiniteError
from survey.errors import SurveyError

FORMULA_SIGNS = frozenset("=+-@")
CELL_BREAKS = frozenset("\t\r\n\0")
UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Signs that no XML may hold (XML 1.0, 2.2); a workbook or a Word file with one of them cannot be written."""
_DIGITS = re.compile(r"([0-9]{1,18})")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?%?")


class UnknownColumnError(SurveyError):
    """A column is named that the file does not have; near names are offered."""

    code = "columns.unknown"
    kind = "invalid"


class NotNumericError(SurveyError):
    """A column holds text where numbers are needed."""

    code = "columns.not_numeric"
    kind = "invalid"


class UnknownValueError(SurveyError):
    """A value is named that no row of the column has."""

    code = "columns.unknown_value"
    kind = "invalid"


@dataclass(frozen=True, eq=False)
class Column:
    """One column: (n,) codes into its distinct texts, with their labels and what counts as missing.

    Attributes:
        code: (n,) position in `distinct`.
        distinct: texts, each once.
        labels: text → label, where the file brings labels (SPSS).
        title: the question's wording, where the file brings it.
        missing: texts that stand for no value; the empty text always does.

    >>> one = Column("q1", np.array([0, 1, 2, 0]), ("1", "2", ""))
    >>> one.numbers(), one.is_one_of(["1"]).tolist()
    (array([ 1.,  2., nan,  1.]), [True, False, False, True])
    """

    name: str
    code: Ints
    distinct: tuple[str, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    title: str = ""
    missing: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self.code)

    @cached_property
    def _absent(self) -> Flags:
        return np.array([text == "" or text in self.missing for text in self.distinct], dtype=np.bool_)

    def present(self) -> tuple[str, ...]:
        """The texts that stand for a value and that some row has."""
        used = np.bincount(self.code, minlength=len(self.distinct)) > 0
        return tuple(
            text
            for text, gone, there in zip(self.distinct, self._absent, used, strict=True)
            if there and not gone
        )

    @property
    def is_missing(self) -> Flags:
        """(n,) True where no value stands."""
        return self._absent[self.code] if self.distinct else np.zeros(0, dtype=np.bool_)

    def without(self, missing: Sequence[str]) -> Column:
        """The column with more texts (or labels) standing for no value."""
        more = {text for name in missing for text in self._meant(name)}
        return replace(self, missing=self.missing | more) if more else self

    def numbers(self) -> Floats:
        """(n,) numbers, NaN where no value stands.

        Raises:
            NotNumericError, NotFiniteError: with the first offending row, counted from 1.
        """
        values = np.empty(len(self.distinct))
        for at, text in enumerate(self.distinct):
            if self._absent[at]:
                values[at] = np.nan
                continue
            try:
                values[at] = float(text)
            except ValueError:
                row = int(np.flatnonzero(self.code == at)[0]) + 1
                raise NotNumericError(
                    f"“{self.name}”列",
                    f"第{row}条记录是“{_short(text)}”，不是数字",
                    "改成数字；如果它表示没有回答，写进spec的missing",
                    row=row,
                ) from None
            if isnan(values[at]) or not isfinite(values[at]):
                row = int(np.flatnonzero(self.code == at)[0]) + 1
                raise NotFiniteError(
                    f"“{self.name}”列",
                    f"第{row}条记录是“{text}”，不是有限的数",
                    "查明来源后改正；如果它表示没有回答，写进spec的missing",
                    row=row,
                )
        return values[self.code]

    def complete_numbers(self) -> Floats:
        """(n,) numbers, none missing.

        Raises:
            NotNumericError, NotFiniteError: with the first offending row.
        """
        values = self.numbers()
        if np.isnan(values).any():
            row = int(np.flatnonzero(np.isnan(values))[0]) + 1
            raise NotFiniteError(
                f"“{self.name}”列", f"第{row}条记录没有值", "这一列每条记录都要有数", row=row
            )
        return values

    def names(self) -> Labels:
        """(n,) texts as categories; empty where no value stands."""
        texts = np.array(
            [("" if gone else text) for text, gone in zip(self.distinct, self._absent, strict=True)]
        )
        return texts[self.code] if self.distinct else np.zeros(0, dtype="U1")

    def complete_names(self) -> Labels:
        """(n,) texts as categories, none missing.

        Raises:
            NotFiniteError: with the first row without a category.
        """
        if self.is_missing.any():
            row = int(np.flatnonzero(self.is_missing)[0]) + 1
            raise NotFiniteError(
                f"“{self.name}”列", f"第{row}条记录没有值", "这一列每条记录都要写明类别", row=row
            )
        return self.names()

    def levels(self) -> tuple[str, ...]:
        """The categories present, numbers by size and before texts."""
        return tuple(sorted(self.present(), key=_by_size))

    def label(self, text: str) -> str:
        """The label of a category, or its text."""
        return self.labels.get(text, text)

    def unmet(self, values: Sequence[str]) -> tuple[str, ...]:
        """The values, or labels, that no row has."""
        return tuple(value for value in values if not self._meant(value))

    def is_one_of(self, values: Sequence[str], *, need_one: bool = True) -> Flags:
        """(n,) True where one of the values, or a value of that label, stands.

        Args:
            need_one: refuse when no row has any of the values; an option nobody chose is no mistake,
                a list nobody chose from is.

        Raises:
            UnknownValueError: what there is stands beside it.
        """
        wanted = {text for value in values for text in self._meant(value)}
        if not wanted and need_one:
            known = "、".join(_short(self.label(text)) for text in self.levels()[:12]) or "没有任何值"
            named = "、".join(_short(value) for value in values[:6])
            raise UnknownValueError(
                f"“{self.name}”列",
                f"没有一条记录是“{named}”",
                f"文件里有：{known}；核对写法",
                values=list(values),
            )
        chosen = np.array([text in wanted for text in self.distinct], dtype=np.bool_)
        return chosen[self.code] & ~self.is_missing

    def _meant(self, value: str) -> set[str]:
        """Texts that a value means: itself where it is there, otherwise those it is the label of."""
        if value in self.distinct:
            return {value}
        return {text for text, label in self.labels.items() if label == value}.intersection(self.distinct)

    def take(self, rows: Flags) -> Column:
        """The column of some rows only."""
        return replace(self, code=self.code[rows])


@dataclass(frozen=True, eq=False)
class Columns:
    """The columns of one file, all of one length."""

    columns: Mapping[str, Column]
    n: int
    everything: tuple[str, ...] = ()
    """Every header of the file, those not read among them, for near names."""

    def __getitem__(self, name: str) -> Column:
        if name not in self.columns:
            raise unknown_column(name, self.everything or tuple(self.columns))
        return self.columns[name]

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return self.n

    def with_column(self, column: Column) -> Columns:
        """The same file with one column more, or another in its place."""
        return replace(
            self,
            columns={**self.columns, column.name: column},
            everything=tuple(dict.fromkeys((*(self.everything or tuple(self.columns)), column.name))),
        )

    def take(self, rows: Flags) -> Columns:
        """Some rows of every column."""
        return replace(self, columns={k: c.take(rows) for k, c in self.columns.items()}, n=int(rows.sum()))

    def where(self, conditions: Mapping[str, Sequence[str]]) -> Flags:
        """(n,) True where every named column has one of its values."""
        mask = np.ones(self.n, dtype=np.bool_)
        for name, values in conditions.items():
            mask &= self[name].is_one_of(values)
        return mask

    def crossed(self, names: Sequence[str]) -> Labels:
        """(n,) the combination of several columns as one category, joined by `|`; none missing."""
        columns = [self[name].complete_names() for name in names]
        if len(columns) == 1:
            return columns[0]
        joined = columns[0].astype(object)
        for column in columns[1:]:
            joined = joined + "|" + column.astype(object)
        return joined.astype(str)


def unknown_column(name: str, known: Sequence[str]) -> UnknownColumnError:
    """The refusal of a column nobody has, with the names most like it."""
    close = near(name, known)
    hint = f"是不是“{'”或“'.join(close)}”？" if close else f"文件里的列：{'、'.join(list(known)[:12])}"
    return UnknownColumnError(f"“{_short(name)}”列", "文件里没有", f"{hint}核对列名", near=close)


def near(name: str, known: Sequence[str]) -> list[str]:
    """At most three names like the given one, case aside.

    >>> near("scool", ["school", "Stratum"]), near("stratum", ["school", "Stratum"])
    (['school'], ['Stratum'])
    """
    folded: dict[str, str] = {}
    for one in known:
        folded.setdefault(one.casefold(), one)
    return [folded[one] for one in get_close_matches(name.casefold(), list(folded), n=3, cutoff=0.6)]


def number_column(name: str, values: Floats, title: str = "") -> Column:
    """A column of numbers as texts; NaN is missing.

    >>> number_column("x", np.array([2.0, 0.5, np.nan])).distinct
    ('', '0.5', '2')
    """
    if not len(values):
        raise EmptyError(f"“{name}”列", "一条记录也没有", "核对文件")
    absent = np.isnan(values)
    numbers, code = np.unique(values[~absent], return_inverse=True)
    full = np.zeros(len(values), dtype=np.int64)
    full[~absent] = code.reshape(-1) + 1
    return Column(name, full, ("", *(number_text(float(value)) for value in numbers)), title=title)


def text_columns(columns: Mapping[str, Sequence[str]]) -> Columns:
    """Columns from lists of texts, all of one length.

    >>> text_columns({"a": ["x", "", "x"]})["a"].names().tolist()
    ['x', '', 'x']
    """
    made = {}
    for name, values in columns.items():
        table: dict[str, int] = {}
        code = np.array([table.setdefault(str(value), len(table)) for value in values], dtype=np.int64)
        made[name] = Column(name, code, tuple(table))
    return Columns(made, len(next(iter(columns.values()), ())), tuple(columns))


def number_text(value: float) -> str:
    """A number as the text it goes by: whole ones without a point, nothing lost."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _by_size(text: str) -> tuple[int, float, tuple[str, ...]]:
    try:
        value = float(text)
    except ValueError:
        value = nan
    # Numbers inside texts count as numbers: school 2 comes before school 10.
    parts = tuple(part if at % 2 == 0 else part.zfill(18) for at, part in enumerate(_DIGITS.split(text)))
    return (0, value, parts) if not isnan(value) else (1, 0.0, parts)


def _short(text: str) -> str:
    kept = "".join(sign for sign in text if sign.isprintable())
    return kept if len(kept) <= 40 else kept[:39] + "…"


def plain_cell(text: str) -> str:
    """The cell with an apostrophe before whatever a spreadsheet would take for a formula; a bare number stays one.

    What stands before the sign protects from nothing: programs trim blanks, line ends and unseen signs, and an
    Excel of East Asia reads full-width signs as their narrow ones.

    >>> [plain_cell(text) for text in ("=1", " =1", "＝1", "-0.5", "+0.5%", "-1+2", "王")]
    ["'=1", "' =1", "'＝1", '-0.5', '+0.5%', "'-1+2", '王']
    """
    if _NUMBER.fullmatch(text):
        return text
    first = next((sign for sign in text if sign.isprintable() and sign != " "), "")
    acts = unicodedata.normalize("NFKC", first)[:1] in FORMULA_SIGNS
    return f"'{text}" if acts or text[:1] in CELL_BREAKS else text
