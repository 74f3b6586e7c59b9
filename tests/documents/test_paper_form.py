"""Questionnaires on paper: every item and every code that the screen has, in both sizes."""

from __future__ import annotations

import re
from dataclasses import replace

import pypdfium2 as pdfium
import pytest

from survey.documents.paper_form import condition_in_words, paper_form
from survey.scheme.instrument import INSTRUMENTS, load_instrument
from survey.scheme.paper_words import PaperWords


@pytest.mark.parametrize("name", INSTRUMENTS)
@pytest.mark.parametrize("large", [False, True])
def test_every_item_and_every_code_of_the_screen_stands_on_paper(name, large, imprint, at, eyes) -> None:
    instrument = load_instrument(name)
    text = "".join(eyes.text_of(paper_form(instrument, imprint, large=large, at=at)))

    for item in instrument.items:
        question = re.sub(r"\s", "", item.text["zh"].replace("{county}", imprint.county))
        assert question in text and item.id in text, item.id
        for option in item.options:
            assert re.sub(r"\s", "", f"{option.value}{option.text['zh']}") in text, (item.id, option)
    assert "{" not in text


@pytest.mark.parametrize(("large", "least"), [(False, 14), (True, 18)])
def test_questions_are_set_in_the_promised_size(large, least, imprint, at, eyes) -> None:
    pages = pdfium.PdfDocument(paper_form(load_instrument("parents"), imprint, large=large, at=at))
    sizes = [
        eyes.size_of_type(one)
        for page in pages
        for one in eyes.stretches(page)
    ]

    assert sum(size == least for size in sizes) > 27


def test_a_pupil_is_spoken_to_as_a_pupil_and_an_adult_as_an_adult(imprint, at, eyes) -> None:
    child, adult = (
        "".join(eyes.text_of(paper_form(load_instrument(name), imprint, at=at)))
        for name in ("students_g4_6", "parents")
    )

    assert "自己封口" in child and "您" not in child
    assert "问讯电话0796-5701234" in adult


def test_approval_and_demonstration_are_printed_and_the_code_has_twelve_boxes(imprint, at, eyes) -> None:
    first, *_ = eyes.text_of(paper_form(load_instrument("parents"), imprint, at=at))

    for words in ("表号：", "万教督调1号", "制表机关：", "批准机关：", "有效期至：", "演示数据", "填写码"):
        assert words in first, words


def test_a_condition_is_told_by_the_number_of_the_question() -> None:
    teachers = load_instrument("parents", extras=True)
    numbers = {item.id: number for number, item in enumerate(teachers.items, 1)}
    item = next(item for item in teachers.items if len(item.options) > 2)
    one, two = item.options[:2]
    condition = {"any": [{"item": item.id, "in": [one.value, two.value]}, {"item": item.id, "not_in": [98]}]}

    assert condition_in_words(condition, teachers, numbers) == (
        f"第{numbers[item.id]}题选了“{one.zh}”或“{two.zh}”，或者第{numbers[item.id]}题没有选“说不清，不了解”"
    )


def test_the_form_comes_in_english_too_and_gives_the_same_bytes_twice(imprint, at, eyes) -> None:
    made = paper_form(load_instrument("parents"), replace(imprint, words=PaperWords("en")), at=at)

    assert "Tickoneboxforeachquestion" in "".join(eyes.text_of(made))
    assert made == paper_form(load_instrument("parents"), replace(imprint, words=PaperWords("en")), at=at)
