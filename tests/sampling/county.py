"""The sample county and small frames of a few schools, for tests of several rooms."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from functools import cache

import msgspec

from survey.sampling.frame import Frame, School
from survey.sampling.frame_file import read_frame, sample_county
from survey.scheme.plan import Plan, example_plan_text, read_plan, scheme_of
from survey.scheme.scheme import Scheme

HEADER = (
    "学校代码",
    "学校名称",
    "办学类型码",
    "城乡分类码",
    "班级数",
    "在校生数",
    "一年级班数",
    "二年级班数",
    "一年级学生数",
    "二年级学生数",
    "教师数",
)
ROWS = (
    ("3207042001", "一小", "211", "121", "4", "80", "2", "2", "41", "39", "9"),
    ("3207042002", "二小", "211", "220", "2", "30", "1", "1", "14", "16", "3"),
    ("3207042003", "三小", "211", "220", "2", "50", "1", "1", "26", "24", "5"),
)


@cache
def county() -> Frame:
    frame = read_frame(sample_county(), "frame.csv").frame
    assert frame is not None
    return frame


@cache
def county_plan() -> Plan:
    return read_plan(example_plan_text())


@cache
def county_scheme() -> Scheme:
    return scheme_of(county_plan())


def changed(plan: Plan, **changes: object) -> Plan:
    return msgspec.structs.replace(plan, **changes)


def small_school(
    code: str,
    *,
    grades: Mapping[int, int] | None = None,
    place_code: str = "220",
    kind_code: str = "211",
    teachers: int = 5,
) -> School:
    grades = dict(grades or {4: 20, 5: 20})
    return School(
        code, f"学校{code[-2:]}", "", place_code, kind_code, "", grades,
        dict.fromkeys(grades, 1), sum(grades.values()), len(grades), teachers, teachers,
    )  # fmt: skip


def csv_bytes(
    rows: Sequence[Sequence[object]] = ROWS, header: Sequence[str] = HEADER, encoding: str = "utf-8"
) -> bytes:
    lines = [header, *rows]
    return "\r\n".join(",".join(str(cell) for cell in line) for line in lines).encode(encoding)


def with_cell(row: int, column: str, value: object) -> list[list[object]]:
    """The small frame's rows with one cell changed; rows count from 1 below the header."""
    rows: list[list[object]] = [list(line) for line in ROWS]
    rows[row - 1][HEADER.index(column)] = value
    return rows


def xlsx_bytes(
    rows: Sequence[Sequence[object]] = ROWS, header: Sequence[str] = HEADER, merge: str | None = None
) -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    sheet.title = "名册"
    for line in (header, *rows):
        sheet.append(
            [
                int(cell) if isinstance(cell, str) and cell.isdigit() and len(cell) < 5 else cell
                for cell in line
            ]
        )
    if merge:
        sheet.merge_cells(merge)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()
