"""The sheets of an Excel workbook of before 2007; called in the limited child of `read_apart`."""

from __future__ import annotations

from io import StringIO

from survey.errors import Fault
from survey.sampling.sheet import MAX_COLUMNS, MAX_ROWS, Sheet

OLD_EXCEL = b"\xd0\xcf\x11\xe0"
MOST_SHEETS = 20


def read_old_workbook(data: bytes) -> tuple[tuple[Sheet, ...], tuple[Fault, ...]]:
    """The first sheets of an XLS file, or the fault for which it cannot be read."""
    import xlrd  # needed only for workbooks of before 2007

    try:
        with xlrd.open_workbook(file_contents=data, on_demand=True, logfile=StringIO()) as book:
            sheets = []
            for name in book.sheet_names()[:MOST_SHEETS]:
                sheet = book.sheet_by_name(name)
                if sheet.nrows > MAX_ROWS or sheet.ncols > MAX_COLUMNS:
                    raise ValueError("too long")
                sheets.append(Sheet(name, tuple(tuple(sheet.row_values(row)) for row in range(sheet.nrows))))
            return tuple(sheets), ()
    except Exception:  # noqa: BLE001
        # xlrd lets whatever struct, zlib or its own asserts raise come through.
        return (), (Fault("authoring.xls_broken", "旧版Excel文件读不出来，或加了密码", "另存为.xlsx再试"),)
