"""What paper says in one language: texts, dates, names of groups and stages.

A language and perhaps a signed catalogue enter; printed texts leave, in Chinese where a text is
not translated. Names, numbers and links inside a right-to-left sentence are kept apart by
invisible isolates, because without them a date or a telephone jumps to the wrong end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from survey.scheme import texts
from survey.scheme.catalogue import Catalogue, paper_key, ui_key

ISOLATE, ISOLATE_END = "\u2068", "\u2069"

_WITH_PATH = re.compile(r"(\{[a-z_]+\}/\w+)")
_SENTENCE = re.compile(r"[^。.!?؟]*(?:[.!?؟](?=\S)[^。.!?؟]*)*[。.!?؟]?\s*")


@dataclass(frozen=True)
class PaperWords:
    """The words of every sheet in one language."""

    lang: str = "zh"
    catalogue: Catalogue | None = None

    @cached_property
    def language(self) -> texts.Language:
        """The language with its direction.

        Raises:
            UnknownLanguageError: nobody may offer it.
        """
        return texts.find_language(self.lang)

    @property
    def setting(self) -> dict[str, str]:
        """What a template needs to set the text: language and direction."""
        code = self.language.lang.partition("-")[0]
        return {"lang": code, "dir": self.language.dir}

    @property
    def colon(self) -> str:
        """What stands between a label and its value."""
        return "：" if self.lang == "zh" else ": "

    @cached_property
    def texts(self) -> Mapping[str, Any]:
        """Printed texts, in the shape of the file.

        >>> PaperWords("en").texts["slip"]["code"]
        'Code'
        """
        if self.language.shipped:
            return texts.paper(self.lang)
        return {key: self._own(value, key) for key, value in texts.paper("zh").items()}

    def fill(self, template: str, **values: object) -> str:
        """A text with its place-holders filled, each kept apart in a right-to-left sentence."""
        if self.language.dir == "rtl":
            template = _WITH_PATH.sub(rf"{ISOLATE}\1{ISOLATE_END}", template)
            values = {name: self.apart(str(value)) for name, value in values.items()}
        return texts.fill(template, **values)

    def apart(self, text: str) -> str:
        """A stretch in another script, kept together where lines run from right to left."""
        return f"{ISOLATE}{text}{ISOLATE_END}" if text and self.language.dir == "rtl" else text

    def survey(self, county: str) -> str:
        """The name of the survey, as it heads every sheet.

        >>> PaperWords("zh").survey("云台区"), PaperWords("en").survey("云台区")
        ('云台区教育满意度调查', '云台区 education survey')
        """
        return self.fill(self.texts["survey"], county=county)

    def date(self, day: date) -> str:
        """A day as people say it, without the year.

        >>> PaperWords("zh").date(date(2026, 12, 5)), PaperWords("en").date(date(2026, 12, 5))
        ('12月5日', '5 December')
        """
        zh = texts.ui("zh")["date.format"]
        own = self.catalogue.find(ui_key("date.format"), zh) if self.catalogue else None
        return texts.say_day(day, self.lang, own)

    def group(self, group: str) -> str:
        """A respondent group; a text that is no key stays as it is.

        >>> PaperWords("zh").group("parent"), PaperWords("en").group("parent"), PaperWords().group("家长")
        ('家长', 'parents', '家长')
        """
        return str(self.texts["groups"].get(group, group))

    def stage(self, stage: str) -> str:
        """A school stage; a text that is no key stays as it is."""
        return str(self.texts["stages"].get(stage, stage))

    def source(self, key: str, text: Mapping[str, str]) -> str:
        """A text of an instrument, by its place in a catalogue."""
        own = self.catalogue.find(key, text["zh"]) if self.catalogue else None
        return own or text.get(self.lang) or self.apart(text["zh"])

    def _own(self, value: Any, *place: str) -> Any:
        if isinstance(value, str):
            found = self.catalogue.find(paper_key(*place), value) if self.catalogue else None
            return found or self.apart(value)
        if isinstance(value, (list, tuple)):
            return [self._own(one, *place, str(at)) for at, one in enumerate(value)]
        return {key: self._own(one, *place, key) for key, one in value.items()}


def sentences(text: str) -> list[str]:
    """The sentences of a text, so that a line may end where a thought ends.

    >>> sentences("不写姓名。填不填由您决定。"), sentences("Open a.cn now. No name.")
    (['不写姓名。', '填不填由您决定。'], ['Open a.cn now.', 'No name.'])
    """
    return [one.strip() for one in _SENTENCE.findall(text) if one.strip()]
