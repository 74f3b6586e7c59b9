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
from survey.documents.analysis_report import analysis_report
from survey.documents.analysis_tables import table_csv, table_json, table_xlsx
from survey.errors import Fault, SurveyError
from survey.estimation.analysis.run import analyse
from survey.estimation.analysis.sample import sample_of
from survey.estimation.analysis.spec import AnalysisSpec, columns_needed, read_spec

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


def estimate_file(cases: Path, spec_file: SpecFile, *, progress: Progress | None = None) -> dict[str, Any]:
    """The results of a spec on a file, as one document.

    Args:
        cases: CSV (plain or gzip), Parquet or SPSS.
        progress: told between steps and while a long file is read.

    Raises:
        SurveyError: a fault of the spec, the file or what they say together, named.
    """
    tell = progress or (lambda share, what: None)
    spec = read_spec(spec_file.text)
    tell(0.0, "读数据")
    data = _bytes(cases)
    columns = _columns(
        data,
        cases.name,
        columns_needed(spec),
        spec.cases.encoding,
        lambda seen, size: tell(0.3 * seen / max(size, 1), "读数据"),
    )
    beside = _Beside(spec, cases.parent, spec_file.folder)
    sample = sample_of(
        spec, columns, beside.table, progress=lambda at, of, what: tell(0.3 + 0.2 * at / of, f"加权：{what}")
    )
    results = analyse(spec, sample, progress=lambda at, of, what: tell(0.5 + 0.5 * at / of, f"计算：{what}"))
    tell(1.0, "完成")
    return {
        "type": "file_estimate",
        "v": 1,
        "method_version": METHOD_VERSION,
        "file": {"name": cases.name, "sha256": sha256(data).hexdigest(), "records": len(columns)},
        "spec": {"name": spec_file.name, "sha256": sha256(spec_file.text).hexdigest()},
        "beside": beside.digests,
        **results,
    }


def write_results(document: dict[str, Any], folder: Path, *, now: datetime) -> dict[str, str]:
    """Write `results.csv`, `.json`, `.xlsx` and `report.pdf` into a folder; their paths by kind.

    Raises:
        UnwritableFolderError: the folder cannot be written.
    """
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

    def __init__(self, spec: AnalysisSpec, cases: Path, spec_folder: Path | None) -> None:
        self.encoding = spec.cases.encoding
        self.folders = [folder for folder in (spec_folder, cases) if folder is not None]
        self.digests: dict[str, str] = {}
        self._tables: dict[str, Columns] = {}

    def table(self, name: str) -> Columns:
        """The columns of a file beside; read once."""
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
