"""A Word file as an office sets it: A4, named styles, page numbers, tables whose heads repeat.

Enters: content in words and rows. Leaves: the same bytes for the same content and date. What is
shared by the report and the digest stands here; neither has a red heading, number or seal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from io import BytesIO
from typing import Any
from zipfile import ZipFile

from docx.document import Document as DocxDocument
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from survey.columns import UNWRITABLE
from survey.documents.archive import archive
from survey.documents.pdf import picture

INK = RGBColor(0x1F, 0x23, 0x28)
CHART_WIDTH = Mm(150)
SONG, HEI, KAI, FANGSONG, LATIN = "宋体", "黑体", "楷体", "仿宋", "Times New Roman"
"""Faces by the names that office machines know them by; a machine without one falls to its own."""
STYLES = (
    ("Normal", FANGSONG, 16, False),
    ("Title", SONG, 22, True),
    ("Heading 1", HEI, 16, False),
    ("Heading 2", KAI, 16, False),
    ("List Bullet", FANGSONG, 16, False),
    ("Caption", FANGSONG, 12, False),
)
TABLE_TEXT, CHART = "Table Text", "Chart"
LINES, SIGNS = 22, 28
"""Of a page and of a line."""


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
    document: DocxDocument,
    content: Mapping[str, Any],
    title: str,
    at: datetime,
    *,
    first_is_cover: bool = True,
    on_grid: bool = True,
) -> None:
    """An A4 page after the office's margins, named styles, page numbers, and the marks a draft carries.

    Args:
        content: `mark`, `demonstration` and `office`.
        at: aware; written as the date of the file.
        first_is_cover: the first page carries no number and is not counted.
        on_grid: 22 lines of 28 signs a page; without, lines stand as close as their size asks.
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
        for mark, told in ((content["mark"], content["mark"] != ""), ("演示数据", content["demonstration"]))
        if told
    )
    for header in (section.header, section.even_page_header):
        header.paragraphs[0].text = marks
        header.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.RIGHT
    for name, face, size, bold in STYLES:
        _set_face(document.styles[name], face, size, bold)
    text = document.styles["Normal"].paragraph_format
    text.space_before = text.space_after = Pt(0)
    for name, face, size in ((TABLE_TEXT, SONG, 12), (CHART, SONG, 12)):
        style = document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.base_style = document.styles["Normal"]
        _set_face(style, face, size, False)
        _off_grid(style)
    _off_grid(document.styles["Caption"])
    if on_grid:
        _set_grid(section, document.styles["Normal"])
    for border in document.styles["Title"].element.findall(f".//{qn('w:pBdr')}"):
        border.getparent().remove(border)
    facts = document.core_properties
    facts.title, facts.author, facts.language = title, content["office"], "zh-CN"
    facts.comments, facts.last_modified_by, facts.revision = "", content["office"], 1
    facts.created = facts.modified = at.replace(tzinfo=None)


def _set_face(style: Any, face: str, size: float, bold: bool) -> None:
    """A style's face, size and language, in Chinese and in Latin letters."""
    style.font.name, style.font.size, style.font.bold = LATIN, Pt(size), bold
    style.font.color.rgb = INK
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    fonts.set(qn("w:eastAsia"), face)
    # A theme's face would win over the one named here.
    for theme in ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme", "w:cstheme"):
        fonts.attrib.pop(qn(theme), None)
    language = OxmlElement("w:lang")
    language.set(qn("w:eastAsia"), "zh-CN")
    style.element.get_or_add_rPr().append(language)


def _off_grid(style: Any) -> None:
    """Let the lines of a style stand as close as their own size."""
    off = OxmlElement("w:snapToGrid")
    off.set(qn("w:val"), "0")
    style.element.get_or_add_pPr().append(off)


def _set_grid(section: Any, body: Any) -> None:
    """22 lines a page by the grid; 28 signs a line by a hair less room between them.

    A grid of signs would say the second too, but Word and LibreOffice read it differently.
    """
    height = section.page_height - section.top_margin - section.bottom_margin
    width = section.page_width - section.left_margin - section.right_margin
    for grid in section._sectPr.findall(qn("w:docGrid")):
        section._sectPr.remove(grid)
    grid = OxmlElement("w:docGrid")
    grid.set(qn("w:type"), "lines")
    grid.set(qn("w:linePitch"), str(int(height / Pt(1) / LINES * 20)))
    section._sectPr.append(grid)
    closer = OxmlElement("w:spacing")
    closer.set(qn("w:val"), str(int((width / SIGNS - body.font.size) / Pt(1) * 20)))
    body.element.get_or_add_rPr().append(closer)


def add_text(document: DocxDocument, words: str) -> None:
    """A paragraph of running text, its first line two signs in."""
    paragraph = document.add_paragraph(words)
    indent = OxmlElement("w:ind")
    indent.set(qn("w:firstLineChars"), "200")
    indent.set(qn("w:firstLine"), "640")
    paragraph._p.get_or_add_pPr().append(indent)


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
    document.paragraphs[-1].style = CHART
    shape._inline.docPr.set("descr", words)


def add_table(
    document: DocxDocument,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    widths: Sequence[float],
    *,
    size: float | None = None,
) -> None:
    """A table whose head repeats on every page, numbers at the right, rows never cut in two.

    Args:
        widths: of the columns in millimetres; the page holds 156.
        size: in points where it is not the one of the style.
    """
    table = document.add_table(rows=1, cols=len(head), style="Table Grid")
    table.alignment, table.autofit = WD_TABLE_ALIGNMENT.CENTER, False
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Mm(width)
    numeric = {at for at in range(1, len(head)) if _numeric(rows, at)}
    for line in (head, *rows):
        row = table.rows[0] if line is head else table.add_row()
        row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
        for at, words in enumerate(line):
            cell = row.cells[at]
            cell.width = Mm(widths[at])
            first, *rest = str(words).split("\n")
            paragraph = cell.paragraphs[0]
            paragraph.style = TABLE_TEXT
            run = paragraph.add_run(first)
            run.bold = line is head or None
            if size is not None:
                run.font.size = Pt(size)
            for more in rest:
                small = paragraph.add_run(f"\n{more}")
                small.font.size = Pt(9)
            if at in numeric:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    repeat = OxmlElement("w:tblHeader")
    table.rows[0]._tr.get_or_add_trPr().append(repeat)
    document.add_paragraph(style=TABLE_TEXT)


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


NUMBER = re.compile(r"[≥≤<+-]?[\d ,.]+%?(–[\d.]+%?)?[张份所人]?")
UNTOLD = frozenset({"", "—", "不显示"})


def _numeric(rows: Sequence[Sequence[str]], at: int) -> bool:
    """Whether a column holds numbers, in every cell that tells something."""
    told = [str(row[at]).partition("\n")[0] for row in rows if row[at] not in UNTOLD]
    return bool(told) and all(NUMBER.fullmatch(words) for words in told)
