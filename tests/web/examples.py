"""A results document as estimation writes it, small enough to read."""

from typing import Any


def results_document() -> dict[str, Any]:
    """Two groups, one of them too small to show; the interval crosses the line."""
    interval = {"lower": "0.8212", "upper": "0.9041", "level": "0.95", "method": "korn-graubard"}
    parent = {
        "key": "parent",
        "name": "家长",
        "n": 150,
        "n_valid": 146,
        "shown": "0.8843",
        "percent": "88.43%",
        "display": "88.43%",
        "se": "0.0210",
        "interval": interval,
        "dont_know": {"shown": "0.0266", "n": 4},
        "cautions": ["=HYPERLINK(1)<script>"],
    }
    hidden = {"key": "principal", "name": "校长", "withheld": True}
    return {
        "type": "results",
        "v": 1,
        "name": "社会认可度",
        "formula_in_words": "满意=非常满意+比较满意；说不清不计入",
        "demonstration": True,
        "evidence_class": "A",
        "n": 159,
        "n_valid": 154,
        "se": "0.0210",
        "figure": {
            "numerator": 88437,
            "denominator": 100000,
            "shown": "0.8843",
            "percent": "88.43%",
            "name": "社会认可度",
        },
        "interval": interval,
        "threshold": "0.85",
        "edge": "at_least",
        "line_in_words": "达到85%以上（含85%）",
        "reached": True,
        "decision": "达到",
        "crosses": True,
        "evidence_grade": "pass_point_only",
        "evidence_words": "区间跨过85%",
        "dont_know": {"shown": "0.0321", "n": 5},
        "conservative": {"shown": "0.8559", "reached": True},
        "response": {"issued": 490, "used": 159, "disputed": 0, "voided": 0, "rate": "0.3244", "name": "RR2"},
        "by_group": [parent, hidden],
        "by_stage": [],
        "by_place": [],
        "by_dimension": [],
        "items": [],
        "another_formula": [
            {
                "way": "top_over_valid",
                "name": "只算“非常满意”",
                "formula": "非常满意÷有效",
                "shown": "0.6102",
                "percent": "61.02%",
                "plain": "0.6000",
                "reached": False,
                "note": "",
            }
        ],
        "beside": [],
        "flags": [],
        "sentences": [{"id": "S6", "zh": "置信区间跨过要求线，换一次抽样结论可能不同。"}],
        "notes": [],
        "must_say": "本调查由云台区教育督导室组织，不是国家组织的认定调查",
        "certifiable": True,
        "not_certifiable_because": None,
    }
