"""Hostile words in every place of a report that words can reach: PDF, Word and workbook stay inert."""

from __future__ import annotations

import csv
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from openpyxl import load_workbook

from survey.documents.report import report, report_content
from survey.documents.report_docx import report_docx
from survey.documents.result_tables import result_tables
from survey.documents.typeface import (
    MOST_MARKS,
    MissingGlyphError,
    StackedMarksError,
    check_glyphs,
    with_glyphs,
)

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
    except (MissingGlyphError, StackedMarksError):
        return False
    return True


def test_hostile_words_do_nothing_in_a_report(imprint: Any, at: Any) -> None:
    strings = kept_words(hostile.sample(8))[:45]

    assert inert(strings, imprint, at) == 1


@pytest.mark.parametrize("mark", ["\u0301", "\u0f71", "\u0650"])
def test_a_letter_carries_no_more_marks_than_a_language_writes(mark: str) -> None:
    told, replaced = with_glyphs({"word": f"a{mark * 20_000}b"})

    assert told == {"word": f"a{mark * MOST_MARKS}{'〓' * (20_000 - MOST_MARKS)}b"}
    assert replaced == 20_000 - MOST_MARKS
    with pytest.raises(StackedMarksError):
        check_glyphs([f"a{mark * (MOST_MARKS + 1)}"])
    check_glyphs([f"a{mark * MOST_MARKS}" * 3])


@pytest.mark.long
def test_a_report_of_piled_up_marks_takes_no_more_than_four_gigabytes(tmp_path: Path) -> None:
    # Typst's memory grows with the square of such a run: of 20 000 it once took all the machine had.
    given = "\u0301" * 20_000
    with (tmp_path / "cases.csv").open("w", encoding="utf-8") as file:
        csv.writer(file).writerows([["q1", "g"], *((1 + n % 2, given) for n in range(20))])
    spec = {
        "title": given[:200],
        "design": {"stages": [{"population": 5000}]},
        "items": [{"column": "q1", "id": "q", "label": given[:200], "satisfied": [1]}],
        "domains": [{"by": "g"}],
    }
    (tmp_path / "spec.yaml").write_text(json.dumps(spec), encoding="utf-8")
    command = [sys.executable, "-m", "survey", "estimate", "--cases", "cases.csv", "--spec", "spec.yaml", "--out", "out"]
    made = subprocess.run(
        ["sh", "-c", 'ulimit -v 4194304; exec "$@"', "sh", *command],
        cwd=tmp_path, capture_output=True, env={**os.environ, "PYTHONPATH": str(Path.cwd())}, check=False,
    )  # fmt: skip

    assert made.returncode == 0, made.stderr[-500:]
    assert (tmp_path / "out" / "report.pdf").read_bytes().startswith(b"%PDF")


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
