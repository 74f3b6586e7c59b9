"""What an office's file gets: the whole frame, or every fault at once with its place and remedy."""

from __future__ import annotations

import io
import json
import time
import zipfile

import pytest
from county import HEADER, ROWS, county, csv_bytes, with_cell, xlsx_bytes
from hypothesis import given, settings
from hypothesis import strategies as st

from survey.sampling.frame_file import read_frame, sample_county
from survey.sampling.sheet import MAX_UNPACKED


def codes(reading):
    return [fault.code for fault in reading.faults]


@pytest.mark.parametrize("filename", ["frame.csv", "frame_gb18030.csv", "frame.xlsx"])
def test_every_file_of_the_county_gives_the_same_frame_and_totals(filename):
    reading = read_frame(sample_county(filename), filename)

    assert reading.faults == ()
    assert reading.totals == json.loads(sample_county("expected.json"))
    assert reading.frame is not None and reading.frame.digest == county().digest


def test_utf8_without_its_mark_and_semicolons_are_read_alike():
    plain = read_frame(csv_bytes(), "a.csv")
    semicolons = read_frame(csv_bytes().replace(b",", b";"), "a.csv")

    assert plain.frame is not None
    assert plain.frame == semicolons.frame


def test_all_faults_of_a_file_come_at_once_with_sheet_row_column_and_remedy():
    rows = with_cell(1, "学校代码", "320704201")
    rows[1][3] = "999"
    rows[2][5] = "-5"

    reading = read_frame(xlsx_bytes(rows), "a.xlsx")

    assert reading.frame is None
    assert codes(reading) == ["frame.code_malformed", "frame.place_code_unknown", "frame.count_negative"]
    assert [(f.sheet, f.row, f.column) for f in reading.faults] == [
        ("名册", 2, "学校代码"), ("名册", 3, "城乡分类码"), ("名册", 4, "在校生数"),
    ]  # fmt: skip
    assert all(fault.remedy and fault.problem for fault in reading.faults)


@pytest.mark.parametrize(
    ("row", "column", "value", "code"),
    [
        (1, "学校代码", "320704201", "frame.code_malformed"),
        (1, "学校代码", "３２０７０４２００１", "frame.code_malformed"),
        (1, "学校代码", "", "frame.code_empty"),
        (1, "学校代码", "3.20704E+09", "frame.code_scientific"),
        (2, "学校代码", "3207042001", "frame.code_twice"),
        (1, "学校名称", "", "frame.name_empty"),
        (1, "城乡分类码", "100", "frame.place_code_unclear"),
        (1, "城乡分类码", "333", "frame.place_code_unknown"),
        (1, "城乡分类码", "", "frame.place_empty"),
        (1, "办学类型码", "999", "frame.kind_code_unknown"),
        (1, "办学类型码", "", "frame.kind_empty"),
        (1, "在校生数", "", "frame.count_empty"),
        (1, "在校生数", "-80", "frame.count_negative"),
        (1, "在校生数", "80.5", "frame.count_not_whole"),
        (1, "在校生数", "八十", "frame.count_malformed"),
        (1, "在校生数", "８０", "frame.count_malformed"),
        (1, "在校生数", "80人", "frame.count_malformed"),
        (1, "在校生数", "81", "frame.sum_disagrees"),
        (1, "在校生数", "999999", "frame.count_too_large"),
        (1, "班级数", "5", "frame.sum_disagrees"),
        (1, "教师数", "", "frame.count_empty"),
        (3, "学校名称", "合计", "frame.total_row"),
    ],
)
def test_one_wrong_cell_is_named_and_nothing_is_half_imported(row, column, value, code):
    reading = read_frame(csv_bytes(with_cell(row, column, value)), "a.csv")

    assert code in codes(reading)
    assert reading.frame is None
    assert all(fault.row == row + 1 for fault in reading.faults)


@pytest.mark.parametrize(
    ("column", "value", "plain"),
    [("学校代码", "３２０７０４２００１", "3207042001"), ("城乡分类码", "１２１", "121"), ("办学类型码", "２１１", "211")],
)
def test_full_width_digits_are_refused_with_the_digits_they_stand_for(column, value, plain):
    [fault] = read_frame(csv_bytes(with_cell(1, column, value)), "a.csv").faults

    assert "全角" in fault.problem and fault.remedy == f"改成{plain}"


def test_a_line_of_signatures_under_the_table_is_one_fault_of_its_own():
    reading = read_frame(csv_bytes() + "\r\n填表人：张三,,,\r\n".encode(), "a.csv")

    assert codes(reading) == ["frame.row_not_school"]
    assert "填表人：张三" in reading.faults[0].problem


@pytest.mark.parametrize(
    ("data", "name", "told"),
    [(b"%PDF-1.7 x", "a.pdf", "PDF"), (b"<html><table>", "a.xls", "网页"), (b"\x89PNG\r\n\x1a\n1", "a.png", "图片")],
)
def test_what_is_no_table_is_called_what_it_is(data, name, told):
    [fault] = read_frame(data, name).faults

    assert fault.code == "frame.file_not_table" and told in fault.problem


def test_a_title_row_above_tabs_does_no_harm():
    data = "某县学校名册\r\n".encode() + csv_bytes().replace(b",", b"\t")

    assert read_frame(data, "a.csv").frame == read_frame(csv_bytes(), "a.csv").frame


def test_a_thousands_sign_is_refused_with_the_number_it_seems_to_mean():
    reading = read_frame(csv_bytes(with_cell(1, "在校生数", '"1,011"')), "a.csv")

    assert codes(reading) == ["frame.count_malformed"]
    assert "1011" in reading.faults[0].remedy


def test_clean_digits_stored_as_text_are_read_with_a_warning():
    rows = with_cell(1, "在校生数", "00080")

    reading = read_frame(xlsx_bytes(rows), "a.xlsx")

    assert reading.frame is not None
    assert "frame.digits_as_text" in [warning.code for warning in reading.warnings]


def test_an_empty_school_is_refused():
    rows = with_cell(1, "在校生数", "0")
    rows[0][8] = rows[0][9] = "0"

    assert codes(read_frame(csv_bytes(rows), "a.csv")) == ["frame.no_pupils"]


def test_merged_header_cells_are_refused_by_their_reference():
    reading = read_frame(xlsx_bytes(merge="A1:B1"), "a.xlsx")

    assert reading.frame is None
    assert "frame.merged_cells" in codes(reading)
    assert "A1:B1" in reading.faults[0].problem


def test_a_title_row_above_the_header_does_no_harm():
    data = ("某县学校名册\r\n".encode()) + csv_bytes()

    assert read_frame(data, "a.csv").frame == read_frame(csv_bytes(), "a.csv").frame


def test_a_saved_column_map_goes_before_the_synonyms():
    header = tuple("人头" if name == "在校生数" else name for name in HEADER)
    data = csv_bytes(header=header)

    without, mapped = read_frame(data, "a.csv"), read_frame(data, "a.csv", {"pupils": "人头"})

    assert codes(without) == ["frame.column_missing"]
    assert mapped.frame == read_frame(csv_bytes(), "a.csv").frame
    assert mapped.columns["pupils"] == "人头"


def test_a_map_that_names_a_missing_header_or_an_unknown_column_is_refused():
    reading = read_frame(csv_bytes(), "a.csv", {"pupils": "没有的", "age": "年龄"})

    assert {"frame.map_header_missing", "frame.map_unknown_column"} <= set(codes(reading))


def test_two_headers_for_one_column_are_a_fault_and_not_a_guess():
    header = tuple("学生数" if name == "教师数" else name for name in HEADER)

    assert "frame.column_twice" in codes(read_frame(csv_bytes(header=header), "a.csv"))


@pytest.mark.parametrize(
    ("data", "filename", "code"),
    [
        (b"", "a.csv", "frame.file_empty"),
        (b"\xef\xbb\xbf\r\n", "a.csv", "frame.file_empty"),
        (csv_bytes(encoding="utf-16"), "a.csv", "frame.encoding"),
        (b"\xef\xbb\xbf" + csv_bytes(encoding="gb18030"), "a.csv", "frame.encoding"),
        (csv_bytes() + b"\xff\xff\xff", "a.csv", "frame.encoding"),
        (csv_bytes() + b"\x00", "a.csv", "frame.not_text"),
        (b"1,2,3\r\n4,5,6\r\n", "a.csv", "frame.header_missing"),
        (csv_bytes(rows=()), "a.csv", "frame.no_schools"),
        (csv_bytes(), "a.xlsx", "frame.file_not_xlsx"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a.xls", "frame.file_old_excel"),
        (b"PK\x03\x04 nonsense", "a.xlsx", "frame.xlsx_broken"),
        (csv_bytes() + b'"' + b"x" * 200_000, "a.csv", "frame.csv_broken"),
        (b"a" * (10 * 1024 * 1024 + 1), "a.csv", "frame.file_too_large"),
        ("學校代碼,學校名稱,城鄉分類碼".encode("big5"), "a.csv", "frame.header_missing"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_is_no_list_is_told_what_it_is_and_how_to_save_it(data, filename, code):
    reading = read_frame(data, filename)

    assert code in codes(reading)
    assert reading.frame is None
    assert all(fault.remedy for fault in reading.faults)


def rezipped(changes: dict[str, bytes]) -> bytes:
    source = zipfile.ZipFile(io.BytesIO(xlsx_bytes()))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name in source.namelist():
            if name not in changes:
                package.writestr(name, source.read(name))
        for name, content in changes.items():
            package.writestr(name, content)
    return buffer.getvalue()


BOMBS = {
    "ratio": lambda: rezipped({"xl/worksheets/sheet1.xml": b"<worksheet>" + b" " * (30 * 1024 * 1024)}),
    "unpacked": lambda: rezipped({f"xl/media/{n}.bin": bytes(21 * 1024 * 1024) for n in range(MAX_UNPACKED // 2**20 // 20)}),
    "entries": lambda: rezipped({f"x/{number}": b"" for number in range(300)}),
    "doctype": lambda: rezipped({"xl/workbook.xml": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><workbook/>'}),
    "late doctype": lambda: rezipped({"xl/styles.xml": b"<a>" + b" " * 5000 + b"<!DOCTYPE a></a>"}),
    "utf16": lambda: rezipped({"xl/workbook.xml": '<?xml version="1.0"?><!DOCTYPE a><workbook/>'.encode("utf-16")}),
    "not a workbook": lambda: zipped({"a.txt": b"a"}),
    "macro": lambda: rezipped({"xl/vbaProject.bin": b"a"}),
    "truncated": lambda: xlsx_bytes()[:-500],
}  # fmt: skip


def zipped(entries: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        for name, content in entries.items():
            package.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_quickly_and_in_words(bomb):
    data = BOMBS[bomb]()
    began = time.perf_counter()

    reading = read_frame(data, "a.xlsx")
    took = time.perf_counter() - began

    assert reading.frame is None
    assert reading.faults[0].code.startswith("frame.")
    assert took < 2


def test_a_formula_is_read_as_the_value_that_was_seen_or_refused_without_one():
    rows = with_cell(1, "在校生数", "=I2+J2")

    reading = read_frame(xlsx_bytes(rows), "a.xlsx")

    assert "frame.formula_without_value" in codes(reading)


def test_a_frame_of_one_school_is_read_and_said_aloud():
    reading = read_frame(csv_bytes(ROWS[:1]), "a.csv")

    assert reading.frame is not None
    assert "frame.one_school" in [warning.code for warning in reading.warnings]


def test_very_many_faults_are_cut_with_a_count_of_the_rest():
    rows = [("1", "校", "211", "121", "1", "1", "1", "0", "1", "0", "1") for _ in range(700)]

    reading = read_frame(csv_bytes(rows), "a.csv")

    assert len(reading.faults) == 501
    assert "200" in reading.faults[-1].problem


@given(st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_no_bytes_whatever_raise_or_give_half_a_frame(data):
    reading = read_frame(data, "a.csv")

    assert (reading.frame is None) == bool(reading.faults)


@given(st.integers(0, len(csv_bytes()) - 1), st.integers(0, 255))
@settings(max_examples=150, deadline=None)
def test_one_changed_byte_gives_a_frame_or_faults_and_never_both(at, byte):
    data = bytearray(csv_bytes())
    data[at] = byte

    reading = read_frame(bytes(data), "a.csv")

    assert (reading.frame is None) == bool(reading.faults)
