"""A result table as files that people open elsewhere: CSV, JSON, XLSX.

Enters: the document of an analysis. Leaves: bytes, the same for the same document. Numbers keep
their full precision in JSON and XLSX; the CSV has them as shortest text that reads back the same.
Texts that begin like a formula are written as text.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

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
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


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
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) and not isinstance(value, int) else text


def table_json(document: Mapping[str, Any]) -> bytes:
    """The whole document as JSON."""
    return (json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode("utf-8")


def table_xlsx(document: Mapping[str, Any], *, at: datetime) -> bytes:
    """The table as a workbook: results, comparisons, weighting, notes; one sheet each.

    Args:
        at: written as the time of making.
    """
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    book.properties.created = book.properties.modified = at.replace(tzinfo=None)
    book.properties.creator = "survey"
    book.remove(book.active)

    def sheet(name: str, columns: tuple[tuple[str, str], ...], rows: list[dict[str, Any]]) -> None:
        page = book.create_sheet(name)
        used = [(key, title) for key, title in columns if any(row.get(key) is not None for row in rows)]
        page.append([title for _, title in used])
        for cell in page[1]:
            cell.font = Font(bold=True)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
        for number, row in enumerate(rows, 2):
            for place, (key, _) in enumerate(used, 1):
                _write(page, number, place, row.get(key))
        for place, (key, title) in enumerate(used, 1):
            longest = max([len(title) * 2, *(_width(row.get(key)) for row in rows[:200])], default=8)
            page.column_dimensions[get_column_letter(place)].width = min(max(longest + 2, 8), 48)
        page.freeze_panes = "A2"

    sheet("结果", COLUMNS, table_rows(document))
    if document["comparisons"]:
        sheet("比较", COMPARISON_COLUMNS, list(document["comparisons"]))
    sheet("加权", STEP_COLUMNS, list(document["weights"]))
    said = [
        {"key": "标题", "value": document["title"]},
        {"key": "数据文件", "value": f"{document['file']['name']}（SHA-256 {document['file']['sha256']}）"},
        {"key": "计算说明", "value": f"{document['spec']['name']}（SHA-256 {document['spec']['sha256']}）"},
        *({"key": "说明", "value": note} for note in (document["note"], *document["notes"]) if note),
    ]
    sheet("说明", (("key", "项目"), ("value", "内容")), said)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _write(page: Any, row: int, column: int, value: Any) -> None:
    """A value into a cell; text stays text whatever it begins with."""
    if isinstance(value, bool):
        value = "是" if value else "否"
    if isinstance(value, str):
        # Control characters have no place in a workbook, and openpyxl refuses them.
        cell = page.cell(row, column, "".join(sign for sign in value if sign >= " " or sign in "\n\t"))
        cell.data_type = "s"
    elif value is not None:
        page.cell(row, column, value)


def _width(value: Any) -> int:
    text = f"{value:.6g}" if isinstance(value, float) else str(value or "")
    return sum(2 if ord(sign) > 0x2E80 else 1 for sign in text)
