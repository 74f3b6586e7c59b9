"""A wave's analysis file for other programs: CSV, Parquet, SPSS, Stata, a codebook, and an R script.

What enters is an `AnalysisFile`; what leaves is files whose values, labels and missing codes are the
same whatever opens them. `open_in_R.R` builds the survey design with R's `survey` and prints the
figure with its standard error, so that nobody has to rebuild the design by hand.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from importlib.resources import files
from io import BytesIO, StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any
from xml.etree import ElementTree as Tree

import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat

from survey import METHOD_VERSION, __version__
from survey.columns import UNWRITABLE
from survey.documents.archive import archive_to
from survey.estimation.analysis_file import AnalysisFile, AnalysisVariable
from survey.exact import fraction_text, truncate
from survey.scheme.codebook import DONT_KNOW, OFF_PATH, REFUSED, SKIPPED

DDI = "ddi:codebook:2_5"
SILENCES: dict[Any, str] = {OFF_PATH: "a", REFUSED: "b", DONT_KNOW: "c", SKIPPED: "d"}
"""Off path, refused, don't know, skipped, and the letters of Stata's missing values: missing to every
program that knows such a thing, and still apart from each other."""


def analysis_pack(
    target: IO[bytes],
    columns: AnalysisFile,
    facts: dict[str, str],
    *,
    at: datetime,
    progress: Callable[[float, str], None] | None = None,
) -> None:
    """Write everything as one ZIP, a file at a time.

    Args:
        target: open for writing bytes.
        facts: `county`, `office`, `opens_on`, `closes_on`, `response_rate`, `formula`, as text; `caution` where there is one.
        at: aware; written as the date of every file.
        progress: told the share done and which file is written; whatever it raises ends the writing.
    """
    name = f"{columns.wave}_answers"
    makers: dict[str, Callable[[], bytes]] = {
        f"{name}.csv": lambda: as_csv(columns),
        f"{name}.parquet": lambda: as_parquet(columns),
        f"{name}.sav": lambda: as_sav(columns),
        f"{name}.dta": lambda: as_dta(columns),
        f"{name}.ddi.xml": lambda: as_ddi(columns, facts, f"{name}.csv"),
        "open_in_R.R": lambda: r_script(columns, f"{name}.csv"),
        "README.txt": lambda: _read_me(columns, facts, name).encode(),
    }

    def files_in_turn() -> Iterator[tuple[str, bytes]]:
        for number, file in enumerate(sorted(makers)):
            if progress is not None:
                progress(number / len(makers), f"写{file}")
            yield file, makers[file]()

    archive_to(target, files_in_turn(), at=at)


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
    """Columns with label, codes and missing codes as field metadata, the codes as JSON."""
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
                one.name: [{"lo": min(SILENCES), "hi": max(SILENCES)}]
                for one in columns.variables
                if one.question
            },
            variable_measure={
                one.name: "nominal" if one.codes else "scale"
                for one in columns.variables
                if one.codes or _type(one) == pa.float64()
            },
            variable_format={one.name: "F8.0" for one in columns.variables if _type(one) == pa.int32()},
            compress=False,
        )

    return _through_a_file(write, ".sav")


def as_dta(columns: AnalysisFile) -> bytes:
    """Stata 15, with variable and value labels; silences are the missing values .a to .d, each with its label.

    Where nobody of all chose anything, the silences stay numbers: a column of letters alone would be text.
    """
    lettered = {one.name for one in columns.variables if one.question and _is_mixed(one)}
    texts = {one.name for one in columns.variables if _type(one) == pa.string()}

    def write(path: Path) -> None:
        frame: Any = polars.from_arrow(_table(columns))
        pyreadstat.write_dta(
            frame.with_columns(
                polars.Series(one.name, [SILENCES.get(value, value) for value in one.values], dtype=polars.Object)
                for one in columns.variables
                if one.name in lettered
            ),
            path,
            file_label=columns.wave,
            column_labels={one.name: one.label[:80] for one in columns.variables},
            variable_value_labels={
                name: {SILENCES.get(value, value) if name in lettered else value: word for value, word in labels.items()}
                for name, labels in _value_labels(columns).items()
                if name not in texts
            },
            missing_user_values={name: list(SILENCES.values()) for name in lettered},
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
        facts = _words_of(variable) if labelled else None
        arrays.append(array)
        fields.append(pa.field(variable.name, array.type, metadata=facts))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def _type(variable: AnalysisVariable) -> pa.DataType:
    if any(isinstance(value, str) for value in variable.values) or variable.kind == "label":
        return pa.string()
    if any(isinstance(value, float) for value in variable.values):
        return pa.float64()
    return pa.int32()


def _words_of(variable: AnalysisVariable) -> dict[str, str]:
    """What a column of a Parquet file says of itself."""
    told = {"label": variable.label}
    if variable.codes:
        told["values"] = json.dumps({str(one.value): one.label["zh"] for one in variable.codes}, ensure_ascii=False)
    if variable.question:
        told["missing"] = json.dumps(list(SILENCES))
    return told


def _is_mixed(variable: AnalysisVariable) -> bool:
    """Whether some have answered and some have not."""
    given = {value in SILENCES for value in variable.values if value is not None}
    return given == {True, False}


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


def _read_me(columns: AnalysisFile, facts: dict[str, str], name: str) -> str:
    asked = [one.name for one in columns.variables if one.question]
    n_replicates = sum(one.name.startswith("rep_") for one in columns.variables)
    silent = columns.n_rows - columns.n_answers
    of_silent = f"；另有{silent}行是抽中但一份也没有收回的学校，answered为0，算误差时要留着" if silent else ""
    # An office opens this in Windows.
    return "\r\n".join(
        (
            f"{columns.title}（{columns.wave}）",
            *([facts["caution"]] if facts.get("caution") else []),
            "内部资料：只给承担分析的人，不公开，不给学校。学校换成了编号，没有姓名、时间和文字，",
            "但知道各校份数的人仍可能认出一所学校。",
            "",
            "文件（内容相同，用哪一种都行）",
            f"  {name}.csv      UTF-8，第一行是变量名",
            f"  {name}.parquet  字段的metadata里有标签、编码和缺失编码",
            f"  {name}.sav      SPSS，标签和缺失值都已声明",
            f"  {name}.dta      Stata 15，缺失值是.a到.d，各有标签",
            f"  {name}.ddi.xml  编码簿，DDI-Codebook 2.5",
            "  open_in_R.R     建好抽样设计，算出公布的数和标准误：Rscript open_in_R.R（要survey包）",
            "",
            f"行：{columns.n_answers}行，一份答卷一行{of_silent}。",
            "列，按次序",
            "  row answered            行号；是否有答卷",
            "  stratum psu n_psu       第一级的层、抽样单位（学校，或名单上的人）、层里的总数",
            "  ssu_stratum n_ssu       第二级：学校×人群的编号、应有人数",
            "  group place stage       人群、城乡、学段",
            "  weight_before           事后分层以前的权数",
            "  poststratum             事后分层的格",
            "  weight                  最终权数，算估计值用这一个",
            "  figure_top figure_base  满意度的分子和分母",
            f"  {asked[0]} … {asked[-1]}             各题，变量标签就是题目；别的人群的题空着",
            f"  rep_001 … rep_{n_replicates:03d}     重复权数（Fay 1989，含两级抽样和事后分层），",
            f"                          方差＝{columns.replicate_scale!r}×Σ（各组估计−全样本估计）²",
            "",
            "没有回答的四种：96 不用填  97 拒绝回答  98 说不清、不了解  99 没有选。空白：这一类人没有问这一题。",
            "SPSS里96到99已声明为缺失；Stata里依次是.a .b .c .d；CSV和Parquet里是数字，求平均以前要去掉。",
            "",
            f"满意度 {truncate(columns.figure)}，标准误 {truncate(columns.se)}，方法版本 {METHOD_VERSION}。",
            f"口径：{facts['formula']}",
            "",
        )
    )
