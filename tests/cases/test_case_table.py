"""A file of cases gives the same columns whatever its kind; labels and missing values come along."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import numpy as np
import pyarrow as arrow
import pyreadstat
import pytest
from pyarrow import parquet

from survey.cases.case_table import read_case_table
from survey.cases.column_expression import read_formula
from survey.columns import Columns, UnknownValueError
from survey.errors import SurveyError

HEADER = ("学校", "满意", "权数", "说明")
ROWS = [("甲", 1, 2.5, "a,b"), ("甲", 2, 0.1, ""), ("乙", 9, 1e-7, '"'), ("乙", None, 12345678.0, "多\n行")]


def as_csv(encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    def cell(value: object) -> str:
        text = "" if value is None else str(value)
        return '"' + text.replace('"', '""') + '"' if set(text) & set(',"\n;\t') else text

    lines = [delimiter.join(HEADER), *(delimiter.join(cell(value) for value in row) for row in ROWS)]
    return ("\r\n".join(lines) + "\r\n").encode(encoding)


def as_parquet(dictionary: bool = False) -> bytes:
    table = arrow.table({name: [row[at] for row in ROWS] for at, name in enumerate(HEADER)})
    if dictionary:
        table = table.set_column(0, "学校", table["学校"].dictionary_encode())
    out = io.BytesIO()
    parquet.write_table(table, out)
    return out.getvalue()


def as_sav(tmp_path: Path) -> bytes:
    import pandas as pd

    frame = pd.DataFrame(ROWS, columns=["school", "q", "w", "note"])
    path = tmp_path / "x.sav"
    pyreadstat.write_sav(
        frame,
        str(path),
        column_labels={"q": "您对学校满意吗"},
        variable_value_labels={"q": {1.0: "满意", 2.0: "不满意", 9.0: "拒答"}},
        missing_ranges={"q": [9.0]},
    )
    return path.read_bytes()


def seen(columns: Columns) -> list[list[str]]:
    return [columns[name].names().tolist() for name in HEADER[:3]]


@pytest.mark.parametrize(
    "data",
    [
        as_csv(),
        as_csv("utf-8-sig"),
        as_csv("gb18030"),
        as_csv(delimiter=";"),
        as_csv(delimiter="\t"),
        gzip.compress(as_csv()),
        as_csv() + b",,,\r\n\r\n",
        as_parquet(),
        as_parquet(dictionary=True),
    ],
)
def test_every_kind_of_file_gives_the_same_columns(data: bytes) -> None:
    columns = read_case_table(data, "数据")

    assert seen(columns) == [
        ["甲", "甲", "乙", "乙"],
        ["1", "2", "9", ""],
        ["2.5", "0.1", "1e-07", "12345678"],
    ]
    assert columns["权数"].numbers().tolist() == [2.5, 0.1, 1e-7, 12345678.0]


def test_an_spss_file_brings_labels_wording_and_user_missing_values(tmp_path: Path) -> None:
    columns = read_case_table(as_sav(tmp_path), "x.sav")
    q = columns["q"]

    assert q.title == "您对学校满意吗"
    assert q.is_missing.tolist() == [False, False, True, True]
    assert q.is_one_of(["满意"]).tolist() == [True, False, False, False]
    assert columns["w"].numbers().tolist() == [2.5, 0.1, 1e-7, 12345678.0]
    assert columns["school"].names().tolist() == ["甲", "甲", "乙", "乙"]


def test_only_wanted_columns_are_kept_and_all_headers_are_known() -> None:
    columns = read_case_table(as_csv(), "x", wanted={"满意", "没有"})

    assert list(columns) == ["满意"]
    assert columns.everything == HEADER
    with pytest.raises(SurveyError, match="满意"):
        columns["满意度"]


def test_whole_numbers_written_with_a_point_are_the_same_answers() -> None:
    column = read_case_table(b"q\n1\n1.0\n 1.00 \n01\n1.5\n", "x")["q"]

    assert column.names().tolist() == ["1", "1", "1", "01", "1.5"]


def test_a_value_nobody_has_is_refused_with_those_there_are() -> None:
    column = read_case_table(as_csv(), "x")["学校"]

    assert column.is_one_of(["甲", "丙"]).tolist() == [True, True, False, False]
    with pytest.raises(UnknownValueError, match="乙"):
        column.is_one_of(["丙"])


def test_a_parquet_nan_is_no_null() -> None:
    out = io.BytesIO()
    parquet.write_table(arrow.table({"w": arrow.array([1.0, float("nan"), None], from_pandas=False)}), out)
    column = read_case_table(out.getvalue(), "x")["w"]

    assert column.is_missing.tolist() == [False, False, True]
    with pytest.raises(SurveyError, match="第2条"):
        column.numbers()
    assert np.isnan(column.without(["nan"]).numbers()[1])


def test_nested_columns_of_parquet_are_refused_by_name() -> None:
    out = io.BytesIO()
    parquet.write_table(arrow.table({"q": [[1], [2, 3]]}), out)

    with pytest.raises(SurveyError, match="q"):
        read_case_table(out.getvalue(), "x")


@pytest.mark.parametrize(
    ("formula", "values"),
    [
        ("first(`a b`, c, 9)", [1, 4, 9]),
        ("if(c > 4, 1, 0)", [0, 0, None]),
        ("c == 4 or missing(c)", [0, 1, None]),
        ("mean(`a b`, c)", [2, 4, None]),
        ("name in ['甲', '丙']", [1, 0, 1]),
        ("not (name != '甲')", [1, 0, 0]),
        ("-c ** 2 / 2", [-4.5, -8, None]),
        ("min(c, 3) + max(c, 3)", [6, 7, None]),
    ],
)
def test_formulas_give_columns(formula: str, values: list[float | None]) -> None:
    columns = read_case_table("a b,c,name\n1,3,甲\n,4,乙\n,,丙\n".encode(), "x")
    made = read_formula("y", formula).column(columns).numbers()

    assert [None if np.isnan(value) else value for value in made] == values


@pytest.mark.parametrize("formula", ["c / 0", "log(c - 3)", "sqrt(-c)", "c ** 999999"])
def test_a_formula_without_a_value_is_refused_with_its_row(formula: str) -> None:
    columns = read_case_table(b"c\n3\n4\n", "x")

    with pytest.raises(SurveyError, match=r"第\d条"):
        read_formula("y", formula).column(columns)
