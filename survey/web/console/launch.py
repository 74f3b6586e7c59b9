"""C6 launch checklist: every line with its reason and the way to mend it; published only when none is red."""

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from survey.errors import SurveyError
from survey.jobs.launch import BEFORE_LAUNCH, launch_checklist, tick_launch, untick_launch
from survey.jobs.launch_lines import LINES, STATE_WORDS
from survey.jobs.preview_form import preview_links
from survey.jobs.run_fieldwork import publish_wave
from survey.scheme.plan_words import STAGE_NAMES
from survey.storage.plans import WaveRow, load_plan, load_wave
from survey.web.access import may, person_of, read_form
from survey.web.console.monitor import WrongNameError
from survey.web.console.page import GROUPS, console_page, wave_crumbs
from survey.web.console.waves import tabs_of
from survey.web.errors import status_of
from survey.web.pages import AnyRequest


@get("/waves/{wave:str}/launch", guards=[may("launch.see")])
async def show_launch(request: AnyRequest, wave: FromPath[str]) -> Response[str]:
    """The sixteen lines, the links on which forms can be tried, and the button to publish."""
    return await _page(request, await load_wave(wave))


@post("/waves/{wave:str}/launch", guards=[may("launch.tick")], status_code=303)
async def post_ticks(request: AnyRequest, wave: FromPath[str]) -> Response[str] | Redirect:
    """Keep who answers for the lines that were ticked."""
    row, form = await load_wave(wave), await read_form(request)
    ticked = [line.key for line in LINES if form.get(f"tick_{line.key}")]
    said = {name: str(form.get(name, "")) for name in ("person", "note")}
    try:
        await tick_launch(
            wave,
            ticked,
            said["person"],
            said["note"],
            actor=person_of(request).name,
            now=request.app.state.now(),
        )
    except SurveyError as refusal:
        return await _page(request, row, refusal, ticked, said)
    return Redirect(path=f"/console/waves/{wave}/launch", status_code=303)


@post("/waves/{wave:str}/launch/untick", guards=[may("launch.tick")], status_code=303)
async def post_untick(request: AnyRequest, wave: FromPath[str]) -> Redirect:
    """Take a tick back."""
    form = await read_form(request)
    await untick_launch(
        wave, str(form.get("item", "")), actor=person_of(request).name, now=request.app.state.now()
    )
    return Redirect(path=f"/console/waves/{wave}/launch", status_code=303)


@post("/waves/{wave:str}/publish", guards=[may("wave.run")], status_code=303)
async def post_publish(request: AnyRequest, wave: FromPath[str]) -> Response[str] | Redirect:
    """发布: accept answers from now on; the print file is erased, so the wave's name is asked for."""
    app, form, row = request.app.state, await read_form(request), await load_wave(wave)
    try:
        if str(form.get("confirm", "")).strip() != wave:
            raise WrongNameError(wave)
        await publish_wave(app.settings, app.office, wave, actor=person_of(request).name, now=app.now())
    except SurveyError as refusal:
        return await _page(request, row, refusal)
    return Redirect(path=f"/console/waves/{wave}/monitor", status_code=303)


LAUNCH_ROUTES = (show_launch, post_ticks, post_untick, post_publish)


async def _page(
    request: AnyRequest,
    row: WaveRow,
    refusal: SurveyError | None = None,
    ticked: list[str] | None = None,
    said: dict[str, str] | None = None,
) -> Response[str]:
    app, plan = request.app.state, await load_plan(row.wave)
    items = await launch_checklist(app.settings, app.office, row.wave, now=app.now())
    return console_page(
        request,
        "launch.html",
        title="发布检查",
        crumbs=wave_crumbs(row),
        command=f"survey check {row.wave}\nsurvey publish {row.wave}",
        row=row,
        tabs=tabs_of(row, "/launch"),
        status=status_of(refusal) if refusal else 200,
        plan=plan,
        items=items,
        states=STATE_WORDS,
        red=sum(item.state == "red" for item in items),
        amber=sum(item.state == "amber" for item in items),
        refusal=refusal,
        ticked=ticked or [],
        said=said or {"person": person_of(request).display, "note": ""},
        before=row.state in BEFORE_LAUNCH,
        previews=[
            (GROUPS.get(link.group, link.group), STAGE_NAMES.get(link.stage, ""), link.address)
            for link in await preview_links(app.settings, row.wave)
        ],
    )
