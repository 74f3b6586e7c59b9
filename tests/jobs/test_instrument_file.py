"""Questionnaire files as offices and others have them: read whole, or refused with every fault's place."""

from __future__ import annotations

import shutil
from io import BytesIO
from pathlib import Path

import pytest
from pyxform.xls2xform import convert

from survey.errors import FaultsError
from survey.jobs.instrument_file import read_instrument_file, workbook
from survey.scheme.authoring_template import sheets_of
from survey.scheme.instrument import INSTRUMENTS, load_instrument
from survey.scheme.xlsform_out import xlsform_of

READS = {"allow_comment_rows_test.xls": 1, "yes_or_no_question.xls": 1, "utf_csv.csv": 1}
"""Files of others that hold nothing we do not ask, with their number of items."""
REFUSED = {
    "cascading_select_test_equivalent.xls": {("survey", 5, "type"), ("survey", 6, "relevant")},
    "choice_filter_test.xlsx": {("survey", 3, "choice_filter"), ("survey", 4, "choice_filter")},
    "excel_survey_template.xlsx": {("Sheet1", 2, "题目标题"), ("Sheet1", 8, "题型"), ("Sheet1", 10, "题型")},
    "flat_xlsform_test.xlsx": {("survey", 5, "relevant"), ("survey", 13, "type")},
    "specify_other.xls": {("survey", 2, "type")},
    "tutorial.xls": {("survey", 2, "type"), ("survey", 9, "type")},
    "widgets.xls": {("survey", 3, "type"), ("survey", 7, "constraint")},
    "xlsform_spec_test.xlsx": {("survey", 3, "relevant"), ("survey", 15, "type")},
    "xml_escaping.xls": {("survey", 2, "type"), ("survey", 3, "type")},
}


@pytest.mark.parametrize("name", [*READS, *REFUSED])
def test_each_of_twelve_files_is_read_or_refused_with_sheet_row_and_column(shared: Path, name: str) -> None:
    data = (shared / "data" / "questionnaires" / name).read_bytes()
    try:
        read = read_instrument_file(data, name, group="parent")
    except FaultsError as refusal:
        places = {(fault.sheet, fault.row, fault.column) for fault in refusal.faults}
        assert places >= REFUSED[name], refusal
    else:
        assert len(list(read.instrument.items)) == READS[name]
        assert any("题号定为" in note for note in read.notes)


@pytest.mark.parametrize("sheets", [sheets_of, xlsform_of])
def test_a_workbook_we_wrote_is_read_back_to_the_same_questions(sheets) -> None:
    parents = load_instrument("parents")
    read = read_instrument_file(workbook(sheets(parents)), "parents.xlsx")

    assert [(item.id, item.text, item.show_if, item.options) for item in read.instrument.items] == [
        (item.id, item.text, item.show_if, item.options) for item in parents.items
    ]


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_the_reference_reader_of_xlsforms_takes_every_questionnaire(name: str) -> None:
    warnings: list[str] = []
    # With Java the form is also read by the validator of those who run such forms on phones; once is enough.
    deep = name == "students_g7_9" and shutil.which("java") is not None
    made = convert(BytesIO(workbook(xlsform_of(load_instrument(name)))), file_type=".xlsx", validate=deep, warnings=warnings)

    assert made.xform.count("<bind ") > 15
    assert warnings == []


def test_no_cell_of_a_workbook_is_a_formula() -> None:

    from openpyxl import load_workbook

    book = load_workbook(BytesIO(workbook({"题目": [["=1+1", "+2", "@x"]]})))

    assert [cell.data_type for cell in book["题目"][1]] == ["s", "s", "s"]


@pytest.mark.parametrize("data", [b"\xd0\xcf\x11\xe0" + b"\x00" * 600, b"PK\x03\x04", b"\xff" * 40])
def test_a_broken_file_is_refused_kindly(data: bytes) -> None:
    with pytest.raises(FaultsError):
        read_instrument_file(data, "x.xls")
