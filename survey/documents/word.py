"""A Word file as an office sets it: A4, named styles, page numbers, tables whose heads repeat.

Enters: content in words and rows. Leaves: the same bytes for the same content and date. What is
shared by the report and the digest stands here; neither has a red heading, number or seal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from io import BytesIO
from typing import Any
from zipfile import ZipFile

from docx.document import Document as DocxDocument
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from survey.columns import UNWRITABLE
from survey.documents.archive import archive
from survey.documents.pdf import picture
from survey.documents.typeface import FAMILY

INK = RGBColor(0x1F, 0x23, 0x28)
CHART_WIDTH = Mm(150)


def writable(content: Any) -> Any:
    """The content without signs that no Word file may hold.

    >>> writable({"title": "甲\\uffff县", "rows": [["1", None]]})
    {'title': '甲县', 'rows': [['1', None]]}
    """
    if isinstance(content, Mapping):
        return {key: writable(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return type(content)(writable(value) for value in content)
    return UNWRITABLE.sub("", content) if isinstance(content, str) else content


def set_up(
    document: DocxDocument, content: Mapping[str, Any], title: str, at: datetime, *, first_is_cover: bool = True
) -> None:
    """An A4 page after the office's margins, named styles, page numbers, and the marks a draft carries.

    Args:
        content: `state`, `demonstration` and `office`.
        at: aware; written as the date of the file.
        first_is_cover: the first page carries no number and is not counted.
    """
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.bottom_margin = Mm(37), Mm(35)
    section.left_margin, section.right_margin = Mm(28), Mm(26)
    numbers = OxmlElement("w:pgNumType")
    numbers.set(qn("w:start"), "0" if first_is_cover else "1")
    section._sectPr.append(numbers)
    document.settings.odd_and_even_pages_header_footer = True
    section.different_first_page_header_footer = first_is_cover
    _page_number(section.footer.paragraphs[0], WD_ALIGN_PARAGRAPH.RIGHT)
    _page_number(section.even_page_footer.paragraphs[0], WD_ALIGN_PARAGRAPH.LEFT)
    marks = "　".join(
        mark
        for mark, told in (("草稿", content["state"] == "草稿"), ("演示数据", content["demonstration"]))
        if told
    )
    for header in (section.header, section.even_page_header):
        header.paragraphs[0].text = marks
        header.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.RIGHT
    for name, size, bold in (
        ("Normal", 16, False),
        ("Title", 22, True),
        ("Heading 1", 16, True),
        ("Heading 2", 16, True),
        ("List Bullet", 16, False),
        ("Caption", 12, False),
    ):
        style = document.styles[name]
        style.font.name, style.font.size, style.font.bold = FAMILY, Pt(size), bold
        style.font.color.rgb = INK
        style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), FAMILY)
        language = OxmlElement("w:lang")
        language.set(qn("w:eastAsia"), "zh-CN")
        style.element.get_or_add_rPr().append(language)
    for border in document.styles["Title"].element.findall(f".//{qn('w:pBdr')}"):
        border.getparent().remove(border)
    facts = document.core_properties
    facts.title, facts.author, facts.language = title, content["office"], "zh-CN"
    facts.comments, facts.last_modified_by, facts.revision = "", content["office"], 1
    facts.created = facts.modified = at.replace(tzinfo=None)


def saved_document(document: DocxDocument, *, at: datetime) -> bytes:
    """The file, packed anew so that no clock is in it."""
    buffer = BytesIO()
    document.save(buffer)
    with ZipFile(buffer) as made:
        return archive({name: made.read(name) for name in made.namelist()}, at=at)


def add_points(document: DocxDocument, lines: Sequence[str]) -> None:
    """A list, a line a point."""
    for line in lines:
        document.add_paragraph(line, style="List Bullet")


def add_chart(document: DocxDocument, svg: str, words: str) -> None:
    """A drawing as a picture, with what it says in words."""
    drawn = picture(svg, width_pt=CHART_WIDTH.pt, at=datetime.fromisoformat("1980-01-01T00:00:00+00:00"))
    shape = document.add_picture(BytesIO(drawn), width=CHART_WIDTH)
    shape._inline.docPr.set("descr", words)


def add_table(
    document: DocxDocument,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    widths: Sequence[float],
    *,
    size: float = 12,
) -> None:
    """A table whose head repeats on every page, numbers at the right, rows never cut in two.

    Args:
        widths: of the columns in millimetres; the page holds 156.
    """
    table = document.add_table(rows=1, cols=len(head), style="Table Grid")
    table.alignment, table.autofit = WD_TABLE_ALIGNMENT.CENTER, False
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Mm(width)
    for line in (head, *rows):
        row = table.rows[0] if line is head else table.add_row()
        row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
        for at, words in enumerate(line):
            cell = row.cells[at]
            cell.width = Mm(widths[at])
            first, *rest = str(words).split("\n")
            paragraph = cell.paragraphs[0]
            run = paragraph.add_run(first)
            run.font.size, run.bold = Pt(size), line is head
            for more in rest:
                small = paragraph.add_run(f"\n{more}")
                small.font.size = Pt(9)
            if at and (line is head or _is_number(first)):
                paragraph.alignment = (
                    WD_ALIGN_PARAGRAPH.RIGHT if _numeric(rows, at) else WD_ALIGN_PARAGRAPH.LEFT
                )
    repeat = OxmlElement("w:tblHeader")
    table.rows[0]._tr.get_or_add_trPr().append(repeat)
    document.add_paragraph().paragraph_format.space_after = Pt(0)


def _page_number(paragraph: Any, alignment: WD_ALIGN_PARAGRAPH) -> None:
    """— 1 —, in 14 points, as offices set it."""
    paragraph.alignment = alignment
    for kind, words in (("text", "— "), ("begin", ""), ("code", " PAGE "), ("end", ""), ("text", " —")):
        run = paragraph.add_run(words if kind == "text" else "")
        run.font.size = Pt(14)
        if kind == "code":
            code = OxmlElement("w:instrText")
            code.set(qn("xml:space"), "preserve")
            code.text = words
            run._r.append(code)
        elif kind != "text":
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
            run._r.append(mark)


def _numeric(rows: Sequence[Sequence[str]], at: int) -> bool:
    """Whether a column holds numbers, as every told cell of it begins with one."""
    return all(_is_number(str(row[at])) or row[at] in ("", "不显示") for row in rows)


def _is_number(words: str) -> bool:
    return words[:1].isdigit() and len(words) < 24 or words[:1] in "—≥≤+-"
