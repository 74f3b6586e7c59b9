"""Weak points and falls that are not noise, from certified results.

What enters is one published wave, or two comparable ones; what leaves is findings, the most
surely weak first. Every row shown is one look, and Holm's correction pays for all the looks.
"""

from __future__ import annotations

from dataclasses import dataclass

from survey.estimation.comparison import holm
from survey.exact import percent_text
from survey.followup.published import (
    TABLES,
    NotComparableError,
    PublishedRow,
    PublishedWave,
    difference,
    why_no_change,
)

RISK = 0.05
"""The chance, over all rows together, of naming one that is not weak."""


@dataclass(frozen=True)
class Finding:
    """Something a ledger may take up, with the numbers that say so."""

    kind: str
    """`weak`, under the line beyond chance; `fall`, lower than the wave before beyond chance."""
    table: str
    group: str
    key: str
    name: str
    shown: str
    """Four decimals; ≥95% or ≤5% where of few answers no more is told."""
    before: str | None
    """The earlier rate of a fall."""
    p_value: float
    """After Holm's correction."""
    text: str

    @property
    def percent(self) -> str:
        """The rate as pages print it."""
        return percent_text(self.shown) if self.shown[:1].isdigit() else self.shown


def weak_points(published: PublishedWave) -> tuple[Finding, ...]:
    """Rows of a certified wave that lie under its line beyond chance, the surest first.

    A wave without a line has none. The line is asked of every row, though the rule asks it of the
    whole: it only says where to look first.
    """
    if published.threshold is None:
        return ()
    line, asked, rows = float(published.threshold), percent_text(published.threshold), published.rows
    chances = holm([row.chance_below(line) for row in rows])
    found = [
        _finding("weak", row, None, chance, f"{_where(row)}的满意率{row.percent}，低于{asked}，不是抽样误差能解释的")
        for row, chance in zip(rows, chances, strict=True)
        if chance < RISK
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda one: (one.p_value, one.shown, one.key)))


def falls(before: PublishedWave, after: PublishedWave) -> tuple[Finding, ...]:
    """Rows that fell since an earlier certified wave beyond chance, the surest first.

    Raises:
        NotComparableError: formula, evidence class or method differ.
    """
    if reasons := why_no_change(before, after):
        raise NotComparableError(before.wave, after.wave, reasons)
    earlier = {row.place: row for row in (before.whole, *before.rows)}
    pairs = [
        (earlier[row.place], row)
        for row in (after.whole, *after.rows)
        if row.place in earlier and earlier[row.place].name == row.name
    ]
    changes = [difference(first, second) for first, second in pairs]
    sure = [at for at, change in enumerate(changes) if change.p_value == change.p_value]
    chances = holm([changes[at].p_value for at in sure])
    found = [
        _finding(
            "fall", pairs[at][1], pairs[at][0], chance,
            f"{_where(pairs[at][1])}从{pairs[at][0].percent}降到{pairs[at][1].percent}，不是抽样误差能解释的",
        )
        for at, chance in zip(sure, chances, strict=True)
        if chance < RISK and changes[at].value < 0
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda one: (one.p_value, one.key)))


def _finding(kind: str, row: PublishedRow, before: PublishedRow | None, chance: float, text: str) -> Finding:
    return Finding(
        kind, row.table, row.group, row.key, row.name, row.coded or row.shown,
        None if before is None else before.shown,
        chance, text,
    )  # fmt: skip


def _where(row: PublishedRow) -> str:
    table = TABLES.get(row.table)
    return f"{table}“{row.name}”" if table else row.name
