"""What the set-up pages call stages, choices and the places where a scheme is unverified."""

from __future__ import annotations

STAGE_NAMES = {
    "kindergarten": "幼儿园",
    "primary": "小学",
    "junior": "初中",
    "nine_year": "九年一贯制",
    "senior": "高中",
    "special": "特殊教育",
}
MARK_WORDS = {
    "sample_size.population.census": "常住人口依据哪一次普查",
    "sample_size.counts": "份数按发出的还是有效的算",
    "sample_size": "份数的规定",
    "figure.official_formula": "官方的折算办法没有查到，用第6步写明的算法",
    "requirement": "要求线（全国的条文没有读到）",
    "requirement.line": "要求线的说法（高于还是不低于）",
    "requirement.grades": "等级的界限",
    "purpose.asks_about": "要问哪些方面",
    "purpose.documents": "依据的文件",
    "purpose.official_survey_run_by": "官方调查由谁组织",
    "respondent_groups": "问哪几类人",
    "respondent_groups.student.from_grade": "学生从几年级问起",
    "instruments": "用几套问卷",
    "allocation": "各类人的比例",
    "allocation.about_equal": "其余各类“大体相当”",
    "returns": "有效率的规定",
    "selection.official_practice": "官方怎样选人",
}
MODES = (
    ("slip", "抽人，一人一张纸条（也可以填纸质卷）"),
    ("quota", "海报，限份数"),
    ("open", "公开链接，自愿填写"),
)
DONT_KNOW = (
    ("left_out", "不进分母"),
    ("not_satisfied", "进分母，不算满意"),
    ("middle", "按中间分（只用于均值）"),
)
GROUP_WEIGHTS = (
    ("by_allocation", "按方案定的比例"),
    ("equal", "各类人相等"),
    ("pooled", "按份数，不分类"),
    ("population", "按各类人的总数"),
)
EDGE_WORDS = (("at_least", "以上（含）"), ("above", "高于（不含）"))
