"""Estimate a file of cases collected elsewhere by a spec, and keep table and report in a folder."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from importlib.resources import files
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from survey import METHOD_VERSION
from survey.cases.case_table import UnreadableCasesError, is_spss, read_case_table
from survey.columns import Columns
from survey.errors import Fault, SurveyError
from survey.estimation.analysis.run import analyse
from survey.estimation.analysis.sample import sample_of
from survey.estimation.analysis.spec import AnalysisSpec, columns_needed, read_spec
from survey.jobs.map_columns import ColumnMap

NEVER_CERTIFIED = "别处收集的数据，没有封存，也没有事先签的方案：不能签发证书，不能当作认证过的满意度引用"
"""Said wherever such a result is shown; no road leads from it to a certificate."""

Progress = Callable[[float, str], None]
"""Told the share of the work done and what is being done."""


class FileMissingError(SurveyError):
    """A file that a person or their spec names cannot be read."""

    code = "estimate_file.unreadable"
    kind = "not_found"


class UnknownExampleError(SurveyError):
    """No example spec of that name."""

    code = "estimate_file.no_example"
    kind = "not_found"


@dataclass(frozen=True)
class SpecFile:
    """A spec as it was given: its text, its name, and the folder it stands in."""

    name: str
    text: bytes
    folder: Path | None


def examples() -> tuple[str, ...]:
    """The names of the example specs that come with the product."""
    folder = files("survey.estimation.analysis") / "examples"
    return tuple(
        sorted(one.name.removesuffix(".yaml") for one in folder.iterdir() if one.name.endswith(".yaml"))
    )


def example_spec(name: str) -> SpecFile:
    """An example spec.

    Raises:
        UnknownExampleError: the names there are stand beside it.
    """
    if name not in examples():
        raise UnknownExampleError(f"例子“{name}”", "没有这个例子", f"有：{'、'.join(examples())}")
    text = (files("survey.estimation.analysis") / "examples" / f"{name}.yaml").read_bytes()
    return SpecFile(name, text, None)


def estimate_file(
    cases: Path,
    spec_file: SpecFile,
    column_map: ColumnMap | None = None,
    *,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """The results of a spec on a file, as one document.

    Args:
        cases: CSV (plain or gzip), Parquet or SPSS; XLSX or CSV with a column map.
        column_map: which header of the file the spec calls what.
        progress: told between steps and while a long file is read.

    Raises:
        SurveyError: a fault of the spec, the file or what they say together, named.
    """
    return estimate_cases(
        _bytes(cases), cases.name, spec_file, column_map, beside=cases.parent, progress=progress
    )


def estimate_cases(
    data: bytes,
    name: str,
    spec_file: SpecFile,
    column_map: ColumnMap | None = None,
    *,
    beside: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """The results of a spec on the bytes of a file, as one document.

    Args:
        column_map: which header of the file the spec calls what; CSV and XLSX only.
        beside: the folder of the file, where a spec's other files are looked for; None, as for what
            was uploaded, looks nowhere.

    Raises:
        SurveyError: a fault of the spec, the file, the map or what they say together, named.
    """
    tell = progress or (lambda share, what: None)
    spec = read_spec(spec_file.text)
    tell(0.0, "读数据")
    cases, read_as = data, name
    if column_map is not None:
        cases, read_as = column_map.applied(data, name), f"{Path(name).stem}.csv"
    columns = _columns(
        cases,
        read_as,
        columns_needed(spec),
        None if column_map is not None else spec.cases.encoding,
        lambda seen, size: tell(0.3 * seen / max(size, 1), "读数据"),
    )
    others = _Beside(spec, [folder for folder in (spec_file.folder, beside) if folder is not None])
    sample = sample_of(
        spec, columns, others.table, progress=lambda at, of, what: tell(0.3 + 0.2 * at / of, f"加权：{what}")
    )
    results = analyse(spec, sample, progress=lambda at, of, what: tell(0.5 + 0.5 * at / of, f"计算：{what}"))
    tell(1.0, "完成")
    return {
        "type": "file_estimate",
        "v": 1,
        "method_version": METHOD_VERSION,
        "certifiable": False,
        "file": {"name": name, "sha256": sha256(data).hexdigest(), "records": len(columns)},
        "spec": {"name": spec_file.name, "sha256": sha256(spec_file.text).hexdigest()},
        "column_map": None if column_map is None else dict(column_map.columns),
        "beside": others.digests,
        **results,
        "notes": [NEVER_CERTIFIED, *results["notes"]],
    }


def write_results(document: dict[str, Any], folder: Path, *, now: datetime) -> dict[str, str]:
    """Write `results.csv`, `.json`, `.xlsx` and `report.pdf` into a folder; their paths by kind.

    Raises:
        UnwritableFolderError: the folder cannot be written.
    """
    from survey.documents.analysis_report import analysis_report
    from survey.documents.analysis_tables import table_csv, table_json, table_xlsx

    now = now.replace(microsecond=0)
    made = {
        "results.csv": table_csv(document),
        "results.json": table_json(document),
        "results.xlsx": table_xlsx(document, at=now),
        "report.pdf": analysis_report(document, at=now),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in made.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise UnwritableFolderError(
            f"文件夹 {folder}",
            f"写不进去（{error.strerror or type(error).__name__}）",
            "换一个文件夹，或看权限和磁盘空间",
        ) from error
    return {name: str(folder / name) for name in made}


class UnwritableFolderError(SurveyError):
    """The folder for the results cannot be written."""

    code = "estimate_file.unwritable"
    kind = "invalid"


class _Beside:
    """The files a spec names, looked for beside the spec, then beside the cases."""

    def __init__(self, spec: AnalysisSpec, folders: list[Path]) -> None:
        self.encoding = spec.cases.encoding
        self.folders = folders
        self.digests: dict[str, str] = {}
        self._tables: dict[str, Columns] = {}

    def table(self, name: str) -> Columns:
        """The columns of a file beside; read once."""
        if not self.folders:
            raise FileMissingError(f"文件 {name}", "网页上只读上传的那一份", "要并别的文件，请用命令 survey estimate")
        if name not in self._tables:
            path = next(
                (one for folder in self.folders if (one := folder / name).is_file()), self.folders[-1] / name
            )
            data = _bytes(path)
            self.digests[name] = sha256(data).hexdigest()
            self._tables[name] = _columns(data, name, None, self.encoding, None)
        return self._tables[name]


def _columns(
    data: bytes,
    name: str,
    wanted: set[str] | None,
    encoding: str | None,
    progress: Callable[[int, int], None] | None,
) -> Columns:
    """The columns of a file; an SPSS file is read in a process of its own.

    ReadStat, the parser in C, was seen to fall over on damaged files, and takes its process with it.
    """
    if not is_spss(data):
        return read_case_table(data, name, wanted=wanted, encoding=encoding, progress=progress)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as apart:
        try:
            found = apart.submit(_read_apart, data, name, wanted, encoding).result()
        except BrokenProcessPool:
            found = (Fault("cases.sav_broken", "SPSS文件损坏，读到一半停了", "用SPSS或问卷平台重新导出再算"),)
    if isinstance(found, Columns):
        return found
    raise UnreadableCasesError(f"数据文件“{name}”", found)


def _read_apart(
    data: bytes, name: str, wanted: set[str] | None, encoding: str | None
) -> Columns | tuple[Fault, ...]:
    """The columns, or the faults: a refusal with faults does not travel between processes."""
    try:
        return read_case_table(data, name, wanted=wanted, encoding=encoding)
    except UnreadableCasesError as refusal:
        return refusal.faults


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise FileMissingError(f"文件 {path}", f"打不开（{reason}）", "看一看路径和权限") from error
