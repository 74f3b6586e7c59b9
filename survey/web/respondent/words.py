"""What the answering side says, in one language, with every stretch in another one marked.

Chinese and English come with the product; any other language is a catalogue that a bureau
has signed and the wave's plan has pinned. A text that is not translated is said in Chinese
and marked as such; so is a name, a date or a telephone inside a right-to-left sentence,
because without a mark the final ？ jumps to the wrong end (UX section 7).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import islice

from survey.scheme import texts
from survey.scheme.catalogue import Catalogue, ui_key

SIZES = ("size.normal", "size.large", "size.xlarge")

NAMES = frozenset({"county", "org", "office", "school", "reason", "form_no", "approval_no"})
"""Place-holders that hold Chinese words in every language."""
TELEPHONE = "phone"
SOURCE = "zh-Hans"

PROBE_LETTERS = 30

_HOLE = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True)
class Run:
    """A stretch of a text; with a `lang` or `ltr` it needs a mark of its own."""

    text: str
    lang: str = ""
    ltr: bool = False
    tel: bool = False

    @property
    def marked(self) -> bool:
        """Whether the stretch stands apart from the sentence around it."""
        return bool(self.lang) or self.ltr


class Said(str):
    """A text as a page says it: plain characters, and the runs a template marks."""

    runs: tuple[Run, ...]

    @classmethod
    def of(cls, runs: Iterable[Run]) -> Said:
        """The text of some runs."""
        kept = tuple(runs)
        made = cls("".join(run.text for run in kept))
        made.runs = kept
        return made


class Words:
    """Everything the answering side says, in one language."""

    def __init__(self, lang: str, catalogue: Catalogue | None = None) -> None:
        self.language = texts.find_language(lang)
        self.lang = lang
        self.html_lang = self.language.lang
        self.dir = self.language.dir
        self._catalogue = catalogue
        self._zh = texts.ui("zh")
        self._own = texts.ui(lang) if self.language.shipped else None

    def __call__(self, key: str, **values: object) -> Said:
        """One interface string with its place-holders filled."""
        zh = self._zh[key]
        own = self._own[key] if self._own is not None else self._find(ui_key(key), zh)
        return self._said(own, zh, values)

    def source(self, key: str, text: Mapping[str, str], **values: object) -> Said:
        """A text of an instrument or a scheme, which carries its Chinese and perhaps more.

        Args:
            key: its place in a catalogue.
            text: by language, as the instrument holds it.
        """
        zh = text["zh"]
        own = text.get(self.lang) or (None if self.language.shipped else self._find(key, zh))
        return self._said(own, zh, values)

    def plain(self, text: str) -> Said:
        """A Chinese text of ours that has no translation, such as a school's name."""
        return Said.of([self._chinese(text)])

    def in_chinese(self, key: str) -> Said:
        """One interface string as those read it who cannot see this language's letters."""
        return self.plain(self._zh[key])

    @cached_property
    def letters(self) -> str:
        """Letters by which a page can tell whether a phone draws this script; none for Chinese and English."""
        if self._catalogue is None:
            return ""
        said = "".join(text for _, text in self._catalogue.texts.values())
        own = (sign for sign in said if is_own_letter(sign))
        return "".join(islice(dict.fromkeys(own), PROBE_LETTERS))

    @property
    def space(self) -> str:
        """What stands between two sentences."""
        return "" if self.lang == "zh" else " "

    def date(self, day: date) -> str:
        """A day as people say it, without the year.

        >>> Words("zh").date(date(2026, 12, 5)), Words("en").date(date(2026, 12, 5))
        ('12月5日', '5 December')
        """
        own = self._find(ui_key("date.format"), self._zh["date.format"])
        return texts.say_day(day, self.lang, own)

    def _find(self, key: str, zh: str) -> str | None:
        return self._catalogue.find(key, zh) if self._catalogue else None

    def _said(self, own: str | None, zh: str, values: Mapping[str, object]) -> Said:
        if own is None:
            filled = texts.fill(zh, **values) if values else zh
            return Said.of([self._chinese(filled)])
        return Said.of(self._runs(own, values))

    def _runs(self, template: str, values: Mapping[str, object]) -> Iterator[Run]:
        end = 0
        for hole in _HOLE.finditer(template):
            name = hole[1]
            if name not in values:
                # A text without values is shown as it stands, such as a pattern for the script.
                if values:
                    raise texts.MissingWordError(template, name)
                continue
            if hole.start() > end:
                yield Run(template[end : hole.start()])
            yield self._value(name, values[name])
            end = hole.end()
        if end < len(template):
            yield Run(template[end:])

    def _value(self, name: str, value: object) -> Run:
        text = str(value)
        if name == TELEPHONE:
            return Run(text, ltr=True, tel=True)
        if name in NAMES:
            return self._chinese(text)
        return Run(text, ltr=self.dir == "rtl")

    def _chinese(self, text: str) -> Run:
        return Run(text) if self.lang == "zh" else Run(text, lang=SOURCE, ltr=True)


def is_own_letter(sign: str) -> bool:
    """Whether a sign is a letter that neither Chinese nor European fonts are sure to have.

    >>> [is_own_letter(sign) for sign in "ئཀᠠꆈaé中。"]
    [True, True, True, True, False, False, False, False]
    """
    return unicodedata.category(sign) == "Lo" and not unicodedata.name(sign, "").startswith("CJK")


def words(lang: str) -> Words:
    """The words of a language that comes with the product, made once."""
    found = _MADE.get(lang)
    if found is None:
        found = _MADE[lang] = Words(lang)
    return found


def vocabularies(
    wanted: Iterable[str], catalogues: Mapping[str, Catalogue] | None = None
) -> dict[str, Words]:
    """The words of every wanted language that may be offered, Chinese first.

    >>> list(vocabularies(["en", "ug", "zh"]))
    ['zh', 'en']
    """
    pinned = catalogues or {}
    asked = set(wanted) | {"zh"}
    offered: dict[str, Words] = {}
    for language in texts.known_languages():
        if language.code not in asked:
            continue
        if language.shipped:
            offered[language.code] = words(language.code)
        elif language.code in pinned:
            offered[language.code] = Words(language.code, pinned[language.code])
    return offered


_MADE: dict[str, Words] = {}
