"""Where the marks of a chart stand; the template draws them, so no text here is ever markup.

Dot with interval on one axis from 0 to 100, the threshold as a line: it shows doubt and how
close each row is to the line. Rows are ordered by value; what is withheld comes last and says so.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from survey.documents.charts import told_range
from survey.exact import fraction, percent_text, truncate
from survey.fieldwork.progress import SMALLEST_SHOWN
from survey.followup.across import ItemChange

LEFT = 150
WIDTH = 560
RIGHT = 90
ROW = 34
TOP = 34
BOTTOM = 30
NAME_SIGNS = 9
"""Signs of a name that fit left of the axis; the table below carries it in full."""
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
class Dot:
    """One row: a dot, its interval and the words beside it; positions in units of the drawing."""

    name: str
    label: str
    y: int
    x: int | None
    """None where nothing is told, or where only the range from `low` to `high` is."""
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


def dot_chart(
    title: str, rows: Sequence[Mapping[str, Any]], threshold: str | None, *, by_value: bool = True
) -> DotChart:
    """The chart of rows of a results document.

    Args:
        rows: each with `name`, and unless `withheld` with `shown` or `coded`, `display` and `interval`.
        threshold: the line as a rate, or None where there is none to hold against.
        by_value: the highest first; False keeps the rows' own order, where an order would read as a rank.
    """
    ordered = sorted(rows, key=_order) if by_value else list(rows)
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
    return hidden, Fraction(0) if hidden else -fraction(row.get("coded") or row["shown"])


def _dot(row: Mapping[str, Any], y: int) -> Dot:
    name = row["name"] if len(row["name"]) <= NAME_SIGNS else f"{row['name'][: NAME_SIGNS - 1]}…"
    if row.get("withheld"):
        return Dot(name, "不显示", y, None, None, None)
    low, high = told_range(row)
    return Dot(
        name,
        str(row.get("display") or row["percent"]),
        y,
        None if row.get("coded") else place(row["shown"]),
        place(low) if low is not None else None,
        place(high) if high is not None else None,
    )


@dataclass(frozen=True)
class Bar:
    """One group's bar: its parts from the left edge, and the thin bar of those who did not know."""

    name: str
    y: int
    parts: tuple[tuple[int, int, str, str, bool, bool], ...]
    """Left edge, width, colour, the number inside or nothing, whether hatched, whether dark on light."""
    unsure_width: int
    unsure: str
    counts: tuple[int, ...]
    n_unsure: int


@dataclass(frozen=True)
class BarChart:
    """Bars of a hundred percent, ready to be drawn, with what the table below them says."""

    title: str
    options: tuple[tuple[str, str, bool, int], ...]
    """Name, colour, whether hatched, and where its mark stands in the legend."""
    bars: tuple[Bar, ...]
    line: tuple[int, str] | None
    width: int
    height: int


def option_bars(items: Sequence[Mapping[str, Any]], threshold: str | None) -> BarChart | None:
    """How each respondent group answered the overall item, satisfied side first; None without any.

    Args:
        items: the item rows of a results document; those withheld, or with too few answers to count
            by option, are left out, and so is a group that was offered other options.
        threshold: the line as a rate, or None.
    """
    found: list[tuple[str, dict[str, int], int]] = []
    for item in items:
        if item.get("role") == "overall" and not item.get("withheld") and item.get("options"):
            named = {one["zh"]: one["n"] for one in item["options"] if one["key"] not in NO_OPINION}
            found.append((item["group_name"], named, item.get("dont_know_n") or 0))
    rows = [row for row in found if row[1].keys() == found[0][1].keys() and any(row[1].values())]
    if not rows or len(rows[0][1]) not in SHADES:
        return None
    shades, options = SHADES[len(rows[0][1])], tuple(rows[0][1])
    first_bad = (len(options) + 1) // 2
    legend, x = [], LEFT
    for number, option in enumerate(options):
        legend.append((option, shades[number], number >= first_bad, x))
        x += 40 + 14 * len(option)
    return BarChart(
        title="总体满意题，各类人员选了什么",
        options=tuple(legend),
        bars=tuple(
            _bar(name, counts, unsure, shades, first_bad, 2 * TOP + ROW * number)
            for number, (name, counts, unsure) in enumerate(rows)
        ),
        line=(place(threshold), f"{float(fraction(threshold) * 100):g}%") if threshold else None,
        width=LEFT + WIDTH + RIGHT + 40,
        height=2 * TOP + ROW * len(rows) + 8,
    )


NARROWEST_NUMBER = 26
"""Units that two digits need inside a part."""


@dataclass(frozen=True)
class BalanceChart:
    """The same bars laid against a middle line: how much stands on either side."""

    title: str
    options: tuple[tuple[str, str, bool, int], ...]
    bars: tuple[tuple[str, int, tuple[tuple[int, int, str, str, bool, bool], ...]], ...]
    """Name, top, and the parts as in `Bar`."""
    ticks: tuple[tuple[int, str], ...]
    middle: int
    width: int
    height: int
    bottom: int


def balance_bars(chart: BarChart) -> BalanceChart:
    """The second view of `option_bars`: the satisfied left of the middle, the dissatisfied right of it.

    The middle option of an odd number is halved by the line, as neither side's.
    """
    middle, half = LEFT + WIDTH // 2, WIDTH // 2
    bars = []
    for bar in chart.bars:
        n, first_bad = sum(bar.counts), (len(bar.counts) + 1) // 2
        good = Fraction(sum(bar.counts[:first_bad]), n)
        if len(bar.counts) % 2:
            good -= Fraction(bar.counts[first_bad - 1], 2 * n)
        parts, at = [], -good
        for (_, _, colour, _, hatched, light), count in zip(bar.parts, bar.counts, strict=True):
            left, right = (middle + round(edge * half) for edge in (at, at + Fraction(count, n)))
            # The line runs through the middle option, whose number the table has.
            shown = right - left >= NARROWEST_NUMBER and not left < middle < right
            share = f"{100 * count // n}" if shown else ""
            parts.append((left, right - left, colour, share, hatched, light))
            at += Fraction(count, n)
        bars.append((bar.name, bar.y, tuple(parts)))
    bottom = chart.height - 8
    return BalanceChart(
        title=f"{chart.title}：以中间为界",
        options=chart.options,
        bars=tuple(bars),
        ticks=tuple((middle + percent * half // 100, f"{abs(percent)}%") for percent in range(-100, 101, 50)),
        middle=middle,
        width=LEFT + WIDTH + RIGHT,
        height=bottom + BOTTOM,
        bottom=bottom,
    )


@dataclass(frozen=True)
class SlopeChart:
    """One line an item from one wave to the next, each with its name at its end."""

    title: str
    before: str
    after: str
    lines: tuple[tuple[str, str, int, int, int], ...]
    """Words at its end, what became of it (rise, fall, level), its two heights, and the height of its words."""
    ticks: tuple[tuple[int, str], ...]
    left: int
    right: int
    width: int
    height: int


QUESTION = re.compile(r"^(总的来说，)?[您你]对|满意吗？(（.*）)?$|（[^（）]*）$")
SHORT_SIGNS = 20


def short_name(question: str) -> str:
    """A question without the words that every question has.

    >>> short_name("您对学校的教室满意吗？（家长）"), short_name("在公平对待同学这件事上，你对学校的做法满意吗？")
    ('学校的教室', '在公平对待同学这件事上，你对学校的做法')
    """
    short = QUESTION.sub("", question) or question
    return short if len(short) <= SHORT_SIGNS else f"{short[: SHORT_SIGNS - 1]}…"


SLOPE_HEIGHT = 300
LABEL_STEP = 17


def slope_chart(title: str, before: str, after: str, changes: Sequence[ItemChange]) -> SlopeChart:
    """The changes of one group's items on one axis from 0 to 100.

    Args:
        before, after: what stands over the two ends.
        changes: at least one.
    """
    tall = max(SLOPE_HEIGHT, LABEL_STEP * len(changes))

    def height(value: float) -> int:
        return TOP + round((1 - value) * tall)

    ordered = sorted(changes, key=lambda change: -change.after.value)
    words = [height(change.after.value) for change in ordered]
    # Names keep their distance: pushed down from the top, then back up from the bottom.
    for at in range(1, len(words)):
        words[at] = max(words[at], words[at - 1] + LABEL_STEP)
    words[-1] = min(words[-1], TOP + tall)
    for at in reversed(range(len(words) - 1)):
        words[at] = min(words[at], words[at + 1] - LABEL_STEP)
    kinds = {1: "rise", 0: "level", -1: "fall"}
    return SlopeChart(
        title=title,
        before=before,
        after=after,
        lines=tuple(
            (
                f"{short_name(change.after.name)} {100 * change.difference.value:+.1f}",
                kinds[change.turn],
                height(change.before.value),
                height(change.after.value),
                at,
            )
            for change, at in zip(ordered, words, strict=True)
        ),
        ticks=tuple((height(percent / 100), f"{percent}%") for percent in range(0, 101, 20)),
        left=60,
        right=340,
        width=LEFT + WIDTH + RIGHT,
        height=TOP + tall + 14,
    )


NO_OPINION = frozenset({"dont_know", "refused", "prefer_not"})
UNSURE_WIDTH = 60


def _bar(
    name: str, counts: Mapping[str, int], unsure: int, shades: Sequence[str], first_bad: int, y: int
) -> Bar:
    n, before, parts = sum(counts.values()), 0, []
    for number, count in enumerate(counts.values()):
        left, right = place(Fraction(before, n)), place(Fraction(before + count, n))
        share = Fraction(count, n)
        label = f"{int(100 * share)}" if share >= NARROWEST_LABEL else ""
        colour = shades[number]
        parts.append((left, right - left, colour, label, number >= first_bad, colour in LIGHT))
        before += count
    doubt = Fraction(unsure, n + unsure)
    return Bar(
        name,
        y,
        tuple(parts),
        round(doubt * UNSURE_WIDTH),
        percent_text(truncate(doubt)),
        tuple(counts.values()),
        unsure,
    )


@dataclass(frozen=True)
class PaceChart:
    """How many are needed by which day, how many are in today, and where that leads at this speed."""

    days: int
    day: int
    need_text: str
    used_text: str
    left: int
    right: int
    top: int
    bottom: int
    end: tuple[int, int]
    """Where the line of what is needed ends."""
    today: tuple[int, int]
    leads_to: tuple[int, int]
    width: int
    height: int


PLOT_HEIGHT = 150


def pace_chart(used: int, need: int, day: int, days: int) -> PaceChart | None:
    """The count of today against the pace that is needed; None before the first day.

    No answer bears its day, so there is one point and no curve. A count that is written as <10
    has no mark either, which would tell it.
    """
    if not 1 <= day <= days or used < SMALLEST_SHOWN or need < 1:
        return None
    most = max(need, used) * 5 // 4
    bottom = TOP + PLOT_HEIGHT

    def point(on: Fraction, count: Fraction) -> tuple[int, int]:
        return LEFT + round(on * WIDTH / days), bottom - round(count * PLOT_HEIGHT / most)

    # Faster than the plot is high, the line is cut where it leaves the plot, never bent.
    leaves_on = min(Fraction(days), Fraction(most * day, used))

    return PaceChart(
        days,
        day,
        f"需要{need}",
        f"第{day}天 {used}",
        LEFT,
        LEFT + WIDTH,
        TOP,
        bottom,
        point(Fraction(days), Fraction(need)),
        point(Fraction(day), Fraction(used)),
        point(leaves_on, leaves_on * used / day),
        LEFT + WIDTH + RIGHT,
        bottom + BOTTOM,
    )
