from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey import canonical
from survey.scheme.answers import read_answers
from survey.scheme.codebook import NotInCodebookError, codebook_of
from survey.scheme.instrument import Instrument, load_instrument, read_instrument
from survey.scheme.routing import on_path

SMALLEST = Path(__file__).parent.parent / "instruments"


def smallest(name: str) -> Instrument:
    return read_instrument((SMALLEST / f"{name}.yaml").read_bytes())


CONDITIONAL = smallest("shows_an_item_after_yes")
SEVERAL = smallest("asks_several_choices")
TEXT = smallest("limits_a_text")
PARENTS = load_instrument("parents")


def codes(instrument: Instrument, raw: dict[str, list[str]]) -> list[tuple[str, str | None]]:
    return [(fault.code, fault.item) for fault in read_answers(instrument, raw)[1]]


def test_answers_become_typed_values_and_skipped_is_none() -> None:
    values, faults = read_answers(PARENTS, {"PA20": ["4"], "PA01": "5", "PA24": ["97"]})

    assert not faults
    assert (values["PA20"], values["PA01"], values["PA24"], values["PA02"]) == (4, 5, 97, None)
    assert list(values) == [item.id for item in PARENTS.items]


def test_nothing_but_the_overall_item_must_be_answered() -> None:
    values, faults = read_answers(PARENTS, {})

    assert [(fault.code, fault.item) for fault in faults] == [("answers.required", "PA20")]
    assert faults[0].problem == "请回答这一题。不了解可以选“说不清，不了解”"
    assert values["PA20"] is None


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ({"PA01": ["4"], "XX99": ["1"]}, "answers.unknown_field"),
        ({"PA01": ["4", "5"]}, "answers.repeated"),
        ({"PA01": ["4", "4"]}, "answers.repeated"),
        ({"PA01": ["6"]}, "answers.out_of_range"),
        ({"PA01": ["-1"]}, "answers.out_of_range"),
        ({"PA01": ["４"]}, "answers.out_of_range"),
        ({"PA01": ["4 "]}, "answers.out_of_range"),
        ({"PA01": ["4.0"]}, "answers.out_of_range"),
        ({"PA01": ["04"]}, "answers.out_of_range"),
        ({"PA25": ["好", "坏"]}, "answers.repeated"),
        ({"PA25": ["长" * 201]}, "answers.too_long"),
        ({"PA25": ["a\x00b"]}, "answers.control_sign"),
        ({"PA25": ["a\x1bb"]}, "answers.control_sign"),
        ({"PA25": ["a\u202eb"]}, "answers.control_sign"),
        ({"PA25": ["a\u2066b"]}, "answers.control_sign"),
        ({"PA25": ["a\ud800b"]}, "answers.control_sign"),
    ],
)
def test_what_a_page_of_ours_cannot_send_is_refused(raw: dict[str, list[str]], code: str) -> None:
    assert [found for found, _ in codes(PARENTS, {"PA20": ["4"], **raw})] == [code]


def test_a_stranger_sending_many_fields_is_refused_at_once() -> None:
    assert codes(PARENTS, {f"X{n}": ["1"] for n in range(501)}) == [("answers.too_many_fields", None)]


def test_words_are_kept_but_for_line_breaks_and_their_composed_form() -> None:
    values, faults = read_answers(TEXT, {"IT01": [" 第一行\r\n第二行 e\u0301 "]})

    assert not faults
    assert values == {"IT01": "第一行 第二行 \u00e9"}


def test_a_text_of_spaces_is_skipped() -> None:
    assert read_answers(TEXT, {"IT01": ["  \n "]}) == ({"IT01": None}, ())


def test_the_limit_of_a_text_is_counted_in_characters_and_included() -> None:
    assert read_answers(TEXT, {"IT01": ["长" * 200]})[1] == ()


def test_an_item_off_the_path_is_absent_and_an_answer_to_it_is_refused() -> None:
    values, faults = read_answers(CONDITIONAL, {"IT01": ["5"], "IT02": ["0"]})
    _, refused = read_answers(CONDITIONAL, {"IT01": ["5"], "IT02": ["0"], "IT03": ["2"]})

    assert not faults and "IT03" not in values and "IT04" not in values
    assert [(fault.code, fault.item) for fault in refused] == [("answers.off_path", "IT03")]


def test_an_item_on_the_path_but_skipped_is_none() -> None:
    values, _ = read_answers(CONDITIONAL, {"IT01": ["5"], "IT02": ["1"]})

    assert values["IT03"] is None and "IT04" not in values


def test_an_answer_off_the_path_opens_no_further_path() -> None:
    assert on_path(CONDITIONAL, {"IT02": 0, "IT03": 2}) == {"IT01", "IT02"}
    assert on_path(CONDITIONAL, {"IT02": 1, "IT03": 2}) == {"IT01", "IT02", "IT03", "IT04"}
    assert on_path(CONDITIONAL, {"IT02": 1, "IT03": 98}) == {"IT01", "IT02", "IT03"}


def test_several_choices_come_back_in_the_order_of_the_page() -> None:
    assert read_answers(SEVERAL, {"IT01": ["3", "1"]}) == ({"IT01": [1, 3]}, ())
    assert codes(SEVERAL, {"IT01": ["1", "97"]}) == [("answers.contradiction", "IT01")]
    assert codes(SEVERAL, {"IT01": ["1", "1"]}) == [("answers.repeated", "IT01")]
    assert read_answers(SEVERAL, {}) == ({"IT01": None}, ())


@given(st.dictionaries(st.text(max_size=8), st.lists(st.text(max_size=12), max_size=3), max_size=6))
def test_nothing_a_stranger_sends_raises(raw: dict[str, list[str]]) -> None:
    values, faults = read_answers(PARENTS, raw)

    assert faults
    canonical.encode({key: value for key, value in values.items() if value is not None})


@st.composite
def accepted(draw: st.DrawFn, instrument: Instrument) -> dict[str, list[str]]:
    raw = {}
    for item in instrument.items:
        if item.kind == "text":
            raw[item.id] = [
                draw(st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), max_size=50))
            ]
        elif item.required or draw(st.booleans()):
            raw[item.id] = [str(draw(st.sampled_from([option.value for option in item.options])))]
    return raw


@pytest.mark.parametrize("name", ["parents", "teachers", "public", "students_g4_6"])
def test_an_accepted_answer_survives_the_codebook_and_back(name: str) -> None:
    instrument = load_instrument(name)
    book = codebook_of(instrument)

    @given(accepted(instrument))
    def there_and_back(raw: dict[str, list[str]]) -> None:
        values, faults = read_answers(instrument, raw)
        assert not faults
        assert book.answers(book.row(values)) == values

    there_and_back()


@pytest.mark.parametrize(
    ("instrument", "raw"),
    [
        (CONDITIONAL, {"IT01": ["5"], "IT02": ["0"]}),
        (CONDITIONAL, {"IT01": ["98"], "IT02": ["1"], "IT03": ["2"], "IT04": ["1"]}),
        (SEVERAL, {"IT01": ["1", "2"]}),
        (SEVERAL, {}),
        (TEXT, {"IT01": ["好"]}),
        (TEXT, {}),
    ],
)
def test_silences_and_choices_survive_too(instrument: Instrument, raw: dict[str, list[str]]) -> None:
    book = codebook_of(instrument)
    values, faults = read_answers(instrument, raw)

    assert not faults
    assert book.answers(book.row(values)) == values


def test_four_silences_stay_apart() -> None:
    book = codebook_of(CONDITIONAL)
    row = book.row(read_answers(CONDITIONAL, {"IT01": ["98"], "IT02": ["1"]})[0])

    assert row == {"IT01": 98, "IT02": 1, "IT03": 99, "IT04": 96}


def test_a_row_of_another_instrument_is_refused_by_variable() -> None:
    with pytest.raises(NotInCodebookError, match="IT01"):
        codebook_of(CONDITIONAL).answers({"IT01": 6})
