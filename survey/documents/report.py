"""The wave's report: one page with the result, then everything it rests on.

The results document and the wave's imprint enter; an A4 PDF leaves, set as an office would
set it but without red heading, number or seal: it is no official document. Numbers are
printed as the document has them; nothing is computed here but the order of rows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from survey.cases.few_answers import FEW_ANSWERS
from survey.documents.charts import IntervalRow, interval_chart, told_range
from survey.documents.imprint import Imprint, grouped
from survey.documents.pdf import pages
from survey.documents.report_instrument import instrument_content
from survey.documents.typeface import with_glyphs
from survey.estimation.fact_table import is_told
from survey.exact import percent_text
from survey.scheme.instrument import Instrument

TABLES = (
    ("by_group", "各类人员"),
    ("by_stage", "学段"),
    ("by_place", "城乡"),
    ("by_area", "督学责任区（按代码排列，不排名次）"),
    ("by_dimension", "方面"),
)
DIGESTS = {
    "plan": "计划",
    "frame": "学校名册",
    "design": "抽样设计",
    "sample": "样本",
    "scheme": "方案",
    "case_file": "答卷文件",
}
CLASSES = {
    "A": "甲类（A）：每份答卷对应一张一次性填写码",
    "B": "乙类（B）：按名额控制，不能排除一人多填",
    "C": "丙类（C）：开放式自愿填答，不是概率样本",
}
ABSENT = "—"
DRAFT, WITHDRAWN = "草稿", "证书已撤回"
"""What is marked on every page of a report that may not be cited."""
PARTS = {
    "selection": "怎样选人",
    "returns": "回收情况",
    "tables": "分组结果",
    "facts": "具体情况",
    "flags": "质量标记",
    "items": "逐题结果",
    "instrument": "问卷",
    "digests": "摘要",
}
"""Parts that may be left out. The result, its formula and its limits are in every report."""
NO_FACTS = "没有问具体情况，或者没有一题的份数够。"
ABOUT_FACTS = (
    "下面的题问的是有没有、多久一次，不算满意度。占比按加权计，分母不含“不清楚”“不想说”；"
    "题目下面的小字是每个选项没有加权的份数。不足40份的不显示。"
)
ABOUT_INSTRUMENT = "下面是每类人被问的题目，一字不改。选项同大多数题一样的，不再写一遍。"


@dataclass(frozen=True)
class ReportCover:
    """What stands on the cover beside the imprint."""

    title: str
    wave: str
    period: str
    made_on: str
    """Day in words, 2026年11月24日."""
    final: bool = False
    """False prints 草稿."""
    certificate: tuple[str, str, str] | None = None
    """Number, the twelve signs in groups of four and the address that checks them, once there is one."""
    withdrawn: str = ""
    """Why the certificate was revoked; empty while it stands."""
    instruments: tuple[tuple[str, Instrument], ...] = ()
    """Whom each questionnaire was put to, and the questionnaire."""


def report(
    results: Mapping[str, Any],
    imprint: Imprint,
    cover: ReportCover,
    parts: Collection[str] = tuple(PARTS),
    *,
    at: datetime,
) -> bytes:
    """The report of a wave as a PDF.

    Args:
        results: the document of the estimation room, decimals as text.
        parts: of `PARTS`, those that are printed.
    """
    data, lost = with_glyphs(report_content(results, imprint, cover, parts))
    if lost:
        data["limits"].append(f"有{lost}个字是随产品的字体里没有的，印成〓；同一份报告的DOCX里是原字。")
    return pages("report", data, title=report_title(data), at=at)


def report_title(content: Mapping[str, Any]) -> str:
    """What readers show in place of the file's name."""
    return f"{content['county']}{content['title']}　报告"


def report_content(
    results: Mapping[str, Any], imprint: Imprint, cover: ReportCover, parts: Collection[str] = tuple(PARTS)
) -> dict[str, Any]:
    """Everything the report says, in order, as text; the PDF and the DOCX set the same content."""
    return {
        "parts": [part for part in PARTS if part in parts],
        "county": imprint.county,
        "title": cover.title.removeprefix(imprint.county),
        "wave": cover.wave,
        "period": cover.period,
        "office": imprint.office,
        "telephone": imprint.telephone,
        "made_on": cover.made_on,
        "state": WITHDRAWN if cover.withdrawn else "正式" if cover.final else DRAFT,
        "mark": WITHDRAWN if cover.withdrawn else "" if cover.final else DRAFT,
        "demonstration": imprint.demonstration or results.get("demonstration") is True,
        "must_say": results.get("must_say") or imprint.must_say,
        "plan_code": imprint.printed_code,
        **_result(results),
        "returns": _returns(results),
        "selection": _selection(results),
        "tables": [_table(results, key, name) for key, name in TABLES if results.get(key)],
        "ways": [_way(row) for row in results.get("another_formula") or ()],
        "beside": [
            [str(row.get("name") or row.get("what")), _shown(row)] for row in results.get("beside") or ()
        ],
        "without_flagged": next(
            (
                _shown(row)
                for row in results.get("beside") or ()
                if row.get("what") == "without_flagged_domains" and not row.get("withheld")
            ),
            "",
        ),
        "flags": [_flag(row) for row in results.get("flags") or ()],
        "limits": [
            *([f"证书已经撤回，理由：{cover.withdrawn}。重新签发以前，这份报告里的数不能引用。"] if cover.withdrawn else ()),
            *_limits(results),
        ],
        "items": _items(results),
        "facts": _facts(results),
        "about_facts": ABOUT_FACTS if results.get("facts") else NO_FACTS,
        "about_instrument": ABOUT_INSTRUMENT,
        "instruments": instrument_content(cover.instruments, imprint.county),
        "certificate": _certificate(cover.certificate),
        "digests": [
            [DIGESTS.get(name, name), grouped(str(value))]
            for name, value in (results.get("digests") or {}).items()
            if value
        ],
    }


def _result(results: Mapping[str, Any]) -> dict[str, Any]:
    figure = results["figure"]
    interval = results.get("interval")
    unsure = results.get("dont_know") or {}
    shown = unsure.get("shown") if isinstance(unsure, Mapping) else unsure
    return {
        "name": results.get("name") or figure.get("name"),
        "figure": figure.get("percent") or percent_text(figure["shown"]),
        "fraction": f"{figure['numerator']}/{figure['denominator']}",
        "interval": [percent_text(interval["lower"]), percent_text(interval["upper"])] if interval else None,
        "n": str(results.get("n", ABSENT)),
        "n_valid": str(results.get("n_valid", ABSENT)),
        "n_effective": str(results.get("n_eff") or ABSENT),
        "standard_error": str(results.get("se") or ABSENT),
        "dont_know": percent_text(shown) if shown else "",
        "dont_know_interval": _interval(unsure) if unsure.get("interval") else "",
        "blank": _blank(results.get("item_nonresponse")),
        "cautions": [f"{words}。" for words in results.get("cautions") or ()],
        "tipping": str((results.get("tipping") or {}).get("words") or ""),
        "one_sided": _one_sided(results.get("one_sided")),
        "line": str(results.get("line_in_words") or ""),
        "decision": str(results.get("decision") or ""),
        "evidence": str(results.get("evidence_words") or "").partition("，")[2],
        "class": CLASSES.get(str(results.get("evidence_class")), ""),
        "formula": str(results.get("formula_in_words") or ""),
        "weighting": str((results.get("weighting") or {}).get("in_words") or ""),
        "careful": _careful(results.get("conservative")),
    }


def _blank(found: Mapping[str, Any] | None) -> str:
    """The share of the figure's items that was left blank, where any was."""
    return str(found["percent"]) if found and found.get("n") else ""


def _one_sided(found: Mapping[str, Any] | None) -> list[str] | None:
    """Both one-sided bounds, lower and upper."""
    return [percent_text(found["lower"]), percent_text(found["upper"])] if found else None


def _careful(found: Mapping[str, Any] | None) -> str:
    """The figure with every don't-know counted as not satisfied."""
    return str(found.get("percent") or percent_text(found["shown"])) if found else ""


def _returns(results: Mapping[str, Any]) -> list[list[str]]:
    response = results.get("response") or {}
    named = (
        ("发出", response.get("issued")),
        ("交回", response.get("used")),
        ("其中纸质问卷录入", response.get("paper")),
        ("其中电话询问录入", response.get("telephone")),
        ("声明未填", response.get("disputed")),
        ("作废", response.get("voided")),
    )
    rows = [[name, f"{value}张"] for name, value in named if value is not None]
    rate = response.get("rate")
    return [*rows, ["应答率（AAPOR RR2）", percent_text(rate) if rate else ABSENT]] if response else rows


def _selection(results: Mapping[str, Any]) -> list[list[str]]:
    return [
        [
            str(row.get("name") or row.get("stratum") or ""),
            str(row.get("schools_in_frame", ABSENT)),
            str(row.get("schools_drawn", ABSENT)),
        ]
        for row in results.get("strata") or ()
    ]


def _table(results: Mapping[str, Any], key: str, name: str) -> dict[str, Any]:
    rows: Sequence[Mapping[str, Any]] = results[key]
    told = [row for row in rows if not row.get("withheld") and (row.get("shown") or row.get("coded"))]
    chart = interval_chart(
        [
            IntervalRow(
                str(row["name"]),
                row["shown"],
                *told_range(row),
                row.get("n_valid"),
                _shown(row),
            )
            for row in told
        ],
        results.get("threshold") if key == "by_group" else None,
        title=f"按{name}的满意率：" + "，".join(f"{row['name']}{_shown(row)}" for row in told),
    )
    return {
        "name": name,
        "chart": chart if told else "",
        "alt": f"按{name}的满意率和区间，数字见下表",
        "rows": [
            [
                str(row["name"]),
                str(row.get("n_valid", row.get("n", ABSENT))),
                _shown(row),
                _interval(row),
                _share(row, "dont_know"),
            ]
            for row in rows
        ],
        "cautions": [f"{row['name']}：{'；'.join(row['cautions'])}。" for row in rows if row.get("cautions")],
    }


def _way(row: Mapping[str, Any]) -> list[str]:
    reached = {True: "达到", False: "未达到", None: ABSENT}.get(row.get("reached"), ABSENT)
    return [
        str(row.get("name") or row.get("way")),
        str(row.get("formula") or row.get("note") or ""),
        _shown(row),
        reached,
    ]


def _flag(row: Mapping[str, Any]) -> list[str]:
    return [
        str(row.get("indicator", "")),
        str(row.get("domain", "")),
        str(row.get("text") or row.get("value") or ""),
        str(row.get("honest") or ""),
    ]


def _limits(results: Mapping[str, Any]) -> list[str]:
    sentences = [str(row.get("zh") or row.get("text") or "") for row in results.get("sentences") or ()]
    notes = [str(note) for note in results.get("notes") or ()]
    unknown = [f"没有查到：{entry}" for entry in results.get("not_known") or ()]
    return [f"{said.rstrip('。')}。" for said in (*sentences, *notes, *unknown) if said]


def _items(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    groups: dict[str, list[list[str]]] = {}
    for row in results.get("items") or ():
        name = str(row.get("group_name") or row.get("group"))
        groups.setdefault(name, []).append(
            [
                str(row.get("text", "")),
                _options(row),
                str(row.get("n_valid", ABSENT)),
                _shown(row),
                _interval(row),
                _share(row, "dont_know"),
            ]
        )
    return [{"group": name, "rows": rows} for name, rows in groups.items()]


def _facts(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What was said to have happened, by whom it was asked; a fact that too few answered is named and not told."""
    groups: dict[str, list[list[str]]] = {}
    for row in results.get("facts") or ():
        told = row if is_told(row) else {}
        shares = [(str(one["zh"]), _shown(one), _interval(one)) for one in told.get("shares") or ()]
        asked = row.get("asked_of") or row.get("group_name") or row.get("group")
        groups.setdefault(str(asked), []).append(
            [
                str(row.get("text", "")),
                "，".join(f"{option['zh']}{option['n']}" for option in told.get("options") or ()),
                str(told["n_valid"]) if told else f"不足{FEW_ANSWERS}",
                "\n".join(f"{zh} {shown}" + (f"\n{between}" if between != ABSENT else "") for zh, shown, between in shares)
                or "不显示",
            ]
        )
    return [{"group": name, "rows": rows} for name, rows in groups.items()]


def _certificate(known: tuple[str, str, str] | None) -> str:
    """The certificate by its number, its signs and where they are checked."""
    if known is None:
        return ""
    number, signs, address = known
    return f"证书第{number}号，验证码 {signs}，在 {address} 核对"


def _options(row: Mapping[str, Any]) -> str:
    """Counts by option, left out where so few answered that they would name somebody."""
    if row.get("withheld") or not isinstance(row.get("n_valid"), int) or row["n_valid"] < FEW_ANSWERS:
        return ""
    return "，".join(f"{option['zh']}{option['n']}" for option in row.get("options") or ())


def _shown(row: Mapping[str, Any]) -> str:
    if row.get("withheld"):
        return "不显示"
    shown = row.get("display") or row.get("percent")
    return str(shown or (percent_text(row["shown"]) if row.get("shown") else ABSENT))


def _interval(row: Mapping[str, Any]) -> str:
    found = None if row.get("withheld") else row.get("interval")
    return f"{percent_text(found['lower'])}–{percent_text(found['upper'])}" if found else ABSENT


def _share(row: Mapping[str, Any], key: str) -> str:
    value = None if row.get("withheld") else row.get(key)
    if isinstance(value, Mapping):
        if value.get("percent"):
            return str(value["percent"])
        value = value.get("shown")
    return percent_text(value) if value else ABSENT
