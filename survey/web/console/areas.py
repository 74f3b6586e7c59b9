"""责任区: which responsibility area each school of a wave lies in; put there in bulk, or as last time."""

from typing import Any
from urllib.parse import quote

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from survey.errors import SurveyError
from survey.jobs.place_schools import (
    PlacedSchool,
    Placing,
    add_area,
    copy_areas,
    give_area_up,
    place_listed,
    place_schools,
    placing_of,
)
from survey.storage.plans import WaveRow, load_wave
from survey.web.access import check_query, may, person_of, read_form
from survey.web.console.page import SCHOOLS_ON_A_PAGE, console_page, wave_crumbs
from survey.web.console.waves import tabs_of
from survey.web.errors import WebError, status_of
from survey.web.pages import AnyRequest
from survey.web.parts import part_of

NONE = "none"
"""In an address: schools that lie in no area."""
BESIDE = ("area", "done", "n")
"""What an address of this page may hold besides the number of the page."""
DONE = {
    "placed": "划好了，{n}所学校换了责任区。",
    "copied": "照上一次划好了，{n}所学校划进了责任区；已经划过的没有动。",
    "added": "登记好了。",
    "ended": "已经撤销。只管它的账号从现在起什么也看不到。",
}


class AreaGoneError(WebError):
    """The area is given up already, or was never there."""

    code = "areas.gone"
    status = 404

    def __init__(self) -> None:
        super().__init__("责任区", "没有这个责任区，或者已经撤销", "刷新页面看一看")


class NotConfirmedError(WebError):
    """The code typed for confirmation is not the area's."""

    code = "areas.not_confirmed"
    status = 422

    def __init__(self) -> None:
        super().__init__("撤销责任区", "输入的代码不对，没有撤销", "照抄这个责任区的代码，再按一次")


@get("/waves/{wave:str}/areas", guards=[may("areas.see")])
async def show_areas(request: AnyRequest, wave: FromPath[str]) -> Response[str]:
    """The county's areas and the schools in them."""
    return await _page(request, await load_wave(wave))


@post("/waves/{wave:str}/areas", guards=[may("areas.assign")], status_code=303)
async def post_areas(request: AnyRequest, wave: FromPath[str]) -> Response[Any]:
    """划入: the schools ticked, or those of a pasted list."""
    form = {name: str(value) for name, value in (await read_form(request)).items()}
    by: dict[str, Any] = {"actor": person_of(request).name, "now": request.app.state.now()}
    row = await load_wave(wave)
    try:
        if form.get("act") == "list":
            moved = await place_listed(wave, form.get("lines", ""), **by)
        else:
            area = form.get("area", "")
            ticked = [name[2:] for name in form if name.startswith("s_")]
            moved = await place_schools(wave, {school: None if area == NONE else area for school in ticked}, **by)
    except SurveyError as refusal:
        return await _page(request, row, refusal=refusal, typed=form)
    return _done(wave, "placed", len(moved))


@post("/waves/{wave:str}/areas/copy", guards=[may("areas.assign")], status_code=303)
async def post_copy(request: AnyRequest, wave: FromPath[str]) -> Response[Any]:
    """照上一次: copy from the county's last wave that has areas."""
    row = await load_wave(wave)
    try:
        _, n = await copy_areas(wave, actor=person_of(request).name, now=request.app.state.now())
    except SurveyError as refusal:
        return await _page(request, row, refusal=refusal)
    return _done(wave, "copied", n)


@post("/waves/{wave:str}/areas/new", guards=[may("areas.assign")], status_code=303)
async def post_area(request: AnyRequest, wave: FromPath[str]) -> Response[Any]:
    """登记: a new area of the wave's county."""
    form = {name: str(value) for name, value in (await read_form(request)).items()}
    row, name, code = await load_wave(wave), form.get("name", ""), form.get("code", "")
    try:
        await add_area(wave, name, code, actor=person_of(request).name, now=request.app.state.now())
    except SurveyError as refusal:
        return await _page(request, row, refusal=refusal, typed=form)
    return _done(wave, "added", 0)


@post("/waves/{wave:str}/areas/{code:str}/end", guards=[may("areas.end")], status_code=303)
async def post_end(request: AnyRequest, wave: FromPath[str], code: FromPath[str]) -> Response[Any]:
    """撤销: the area is offered no more, and accounts limited to it see nothing."""
    row = await load_wave(wave)
    if code not in {one.code for one in (await placing_of(row.wave)).areas}:
        raise AreaGoneError
    if str((await read_form(request)).get("confirm", "")).strip().upper() != code:
        raise NotConfirmedError
    await give_area_up(code, actor=person_of(request).name, now=request.app.state.now())
    return _done(wave, "ended", 0)


AREA_ROUTES = (show_areas, post_areas, post_copy, post_area, post_end)


def _done(wave: str, what: str, n: int) -> Redirect:
    return Redirect(path=f"/console/waves/{wave}/areas?done={what}&n={n}", status_code=303)


async def _page(
    request: AnyRequest,
    row: WaveRow,
    *,
    refusal: SurveyError | None = None,
    typed: dict[str, str] | None = None,
) -> Response[str]:
    query = {} if refusal else check_query(request, frozenset({"page", *BESIDE}))
    placing = await placing_of(row.wave)
    chosen = query.get("area", "")
    n = query.get("n", "")
    return console_page(
        request,
        "areas.html",
        title="责任区",
        crumbs=wave_crumbs(row),
        command=f"survey areas {row.wave}\nsurvey areas {row.wave} --list 名单.csv",
        row=row,
        status=status_of(refusal) if refusal else 200,
        tabs=tabs_of(row, "/areas"),
        placing=placing,
        counts=placing.counts,
        drawn=placing.drawn,
        given_up=sorted({a for a in placing.counts if a} - {one.code for one in placing.areas}),
        chosen=chosen,
        address=f"/console/waves/{row.wave}/areas" + (f"?area={quote(chosen)}" if chosen else ""),
        part=part_of(request, _of_area(placing, chosen), SCHOOLS_ON_A_PAGE, beside=BESIDE),
        none=NONE,
        done=DONE[query["done"]].format(n=n if n.isascii() and n.isdigit() else "") if query.get("done") in DONE else "",
        refusal=refusal,
        typed={"lines": "", "name": "", "code": "", "area": chosen, **(typed or {})},
        marked={name[2:] for name in (typed or {}) if name.startswith("s_")},
    )


def _of_area(placing: Placing, chosen: str) -> list[PlacedSchool]:
    """The schools of one area where the address names it."""
    wanted = {"": None, NONE: ""}.get(chosen, chosen)
    return [school for school in placing.schools if wanted is None or (school.area or "") == wanted]
