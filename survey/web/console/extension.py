"""A later closing date, signed by the two who signed the plan, before the old date has passed."""

from datetime import date, timedelta
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from survey.errors import SurveyError
from survey.jobs.extend_wave import LONGEST_DAYS, ExtensionRefusedError, extend_wave
from survey.jobs.remote_signing import AwaitingSignatureError
from survey.storage.plans import WaveRow, load_fielded_plan, load_plan, require_state
from survey.web.access import may, person_of, read_form
from survey.web.console.page import console_page, wave_crumbs
from survey.web.console.signing import OtherTextError, hand_over, note_refusal, signing_keys, two_signers
from survey.web.console.waves import tabs_of
from survey.web.errors import status_of
from survey.web.headers import FILE_LIMIT
from survey.web.pages import CHINA, AnyRequest

EXTENDABLE = ("planned", "open", "paused")
TITLE, VERB = "推迟截止", "extend"


@get("/waves/{wave:str}/extension", guards=[may("wave.sign")])
async def show_extension(request: AnyRequest, wave: FromPath[str]) -> Response[str]:
    """The date that holds now, and a form for a later one."""
    return await _page(request, await require_state(wave, EXTENDABLE))


@post(
    "/waves/{wave:str}/extension",
    guards=[may("wave.sign")],
    request_max_body_size=FILE_LIMIT,
    status_code=303,
)
async def post_extension(request: AnyRequest, wave: FromPath[str]) -> Response[Any]:
    """Put the closing date off, if both sign; or say what was wrong and keep the date that was typed."""
    app, form = request.app.state, await read_form(request)
    row, typed = await require_state(wave, EXTENDABLE), str(form.get("until", "")).strip()
    try:
        until = _date_of(wave, typed)
        signers = await two_signers(app.settings, form)
        await extend_wave(
            app.settings, app.office, wave, until, signers, actor=person_of(request).name, now=app.now()
        )
    except AwaitingSignatureError as waiting:
        if form.get("step") == "answer":
            return await _page(request, row, OtherTextError(), typed)
        return await hand_over(request, wave, TITLE, VERB, waiting)
    except SurveyError as refusal:
        await note_refusal(request, wave, VERB, refusal)
        return await _page(request, row, refusal, typed)
    return Redirect(path=f"/console/waves/{wave}", status_code=303)


EXTENSION_ROUTES = (show_extension, post_extension)


def _date_of(wave: str, typed: str) -> date:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        raise ExtensionRefusedError(wave, f"“{typed[:20]}”不是日期" if typed else "没有写新的日期") from None


async def _page(
    request: AnyRequest, row: WaveRow, refusal: SurveyError | None = None, typed: str = ""
) -> Response[str]:
    plan = await load_fielded_plan(row.wave)
    return console_page(
        request,
        "extension.html",
        title=TITLE,
        crumbs=(*wave_crumbs(row), ("参与情况", f"/console/waves/{row.wave}/monitor")),
        command=f"survey extend {row.wave} --until {plan.closes_on + timedelta(days=3)}",
        row=row,
        tabs=tabs_of(row, "/extension"),
        status=status_of(refusal) if refusal else 200,
        plan=plan,
        at_first=(await load_plan(row.wave)).closes_on,
        too_late=request.app.state.now().astimezone(CHINA).date() > plan.closes_on,
        longest=LONGEST_DAYS,
        typed=typed,
        refusal=refusal,
        **signing_keys(request.app.state.settings),
    )
