"""C4 sample: what drawing would give, before it is drawn; then the draw with its seed."""

import csv
import io
from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from survey.columns import plain_cell
from survey.errors import SurveyError
from survey.exact import fraction, percent_text, truncate
from survey.jobs.draw_sample import draw_wave, preview_wave
from survey.sampling.frame import PLACE_NAMES
from survey.sampling.sample import Preview, Sample
from survey.scheme.plan_words import STAGE_NAMES
from survey.storage.frames import find_frame
from survey.storage.plans import WaveRow, load_plan, load_wave
from survey.storage.samples import find_sample, load_sample
from survey.storage.states import BEFORE_SIGNING
from survey.web.access import may, person_of, read_form
from survey.web.console.page import GROUPS, SCHOOLS_ON_A_PAGE, console_page, group_names, wave_crumbs
from survey.web.console.waves import tabs_of
from survey.web.errors import status_of
from survey.web.files import download
from survey.web.pages import AnyRequest
from survey.web.parts import part_of


@get("/waves/{wave:str}/sample", guards=[may("sample.see")])
async def show_sample(request: AnyRequest, wave: FromPath[str]) -> Response[str]:
    """Required against drawn by group, stage and place, with the half-width to expect."""
    return await _page(request, await load_wave(wave))


@post("/waves/{wave:str}/sample", guards=[may("sample.draw")], status_code=303)
async def post_sample(request: AnyRequest, wave: FromPath[str]) -> Response[str] | Redirect:
    """Draw from the seed; drawing again needs a reason, which goes to the log."""
    app, person, form = request.app.state, person_of(request), await read_form(request)
    typed = {name: str(form.get(name, "")) for name in ("seed", "reason")}
    try:
        await draw_wave(
            wave, typed["seed"].strip(), reason=typed["reason"], actor=person.name, now=app.now()
        )
    except SurveyError as refusal:
        return await _page(request, await load_wave(wave), not_drawn=refusal, typed=typed)
    return Redirect(path=f"/console/waves/{wave}/sample", status_code=303)


@get("/waves/{wave:str}/sample/schools.csv", guards=[may("sample.see")])
async def download_sample(request: AnyRequest, wave: FromPath[str]) -> Response[bytes]:
    """Every group of slips that was drawn, as a sheet."""
    sample = await load_sample(wave)
    return download(sample_sheet(sample), f"{wave}_抽中的学校.csv", "text/csv")


async def _page(
    request: AnyRequest,
    row: WaveRow,
    *,
    not_drawn: SurveyError | None = None,
    typed: Mapping[str, str] | None = None,
) -> Response[str]:
    wave, plan = row.wave, await load_plan(row.wave)
    preview, sample, refusal = None, await find_sample(wave), None
    if await find_frame(wave) is not None:
        try:
            preview = await preview_wave(wave)
        except SurveyError as error:
            refusal = error
    return console_page(
        request,
        "sample.html",
        title="抽样",
        crumbs=wave_crumbs(row),
        command=_command(wave, sample, drawable=row.state in BEFORE_SIGNING),
        row=row,
        tabs=tabs_of(row, "/sample"),
        plan=plan,
        preview=preview,
        refusal=refusal,
        sample=sample,
        groups=group_lines(preview, sample) if preview else (),
        tables=other_tables(preview, sample) if preview else (),
        schools=part_of(request, school_lines(sample) if sample else (), SCHOOLS_ON_A_PAGE),
        school_groups=[group for group in group_names(plan) if sample and group in _school_groups(sample)],
        group_names=GROUPS,
        drawable=row.state in BEFORE_SIGNING,
        not_drawn=not_drawn,
        typed=typed or {},
        status=status_of(not_drawn) if not_drawn else 200,
    )


SAMPLE_ROUTES = (show_sample, post_sample, download_sample)


def group_lines(preview: Preview, sample: Sample | None) -> list[dict[str, Any]]:
    """A line for each respondent group: people, owed, to be issued, drawn, share, half-width."""
    drawn = _slips_by(sample, "group")
    return [
        {
            "name": GROUPS.get(group, group),
            "people": preview.numbers.get(group),
            "required": preview.required.get(group),
            "slips": slips,
            "drawn": drawn.get(group, 0),
            "share": _percent(preview.shares.get(group)),
            "half_width": preview.half_widths.get(group),
        }
        for group, slips in preview.issued.items()
    ]


def other_tables(preview: Preview, sample: Sample | None) -> list[tuple[str, list[dict[str, Any]]]]:
    """Slips to be issued and drawn by place and by stage."""
    tables = []
    for heading, kind, names, planned in (
        ("城乡", "place", PLACE_NAMES, preview.by_place),
        ("学段", "stage", STAGE_NAMES, preview.by_stage),
    ):
        drawn = _slips_by(sample, kind)
        rows = [
            {"name": names.get(key, key), "slips": planned[key], "drawn": drawn.get(key, 0)}
            for key in names
            if key in planned
        ]
        tables.append((heading, rows))
    return tables


def school_lines(sample: Sample) -> list[dict[str, Any]]:
    """The drawn schools, by code, with their slips by group."""
    lines: dict[str, dict[str, Any]] = {}
    for domain in sample.domains:
        if domain.school_code:
            line = lines.setdefault(
                domain.school_code, {"code": domain.school_code, "name": domain.school_name, "slips": {}}
            )
            line["slips"][domain.group] = line["slips"].get(domain.group, 0) + domain.slips
    return [lines[code] for code in sorted(lines)]


def sample_sheet(sample: Sample) -> bytes:
    """A line for each school and group, or county list, as CSV; no cell can begin a formula."""
    text = io.StringIO()
    sheet = csv.writer(text, lineterminator="\r\n")
    sheet.writerow(["标识码", "学校", "学段", "城乡", "人群", "名册里的人", "纸条"])
    for draw in sorted(sample.domains, key=lambda draw: (draw.school_code or "~", draw.group)):
        place, stage = PLACE_NAMES.get(draw.place or "", ""), STAGE_NAMES.get(draw.stage or "", "")
        words = (draw.school_code or "", draw.school_name, stage, place, GROUPS.get(draw.group, draw.group))
        sheet.writerow([*map(plain_cell, words), draw.eligible, draw.slips])
    return text.getvalue().encode("utf-8-sig")


def _command(wave: str, sample: Sample | None, *, drawable: bool) -> str:
    """Look first, then draw; a sample that was drawn before is drawn again with a reason."""
    if not drawable:
        return f"survey draw {wave}"
    again = "" if sample is None else " --reason 理由"
    return f"survey draw {wave}\nsurvey draw {wave} --seed 公开的种子{again}"


def _school_groups(sample: Sample) -> frozenset[str]:
    return frozenset(domain.group for domain in sample.domains if domain.school_code)


def _slips_by(sample: Sample | None, kind: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for domain in sample.domains if sample else ():
        if key := getattr(domain, kind):
            counts[key] = counts.get(key, 0) + domain.slips
    return counts


def _percent(share: str | None) -> str | None:
    return None if share is None else percent_text(truncate(fraction(share), 4))
