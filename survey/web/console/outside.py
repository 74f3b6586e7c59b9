"""Answers collected elsewhere: upload a file and a spec, say which column is which, get the table.

Nothing is stored: file, map and results wait in this process's memory for half an hour, and the
map is taken away as a small file for the next time. No wave is touched, and every page and file
says that such a result can never be certified.
"""

from asyncio import to_thread
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath

from survey.errors import FaultsError, SurveyError
from survey.exact import percent_text, truncate
from survey.jobs.estimate_file import NEVER_CERTIFIED, SpecFile, estimate_cases, example_spec, examples
from survey.jobs.map_columns import ColumnMap, names_asked, proposed_map, read_map, sheet_of
from survey.web.access import may, person_of, read_form
from survey.web.console.page import console_page
from survey.web.errors import UnknownPageError, status_of
from survey.web.files import download
from survey.web.headers import FILE_LIMIT
from survey.web.pages import AnyRequest

SLOT = "outside"
FILES = {
    "results.xlsx": "结果表（XLSX）",
    "results.csv": "结果表（CSV）",
    "report.pdf": "报告（PDF）",
    "map.json": "列的对应表，下次再用",
}
MOST_ROWS = 300


@dataclass(frozen=True)
class PendingCases:
    """A file with its spec, and what has been said and computed so far."""

    filename: str
    data: bytes
    spec: SpecFile
    names: tuple[str, ...]
    head: list[str]
    proposed: dict[str, str]
    tried_at: datetime
    column_map: ColumnMap | None = None
    document: dict[str, Any] | None = None


@get("/outside", guards=[may("outside.estimate")])
async def show_outside(request: AnyRequest) -> Response[str]:
    """The form: a file, a spec, and a saved map where there is one."""
    return _page(request)


@post("/outside", guards=[may("outside.estimate")], request_max_body_size=FILE_LIMIT, status_code=200)
async def post_cases(request: AnyRequest) -> Response[str]:
    """Read file and spec, and ask which column is which."""
    app, form = request.app.state, await read_form(request)
    try:
        filename, data = await _upload(form.get("cases"), "数据文件")
        if form.get("example"):
            spec = example_spec(str(form["example"]))
        else:
            name, text = await _upload(form.get("spec"), "计算说明")
            spec = SpecFile(name, text, None)
        known = None
        if isinstance(one := form.get("map"), UploadFile) and one.filename:
            known = read_map((await _upload(one, "对应表"))[1])
        names = await to_thread(names_asked, spec.text)
        head, _ = await to_thread(sheet_of, data, filename)
    except SurveyError as refusal:
        return _page(request, refusal=refusal)
    pending = PendingCases(filename, data, spec, names, head, proposed_map(names, head, known), app.now())
    app.outside.keep(person_of(request).name, SLOT, pending)
    return _page(request, pending)


@post("/outside/table", guards=[may("outside.estimate")], status_code=200)
async def post_map(request: AnyRequest) -> Response[str]:
    """The table, by the columns that were chosen."""
    app, form, person = request.app.state, await read_form(request), person_of(request).name
    pending: PendingCases = app.outside.load(person, SLOT, app.now())
    chosen = {name: str(form.get(f"column_{at}", "")) for at, name in enumerate(pending.names)}
    pending = replace(pending, proposed=chosen, document=None)
    column_map = ColumnMap({name: header for name, header in chosen.items() if header})
    try:
        document = await to_thread(estimate_cases, pending.data, pending.filename, pending.spec, column_map)
    except SurveyError as refusal:
        app.outside.keep(person, SLOT, pending)
        return _page(request, pending, refusal)
    pending = replace(pending, column_map=column_map, document=document)
    app.outside.keep(person, SLOT, pending)
    return _page(request, pending)


@get("/outside/{name:str}", guards=[may("outside.estimate")])
async def download_outside(request: AnyRequest, name: FromPath[str]) -> Response[bytes]:
    """What was computed last, as a file."""
    app = request.app.state
    if name not in FILES:
        raise UnknownPageError("文件", f"没有“{name[:60]}”", f"可以下载{'、'.join(FILES)}")
    pending: PendingCases = app.outside.load(person_of(request).name, SLOT, app.now())
    if pending.document is None or pending.column_map is None:
        raise UnknownPageError("文件", "还没有算出来", "先选好列，再计算")
    at = app.now().replace(microsecond=0)
    if name == "map.json":
        return download(pending.column_map.encoded(), "列的对应表.json")
    # The makers of workbooks and papers load themselves when somebody asks for one.
    from survey.documents.analysis_report import analysis_report
    from survey.documents.analysis_tables import table_csv, table_xlsx

    if name == "results.csv":
        return download(table_csv(pending.document), "别处数据_结果.csv")
    make, title = (
        (table_xlsx, "别处数据_结果.xlsx") if name == "results.xlsx" else (analysis_report, "别处数据_报告.pdf")
    )
    return download(await to_thread(make, pending.document, at=at), title)


OUTSIDE_ROUTES = (show_outside, post_cases, post_map, download_outside)


class NoFileError(SurveyError):
    """A file was not chosen."""

    code = "outside.no_file"
    kind = "invalid"

    def __init__(self, what: str) -> None:
        super().__init__(what, "没有选", "选一个文件再试")


async def _upload(given: Any, what: str) -> tuple[str, bytes]:
    if not isinstance(given, UploadFile) or not given.filename:
        raise NoFileError(what)
    return given.filename.replace("\\", "/").rpartition("/")[2][:120], await given.read()


def _page(
    request: AnyRequest, pending: PendingCases | None = None, refusal: SurveyError | None = None
) -> Response[str]:
    document = pending.document if pending else None
    rows = [*document["rows"], *document["composites"]] if document else []
    return console_page(
        request,
        "outside.html",
        title="计算别处收集的数据",
        crumbs=(("调查", "/console/waves"),),
        command="survey estimate --cases 数据.xlsx --spec 说明.yaml --map 列的对应表.json",
        status=status_of(refusal) if refusal else 200,
        refusal=refusal,
        faults=refusal.faults if isinstance(refusal, FaultsError) else (),
        pending=pending,
        fields=[(at, name, pending.proposed.get(name, "")) for at, name in enumerate(pending.names)] if pending else (),
        document=document,
        rows=[_row(row) for row in rows[:MOST_ROWS]],
        n_rows=len(rows),
        files=FILES,
        examples=examples(),
        must_say=NEVER_CERTIFIED,
    )


def _row(row: dict[str, Any]) -> tuple[str, ...]:
    """One line of the table as text; what is withheld says so."""
    name = str(row.get("label") or row.get("id") or "")
    option = str(row.get("option_label") or row.get("option") or "")
    if row.get("withheld"):
        return name, option, str(row["domain"]), "不显示", "", "", ""
    is_share = row.get("percent") is not None
    lower, upper = row.get("lower"), row.get("upper")
    between = "" if lower is None or upper is None else f"{_number(lower, is_share)}–{_number(upper, is_share)}"
    shown = str(row.get("percent") or row.get("shown") or "")
    se = "" if row.get("se") is None else f"{row['se']:.4f}"
    return name, option, str(row["domain"]), shown, se, between, str(row.get("n") or "")


def _number(value: Any, is_share: bool) -> str:
    return percent_text(truncate(float(value))) if is_share else f"{float(value):.4g}"
