"""Bars of a hundred percent over counts by option."""

from __future__ import annotations

from typing import Any

from survey.web.console.charts import LEFT, PLOT_HEIGHT, TOP, WIDTH, option_bars, pace_chart

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
