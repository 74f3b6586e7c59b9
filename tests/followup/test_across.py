"""Waves side by side: a change is told with its doubt, and nobody is ranked by a second decimal."""

from __future__ import annotations

from typing import Any

import numpy as np

from survey.fieldwork.progress import DomainReturn, participation
from survey.followup.across import against_each_other, trend
from survey.followup.early_warning import by_gravity, warnings_of_fieldwork, warnings_of_results
from survey.followup.findings import weak_points
from survey.followup.published import PublishedWave, read_published


def wave(name: str, shown: str, se: str = "0.0100", **more: Any) -> PublishedWave:
    document = {
        "wave": name, "title": name, "name": "满意度", "threshold": "0.85", "line_in_words": "达到85%以上（含85%）",
        "evidence_class": "A", "formula_in_words": "同一口径", "method_version": "1", "figure": {"shown": shown},
        "se": se, "df": 60, "n_valid": 1200, "n": 1250, "reached": float(shown) >= 0.85, "crosses": False,
        "interval": {"lower": "0.8000", "upper": "0.9900"}, "decision": "达到",
        "by_group": [{"key": "parent", "name": "家长", "shown": shown, "se": se, "df": 60, "n_valid": 700}],
    }  # fmt: skip
    return read_published(document | more)


def test_a_change_within_the_error_is_called_that() -> None:
    first, second = trend([wave("w1", "0.9000"), wave("w2", "0.8900"), wave("w3", "0.8000")])

    assert first.in_words == "变化在抽样误差以内"
    assert second.in_words == "下降，不是误差能解释的"
    assert second.is_fall


def test_waves_that_measure_otherwise_are_told_apart_and_not_subtracted() -> None:
    (change,) = trend([wave("w1", "0.9000"), wave("w2", "0.8000", formula_in_words="另一口径")])

    assert change.difference is None
    assert change.in_words == "不能比较：算法不同"


def test_no_change_is_tested_between_waves_that_asked_everybody() -> None:
    census = {"weighting": {"history": [{"design_weight": "1"}]}}
    (change,) = trend([wave("w1", "0.9000", **census), wave("w2", "0.8000", **census)])
    (mixed,) = trend([wave("w1", "0.9000"), wave("w2", "0.8000", **census)])
    stands = against_each_other([wave("a", "0.9000", **census), wave("b", "0.8000", **census)])

    assert change.difference is None and "问遍全体" in change.in_words
    assert mixed.difference is None
    # Of two counties in one year it is the people themselves who are compared.
    assert stands["a"].in_words == "高于1个"


def test_counties_that_chance_can_explain_stand_level() -> None:
    stands = against_each_other(
        [
            wave("a", "0.9000"),
            wave("b", "0.9010"),
            wave("c", "0.8000"),
            wave("d", "0.9000", method_version="2"),
        ]
    )

    assert stands["a"].in_words == "高于1个，与1个分不出高低，1个不能比较"
    assert stands["c"].in_words == "低于2个，1个不能比较"
    assert stands["d"].in_words == "3个不能比较"


def test_equal_counties_are_rarely_told_apart() -> None:
    rng = np.random.default_rng(3)
    told_apart = 0
    for _ in range(300):
        rates = rng.normal(0.9, 0.01, size=12)
        stands = against_each_other([wave(str(at), f"{rate:.4f}") for at, rate in enumerate(rates)])
        told_apart += any(one.above or one.below for one in stands.values())

    assert told_apart / 300 <= 0.05 + 3 * (0.05 * 0.95 / 300) ** 0.5


def test_volunteers_are_compared_with_nobody() -> None:
    stands = against_each_other(
        [wave("a", "0.9000", evidence_class="C"), wave("b", "0.5000", evidence_class="C")]
    )

    assert stands["a"].in_words == "1个不能比较"


def test_results_warn_of_the_line_a_fall_and_weak_parts() -> None:
    low = wave("w2", "0.7500")
    (change,) = trend([wave("w1", "0.9000"), low])
    kinds = [one.kind for one in by_gravity(warnings_of_results("甲县", low, weak_points(low), change))]
    touching = warnings_of_results("甲县", wave("w3", "0.8600", crosses=True), (), None)

    assert kinds == ["under_line", "fell", "weak_part"]
    assert [one.kind for one in touching] == ["touches_line"]
    assert "80.00%到99.00%" in touching[0].seen
    assert warnings_of_results("甲县", wave("w4", "0.9500"), (), None) == ()


def test_a_school_that_differs_from_its_county_is_warned_of_with_its_side() -> None:
    told = {"name": "甲校", "group_name": "家长", "group": "parent", "display": "66.66%"}
    schools = [
        {**told, "name": "乙校", "display": "≥95%", "against_county": "above"},
        {**told, "against_county": "below"},
        {**told, "name": "丙校", "against_county": "level"},
        {**told, "name": "丁校", "display": "不显示", "withheld": True},
    ]
    (found,) = warnings_of_results("甲县", wave("w5", "0.9500", by_school=schools), (), None)
    volunteers = wave("w6", "0.9500", by_school=schools, evidence_class="C")

    assert found.name == "有学校和全县不同"
    assert found.seen == "甲校（家长）66.66%，低于全县这一类人；乙校（家长）≥95%，高于全县这一类人；不是抽样误差能解释的"
    assert volunteers.apart == ()


def test_fieldwork_warns_by_counts_alone() -> None:
    from datetime import date

    returns = [
        DomainReturn("a-P", "parent", "a", "甲校", "town", "primary", 100, 5, 80),
        DomainReturn("b-P", "parent", "b", "乙校", "town", "primary", 100, 0, 80),
    ]
    seen = participation(
        returns, opens_on=date(2026, 11, 20), closes_on=date(2026, 11, 29), today=date(2026, 11, 26)
    )
    found = {one.kind: one.seen for one in warnings_of_fieldwork("w", "甲县", seen)}

    assert found["empty_schools"] == "乙校一份也没有收回"
    assert "收到<10份" in found["behind"]
