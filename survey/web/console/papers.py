"""C5: the print room. One job, one ZIP, with its progress, its pages and the paper it needs.

What is on a slip exists in clear only until the wave opens; after that the print file is
gone and the page says so. Everything else may be printed again at any time.
"""

from collections.abc import Mapping, Sequence
from shlex import quote

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath
from litestar.response import File, Redirect

from survey.errors import FaultsError, SurveyError
from survey.jobs.class_piles import ClassPiles, read_class_piles
from survey.jobs.render_papers import PARTS, PaperJob, Wish, paper_languages, plan_papers
from survey.sampling.sample import Sample
from survey.storage.audit import record_audit
from survey.storage.plans import WaveRow, load_plan, load_wave
from survey.storage.print_files import archive_path, print_path
from survey.storage.samples import find_sample
from survey.web.access import check_query, may, person_of, read_form
from survey.web.console.page import GROUPS, console_page, state_reached, wave_crumbs
from survey.web.console.waves import tabs_of
from survey.web.errors import WebError, status_of
from survey.web.pages import AnyRequest

TICKED_AT_MOST = 200
"""Schools that are offered one by one; in a larger sample their codes are typed."""
NAMED_IN_COMMAND = 5
PAPERS = {"a3": "A3", "a4": "A4", "a5": "A5"}


class NoArchiveError(WebError):
    """There is no finished print job to download."""

    code = "console.no_archive"
    status = 404

    def __init__(self, wave: str) -> None:
        super().__init__(f"调查 {wave} 的打印文件", "还没有排印，或者已经清除", "在“纸条和海报”里排印一次")


@get("/waves/{wave:str}/papers", guards=[may("papers.download")])
async def show_papers(request: AnyRequest, wave: FromPath[str]) -> Response[str]:
    """What there is to print, what must still happen before there is, and how to hand it out."""
    sample = await find_sample(wave)
    offered = {f"s.{code}": code for code in (_schools(sample) if sample else ())}
    picked = check_query(request, frozenset(offered))
    return await _page(request, await load_wave(wave), chosen=[offered[name] for name in picked])


@post("/waves/{wave:str}/papers", guards=[may("papers.download")], status_code=303)
async def post_papers(request: AnyRequest, wave: FromPath[str]) -> Response[str] | Redirect:
    """Begin a print job; its own page shows how far it is. What is refused leaves the form as it was filled."""
    app, row, person = request.app.state, await load_wave(wave), person_of(request)
    form = await read_form(request)
    typed = {name: str(value) for name, value in form.items() if not isinstance(value, UploadFile)}
    parts = tuple(part for part in PARTS if form.get(f"part_{part}"))
    try:
        wish = Wish(
            parts or tuple(PARTS),
            typed.get("size", "a4"),
            tuple(dict.fromkeys(typed.get("schools", "").replace("，", " ").split())),
            await _classes(form.get("classes")),
            typed.get("language", "zh"),
        )
        planned: PaperJob = await plan_papers(app.settings, row.wave, wish, now=app.now())
        app.print_room.start(app.settings, planned, wish, person.name)
    except SurveyError as refusal:
        return await _page(request, row, refusal, typed)
    details = {"parts": list(wish.parts), "school": wish.told, "language": wish.language}
    await record_audit(person.name, "print_papers", row.wave, details=details, now=app.now())
    return Redirect(path=f"/console/waves/{row.wave}/papers/job", status_code=303)


@get("/waves/{wave:str}/papers/job", guards=[may("papers.download")])
async def show_job(request: AnyRequest, wave: FromPath[str]) -> Response[str]:
    """How far the last print job is; the page looks again every five seconds while it runs."""
    row = await load_wave(wave)
    job = request.app.state.print_room.job(wave)
    there = archive_path(request.app.state.settings, row.wave)
    return console_page(
        request,
        "papers_job.html",
        title="排印",
        crumbs=(*wave_crumbs(row), ("纸条和海报", f"/console/waves/{wave}/papers")),
        command=f"survey papers {wave}",
        row=row,
        job=job,
        part_names=PARTS,
        size=there.stat().st_size if there.is_file() else None,
    )


@post("/waves/{wave:str}/papers/job/stop", guards=[may("papers.download")], status_code=303)
async def post_stop(request: AnyRequest, wave: FromPath[str]) -> Redirect:
    """Stop the running job between two files."""
    row = await load_wave(wave)
    job = request.app.state.print_room.job(row.wave)
    if job is not None:
        job.stop.set()
    return Redirect(path=f"/console/waves/{row.wave}/papers/job", status_code=303)


@get("/waves/{wave:str}/papers/papers.zip", guards=[may("papers.download")])
async def download_papers(request: AnyRequest, wave: FromPath[str]) -> File:
    """The archive of the last print job; the log keeps who took it."""
    check_query(request, frozenset())
    app, row = request.app.state, await load_wave(wave)
    path = archive_path(app.settings, row.wave)
    if not path.is_file():
        raise NoArchiveError(row.wave)
    await record_audit(person_of(request).name, "download_papers", row.wave, now=app.now())
    return File(path, filename=f"{row.county}_{row.wave}_papers.zip", media_type="application/zip")


async def _page(
    request: AnyRequest,
    row: WaveRow,
    refusal: SurveyError | None = None,
    typed: Mapping[str, str] | None = None,
    chosen: Sequence[str] = (),
) -> Response[str]:
    plan, sample = await load_plan(row.wave), await find_sample(row.wave)
    languages, unprintable = await paper_languages(plan)
    signed = state_reached(row.state, "planned")
    chosen = typed.get("schools", "").split() if typed is not None else chosen
    only = "".join(f" --school {quote(code)}" for code in chosen[:NAMED_IN_COMMAND])
    return console_page(
        request,
        "papers.html",
        title="纸条和海报",
        crumbs=wave_crumbs(row),
        command=f"survey papers {row.wave} --size a4{only}"
        + (f"\nsurvey publish {row.wave}" if row.state == "planned" else ""),
        row=row,
        tabs=tabs_of(row, "/papers"),
        status=status_of(refusal) if refusal else 200,
        plan=plan,
        languages=languages,
        unprintable=unprintable,
        sample=sample,
        signed=signed,
        printable=print_path(request.app.state.settings, row.wave).is_file(),
        job=request.app.state.print_room.job(row.wave),
        schools=_schools(sample) if sample else {},
        ticked_at_most=TICKED_AT_MOST,
        papers=PAPERS,
        parts=PARTS,
        withdrawn=await _withdrawn(request, row.wave, sample) if signed and sample else (),
        refusal=refusal,
        faults=refusal.faults if isinstance(refusal, FaultsError) else (),
        typed=typed,
        chosen=chosen,
    )


async def _withdrawn(request: AnyRequest, wave: str, sample: Sample) -> list[tuple[str, str, int]]:
    """School, group and how many of its codes were voided: spare ones, and those nobody took."""
    draws = sample.by_domain
    office = request.app.state.office
    counts = await office.participation(wave) if wave in office.waves() else ()
    return [
        (draws[one.domain].school_name, GROUPS.get(draws[one.domain].group, draws[one.domain].group), one.voided)
        for one in counts
        if one.voided and one.domain in draws
    ]


PAPER_ROUTES = (show_papers, post_papers, show_job, post_stop, download_papers)


async def _classes(upload: object) -> ClassPiles:
    """The list of classes somebody uploaded; read in memory and kept only as long as the job.

    Raises:
        FaultsError: every fault of the list, with row and column.
    """
    if not isinstance(upload, UploadFile) or not upload.filename:
        return ClassPiles()
    return read_class_piles(await upload.read(), upload.filename)


def _schools(sample: Sample) -> dict[str, str]:
    """Code and name of every drawn school."""
    return {draw.school_code: draw.school_name for draw in sample.domains if draw.school_code}
