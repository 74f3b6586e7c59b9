"""Charts: true to scale, labelled, readable without colour, well formed."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from survey.documents.charts import LABELS, PLOT, IntervalRow, interval_chart

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
    chart = interval_chart(ROWS, "0.85", title="按人员")

    assert "style=" not in chart and "<script" not in chart
    assert chart.count("http") == 1  # the name space of SVG itself
