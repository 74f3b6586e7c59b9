"""XLSForm in and out: what both can say survives, and every fault names its sheet, row and column."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from survey.errors import FaultsError
from survey.scheme.xlsform import instrument_from_xlsform
from survey.scheme.xlsform_out import xlsform_of
from survey.scheme.xlsform_relevant import read_relevant

from .test_authoring import EVERYTHING, plain

HEADER = ["type", "name", "label", "required", "relevant", "default"]


def form(*survey: list[object], choices: tuple[list[object], ...] = (), **settings: str) -> dict[str, Any]:
    given = {"form_title": "一份问卷", "form_id": "one", "survey_group": "parent"} | settings
    return {
        "survey": [HEADER, *survey],
        "choices": [["list name", "name", "label::English", "label::中文"], *choices],
        "settings": [list(given), list(given.values())],
    }


YES_NO = (["yes_no", "yes", "Yes", "是"], ["yes_no", "no", "No", "不是"])


def faults(sheets: dict[str, Any]) -> set[tuple[str | None, int | None, str | None]]:
    with pytest.raises(FaultsError) as refusal:
        instrument_from_xlsform(sheets)
    return {(fault.sheet, fault.row, fault.column) for fault in refusal.value.faults}


@pytest.mark.parametrize("instrument", EVERYTHING, ids=lambda instrument: instrument.id)
def test_every_instrument_survives_an_xlsform_and_back(instrument) -> None:
    again, notes = instrument_from_xlsform(xlsform_of(instrument))

    assert plain(replace(again, status=instrument.status)) == plain(instrument)
    assert notes == ()


def test_a_form_from_elsewhere_gets_numbers_and_keeps_its_words_and_codes() -> None:
    sheets = form(
        ["begin_group", "g", "你的一天"],
        ["select one from yes_no", "good_day", "今天过得好吗", "yes"],
        ["text", "why", "为什么", "", "selected(${good_day}, 'no')"],
        ["end_group", ""],
        choices=YES_NO,
    )
    instrument, notes = instrument_from_xlsform(sheets)
    first, second = instrument.items

    assert (first.id, first.required, [o.value for o in first.options]) == ("QA01", True, ["yes", "no"])
    assert (first.options[0].zh, first.options[0].en) == ("是", "Yes")
    assert second.show_if == {"item": "QA01", "in": ["no"]}
    assert instrument.sections[0].title["zh"] == "你的一天"
    assert notes == ("“good_day”的题号定为QA01", "“why”的题号定为QA02")


def test_every_fault_is_told_at_once_where_it_stands() -> None:
    sheets = form(
        ["geopoint", "where", "在哪里"],
        ["select_one nowhere", "a", "甲"],
        ["text", "b", ""],
        ["text", "c", "丙", "", "${b} > 3"],
        ["text", "d", "丁", "", "", "预先写好"],
        ["select_one yes_no or_other", "e", "戊"],
        choices=(*YES_NO, ["", "x", "X", ""]),
        survey_group="neighbours",
    )

    assert faults(sheets) >= {
        ("survey", 2, "type"),
        ("survey", 3, "type"),
        ("survey", 4, "label"),
        ("survey", 5, "relevant"),
        ("survey", 6, "default"),
        ("survey", 7, "type"),
        ("choices", 4, "list_name"),
        ("settings", 2, "survey_group"),
    }


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("${a}='1'", "QA01=1"),
        ("(${a} = 1 or ${a} = \"2\") and ${b} != '98'", "QA01=1,2 且 QA02≠98"),
        ("not(selected(${a}, '1')) and not(selected(${a}, '2'))", "QA01≠1,2"),
        ("${a} = '1' or ${b} = '1'", "QA01=1 或 QA02=1"),
        ("${a} = '1' or (${b} = '1' and ${b} != '2')", None),
        ("${a} > 1", None),
        ("regex(${a}, 'x')", None),
        ("${a} = '1' and", None),
        ("(" * 200 + "${a} = '1'" + ")" * 200, None),
        ("${other} = '1'", None),
        ("", None),
    ],
)
def test_conditions_are_read_or_refused_and_never_guessed(text: str, condition: str | None) -> None:
    assert read_relevant(text, {"a": "QA01", "b": "QA02"}) == condition
