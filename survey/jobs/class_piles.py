"""Slips counted off by class: an office's list of classes, read and held against the slips.

A table with school code, group, class and number enters; piles of one class each leave, cut
from the shuffled slips of a domain in their order, so that which slip lies in which class is
chance. The domain stays one school × one group with one inclusion probability.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from survey.documents.imprint import GROUPS
from survey.documents.slip import SlipPile
from survey.errors import Fault, FaultsError
from survey.jobs.read_apart import read_sheets_apart
from survey.sampling.sample import DomainDraw

HEADER = ("学校代码", "人员", "班级", "张数")


@dataclass(frozen=True)
class ClassPile:
    """One row: so many slips of a school's group for one class."""

    row: int
    school_code: str
    group: str
    class_name: str
    count: int


@dataclass(frozen=True)
class ClassPiles:
    """The rows of a list of classes; without any, a domain is one pile."""

    rows: tuple[ClassPile, ...] = ()

    def divided(self, pile: SlipPile) -> list[SlipPile]:
        """A domain's pile cut into its classes; what is left over is a pile without a class.

        >>> piles = ClassPiles((ClassPile(2, "1", "parent", "一班", 2),))
        >>> [(p.class_name, p.codes) for p in piles.divided(SlipPile("parent", ("A", "B", "C"), "甲", "1"))]
        [('一班', ('A', 'B')), ('', ('C',))]
        """
        mine = [row for row in self.rows if (row.school_code, row.group) == (pile.school_code, pile.group)]
        piles, at = [], 0
        for row in mine:
            piles.append(replace(pile, codes=pile.codes[at : at + row.count], class_name=row.class_name))
            at += row.count
        rest = replace(pile, codes=pile.codes[at:])
        return [one for one in (*piles, rest) if one.codes]

    def check(self, domains: Iterable[DomainDraw]) -> None:
        """Hold the list against the drawn slips.

        Raises:
            FaultsError: a school that was not drawn, a group that is not asked there, more slips than drawn.
        """
        if not self.rows:
            return
        drawn = {(draw.school_code, draw.group): draw.slips for draw in domains}
        asked: dict[tuple[str, str], int] = {}
        faults = []
        for row in self.rows:
            key = (row.school_code, row.group)
            if key not in drawn:
                faults.append(
                    _fault(f"学校{row.school_code}没有抽中，或不问{GROUPS[row.group]}", "删掉这一行", row.row)
                )
                continue
            asked[key] = asked.get(key, 0) + row.count
            if asked[key] > (most := drawn[key]):
                faults.append(
                    _fault(f"这所学校的{GROUPS[row.group]}一共只有{most}张纸条", "把各班的张数改少", row.row)
                )
        if faults:
            raise FaultsError("班级清单", tuple(faults))


def read_class_piles(data: bytes, filename: str) -> ClassPiles:
    """The rows of an office's list of classes, from CSV or XLSX.

    Raises:
        FaultsError: every fault at once, with row and column.
    """
    sheets, faults = read_sheets_apart(data, filename)
    if faults:
        raise FaultsError("班级清单", faults)
    rows = sheets[0].rows
    header = [str(cell or "").strip() for cell in rows[0]] if rows else []
    found = [
        Fault(
            "papers.class_list", f"没有“{name}”这一列", f"第一行写：{'、'.join(HEADER)}", row=1, column=name
        )
        for name in HEADER
        if name not in header
    ]
    if found:
        raise FaultsError("班级清单", tuple(found))
    place = {name: header.index(name) for name in HEADER}
    groups = {name: key for key, name in GROUPS.items()} | {key: key for key in GROUPS}
    piles = []
    for number, row in enumerate(rows[1:], start=2):
        school, group, class_name, count = (_cell(row, place[name]) for name in HEADER)
        if not any((school, group, class_name, count)):
            continue
        if group not in groups:
            found.append(
                _fault(f"“{group[:20]}”不是一类人员", f"可选：{'、'.join(GROUPS.values())}", number, "人员")
            )
        if not class_name or len(class_name) > 20:
            found.append(_fault("班级是空的或超过20个字", "写上班级，如 三年级2班", number, "班级"))
        if not count.isdecimal() or not 1 <= int(count) <= 10_000:
            found.append(_fault(f"“{count[:20]}”不是张数", "写1到10000的整数", number, "张数"))
        if not found:
            piles.append(ClassPile(number, school, groups[group], class_name, int(count)))
    if found:
        raise FaultsError("班级清单", tuple(found))
    return ClassPiles(tuple(piles))


def _cell(row: tuple[object, ...], place: int) -> str:
    value = row[place] if place < len(row) else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value).strip()


def _fault(problem: str, remedy: str, row: int, column: str | None = None) -> Fault:
    return Fault("papers.class_list", problem, remedy, row=row, column=column)
