"""Answer scales: the options a person sees, the value that is stored, what each means.

Order is the order on screen: positive first, "don't know" last. A value is stored, a key is
stable across languages; `kind` none marks an option outside the base (98 can't say, 97
prefer not to say).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from survey.errors import SurveyError
from survey.scheme.yaml_text import read_plain


class UnknownScaleError(SurveyError):
    """No such scale, or no such option on it."""

    code = "scheme.unknown_scale"
    kind = "invalid"

    def __init__(self, scale: str, value: object = None) -> None:
        reason = "没有这个选项组" if value is None else f"没有值为“{value}”的选项"
        super().__init__(f"选项组“{scale}”", reason, "检查拼写，或在方案的“own_scales”里定义")


@dataclass(frozen=True)
class ResponseOption:
    """One choice: what is stored, its stable key, its words."""

    value: int | str
    key: str
    text: Mapping[str, str]
    satisfied: bool | None
    """The scale's default reading; a scheme may state another."""
    kind: str | None
    """`none` for an option outside the base."""

    @property
    def zh(self) -> str:
        return self.text["zh"]

    @property
    def en(self) -> str:
        return self.text["en"]


@dataclass(frozen=True)
class Scale:
    """A named list of options; `text` scales hold no options but a length."""

    id: str
    options: tuple[ResponseOption, ...]
    max_chars: int | None = None
    faces: bool = False

    @property
    def scored(self) -> tuple[ResponseOption, ...]:
        """The options inside the base, best first."""
        return tuple(option for option in self.options if option.kind != "none")

    def option(self, value: int | str) -> ResponseOption:
        """The option stored as `value`.

        Raises:
            UnknownScaleError: no option has this value.
        """
        for option in self.options:
            if option.value == value and isinstance(option.value, type(value)):
                return option
        raise UnknownScaleError(self.id, value)


def read_option(entry: Mapping[str, Any]) -> ResponseOption:
    """An option as it stands in a file; without a key its value serves as one."""
    return ResponseOption(
        value=entry["value"],
        key=str(entry.get("key", entry["value"])),
        text={
            lang: text
            for lang, text in entry.items()
            if lang not in ("value", "key", "satisfied", "kind") and text
        },
        satisfied=entry.get("satisfied"),
        kind=entry.get("kind"),
    )


@cache
def load_scales() -> Mapping[str, Scale]:
    """The shared scales by name."""
    path = files("survey.scheme") / "data" / "questionnaires" / "scales.yaml"
    document = read_plain(path.read_bytes(), "选项组")
    return {
        name: Scale(
            id=name,
            options=tuple(read_option(option) for option in entry.get("options", ())),
            max_chars=entry.get("max_chars"),
            faces=bool(entry.get("faces", False)),
        )
        for name, entry in document["scales"].items()
    }


def load_scale(scale: str) -> Scale:
    """The shared scale named `scale`.

    >>> [option.value for option in load_scale("sat5").options]
    [5, 4, 3, 2, 1, 98]
    """
    try:
        return load_scales()[scale]
    except KeyError:
        raise UnknownScaleError(scale) from None
