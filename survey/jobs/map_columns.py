"""Which header of somebody's own sheet is which column of a spec: asked once, saved, used again.

A CSV or XLSX file and a map enter; a CSV leaves whose headers are the names that the spec uses.
The map is a small JSON file, so that next year's export of the same form needs no clicking.
Spreadsheets are read in a limited process; nothing but headers is changed.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO

from survey.errors import Fault, FaultsError, SurveyError
from survey.estimation.analysis.spec import columns_needed, read_spec
from survey.jobs.read_apart import read_sheets_apart
from survey.sampling.sheet import Sheet

MAP_TYPE = "survey/column-map/v1"
MOST_COLUMNS = 2000


class UnreadableMapError(SurveyError):
    """Not a column map of ours."""

    code = "column_map.unreadable"
    kind = "invalid"

    def __init__(self, reason: str) -> None:
        super().__init__("列的对应表", reason, "用页面上存下来的那一份JSON文件，或者重新选一遍")


@dataclass(frozen=True)
class ColumnMap:
    """The spec's name of a column → the header of the file."""

    columns: Mapping[str, str]

    def encoded(self) -> bytes:
        """The map as a file."""
        document = {"columns": dict(self.columns), "type": MAP_TYPE}
        return (json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()

    def applied(self, data: bytes, filename: str) -> bytes:
        """The file as CSV (UTF-8) under the spec's names; other columns keep theirs.

        Raises:
            FaultsError: the file cannot be read, or lacks a header that the map names, or a name
                would stand twice.
        """
        head, rows = sheet_of(data, filename)
        faults = [
            Fault("column_map.no_header", f"文件里没有“{header[:40]}”这一列", f"给“{name}”另选一列")
            for name, header in self.columns.items()
            if header not in head
        ]
        taken = set(self.columns.values())
        by_header: dict[str, list[str]] = {}
        for name, header in self.columns.items():
            by_header.setdefault(header, []).append(name)
        if faults:
            raise FaultsError(f"文件“{filename[:80]}”", tuple(faults))
        # A column that another name takes over may not keep standing under the spec's own name.
        kept = [at for at, header in enumerate(head) if header not in taken and header not in self.columns]
        text = StringIO()
        sheet = csv.writer(text, lineterminator="\r\n")
        moved = [(head.index(header), name) for header, names in by_header.items() for name in names]
        sheet.writerow([*(name for _, name in moved), *(head[at] for at in kept)])
        for row in rows:
            sheet.writerow([*(row[at] for at, _ in moved), *(row[at] for at in kept)])
        return text.getvalue().encode()


def read_map(data: bytes) -> ColumnMap:
    """The map in a file.

    Raises:
        UnreadableMapError: anything else.
    """
    try:
        document = json.loads(data)
        columns = document["columns"]
        good = document["type"] == MAP_TYPE and all(
            isinstance(text, str) and text for pair in columns.items() for text in pair
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnreadableMapError("不是列的对应表") from error
    if not good or len(columns) > MOST_COLUMNS:
        raise UnreadableMapError("写法不对")
    return ColumnMap(columns)


def names_asked(spec: bytes) -> tuple[str, ...]:
    """The columns that a spec speaks of and does not make itself, in order.

    Raises:
        SurveyError: a fault of the spec.
    """
    read = read_spec(spec)
    joined = {name for join in read.cases.join for name in join.columns}
    return tuple(sorted(name for name in columns_needed(read) if name and name not in read.derive and name not in joined))


def sheet_of(data: bytes, filename: str) -> tuple[list[str], list[list[str]]]:
    """Headers and rows of the first sheet, every cell as text.

    Raises:
        FaultsError: the file cannot be read, has no header row, or two headers are the same.
    """
    sheets, faults = read_sheets_apart(data, filename, old=data.startswith(b"\xd0\xcf\x11\xe0"))
    if not faults and (not sheets or not sheets[0].rows):
        faults = (Fault("column_map.empty", "没有一行数据", "第一行写列名，下面一份答卷一行"),)
    if faults:
        raise FaultsError(f"文件“{filename[:80]}”", tuple(faults))
    return _cells(sheets[0], filename)


def _cells(sheet: Sheet, filename: str) -> tuple[list[str], list[list[str]]]:
    head = [_text(cell) for cell in sheet.rows[0]]
    while head and not head[-1]:
        head.pop()
    twice = sorted({name for name in head if name and head.count(name) > 1})
    if twice or not head:
        problem = f"列名“{'”“'.join(twice[:5])}”重复" if twice else "第一行没有列名"
        fault = Fault("column_map.headers", problem, "每一列写一个不同的名字")
        raise FaultsError(f"文件“{filename[:80]}”", (fault,))
    rows = [
        [_text(row[at]) if at < len(row) else "" for at in range(len(head))]
        for row in sheet.rows[1:]
        if any(_text(cell) for cell in row)
    ]
    return head, rows


def _text(cell: object) -> str:
    """A cell as text: a whole number of a spreadsheet without its decimal point."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def proposed_map(names: Sequence[str], head: Sequence[str], known: ColumnMap | None) -> dict[str, str]:
    """For each name the header that a known map gives or that is called the same; empty where neither is.

    >>> proposed_map(["学校", "总评"], ["学校", "Q1"], ColumnMap({"总评": "Q1"}))
    {'学校': '学校', '总评': 'Q1'}
    """
    given = {} if known is None else known.columns
    return {
        name: given[name] if given.get(name) in head else name if name in head else "" for name in names
    }
