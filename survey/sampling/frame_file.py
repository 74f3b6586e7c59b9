"""A frame from the file an office has: every fault at once with its place, or the whole frame.

What enters is the bytes of a CSV or XLSX file and perhaps a saved column map; what leaves is a
`FrameReading`: a frame only if nothing is wrong, otherwise every fault by sheet, row and column
with its remedy. Nothing is half-imported and nothing is repaired in silence. Digits that a sheet
holds as text are read, with a warning; `1,011`, full-width digits, `1011人` and halves are
refused, because what was meant is the office's to say. A frame of one school is read, with a
warning: the wave must then say that no school was drawn.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from survey.errors import Fault
from survey.sampling.frame import (
    GRADE_NAMES,
    KIND_CODES,
    PLACE_CODES,
    PLACE_NAMES,
    Frame,
    School,
    control_totals,
)
from survey.sampling.frame_columns import COLUMN_TITLES, known_headers, match_columns
from survey.sampling.sheet import Cell, Sheet, read_sheets

MAX_FAULTS = 500
HEADER_WITHIN_ROWS = 10
MAX_COUNT = 100_000
"""No school of the country comes near it: a larger count is a slip of the hand."""

_PARENT_PLACE_CODES = {"11": "110", "12": "120", "2": "200"}
_PLACE_BY_NAME = {name: code for code, (_, name) in PLACE_CODES.items()}
_KIND_BY_NAME = {name: code for code, (_, name) in reversed(KIND_CODES.items())} | {
    "教学点": "218", "初中": "311", "九年一贯制": "312", "完中": "341", "高中": "342", "十二年一贯制": "345",
}  # fmt: skip
_NOT_ALLOWED = re.compile("[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
_TOTAL_ROW = re.compile(r"^(合计|总计|小计|共计|总\s*计|合\s*计)")


@dataclass(frozen=True)
class FrameReading:
    """What a file gave: a frame or faults, never both; warnings, columns and control totals beside."""

    frame: Frame | None
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...] = ()
    columns: dict[str, str] = field(default_factory=dict)
    totals: dict[str, Any] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


def sample_county(filename: str = "frame.csv") -> bytes:
    """The sample county's frame as it is packaged: frame.csv, frame_gb18030.csv or frame.xlsx."""
    return (files("survey.sampling") / "data" / "county" / filename).read_bytes()


def read_frame(data: bytes, filename: str, columns: Mapping[str, str] | None = None) -> FrameReading:
    """The frame in a CSV or XLSX file, or every fault that keeps it from being one.

    Args:
        data: the file's bytes; their kind is read from themselves, not from the name.
        filename: as the person named it, for messages.
        columns: a saved map from our column names to the file's headers; synonyms fill the rest.
    """
    sheets, faults = read_sheets(data, filename)
    if faults:
        return FrameReading(None, faults)
    found = [(sheet, at) for sheet in sheets if (at := _header_row(sheet, columns)) is not None]
    if not found:
        return FrameReading(None, _no_header(sheets))
    sheet, header_at = found[0]
    reader = _Reader(sheet, header_at)
    for other, _ in found[1:]:
        reader.warn(
            "frame.second_sheet",
            f"表“{other.name}”也像学校名册，没有读",
            "只要读一张；要读它，请单独存成一个文件",
        )
    return reader.read(columns)


def _header_row(sheet: Sheet, columns: Mapping[str, str] | None) -> int | None:
    """Index of the row that names most columns among the first ten, or None."""
    scores = [known_headers(row, columns) for row in sheet.rows[:HEADER_WITHIN_ROWS]]
    best = max(scores, default=0)
    return scores.index(best) if best >= 3 else None


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


class _Reader:
    """One reading of one sheet: rows in, schools and faults gathered on the way."""

    def __init__(self, sheet: Sheet, header_at: int) -> None:
        self.sheet = sheet
        self.header_at = header_at
        self.faults: list[Fault] = []
        self.warnings: list[Fault] = []
        self.digits_as_text: Counter[str] = Counter()
        self.positions: dict[str, int] = {}
        self.headers: dict[str, str] = {}

    def blame(
        self, code: str, problem: str, remedy: str, *, row: int | None = None, column: str | None = None
    ) -> None:
        self.faults.append(
            Fault(
                code,
                problem,
                remedy,
                sheet=self.sheet.name,
                row=row,
                column=self.headers.get(column or "", column),
            )
        )

    def warn(
        self, code: str, problem: str, remedy: str, *, row: int | None = None, column: str | None = None
    ) -> None:
        self.warnings.append(
            Fault(
                code,
                problem,
                remedy,
                sheet=self.sheet.name,
                row=row,
                column=self.headers.get(column or "", column),
            )
        )

    def read(self, columns: Mapping[str, str] | None) -> FrameReading:
        sheet, header_number = self.sheet, self.header_at + 1
        self.faults += [
            _merged_fault(sheet, area.reference, area.first_row)
            for area in sheet.merged
            if area.last_row >= header_number
        ]
        match = match_columns(sheet.rows[self.header_at], columns, sheet=sheet.name, row=header_number)
        self.faults += match.faults
        self.positions, self.headers = match.positions, match.headers
        if match.faults:
            return FrameReading(
                None, tuple(self.faults), tuple(self.warnings), match.headers, {}, match.ignored
            )
        needed = set(match.positions.values())
        for row, position in sheet.formulas_without_value:
            if position in needed and row > header_number:
                self.blame(
                    "frame.formula_without_value",
                    "这一格是公式，文件里没有存它的值",
                    "在Excel里打开并保存一次，或改成数字",
                    row=row,
                    column=str(sheet.rows[self.header_at][position]),
                )
        if sheet.formulas:
            self.warn("frame.formulas", f"有{sheet.formulas}格是公式，按文件里存的值读入", "核对下面的合计数")
        schools = self.schools()
        for header, n in self.digits_as_text.items():
            self.warn(
                "frame.digits_as_text",
                f"有{n}格的数字存成了文字，已按数字读入",
                "核对下面的合计数",
                column=header,
            )
        if not schools and not self.faults:
            self.blame("frame.no_schools", "表头下面一所学校也没有", "表头下面一行写一所学校")
        if self.faults:
            return FrameReading(None, self.limited(), tuple(self.warnings), match.headers, {}, match.ignored)
        frame = Frame(tuple(schools))
        self.look_over(frame)
        return FrameReading(
            frame, (), tuple(self.warnings), match.headers, control_totals(frame), match.ignored
        )

    def limited(self) -> tuple[Fault, ...]:
        """All faults, in the order of rows; past the first 500 a count of the rest."""
        ordered = sorted(self.faults, key=lambda fault: fault.row or 0)
        if len(ordered) <= MAX_FAULTS:
            return tuple(ordered)
        rest = len(ordered) - MAX_FAULTS
        return (
            *ordered[:MAX_FAULTS],
            Fault("frame.more_faults", f"还有{rest}处没有列出", "先改上面这些，再导入一次"),
        )

    def schools(self) -> list[School]:
        schools: list[School] = []
        first_seen: dict[str, int] = {}
        for index in range(self.header_at + 1, len(self.sheet.rows)):
            cells, row = self.sheet.rows[index], index + 1
            if all(cell is None for cell in cells):
                continue
            label = next((str(cell) for cell in cells if cell is not None), "")
            if _TOTAL_ROW.match(label) or _TOTAL_ROW.match(str(self.cell(cells, "name") or "")):
                self.blame("frame.total_row", "这一行像是合计，不是学校", "删去合计行", row=row)
                continue
            school = self.school(cells, row, first_seen)
            if school is not None:
                schools.append(school)
        return schools

    def cell(self, cells: tuple[Cell, ...], column: str) -> Cell:
        position = self.positions.get(column)
        return cells[position] if position is not None and position < len(cells) else None

    def school(self, cells: tuple[Cell, ...], row: int, first_seen: dict[str, int]) -> School | None:
        """The school of one row, or None with its faults noted; every cell is looked at either way."""
        n_before = len(self.faults)
        code = self.school_code(self.cell(cells, "code"), row, first_seen)
        name = self.words(self.cell(cells, "name"), row, "name", required=True)
        district = self.words(self.cell(cells, "district"), row, "district")
        place_code = self.place_code(self.cell(cells, "place_code"), row)
        kind_code, kind = self.kind(cells, row)
        pupils = self.count(cells, "pupils", row, required=True)
        grades = self.by_grade(cells, "pupils", row)
        grade_classes = self.by_grade(cells, "classes", row)
        classes = self.count(cells, "classes", row)
        staff = self.count(cells, "staff", row)
        full_time = self.count(cells, "full_time_teachers", row)
        teachers = self.count(cells, "teachers", row)
        if len(self.faults) > n_before:
            return None
        if teachers is None:
            teachers = full_time if full_time is not None else staff
        if teachers is None:
            self.blame(
                "frame.count_empty",
                "没有教师数",
                "填上教师数、专任教师数或教职工数中的一个",
                row=row,
                column=COLUMN_TITLES["teachers"],
            )
        if pupils == 0:
            self.blame(
                "frame.no_pupils",
                f"“{name}”在校生数是0",
                "停办的学校请从名册里删去",
                row=row,
                column="pupils",
            )
        self.agree(sum(grades.values()), pupils, "各年级学生数", "pupils", row)
        if classes is not None and grade_classes:
            self.agree(sum(grade_classes.values()), classes, "各年级班数", "classes", row)
        if len(self.faults) > n_before:
            return None
        assert pupils is not None and teachers is not None
        return School(
            code, name, district, place_code, kind_code, kind, grades, grade_classes,
            pupils, sum(grade_classes.values()) if classes is None else classes, teachers, staff,
        )  # fmt: skip

    def agree(self, total_of_grades: int, total: int | None, what: str, column: str, row: int) -> None:
        if total is not None and total_of_grades != total:
            self.blame(
                "frame.sum_disagrees",
                f"{what}相加是{total_of_grades}，“{self.headers[column]}”写的是{total}",
                "核对后改其中一处，两个数要相等",
                row=row,
                column=column,
            )

    def school_code(self, cell: Cell, row: int, first_seen: dict[str, int]) -> str:
        text = (
            str(int(cell))
            if isinstance(cell, float) and cell.is_integer()
            else str(cell if cell is not None else "")
        )
        text = text.removeprefix("'")
        if not text:
            self.blame("frame.code_empty", "没有学校代码", "填上10位学校代码", row=row, column="code")
        elif re.fullmatch(r"\d(\.\d+)?[eE]\+?\d+", text, re.ASCII):
            self.blame(
                "frame.code_scientific",
                f"学校代码成了科学记数“{text}”",
                "把这一列设成文本格式，重新填10位代码",
                row=row,
                column="code",
            )
        elif not re.fullmatch(r"\d{10}", text, re.ASCII):
            length = f"，这里是{len(text)}位" if text.isdigit() else ""
            self.blame(
                "frame.code_malformed",
                f"学校代码“{_short(text)}”不是10位数字{length}",
                "改成10位学校（机构）标识码",
                row=row,
                column="code",
            )
        elif text in first_seen:
            self.blame(
                "frame.code_twice",
                f"学校代码{text}和第{first_seen[text]}行重复",
                "一所学校只留一行，或改正其中一个代码",
                row=row,
                column="code",
            )
        else:
            first_seen[text] = row
        return text

    def words(self, cell: Cell, row: int, column: str, *, required: bool = False) -> str:
        text = "" if cell is None else unicodedata.normalize("NFC", str(cell))
        if not text and required:
            self.blame("frame.name_empty", "没有学校名称", "填上学校名称", row=row, column=column)
        if _NOT_ALLOWED.search(text):
            self.blame(
                "frame.text_controls",
                "文字里有换行或看不见的控制符",
                "重新输入这一格",
                row=row,
                column=column,
            )
        if len(text) > 60:
            self.blame(
                "frame.text_too_long", f"文字有{len(text)}个字", "不要超过60个字", row=row, column=column
            )
        return text

    def place_code(self, cell: Cell, row: int) -> str:
        text = _code_text(cell)
        code = _PARENT_PLACE_CODES.get(text, _PLACE_BY_NAME.get(text, text))
        if not text:
            self.blame(
                "frame.place_empty",
                "没有城乡分类码",
                "填111、112、121、122、123、210、220中的一个",
                row=row,
                column="place_code",
            )
        elif text in ("1", "100"):
            self.blame(
                "frame.place_code_unclear",
                f"城乡分类码{text}（城镇）分不出城区和镇区",
                "填到三位：111、112是城区，121、122、123是镇区",
                row=row,
                column="place_code",
            )
        elif code not in PLACE_CODES:
            self.blame(
                "frame.place_code_unknown",
                f"城乡分类码“{_short(text)}”没有这个代码",
                "填111、112（城区）、121、122、123（镇区）、210、220（乡村）中的一个",
                row=row,
                column="place_code",
            )
        return code

    def kind(self, cells: tuple[Cell, ...], row: int) -> tuple[str, str]:
        name = self.words(self.cell(cells, "kind"), row, "kind")
        code = _code_text(self.cell(cells, "kind_code"))
        column = "kind_code" if "kind_code" in self.positions else "kind"
        if not code:
            code = name if name in KIND_CODES else _KIND_BY_NAME.get(name, "")
        if not code:
            self.blame(
                "frame.kind_empty",
                f"办学类型“{_short(name)}”不认识" if name else "没有办学类型",
                "填办学类型码，如小学211、教学点218、初级中学311、九年一贯制312",
                row=row,
                column=column,
            )
        elif code not in KIND_CODES:
            self.blame(
                "frame.kind_code_unknown",
                f"办学类型码“{_short(code)}”没有这个代码",
                "填办学类型码，如小学211、教学点218、初级中学311、九年一贯制312",
                row=row,
                column=column,
            )
        return code, name if name and name not in KIND_CODES else KIND_CODES.get(code, ("", ""))[1]

    def by_grade(self, cells: tuple[Cell, ...], what: str, row: int) -> dict[int, int]:
        """Counts by grade, without the grades that the school does not have."""
        counts = {}
        for grade in GRADE_NAMES:
            column = f"grade_{grade}_{what}"
            if column in self.positions and (count := self.count(cells, column, row)):
                counts[grade] = count
        return counts

    def count(self, cells: tuple[Cell, ...], column: str, row: int, *, required: bool = False) -> int | None:
        """A count of 0 or more, or None where the cell is empty or at fault."""
        cell = self.cell(cells, column)
        header = self.headers.get(column, column)
        if cell is None:
            if required:
                self.blame("frame.count_empty", "没有填数", "填上数字，没有就填0", row=row, column=column)
            return None
        if isinstance(cell, str):
            number = _clean_digits(cell)
            if number is None:
                reading = _likely_number(cell)
                remedy = (
                    f"若是{reading}，请改成{reading}" if reading is not None else "改成0或正整数，没有就空着"
                )
                code = "frame.count_negative" if re.match(r"[-−－]\s*\d", cell) else "frame.count_malformed"
                self.blame(code, f"“{_short(cell)}”不是人数或班数", remedy, row=row, column=column)
                return None
            if self.sheet.typed:
                self.digits_as_text[header] += 1
            cell = number
        if isinstance(cell, bool) or not math.isfinite(cell) or cell != int(cell):
            self.blame(
                "frame.count_not_whole", f"“{cell}”不是整数", "人数和班数要填整数", row=row, column=column
            )
            return None
        if cell < 0:
            self.blame("frame.count_negative", f"{int(cell)}是负数", "改成0或正整数", row=row, column=column)
            return None
        if cell > MAX_COUNT:
            self.blame(
                "frame.count_too_large", f"{int(cell)}大得不像一所学校", "核对这个数", row=row, column=column
            )
            return None
        return int(cell)

    def look_over(self, frame: Frame) -> None:
        """Warnings about a frame that can be used, but that somebody should look at."""
        if len(frame.schools) == 1:
            self.warn(
                "frame.one_school",
                "名册里只有1所学校，抽不出学校",
                "可以继续；结果只说明这一所学校，报告会写明",
            )
        names = Counter(school.name for school in frame.schools)
        for name, n in names.items():
            if n > 1:
                self.warn(
                    "frame.name_twice", f"有{n}所学校都叫“{name}”", "纸条上只印校名，最好改成能分清的名称"
                )
        for school in frame.schools:
            if school.teachers == 0:
                self.warn("frame.no_teachers", f"“{school.name}”教师数是0，抽不到它的教师", "核对教师数")
            empty = [
                GRADE_NAMES[grade]
                for grade in school.grades
                if school.grade_classes and not school.grade_classes.get(grade)
            ]
            if empty:
                self.warn(
                    "frame.grade_without_class",
                    f"“{school.name}”{'、'.join(empty)}有学生，没有班",
                    "核对各年级班数",
                )
        missing = [
            PLACE_NAMES[place]
            for place in PLACE_NAMES
            if all(school.place != place for school in frame.schools)
        ]
        if missing and len(frame.schools) > 1:
            self.warn("frame.place_absent", f"名册里没有{'、'.join(missing)}学校", "确认城乡分类码没有填错")


def _short(text: str) -> str:
    return text if len(text) <= 20 else text[:19] + "…"


def _code_text(cell: Cell) -> str:
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return "" if cell is None else str(cell).removeprefix("'")


def _clean_digits(text: str) -> int | float | None:
    """The number written in plain ASCII digits, with at most a sign or a decimal part; else None."""
    text = text.removeprefix("'")
    if re.fullmatch(r"-?\d{1,9}", text, re.ASCII):
        return int(text)
    if re.fullmatch(r"-?\d{1,9}\.\d{1,6}", text, re.ASCII):
        return float(text)
    return None


def _likely_number(text: str) -> int | None:
    """The whole number a refused text seems to mean: thousands signs, full-width digits, a unit."""
    plain = re.sub(r"[,\s']|[人个名班]$", "", unicodedata.normalize("NFKC", text))
    return int(plain) if re.fullmatch(r"\d{1,9}", plain, re.ASCII) else None
