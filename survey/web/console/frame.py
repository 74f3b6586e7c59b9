"""C3 frame import: a dry run that names every fault at its sheet, row and column, then all or nothing."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from shlex import quote
from typing import Any

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath
from litestar.response import Redirect

from survey.columns import plain_cell
from survey.errors import Fault, SurveyError
from survey.jobs.import_frame import import_frame
from survey.sampling.frame import KIND_CODES, PLACE_NAMES, Frame, control_totals
from survey.sampling.frame_columns import COLUMN_TITLES, REQUIRED
from survey.sampling.frame_file import FrameReading, sample_county
from survey.scheme.plan_words import STAGE_NAMES
from survey.storage.frames import find_column_map, find_frame, list_column_maps
from survey.storage.plans import WaveRow, load_wave
from survey.storage.states import BEFORE_SIGNING
from survey.web.access import check_query, may, person_of, read_form
from survey.web.console.imports import PendingImport
from survey.web.console.monitor import WrongNameError
from survey.web.console.page import console_page, wave_crumbs
from survey.web.console.waves import tabs_of
from survey.web.errors import UnreadableBodyError
from survey.web.files import download
from survey.web.headers import FILE_LIMIT
from survey.web.pages import AnyRequest

FAULTS_SHOWN = 200
MATCHED_AT_ONCE = 40
"""Unknown headers that the page asks about; a sheet with more has another trouble."""


@get("/waves/{wave:str}/frame", guards=[may("frame.see")])
async def show_frame(request: AnyRequest, wave: FromPath[str]) -> Response[str]:
    """The frame the wave has, and the form to bring another while that is still possible."""
    check_query(request, frozenset({"done"}))
    row = await load_wave(wave)
    frame = await find_frame(wave)
    done = "done" in request.query_params and frame is not None
    return await _page(request, row, frame=frame, done=done)


@post(
    "/waves/{wave:str}/frame", guards=[may("frame.import")], request_max_body_size=FILE_LIMIT, status_code=200
)
async def try_frame(request: AnyRequest, wave: FromPath[str]) -> Response[str]:
    """Read an uploaded file without keeping anything, and show what it would give."""
    row = await load_wave(wave)
    app, person = request.app.state, person_of(request)
    form = await read_form(request)
    upload = form.get("file")
    if not isinstance(upload, UploadFile) or not upload.filename:
        raise UnreadableBodyError("没有选文件")
    data = await upload.read()
    filename = upload.filename.replace("\\", "/").rpartition("/")[2][:120]
    columns = await find_column_map(str(form["map"])) if form.get("map") else None
    reading = await import_frame(
        wave, data, filename, columns=columns, dry_run=True, actor=person.name, now=app.now()
    )
    app.imports.keep(person.name, wave, PendingImport(filename, data, columns, reading, app.now()))
    return await _page(request, row, reading=reading, filename=filename)


@post("/waves/{wave:str}/frame/confirm", guards=[may("frame.import")], status_code=303)
async def confirm_frame(request: AnyRequest, wave: FromPath[str]) -> Response[str] | Redirect:
    """Import the file that was tried, as a whole; what was drawn from the one before is void then."""
    app, person, row = request.app.state, person_of(request), await load_wave(wave)
    form = await read_form(request)
    pending = app.imports.load(person.name, wave, app.now())
    if row.state == "drawn" and str(form.get("confirm", "")).strip() != wave:
        return await _page(
            request, row, reading=pending.reading, filename=pending.filename, refusal=WrongNameError(wave)
        )
    await import_frame(
        wave,
        pending.data,
        pending.filename,
        columns=pending.columns,
        save_map_as=str(form.get("save_map_as", "")).strip()[:60] or None,
        actor=person.name,
        now=app.now(),
    )
    app.imports.forget(person.name, wave)
    return Redirect(path=f"/console/waves/{wave}/frame?done=1", status_code=303)


@post("/waves/{wave:str}/frame/columns", guards=[may("frame.import")], status_code=200)
async def match_frame(request: AnyRequest, wave: FromPath[str]) -> Response[str]:
    """Read the tried file again with the columns as a person matched them; still nothing is kept."""
    row = await load_wave(wave)
    app, person, form = request.app.state, person_of(request), await read_form(request)
    pending = app.imports.load(person.name, wave, app.now())
    headers = pending.reading.ignored[:MATCHED_AT_ONCE]
    chosen = [(str(form.get(f"column.{at}", "")), header) for at, header in enumerate(headers)]
    columns, faults = matched_columns(chosen)
    if faults:
        reading = replace(pending.reading, frame=None, faults=faults)
        return await _page(request, row, reading=reading, filename=pending.filename, chosen=dict(enumerate(chosen)))
    columns = {**(pending.columns or {}), **columns}
    reading = await import_frame(
        wave, pending.data, pending.filename, columns=columns, dry_run=True, actor=person.name, now=app.now()
    )
    app.imports.keep(
        person.name, wave, PendingImport(pending.filename, pending.data, columns, reading, app.now())
    )
    return await _page(request, row, reading=reading, filename=pending.filename)


def matched_columns(chosen: Sequence[tuple[str, str]]) -> tuple[dict[str, str], tuple[Fault, ...]]:
    """Our column → header, of (column or nothing, header); a column chosen twice is a fault.

    >>> matched_columns([("name", "全称"), ("", "备注")])
    ({'name': '全称'}, ())
    """
    found: dict[str, str] = {}
    faults = []
    for column, header in chosen:
        if column not in COLUMN_TITLES:
            continue
        if column in found:
            faults.append(
                Fault(
                    "frame.column_twice",
                    f"“{found[column]}”和“{header}”都选了“{COLUMN_TITLES[column]}”",
                    "只给其中一列选它",
                    column=header,
                )
            )
        found[column] = header
    return found, tuple(faults)


@get("/waves/{wave:str}/frame/faults.csv", guards=[may("frame.import")])
async def download_faults(request: AnyRequest, wave: FromPath[str]) -> Response[bytes]:
    """Every fault of the file that was tried, as a sheet to work through."""
    app, person = request.app.state, person_of(request)
    reading = app.imports.load(person.name, wave, app.now()).reading
    return download(faults_sheet((*reading.faults, *reading.warnings)), f"{wave}_名册错误表.csv", "text/csv")


@get("/waves/{wave:str}/frame/example.xlsx", guards=[may("frame.see")])
async def download_example(request: AnyRequest, wave: FromPath[str]) -> Response[bytes]:
    """A made-up county's list, to fill in one's own after its columns."""
    check_query(request, frozenset())
    await load_wave(wave)
    return download(sample_county("frame.xlsx"), "学校名册_样例.xlsx")


FRAME_ROUTES = (show_frame, try_frame, match_frame, confirm_frame, download_faults, download_example)


def faults_sheet(faults: tuple[Fault, ...]) -> bytes:
    """The faults as CSV that a spreadsheet opens; no cell can begin a formula.

    >>> faults_sheet((Fault("x", "=1+1", "改正", row=3),)).decode("utf-8-sig").splitlines()[1]
    ",3,,'=1+1,改正,x"
    """
    text = io.StringIO()
    sheet = csv.writer(text, lineterminator="\r\n")
    sheet.writerow(["工作表", "行", "列", "问题", "怎么改", "代码"])
    for fault in faults:
        cells = (fault.sheet, fault.row, fault.column, fault.problem, fault.remedy, fault.code)
        sheet.writerow([plain_cell("" if cell is None else str(cell)) for cell in cells])
    return text.getvalue().encode("utf-8-sig")


def _quoted(name: str) -> str:
    """A file name as a shell takes it; Chinese signs need no quotes there."""
    return name if re.fullmatch(r"[\w.][\w.+-]*", name) else quote(name)


async def _page(
    request: AnyRequest,
    row: WaveRow,
    *,
    frame: Frame | None = None,
    reading: FrameReading | None = None,
    filename: str = "",
    done: bool = False,
    chosen: Mapping[int, tuple[str, str]] | None = None,
    refusal: SurveyError | None = None,
) -> Response[str]:
    shown = frame if reading is None else reading.frame
    flag = " --dry-run" if reading is not None else ""
    faults = reading.faults if reading else ()
    return console_page(
        request,
        "frame.html",
        title="学校名册" if reading is None else "学校名册：试读结果",
        crumbs=wave_crumbs(row),
        command=f"survey import {_quoted(filename or '名册.xlsx')} --wave {row.wave}{flag}",
        row=row,
        tabs=tabs_of(row, "/frame"),
        status=422 if faults or refusal else 200,
        refusal=refusal,
        frame=shown,
        totals=control_totals(shown) if shown else None,
        tables=totals_tables(shown) if shown else (),
        reading=reading,
        faults=faults[:FAULTS_SHOWN],
        unknown=reading.ignored[:MATCHED_AT_ONCE] if reading else (),
        chosen=chosen or {},
        # What is matched already is left out; what must be there comes first.
        columns=_columns_left(reading) if reading else (),
        lacks_column=any(fault.code in LACKS_COLUMN for fault in faults),
        column_titles=COLUMN_TITLES,
        filename=filename,
        done=done,
        maps=await list_column_maps(),
        importable=row.state in BEFORE_SIGNING,
    )


LACKS_COLUMN = frozenset({"frame.column_missing", "frame.header_missing", "frame.column_twice"})
"""Faults that matching columns by hand mends."""


def _columns_left(reading: FrameReading) -> list[tuple[str, str]]:
    """Our columns that no header of the file was found for, those that must be there first."""
    left = [name for name in COLUMN_TITLES if name not in reading.columns]
    left.sort(key=lambda name: name not in REQUIRED)
    return [(name, COLUMN_TITLES[name]) for name in left]


def totals_tables(frame: Frame) -> tuple[tuple[str, tuple[tuple[str, int, int, int, int], ...]], ...]:
    """Totals by stage, place and kind: (heading, rows of name, schools, classes, pupils, teachers)."""
    def by(heading: str, names: dict[str, str], value: Any) -> tuple[str, tuple[Any, ...]]:
        rows = []
        for key, name in names.items():
            schools = [school for school in frame.schools if value(school) == key]
            if schools:
                rows.append(
                    (
                        name,
                        len(schools),
                        sum(school.classes for school in schools),
                        sum(school.pupils for school in schools),
                        sum(school.teachers or 0 for school in schools),
                    )
                )
        return heading, tuple(rows)

    return (
        by("学段", STAGE_NAMES, lambda school: school.stage),
        by("城乡", PLACE_NAMES, lambda school: school.place),
        by(
            "办学类型",
            {code: name for code, (_, name) in KIND_CODES.items()},
            lambda school: school.kind_code,
        ),
    )
