"""Variables, codes, labels and missing-value codes of an instrument, and answers as rows.

An instrument enters; out comes the description every export needs, and the two ways between
typed answers and a flat row. Four silences stay apart: 96 off the path, 97 refused, 98 don't
know, 99 asked and skipped. A several-choice item becomes one variable a choice, so that a
row holds numbers and words only, whatever reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from survey.errors import SurveyError
from survey.scheme.answers import Answer
from survey.scheme.instrument import Instrument, Item

OFF_PATH = 96
REFUSED = 97
DONT_KNOW = 98
SKIPPED = 99
SILENCES = {
    OFF_PATH: {"zh": "不用填这一题", "en": "Not on path"},
    SKIPPED: {"zh": "没有选", "en": "Skipped"},
}


class NotInCodebookError(SurveyError):
    """A row holds a variable or a code that the codebook does not know."""

    code = "codebook.unknown"
    kind = "invalid"

    def __init__(self, variable: str, value: object) -> None:
        super().__init__(
            f"变量“{variable}”", f"编码表里没有“{value}”", "检查数据是不是来自同一套问卷的同一版本"
        )


@dataclass(frozen=True)
class Code:
    """One value of a variable with its words."""

    value: int | str
    label: Mapping[str, str]
    missing: bool


@dataclass(frozen=True)
class Variable:
    """One column of the case file."""

    name: str
    item: str
    type: Literal["number", "text"]
    label: Mapping[str, str]
    codes: tuple[Code, ...]
    role: str
    dimension: str | None
    areas: tuple[str, ...]
    choice: int | str | None = None
    """For a several-choice item, the choice this variable is about."""
    max_chars: int | None = None


@dataclass(frozen=True)
class Codebook:
    """The variables of one instrument, in the order of its items."""

    instrument: str
    version: str
    digest: str
    variables: tuple[Variable, ...]

    @cached_property
    def by_item(self) -> Mapping[str, tuple[Variable, ...]]:
        """Variables of each item."""
        items: dict[str, tuple[Variable, ...]] = {}
        for variable in self.variables:
            items[variable.item] = (*items.get(variable.item, ()), variable)
        return items

    def row(self, answers: Mapping[str, Answer]) -> dict[str, int | str]:
        """One flat row: every variable with a value or one of the silences.

        Args:
            answers: from `read_answers`; None is skipped, an absent item was off the path.
        """
        row: dict[str, int | str] = {}
        for item, variables in self.by_item.items():
            for variable in variables:
                row[variable.name] = _coded(variable, item, answers)
        return row

    def answers(self, row: Mapping[str, int | str]) -> dict[str, Answer]:
        """The typed answers of a row, as they were accepted.

        Raises:
            NotInCodebookError: a variable is missing, or holds a value no code names.
        """
        answers: dict[str, Answer] = {}
        for item, variables in self.by_item.items():
            values = [_checked(variable, row) for variable in variables]
            if all(value == OFF_PATH for value in values) and variables[0].type != "text":
                continue
            if variables[0].choice is not None:
                answers[item] = _choices(variables, values)
            elif variables[0].type == "text":
                if values[0] != str(OFF_PATH):
                    answers[item] = values[0] or None
            else:
                answers[item] = None if values[0] == SKIPPED else values[0]
        return answers


def codebook_of(instrument: Instrument) -> Codebook:
    """The codebook of an instrument.

    >>> from survey.scheme.instrument import load_instrument
    >>> book = codebook_of(load_instrument("parents"))
    >>> len(book.variables), [code.value for code in book.variables[0].codes]
    (27, [5, 4, 3, 2, 1, 98, 96, 99])
    """
    variables = tuple(variable for item in instrument.items for variable in _variables(item))
    return Codebook(instrument.id, instrument.version, instrument.digest, variables)


def _variables(item: Item) -> tuple[Variable, ...]:
    common: dict[str, Any] = {
        "item": item.id,
        "role": item.role,
        "dimension": item.dimension,
        "areas": item.areas,
    }
    silences = tuple(Code(value, label, True) for value, label in SILENCES.items())
    if item.kind == "text":
        return (
            Variable(item.id, type="text", label=item.text, codes=(), max_chars=item.max_chars, **common),
        )
    if item.kind == "single":
        codes = tuple(Code(o.value, o.text, o.kind == "none") for o in item.options) + silences
        return (Variable(item.id, type="number", label=item.text, codes=codes, **common),)
    ticked = (
        Code(1, {"zh": "选了", "en": "Chosen"}, False),
        Code(0, {"zh": "没选", "en": "Not chosen"}, False),
    )
    return tuple(
        Variable(
            name=f"{item.id}_{option.value}",
            type="number",
            label={lang: f"{text}：{option.text.get(lang, option.zh)}" for lang, text in item.text.items()},
            codes=ticked + silences,
            choice=option.value,
            **common,
        )
        for option in item.options
    )


def _coded(variable: Variable, item: str, answers: Mapping[str, Answer]) -> int | str:
    if item not in answers:
        return str(OFF_PATH) if variable.type == "text" else OFF_PATH
    value: Any = answers[item]
    if variable.type == "text":
        return value or ""
    if value is None:
        return SKIPPED
    if variable.choice is not None:
        return int(variable.choice in value)
    return value if isinstance(value, (int, str)) else SKIPPED


def _checked(variable: Variable, row: Mapping[str, int | str]) -> int | str:
    value = row.get(variable.name)
    known = isinstance(value, str) if variable.type == "text" else value in {c.value for c in variable.codes}
    if value is None or not known:
        raise NotInCodebookError(variable.name, value)
    return value


def _choices(variables: tuple[Variable, ...], values: list[int | str]) -> Answer:
    if all(value == SKIPPED for value in values):
        return None
    return [
        variable.choice
        for variable, value in zip(variables, values, strict=True)
        if value == 1 and variable.choice is not None
    ]
