"""The report as DOCX and its tables as XLSX: the same numbers, named styles, no live formula."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from docx import Document
from docx.oxml.ns import qn
from docx.shared import Pt
from openpyxl import load_workbook

from survey.documents.report import report, report_content
from survey.documents.report_docx import report_docx
from survey.documents.result_tables import result_tables

from .test_report import COVER, RESULTS, WITHHELD


def words_of(made: bytes) -> str:
    document = Document(BytesIO(made))
    told = [paragraph.text for paragraph in document.paragraphs]
    told += [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join(told)


def test_word_and_pdf_say_the_same_numbers(imprint: Any, at: Any, eyes: Any) -> None:
    content = report_content(RESULTS, imprint, COVER)
    word, pdf = (
        words_of(report_docx(content, at=at)),
        "".join(eyes.text_of(report(RESULTS, imprint, COVER, at=at))),
    )
    numbers = [content["figure"], *content["interval"]]
    numbers += [cell for one in content["tables"] for row in one["rows"] for cell in row[1:]]
    numbers += [cell for one in content["items"] for row in one["rows"] for cell in row[2:]]

    assert "88.43%" in numbers
    assert [number for number in numbers if number not in word] == []
    assert [number for number in numbers if number.replace(" ", "") not in pdf] == []


def test_every_paragraph_has_a_named_style_that_an_office_can_replace(imprint: Any, at: Any) -> None:
    document = Document(BytesIO(report_docx(report_content(RESULTS, imprint, COVER), at=at)))
    styles = {paragraph.style.name for paragraph in document.paragraphs if paragraph.style}

    assert styles == {"Normal", "Title", "Heading 1", "Heading 2", "List Bullet", "Caption", "Table Text", "Chart"}
    cells = {p.style.name for t in document.tables for r in t.rows for c in r.cells for p in c.paragraphs}
    assert cells == {"Table Text"}
    assert document.core_properties.title.endswith("报告")
    assert next(shape._inline.docPr.get("descr") for shape in document.inline_shapes).startswith("按各类人员")


def test_styles_name_the_faces_that_offices_have_and_the_page_holds_their_lines(imprint: Any, at: Any) -> None:
    document = Document(BytesIO(report_docx(report_content(RESULTS, imprint, COVER), at=at)))
    fonts = {
        name: (document.styles[name].element.rPr.rFonts.get(qn("w:eastAsia")), document.styles[name].font.size.pt)
        for name in ("Title", "Heading 1", "Heading 2", "Normal", "Table Text")
    }
    section = document.sections[0]
    grid = section._sectPr.find(qn("w:docGrid"))
    height = section.page_height - section.top_margin - section.bottom_margin

    assert fonts == {
        "Title": ("宋体", 22.0),
        "Heading 1": ("黑体", 16.0),
        "Heading 2": ("楷体", 16.0),
        "Normal": ("仿宋", 16.0),
        "Table Text": ("宋体", 12.0),
    }
    assert height // Pt(int(grid.get(qn("w:linePitch"))) / 20) == 22


@pytest.mark.parametrize("kind", ["docx", "xlsx"])
def test_the_same_input_gives_the_same_bytes(kind: str, imprint: Any, at: Any) -> None:
    content = report_content(RESULTS, imprint, COVER)
    first, second = (
        report_docx(content, at=at) if kind == "docx" else result_tables(RESULTS, at=at) for _ in range(2)
    )

    assert first == second


def test_the_workbook_holds_every_rate_with_base_and_interval(at: Any) -> None:
    book = load_workbook(BytesIO(result_tables(RESULTS, at=at)))
    whole = {row[0]: row[1] for row in book["总体"].iter_rows(values_only=True)}
    parent, principal, hidden = list(book["各类人员"].iter_rows(min_row=2, values_only=True))

    assert (whole["满意度"], whole["95%区间下限"], whole["有效意见"]) == ("88.43%", "86.12%", 1850)
    assert parent[:7] == ("家长", 432, 420, "87.12%", 0.8712, "84.01%", "89.90%")
    assert principal[3:5] == ("≥95%", None)
    assert hidden[:4] == (WITHHELD["name"], "<10", "不显示", "不显示")
    assert hidden[4] is None


def test_what_happened_stands_in_a_sheet_of_its_own_by_the_rules_of_the_report(at: Any) -> None:
    few = {"n_valid": 39, "text": "旧版本留下的", "asked_of": "家长", "shares": [{"zh": "有", "shown": "0.5000", "percent": "50.00%"}], "options": [{"zh": "有", "n": 19}]}
    book = load_workbook(BytesIO(result_tables(RESULTS | {"facts": [*RESULTS["facts"], few]}, at=at)))
    rows = list(book["具体情况"].iter_rows(min_row=2, values_only=True))
    told = [row for row in rows if row[5] != "不显示"]
    hidden = [row for row in rows if row[5] == "不显示"]
    shares = [one for row in RESULTS["facts"] if not row.get("withheld") for one in row["shares"]]
    options = [row[2] for row in book["选项份数"].iter_rows(min_row=2, values_only=True)]

    assert [(row[3], row[6]) for row in told] == [(one["zh"], float(one["shown"])) for one in shares] and told
    assert all(str(row[5]).endswith("%") and int(row[4]) >= 40 for row in told)
    assert len(hidden) == 1 + sum(bool(row.get("withheld")) for row in RESULTS["facts"])
    assert {row[4] for row in hidden} == {"不足40"} and not any(any(row[6:11]) for row in hidden)
    assert few["text"] not in options and set(options) >= {row["text"] for row in RESULTS["facts"] if row.get("options")}


def test_rows_of_a_sheet_are_as_high_as_their_text_and_digests_have_names(at: Any) -> None:
    sheet = load_workbook(BytesIO(result_tables(RESULTS | {"formula_in_words": "很长的口径" * 20}, at=at)))["总体"]
    named = {cell.value: cell for cell in sheet["A"]}
    formula, digest = named["算法"].row, named["摘要：计划"].row

    assert sheet.row_dimensions[formula].height >= 4 * 15
    assert sheet.row_dimensions[digest].height is None and sheet.column_dimensions["B"].width > 64
    assert sheet.cell(named["计入的答卷"].row, 2).alignment.horizontal == "left"
    groups = load_workbook(BytesIO(result_tables(RESULTS, at=at)))["各类人员"]
    across = {cell.value: cell.alignment.horizontal for cell in groups[1]}
    assert (across["名称"], across["满意率"], across["有效"], across["注意"]) == (None, "right", "right", None)


def test_no_cell_can_act_and_none_shows_one_persons_choice(at: Any) -> None:
    hostile = RESULTS | {"title": '=HYPERLINK("http://x")', "notes": ["+1", "@SUM(A1)", "-2\x0b"]}
    book = load_workbook(BytesIO(result_tables(hostile, at=at)))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    options = {row[3:5] for row in book["选项份数"].iter_rows(min_row=2, values_only=True)}

    assert {cell.data_type for cell in cells} <= {"s", "n", "inlineStr"}
    assert ("非常满意", 211) in options
    assert ("很不满意", 1) not in options
