"""Hostile words in every place of a report that words can reach: PDF, Word and workbook stay inert."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from docx import Document
from openpyxl import load_workbook

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


def test_signs_that_no_xml_may_hold_are_left_out(imprint: Any, at: Any) -> None:
    # The libraries refuse the last two, which no list of control signs names: a report that nobody could download.
    results = filled(RESULTS, itertools.cycle(["甲\x00乙", "甲\uffff乙", "甲\ufffe乙"]))
    tables = load_workbook(BytesIO(result_tables(results, at=at)))
    word = Document(BytesIO(report_docx(report_content(results, imprint, COVER), at=at)))

    assert "甲乙" in {cell.value for row in tables["方面"].iter_rows() for cell in row}
    assert "甲乙" in {cell.text for table in word.tables for row in table.rows for cell in row.cells}


@pytest.mark.slow
def test_no_hostile_word_does_anything_in_a_report(imprint: Any, at: Any) -> None:
    strings = kept_words(hostile.corpus())

    assert len(strings) > 1_500
    assert inert(strings, imprint, at) > 10
