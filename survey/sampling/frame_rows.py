"""One school from one row of a sheet: every cell looked at, every fault kept with its place.

What enters is a row of cells and the columns found for it; what leaves is a `School`, or faults
that name row, column, reason and remedy. Which texts count as numbers, codes and places is
decided here and nowhere else.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping

from survey.errors import Fault
from survey.sampling.frame import GRADE_NAMES, KIND_CODES, PLACE_CODES, School
from survey.sampling.frame_columns import COLUMN_TITLES
from survey.sampling.sheet import Cell, Sheet

MAX_COUNT = 100_000
"""No school of the country comes near it: a larger count is a slip of the hand."""

_PARENT_PLACE_CODES = {"11": "110", "12": "120", "2": "200"}
_PLACE_BY_NAME = {name: code for code, (_, name) in PLACE_CODES.items()}
_KIND_BY_NAME = {name: code for code, (_, name) in reversed(KIND_CODES.items())} | {
    "教学点": "218", "初中": "311", "九年一贯制": "312", "完中": "341", "高中": "342", "十二年一贯制": "345",
}  # fmt: skip
_NOT_ALLOWED = re.compile("[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
_TOTAL_ROW = re.compile(r"^(合计|总计|小计|共计|总\s*计|合\s*计)")


class RowReader:
    """Reads the rows of one sheet into schools, and gathers faults and warnings on the way."""

    def __init__(self, sheet: Sheet, positions: Mapping[str, int], headers: Mapping[str, str]) -> None:
        self.sheet = sheet
        self.positions = positions
        self.headers = headers
        self.faults: list[Fault] = []
        self.digits_as_text: Counter[str] = Counter()
        self.first_seen: dict[str, int] = {}
        self.areas: dict[str, tuple[str, int]] = {}
        self.rows = 0
        """Rows below the header that hold anything."""

    @property
    def faulty_rows(self) -> int:
        """How many of them have a fault."""
        return len({fault.row for fault in self.faults if fault.row is not None})

    def blame(
        self, code: str, problem: str, remedy: str, *, row: int | None = None, column: str | None = None
    ) -> None:
        """Note a fault; `column` is our name of it, shown as the file's own header."""
        header = self.headers.get(column or "", column)
        self.faults.append(Fault(code, problem, remedy, sheet=self.sheet.name, row=row, column=header))

    def schools(self, header_at: int) -> list[School]:
        """The schools below the header row that have no fault; empty rows are passed over."""
        schools: list[School] = []
        for index in range(header_at + 1, len(self.sheet.rows)):
            cells, row = self.sheet.rows[index], index + 1
            if all(cell is None for cell in cells):
                continue
            self.rows += 1
            label = next((str(cell) for cell in cells if cell is not None), "")
            if _TOTAL_ROW.match(label) or _TOTAL_ROW.match(str(self.cell(cells, "name") or "")):
                self.blame("frame.total_row", "这一行像是合计，不是学校", "删去合计行", row=row)
                continue
            if all(self.cell(cells, column) is None for column in ("name", "place_code", "pupils")):
                problem = f"只写着“{_short(label)}”，没有名称、城乡和人数，不像学校"
                self.blame("frame.row_not_school", problem, "表下的签名、说明请删去；是学校就补齐", row=row)
                continue
            school = self.school(cells, row)
            if school is not None:
                schools.append(school)
        return schools

    def cell(self, cells: tuple[Cell, ...], column: str) -> Cell:
        position = self.positions.get(column)
        return cells[position] if position is not None and position < len(cells) else None

    def school(self, cells: tuple[Cell, ...], row: int) -> School | None:
        """The school of one row, or None with its faults noted; every cell is looked at either way."""
        n_before = len(self.faults)
        code = self.school_code(self.cell(cells, "code"), row)
        name = self.words(self.cell(cells, "name"), row, "name", required=True)
        district = self.words(self.cell(cells, "district"), row, "district")
        if area := self.words(self.cell(cells, "area"), row, "area"):
            self.areas[code] = (area, row)
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

    def school_code(self, cell: Cell, row: int) -> str:
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
            plain = _plain_digits(text)
            length = f"，这里是{len(text)}位" if text.isdigit() and not plain else ""
            self.blame(
                "frame.code_malformed",
                f"学校代码“{_short(text)}”{'用了全角数字' if plain else '不是10位数字'}{length}",
                f"改成{plain}" if re.fullmatch(r"\d{10}", plain) else "改成10位学校（机构）标识码",
                row=row,
                column="code",
            )
        elif text in self.first_seen:
            self.blame(
                "frame.code_twice",
                f"学校代码{text}和第{self.first_seen[text]}行重复",
                "一所学校只留一行，或改正其中一个代码",
                row=row,
                column="code",
            )
        else:
            self.first_seen[text] = row
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
                *_unknown_code("城乡分类码", text, PLACE_CODES)
                or (
                    f"城乡分类码“{_short(text)}”没有这个代码",
                    "填111、112（城区）、121、122、123（镇区）、210、220（乡村）中的一个",
                ),
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
                *_unknown_code("办学类型码", code, KIND_CODES)
                or (
                    f"办学类型码“{_short(code)}”没有这个代码",
                    "填办学类型码，如小学211、教学点218、初级中学311、九年一贯制312",
                ),
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


def _short(text: str) -> str:
    return text if len(text) <= 20 else text[:19] + "…"


def _plain_digits(text: str) -> str:
    """The half-width digits that a text of full-width ones stands for; empty where it is none."""
    plain = unicodedata.normalize("NFKC", text)
    return plain if plain != text and re.fullmatch(r"\d+", plain, re.ASCII) else ""


def _unknown_code(what: str, text: str, known: Mapping[str, object]) -> tuple[str, str] | None:
    """Problem and remedy of a code that only its full-width digits keep from being known."""
    plain = _plain_digits(text)
    return (f"{what}“{_short(text)}”用了全角数字", f"改成{plain}") if plain in known else None


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
