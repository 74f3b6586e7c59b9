"""The files of an analysis: a table that reads back, a workbook without formulas, a report that is complete."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import pypdfium2
import pytest
from openpyxl import load_workbook

from survey.cases.case_table import read_case_table
from survey.documents.analysis_report import analysis_report
from survey.documents.analysis_tables import table_csv, table_json, table_xlsx
from survey.estimation.analysis.run import analyse
from survey.estimation.analysis.sample import sample_of
from survey.estimation.analysis.spec import read_spec

AT = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
SPEC = """title: 家长满意度😀
note: 试算
design: {stages: [{strata: 层, units: 学校}]}
base_weights: {constant: 10}
weighting: [{poststratify: {by: 层, totals: {城区: 3000, 乡村: 2000}}}]
items:
  - {column: q, id: 满意, label: "=1+1 满意", satisfied: [1, 2], dont_know: {options: 9}}
  - {column: q, id: 分布, statistic: distribution}
  - {column: 分数, statistic: mean}
domains: [{by: 层}, {by: 学校, items: 满意}]
comparisons: [{item: 满意, by: 层}]
composites: [{id: 合成, parts: [{of: 满意, where: {层: 城区}, share: 0.6}, {of: 满意, where: {层: 乡村}, share: 0.4}]}]
lines: [{of: [满意, 合成], at_least: 0.85}]
quality: {items: [q, 分数]}
"""


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    rows = ["学校,层,q,分数"]
    for school in range(8):
        place = "城区" if school < 4 else "乡村"
        rows += [
            f"S{school},{place},{1 + (n * (school + 3)) % 4 if n else 9},{60 + n}"
            for n in range(9 if school == 7 else 25)
        ]
    columns = read_case_table("\n".join(rows).encode(), "x.csv")
    spec = read_spec(SPEC)
    sample = sample_of(spec, columns, lambda name: columns)
    return {
        "file": {"name": "x.csv", "sha256": "ab" * 32, "records": len(columns)},
        "spec": {"name": "spec.yaml", "sha256": "cd" * 32},
        "beside": {},
        **analyse(spec, sample),
    }


def test_the_csv_has_every_line_at_full_precision(document: dict[str, Any]) -> None:
    text = table_csv(document).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))

    assert len(rows) == len(document["rows"]) + len(document["composites"])
    assert float(rows[0]["结果"]) == document["rows"][0]["value"]
    # A text that begins like a formula is written as text.
    assert rows[0]["题目"].startswith("'=1+1")


def test_the_workbook_reads_back_and_computes_nothing(document: dict[str, Any]) -> None:
    data = table_xlsx(document, at=AT)
    book = load_workbook(io.BytesIO(data))
    sheet = book["结果"]
    head = [cell.value for cell in sheet[1]]

    assert book.sheetnames == ["结果", "比较", "加权", "说明"]
    assert sheet.cell(2, head.index("结果") + 1).value == document["rows"][0]["value"]
    assert all(cell.data_type != "f" for page in book for row in page for cell in row)
    assert data == table_xlsx(document, at=AT)


def test_the_json_is_the_document(document: dict[str, Any]) -> None:
    assert json.loads(table_json(document)) == document


def test_the_report_tells_results_weights_design_and_cautions(document: dict[str, Any]) -> None:
    data = analysis_report(document, at=AT)
    pdf = pypdfium2.PdfDocument(data)
    text = "".join(page.get_textpage().get_text_range() for page in pdf).replace("\r\n", "")

    for words in ("家长满意度〓", "同要求线比较", "分组之间的比较", "样本和设计", "事后分层", "答题质量", "用〓代替", "8个", document["rows"][0]["percent"]):  # fmt: skip
        assert words in text
    # The school of nine answers is withheld, and one more with it.
    assert text.count("不显示") >= 2
    assert data == analysis_report(document, at=AT)


def test_the_small_school_and_one_other_are_withheld_everywhere(document: dict[str, Any]) -> None:
    hidden = [row for row in document["rows"] if row.get("withheld")]

    assert {row["domain"] for row in hidden} >= {"学校=S7"}
    assert len({row["domain"] for row in hidden}) == 2
    assert all(row["value"] is None and "se" not in row for row in hidden)
