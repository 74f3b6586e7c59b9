"""An instrument from whatever file an office has, and as a workbook for others.

YAML or JSON as we keep it, our own template in Excel, an XLSForm, or an office's list of questions
(题目标题, 题型, 选项内容) in XLSX, old XLS or CSV: the bytes decide which, and whatever is wrong comes back all at once. Workbooks that are written
hold text only, so no cell can be a formula.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from survey.columns import UNWRITABLE
from survey.errors import Fault, FaultsError
from survey.jobs.old_workbook import OLD_EXCEL
from survey.jobs.read_apart import read_sheets_apart
from survey.sampling.sheet import MAX_BYTES
from survey.scheme.authoring import document_from_sheets, instrument_from_sheets
from survey.scheme.authoring_template import ABOUT, ITEMS, Rows
from survey.scheme.instrument import Instrument, read_instrument
from survey.scheme.office_sheet import instrument_from_office_sheet, is_office_sheet
from survey.scheme.xlsform import csv_sheets, instrument_from_xlsform, is_xlsform
from survey.scheme.yaml_text import read_plain


@dataclass(frozen=True)
class InstrumentFile:
    """An instrument that was read without a fault, and what the reader should know."""

    instrument: Instrument
    kind: str
    notes: tuple[str, ...] = ()


def read_instrument_file(data: bytes, filename: str, *, group: str = "") -> InstrumentFile:
    """The instrument in a file.

    Args:
        group: the respondent group, for a file that names none.

    Raises:
        FaultsError: every fault at once; in a workbook with sheet, row and column.
    """
    if len(data) > MAX_BYTES:
        raise FaultsError(
            f"问卷文件“{filename}”", (Fault("authoring.too_large", "超过10 MB", "删去图片，只留文字"),)
        )
    ending = filename.lower().rpartition(".")[2]
    if ending in ("yaml", "yml", "json"):
        return InstrumentFile(read_instrument(data), "YAML")
    sheets = _sheets(data, filename)
    if is_xlsform(sheets):
        instrument, notes = instrument_from_xlsform(sheets, group=group, name=filename.rpartition(".")[0])
        return InstrumentFile(instrument, "XLSForm", notes)
    if ABOUT in sheets or ITEMS in sheets:
        return InstrumentFile(instrument_from_sheets(sheets), "Excel模板")
    if is_office_sheet(sheets):
        instrument, notes = instrument_from_office_sheet(sheets, group=group, name=filename.rpartition(".")[0])
        return InstrumentFile(instrument, "题目表", notes)
    first = next(iter(sheets), "")
    raise FaultsError(
        f"问卷文件“{filename}”",
        (
            Fault(
                "authoring.unknown_workbook",
                f"不认识这种表格（工作表：{'、'.join(sheets) or '没有'}）",
                "用本系统的模板（survey instrument template 文件.xlsx），XLSForm（有survey、choices、settings三张表），"
                "或第一行有题目标题、题型、选项内容的题目表",
                sheet=first or None,
                row=1,
            ),
        ),
    )


def issued_document(data: bytes, filename: str) -> dict[str, Any]:
    """The document of a form that a superior office has issued, as a plan carries it.

    Raises:
        FaultsError: every fault of the file, or a kind of file that holds less than a plan needs.
    """
    kind = read_instrument_file(data, filename).kind
    if kind == "XLSForm":
        remedy = "照着填进本系统的Excel模板（survey instrument template 文件.xlsx），再交一次"
        fault = Fault("authoring.xlsform_in_a_plan", "XLSForm没有写一套问卷需要的全部内容", remedy)
        raise FaultsError(f"问卷文件“{filename}”", (fault,))
    if kind == "YAML":
        return dict(read_plain(data, "问卷"))
    return document_from_sheets(_sheets(data, filename))


def _sheets(data: bytes, filename: str) -> dict[str, Rows]:
    read, faults = read_sheets_apart(data, filename, old=data.startswith(OLD_EXCEL))
    if faults:
        raise FaultsError(f"问卷文件“{filename}”", faults)
    named = {sheet.name: sheet.rows for sheet in read if sheet.name is not None}
    return dict(named) if named else csv_sheets(read[0].rows) or {"": read[0].rows}


def workbook(sheets: Mapping[str, Rows]) -> bytes:
    """Sheets as an XLSX workbook in which every cell is text."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Font

    book = Workbook(write_only=True)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        sheet.freeze_panes = "A2"
        for number, row in enumerate(rows):
            cells = []
            for value in row:
                cell = WriteOnlyCell(sheet, value="" if value is None else UNWRITABLE.sub("", str(value)))
                # A question keeps its wording; quoted, it stays text for whoever edits the cell.
                cell.data_type, cell.quotePrefix = "s", True
                cell.alignment = Alignment(wrap_text=True, vertical="top")
                if number == 0:
                    cell.font = Font(bold=True)
                cells.append(cell)
            sheet.append(cells)
    stream = BytesIO()
    book.save(stream)
    return stream.getvalue()
