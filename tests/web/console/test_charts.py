"""Bars of a hundred percent over counts by option."""

from __future__ import annotations

from typing import Any

from survey.web.console.charts import LEFT, WIDTH, option_bars

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
