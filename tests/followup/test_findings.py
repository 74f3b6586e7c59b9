"""What is weak, and what fell, beyond chance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from survey.followup.findings import falls, weak_points
from survey.followup.published import (
    NotComparableError,
    PublishedRow,
    PublishedWave,
    difference,
    read_published,
    why_not_comparable,
)


def row(key: str, shown: str | None, se: str | None = "0.0150", n: int = 400, df: int = 40, **more: Any) -> dict[str, Any]:
    return {"key": key, "name": f"第{key}行", "shown": shown, "se": se, "df": df, "n_valid": n, **more}


def results(*rows: dict[str, Any], **more: Any) -> PublishedWave:
    return read_published({
        "title": "一次调查", "n": 1300,
        "wave": "w1", "name": "满意度", "threshold": "0.85", "evidence_class": "A", "formula_in_words": "同一口径",
        "method_version": "1", "figure": {"shown": "0.9000"}, "se": "0.0100", "df": 60, "n_valid": 1200,
        "by_group": list(rows), **more,
    })  # fmt: skip


def test_a_row_far_under_the_line_is_weak_and_one_a_little_under_is_not() -> None:
    found = weak_points(results(row("a", "0.7600"), row("b", "0.8400"), row("c", "0.9500")))

    assert [one.key for one in found] == ["a"]
    assert found[0].text == "人群“第a行”的满意率76.00%，低于85%，不是抽样误差能解释的"


def test_looking_at_many_rows_asks_more_of_each() -> None:
    suspect = row("suspect", "0.8150")
    others = [row(str(at), "0.9500") for at in range(60)]

    assert [one.key for one in weak_points(results(suspect))] == ["suspect"]
    assert weak_points(results(suspect, *others)) == ()


def test_a_withheld_row_is_never_named() -> None:
    hidden = {
        "key": "h",
        "name": "小组",
        "withheld": True,
        "shown": "0.2000",
        "se": "0.0100",
        "df": 9,
        "n_valid": 5,
    }

    assert results(hidden).rows == ()
    assert weak_points(results(hidden)) == ()


def test_a_wave_of_volunteers_and_one_without_a_line_have_no_weak_rows() -> None:
    assert weak_points(results(row("a", "0.5000"), evidence_class="C")) == ()
    assert weak_points(results(row("a", "0.5000"), threshold=None)) == ()


def test_a_row_without_spread_is_judged_by_the_exact_binomial() -> None:
    nobody_content = row("a", "0.0000", se="0.0000", n=12, df=3)

    assert [one.key for one in weak_points(results(nobody_content))] == ["a"]
    assert weak_points(results(row("a", "1.0000", se="0.0000", n=12, df=3))) == ()


def test_a_coded_row_is_named_by_its_bound_and_never_compared() -> None:
    few = {"shown": None, "se": None, "n": 24, "df": 3}
    low = row("a", **few, coded="0.05", percent="≤5%")
    high = row("a", **few, coded="0.95", percent="≥95%")
    (weak,) = weak_points(results(low))

    assert (weak.shown, weak.percent, weak.before) == ("≤5%", "≤5%", None)
    assert "的满意率≤5%，低于85%" in weak.text
    assert weak_points(results(high)) == ()
    assert falls(results(high), results(row("a", "0.5000"), wave="w2")) == ()


def test_only_falls_beyond_chance_are_named_with_both_rates() -> None:
    before = results(row("a", "0.9300"), row("b", "0.9300"), row("c", "0.8000"))
    after = results(row("a", "0.8000"), row("b", "0.9200"), row("c", "0.9300"), wave="w2")
    found = falls(before, after)

    assert [(one.key, one.before, one.shown) for one in found] == [("a", "0.9300", "0.8000")]


def test_a_question_with_other_words_is_not_compared() -> None:
    item = {"group": "parent", "group_name": "家长"}
    before = results(items=[row("Q1", "0.9500", **item)])
    after = results(items=[row("Q1", "0.7000", **item) | {"name": "另一个问法"}])

    assert falls(before, after) == ()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"formula_in_words": "另一口径"}, "算法不同"),
        ({"evidence_class": "B"}, "证据等级不同"),
        ({"method_version": "2"}, "方法版本不同"),
    ],
)
def test_waves_that_measure_otherwise_are_not_compared(change: dict[str, str], reason: str) -> None:
    with pytest.raises(NotComparableError, match=reason):
        falls(results(), results(**change))
    assert why_not_comparable(results(), results()) == ()


def test_a_difference_agrees_with_r() -> None:
    # R: v <- c(.02^2, .03^2); df <- sum(v)^2 / sum(v^2 / c(10, 20)); t <- -.05 / sqrt(sum(v)); 2 * pt(t, df)
    one = PublishedRow("by_group", "", "a", "", "0.9000", 0.02, 10, 500)
    two = PublishedRow("by_group", "", "a", "", "0.8500", 0.03, 20, 500)
    change = difference(one, two)

    assert change.df == pytest.approx(29.9115044247788, rel=1e-12)
    assert change.p_value == pytest.approx(0.1757669, abs=1e-6)
    assert (change.lower, change.upper) == pytest.approx((-0.1236443, 0.0236443), abs=1e-6)


@pytest.mark.parametrize("at_the_line", [0.85, 0.90])
def test_waves_without_a_weak_row_are_rarely_given_one(at_the_line: float) -> None:
    rng = np.random.default_rng(7)
    named = 0
    for _ in range(400):
        rates = rng.binomial(400, at_the_line, size=30) / 400
        rows = [
            row(str(at), f"{rate:.4f}", se=f"{max((rate * (1 - rate) / 400) ** 0.5, 0.0001):.4f}", df=60)
            for at, rate in enumerate(rates)
        ]
        named += bool(weak_points(results(*rows)))

    assert named / 400 <= 0.05 + 3 * (0.05 * 0.95 / 400) ** 0.5
