"""Typed reading of documents that a stranger wrote, with the place of whatever is wrong.

A decoded JSON object and the file it came from enter; text, counts, digests and fractions
leave, or a refusal that names file and field. Nothing else in this room indexes a document
it has not read through here, so no byte string makes the verifier stumble. Standard library
only.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from survey import exact
from survey.canonical import MAX_INTEGER
from survey.errors import SurveyError

_DIGEST = re.compile(r"[0-9a-f]{64}")


class FieldRefusedError(SurveyError):
    """A field of a file is missing, malformed, or not what follows from the rest."""

    code = "certification.field_refused"
    kind = "invalid"

    def __init__(self, file: str, field: str, reason: str) -> None:
        super().__init__(f"{file} 的 {field}" if field else file, reason, "请向出具方索取原文件")
        self.file = file
        self.field = field


@dataclass(frozen=True)
class Fields:
    """An object of a file; `path` says where in the file it stands."""

    file: str
    values: Mapping[str, Any]
    path: str = ""

    @classmethod
    def of(cls, file: str, value: Any, path: str = "") -> Fields:
        """The object, or a refusal when `value` is none."""
        if not isinstance(value, dict):
            raise FieldRefusedError(file, path, "应当是一个对象")
        return cls(file, value, path)

    def refuse(self, key: str, reason: str) -> FieldRefusedError:
        """The refusal of one field, to be raised."""
        return FieldRefusedError(self.file, self._at(key), reason)

    def _at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path and key else self.path or key

    def only(self, required: Collection[str], optional: Collection[str] = ()) -> None:
        """Refuses a missing key, and one that is neither required nor optional."""
        for key in required:
            if key not in self.values:
                raise self.refuse(key, "缺少这一项")
        for key in self.values:
            if key not in required and key not in optional:
                raise self.refuse(key, "不认识的一项")

    def value(self, key: str) -> Any:
        """The field as it is."""
        if key not in self.values:
            raise self.refuse(key, "缺少这一项")
        return self.values[key]

    def text(self, key: str, pattern: re.Pattern[str] | None = None) -> str:
        """Text, of a pattern where one is given."""
        value = self.value(key)
        if not isinstance(value, str) or (pattern and not pattern.fullmatch(value)):
            raise self.refuse(key, "写法不对")
        return value

    def constant(self, key: str, wanted: str | int | bool | None) -> None:
        """Refuses anything but one value."""
        value = self.value(key)
        if type(value) is not type(wanted) or value != wanted:
            raise self.refuse(key, f"应当是{wanted}")

    def one_of(self, key: str, allowed: Collection[str]) -> str:
        """Text out of a list."""
        value = self.text(key)
        if value not in allowed:
            raise self.refuse(key, "不是允许的写法：" + "、".join(sorted(allowed)))
        return value

    def count(self, key: str, least: int = 0, most: int = MAX_INTEGER) -> int:
        """A whole number between `least` and `most`."""
        value = self.value(key)
        if type(value) is not int or not least <= value <= most:
            raise self.refuse(
                key, f"应当是{least}到{most}的整数" if most < MAX_INTEGER else f"应当是不小于{least}的整数"
            )
        return value

    def flag(self, key: str) -> bool:
        """True or False."""
        value = self.value(key)
        if type(value) is not bool:
            raise self.refuse(key, "应当是true或false")
        return value

    def digest(self, key: str) -> str:
        """64 lower-case hexadecimal digits."""
        return self.text(key, _DIGEST)

    def fraction(self, key: str) -> Fraction:
        """A decimal or fraction written as text."""
        try:
            return exact.fraction(self.text(key))
        except (exact.NotANumberError, ZeroDivisionError) as error:
            raise self.refuse(key, "不是小数或分数") from error

    def object(self, key: str) -> Fields:
        """The object in a field."""
        return Fields.of(self.file, self.value(key), self._at(key))

    def sequence(self, key: str) -> list[Any]:
        """The array in a field."""
        value = self.value(key)
        if not isinstance(value, list):
            raise self.refuse(key, "应当是一个数组")
        return value

    def objects(self, key: str) -> Iterator[Fields]:
        """The objects of an array in a field."""
        return objects(self.file, self.sequence(key), self._at(key))

    def texts(self, key: str) -> tuple[str, ...]:
        """The texts of an array in a field."""
        values = self.sequence(key)
        if not all(isinstance(value, str) for value in values):
            raise self.refuse(key, "应当都是文字")
        return tuple(values)


def objects(file: str, values: list[Any], path: str = "") -> Iterator[Fields]:
    """The objects of an array, each knowing its place."""
    for position, value in enumerate(values):
        yield Fields.of(file, value, f"{path}[{position}]")
