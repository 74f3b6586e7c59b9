"""C14: call-backs. A list drawn once, outcomes typed one by one, counts by group; never beside answers.

The list is given out once, as the file that answers the drawing, and is kept nowhere: which
ticket is which person only the caller's list says. A ticket travels in the body of a request.
"""

from litestar import Response, get, post
from litestar.params import FromPath

from survey.errors import FaultsError, SurveyError
from survey.fieldwork.callbacks import (
    ANSWER,
    DAY,
    MOST_DRAWN,
    NEEDED,
    OUTCOMES,
    PEOPLE,
    RESULT,
    TICKET,
    list_csv,
)
from survey.jobs.call_back import BEFORE_OPENING, calling, draw_callbacks, record_callbacks
from survey.jobs.receive_response import OFFICE_TIME
from survey.storage.plans import load_wave
from survey.web.access import may, person_of, read_form
from survey.web.console.page import GROUPS, console_page, wave_crumbs
from survey.web.console.waves import tabs_of
from survey.web.files import download
from survey.web.pages import AnyRequest

FIELDS = {TICKET: "ticket", RESULT: "outcome", DAY: "day", ANSWER: "answer"}


@get("/waves/{wave:str}/callbacks", guards=[may("callbacks.see")])
async def show_callbacks(request: AnyRequest, wave: FromPath[str]) -> Response[str]:
    """How calling goes, and the form for one call."""
    return await _page(request, wave)


@post("/waves/{wave:str}/callbacks/draw", guards=[may("callbacks.draw")], status_code=200)
async def post_draw(request: AnyRequest, wave: FromPath[str]) -> Response[str] | Response[bytes]:
    """Draw the people to be called; the reply is their list, and it is given only this once."""
    row = await load_wave(wave)
    app, typed = request.app.state, str((await read_form(request)).get("n", "")).strip()
    n = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 6 else 0
    if not 1 <= n <= MOST_DRAWN:
        return await _page(request, wave, wrong={"n": f"写1到{MOST_DRAWN}的整数"}, status=422)
    people = await draw_callbacks(wave, n, actor=person_of(request).name, now=app.now())
    return download(list_csv(people), f"{row.county}_{row.wave}_回访名单.csv")


@post("/waves/{wave:str}/callbacks", guards=[may("callbacks.record")], status_code=200)
async def post_callback(request: AnyRequest, wave: FromPath[str]) -> Response[str]:
    """Record one call."""
    app, form = request.app.state, await read_form(request)
    typed = {name: str(form.get(name, "")).strip() for name in FIELDS.values()}
    line = {column: typed[name] for column, name in FIELDS.items()}
    try:
        await record_callbacks(wave, [line], actor=person_of(request).name, now=app.now())
    except FaultsError as refusal:
        wrong = {FIELDS[str(fault.column)]: f"{fault.problem}。{fault.remedy}" for fault in refusal.faults}
        return await _page(request, wave, typed=typed, wrong=wrong, status=422)
    except SurveyError as refusal:
        if refusal.code != "callback.refused":
            raise
        return await _page(request, wave, typed=typed, wrong={"ticket": refusal.reason}, status=422)
    return await _page(request, wave, done=True, typed={"day": typed["day"]})


CALLBACK_ROUTES = (show_callbacks, post_draw, post_callback)


async def _page(
    request: AnyRequest,
    wave: str,
    *,
    typed: dict[str, str] | None = None,
    wrong: dict[str, str] | None = None,
    done: bool = False,
    status: int = 200,
) -> Response[str]:
    row = await load_wave(wave)
    drawn = await calling(wave) if row.state not in ("draft", "framed") else ()
    today = request.app.state.now().astimezone(OFFICE_TIME).date().isoformat()
    return console_page(
        request,
        "callbacks.html",
        title="电话回访",
        crumbs=wave_crumbs(row),
        command=f"survey callbacks {wave} --draw 60 --out 名单.csv\nsurvey callbacks {wave} --import 填好的名单.csv",
        row=row,
        tabs=tabs_of(row, "/callbacks"),
        status=status,
        drawn=drawn,
        open=row.state in BEFORE_OPENING,
        interviewed=sum(one.outcomes["interviewed"] for one in drawn),
        needed=NEEDED,
        people=PEOPLE,
        most=MOST_DRAWN,
        outcomes=OUTCOMES,
        groups=GROUPS,
        typed={"day": today, **(typed or {})},
        wrong=wrong or {},
        done=done,
    )
