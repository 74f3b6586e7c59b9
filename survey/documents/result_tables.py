"""The result tables as XLSX: every number with its base, interval and formula, nothing computed anew.

What enters is a results document; what leaves is a workbook whose cells are text or numbers, never
formulas, so that a spreadsheet shows what was published and no name can act. Rates stand twice:
as published text (cut off, never rounded) and as a number to compute with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from openpyxl import Workbook

from survey.cases.few_answers import FEW_ANSWERS
from survey.documents.report import DIGESTS
from survey.documents.workbook import HIDDEN, add_sheet, saved
from survey.estimation.fact_table import is_told
from survey.exact import percent_text
from survey.sampling.scheme_sizes import GROUP_NAMES

RATE_HEAD = (
    "名称",
    "答卷",
    "有效",
    "满意率",
    "数值",
    "区间下限",
    "区间上限",
    "标准误",
    "自由度",
    "说不清",
    "注意",
)
FACT_HEAD = ("被问的人", "题号", "题目", "选项", "有效", "占比", "数值", "区间下限", "区间上限", "标准误", "自由度", "注意")
"""Of what was said to have happened; a share of what was said, and no satisfaction."""
TABLES = (("by_group", "各类人员"), ("by_stage", "学段"), ("by_place", "城乡"), ("by_area", "督学责任区"), ("by_dimension", "方面"))
METHODS = {"korn_graubard": "Korn–Graubard", "logit": "对数优势（logit）", "t": "t"}
"""Methods of intervals as papers call them."""


def result_tables(results: Mapping[str, Any], *, at: datetime) -> bytes:
    """The workbook; the same bytes for the same results and date.

    Args:
        results: the document of the estimation room, decimals as text.
        at: aware; written as the date of the file.
    """
    book = Workbook()
    add_sheet(book, "总体", ("项目", "值"), _whole(results), first=True, facts=True)
    for key, name in TABLES:
        if results.get(key):
            add_sheet(book, name, RATE_HEAD, [_rate(row) for row in results[key]])
    schools = results.get("by_school") or ()
    add_sheet(book, "各校（不排名次）", ("人群", "标识码", *RATE_HEAD), [(GROUP_NAMES.get(row["group"], row["group"]), row["key"], *_rate(row)) for row in schools])  # fmt: skip
    items = results.get("items") or ()
    add_sheet(book, "逐题", ("人群", "题号", *RATE_HEAD), [(row.get("group_name", row.get("group")), row.get("item"), *_rate(row)) for row in items])  # fmt: skip
    facts = results.get("facts") or ()
    add_sheet(book, "具体情况", FACT_HEAD, list(_facts(facts)))
    add_sheet(book, "选项份数", ("人群", "题号", "题目", "选项", "份数"), [*_options(items), *_options(facts)])
    add_sheet(book, "换一种算法", ("算法", "怎样算", "结果", "不加权", "对要求", "说明"), [_way(row) for row in results.get("another_formula") or ()])  # fmt: skip
    add_sheet(book, "对照", ("对照", "结果"), [(row.get("name"), HIDDEN if row.get("withheld") else row.get("percent") or row.get("shown")) for row in results.get("beside") or ()])  # fmt: skip
    add_sheet(book, "回收", ("学校×人群", "应有人数", "发出", "用了", "声明未填", "作废", "计入", "纸质", "电话", "备用"), [tuple(row.get(key) for key in ("domain", "eligible", "slips", "used", "disputed", "voided", "counted", "paper", "telephone", "spares")) for row in results.get("counts") or ()])  # fmt: skip
    add_sheet(book, "质量标记", ("指标", "学校×人群", "看到的", "界限", "老实填的学校碰上的机会"), [(row.get("indicator"), row.get("domain"), row.get("text"), row.get("limit"), row.get("honest")) for row in results.get("flags") or ()])  # fmt: skip
    add_sheet(book, "口径", ("要一起说的话",), [(said,) for said in _words(results)])
    book.properties.title = str(results.get("title") or "")
    book.properties.creator = ""
    return saved(book, at=at)


def _whole(results: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    figure, interval = results["figure"], results.get("interval") or {}
    one_sided, response = results.get("one_sided") or {}, results.get("response") or {}
    unsure, careful = results.get("dont_know") or {}, results.get("conservative") or {}
    return [
        ("调查", results.get("title")),
        ("满意度名称", results.get("name")),
        ("满意度", figure.get("percent") or percent_text(figure["shown"])),
        ("满意度的数值（截取四位）", _number(figure["shown"])),
        ("准确值：分子", figure["numerator"]),
        ("准确值：分母", figure["denominator"]),
        ("95%区间下限", _percent(interval.get("lower"))),
        ("95%区间上限", _percent(interval.get("upper"))),
        ("区间的算法", METHODS.get(str(interval.get("method")), interval.get("method"))),
        ("单侧95%下限", _percent(one_sided.get("lower"))),
        ("单侧95%上限", _percent(one_sided.get("upper"))),
        ("标准误", _number(results.get("se"))),
        ("自由度", results.get("df")),
        ("计入的答卷", results.get("n")),
        ("有效意见", results.get("n_valid")),
        ("有效样本量", _number(results.get("n_eff"))),
        ("说不清，不了解", _percent(unsure.get("shown"))),
        ("说不清算作不满意时", careful.get("percent") or _percent(careful.get("shown"))),
        ("要求", results.get("line_in_words")),
        ("结论", results.get("decision")),
        ("证据等级", results.get("evidence_class")),
        ("发出填写码", response.get("issued")),
        ("用了", response.get("used")),
        ("应答率（AAPOR RR2）", _percent(response.get("rate"))),
        ("算法", results.get("formula_in_words")),
        ("方法版本", results.get("method_version")),
        *((f"摘要：{DIGESTS.get(name, name)}", value) for name, value in (results.get("digests") or {}).items()),
    ]


def _rate(row: Mapping[str, Any]) -> tuple[Any, ...]:
    name = row.get("name")
    if row.get("withheld"):
        return (
            name,
            "<10",
            HIDDEN,
            HIDDEN,
            None,
            None,
            None,
            None,
            None,
            None,
            "不足10份，或会推算出不足10份的",
        )
    interval = row.get("interval") or {}
    unsure = row.get("dont_know")
    if isinstance(unsure, Mapping):
        unsure = unsure.get("percent") or _percent(unsure.get("shown"))
    return (
        name,
        row.get("n"),
        row.get("n_valid"),
        row.get("display") or row.get("percent"),
        _number(row.get("shown")),
        _percent(interval.get("lower")),
        _percent(interval.get("upper")),
        _number(row.get("se")),
        row.get("df"),
        unsure,
        "；".join(row.get("cautions") or ()),
    )


def _options(items: Iterable[Mapping[str, Any]]) -> Iterable[tuple[Any, ...]]:
    for row in items:
        few = row.get("withheld") or int(row.get("n_valid") or 0) < FEW_ANSWERS
        for option in () if few else row.get("options") or ():
            yield (row.get("asked_of") or row.get("group_name"), row.get("item"), row.get("text"), option["zh"], option["n"])


def _facts(rows: Iterable[Mapping[str, Any]]) -> Iterable[tuple[Any, ...]]:
    """A line for every share; one for a question that too few answered, without any."""
    for row in rows:
        asked = (row.get("asked_of") or row.get("group_name"), row.get("item"), row.get("text"))
        if not is_told(row):
            yield (*asked, None, f"不足{FEW_ANSWERS}", HIDDEN, *[None] * 5, f"不足{FEW_ANSWERS}份的不显示")
            continue
        for share in row.get("shares") or ():
            interval = share.get("interval") or {}
            yield (
                *asked,
                share["zh"],
                row.get("n_valid"),
                share.get("display") or share.get("percent"),
                _number(share.get("shown")),
                _percent(interval.get("lower")),
                _percent(interval.get("upper")),
                _number(share.get("se")),
                share.get("df"),
                "；".join(share.get("cautions") or ()),
            )


_REACHED: Mapping[object, str] = {True: "达到", False: "未达到"}


def _way(row: Mapping[str, Any]) -> tuple[Any, ...]:
    reached = _REACHED.get(row.get("reached"), "")
    shown = row.get("percent") or row.get("shown")
    return (row.get("name"), row.get("formula"), shown, row.get("plain"), reached, row.get("note"))


def _words(results: Mapping[str, Any]) -> list[str]:
    said = [str(sentence.get("zh")) for sentence in results.get("sentences") or ()]
    said += [str(note) for note in results.get("notes") or ()]
    said += [f"没有查到：{entry}" for entry in results.get("not_known") or ()]
    return [*said, str(results.get("must_say") or "")]


def _number(text: Any) -> float | None:
    return None if text is None else float(text)


def _percent(text: Any) -> str | None:
    return None if text is None else percent_text(str(text))
