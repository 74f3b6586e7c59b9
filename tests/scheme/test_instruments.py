"""The drafts that come with the product, held to the limits their README sets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from survey.errors import FaultsError
from survey.scheme.instrument import (
    FILES,
    UnknownInstrumentError,
    list_instruments,
    load_instrument,
    read_instrument,
)
from survey.scheme.scales import load_scale, load_scales
from survey.scheme.texts import area_names, dimension_names, fill, languages, ui

SMALLEST = Path(__file__).parent.parent / "instruments"
SATISFACTION = {
    "parents": (20, 13),
    "public": (13, 12),
    "teachers": (21, 13),
    "principals": (18, 12),
    "students_g4_6": (12, 8),
    "students_g7_9": (15, 9),
    "students_g3": (12, 8),
}
EVERYTHING = [load_instrument(name, "full", frozenset(), True) for name in FILES]


def length(text: str) -> int:
    """Characters a reader meets; {county} counts as three, marks at the ends do not count."""
    return len(re.sub(r"[，。？：、“”]", "", text.replace("{county}", "某某县")))


@pytest.mark.parametrize("instrument", EVERYTHING, ids=lambda instrument: instrument.id)
def test_questions_are_as_short_as_their_readers_need(instrument) -> None:
    too_long = {
        item.id: length(item.text["zh"])
        for item in instrument.items
        if length(item.text["zh"]) > instrument.max_question_chars
    }

    assert not too_long


@pytest.mark.parametrize("instrument", EVERYTHING, ids=lambda instrument: instrument.id)
def test_a_question_is_one_sentence_and_ends_in_a_question_mark(instrument) -> None:
    assert all(re.fullmatch(r"[^。！；]+？", item.text["zh"]) for item in instrument.items)


@pytest.mark.parametrize("instrument", EVERYTHING, ids=lambda instrument: instrument.id)
def test_every_text_is_there_in_chinese_and_english(instrument) -> None:
    texts = [instrument.title, instrument.intro]
    texts += [section.title for section in instrument.sections]
    for item in instrument.items:
        texts += [item.text, *([item.hint] if item.hint else []), *(option.text for option in item.options)]

    assert all(text["zh"].strip() and text["en"].strip() for text in texts)


@pytest.mark.parametrize("instrument", EVERYTHING, ids=lambda instrument: instrument.id)
def test_only_the_county_is_left_to_fill_in(instrument) -> None:
    for item in instrument.items:
        for text in item.text.values():
            assert "{" not in fill(text, county="云台区")


@pytest.mark.parametrize("instrument", EVERYTHING, ids=lambda instrument: instrument.id)
def test_characters_are_common_ones(instrument) -> None:
    # Level one of GB 2312 holds the 3,755 most common characters: the limit for any adult reader.
    rare = {
        sign
        for item in instrument.items
        for sign in item.text["zh"] + (item.hint["zh"] if item.hint else "")
        if "\u4e00" <= sign <= "\u9fff" and not b"\xb0\xa1" <= sign.encode("gb2312") <= b"\xd7\xf9"
    }

    assert not rare


def test_item_ids_are_unique_across_all_instruments() -> None:
    ids = [item.id for instrument in EVERYTHING for item in instrument.items]

    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("instrument", EVERYTHING, ids=lambda instrument: instrument.id)
def test_dimensions_and_areas_are_known(instrument) -> None:
    assert {item.dimension for item in instrument.items if item.dimension} <= set(dimension_names())
    assert {area for item in instrument.items for area in item.areas} <= set(area_names())


@pytest.mark.parametrize("instrument", EVERYTHING, ids=lambda instrument: instrument.id)
def test_a_required_satisfaction_item_offers_cant_say(instrument) -> None:
    required = [item for item in instrument.items if item.required and item.is_satisfaction]

    assert [item.role for item in required] == ["overall"]
    assert all(item.options[-1].value == 98 and item.options[-1].kind == "none" for item in required)


@pytest.mark.parametrize("name", list_instruments())
def test_full_and_short_forms_have_the_numbers_of_the_table(name: str) -> None:
    full = [item for item in load_instrument(name).items if item.is_satisfaction]
    short = [item for item in load_instrument(name, "short").items if item.is_satisfaction]

    assert (len(full), len(short)) == SATISFACTION[name]


@pytest.mark.parametrize("name", list_instruments())
def test_a_short_form_is_another_instrument_by_its_digest(name: str) -> None:
    assert load_instrument(name).digest != load_instrument(name, "short").digest


def test_options_run_positive_first_and_cant_say_last() -> None:
    for name, scale in load_scales().items():
        if name.startswith("sat"):
            values = [option.value for option in scale.options]
            assert values[:-1] == sorted(values[:-1], reverse=True)
            assert values[-1] == 98


def test_the_six_adult_labels_begin_with_six_different_characters() -> None:
    assert len({option.zh[0] for option in load_scale("sat5").options}) == 6


def test_pupils_judge_their_school_and_write_nothing() -> None:
    for name in ("students_g4_6", "students_g7_9"):
        items = list(load_instrument(name).items)
        assert all(item.object == "school" for item in items if item.is_satisfaction)
        assert not [item for item in items if item.kind == "text"]


def test_the_child_layout_carries_faces() -> None:
    instrument = load_instrument("students_g4_6")

    assert instrument.layout == "child"
    assert instrument.overall_item.faces


def test_grade_three_has_three_steps_and_the_same_questions() -> None:
    grade_three, older = load_instrument("students_g3"), load_instrument("students_g4_6")

    assert [item.text for item in grade_three.items] == [item.text for item in older.items]
    assert {item.scale for item in grade_three.items if item.is_satisfaction} == {"sat3_child"}
    assert [option.value for option in grade_three.overall_item.options] == [5, 3, 1, 98]
    assert grade_three.digest != older.digest


def test_what_the_slip_already_tells_is_not_asked() -> None:
    assert "PU01" not in load_instrument("public").by_id
    assert "PU01" in load_instrument("public", "full", frozenset()).by_id


def test_an_unknown_instrument_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(UnknownInstrumentError, match="parents"):
        load_instrument("aliens")


def test_interface_strings_fit_their_places() -> None:
    from survey.scheme.texts import _document

    too_long = {
        key: len(re.sub(r"\{[a-z_]+\}", "", zh))
        for key, (zh, _, _, most) in _document("ui_strings.yaml")["strings"].items()
        if len(re.sub(r"\{[a-z_]+\}", "", zh)) > most
    }

    assert not too_long


def test_both_languages_fill_the_same_placeholders() -> None:
    for key, zh in ui("zh").items():
        assert set(re.findall(r"\{[a-z_]+\}", zh)) == set(re.findall(r"\{[a-z_]+\}", ui("en")[key]))


def test_only_signed_off_languages_are_offered() -> None:
    assert [(language.code, language.lang, language.dir) for language in languages()] == [
        ("zh", "zh-Hans", "ltr"),
        ("en", "en", "ltr"),
    ]


@pytest.mark.parametrize("name", ["shows_an_item_after_yes", "asks_several_choices", "limits_a_text"])
def test_the_smallest_instruments_read(name: str) -> None:
    assert read_instrument((SMALLEST / f"{name}.yaml").read_bytes()).id == name


def test_an_instrument_names_all_its_faults_at_once() -> None:
    with pytest.raises(FaultsError) as refusal:
        read_instrument((SMALLEST / "every_fault_at_once.yaml").read_bytes())

    assert sorted(fault.code for fault in refusal.value.faults) == [
        "instrument.condition_looks_ahead",
        "instrument.item_twice",
        "instrument.no_options",
        "instrument.unknown_scale",
        "instrument.value_twice",
    ]


def test_package_data_is_what_was_shared(shared: Path) -> None:
    folder = shared / "questionnaires"

    for instrument in EVERYTHING:
        assert read_instrument((folder / f"{instrument.id}.yaml").read_bytes()).digest == instrument.digest


def test_a_word_changed_changes_the_digest() -> None:
    text = (SMALLEST / "limits_a_text.yaml").read_text(encoding="utf-8")

    assert read_instrument(text).digest != read_instrument(text.replace("什么意见", "哪些意见")).digest
