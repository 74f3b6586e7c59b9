"""C12 report: its parts chosen on the page, looked at, and taken away as PDF, DOCX or XLSX.

The result, its formula and its limits are in every report; what may be left out is chosen by a
form that only reads, so that a chosen report has an address of its own.
"""

from litestar import Response, get
from litestar.params import FromPath

from survey.documents.report import PARTS
from survey.jobs.render_report import KINDS, render_report
from survey.storage.certificates import list_certificates
from survey.storage.plans import load_wave
from survey.storage.results import find_results
from survey.web.access import check_query, may
from survey.web.console.page import AFTER_OPENING, console_page, wave_crumbs
from survey.web.console.results import NotOpenedError, filled
from survey.web.console.waves import tabs_of
from survey.web.errors import UnknownPageError
from survey.web.files import download
from survey.web.pages import AnyRequest
from survey.web.verify.standing import is_revoked

FIELDS = frozenset({*(f"part_{part}" for part in PARTS), "chosen"})
ALWAYS = ("主要结果", "满意度与算法", "局限")
ABOUT = {
    "selection": "每层名册上和抽中的学校数",
    "returns": "发出、交回、声明未填、作废和应答率",
    "tables": "各类人员、学段、城乡、方面，带份数、区间和图",
    "facts": "事实题（有没有、多久一次）每个选项的份数和占比",
    "flags": "学校组上的提示，不落在任何一份答卷上",
    "items": "每一题的有效份数、满意率和各选项份数",
    "instrument": "每类人被问的每一道题和选项，原文",
    "digests": "报告所依据的文件的SHA-256摘要",
}


@get("/waves/{wave:str}/report", guards=[may("results.see")])
async def show_report(request: AnyRequest, wave: FromPath[str]) -> Response[str]:
    """The parts, what each holds, and the files."""
    row = await load_wave(wave)
    if row.state not in AFTER_OPENING:
        raise NotOpenedError(row.state_name)
    parts, results, certificates = _chosen(request), await find_results(wave), await list_certificates(wave)
    left_out = [part for part in PARTS if part not in parts]
    return console_page(
        request,
        "report.html",
        title="报告",
        crumbs=wave_crumbs(row),
        command=f"survey report {wave} --format pdf" + "".join(f" --without {part}" for part in left_out),
        row=row,
        tabs=tabs_of(row, "/report"),
        results=filled(results) if results else None,
        parts=[(part, name, ABOUT[part], part in parts) for part, name in PARTS.items()],
        always=ALWAYS,
        query="&".join(["chosen=1", *(f"part_{part}=1" for part in parts)]),
        is_final=row.state == "certified",
        certificate=bool(certificates),
        withdrawn=await is_revoked(certificates),
    )


@get("/waves/{wave:str}/report/{kind:str}", guards=[may("results.see")])
async def download_report(request: AnyRequest, wave: FromPath[str], kind: FromPath[str]) -> Response[bytes]:
    """The report as PDF or DOCX, its tables as XLSX, or the PDF to look at; 草稿 until certified."""
    row = await load_wave(wave)
    is_preview = kind == "preview"
    if kind not in KINDS and not is_preview:
        raise UnknownPageError("报告", "没有这种格式", f"可以下载{'、'.join(KINDS)}")
    made = await render_report(
        wave, "pdf" if is_preview else kind, parts=_chosen(request), now=request.app.state.now()
    )
    if is_preview:
        return Response(made, media_type="application/pdf", headers={"Content-Disposition": "inline"})
    certificates = await list_certificates(wave) if row.state == "certified" else ()
    version = f"v{len(certificates)}" if certificates else "草稿"
    what = "结果表" if kind == "xlsx" else "报告"
    return download(made, f"{row.county}_{row.wave}_满意度{what}_{version}.{kind}")


REPORT_ROUTES = (show_report, download_report)


def _chosen(request: AnyRequest) -> tuple[str, ...]:
    """The parts ticked; all where nobody has chosen yet."""
    query = check_query(request, FIELDS)
    return tuple(part for part in PARTS if "chosen" not in query or f"part_{part}" in query)
