"""C13 the problem ledger: what is weak, whose it is, until when, and what was done."""

import csv
import io
import re
from datetime import date
from typing import Any
from urllib.parse import urlencode

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from survey.columns import plain_cell
from survey.errors import Fault, FaultsError, SurveyError
from survey.followup.ledger import ACTS, SOURCES, STATES, LedgerEntry, by_urgency
from survey.followup.themes import theme_problem
from survey.jobs.keep_ledger import (
    Findings,
    act_on_entry,
    findings_of,
    ledger_of,
    places_of,
    take_up,
    themes_of,
)
from survey.scheme.divisions import level_of
from survey.storage.ledger import load_entry
from survey.storage.plans import WaveRow, load_wave
from survey.web.access import check_query, may, person_of, read_form
from survey.web.console.page import console_page, wave_crumbs
from survey.web.console.waves import tabs_of
from survey.web.errors import status_of
from survey.web.files import download
from survey.web.pages import CHINA, AnyRequest
from survey.web.parts import part_of
from survey.web.rights import has_right

TYPED_SOURCES = ("fact", "text")
"""What a person types in; the other sources come from the findings table."""

PROBLEMS_ON_A_PAGE = 40
FINDINGS_ON_A_PAGE = 30
ACTS_ON_A_PAGE = 6
"""Steps of one problem; each may carry 4 000 signs that people typed."""
BESIDE = ("state", "area")
"""What an address of this page may hold besides the numbers of its two lists."""

_TYPED = dict.fromkeys(
    ("source", "problem", "basis", "about", "unit", "person", "due_on", "measures", "evidence", "note"), ""
)
"""Every field a person may have typed before a refusal."""


@get("/waves/{wave:str}/ledger", guards=[may("ledger.see")])
async def show_ledger(request: AnyRequest, wave: FromPath[str]) -> Response[str]:
    """Every problem, overdue first, and the findings that are not taken up yet."""
    query = check_query(request, frozenset({"page", "findings", *BESIDE}))
    state, area = query.get("state", ""), query.get("area", "")
    return await _ledger_page(request, await load_wave(wave), state=state, area=area)


@post("/waves/{wave:str}/ledger", guards=[may("ledger.keep")], status_code=303)
async def post_entry(request: AnyRequest, wave: FromPath[str]) -> Response[Any]:
    """登记: take a finding, a fact or a released text up."""
    form = {name: str(value) for name, value in (await read_form(request)).items()}
    try:
        entry = await take_up(
            wave,
            form.get("source", ""),
            form.get("source_key", ""),
            form.get("problem", ""),
            form.get("basis", ""),
            about=form.get("about", ""),
            actor=person_of(request).name,
            now=request.app.state.now(),
        )
    except SurveyError as refusal:
        return await _ledger_page(request, await load_wave(wave), refusal=refusal, typed=form)
    return Redirect(path=f"/console/waves/{wave}/ledger/{entry.number}", status_code=303)


@get("/waves/{wave:str}/ledger.csv", guards=[may("ledger.see")])
async def download_ledger(wave: FromPath[str]) -> Response[bytes]:
    """The ledger as a sheet for 督查专报; no cell can begin a formula."""
    row = await load_wave(wave)
    text = io.StringIO()
    sheet = csv.writer(text, lineterminator="\r\n")
    sheet.writerow(
        ["编号", "状态", "问题", "依据", "来源", "责任单位", "责任人", "时限", "措施", "佐证", "最近一步", "学校或责任区"]
    )
    places = await places_of(wave)
    for entry in await ledger_of(wave):
        about = f"{entry.about} {places.get(entry.about, '')}".strip()
        sheet.writerow([plain_cell(cell) for cell in (*_cells(entry), about)])
    return download(text.getvalue().encode("utf-8-sig"), f"{row.county}_{wave}_问题台账.csv")


@get("/waves/{wave:str}/ledger/{number:int}", guards=[may("ledger.see")])
async def show_entry(request: AnyRequest, wave: FromPath[str], number: FromPath[int]) -> Response[str]:
    """One problem with its whole history, and what may be done next."""
    return await _entry_page(request, await load_wave(wave), await load_entry(wave, number))


@post("/waves/{wave:str}/ledger/{number:int}", guards=[may("ledger.keep")], status_code=303)
async def post_act(request: AnyRequest, wave: FromPath[str], number: FromPath[int]) -> Response[Any]:
    """One act to one problem; what was typed is kept where it is refused."""
    form = {name: str(value) for name, value in (await read_form(request)).items()}
    try:
        await act_on_entry(
            wave,
            number,
            form.get("act", ""),
            actor=person_of(request).name,
            now=request.app.state.now().astimezone(CHINA),
            version=int(version) if re.fullmatch("[0-9]{1,6}", version := form.get("version", "")) else None,
            **_given(form),
        )
    except SurveyError as refusal:
        entry = await load_entry(wave, number)
        return await _entry_page(request, await load_wave(wave), entry, refusal=refusal, typed=form)
    return Redirect(path=f"/console/waves/{wave}/ledger/{number}", status_code=303)


LEDGER_ROUTES = (show_ledger, post_entry, download_ledger, show_entry, post_act)


def _given(form: dict[str, str]) -> dict[str, str | date | None]:
    given: dict[str, str | date | None] = {
        name: form[name] for name in ("note", "evidence", "unit", "person", "measures") if name in form
    }
    if typed := form.get("due_on", "").strip():
        try:
            given["due_on"] = date.fromisoformat(typed)
        except ValueError as error:
            fault = Fault(
                "followup.not_a_date", f"时限“{typed[:20]}”不是日期", "写成2026-12-31这样", item="due_on"
            )
            raise FaultsError("时限", (fault,)) from error
    return given


async def _ledger_page(
    request: AnyRequest,
    row: WaveRow,
    *,
    state: str = "",
    area: str = "",
    refusal: SurveyError | None = None,
    typed: dict[str, str] | None = None,
) -> Response[str]:
    today = request.app.state.now().astimezone(CHINA).date()
    # Findings come from results, which are the whole county's.
    person, certified = person_of(request), row.state == "certified"
    places = await places_of(row.wave)
    areas = [(code, name) for code, name in places.items() if level_of([code]) == "area"]
    area = area if area in dict(areas) else ""
    every = await ledger_of(row.wave)
    entries = await ledger_of(row.wave, area) if area else every
    whole = certified and has_right(person, "results.see")
    found: Findings | None = await findings_of(row.wave) if whole else None
    taken = {entry.source_key for entry in every}
    state = state if state in STATES else ""
    shown = [one for one in by_urgency(entries, today) if not state or one.state == state]
    new = [
        (one, key)
        for one in ((*found.weak, *found.fallen) if found else ())
        if (key := f"{one.kind}:{one.table}:{one.group}:{one.key}") not in taken
    ]
    address = f"/console/waves/{row.wave}/ledger"
    filters = {name: value for name, value in (("state", state), ("area", area)) if value}
    return console_page(
        request,
        "ledger.html",
        title="问题台账",
        crumbs=wave_crumbs(row),
        command=f"survey ledger list {row.wave}" + (f" --area {area}" if area else ""),
        row=row,
        status=status_of(refusal) if refusal else 200,
        tabs=tabs_of(row, "/ledger"),
        refusal=refusal,
        typed=_TYPED | (typed or {}),
        today=today,
        states=STATES,
        counts={key: sum(entry.state == key for entry in entries) for key in STATES},
        overdue=sum(entry.is_overdue(today) for entry in entries),
        state=state,
        address=f"{address}?{urlencode(filters)}" if filters else address,
        certified=certified,
        places=places,
        areas=areas,
        area=area,
        whole=has_right(person, "results.see"),
        entries=part_of(request, shown, PROBLEMS_ON_A_PAGE, beside=("findings", *BESIDE)),
        found=found,
        new_findings=part_of(request, new, FINDINGS_ON_A_PAGE, "findings", beside=("page", *BESIDE)),
        new_themes=[
            (theme_problem(one), f"theme:{one.name}")
            for one in (await themes_of(row.wave) if found else ())
            if f"theme:{one.name}" not in taken
        ],
        typed_sources=[(key, SOURCES[key]) for key in TYPED_SOURCES],
    )


async def _entry_page(
    request: AnyRequest,
    row: WaveRow,
    entry: LedgerEntry,
    *,
    refusal: SurveyError | None = None,
    typed: dict[str, str] | None = None,
) -> Response[str]:
    today = request.app.state.now().astimezone(CHINA).date()
    return console_page(
        request,
        "ledger_entry.html",
        title=f"台账第{entry.number}号",
        crumbs=(*wave_crumbs(row), ("问题台账", f"/console/waves/{row.wave}/ledger")),
        place=(await places_of(row.wave)).get(entry.about, "") if entry.about else "",
        command=f"survey ledger show {row.wave} {entry.number}",
        row=row,
        status=status_of(refusal) if refusal else 200,
        entry=entry,
        address=f"/console/waves/{row.wave}/ledger/{entry.number}",
        history=part_of(request, entry.history[::-1], ACTS_ON_A_PAGE),
        overdue=entry.is_overdue(today),
        refusal=refusal,
        typed=_TYPED | (typed or {}),
        acts=[(act, ACTS[act]) for act in entry.acts()],
        needs_owner="start" in entry.acts(),
    )


def _cells(entry: LedgerEntry) -> tuple[str, ...]:
    last = entry.history[-1]
    evidence = next((act.evidence for act in reversed(entry.history) if act.evidence), "")
    return (
        str(entry.number), entry.state_name, entry.problem, entry.basis, entry.source_name, entry.unit, entry.person,
        "" if entry.due_on is None else entry.due_on.isoformat(), entry.measures, evidence,
        f"{last.at.astimezone(CHINA):%Y-%m-%d} {last.who} {last.name}",
    )  # fmt: skip
