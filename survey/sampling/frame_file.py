"""A frame from the file an office has: every fault at once with its place, or the whole frame.

What enters is the bytes of a CSV or XLSX file and perhaps a saved column map; what leaves is a
`FrameReading`: a frame only if nothing is wrong, otherwise every fault by sheet, row and column
with its remedy. Nothing is half-imported and nothing is repaired in silence. Digits that a sheet
holds as text are read, with a warning; `1,011`, full-width digits, `1011人` and halves are
refused, because what was meant is the office's to say. A frame of one school is read, with a
warning: the wave must then say that no school was drawn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from survey.errors import Fault
from survey.sampling.frame import GRADE_NAMES, PLACE_NAMES, Frame, control_totals
from survey.sampling.frame_columns import known_headers, match_columns
from survey.sampling.frame_rows import RowReader
from survey.sampling.sheet import Sheet, read_sheets

MAX_FAULTS = 500
HEADER_WITHIN_ROWS = 10

SheetReader = Callable[[bytes, str], tuple[tuple[Sheet, ...], tuple[Fault, ...]]]


@dataclass(frozen=True)
class FrameReading:
    """What a file gave: a frame or faults, never both; warnings, columns and control totals beside."""

    frame: Frame | None
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...] = ()
    columns: dict[str, str] = field(default_factory=dict)
    totals: dict[str, Any] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    areas: Mapping[str, tuple[str, int]] | None = None
    """School → what its row says of its 督学责任区, and the row; None where the file has no such column."""
    rows: int = 0
    """Rows below the header that hold anything; 0 where no row was read."""
    faulty_rows: int = 0


def sample_county(filename: str = "frame.csv") -> bytes:
    """The sample county's frame as it is packaged: frame.csv, frame_gb18030.csv or frame.xlsx."""
    return (files("survey.sampling") / "data" / "county" / filename).read_bytes()


def read_frame(
    data: bytes,
    filename: str,
    columns: Mapping[str, str] | None = None,
    *,
    read: SheetReader = read_sheets,
) -> FrameReading:
    """The frame in a CSV or XLSX file, or every fault that keeps it from being one.

    Args:
        data: the file's bytes; their kind is read from themselves, not from the name.
        filename: as the person named it, for messages.
        columns: a saved map from our column names to the file's headers; synonyms fill the rest.
        read: how bytes become sheets; a server hands a stranger's file to a process of its own.
    """
    sheets, faults = read(data, filename)
    if faults:
        return FrameReading(None, faults)
    found = [(sheet, at) for sheet in sheets if (at := _header_row(sheet, columns)) is not None]
    if not found:
        return FrameReading(None, _no_header(sheets), ignored=_likely_headers(sheets))
    sheet, header_at = found[0]
    warnings = tuple(
        Fault(
            "frame.second_sheet",
            f"表“{other.name}”也像学校名册，没有读",
            "只要读一张；要读它，请单独存成一个文件",
            sheet=other.name,
        )
        for other, _ in found[1:]
    )
    return _read_sheet(sheet, header_at, columns, warnings)


def _header_row(sheet: Sheet, columns: Mapping[str, str] | None) -> int | None:
    """Index of the row that names most columns among the first ten, or None."""
    scores = [known_headers(row, columns) for row in sheet.rows[:HEADER_WITHIN_ROWS]]
    best = max(scores, default=0)
    return scores.index(best) if best >= 3 else None


def _likely_headers(sheets: tuple[Sheet, ...]) -> tuple[str, ...]:
    """The fullest of the first rows, for somebody to say which column is which."""
    rows = [row for sheet in sheets[:1] for row in sheet.rows[:HEADER_WITHIN_ROWS]]
    fullest = max(rows, key=lambda row: sum(cell is not None for cell in row), default=())
    return tuple(str(cell) for cell in fullest if cell is not None)


def _no_header(sheets: tuple[Sheet, ...]) -> tuple[Fault, ...]:
    filled = [sheet for sheet in sheets if any(cell is not None for row in sheet.rows for cell in row)]
    if not filled:
        return (Fault("frame.file_empty", "文件里没有内容", "选择有内容的学校名册再导入"),)
    faults = [
        Fault(
            "frame.header_missing",
            "没有找到表头（学校代码、学校名称、城乡分类码、在校生数……）",
            "表头要在前10行里，一列一个名称；文字若是乱码，请另存为“CSV UTF-8”再导入",
            sheet=filled[0].name,
            row=1,
        )
    ]
    for sheet in filled:
        faults += [_merged_fault(sheet, area.reference, area.first_row) for area in sheet.merged[:20]]
    return tuple(faults)


def _merged_fault(sheet: Sheet, reference: str, row: int) -> Fault:
    return Fault(
        "frame.merged_cells",
        f"单元格{reference}是合并的，读不准它管哪些列",
        "取消合并，让每一列有自己的表头、每一行有自己的值",
        sheet=sheet.name,
        row=row,
    )


def _read_sheet(
    sheet: Sheet, header_at: int, columns: Mapping[str, str] | None, warnings: tuple[Fault, ...]
) -> FrameReading:
    number = header_at + 1
    merged = tuple(
        _merged_fault(sheet, area.reference, area.first_row)
        for area in sheet.merged
        if area.last_row >= number
    )
    match = match_columns(sheet.rows[header_at], columns, sheet=sheet.name, row=number)
    if match.faults:
        return FrameReading(None, (*merged, *match.faults), warnings, match.headers, {}, match.ignored)
    reader = RowReader(sheet, match.positions, match.headers)
    title_of = {position: canonical for canonical, position in match.positions.items()}
    for row, position in sheet.formulas_without_value:
        if position in title_of and row > number:
            reader.blame(
                "frame.formula_without_value",
                "这一格是公式，文件里没有存它的值",
                "在Excel里打开并保存一次，或改成数字",
                row=row,
                column=title_of[position],
            )
    schools = reader.schools(header_at)
    if not schools and not reader.faults:
        reader.blame("frame.no_schools", "表头下面一所学校也没有", "表头下面一行写一所学校")
    warnings += tuple(_about_cells(sheet, reader))
    if merged or reader.faults:
        return FrameReading(
            None,
            _limited([*merged, *reader.faults]),
            warnings,
            match.headers,
            {},
            match.ignored,
            rows=reader.rows,
            faulty_rows=reader.faulty_rows,
        )
    frame = Frame(tuple(schools))
    warnings += tuple(_about_frame(frame, sheet.name))
    return FrameReading(
        frame,
        (),
        warnings,
        match.headers,
        control_totals(frame),
        match.ignored,
        reader.areas if "area" in match.positions else None,
        rows=reader.rows,
    )


def _limited(faults: list[Fault]) -> tuple[Fault, ...]:
    """All faults, in the order of rows; past the first 500 a count of the rest."""
    ordered = sorted(faults, key=lambda fault: fault.row or 0)
    if len(ordered) <= MAX_FAULTS:
        return tuple(ordered)
    rest = Fault(
        "frame.more_faults", f"还有{len(ordered) - MAX_FAULTS}处没有列出", "先改上面这些，再导入一次"
    )
    return (*ordered[:MAX_FAULTS], rest)


def _about_cells(sheet: Sheet, reader: RowReader) -> Iterator[Fault]:
    """Warnings about how cells were written."""
    if sheet.formulas:
        problem = f"有{sheet.formulas}格是公式，按文件里存的值读入"
        yield Fault("frame.formulas", problem, "核对下面的合计数", sheet=sheet.name)
    headers = list(reader.digits_as_text)
    if headers:
        where = headers[0] if len(headers) == 1 else f"{'、'.join(headers[:2])}等{len(headers)}列"
        problem = f"有{reader.digits_as_text.total()}格的数字存成了文字，已按数字读入"
        yield Fault("frame.digits_as_text", problem, "核对下面的合计数", sheet=sheet.name, column=where)


def _about_frame(frame: Frame, sheet: str | None) -> Iterator[Fault]:
    """Warnings about a frame that can be used, but that somebody should look at."""
    if len(frame.schools) == 1:
        problem = "名册里只有1所学校，抽不出学校"
        yield Fault("frame.one_school", problem, "可以继续；结果只说明这一所学校，报告会写明", sheet=sheet)
    for name, n in Counter(school.name for school in frame.schools).items():
        if n > 1:
            problem = f"有{n}所学校都叫“{name}”"
            yield Fault("frame.name_twice", problem, "纸条上只印校名，最好改成能分清的名称", sheet=sheet)
    for school in frame.schools:
        if school.teachers == 0:
            problem = f"“{school.name}”教师数是0，抽不到它的教师"
            yield Fault("frame.no_teachers", problem, "核对教师数", sheet=sheet)
        classes = school.grade_classes
        empty = [GRADE_NAMES[grade] for grade in school.grades if classes and not classes.get(grade)]
        if empty:
            problem = f"“{school.name}”{'、'.join(empty)}有学生，没有班"
            yield Fault("frame.grade_without_class", problem, "核对各年级班数", sheet=sheet)
    places = {school.place for school in frame.schools}
    missing = [name for place, name in PLACE_NAMES.items() if place not in places]
    if missing and len(frame.schools) > 1:
        problem = f"名册里没有{'、'.join(missing)}学校"
        yield Fault("frame.place_absent", problem, "确认城乡分类码没有填错", sheet=sheet)
