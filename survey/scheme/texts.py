"""The words of pages and paper in the languages that come with the product.

Interface strings, printed texts, names of dimensions and content areas. Chinese is the
source and English a draft ready for use; every other language is known here by its name and
script only, and is offered once a bureau has signed a catalogue of its own
(`scheme.catalogue`). Placeholders in braces are filled by `fill`, never by `str.format`, so that a name
typed by a person cannot reach into an object.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from survey.errors import SurveyError
from survey.scheme.yaml_text import read_plain

SIGNED_OFF = ("source", "draft", "signed_off")
CODES = {"zh-Hans": "zh"}

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


class UnknownLanguageError(SurveyError):
    """No language has this code, or its texts do not come with the product."""

    code = "scheme.unknown_language"
    kind = "not_found"

    def __init__(self, lang: str) -> None:
        super().__init__(
            f"语言“{lang}”",
            "不认识这个语言代码",
            f"可选：{'、'.join(language.code for language in known_languages())}",
        )


class MissingWordError(SurveyError):
    """A text has a placeholder nobody filled."""

    code = "scheme.missing_word"
    kind = "invalid"

    def __init__(self, template: str, name: str) -> None:
        super().__init__(f"文字“{template}”", f"没有给“{{{name}}}”", f"补上“{name}”")


@dataclass(frozen=True)
class Language:
    """A language that may be offered."""

    code: str
    autonym: str
    dir: str
    lang: str
    """The value of the `lang` attribute."""
    zh: str
    """What a person at a desk who reads Chinese calls it."""
    shipped: bool = True
    """Its texts come with the product; any other needs a catalogue that a bureau has signed."""

    is_vertical: bool = False
    """Written in columns, the first at the left."""

    @property
    def both_names(self) -> str:
        """Its own name, and the Chinese one for a desk that cannot read that.

        >>> find_language("ko").both_names, find_language("zh").both_names
        ('조선말（朝鲜文）', '中文')
        """
        return self.autonym if self.autonym == self.zh else f"{self.autonym}（{self.zh}）"


@cache
def _document(name: str) -> Any:
    return read_plain((files("survey.scheme") / "data" / "questionnaires" / name).read_bytes(), "文字")


@cache
def known_languages() -> tuple[Language, ...]:
    """Every language a bureau may offer, Chinese first.

    >>> [language.code for language in known_languages()]
    ['zh', 'en', 'ug', 'kk-Arab', 'bo', 'mn-Mong', 'za', 'ii', 'ko']
    """
    return tuple(
        Language(
            code=CODES.get(tag, tag),
            autonym=entry["autonym"],
            dir=entry["dir"],
            lang=tag,
            zh=entry["zh"],
            shipped=entry["status"] in SIGNED_OFF,
            is_vertical=entry.get("writing_mode", "").startswith("vertical"),
        )
        for tag, entry in _document("ui_strings.yaml")["languages"].items()
    )


@cache
def languages() -> tuple[Language, ...]:
    """The languages whose texts come with the product, Chinese first.

    >>> [language.code for language in languages()]
    ['zh', 'en']
    """
    return tuple(language for language in known_languages() if language.shipped)


def find_language(code: str) -> Language:
    """A known language by its code.

    Raises:
        UnknownLanguageError: nobody may offer it.

    >>> find_language("ug").dir
    'rtl'
    """
    for language in known_languages():
        if language.code == code:
            return language
    raise UnknownLanguageError(code)


def _column(lang: str) -> int:
    for column, language in enumerate(languages()):
        if language.code == lang:
            return column
    raise UnknownLanguageError(lang)


@cache
def ui(lang: str = "zh") -> Mapping[str, str]:
    """Interface strings by key, with their placeholders.

    >>> ui("zh")["check.submit"], ui("en")["q.next"]
    ('提交', 'Continue')
    """
    column = _column(lang)
    return {key: entry[column] for key, entry in _document("ui_strings.yaml")["strings"].items()}


@cache
def ui_places() -> Mapping[str, tuple[str, int]]:
    """Where each interface string stands, and its longest Chinese length, for translators."""
    return {key: (entry[2], entry[3]) for key, entry in _document("ui_strings.yaml")["strings"].items()}


MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def say_day(day: date, lang: str, pattern: str | None = None) -> str:
    """A day as people say it, without the year.

    Args:
        pattern: how a language that does not come with the product says it; Chinese without one.

    >>> say_day(date(2026, 12, 5), "zh"), say_day(date(2026, 12, 5), "en")
    ('12月5日', '5 December')
    """
    if lang == "en":
        return f"{day.day} {MONTHS[day.month - 1]}"
    return fill(pattern or ui("zh")["date.format"], month=day.month, day=day.day)


@cache
def paper(lang: str = "zh") -> Mapping[str, Any]:
    """Printed texts in one language, in the shape of the file: poster, slip, class_cover, …

    >>> paper("zh")["slip"]["code"]
    '填写码'
    """
    _column(lang)
    return {key: _in(value, lang) for key, value in _document("paper_texts.yaml").items() if key != "version"}


def _in(value: Any, lang: str) -> Any:
    if isinstance(value, list):
        return [_in(entry, lang) for entry in value]
    if isinstance(value, dict) and lang in value:
        return value[lang]
    if isinstance(value, dict):
        return {key: _in(entry, lang) for key, entry in value.items()}
    return value


@cache
def dimension_names(lang: str = "zh") -> Mapping[str, str]:
    """Names of the reporting dimensions, in the order a report lists them.

    >>> dimension_names()["gap"]
    '学校之间的差距'
    """
    _column(lang)
    return {key: entry[lang] for key, entry in _document("areas.yaml")["dimensions"].items()}


@cache
def area_names(lang: str = "zh") -> Mapping[str, str]:
    """Names of the official content areas, A1 … D4."""
    _column(lang)
    return {key: entry[lang] for key, entry in _document("areas.yaml")["areas"].items()}


def text_in(text: Mapping[str, str], lang: str) -> str:
    """One text in a language, in Chinese where it is not translated."""
    return text.get(lang) or text["zh"]


def fill(template: str, **words: object) -> str:
    """The template with its placeholders filled; every placeholder must be given.

    Raises:
        MissingWordError: a placeholder stays empty.

    >>> fill("{county}教育满意度调查", county="云台区")
    '云台区教育满意度调查'
    """

    def word(match: re.Match[str]) -> str:
        if match.group(1) not in words:
            raise MissingWordError(template, match.group(1))
        return str(words[match.group(1)])

    return _PLACEHOLDER.sub(word, template)
