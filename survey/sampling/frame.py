"""The list drawn from: schools with their pupils by grade, teachers, place and stage.

What enters is rows that `frame_file` found faultless; what leaves is a `Frame`, sorted by
school code and digested, so that the same schools give the same digest whatever file they
came in. Parents are not listed: a pupil stands for one parent or guardian. Codes of place and
kind are those of RULES section 7; a school's stage follows from its kind, and where a kind
spans the stages (341, 345) from the grades that it really has. Nothing here is estimated.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from survey.canonical import digest
from survey.errors import SurveyError

PLACES = ("urban", "town", "rural")
PLACE_NAMES = {"urban": "城区", "town": "镇区", "rural": "乡村"}
STAGES = ("kindergarten", "primary", "junior", "nine_year", "senior", "special")

PLACE_CODES = {
    "110": ("urban", "城区"),
    "111": ("urban", "主城区"),
    "112": ("urban", "城乡结合区"),
    "120": ("town", "镇区"),
    "121": ("town", "镇中心区"),
    "122": ("town", "镇乡结合区"),
    "123": ("town", "特殊区域"),
    "200": ("rural", "乡村"),
    "210": ("rural", "乡中心区"),
    "220": ("rural", "村庄"),
}
"""城乡 code → place and name. 100 城镇 is left out on purpose: it does not say city or town."""

KIND_CODES = {
    "111": ("kindergarten", "幼儿园"),
    "112": ("kindergarten", "少数民族幼儿园"),
    "119": ("kindergarten", "附设幼儿班"),
    "211": ("primary", "小学"),
    "218": ("primary", "小学教学点"),
    "219": ("primary", "附设小学班"),
    "311": ("junior", "初级中学"),
    "312": ("nine_year", "九年一贯制学校"),
    "319": ("junior", "附设初中班"),
    "321": ("junior", "职业初中"),
    "329": ("junior", "附设职业初中班"),
    "341": ("senior", "完全中学"),
    "342": ("senior", "高级中学"),
    "345": ("nine_year", "十二年一贯制学校"),
    "349": ("senior", "附设普通高中班"),
    **{code: ("senior", "中等职业学校") for code in ("361", "362", "363", "364", "365", "366", "368", "369")},
    "371": ("special", "专门学校"),
    "511": ("special", "盲人学校"),
    "512": ("special", "聋人学校"),
    "513": ("special", "弱智学校"),
    "514": ("special", "其他特教学校"),
    "519": ("special", "附设特教班"),
}
"""办学类型 code (GB/T 33782) → stage and name, for the kinds a frame of schools may hold."""

SPANNING_KINDS = ("341", "345")
"""Kinds whose schools belong to one stage or another by the grades they have."""

GRADE_NAMES = {
    -2: "小班",
    -1: "中班",
    0: "大班",
    **{number: f"{sign}年级" for number, sign in enumerate("一二三四五六七八九", start=1)},
    10: "高一",
    11: "高二",
    12: "高三",
}


class UnknownSchoolError(SurveyError):
    """The frame holds no school of this code."""

    code = "frame.school_unknown"
    kind = "not_found"

    def __init__(self, school_code: str) -> None:
        super().__init__(f"学校代码{school_code}", "学校名册里没有这所学校", "核对代码，或重新导入名册")


def stage_of(kind_code: str, grades: dict[int, int]) -> str:
    """The stage a school belongs to: its kind's, or its own grades' where the kind spans several.

    Args:
        kind_code: one of KIND_CODES.
        grades: pupils by grade.

    >>> stage_of("341", {7: 40, 10: 50}), stage_of("341", {10: 50}), stage_of("345", {10: 50})
    ('junior', 'senior', 'senior')
    """
    if kind_code == "341":
        return "junior" if any(grades.get(grade, 0) for grade in (7, 8, 9)) else "senior"
    if kind_code == "345":
        return "nine_year" if any(grades.get(grade, 0) for grade in range(1, 10)) else "senior"
    return KIND_CODES[kind_code][0]


@dataclass(frozen=True)
class School:
    """One school of the frame; `grades` and `grade_classes` hold pupils and classes by grade."""

    code: str
    name: str
    district: str
    place_code: str
    kind_code: str
    kind: str
    grades: dict[int, int]
    grade_classes: dict[int, int]
    pupils: int
    classes: int
    teachers: int
    staff: int | None

    @property
    def place(self) -> str:
        """urban, town or rural."""
        return PLACE_CODES[self.place_code][0]

    @property
    def stage(self) -> str:
        """The stage that names the school's stratum and its pupils' instrument."""
        return stage_of(self.kind_code, self.grades)

    def pupils_from(self, grade: int | None) -> int:
        """Pupils in `grade` and above, or all of them where no youngest grade is set."""
        if grade is None:
            return self.pupils
        return sum([count for number, count in self.grades.items() if number >= grade])

    def document(self) -> dict[str, Any]:
        """The school as canonical JSON; grades as [classes, pupils] under their number."""
        numbers = sorted(self.grades.keys() | self.grade_classes.keys())
        return {
            "classes": self.classes,
            "code": self.code,
            "district": self.district,
            "grades": {
                str(number): [self.grade_classes.get(number, 0), self.grades.get(number, 0)]
                for number in numbers
            },
            "kind": self.kind,
            "kind_code": self.kind_code,
            "name": self.name,
            "place_code": self.place_code,
            "pupils": self.pupils,
            "staff": self.staff,
            "teachers": self.teachers,
        }

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> School:
        """The school a document was made from."""
        grades = {int(number): pair for number, pair in document["grades"].items()}
        return cls(
            code=document["code"],
            name=document["name"],
            district=document["district"],
            place_code=document["place_code"],
            kind_code=document["kind_code"],
            kind=document["kind"],
            grades={number: pair[1] for number, pair in grades.items()},
            grade_classes={number: pair[0] for number, pair in grades.items()},
            pupils=document["pupils"],
            classes=document["classes"],
            teachers=document["teachers"],
            staff=document["staff"],
        )


@dataclass(frozen=True)
class Frame:
    """The schools drawn from, sorted by code whatever order they came in."""

    schools: tuple[School, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "schools", tuple(sorted(self.schools, key=lambda school: school.code)))

    def document(self) -> dict[str, Any]:
        """The frame as canonical JSON."""
        return {"schools": [school.document() for school in self.schools], "type": "frame", "v": 1}

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Frame:
        """The frame a document was made from."""
        return cls(tuple(School.from_document(school) for school in document["schools"]))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the frame's document: equal for the same schools from any file."""
        return digest(self.document())

    @cached_property
    def by_code(self) -> dict[str, School]:
        """Every school under its code."""
        return {school.code: school for school in self.schools}

    def school(self, code: str) -> School:
        """The school of this code.

        Raises:
            UnknownSchoolError: no such school.
        """
        try:
            return self.by_code[code]
        except KeyError:
            raise UnknownSchoolError(code) from None

    @cached_property
    def pupils(self) -> int:
        """All pupils of the frame."""
        return sum(school.pupils for school in self.schools)


def control_totals(frame: Frame) -> dict[str, Any]:
    """Totals to hold against a county's own: schools, pupils, classes, teachers, by kind, place code and grade.

    `teachers_used` sums the count that draws use; `staff_blank` counts schools whose staff is not
    known. Keys are those of `data/county/expected.json`.
    """
    by_type: dict[str, dict[str, int]] = {}
    by_place: dict[str, int] = {}
    by_grade: dict[int, int] = {}
    for school in frame.schools:
        row = by_type.setdefault(school.kind, {"schools": 0, "students": 0, "classes": 0})
        row["schools"] += 1
        row["students"] += school.pupils
        row["classes"] += school.classes
        by_place[school.place_code] = by_place.get(school.place_code, 0) + 1
        for grade, count in school.grades.items():
            by_grade[grade] = by_grade.get(grade, 0) + count
    return {
        "schools": len(frame.schools),
        "students": frame.pupils,
        "classes": sum(school.classes for school in frame.schools),
        "teachers_used": sum(school.teachers for school in frame.schools),
        "staff_blank": sum(school.staff is None for school in frame.schools),
        "by_type": by_type,
        "by_urban_rural": dict(sorted(by_place.items())),
        "students_by_grade": {GRADE_NAMES[grade]: by_grade[grade] for grade in sorted(by_grade)},
    }
