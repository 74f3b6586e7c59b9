"""Slips nobody took, voided before closing: what two people counted, typed by one of them."""

from litestar import Response, get, post
from litestar.params import FromPath

from survey.errors import FaultsError, SurveyError
from survey.jobs.void_leftovers import void_leftovers
from survey.storage.plans import WaveRow, load_wave
from survey.web.access import may, person_of, read_form
from survey.web.console.monitor import WrongNameError
from survey.web.console.page import console_page, wave_crumbs
from survey.web.pages import AnyRequest


@get("/waves/{wave:str}/leftovers", guards=[may("wave.run")])
async def show_leftovers(request: AnyRequest, wave: FromPath[str]) -> Response[str]:
    """The form; nothing is known of the slips but their numbers."""
    return _page(request, await load_wave(wave))


@post("/waves/{wave:str}/leftovers", guards=[may("wave.run")], status_code=200)
async def post_leftovers(request: AnyRequest, wave: FromPath[str]) -> Response[str]:
    """Void what is listed, or say every line that cannot be followed and keep what was typed."""
    app, row, person = request.app.state, await load_wave(wave), person_of(request)
    form = {name: str(value) for name, value in (await read_form(request)).items()}
    try:
        if form.get("confirm", "").strip() != row.wave:
            raise WrongNameError(row.wave)
        voided = await void_leftovers(
            app.settings,
            app.office,
            row.wave,
            form.get("lines", "").splitlines(),
            (person.name, form.get("second", "")),
            actor=person.name,
            now=app.now(),
        )
    except SurveyError as refusal:
        return _page(request, row, typed=form, refusal=refusal)
    return _page(request, row, voided=voided)


LEFTOVER_ROUTES = (show_leftovers, post_leftovers)


def _page(
    request: AnyRequest,
    row: WaveRow,
    *,
    typed: dict[str, str] | None = None,
    refusal: SurveyError | None = None,
    voided: dict[str, int] | None = None,
) -> Response[str]:
    return console_page(
        request,
        "leftovers.html",
        title="剩下的纸条",
        crumbs=(*wave_crumbs(row), ("参与情况", f"/console/waves/{row.wave}/monitor")),
        command=f"survey leftovers {row.wave} 剩下的.txt --counted-by 甲 --counted-by 乙",
        row=row,
        status=422 if refusal else 200,
        typed=typed or {},
        refusal=refusal,
        faults=refusal.faults if isinstance(refusal, FaultsError) else (),
        voided=voided,
        own=person_of(request).name,
    )
