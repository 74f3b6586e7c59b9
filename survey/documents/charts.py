"""Charts that read in black and white: dots with their intervals, and bars of a hundred percent.

Rows of text numbers enter; SVG text leaves, for a page or for the report. Every value is
written beside its mark, the axis always runs from 0 to 100, the threshold is a line, and the
unfavourable side is hatched, so that a grey copy says the same. A table with the same numbers
belongs below each chart; it is not drawn here. No style attributes: pages forbid them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from survey.exact import fraction, percent_text

WIDTH = 600
LABELS = 120
VALUES = 156
PLOT = WIDTH - LABELS - VALUES
ROW = 34
TOP = 30
INK, MUTED, GRID, DARK = "#1F2328", "#595959", "#D9D9D9", "#08519C"
FAMILY = "Noto Sans SC, PingFang SC, Microsoft YaHei, sans-serif"
SHADES = {
    2: ("#08519C", "#FDAE6B"),
    3: ("#08519C", "#D9D9D9", "#A63603"),
    4: ("#08519C", "#6BAED6", "#FDAE6B", "#A63603"),
    5: ("#08519C", "#6BAED6", "#D9D9D9", "#FDAE6B", "#A63603"),
}
LIGHT = {"#6BAED6", "#D9D9D9", "#FDAE6B"}
NARROWEST_LABEL = 0.08
"""A part of a bar under this share carries no number inside; the table below has it."""


@dataclass(frozen=True)
class IntervalRow:
    """One rate with its interval; texts as published, None where there is none."""

    name: str
    shown: str
    lower: str | None = None
    upper: str | None = None
    n: int | None = None
    label: str | None = None
    """What is written instead of the percent, such as ≥95%."""


@dataclass(frozen=True)
class BarRow:
    """One bar: the shares of its options, best first, and don't-know apart."""

    name: str
    shares: tuple[str, ...]
    dont_know: str | None = None


def interval_chart(rows: Sequence[IntervalRow], threshold: str | None = None, *, title: str) -> str:
    """Dots with intervals on one axis from 0 to 100, the highest on top.

    Args:
        rows: rates as decimal text in [0, 1].
        threshold: decimal text, drawn as a line with its number.
        title: what a screen reader says.
    """
    ordered = sorted(rows, key=lambda row: -fraction(row.shown))
    height = TOP + ROW * len(ordered) + 30
    parts = [_axis(height, threshold)]
    for number, row in enumerate(ordered):
        y = TOP + ROW * number + ROW / 2
        parts.append(_text(LABELS - 12, y + 5, row.name, anchor="end"))
        if row.lower is not None and row.upper is not None:
            left, right = _x(row.lower), _x(row.upper)
            parts.append(_line(left, y, right, y, DARK, 2.5))
            parts += [_line(end, y - 6, end, y + 6, DARK, 2.5) for end in (left, right)]
        parts.append(
            f'<circle cx="{_x(row.shown)}" cy="{y:g}" r="6" fill="{DARK}" stroke="#fff" stroke-width="1.5"/>'
        )
        parts.append(_text(LABELS + PLOT + 14, y + 5, row.label or percent_text(row.shown), weight=700))
        if row.n is not None:
            parts.append(_text(LABELS + PLOT + 88, y + 5, f"{row.n}份", fill=MUTED, size=14))
    return _svg(height, title, "".join(parts))


def bar_chart(
    rows: Sequence[BarRow], options: Sequence[str], threshold: str | None = None, *, title: str
) -> str:
    """Bars of a hundred percent from the left edge, satisfied side first.

    Args:
        rows: each with as many shares as there are options; don't-know is its own thin bar.
        options: their names, best first; two to five.
        threshold: a line over the bars.
    """
    shades = SHADES[len(options)]
    first_bad = len(options) // 2 + (len(options) % 2 or 0)
    legend = TOP + 4
    height = legend + ROW * len(rows) + 34
    parts = [_hatch(), _legend(options, shades, first_bad)]
    for number, row in enumerate(rows):
        y = legend + ROW * number + 6
        parts.append(_text(LABELS - 12, y + 15, row.name, anchor="end"))
        parts.append(_bar(row, shades, first_bad, y))
        if row.dont_know is not None:
            width = float(fraction(row.dont_know)) * (VALUES - 100)
            parts.append(
                f'<rect x="{LABELS + PLOT + 14}" y="{y + 6:g}" width="{width:.1f}" height="8" fill="{MUTED}"/>'
            )
            parts.append(
                _text(
                    LABELS + PLOT + 20 + width,
                    y + 15,
                    f"说不清{percent_text(row.dont_know)}",
                    fill=MUTED,
                    size=13,
                )
            )
    if threshold is not None:
        parts.append(_threshold(threshold, legend, height - 30))
    return _svg(height, title, "".join(parts))


def _bar(row: BarRow, shades: Sequence[str], first_bad: int, y: float) -> str:
    parts, left = [], 0.0
    for place, share in enumerate(row.shares):
        value = float(fraction(share))
        x, width = LABELS + left * PLOT, value * PLOT
        box = f'x="{x:.1f}" y="{y:g}" width="{width:.1f}" height="20"'
        parts.append(f'<rect {box} fill="{shades[place]}" stroke="#fff" stroke-width="1"/>')
        if place >= first_bad:
            parts.append(f'<rect {box} fill="url(#hatch)"/>')
        if value >= NARROWEST_LABEL:
            colour = INK if shades[place] in LIGHT else "#fff"
            label = f"{value * 100:.0f}"
            if place >= first_bad:
                parts.append(
                    f'<rect x="{x + width / 2 - 11:.1f}" y="{y + 3:g}" width="22" height="14" fill="{shades[place]}"/>'
                )
            parts.append(_text(x + width / 2, y + 15, label, anchor="middle", fill=colour, size=13))
        left += value
    return "".join(parts)


def _legend(options: Sequence[str], shades: Sequence[str], first_bad: int) -> str:
    parts, x = [], float(LABELS)
    for place, name in enumerate(options):
        box = f'x="{x:g}" y="8" width="14" height="14"'
        parts.append(f'<rect {box} fill="{shades[place]}"/>')
        if place >= first_bad:
            parts.append(f'<rect {box} fill="url(#hatch)"/>')
        parts.append(_text(x + 19, 20, name, size=13))
        x += 19 + 13 * len(name) + 16
    return "".join(parts)


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


def _hatch() -> str:
    return (
        '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse">'
        '<path d="M0 6L6 0" stroke="#fff" stroke-width="1.2" fill="none"/></pattern></defs>'
    )


def _svg(height: int, title: str, body: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
        f' font-family="{FAMILY}"><title>{escape(title)}</title>{body}</svg>'
    )
