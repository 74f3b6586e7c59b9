"""Columns of a CSV as people send it: 问卷星 exports, spreadsheets saved as text, statistics packages.

Enters: bytes, perhaps the columns that are wanted. Leaves: `Columns`, or every fault of the
file at once. Encodings are UTF-8 (with or without byte order mark) and GB18030; nothing else is
guessed. A row of another length than the header is a fault with its line, never padded: in a
shifted row every later answer belongs to another question.
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

import numpy as np

from survey.columns import Column, Columns
from survey.errors import Fault

if TYPE_CHECKING:
    from _csv import Reader

MAX_COLUMNS = 5_000
MAX_FAULTS = 20
CHUNK = 20_000
_WHOLE = re.compile(r"(-?\d{1,15})\.0+", re.ASCII)

Progress = Callable[[int, int], None]


def read_delimited(
    data: bytes, wanted: Collection[str] | None, encoding: str | None, progress: Progress | None = None
) -> tuple[Columns | None, tuple[Fault, ...]]:
    """The wanted columns of a CSV (all when None), or its faults.

    Args:
        data: the file's bytes.
        wanted: names to keep; the others are only counted as headers.
        encoding: `utf-8` or `gb18030` when a person has said it; otherwise both are tried in order.
        progress: told the bytes read and the bytes there are.
    """
    text, faults = _decoded(data, encoding)
    if text is None:
        return None, faults
    first_line = text.partition("\n")[0]
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=max(",\t;", key=first_line.count), strict=True
    )
    try:
        header = [cell.strip() for cell in next(reader, [])]
    except csv.Error:
        return None, (_broken(1),)
    if faults := _header_faults(header):
        return None, faults
    names = {at: name for at, name in enumerate(header) if wanted is None or name in wanted}
    columns, n, faults = _cells(reader, len(header), names, len(text), progress)
    if not faults and n == 0:
        faults = (Fault("cases.no_rows", "表头下面一条记录也没有", "核对是不是选错了文件"),)
    if faults:
        return None, faults
    return Columns(columns, n, tuple(header)), ()


def _decoded(data: bytes, encoding: str | None) -> tuple[str | None, tuple[Fault, ...]]:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None, (Fault("cases.encoding", "文件是UTF-16编码", "另存为“CSV UTF-8（逗号分隔）”再算"),)
    if b"\x00" in data:
        return None, (Fault("cases.not_text", "文件里有空字节，不是文本表格", "换成CSV、Parquet或SPSS文件"),)
    marked = data.startswith(b"\xef\xbb\xbf")
    tries = ("utf-8-sig",) if marked else ("utf-8", "gb18030") if encoding is None else (encoding,)
    row = None
    for one in tries:
        try:
            return data.decode(one), ()
        except UnicodeDecodeError as error:
            row = data.count(b"\n", 0, error.start) + 1
    said = "UTF-8也不是GB18030" if encoding is None else f"{encoding}"
    return None, (
        Fault(
            "cases.encoding",
            f"文字编码不是{said}",
            "用Excel或WPS打开，另存为“CSV UTF-8（逗号分隔）”",
            row=row,
        ),
    )


def _header_faults(header: list[str]) -> tuple[Fault, ...]:
    if not any(header):
        return (Fault("cases.no_header", "第一行没有列名", "第一行要写列名，一列一个", row=1),)
    if len(header) > MAX_COLUMNS:
        return (Fault("cases.too_wide", f"超过{MAX_COLUMNS}列", "只留要用的列", row=1),)
    faults = []
    places: dict[str, list[int]] = {}
    for at, name in enumerate(header):
        places.setdefault(name, []).append(at + 1)
    for name, columns in places.items():
        if name and len(columns) > 1:
            where = "、".join(str(one) for one in columns[:6])
            faults.append(
                Fault(
                    "cases.header_twice", f"第{where}列都叫这个名字", "给每一列不同的名字", row=1, column=name
                )
            )
    return tuple(faults[:MAX_FAULTS])


def _cells(
    reader: Reader, width: int, names: dict[int, str], size: int, progress: Progress | None
) -> tuple[dict[str, Column], int, tuple[Fault, ...]]:
    """Wanted columns coded, rows counted, ragged rows blamed."""
    # A dictionary whose default is its own length gives every new text the next code.
    tables: dict[int, dict[str, int]] = {}
    for at in names:
        table: dict[str, int] = defaultdict()
        table.default_factory = table.__len__  # type: ignore[attr-defined]
        tables[at] = table
    codes: dict[int, list[np.ndarray]] = {at: [] for at in names}
    faults: list[Fault] = []
    n = seen = 0
    while True:
        rows: list[list[str]] = []
        try:
            for row in reader:
                # A line without any content is what spreadsheets leave behind, not a case.
                if not (row and row[0]) and not any(row):
                    continue
                if len(row) == width:
                    rows.append(row)
                else:
                    faults.append(
                        Fault(
                            "cases.ragged",
                            f"这一行有{len(row)}格，表头有{width}格",
                            "检查这一行多出或缺少的逗号；文字里的逗号要用引号括起来",
                            row=reader.line_num,
                        )
                    )
                if len(rows) == CHUNK or len(faults) == MAX_FAULTS:
                    break
        except csv.Error:
            return {}, n, (*faults, _broken(reader.line_num))
        if len(faults) >= MAX_FAULTS:
            return {}, n, tuple(faults)
        if not rows:
            break
        for at, cells in enumerate(zip(*rows, strict=True)):
            if at in names:
                codes[at].append(
                    np.fromiter(map(tables[at].__getitem__, cells), dtype=np.int32, count=len(rows))
                )
                seen += sum(map(len, cells))
        n += len(rows)
        if progress is not None:
            progress(min(seen, size), size)
    if faults or n == 0:
        return {}, n, tuple(faults)
    return {name: _column(name, np.concatenate(codes[at]), tables[at]) for at, name in names.items()}, n, ()


def _column(name: str, code: np.ndarray, table: dict[str, int]) -> Column:
    """The column with texts stripped and whole numbers without a point, equal ones joined."""
    plain: dict[str, int] = {}
    moved = np.empty(len(table), dtype=np.int64)
    for text, at in table.items():
        kept = text.strip()
        whole = _WHOLE.fullmatch(kept)
        moved[at] = plain.setdefault(whole[1] if whole else kept, len(plain))
    return Column(name, moved[code], tuple(plain))


def _broken(row: int) -> Fault:
    return Fault("cases.csv_broken", "引号没有成对，或一格里的文字过长", "检查这一行附近的引号", row=row)
