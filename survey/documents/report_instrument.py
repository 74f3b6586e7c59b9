"""The questionnaires of a report: what each group was asked, word for word, as text.

Instruments enter, with whom they were put to; sections of numbered lines leave. Options that most
questions share are told once, the others behind their question.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from survey.documents.imprint import grouped
from survey.scheme.instrument import Instrument, Item

FORMS = {"full": "全部题目", "short": "短卷"}
CODE_GROUPS = 3
"""Groups of four signs that a digest is told by here; the files of the evidence hold it whole."""


def instrument_content(instruments: Sequence[tuple[str, Instrument]], county: str) -> list[dict[str, Any]]:
    """Each questionnaire with its sections; `instruments` are pairs of whom it was put to, and itself."""
    return [
        {
            "name": f"{asked_of}：{_filled(one.title, county)}",
            "about": f"版本{one.version}，{FORMS[one.form]}，{len(one.items)}题。摘要前12位"
            f"{grouped(one.digest[: 4 * CODE_GROUPS])}。",
            "usual": "、".join(_usual(one)),
            "sections": _sections(one, county),
        }
        for asked_of, one in instruments
    ]


def _sections(one: Instrument, county: str) -> list[dict[str, Any]]:
    usual, number, sections = _usual(one), 0, []
    for section in one.sections:
        lines = []
        for item in section.items:
            number += 1
            lines.append(f"{number}. {_filled(item.text, county)}{_behind(item, usual)}")
        sections.append({"title": _filled(section.title, county), "lines": lines})
    return sections


def _behind(item: Item, usual: tuple[str, ...]) -> str:
    """What stands behind a question: its options where they are its own, or that words are wanted."""
    if item.kind == "text":
        return "（写字）"
    options = tuple(option.zh for option in item.options)
    if options == usual:
        return ""
    return f"（{'可选几项：' if item.kind == 'multiple' else ''}{'、'.join(options)}）"


def _usual(one: Instrument) -> tuple[str, ...]:
    """The options that most questions have."""
    found = Counter(tuple(option.zh for option in item.options) for item in one.items if item.options)
    return found.most_common(1)[0][0] if found else ()


def _filled(text: Any, county: str) -> str:
    return str(text["zh"]).replace("{county}", county)
