"""A wave's analysis file for other programs: CSV, Parquet, SPSS, Stata, a codebook, and an R script.

What enters is an `AnalysisFile`; what leaves is files whose values, labels and missing codes are the
same whatever opens them. `open_in_R.R` builds the survey design with R's `survey` and prints the
figure with its standard error, so that nobody has to rebuild the design by hand.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import datetime
from importlib.resources import files
from io import BytesIO, StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.etree import ElementTree as Tree

import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat

from survey import METHOD_VERSION, __version__
from survey.columns import UNWRITABLE
from survey.documents.archive import archive
from survey.estimation.analysis_file import AnalysisFile, AnalysisVariable
from survey.exact import fraction_text, truncate

DDI = "ddi:codebook:2_5"
SILENCES = (96, 97, 98, 99)
"""Off path, refused, don't know, skipped: missing to every program, apart from each other."""
STATA_NAME = 32


def analysis_pack(columns: AnalysisFile, facts: dict[str, str], *, at: datetime) -> bytes:
    """Everything as one ZIP.

    Args:
        facts: `county`, `office`, `opens_on`, `closes_on`, `response_rate`, `formula`, as text.
        at: aware; written as the date of every file.
    """
    name = f"{columns.wave}_answers"
    return archive(
        {
            f"{name}.csv": as_csv(columns),
            f"{name}.parquet": as_parquet(columns),
            f"{name}.sav": as_sav(columns),
            f"{name}.dta": as_dta(columns),
            f"{name}.ddi.xml": as_ddi(columns, facts, f"{name}.csv"),
            "open_in_R.R": r_script(columns, f"{name}.csv"),
            "README.txt": _read_me(columns, facts).encode(),
        },
        at=at,
    )


def as_csv(columns: AnalysisFile) -> bytes:
    """UTF-8, RFC 4180, a header; empty where the question was not asked."""
    text = StringIO()
    sheet = csv.writer(text, lineterminator="\r\n")
    sheet.writerow([variable.name for variable in columns.variables])
    for row in zip(*(variable.values for variable in columns.variables), strict=True):
        sheet.writerow(
            ["" if value is None else repr(value) if isinstance(value, float) else value for value in row]
        )
    return text.getvalue().encode()


def as_parquet(columns: AnalysisFile) -> bytes:
    """Columns with their labels as field metadata."""
    buffer = BytesIO()
    pq.write_table(_table(columns, labelled=True), buffer)
    return buffer.getvalue()


def as_sav(columns: AnalysisFile) -> bytes:
    """SPSS, with variable labels, value labels and user-missing codes."""

    def write(path: Path) -> None:
        pyreadstat.write_sav(
            polars.from_arrow(_table(columns)),
            path,
            file_label=columns.wave,
            column_labels={one.name: one.label for one in columns.variables},
            variable_value_labels=_value_labels(columns),
            missing_ranges={
                one.name: [{"lo": SILENCES[0], "hi": SILENCES[-1]}]
                for one in columns.variables
                if one.question
            },
            variable_measure={one.name: "nominal" for one in columns.variables if one.codes},
            compress=False,
        )

    return _through_a_file(write, ".sav")


def as_dta(columns: AnalysisFile) -> bytes:
    """Stata 15, with variable and value labels; the codes of silence stay codes, each with its label."""

    def write(path: Path) -> None:
        pyreadstat.write_dta(
            polars.from_arrow(_table(columns)),
            path,
            file_label=columns.wave,
            column_labels={one.name: one.label[:80] for one in columns.variables},
            variable_value_labels={
                name: labels for name, labels in _value_labels(columns).items() if not _is_text(columns, name)
            },
            version=15,
        )

    return _through_a_file(write, ".dta")


def as_ddi(columns: AnalysisFile, facts: dict[str, str], data_file: str) -> bytes:
    """The codebook after DDI-Codebook 2.5; order and words are held by the schema that the tests keep."""
    Tree.register_namespace("", DDI)
    book = Tree.Element(f"{{{DDI}}}codeBook", {"version": "2.5"})

    def add(parent: Tree.Element, tag: str, text: str | None = None, **attributes: str) -> Tree.Element:
        child = Tree.SubElement(parent, f"{{{DDI}}}{tag}", attributes)
        child.text = None if text is None else UNWRITABLE.sub("", text)
        return child

    study = add(book, "stdyDscr")
    citation = add(study, "citation")
    titles = add(citation, "titlStmt")
    add(titles, "titl", columns.title)
    add(titles, "IDNo", columns.wave)
    add(add(citation, "rspStmt"), "AuthEnty", facts["office"])
    add(add(citation, "prodStmt"), "software", "county-survey", version=__version__)
    about = add(study, "stdyInfo")
    add(about, "abstract", facts["formula"])
    scope = add(about, "sumDscr")
    add(scope, "collDate", facts["opens_on"], event="start", date=facts["opens_on"])
    add(scope, "collDate", facts["closes_on"], event="end", date=facts["closes_on"])
    add(scope, "nation", "中国", abbr="CN")
    add(scope, "geogCover", facts["county"])
    add(scope, "anlyUnit", "答卷")
    add(scope, "dataKind", "survey data")
    method = add(study, "method")
    collected = add(method, "dataColl")
    add(
        collected,
        "sampProc",
        "学校按城乡×学段分层简单随机抽样；学校里按人数发一次性填写码；县级名单内简单随机抽样。",
    )
    add(collected, "collMode", "手机或纸质自填")
    add(
        collected,
        "weight",
        "weight为最终权数：设计权数×组内无回答调整×按层和人群事后分层；weight_before为事后分层以前的权数；"
        f"rep_…为重复权数（Fay，方差＝{columns.replicate_scale!r}×各组与全样本之差的平方和），含两级抽样和事后分层。",
    )
    add(add(method, "anlyInfo"), "respRate", f"AAPOR RR2 {facts['response_rate']}")
    file = add(book, "fileDscr", ID="F1")
    described = add(file, "fileTxt")
    add(described, "fileName", data_file)
    size = add(described, "dimensns")
    add(size, "caseQnty", str(columns.n_rows))
    add(size, "varQnty", str(len(columns.variables)))
    add(described, "fileType", "CSV", charset="UTF-8")
    data = add(book, "dataDscr")
    for number, variable in enumerate(columns.variables, start=1):
        told = {"wgt": "wgt"} if variable.is_weight else {}
        if _type(variable) == pa.float64():
            told["intrvl"] = "contin"
        one = add(data, "var", None, ID=f"V{number}", name=variable.name, files="F1", **told)
        add(one, "labl", variable.label)
        if variable.question:
            add(add(one, "qstn"), "qstnLit", variable.question)
        for code in variable.codes:
            missing = {"missing": "Y"} if code.missing else {}
            category = add(one, "catgry", None, **missing)
            add(category, "catValu", str(code.value))
            add(category, "labl", code.label["zh"])
        add(one, "varFormat", None, type="numeric" if variable.kind == "number" else "character")
    Tree.indent(book)
    return Tree.tostring(book, encoding="utf-8", xml_declaration=True)


def r_script(columns: AnalysisFile, data_file: str) -> bytes:
    """The design in R's `survey`, and the figure with its standard error."""
    template = (files("survey.documents") / "open_in_R.R").read_text(encoding="utf-8")
    groups = ", ".join(f'"{group}"' for group in columns.shares)
    shares = ", ".join(fraction_text(share) for share in columns.shares.values())
    words = {
        "@FILE@": data_file,
        "@GROUPS@": groups,
        "@SHARES@": shares,
        "@FIGURE@": truncate(columns.figure),
        "@SE@": truncate(columns.se),
        "@SCALE@": repr(columns.replicate_scale),
    }
    for mark, text in words.items():
        template = template.replace(mark, text)
    return template.encode()


def _table(columns: AnalysisFile, *, labelled: bool = False) -> pa.Table:
    arrays, fields = [], []
    for variable in columns.variables:
        array = pa.array(variable.values, type=_type(variable))
        facts = {"label": variable.label} if labelled else None
        arrays.append(array)
        fields.append(pa.field(variable.name, array.type, metadata=facts))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def _type(variable: AnalysisVariable) -> pa.DataType:
    if any(isinstance(value, str) for value in variable.values) or variable.kind == "label":
        return pa.string()
    if any(isinstance(value, float) for value in variable.values):
        return pa.float64()
    return pa.int32()


def _is_text(columns: AnalysisFile, name: str) -> bool:
    return next(_type(one) == pa.string() for one in columns.variables if one.name == name)


def _value_labels(columns: AnalysisFile) -> dict[str, dict[Any, str]]:
    return {
        one.name: {code.value: code.label["zh"] for code in one.codes}
        for one in columns.variables
        if one.codes
    }


def _through_a_file(write: Callable[[Path], None], ending: str) -> bytes:
    """What the library, which writes to paths only, has written."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"answers{ending}"
        write(path)
        return path.read_bytes()


def _read_me(columns: AnalysisFile, facts: dict[str, str]) -> str:
    return "\n".join(
        (
            f"{columns.title}（{columns.wave}）",
            "内部资料：只给承担分析的人，不公开，不给学校。学校换成了编号，没有姓名、时间和文字，",
            "但知道各校份数的人仍可能认出一所学校。",
            "",
            f"{columns.n_rows}行，其中答卷{columns.n_answers}份；其余是抽中但一份也没有收回的学校，answered为0，算误差时要留着。",
            "96 不用填  97 拒绝回答  98 说不清、不了解  99 没有选；空白：这一类人没有问这一题。",
            f"满意度 {truncate(columns.figure)}，标准误 {truncate(columns.se)}，方法版本 {METHOD_VERSION}。",
            f"口径：{facts['formula']}",
            f"重复权数rep_…（Fay 1989，含两级抽样和事后分层）：方差＝{columns.replicate_scale!r}×Σ（各组估计−全样本估计）²。",
            "用R打开：Rscript open_in_R.R（要survey包）。",
            "",
        )
    )
