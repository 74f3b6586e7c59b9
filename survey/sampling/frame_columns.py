"""Which column of a sheet is which: names that counties use for the same thing, and a saved map.

What enters is a row of header cells and, if the office saved one, its own map from our names to
its headers; what leaves is the position of every column we know. A map's word goes before any
synonym, and a column that two headers claim is a fault, never a guess.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from survey.errors import Fault
from survey.sampling.frame import GRADE_NAMES

COLUMN_NAMES = {
    "code": (
        "学校代码",
        "学校标识码",
        "学校(机构)标识码",
        "学校机构标识码",
        "机构标识码",
        "标识码",
        "学校编码",
        "学校编号",
    ),
    "name": ("学校名称", "校名", "学校", "名称", "学校(机构)名称", "机构名称", "单位名称"),
    "district": ("所属区", "所属县", "区县", "县区", "县(市、区)", "所在区县", "所属区县"),
    "area": ("督学责任区", "责任区", "督学责任区名称", "督学责任区代码", "所属督学责任区", "所属责任区"),
    "kind": ("办学类型", "学校类型", "学校类别"),
    "kind_code": ("办学类型码", "办学类型代码", "学校类型码", "学校类型代码"),
    "place_code": (
        "城乡分类码",
        "城乡分类代码",
        "城乡代码",
        "城乡码",
        "城乡分类",
        "城乡类型",
        "学校所在地城乡分类",
    ),
    "classes": ("班级数", "班数", "班数合计", "班级总数", "教学班数"),
    "pupils": ("在校生数", "学生数", "在校学生数", "在校生总数", "学生总数", "在校生数合计", "学生数合计"),
    "staff": ("教职工数", "教职工总数", "教职工"),
    "full_time_teachers": ("专任教师数", "专任教师", "专任教师总数"),
    "teachers": ("教师数_抽样用", "教师数", "抽样用教师数"),
}
_GRADE_SYNONYMS = {7: "初一", 8: "初二", 9: "初三"}

REQUIRED = ("code", "name", "place_code", "pupils")
COLUMN_TITLES = {canonical: names[0] for canonical, names in COLUMN_NAMES.items()}


def _grade_columns() -> None:
    for grade, title in GRADE_NAMES.items():
        ordered = [title, *([f"{grade}年级"] if 1 <= grade <= 9 else [])]
        ordered += [_GRADE_SYNONYMS[grade]] if grade in _GRADE_SYNONYMS else []
        for what, endings in (
            ("classes", ("班数", "班级数")),
            ("pupils", ("学生数", "人数", "在校生数", "幼儿数" if grade <= 0 else "在校学生数")),
        ):
            canonical = f"grade_{grade}_{what}"
            COLUMN_NAMES[canonical] = tuple(stem + ending for stem in ordered for ending in endings)
            COLUMN_TITLES[canonical] = title + endings[0]


_grade_columns()


def plain_header(text: object) -> str:
    """A header as it is compared: full-width forms folded, spaces, line breaks and unit signs dropped.

    >>> plain_header(" 学校（机构）\\n标识码"), plain_header("在校生数(人)")
    ('学校(机构)标识码', '在校生数')
    """
    folded = "".join(unicodedata.normalize("NFKC", str(text)).split()).replace("　", "")
    for unit in ("(人)", "(个)", "(名)", "[人]"):
        folded = folded.removesuffix(unit)
    return folded


_BY_HEADER = {plain_header(name): canonical for canonical, names in COLUMN_NAMES.items() for name in names}


@dataclass(frozen=True)
class ColumnMatch:
    """Columns found: our name → position and header; the headers left alone; and any faults."""

    positions: dict[str, int]
    headers: dict[str, str]
    ignored: tuple[str, ...]
    faults: tuple[Fault, ...]


def known_headers(cells: Sequence[object], columns: Mapping[str, str] | None = None) -> int:
    """How many cells of a row are headers we know, by synonym or by the saved map."""
    saved = {plain_header(header) for header in (columns or {}).values()}
    plain = {plain_header(cell) for cell in cells if cell is not None}
    return sum(header in _BY_HEADER or header in saved for header in plain)


def match_columns(
    cells: Sequence[object], columns: Mapping[str, str] | None, *, sheet: str | None, row: int
) -> ColumnMatch:
    """Columns of a header row, by the saved map first and by synonyms for the rest.

    Args:
        cells: the header row.
        columns: our column names → the file's headers, as an office saved them; or None.
        sheet, row: where the row stands, for the faults.
    """
    faults: list[Fault] = []
    place: dict[str, list[int]] = {}
    for position, cell in enumerate(cells):
        if cell is not None:
            place.setdefault(plain_header(cell), []).append(position)
    positions: dict[str, int] = {}
    claimed: set[str] = set()
    for canonical, header in (columns or {}).items():
        if canonical not in COLUMN_NAMES:
            faults.append(
                Fault(
                    "frame.map_unknown_column",
                    f"列对应表里的“{canonical}”不是本系统的列",
                    f"改成这些名称之一：{'、'.join(list(COLUMN_NAMES)[:12])}，或grade_1_pupils这样的年级列",
                    sheet=sheet,
                )
            )
            continue
        found = place.get(plain_header(header), [])
        if not found:
            faults.append(
                Fault(
                    "frame.map_header_missing",
                    f"列对应表里写的“{header}”在表头中没有",
                    "核对表头文字，或重新选择这一列",
                    sheet=sheet,
                    row=row,
                )
            )
        else:
            positions[canonical] = found[0]
        claimed.add(plain_header(header))
    for header, found in place.items():
        canonical_or_none = _BY_HEADER.get(header)
        if header in claimed or canonical_or_none is None or canonical_or_none in (columns or {}):
            if header in claimed and len(found) > 1:
                faults.append(_twice(cells[found[0]], cells[found[1]], "列对应表指定的一列", sheet, row))
            continue
        for position in found:
            if canonical_or_none in positions:
                first = cells[positions[canonical_or_none]]
                faults.append(_twice(first, cells[position], COLUMN_TITLES[canonical_or_none], sheet, row))
            else:
                positions[canonical_or_none] = position
    faults += _missing(positions, sheet, row)
    headers = {canonical: str(cells[position]) for canonical, position in positions.items()}
    used = set(positions.values())
    ignored = tuple(str(cell) for at, cell in enumerate(cells) if cell is not None and at not in used)
    return ColumnMatch(positions, headers, ignored, tuple(faults))


def _twice(first: object, second: object, title: str, sheet: str | None, row: int) -> Fault:
    return Fault(
        "frame.column_twice",
        f"表头“{first}”和“{second}”都像是{title}",
        "删去一列，或在列对应里指定用哪一列",
        sheet=sheet,
        row=row,
        column=str(second),
    )


def _missing(positions: Mapping[str, int], sheet: str | None, row: int) -> list[Fault]:
    def missing(title: str) -> Fault:
        return Fault(
            "frame.column_missing",
            f"表头里没有“{title}”",
            "补上这一列，或在列对应里指出哪一列是它",
            sheet=sheet,
            row=row,
            column=title,
        )

    faults = [missing(COLUMN_TITLES[canonical]) for canonical in REQUIRED if canonical not in positions]
    if "kind" not in positions and "kind_code" not in positions:
        faults.append(missing(COLUMN_TITLES["kind_code"]))
    if not {"teachers", "full_time_teachers", "staff"} & positions.keys():
        faults.append(missing(COLUMN_TITLES["teachers"]))
    if not any(name.startswith("grade_") and name.endswith("_pupils") for name in positions):
        faults.append(missing("一年级学生数等各年级学生数"))
    return faults
