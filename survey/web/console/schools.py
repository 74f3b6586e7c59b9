"""Schools in the field: contacts and their links, what was handed out, spare slips asked for."""

from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from survey.fieldwork.board_text import read_message
from survey.jobs.school_page import IN_THE_FIELD, decide_spares, invite_contact
from survey.storage.areas import area_names, areas_of
from survey.storage.audit import record_audit
from survey.storage.plans import load_plan, load_wave
from survey.storage.samples import find_sample
from survey.storage.school_contacts import (
    list_handouts,
    list_requests,
    list_school_contacts,
    withdraw_school,
)
from survey.storage.states import BEFORE_SIGNING
from survey.web.access import may, person_of, read_form
from survey.web.console.page import GROUPS, SCHOOLS_ON_A_PAGE, console_page, wave_crumbs
from survey.web.console.waves import tabs_of
from survey.web.pages import AnyRequest
from survey.web.parts import LINES_ON_A_PAGE, part_of

MOST_CONTACT_SIGNS = 40


@dataclass
class SchoolRow:
    """One drawn school: its slips, what it has handed out, who its contact is."""

    code: str
    name: str
    slips: int = 0
    handed_out: int = 0
    classes: int = 0
    last: str = ""
    contacts: tuple[tuple[str, bool], ...] = ()
    area: str = ""


@get("/waves/{wave:str}/schools", guards=[may("schools.see")])
async def show_schools(request: AnyRequest, wave: FromPath[str]) -> Response[str]:
    """Every drawn school with its contact and what it has handed out, and the requests."""
    return await _page(request, wave)


@post("/waves/{wave:str}/schools/link", guards=[may("schools.manage")], status_code=200)
async def post_school_link(request: AnyRequest, wave: FromPath[str]) -> Response[str]:
    """A one-time link for a school's contact; shown once."""
    await load_wave(wave)
    app, person, form = request.app.state, person_of(request), await read_form(request)
    contact, fault = read_message(str(form.get("contact", "")))
    school = str(form.get("school", ""))
    if fault or len(contact) > MOST_CONTACT_SIGNS:
        return await _page(request, wave, wrong="称呼没有写，或太长", status=422)
    token = await invite_contact(wave, school, contact, actor=person.name, now=app.now())
    link = f"{app.settings.base_url.rstrip('/')}/school/in/{token}"
    return await _page(request, wave, link=link, invited=school)


@post("/waves/{wave:str}/schools/withdraw", guards=[may("schools.manage")], status_code=303)
async def post_withdraw(request: AnyRequest, wave: FromPath[str]) -> Redirect:
    """End every link and session of a school."""
    await load_wave(wave)
    school = str((await read_form(request)).get("school", ""))
    await withdraw_school(wave, school)
    now = request.app.state.now()
    await record_audit(person_of(request).name, "withdraw_school", wave, details={"school": school[:20]}, now=now)
    return Redirect(path=f"/console/waves/{wave}/schools", status_code=303)


@post("/waves/{wave:str}/schools/spares/{number:str}", guards=[may("schools.manage")], status_code=303)
async def post_spare_decision(request: AnyRequest, wave: FromPath[str], number: FromPath[str]) -> Redirect:
    """Grant or decline spare slips; the log keeps who did."""
    await load_wave(wave)
    granted = (await read_form(request)).get("act") == "grant"
    await decide_spares(wave, number, granted, actor=person_of(request).name, now=request.app.state.now())
    return Redirect(path=f"/console/waves/{wave}/schools", status_code=303)


SCHOOL_ROUTES = (show_schools, post_school_link, post_withdraw, post_spare_decision)


async def _page(request: AnyRequest, wave: str, *, status: int = 200, **more: Any) -> Response[str]:
    row = await load_wave(wave)
    rows = await _rows(wave)
    # What waits for an answer comes first.
    requests = sorted(await list_requests(wave), key=lambda one: one.state != "asked")
    return console_page(
        request,
        "schools.html",
        title="学校发放",
        crumbs=wave_crumbs(row),
        command="",
        only_here="给学校发链接、答复申请只在页面上做，每一步都记在日志里。",
        row=row,
        status=status,
        tabs=tabs_of(row, "/schools"),
        plan=await load_plan(wave),
        schools=part_of(request, rows, SCHOOLS_ON_A_PAGE, beside=("requests",)),
        requests=part_of(request, requests, LINES_ON_A_PAGE, "requests", beside=("page",)),
        groups=GROUPS,
        in_the_field=row.state in IN_THE_FIELD,
        before=row.state in BEFORE_SIGNING,
        names={one.code: one.name for one in rows},
        has_areas=any(one.area for one in rows),
        **{"link": "", "invited": "", "wrong": "", **more},
    )


async def _rows(wave: str) -> list[SchoolRow]:
    sample = await find_sample(wave)
    if sample is None:
        return []
    rows: dict[str, SchoolRow] = {}
    for draw in sample.domains:
        if draw.school_code:
            found = rows.setdefault(draw.school_code, SchoolRow(draw.school_code, draw.school_name))
            found.slips += draw.slips
    for one in await list_handouts(wave):
        if one.school_code in rows:
            found = rows[one.school_code]
            found.handed_out += one.n
            found.classes += 1
            found.last = max(found.last, one.on.isoformat())
    areas, area_name = await areas_of(wave), await area_names()
    for code, area in areas.items():
        if code in rows and area:
            rows[code].area = area_name.get(area, area)
    for code, contacts in (await list_school_contacts(wave)).items():
        if code in rows:
            rows[code].contacts = tuple(contacts)
    return sorted(rows.values(), key=lambda one: one.code)
