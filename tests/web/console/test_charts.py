"""Bars of a hundred percent over counts by option."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from survey.followup.across import item_changes
from survey.web.console.charts import (
    LABEL_STEP,
    LEFT,
    PLOT_HEIGHT,
    TOP,
    WIDTH,
    balance_bars,
    option_bars,
    pace_chart,
    slope_chart,
)
from tests.followup.test_across import wave

WORDS = ("非常满意", "比较满意", "一般", "不太满意", "很不满意")


def item(*counts: int, unsure: int = 0, **more: Any) -> dict[str, Any]:
    options = [{"key": f"k{n}", "zh": name, "n": count} for n, (name, count) in enumerate(zip(WORDS, counts, strict=False))]
    options.append({"key": "dont_know", "zh": "说不清", "n": unsure})
    return {"role": "overall", "group_name": "家长", "options": options, "dont_know_n": unsure, **more}


def test_parts_fill_the_axis_from_the_left_edge_and_the_unfavourable_side_is_hatched() -> None:
    chart = option_bars([item(50, 30, 10, 7, 3, unsure=25)], "0.85")
    assert chart is not None
    [bar] = chart.bars

    assert bar.parts[0][0] == LEFT and sum(part[1] for part in bar.parts) == WIDTH
    assert [part[3] for part in bar.parts] == ["50", "30", "10", "", ""]
    assert [part[4] for part in bar.parts] == [False, False, False, True, True]
    assert (bar.unsure, bar.n_unsure, bar.counts) == ("20.00%", 25, (50, 30, 10, 7, 3))
    assert chart.line is not None and chart.line[1] == "85%"


def test_what_is_withheld_or_was_asked_otherwise_is_no_bar() -> None:
    shown = item(5, 3, 1, 1, 0)
    other = {**item(1, 1), "group_name": "教师"}

    assert option_bars([], None) is None
    assert option_bars([item(5, 3, 1, 1, 0, withheld=True), {**shown, "options": None}], None) is None
    assert option_bars([{**shown, "role": "content"}], None) is None
    assert [bar.name for bar in option_bars([shown, other], None).bars] == ["家长"]  # type: ignore[union-attr]


def test_the_second_view_halves_the_middle_option_and_keeps_every_width() -> None:
    chart = option_bars([item(50, 30, 10, 7, 3)], "0.85")
    assert chart is not None
    view = balance_bars(chart)
    [(_, _, parts)] = view.bars
    edges = [part[0] for part in parts] + [parts[-1][0] + parts[-1][1]]
    half = WIDTH // 2

    assert edges == [view.middle + round(share * half / 100) for share in (-85, -35, -5, 5, 12, 15)]
    assert [part[3] for part in parts] == ["50", "30", "", "", ""]
    assert [text for _, text in view.ticks] == ["100%", "50%", "0%", "50%", "100%"]


def test_with_an_even_number_of_options_the_line_stands_between_the_sides() -> None:
    four = {**item(40, 30, 20, 10), "options": item(40, 30, 20, 10)["options"][:4]}
    chart = option_bars([four], None)
    assert chart is not None
    [(_, _, parts)] = balance_bars(chart).bars

    assert parts[2][0] == balance_bars(chart).middle


def test_slopes_stand_on_the_whole_axis_and_their_names_keep_apart() -> None:
    items = [
        {"key": f"P{n}", "group": "parent", "name": f"题{n}", "se": "0.01", "df": 60, "n_valid": 500}
        for n in range(12)
    ]

    def rows(*shown: str) -> list[dict[str, Any]]:
        return [{**one, "shown": rate} for one, rate in zip(items, shown, strict=True)]

    level = ["0.9000"] * 10
    changes = item_changes(
        wave("w1", "0.9", items=rows("0.9000", "0.9500", *level)),
        wave("w2", "0.9", items=rows("0.9800", "0.8000", *level)),
    )
    chart = slope_chart("家长逐题的变化", "2026-05", "2026-11", changes)
    words = [line[4] for line in chart.lines]

    assert [line[1] for line in chart.lines] == ["rise", *["level"] * 10, "fall"]
    assert chart.lines[0][0] == "题0 +8.0" and chart.lines[-1][0] == "题1 -15.0"
    assert chart.lines[-1][3] == {text: y for y, text in chart.ticks}["80%"]
    assert all(after - before >= LABEL_STEP for before, after in pairwise(words))
    assert item_changes(wave("w1", "0.9"), wave("w2", "0.9", method_version="0")) == ()


def test_the_point_of_today_lies_on_the_needed_line_when_the_pace_is_just_right() -> None:
    chart = pace_chart(50, 100, 5, 10)
    behind, ahead = pace_chart(20, 100, 5, 10), pace_chart(90, 100, 5, 10)
    assert chart is not None and behind is not None and ahead is not None

    assert chart.end == chart.leads_to == (LEFT + WIDTH, TOP + PLOT_HEIGHT - 120)
    assert chart.today == (LEFT + WIDTH // 2, TOP + PLOT_HEIGHT - 60)
    assert behind.leads_to == (LEFT + WIDTH, TOP + PLOT_HEIGHT - 48)
    assert ahead.leads_to[1] == TOP and ahead.leads_to[0] < LEFT + WIDTH
    run, rise = (ahead.today[n] - base for n, base in enumerate((LEFT, TOP + PLOT_HEIGHT)))
    on, up = (ahead.leads_to[n] - base for n, base in enumerate((LEFT, TOP + PLOT_HEIGHT)))
    assert abs(rise / run - up / on) < 0.01


def test_a_small_count_and_a_wave_that_has_not_begun_draw_nothing() -> None:
    assert pace_chart(9, 100, 5, 10) is None
    assert pace_chart(50, 100, 0, 10) is None
