"""Where the marks of a chart stand; the template draws them, so no text here is ever markup.

Dot with interval on one axis from 0 to 100, the threshold as a line: it shows doubt and how
close each row is to the line. Rows are ordered by value; what is withheld comes last and says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from survey.exact import fraction

LEFT = 150
WIDTH = 560
RIGHT = 90
ROW = 34
TOP = 34
BOTTOM = 30
NAME_SIGNS = 9
"""Signs of a name that fit left of the axis; the table below carries it in full."""


@dataclass(frozen=True)
class Dot:
    """One row: a dot, its interval and the words beside it; positions in units of the drawing."""

    name: str
    label: str
    y: int
    x: int | None
    low: int | None
    high: int | None


@dataclass(frozen=True)
class DotChart:
    """A whole chart, ready to be drawn."""

    title: str
    rows: tuple[Dot, ...]
    ticks: tuple[tuple[int, str], ...]
    line: tuple[int, str] | None
    width: int
    height: int
    bottom: int


def place(rate: str | Fraction) -> int:
    """The horizontal position of a rate on the axis, to whole units.

    >>> place("0"), place("0.5"), place("1")
    (150, 430, 710)
    """
    return LEFT + round(fraction(rate) * WIDTH)


def dot_chart(title: str, rows: Sequence[Mapping[str, Any]], threshold: str | None) -> DotChart:
    """The chart of rows of a results document.

    Args:
        rows: each with `name`, and unless `withheld` with `shown`, `display` and `interval`.
        threshold: the line as a rate, or None where there is none to hold against.
    """
    ordered = sorted(rows, key=_order)
    dots = tuple(_dot(row, TOP + ROW * number + ROW // 2) for number, row in enumerate(ordered))
    bottom = TOP + ROW * len(dots)
    return DotChart(
        title=title,
        rows=dots,
        ticks=tuple((place(Fraction(tick, 100)), f"{tick}%") for tick in range(0, 101, 20)),
        line=(place(threshold), f"{float(fraction(threshold) * 100):g}%") if threshold else None,
        width=LEFT + WIDTH + RIGHT,
        height=bottom + BOTTOM,
        bottom=bottom,
    )


def _order(row: Mapping[str, Any]) -> tuple[bool, Fraction]:
    hidden = bool(row.get("withheld"))
    return hidden, Fraction(0) if hidden else -fraction(row["shown"])


def _dot(row: Mapping[str, Any], y: int) -> Dot:
    name = row["name"] if len(row["name"]) <= NAME_SIGNS else f"{row['name'][: NAME_SIGNS - 1]}…"
    if row.get("withheld"):
        return Dot(name, "不显示", y, None, None, None)
    interval = row.get("interval")
    return Dot(
        name,
        str(row.get("display") or row["percent"]),
        y,
        place(row["shown"]),
        place(interval["lower"]) if interval else None,
        place(interval["upper"]) if interval else None,
    )
