"""The texts a translator fills in: every sentence of pages and paper, and what was made of it.

A language enters by its code, a `Catalogue` leaves: translations by key, each beside the
Chinese it was made from, so that a sentence that has changed since falls back to Chinese by
itself. A bureau signs a catalogue as a whole, with a name; the plan of a wave pins it by
digest, because what a person reads may move what a person answers. Answer scales must be
whole before anybody signs: a scale half in Chinese is another scale.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache, cached_property
from typing import Any

from survey import canonical
from survey.errors import SurveyError
from survey.scheme.instrument import FILES, GRADE_THREE, Instrument, Item, load_instrument
from survey.scheme.presets import list_schemes, load_scheme
from survey.scheme.scales import load_scales
from survey.scheme.texts import find_language, paper, ui, ui_places

TYPE = "survey/catalogue/v1"
SCALE_IS_WHOLE = "scale/"


class LanguageShippedError(SurveyError):
    """The texts of this language come with the product."""

    code = "catalogue.language_shipped"
    kind = "conflict"

    def __init__(self, language: str) -> None:
        super().__init__(f"语言“{language}”", "随产品提供，不用另外翻译", "换一种语言，如 ug")


class ScalesIncompleteError(SurveyError):
    """Some answer option has no translation."""

    code = "catalogue.scales_incomplete"
    kind = "conflict"

    def __init__(self, language: str, keys: tuple[str, ...]) -> None:
        shown = "、".join(keys[:5]) + ("……" if len(keys) > 5 else "")
        super().__init__(
            f"语言“{language}”",
            f"还有{len(keys)}个答案选项没有译文：{shown}",
            "先译完全部选项；一半译文一半中文的选项会改变回答",
        )


@dataclass(frozen=True)
class Message:
    """One text to be translated."""

    key: str
    zh: str
    en: str
    where: str
    most: int | None = None
    """Longest Chinese length; other scripts may take 1.8 times its width."""


@dataclass(frozen=True)
class Catalogue:
    """What was made of the messages in one language, and who stands for it."""

    language: str
    texts: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Key to the Chinese it was made from and the translation."""
    signed_by: str | None = None
    signed_on: date | None = None

    def find(self, key: str, zh: str) -> str | None:
        """The translation of a text; None when there is none, or the Chinese has changed since."""
        made_from, text = self.texts.get(key, ("", ""))
        return text if made_from == zh and text else None

    @property
    def missing(self) -> tuple[str, ...]:
        """Keys of the messages that are still shown in Chinese."""
        return tuple(one.key for one in messages() if self.find(one.key, one.zh) is None)

    def document(self) -> dict[str, Any]:
        """The catalogue as canonical JSON values."""
        return {
            "type": TYPE,
            "language": self.language,
            "signed_by": self.signed_by,
            "signed_on": self.signed_on.isoformat() if self.signed_on else None,
            "texts": {key: list(pair) for key, pair in self.texts.items()},
        }

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical document."""
        return canonical.digest(self.document())


def catalogue_from(document: Mapping[str, Any]) -> Catalogue:
    """The catalogue in a document of `Catalogue.document`."""
    on = document["signed_on"]
    return Catalogue(
        document["language"],
        {key: (made_from, text) for key, (made_from, text) in document["texts"].items()},
        document["signed_by"],
        date.fromisoformat(on) if on else None,
    )


def translatable(language: str) -> str:
    """The code of a language a bureau may translate into.

    Raises:
        UnknownLanguageError, LanguageShippedError.
    """
    if find_language(language).shipped:
        raise LanguageShippedError(language)
    return language


def sign_off(catalogue: Catalogue, name: str, on: date) -> Catalogue:
    """The catalogue with the name of who stands for it.

    Raises:
        ScalesIncompleteError: an answer option has no translation.
    """
    open_scales = tuple(key for key in catalogue.missing if key.startswith(SCALE_IS_WHOLE))
    if open_scales:
        raise ScalesIncompleteError(catalogue.language, open_scales)
    return Catalogue(catalogue.language, catalogue.texts, name, on)


# ── keys ────────────────────────────────────────────────────────────────────────────────


def ui_key(key: str) -> str:
    """The key of an interface string."""
    return f"ui/{key}"


def paper_key(*place: str) -> str:
    """The key of a printed text.

    >>> paper_key("poster", "steps", "0")
    'paper/poster/steps/0'
    """
    return "/".join(("paper", *place))


def instrument_key(instrument: Instrument, *place: str) -> str:
    """The key of a text of an instrument; grade 3 reads the words of grades 4 to 6.

    >>> instrument_key(load_instrument("students_g3"), "SA01", "text")
    'students_g4_6/SA01/text'
    """
    name = "students_g4_6" if instrument.id == GRADE_THREE else instrument.id
    return "/".join((name, *place))


def option_key(instrument: Instrument, item: Item, value: int | str) -> str:
    """The key of an option: of its scale where it has one, else of its item.

    >>> parents = load_instrument("parents")
    >>> option_key(parents, parents.by_id["PA01"], 5), option_key(parents, parents.by_id["PA26"], 1)
    ('scale/sat5/5', 'parents/PA26/1')
    """
    if item.scale:
        return f"{SCALE_IS_WHOLE}{item.scale}/{value}"
    return instrument_key(instrument, item.id, str(value))


@cache
def messages() -> tuple[Message, ...]:
    """Every text of the answering side and of paper, in the order a translator works best: scales first."""
    return tuple({one.key: one for one in _messages()}.values())


def _messages() -> Iterator[Message]:
    for scale in load_scales().values():
        for option in scale.options:
            yield Message(f"{SCALE_IS_WHOLE}{scale.id}/{option.value}", option.zh, option.en, "answer option")
    en = ui("en")
    for key, zh in ui("zh").items():
        where, most = ui_places()[key]
        yield Message(ui_key(key), zh, en[key], where, most)
    yield from _of_paper(paper("zh"), paper("en"))
    for name in FILES:
        yield from _of_instrument(load_instrument(name, "full", frozenset(), True))
    for scheme in map(load_scheme, list_schemes()):
        for group in scheme.groups:
            yield Message(group_key(group.id, group.zh), group.zh, group.en, "kind of person, open link page")


def _of_paper(zh: Any, en: Any, *place: str) -> Iterator[Message]:
    if isinstance(zh, str):
        line = "; the wide space begins a new line, keep it" if place[:2] == ("poster", "title") else ""
        yield Message(paper_key(*place), zh, en, f"printed on paper: {place[0]}{line}")
    else:
        for key in zh if isinstance(zh, Mapping) else range(len(zh)):
            yield from _of_paper(zh[key], en[key], *place, str(key))


def group_key(group: str, zh: str) -> str:
    """The key of a respondent group's name, which schemes word differently."""
    return f"group/{group}/{zh}"


def _of_instrument(instrument: Instrument) -> Iterator[Message]:
    for name, text in (("title", instrument.title), ("intro", instrument.intro)):
        yield Message(instrument_key(instrument, name), text["zh"], text.get("en", ""), "head of the paper form")
    for section in instrument.sections:
        key = instrument_key(instrument, section.id, "title")
        yield Message(key, section.title["zh"], section.title.get("en", ""), "part heading")
        if section.note:
            key = instrument_key(instrument, section.id, "note")
            yield Message(key, section.note["zh"], section.note.get("en", ""), "below a part heading")
        for item in section.items:
            en = item.text.get("en", "")
            key = instrument_key(instrument, item.id, "text")
            yield Message(key, item.text["zh"], en, "question", instrument.max_question_chars)
            if item.hint:
                key = instrument_key(instrument, item.id, "hint")
                yield Message(key, item.hint["zh"], item.hint.get("en", ""), "hint below a question")
            for option in () if item.scale else item.options:
                key = option_key(instrument, item, option.value)
                yield Message(key, option.zh, option.text.get("en", ""), "answer option")
