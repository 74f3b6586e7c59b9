"""Hostile words in every place of a report that words can reach: PDF, Word and workbook stay inert."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from survey.documents.report import report, report_content
from survey.documents.report_docx import report_docx
from survey.documents.result_tables import result_tables
from survey.documents.typeface import MissingGlyphError, check_glyphs

from ..web import hostile
from ..web.hostile_files import acting, in_pdf
from .test_report import COVER, RESULTS

WORDS = ("name", "text", "group_name", "zh", "formula", "formula_in_words", "evidence_words", "line_in_words", "decision")
LISTS = ("cautions", "notes", "not_known")


def filled(value: Any, words: Iterator[str]) -> Any:
    """A results document with every word in it replaced."""
    if isinstance(value, dict):
        return {
            key: [next(words), next(words)] if key in LISTS else next(words) if key in WORDS and isinstance(inner, str) else filled(inner, words)
            for key, inner in value.items()
        }
    return [filled(inner, words) for inner in value] if isinstance(value, list) else value


def inert(strings: tuple[str, ...], imprint: Any, at: Any) -> int:
    """How many reports were set; each was looked into."""
    made = 0
    for start in range(0, len(strings), 45):
        words = itertools.cycle(strings[start : start + 45])
        results = filled(RESULTS, words)
        of = replace(imprint, county=next(words)[:30], office=next(words)[:30], must_say=next(words)[:60])
        cover = replace(COVER, title=next(words)[:60])
        word = report_docx(report_content(results, of, cover), at=at)

        assert acting(result_tables(results, at=at), "") == []
        assert acting(word, "") == []
        assert in_pdf(report(results, of, cover, at=at)) == []
        made += 1
    return made


def kept_words(strings: tuple[str, ...]) -> tuple[str, ...]:
    """Without the signs that a plan, a list of schools and a questionnaire refuse, and in letters the typeface has."""
    kept = ("".join(sign for sign in text[:500] if sign.isprintable()) for text in strings)
    return tuple(dict.fromkeys(text for text in kept if has_glyphs(text)))


def has_glyphs(text: str) -> bool:
    """Whether the letters can be printed; others are refused by name."""
    try:
        check_glyphs(text)
    except MissingGlyphError:
        return False
    return True


def test_hostile_words_do_nothing_in_a_report(imprint: Any, at: Any) -> None:
    strings = kept_words(hostile.sample(8))[:45]

    assert inert(strings, imprint, at) == 1


@pytest.mark.slow
def test_no_hostile_word_does_anything_in_a_report(imprint: Any, at: Any) -> None:
    strings = kept_words(hostile.corpus())

    assert len(strings) > 1_500
    assert inert(strings, imprint, at) > 10
