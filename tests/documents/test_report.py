"""The report: numbers as the results document has them, doubts beside them, no seal."""

from __future__ import annotations

import copy
import dataclasses
from collections import Counter
from typing import Any

import pypdfium2 as pdfium
import pytest

from survey.documents.report import ReportCover, report
from survey.estimation.disclosure import code_extremes
from survey.exact import percent_text
from survey.scheme.instrument import load_instrument

COVER = ReportCover(
    "万安县2026年秋季义务教育满意度调查", "wanan-2026", "2026-11-24 至 2026-12-05", "2026年12月12日"
)
DIGEST = "9c336b6cc9cfdd8189b27be624da129d121f81c5db979d4affc7986c3d1c63ce"


def row(key: str, name: str, shown: str, lower: str, upper: str, n: int = 420, **more: Any) -> dict[str, Any]:
    return {
        "key": key,
        "name": name,
        "n": n + 12,
        "n_valid": n,
        "shown": shown,
        "percent": percent_text(shown),
        "display": percent_text(shown),
        "interval": {"lower": lower, "upper": upper},
        "dont_know": "0.0321",
        "cautions": [],
        **more,
    }


WITHHELD = {
    "key": "cppcc",
    "name": "政协委员",
    "withheld": True,
    "n": "<10",
    "shown": "不显示",
    "percent": "不显示",
}
RESULTS: dict[str, Any] = code_extremes(
    {
        "name": "社会认可度",
        "formula_in_words": "（非常满意份数＋比较满意份数）÷有效份数；说不清不进分母。",
        "demonstration": True,
        "evidence_class": "A",
        "n": 1902,
        "n_valid": 1850,
        "n_eff": "912.4",
        "se": "0.0109",
        "figure": {
            "numerator": "8843",
            "denominator": "10000",
            "shown": "0.8843",
            "percent": "88.43%",
            "name": "社会认可度",
        },
        "interval": {"lower": "0.8612", "upper": "0.9041", "level": "0.95", "method": "logit"},
        "threshold": "0.85",
        "line_in_words": "达到85.00%以上（含85.00%）",
        "reached": True,
        "decision": "达到",
        "evidence_words": "达到，单侧95%下限也在线上",
        "dont_know": {"shown": "0.0321", "n": 60},
        "conservative": {"shown": "0.8559", "percent": "85.59%", "reached": True},
        "response": {"issued": 2875, "used": 1902, "disputed": 3, "voided": 12, "rate": "0.6615", "name": "RR2"},
        "by_group": [
            row("parent", "家长", "0.8712", "0.8401", "0.8990"),
            row(
                "principal",
                "校长",
                "1.0000",
                "0.8805",
                "1.0000",
                29,
                cautions=["份数少，区间很宽"],
            ),
            WITHHELD,
        ],
        "by_stage": [row("primary", "小学", "0.8912", "0.8601", "0.9190")],
        "by_place": [],
        "by_dimension": [row("burden", "课业负担", "0.7911", "0.7402", "0.8240")],
        "items": [
            {
                "group": "parent",
                "group_name": "家长",
                "text": "您对学校之间办学条件差距的情况满意吗？",
                "n_valid": 400,
                "shown": "0.7812",
                "percent": "78.12%",
                "interval": {"lower": "0.7277", "upper": "0.8268"},
                "dont_know": "0.0610",
                "options": [{"key": "a", "zh": "非常满意", "n": 211}, {"key": "b", "zh": "很不满意", "n": 7}],
            },
            {
                "group": "principal",
                "group_name": "校长",
                "text": "您对县里给学校的支持满意吗？",
                "n_valid": 29,
                "shown": "0.9655",
                "percent": "96.55%",
                "dont_know": "0.0000",
                "options": [{"key": "a", "zh": "非常满意", "n": 28}, {"key": "b", "zh": "很不满意", "n": 1}],
            },
        ],
        "facts": [
            {
                "group": "parent",
                "group_name": "家长",
                "text": "这学期，学校有没有组织过收费补课？",
                "n_valid": 402,
                "shares": [{**row("yes", "", "0.0712", "0.0512", "0.0980"), "zh": "有"}],
                "options": [{"key": "yes", "zh": "有", "n": 29}, {"key": "no", "zh": "没有", "n": 373}],
            },
            {
                "group": "principal",
                "group_name": "校长",
                "text": "有没有人告诉您，这份问卷应该怎么选？",
                "withheld": True,
                "shares": [],
                "options": [],
            },
        ],
        "another_formula": [
            {
                "way": "a",
                "name": "最好一项÷全部答卷",
                "formula": "含说不清",
                "shown": "0.6102",
                "percent": "61.02%",
                "reached": False,
            },
            {
                "way": "b",
                "name": "100/70/30计分",
                "formula": "要三个选项",
                "shown": None,
                "percent": None,
                "reached": None,
            },
        ],
        "beside": [
            {"what": "without_flagged_domains", "name": "去掉有标记的域", "shown": "0.8812", "percent": "88.12%"}
        ],
        "flags": [
            {"indicator": "I10", "domain": "2136000123-P", "text": "每题都选最好的占18.7%，比同类学校高得多"}
        ],
        "strata": [{"stratum": "urban/primary", "name": "城区小学", "schools_in_frame": 8, "schools_drawn": 4}],
        "sentences": [{"id": "S5", "zh": "没有上级核查人复核答卷内容。"}],
        "notes": ["没有查到官方的折算办法，本报告使用上面写明的算法"],
        "not_known": ["各类人员怎样合成一个数。"],
        "digests": {"plan": DIGEST, "case_file": DIGEST},
    }
)


@pytest.fixture
def results() -> dict[str, Any]:
    return copy.deepcopy(RESULTS)


def test_the_report_prints_every_number_as_the_document_has_it(results, imprint, at, eyes) -> None:
    text = "".join(eyes.text_of(report(results, imprint, COVER, at=at)))

    for words in (
        "社会认可度88.43%",
        "真实数大约在86.12%到90.41%之间（把握95%）",
        "要求：达到85.00%以上（含85.00%）。结论：达到。单侧95%下限也在线上。",
        "发出2875张",
        "应答率（AAPORRR2）66.15%",
        "家长42087.12%84.01%–89.90%3.21%",
        "校长29≥95%",
        "政协委员<10不显示——",
        "最好一项÷全部答卷含说不清61.02%未达到",
        "去掉有标记的域88.12%",
        "把它们算进去，满意度是88.43%；去掉，是88.12%。",
        "每题都选最好的占18.7%",
        "没有上级核查人复核答卷内容。",
        "没有查到：各类人员怎样合成一个数。",
        "非常满意211，很不满意740078.12%72.77%–82.68%",
        DIGEST,
    ):
        assert words in text, words


def test_options_chosen_by_one_person_of_a_small_group_are_not_counted_out(
    results, imprint, at, eyes
) -> None:
    assert "很不满意1" not in "".join(eyes.text_of(report(results, imprint, COVER, at=at)))


def test_cover_page_numbers_and_marks_are_those_of_an_office_but_not_of_a_document(
    results, imprint, at, eyes
) -> None:
    made = report(results, imprint, COVER, at=at)
    cover, first, second, *_ = eyes.text_of(made)

    assert set(eyes.sizes(made)) == {(210, 297)}
    assert (
        "报告" in cover
        and "草稿" in cover
        and "演示数据" in cover
        and "单位（盖章）" in cover
        and "—1—" not in cover
    )
    assert "—1—" in first and "—2—" in second and "演示数据" in second
    assert "这份报告不是公文" in "".join(eyes.text_of(made))


def test_a_final_report_of_a_real_wave_carries_neither_mark(results, imprint, at, eyes) -> None:
    real = dataclasses.replace(imprint, demonstration=False)
    final = dataclasses.replace(COVER, final=True)
    text = "".join(eyes.text_of(report(results | {"demonstration": False}, real, final, at=at)))

    assert "草稿" not in text and "演示" not in text and "正式" in text


def test_a_volunteer_wave_gets_no_interval_and_no_reading(results, imprint, at, eyes) -> None:
    open_wave = results | {
        "evidence_class": "C",
        "interval": None,
        "line_in_words": None,
        "evidence_words": None,
        "threshold": None,
        "reached": None,
    }
    text = "".join(eyes.text_of(report(open_wave, imprint, COVER, at=at)))

    assert "自愿参加，不能代表全体，不给区间" in text and "结论：" not in text


def test_the_report_is_tagged_titled_and_the_same_every_time(results, imprint, at, eyes) -> None:
    made = report(results, imprint, COVER, at=at)
    found = eyes.structure(made)

    assert made == report(results, imprint, COVER, at=at)
    assert found.is_tagged and found.claims_ua and found.title == "万安县2026年秋季义务教育满意度调查　报告"
    assert all(embedded for _, embedded in found.fonts)


def test_facts_questionnaires_and_the_certificate_have_their_own_places_in_the_order_of_an_office(
    results, imprint, at, eyes
) -> None:
    cover = dataclasses.replace(
        COVER,
        certificate=("3", "ABCD-EFGH-JKLM", "https://survey.wanan.cn/v"),
        instruments=(("家长（小学、初中）", load_instrument("parents")),),
    )
    text = "".join(eyes.text_of(report(results, imprint, cover, at=at)))
    sections = (
        "一、主要结果",
        "二、怎样选人",
        "三、回收情况",
        "四、满意度与算法",
        "五、分组结果",
        "六、具体情况",
        "七、质量标记",
        "八、局限",
        "九、逐题结果",
        "十、问卷",
        "十一、摘要",
    )
    places = [text.index(words) for words in sections]

    assert places == sorted(places)
    assert "收费补课？有29，没有373402有7.12%5.12%–9.80%" in text
    assert "应该怎么选？不足40不显示" in text
    assert "（一）家长（小学、初中）：家长问卷" in text
    assert "20.总的来说，您对万安县的小学和初中教育满意吗？" in text
    assert "22.这学期，学校有没有组织过收费补课？（有、没有、不清楚）" in text
    assert "证书第3号，验证码ABCD-EFGH-JKLM" in text and "字体：" in text


def test_the_result_has_its_page_to_itself(results, imprint, at, eyes) -> None:
    _, first, second, *_ = eyes.text_of(report(results, imprint, COVER, at=at))

    assert "一、主要结果" in first and "二、怎样选人" not in first
    assert second.replace("草稿演示数据", "").startswith("二、怎样选人")


def test_a_page_holds_twenty_two_lines_of_twenty_eight_signs_of_sixteen_points(
    results, imprint, at, eyes
) -> None:
    made = report(results | {"formula_in_words": "满意" * 1000}, imprint, COVER, at=at)
    pages = [page.get_textpage() for page in pdfium.PdfDocument(made)]
    fullest = max(pages, key=lambda page: page.get_text_range().count("满"))
    signs = [at for at, sign in enumerate(fullest.get_text_range()) if sign in "满意"]
    lines = Counter(round(fullest.get_charbox(at, loose=True)[1]) for at in signs)

    assert list(lines.values()) == [28] * 22


def test_title_headings_and_text_stand_in_song_hei_kai_and_the_face_between(
    results, imprint, at, eyes
) -> None:
    made = report(results, imprint, COVER, at=at)
    pages = list(pdfium.PdfDocument(made))
    faces: dict[str, set[tuple[str, float]]] = {}
    for page in pages:
        for one in eyes.stretches(page):
            text, face = one.extract(), one.get_font().get_base_name().partition("+")[2]
            for words in ("义务教育", "回收情况", "纸条不记名", "换一种算法", "— 1"):
                if words in text:
                    faces.setdefault(words, set()).add((face.partition("-")[0], eyes.size_of_type(one)))

    assert faces["义务教育"] == {("NotoSerifCJKsc", 22.0)}
    assert faces["回收情况"] == {("NotoSansSC", 16.0)}
    assert faces["纸条不记名"] == faces["换一种算法"] == {("SurveyWenKai", 16.0)}
    assert faces["— 1"] == {("SurveyWenKai", 14.0)}


def test_a_sign_that_no_face_draws_leaves_its_place_marked_and_the_report_whole(
    results, imprint, at, eyes
) -> None:
    rare, common_enough = "\U0002A6A5", "鿏"
    text = "".join(eyes.text_of(report(results | {"notes": [f"校名{rare}{common_enough}园"]}, imprint, COVER, at=at)))

    assert f"校名〓{common_enough}园" in text and "有1个字是随产品的字体里没有的" in text
