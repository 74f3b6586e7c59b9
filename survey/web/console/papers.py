"""C5: posters and slips of a wave, made when asked for, to download and print.

Slips show their codes, so they can be made only while the print file exists, that is until
the wave opens; who made them is in the log. Posters show no code and can be made any time.
"""

from asyncio import Lock
from pathlib import Path

from litestar import Response, get
from litestar.params import FromPath

from survey.errors import SurveyError
from survey.jobs.render_papers import render_posters, render_slips, suffix_of
from survey.sampling.sample import Sample
from survey.storage.audit import record_audit
from survey.storage.plans import load_plan, load_wave
from survey.storage.print_files import print_path
from survey.storage.samples import find_sample
from survey.web.access import check_query, may, person_of
from survey.web.console.page import console_page, state_reached, wave_crumbs
from survey.web.console.waves import tabs_of
from survey.web.files import MEDIA_TYPES, download

PAPERS = {"a3": "A3", "a4": "A4", "a5": "A5"}

_one_at_a_time = Lock()
from survey.web.pages import AnyRequest


class UnknownPaperError(SurveyError):
    """No poster of that size."""

    code = "console.unknown_paper"
    kind = "invalid"

    def __init__(self) -> None:
        super().__init__("纸张", "没有这种尺寸", f"从{'、'.join(PAPERS.values())}里选")


@get("/waves/{wave:str}/papers", guards=[may("papers.download")])
async def show_papers(request: AnyRequest, wave: FromPath[str]) -> Response[str]:
    """What there is to print, what must still happen before there is, and how to hand it out."""
    row = await load_wave(wave)
    sample = await find_sample(wave)
    return console_page(
        request,
        "papers.html",
        title="纸条和海报",
        crumbs=wave_crumbs(row),
        command=f"survey slips {wave}\nsurvey posters {wave} --size a4\nsurvey publish {wave}",
        row=row,
        tabs=tabs_of(row, "/papers"),
        plan=await load_plan(wave),
        sample=sample,
        signed=state_reached(row.state, "planned"),
        printable=print_path(request.app.state.settings, row.wave).is_file(),
        schools=_schools(sample) if sample else {},
        papers=PAPERS,
    )


@get("/waves/{wave:str}/papers/posters.zip", guards=[may("papers.download")])
async def download_posters(request: AnyRequest, wave: FromPath[str]) -> Response[bytes]:
    """Posters of every drawn school, one PDF each, in one ZIP."""
    paper = check_query(request, frozenset({"size"})).get("size", "a4")
    if paper not in PAPERS:
        raise UnknownPaperError
    app, row = request.app.state, await load_wave(wave)
    async with _one_at_a_time:
        posters = await render_posters(app.settings, row.wave, paper=paper, now=app.now())
    return download(posters, f"{row.county}_{row.wave}_海报_{PAPERS[paper]}.zip")


@get("/waves/{wave:str}/papers/slips.pdf", guards=[may("papers.download")])
async def download_slips(request: AnyRequest, wave: FromPath[str]) -> Response[bytes]:
    """Slips with their codes, of all schools or of one; the log keeps who made them."""
    school = check_query(request, frozenset({"school"})).get("school") or None
    app, row = request.app.state, await load_wave(wave)
    async with _one_at_a_time:
        slips = await render_slips(app.settings, row.wave, school=school, now=app.now())
    details = {"school": school or "all"}
    await record_audit(person_of(request).name, "download_papers", row.wave, details=details, now=app.now())
    return download(slips, f"{row.county}_{row.wave}_纸条{'_' + school if school else ''}{suffix_of(slips)}")


PAPER_ROUTES = (show_papers, download_posters, download_slips)


def _schools(sample: Sample) -> dict[str, str]:
    """Code and name of every drawn school."""
    return {draw.school_code: draw.school_name for draw in sample.domains if draw.school_code}


def files_in(folder: Path) -> list[Path]:
    """Regular files of a kind that may be handed out, by name."""
    if not folder.is_dir():
        return []
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and not path.is_symlink() and path.suffix.lower() in MEDIA_TYPES
    )
