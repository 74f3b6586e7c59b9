"""Rows of cells from the bytes of a CSV or XLSX file, within fixed bounds.

What enters is a stranger's upload; what leaves is sheets of plain cells, or faults that say in
Chinese what the file is and how to save it again. The kind of file is read from its bytes,
never from its name. An XLSX file is counted while it is unpacked, before any parser sees it
(TRUST section 17: ≤ 10 MB, ≤ 200 entries, ≤ 100 MB unpacked, ratio ≤ 100, no DOCTYPE), and a
formula is read as the value that the person saw. Encodings are UTF-8 (with or without BOM) and
GB18030, which between them are what Excel and WPS write in China; nothing else is guessed.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from survey.errors import Fault, FaultsError

MAX_BYTES = 10 * 1024 * 1024
MAX_ENTRIES = 200
MAX_UNPACKED = 100 * 1024 * 1024
MAX_RATIO = 100
MAX_ROWS = 20_000
MAX_COLUMNS = 400
MAX_CELLS = 600_000

_MERGED = re.compile(
    rb"<(?:\w+:)?mergeCell\b[^>]{0,200}?\bref=[\"']([A-Z]{1,3}\d{1,7}:[A-Z]{1,3}\d{1,7})[\"']"
)
_AREA = re.compile(r"([A-Z]+)(\d+):([A-Z]+)(\d+)")

Cell = str | int | float | bool | None


@dataclass(frozen=True)
class Merged:
    """One merged area, by its Excel reference and its rows, counted from 1."""

    reference: str
    first_row: int
    last_row: int


@dataclass(frozen=True)
class Sheet:
    """One sheet: rows of cells in file order, and what of its make-up a reader must know."""

    name: str | None
    rows: tuple[tuple[Cell, ...], ...]
    merged: tuple[Merged, ...] = ()
    formulas: int = 0
    formulas_without_value: tuple[tuple[int, int], ...] = ()
    typed: bool = False
    """True where cells carry their own type (XLSX), so that text digits are worth a word."""


def read_sheets(data: bytes, filename: str) -> tuple[tuple[Sheet, ...], tuple[Fault, ...]]:
    """The sheets of a CSV or XLSX file, or the faults for which it cannot be read at all."""
    if not data.strip(b"\x00\r\n\t ,;\xef\xbb\xbf"):
        return (), (
            _fault("frame.file_empty", f"文件“{_short(filename)}”是空的", "选择有内容的学校名册再导入"),
        )
    if len(data) > MAX_BYTES:
        return (), (_fault("frame.file_too_large", "文件超过10 MB", "删去图片和多余的工作表，只留学校名册"),)
    if data.startswith(b"PK"):
        return _read_workbook(data)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        return (), (
            _fault(
                "frame.file_old_excel",
                "这是旧版Excel（.xls）或加了密码的文件",
                "打开后去掉密码，另存为.xlsx再导入",
            ),
        )
    if filename.lower().endswith((".xlsx", ".xlsm")):
        return (), (
            _fault(
                "frame.file_not_xlsx",
                "文件名是.xlsx，内容却不是Excel工作簿",
                "用Excel或WPS打开，另存为.xlsx再导入",
            ),
        )
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for start, what in (
        (b"%pdf", "PDF"),
        (b"<!doctype html", "网页"),
        (b"<html", "网页"),
        (b"<?xml", "XML"),
        (b"\x89png", "图片"),
        (b"\xff\xd8\xff", "图片"),
    ):
        if head.startswith(start):
            remedy = "用Excel或WPS打开，另存为.xlsx再导入" if what in ("网页", "XML") else "请选Excel或CSV表格"
            return (), (_fault("frame.file_not_table", f"这是{what}文件，不是表格", remedy),)
    return _read_csv(data)


def read_table_rows(data: bytes, filename: str, thing: str) -> list[dict[str, str]]:
    """The rows under the header of a file's first sheet, column to text; empty rows are empty.

    Raises:
        FaultsError: the file cannot be read.
    """
    sheets, faults = read_sheets(data, filename)
    if faults or not sheets or not sheets[0].rows:
        raise FaultsError(thing, faults or (_fault("sheet.empty", "是空的", "把名单放进第一张表"),))
    header, *rows = sheets[0].rows
    names = ["" if cell is None else str(cell).strip() for cell in header]
    return [{name: "" if cell is None else str(cell) for name, cell in zip(names, row)} for row in rows]


def _fault(code: str, problem: str, remedy: str, **place: Any) -> Fault:
    return Fault(code, problem, remedy, **place)


def _short(text: str) -> str:
    kept = "".join(sign for sign in text if sign.isprintable())
    return kept if len(kept) <= 40 else kept[:39] + "…"


def _read_csv(data: bytes) -> tuple[tuple[Sheet, ...], tuple[Fault, ...]]:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return (), (_fault("frame.encoding", "文件是UTF-16编码", "另存为“CSV UTF-8（逗号分隔）”再导入"),)
    if b"\x00" in data:
        return (), (
            _fault("frame.not_text", "文件里有空字节，不是文本表格", "另存为.xlsx或“CSV UTF-8”再导入"),
        )
    text = None
    for encoding in ("utf-8-sig",) if data.startswith(b"\xef\xbb\xbf") else ("utf-8", "gb18030"):
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError as error:
            at = data.count(b"\n", 0, error.start) + 1
    if text is None:
        return (), (
            _fault(
                "frame.encoding",
                "文字编码既不是UTF-8也不是GB18030",
                "用Excel或WPS打开，另存为“CSV UTF-8（逗号分隔）”",
                row=at,
            ),
        )
    # A title above the header holds no sign that parts columns, so the first lines are counted together.
    first_lines = "\n".join(text.split("\n", 10)[:10])
    delimiter = max(",\t;", key=first_lines.count)
    rows: list[tuple[Cell, ...]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            rows.append(tuple(cell.strip() or None for cell in row))
            if len(rows) > MAX_ROWS or len(row) > MAX_COLUMNS:
                return (), (_too_many(),)
    except csv.Error:
        return (), (
            _fault(
                "frame.csv_broken",
                "引号没有成对，或一格里的文字过长",
                "检查这一行附近的引号，或另存为.xlsx再导入",
                row=len(rows) + 1,
            ),
        )
    return (Sheet(None, tuple(rows)),), ()


def _too_many() -> Fault:
    return _fault("frame.file_too_long", f"超过{MAX_ROWS}行或{MAX_COLUMNS}列", "只留学校名册，一行一所学校")


def _read_workbook(data: bytes) -> tuple[tuple[Sheet, ...], tuple[Fault, ...]]:
    try:
        merged, refusal = _inspect_package(data)
        if refusal is not None:
            return (), (refusal,)
        return tuple(_sheets(data, merged)), ()
    except _TooMany:
        return (), (_too_many(),)
    except Exception:  # noqa: BLE001 - a parser met by hostile bytes may raise anything: the file is unreadable
        return (), (
            _fault("frame.xlsx_broken", "Excel工作簿损坏，读不出来", "用Excel或WPS打开并另存为.xlsx，再导入"),
        )


class _TooMany(Exception):
    """More rows, columns or cells than a frame may have."""


def _inspect_package(data: bytes) -> tuple[dict[str, tuple[Merged, ...]], Fault | None]:
    """Merged areas of every sheet part, counted and unpacked within bounds; or why the file is refused."""
    bomb = _fault(
        "frame.xlsx_bomb", "文件解压后过大，不像一份学校名册", "新建一个工作簿，只粘贴学校名册的值，再导入"
    )
    merged: dict[str, tuple[Merged, ...]] = {}
    unpacked = cells = 0
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        entries = package.infolist()
        names = [entry.filename for entry in entries]
        if len(entries) > MAX_ENTRIES or len(set(names)) != len(names):
            return {}, bomb
        if any(entry.flag_bits & 1 for entry in entries):
            return {}, _fault("frame.xlsx_password", "工作簿加了密码", "去掉密码，另存为.xlsx再导入")
        if "[Content_Types].xml" not in names or "xl/workbook.xml" not in names:
            return {}, _fault(
                "frame.file_not_xlsx", "这是压缩包，不是Excel工作簿", "解压后选择里面的.xlsx或.csv文件"
            )
        if any("vbaproject" in name.lower() for name in names):
            return {}, _fault("frame.xlsx_macro", "工作簿里有宏", "另存为不带宏的.xlsx再导入")
        for entry in entries:
            content = bytearray()
            with package.open(entry) as stream:
                while chunk := stream.read(1 << 16):
                    content += chunk
                    unpacked += len(chunk)
                    if unpacked > MAX_UNPACKED or len(content) > MAX_RATIO * max(entry.compress_size, 1024):
                        return {}, bomb
            if entry.filename.endswith((".xml", ".rels", ".vml")):
                head = bytes(content[:4])
                if b"<!" in content and re.search(rb"<!\s*(?:DOCTYPE|ENTITY)", content, re.IGNORECASE):
                    return {}, _fault(
                        "frame.xlsx_doctype",
                        "工作簿里有不该有的实体声明",
                        "用Excel或WPS打开，另存为.xlsx再导入",
                    )
                if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in head:
                    return {}, _fault(
                        "frame.xlsx_broken", "工作簿内部编码不对", "用Excel或WPS打开，另存为.xlsx再导入"
                    )
            if entry.filename.startswith("xl/worksheets/"):
                cells += content.count(b"<c ") + content.count(b"<c>")
                if cells > MAX_CELLS or content.count(b"<row") > MAX_ROWS:
                    raise _TooMany
                merged[entry.filename] = tuple(sorted(_areas(bytes(content)), key=_in_reading_order))
            if entry.filename == "xl/sharedStrings.xml" and content.count(b"<si") > MAX_CELLS:
                raise _TooMany
    return merged, None


def _areas(content: bytes) -> Iterator[Merged]:
    for found in _MERGED.finditer(content):
        reference = found.group(1).decode()
        if area := _AREA.fullmatch(reference):
            yield Merged(reference, int(area.group(2)), int(area.group(4)))


def _in_reading_order(area: Merged) -> tuple[int, int, str]:
    """By row, then by column: A, B, … Z, AA."""
    column = area.reference.partition(":")[0].rstrip("0123456789")
    return area.first_row, len(column), column


def _sheets(data: bytes, merged: dict[str, tuple[Merged, ...]]) -> Iterator[Sheet]:
    """Every visible sheet; formulas give the value last seen, and say how many they were."""
    from openpyxl import load_workbook  # costly to import, and needed only for XLSX

    shown = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    written = load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
    for values, formulas in zip(shown.worksheets, written.worksheets, strict=True):
        if values.sheet_state != "visible":
            continue
        values.reset_dimensions()
        formulas.reset_dimensions()
        rows: list[tuple[Cell, ...]] = []
        n_formulas, without = 0, []
        pairs = zip(values.iter_rows(), formulas.iter_rows(), strict=True)
        for number, (row, row_as_written) in enumerate(pairs, start=1):
            if number > MAX_ROWS or len(row) > MAX_COLUMNS:
                raise _TooMany
            for column, cell in enumerate(row_as_written):
                if cell.data_type == "f":
                    n_formulas += 1
                    if row[column].value is None:
                        without.append((number, column))
            rows.append(tuple(_plain(cell.value) for cell in row))
        part = str(getattr(values, "_worksheet_path", "")).lstrip("/")
        yield Sheet(
            str(values.title), tuple(rows), merged.get(part, ()), n_formulas, tuple(without), typed=True
        )


def _plain(value: Any) -> Cell:
    """A cell as text, number or nothing; dates and errors become the text a person sees."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return str(value).strip() or None
