from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from survey.errors import FaultsError
from survey.scheme.authoring import instrument_from_sheets
from survey.scheme.authoring_template import ABOUT, COLUMNS, ITEMS, OPTIONS, sheets_of
from survey.scheme.instrument import Instrument, list_instruments, load_instrument, read_instrument

SMALLEST = Path(__file__).parent.parent / "instruments"
EVERYTHING = [load_instrument(name, "full", frozenset(), True) for name in list_instruments()]
EVERYTHING += [
    read_instrument((SMALLEST / f"{name}.yaml").read_bytes())
    for name in ("shows_an_item_after_yes", "asks_several_choices", "limits_a_text")
]


def plain(instrument: Instrument) -> list[Any]:
    """What a respondent meets, without the names of the parts, which a sheet does not hold."""
    document = instrument.document()
    return [document | {"sections": None}, [section["items"] for section in document["sections"]]]


def cells(name: str = "parents") -> dict[str, list[list[object]]]:
    return sheets_of(load_instrument(name))


def put(sheets: dict[str, list[list[object]]], row: int, column: str, value: object) -> None:
    sheets[ITEMS][row - 1][list(COLUMNS).index(column)] = value


def faults(sheets: dict[str, Any]) -> list[tuple[str, str | None, int | None, str | None]]:
    with pytest.raises(FaultsError) as refusal:
        instrument_from_sheets(sheets)
    return [(fault.code, fault.sheet, fault.row, fault.column) for fault in refusal.value.faults]


@pytest.mark.parametrize("instrument", EVERYTHING, ids=lambda instrument: instrument.id)
def test_an_instrument_survives_the_sheets_and_back(instrument: Instrument) -> None:
    again = instrument_from_sheets(sheets_of(instrument))

    assert plain(replace(again, status=instrument.status)) == plain(instrument)


def test_numbers_as_a_spreadsheet_hands_them_back_are_understood() -> None:
    sheets = cells()
    sheets[ABOUT] = [[label, 4.0 if label == "大约几分钟" else value] for label, value in sheets[ABOUT]]
    sheets[OPTIONS] = [
        [float(cell) if isinstance(cell, int) else cell for cell in row] for row in sheets[OPTIONS]
    ]

    assert plain(instrument_from_sheets(sheets)) == plain(load_instrument("parents"))


def test_blank_rows_are_passed_over() -> None:
    sheets = cells()
    sheets[ITEMS].insert(3, [None] * 18)
    sheets[ITEMS].append([])

    assert instrument_from_sheets(sheets).id == "parents"


@pytest.mark.parametrize(
    ("row", "column", "value", "code"),
    [
        (2, "类型", "打分", "authoring.unknown_word"),
        (3, "问的是", "全国", "authoring.unknown_word"),
        (4, "选项组", "sat9", "authoring.unknown_scale"),
        (5, "维度", "天气", "authoring.unknown_dimension"),
        (6, "题目", "", "authoring.empty"),
        (7, "部分", None, "authoring.empty"),
        (8, "必答", "可能", "authoring.unknown_word"),
        (9, "显示条件", "如果满意", "authoring.bad_condition"),
        (9, "显示条件", "PA01=1 且 PA02=1 或 PA03=1", "authoring.bad_condition"),
    ],
)
def test_a_wrong_cell_is_named_by_sheet_row_and_column(
    row: int, column: str, value: object, code: str
) -> None:
    sheets = cells()
    put(sheets, row, column, value)

    assert faults(sheets) == [(code, ITEMS, row, column)]


def test_wrong_cells_are_named_all_at_once() -> None:
    sheets = cells()
    put(sheets, 2, "类型", "打分")
    put(sheets, 9, "题目", "")
    sheets[OPTIONS].append(["ZZ99", 1, "甲", "A", "", ""])
    sheets[ABOUT][3][1] = "路人"

    assert {(code, row) for code, _, row, _ in faults(sheets)} == {
        ("authoring.unknown_word", 2),
        ("authoring.empty", 9),
        ("authoring.unknown_word", 4),
        ("authoring.options_of_nothing", len(sheets[OPTIONS])),
    }


@pytest.mark.parametrize(
    ("row", "column", "value", "code"),
    [
        (3, "题号", "PA01", "instrument.item_twice"),
        (4, "显示条件", "PA20=1", "instrument.condition_looks_ahead"),
        (5, "题号", "第四题", "instrument.invalid"),
        (6, "内容领域", "Z9", "instrument.invalid"),
    ],
)
def test_faults_of_the_whole_are_put_back_beside_their_row(
    row: int, column: str, value: str, code: str
) -> None:
    sheets = cells()
    put(sheets, row, column, value)

    found = faults(sheets)
    assert (found[0][0], found[0][1]) == (code, ITEMS)
    assert found[0][2] in (row, 2)


def test_missing_sheets_and_columns_are_named() -> None:
    sheets = cells()
    without = {**sheets, ITEMS: [row[:4] for row in sheets[ITEMS]]}
    strange = {**sheets, ITEMS: [[*sheets[ITEMS][0], "备注"], *sheets[ITEMS][1:]]}

    assert [(code, sheet) for code, sheet, _, _ in faults({})] == [
        ("authoring.no_sheet", ABOUT),
        ("authoring.no_sheet", ITEMS),
    ]
    assert ("authoring.no_column", ITEMS, 1, "题目") in faults(without)
    assert faults(strange) == [("authoring.unknown_column", ITEMS, 1, "备注")]


def test_a_wrong_word_about_the_questionnaire_is_named_by_its_row() -> None:
    sheets = cells()
    sheets[ABOUT][3][1] = "路人"
    sheets[ABOUT].append(["颜色", "红"])

    assert faults(sheets) == [
        ("authoring.unknown_word", ABOUT, 4, "B"),
        ("authoring.unknown_label", ABOUT, 12, "A"),
    ]
