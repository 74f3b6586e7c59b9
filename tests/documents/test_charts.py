"""Charts: true to scale, labelled, readable without colour, well formed."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from survey.documents.charts import LABELS, PLOT, BarRow, IntervalRow, bar_chart, interval_chart

SVG = "{http://www.w3.org/2000/svg}"
ROWS = [
    IntervalRow("家长", "0.8712", "0.8401", "0.8990", 420),
    IntervalRow("教师 <b>", "0.9311", "0.9002", "0.9540", 143),
    IntervalRow("校长", "1.0000", None, None, 24, "≥95%"),
]


def words(svg: str) -> list[str]:
    return [one.text for one in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_dots_stand_at_their_value_on_an_axis_from_0_to_100_highest_first() -> None:
    chart = ElementTree.fromstring(interval_chart(ROWS, "0.85", title="按人员"))
    places = [float(dot.attrib["cx"]) for dot in chart.iter(f"{SVG}circle")]

    assert places == pytest.approx([LABELS + PLOT * rate for rate in (1, 0.9311, 0.8712)], abs=0.06)


def test_every_mark_is_labelled_with_the_published_text() -> None:
    said = words(interval_chart(ROWS, "0.85", title="按人员"))

    assert {"家长", "教师 <b>", "校长", "87.12%", "93.11%", "≥95%", "420份", "要求85%", "0", "100%"} <= set(
        said
    )


def test_charts_carry_no_style_attribute_script_or_foreign_address() -> None:
    charts = [
        interval_chart(ROWS, "0.85", title="按人员"),
        bar_chart(
            [BarRow("家长", ("0.5", "0.3", "0.2"), "0.03")],
            ("满意", "基本满意", "不满意"),
            "0.85",
            title="选项",
        ),
    ]

    for chart in charts:
        assert "style=" not in chart and "<script" not in chart
        assert chart.count("http") == 1  # the name space of SVG itself


def test_parts_of_a_bar_fill_it_from_the_left_edge_and_the_unfavourable_side_is_hatched() -> None:
    shares = ("0.45", "0.3", "0.1", "0.1", "0.05")
    options = ("非常满意", "比较满意", "一般", "不太满意", "很不满意")
    chart = ElementTree.fromstring(bar_chart([BarRow("家长", shares, "0.0321")], options, title="选项"))
    parts = [one for one in chart.iter(f"{SVG}rect") if one.attrib["height"] == "20"]
    plain = [one for one in parts if one.attrib["fill"] != "url(#hatch)"]

    assert float(plain[0].attrib["x"]) == LABELS
    assert sum(float(one.attrib["width"]) for one in plain) == pytest.approx(PLOT, abs=0.3)
    assert len(parts) - len(plain) == 2


def test_dont_know_stands_apart_from_the_hundred_percent() -> None:
    said = words(bar_chart([BarRow("家长", ("0.6", "0.4"), "0.0321")], ("满意", "不满意"), title="选项"))

    assert "说不清3.21%" in said
