"""Charts on paper, readable in black and white: dots with their intervals.

Rows of text numbers enter; SVG text leaves. Every value is written beside its mark, the axis always
runs from 0 to 100, the threshold is a line. A table with the same numbers belongs below each chart;
it is not drawn here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from survey.exact import fraction, percent_text

WIDTH = 600
LABELS = 120
VALUES = 156
PLOT = WIDTH - LABELS - VALUES
ROW = 34
TOP = 30
INK, MUTED, GRID, DARK = "#1F2328", "#595959", "#D9D9D9", "#08519C"
FAMILY = "Noto Sans SC, PingFang SC, Microsoft YaHei, sans-serif"


@dataclass(frozen=True)
class IntervalRow:
    """One rate with its interval; texts as published, None where there is none."""

    name: str
    shown: str | None
    """None where of few answers only a range is told: then the row has no dot."""
    lower: str | None = None
    upper: str | None = None
    n: int | None = None
    label: str | None = None
    """What is written instead of the percent, such as ≥95%."""


def interval_chart(rows: Sequence[IntervalRow], threshold: str | None = None, *, title: str) -> str:
    """Dots with intervals on one axis from 0 to 100, the highest on top.

    Args:
        rows: rates as decimal text in [0, 1].
        threshold: decimal text, drawn as a line with its number.
        title: what a screen reader says.
    """
    ordered = sorted(rows, key=lambda row: -fraction(row.shown or row.lower or "0"))
    height = TOP + ROW * len(ordered) + 30
    parts = [_axis(height, threshold)]
    for number, row in enumerate(ordered):
        y = TOP + ROW * number + ROW / 2
        parts.append(_text(LABELS - 12, y + 5, row.name, anchor="end"))
        if row.lower is not None and row.upper is not None:
            left, right = _x(row.lower), _x(row.upper)
            parts.append(_line(left, y, right, y, DARK, 2.5))
            parts += [_line(end, y - 6, end, y + 6, DARK, 2.5) for end in (left, right)]
        if row.shown is not None:
            parts.append(
                f'<circle cx="{_x(row.shown)}" cy="{y:g}" r="6" fill="{DARK}" stroke="#fff" stroke-width="1.5"/>'
            )
        words = row.label or (percent_text(row.shown) if row.shown is not None else "")
        parts.append(_text(LABELS + PLOT + 14, y + 5, words, weight=700))
        if row.n is not None:
            parts.append(_text(LABELS + PLOT + 88, y + 5, f"{row.n}份", fill=MUTED, size=14))
    return _svg(height, title, "".join(parts))


def told_range(row: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The ends of a row's line: of its interval, or of the range that ≥95% and ≤5% stand for.

    >>> told_range({"coded": "0.95", "interval": None}), told_range({"interval": {"lower": "0.8", "upper": "0.9"}})
    (('0.95', '1'), ('0.8', '0.9'))
    """
    bound = row.get("coded")
    if bound:
        return (bound, "1") if fraction(bound) > fraction("0.5") else ("0", bound)
    interval = row.get("interval") or {}
    return interval.get("lower"), interval.get("upper")


def _axis(height: int, threshold: str | None) -> str:
    bottom = height - 26
    parts = []
    for percent in (0, 20, 40, 60, 80, 100):
        x = LABELS + PLOT * percent / 100
        parts.append(_line(x, TOP, x, bottom, GRID, 1))
        parts.append(
            _text(x, bottom + 18, f"{percent}%" if percent == 100 else str(percent), "middle", MUTED, 13)
        )
    if threshold is not None:
        parts.append(_threshold(threshold, TOP, bottom))
    return "".join(parts)


def _threshold(threshold: str, top: float, bottom: float) -> str:
    x = _x(threshold)
    line = f'<path d="M{x} {top:g}V{bottom:g}" stroke="{INK}" stroke-width="1.5" stroke-dasharray="5 3" fill="none"/>'
    return line + _text(x, top - 8, f"要求{percent_text(threshold)}", anchor="middle", size=13)


def _x(rate: str) -> float:
    return round(LABELS + PLOT * float(fraction(rate)), 1)


def _text(
    x: float, y: float, words: str, anchor: str = "start", fill: str = INK, size: int = 15, weight: int = 500
) -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}"'
        f' fill="{fill}">{escape(words)}</text>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float) -> str:
    return f'<path d="M{x1:g} {y1:g}L{x2:g} {y2:g}" stroke="{colour}" stroke-width="{width}" fill="none"/>'


def _svg(height: int, title: str, body: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
        f' font-family="{FAMILY}"><title>{escape(title)}</title>{body}</svg>'
    )
