"""Workbooks whose cells are text or numbers, never formulas; the same bytes for the same content.

Enters: heads and rows. Leaves: an XLSX file. A text that begins with = is shown and not computed,
so that no name in a table can act; the moment of saving is the date that was handed in.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from math import ceil
from typing import Any
from zipfile import ZipFile

from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from survey.columns import UNWRITABLE, plain_cell
from survey.documents.archive import archive

WIDEST = 66
"""A SHA-256 digest fits into one line; what is longer is broken, and its row is as high as it needs."""
FIGURE = re.compile(r"[≥≤]?\d[\d.]*(%|分)|<10")
"""A figure that is written as text, as it was published."""
HIDDEN = "不显示"
LINE = 15.0
"""Points of a line; a row without a height of its own shows one line in some programs."""


def add_sheet(
    book: Workbook, name: str, head: Sequence[str], rows: Sequence[Sequence[Any]], *, first: bool = False, facts: bool = False
) -> None:
    """Add a sheet with a frozen head.

    Args:
        rows: cells in the order of the head; None stays empty, numbers stay numbers.
        first: take the sheet that a new workbook has already.
        facts: a name and its value in each row, so that numbers stand where texts do.
    """
    sheet: Worksheet = book.active if first and isinstance(book.active, Worksheet) else book.create_sheet()
    sheet.title = name
    widths = [0] * len(head)
    figures = frozenset() if facts else _figure_columns(len(head), rows)
    for at, line in enumerate((head, *rows), start=1):
        for column, value in enumerate(line, start=1):
            cell = sheet.cell(at, column)
            if not isinstance(cell, Cell):
                continue
            if isinstance(value, int | float) and not isinstance(value, bool):
                cell.value = value
            elif value is not None:
                # Typed as text, so that a cell that begins with = is shown and not computed; the apostrophe
                # keeps it so when the sheet is saved as CSV and opened again.
                cell.value = plain_cell(UNWRITABLE.sub("", str(value)))
                cell.data_type = "s"
            widths[column - 1] = max(widths[column - 1], _width(value))
            across = "left" if facts else "right" if column in figures else None
            cell.alignment = Alignment(across, vertical="top", wrap_text=_width(value) > WIDEST)
            if at == 1:
                cell.font = Font(bold=True)
                cell.fill = PatternFill("solid", fgColor="EEF1F4")
        lines = max((ceil(_width(value) / WIDEST) for value in line), default=1)
        if lines > 1:
            sheet.row_dimensions[at].height = LINE * lines
    for column, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(column)].width = min(max(width + 2, 8), WIDEST)
    sheet.freeze_panes = "A2"
    sheet.print_title_rows = "1:1"
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", "9"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def _figure_columns(n: int, rows: Sequence[Sequence[Any]]) -> frozenset[int]:
    """The columns, from one, that hold figures alone: they stand to the right, their heads above them."""
    found = set()
    for column in range(n):
        cells = [row[column] for row in rows if column < len(row) and row[column] not in (None, "", HIDDEN)]
        if cells and all(isinstance(cell, int | float) or FIGURE.fullmatch(str(cell)) for cell in cells):
            found.add(column + 1)
    return frozenset(found)


def _width(value: Any) -> int:
    """How wide a value is, a Chinese sign counting two."""
    return sum(2 if ord(sign) > 0x2E7F else 1 for sign in str(value if value is not None else ""))


def saved(book: Workbook, *, at: datetime) -> bytes:
    """The workbook's bytes, dated `at` throughout."""
    buffer = BytesIO()
    book.save(buffer)
    stamp = at.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
    with ZipFile(buffer) as made:
        files = {name: made.read(name) for name in made.namelist()}
    # openpyxl writes the moment of saving; the date that was handed in stands there instead.
    core = files["docProps/core.xml"].decode()
    for tag in ("created", "modified"):
        begin = core.index(">", core.index(f"<dcterms:{tag}")) + 1
        core = core[:begin] + stamp + core[core.index("<", begin) :]
    files["docProps/core.xml"] = core.encode()
    return archive(files, at=at)
