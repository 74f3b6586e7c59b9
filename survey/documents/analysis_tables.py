"""A result table as files that people open elsewhere: CSV, JSON, XLSX.

Enters: the document of an analysis. Leaves: bytes, the same for the same document. Numbers keep
their full precision in JSON and XLSX; the CSV has them as shortest text that reads back the same.
Texts that begin like a formula are written as text.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from openpyxl import Workbook

from survey.columns import plain_cell
from survey.documents.workbook import add_sheet, saved

COLUMNS = (
    ("kind", "类别"),
    ("id", "题"),
    ("label", "题目"),
    ("statistic", "统计量"),
    ("option", "选项"),
    ("option_label", "选项文字"),
    ("domain", "分组"),
    ("value", "结果"),
    ("shown", "显示"),
    ("percent", "百分比"),
    ("se", "标准误"),
    ("lower", "下限"),
    ("upper", "上限"),
    ("interval", "区间方法"),
    ("df", "自由度"),
    ("n", "有效份数"),
    ("n_rows", "记录数"),
    ("deff", "设计效应"),
    ("n_eff", "有效样本量"),
    ("cv", "变异系数"),
    ("unweighted", "未加权"),
    ("base_weighted", "只用基础权数"),
    ("base_weighted_se", "只用基础权数的标准误"),
    ("dont_know", "不了解占比"),
    ("conservative", "不了解算不满意"),
    ("line", "要求线"),
    ("reached", "达到"),
    ("decision", "结论"),
    ("evidence_words", "把握"),
    ("reliability", "NCHS"),
    ("caution_words", "提醒"),
)
COMPARISON_COLUMNS = (
    ("item", "题"),
    ("by", "分组"),
    ("first_label", "甲"),
    ("second_label", "乙"),
    ("difference", "乙减甲"),
    ("se", "标准误"),
    ("lower", "下限"),
    ("upper", "上限"),
    ("t", "t"),
    ("df", "自由度"),
    ("p_value", "p"),
    ("p_adjusted", "校正后p"),
)
STEP_COLUMNS = (
    ("name", "步骤"),
    ("total", "权数合计"),
    ("smallest", "最小"),
    ("largest", "最大"),
    ("kish_deff", "Kish设计效应"),
    ("effective_n", "有效样本量"),
    ("smallest_factor", "最小系数"),
    ("largest_factor", "最大系数"),
    ("note", "说明"),
)


def table_rows(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every line of the document's table: items, composites, published rates."""
    lines = [dict(row) for row in (*document["rows"], *document["composites"])]
    for row in (document.get("published") or {}).get("rows", ()):
        key = "，".join(str(value) for value in row["key"].values())
        lines.append({"kind": "published", "domain": key, **{k: v for k, v in row.items() if k != "key"}})
    for row in lines:
        if row.get("withheld") and row.get("n") is None:
            row["n"] = row.get("n_shown")
    return lines


def table_csv(document: Mapping[str, Any]) -> bytes:
    """The table as CSV in UTF-8 with a byte order mark, so that Excel reads the Chinese."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([name for _, name in COLUMNS])
    for row in table_rows(document):
        writer.writerow([_cell(row.get(key)) for key, _ in COLUMNS])
    return ("\ufeff" + out.getvalue()).encode("utf-8")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float):
        return repr(value)
    return plain_cell(str(value))


def table_json(document: Mapping[str, Any]) -> bytes:
    """The whole document as JSON."""
    return (json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode("utf-8")


def table_xlsx(document: Mapping[str, Any], *, at: datetime) -> bytes:
    """The table as a workbook: results, comparisons, weighting, notes; one sheet each.

    Args:
        at: aware; written as the date of the file.
    """
    book = Workbook()
    _add(book, "结果", COLUMNS, table_rows(document), first=True)
    if document["comparisons"]:
        _add(book, "比较", COMPARISON_COLUMNS, document["comparisons"])
    _add(book, "加权", STEP_COLUMNS, document["weights"])
    said = [
        ("标题", document["title"]),
        ("数据文件", f"{document['file']['name']}（SHA-256 {document['file']['sha256']}）"),
        ("计算说明", f"{document['spec']['name']}（SHA-256 {document['spec']['sha256']}）"),
        *(("说明", note) for note in (document["note"], *document["notes"]) if note),
    ]
    add_sheet(book, "说明", ("项目", "内容"), said)
    book.properties.title = str(document["title"])
    book.properties.creator = ""
    return saved(book, at=at)


def _add(
    book: Workbook,
    name: str,
    columns: Sequence[tuple[str, str]],
    rows: Sequence[Mapping[str, Any]],
    *,
    first: bool = False,
) -> None:
    """A sheet of the columns that any row fills."""
    used = [(key, title) for key, title in columns if any(row.get(key) is not None for row in rows)]
    cells = [[_told(row.get(key)) for key, _ in used] for row in rows]
    add_sheet(book, name, [title for _, title in used], cells, first=first)


def _told(value: Any) -> Any:
    return "是" if value is True else "否" if value is False else value
