"""What each row adds for an item: a number, or NaN where the row stays outside the base.

Enters: an `ItemSpec` and the file's columns. Leaves: an `ItemReading`. Four silences are told
apart, as in the cases room: no answer, don't know, outside the domain, outside the sample.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from survey.arrays import Flags, Floats
from survey.columns import Column, Columns
from survey.errors import SurveyError
from survey.estimation.analysis.spec import ItemSpec
from survey.estimation.linearization import MissingValuesError

NAMED = {"mean": "平均", "total": "合计", "ratio": "比率", "quantile": "分位数"}
"""What is added to a column's own name, so that its mean and its share are told apart."""


class OptionWithoutPointsError(SurveyError):
    """A value of the column that the points do not name."""

    code = "analysis.option_without_points"
    kind = "invalid"


@dataclass(frozen=True, eq=False)
class ItemReading:
    """An item as numbers over the rows of a sample.

    Attributes:
        values: (n,) what the row adds; NaN outside the base.
        dont_know: (n,) True where the answer is a don't-know.
        silent: (n,) True where there is no answer.
        careful: (n,) the same with every don't-know as not satisfied; None where that says nothing.
        denominator: (n,) of a ratio.
        options: (text, label, (n,) indicator) of a distribution, in order.
        leaves_sample: (n,) rows this item takes out of the sample.
    """

    spec: ItemSpec
    label: str
    values: Floats
    dont_know: Flags
    silent: Flags
    careful: Floats | None = None
    denominator: Floats | None = None
    options: tuple[tuple[str, str, Floats], ...] = ()
    leaves_sample: Flags | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def id(self) -> str:
        return self.spec.id or ""

    @property
    def is_rate(self) -> bool:
        """Whether its values are shares of people."""
        return self.spec.statistic in ("proportion", "distribution")


def read_item(spec: ItemSpec, columns: Columns) -> ItemReading:
    """The item over the file's rows.

    Raises:
        UnknownColumnError, UnknownValueError, NotNumericError: the column does not fit.
        OptionWithoutPointsError: an answer that the points leave out.
        MissingValuesError: silence under `silent: refuse`.
    """
    assert spec.column is not None
    column = columns[spec.column].without(spec.missing)
    silent = column.is_missing
    notes: list[str] = []
    unsure = np.zeros(len(columns), dtype=np.bool_)
    if spec.dont_know is not None:
        unsure = column.is_one_of(spec.dont_know.options, need_one=False) & ~silent
    if spec.silent == "refuse" and silent.any():
        row = int(np.flatnonzero(silent)[0]) + 1
        raise MissingValuesError(
            f"题“{spec.id}”", f"{int(silent.sum())}条记录没有回答，第一条是第{row}条", "补上，或改写silent"
        )
    values = _values(spec, column, silent | unsure, notes)
    careful = None
    if spec.dont_know is not None:
        if spec.statistic in ("proportion", "mean") and spec.dont_know.counts != "not_satisfied":
            careful = np.where(unsure, 0.0, values)
        if spec.dont_know.counts == "not_satisfied" and spec.statistic in ("proportion", "mean", "total"):
            values = np.where(unsure, 0.0, values)
        elif spec.dont_know.counts == "middle":
            worths = list(spec.points.values()) or [float(text) for text in column.levels()]
            values = np.where(unsure, (max(worths) + min(worths)) / 2, values)
    if spec.silent == "not_satisfied":
        values = np.where(silent, 0.0, values)
        careful = None if careful is None else np.where(silent, 0.0, careful)
    denominator, leaves = None, None
    if spec.denominator is not None:
        denominator = columns[spec.denominator].without(spec.missing).numbers()
        values = np.where(np.isnan(denominator), np.nan, values)
    if spec.silent == "leave_sample":
        leaves = np.isnan(values)
        notes.append(f"“{spec.id}”没有值的{int(leaves.sum())}条记录移出样本")
    options: tuple[tuple[str, str, Floats], ...] = ()
    if spec.statistic == "distribution":
        options = _options(spec, column, silent, unsure)
    plain = column.title or spec.column
    label = spec.label or (f"{plain}（{NAMED[spec.statistic]}）" if spec.statistic in NAMED else plain)
    return ItemReading(
        spec, label, values, unsure, silent, careful, denominator, options, leaves, tuple(notes)
    )


def _values(spec: ItemSpec, column: Column, outside: Flags, notes: list[str]) -> Floats:
    """(n,) numbers of an item, NaN for silence and don't-know."""
    if spec.satisfied:
        chosen = column.is_one_of(spec.satisfied)
        if nobody := column.unmet(spec.satisfied):
            notes.append(f"“{spec.id}”没有人选“{'、'.join(nobody)}”")
        return np.where(outside, np.nan, chosen.astype(float))
    if spec.statistic == "distribution":
        return np.where(outside, np.nan, 1.0)
    if not spec.points:
        if outside.any():
            # A don't-know is often a word among numbers; only what counts must be a number.
            absent = {column.distinct[at] for at in np.unique(column.code[outside])}
            column = column.without(sorted(absent - {""}))
        return column.numbers()
    values = np.full(len(outside), np.nan)
    met = outside.copy()
    for option, points in spec.points.items():
        chosen = column.is_one_of([option], need_one=False) & ~outside
        values[chosen] = points
        met |= chosen
    if not met.all():
        row = int(np.flatnonzero(~met)[0])
        text = column.distinct[int(column.code[row])]
        raise OptionWithoutPointsError(
            f"题“{spec.id}”",
            f"第{row + 1}条记录选“{column.label(text)}”，points里没有它的分值",
            "补上分值，或写进dont_know、missing",
        )
    return values


def _options(
    spec: ItemSpec, column: Column, silent: Flags, unsure: Flags
) -> tuple[tuple[str, str, Floats], ...]:
    """Indicators of every option; don't-knows are among them unless they stay outside the base."""
    counted = spec.dont_know is not None and spec.dont_know.counts == "not_satisfied"
    outside = silent | (unsure & (not counted))
    names = column.names()
    found = []
    for text in column.levels():
        chosen = names == text
        if (chosen & ~outside).any():
            found.append((text, column.label(text), np.where(outside, np.nan, chosen.astype(float))))
    return tuple(found)
