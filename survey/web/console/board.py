"""C9: messages of the board, masked until one person has cleared them and another released them.

The list shows masked text only. Whoever clears a message opens it, which is logged, and
proposes what may be shown; a second person sees that proposal and releases it or sends it
back. Released messages may be read by everybody at the console.
"""

import csv
import io

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from survey.columns import plain_cell
from survey.errors import FaultsError, SurveyError
from survey.fieldwork.board_text import MOST_SIGNS, THEMES, masked
from survey.followup.themes import groups_shown, theme_rows
from survey.jobs.message_board import change_theme, clear_message, decide_message, open_message
from survey.storage.board import MOST_MESSAGES, Message, count_messages, count_released, list_messages
from survey.storage.plans import WaveRow, load_wave
from survey.web.access import check_query, may, person_of, read_form
from survey.web.console.page import GROUPS, console_page, wave_crumbs
from survey.web.console.waves import tabs_of
from survey.web.files import download
from survey.web.pages import AnyRequest

STATES = {"held": "待清理", "proposed": "待放行", "released": "已放行", "withheld": "不公开"}
PER_PAGE = 50


@get("/waves/{wave:str}/board", guards=[may("board.see")])
async def show_board_list(request: AnyRequest, wave: FromPath[str]) -> Response[str]:
    """Messages of one state, masked, in no order of time."""
    query = check_query(request, frozenset({"state", "after"}))
    row = await load_wave(wave)
    state = query.get("state", "released")
    if state not in STATES:
        state = "released"
    after = query.get("after", "")
    messages = await list_messages(wave, state, limit=PER_PAGE, after=after) if state != "withheld" else ()
    return console_page(
        request,
        "board.html",
        title="留言",
        crumbs=wave_crumbs(row),
        command="",
        only_here="留言要两个人看过才放行，只在页面上做。",
        row=row,
        tabs=tabs_of(row, "/board"),
        states=STATES,
        state=state,
        counts=await count_messages(wave),
        messages=[(message, _shown(message)) for message in messages],
        last=messages[-1].id if len(messages) == PER_PAGE else "",
        groups=GROUPS,
        own=person_of(request).name,
        theme_counts=theme_rows((await count_released(wave))[0]),
        themes=THEMES,
    )


@get("/waves/{wave:str}/board/{number:str}", guards=[may("board.clear")])
async def show_message(request: AnyRequest, wave: FromPath[str], number: FromPath[str]) -> Response[str]:
    """One held message whole, for the person who clears it; the log keeps that it was opened."""
    row = await load_wave(wave)
    app, person = request.app.state, person_of(request)
    message = await open_message(wave, number, actor=person.name, now=app.now())
    return _message_page(request, row, message, masked(message.text))


@post("/waves/{wave:str}/board/{number:str}", guards=[may("board.clear")], status_code=303)
async def post_clear(request: AnyRequest, wave: FromPath[str], number: FromPath[str]) -> Response[str] | Redirect:
    """The first pair of eyes: propose what may be shown, or withhold the message for good."""
    row = await load_wave(wave)
    app, person, form = request.app.state, person_of(request), await read_form(request)
    try:
        if form.get("act") == "withhold":
            await decide_message(wave, number, "withhold", actor=person.name, now=app.now())
        else:
            cleared, theme = str(form.get("cleared", "")), str(form.get("theme", ""))
            await clear_message(wave, number, cleared, theme, actor=person.name, now=app.now())
    except FaultsError as refusal:
        message = await open_message(wave, number, actor=person.name, now=app.now())
        return _message_page(request, row, message, str(form.get("cleared", "")), refusal, 422)
    return Redirect(path=f"/console/waves/{wave}/board?state=held", status_code=303)


@post("/waves/{wave:str}/board/{number:str}/decide", guards=[may("board.release")], status_code=303)
async def post_decide(request: AnyRequest, wave: FromPath[str], number: FromPath[str]) -> Redirect:
    """The second pair of eyes, another person's: release, or send back."""
    await load_wave(wave)
    app, person, form = request.app.state, person_of(request), await read_form(request)
    decision = "release" if form.get("act") == "release" else "send_back"
    seen = None if form.get("seen") is None else str(form.get("seen"))
    await decide_message(wave, number, decision, actor=person.name, now=app.now(), seen=seen)
    return Redirect(path=f"/console/waves/{wave}/board?state=proposed", status_code=303)


@post("/waves/{wave:str}/board/{number:str}/theme", guards=[may("board.clear")], status_code=303)
async def post_theme(request: AnyRequest, wave: FromPath[str], number: FromPath[str]) -> Redirect:
    """Another theme for a released message."""
    await load_wave(wave)
    app, person, form = request.app.state, person_of(request), await read_form(request)
    await change_theme(wave, number, str(form.get("theme", "")), actor=person.name, now=app.now())
    return Redirect(path=f"/console/waves/{wave}/board", status_code=303)


@get("/waves/{wave:str}/board.csv", guards=[may("board.see")])
async def download_board(wave: FromPath[str]) -> Response[bytes]:
    """Themes with their counts, then every released text; small counts and small groups are left out."""
    row = await load_wave(wave)
    by_theme, by_group = await count_released(wave)
    told = groups_shown(by_group)
    text = io.StringIO()
    sheet = csv.writer(text, lineterminator="\r\n")
    sheet.writerow(["主题", "条数", "占已放行的"])
    for one in theme_rows(by_theme):
        sheet.writerow([plain_cell(cell) for cell in (one.name, one.n, one.share)])
    sheet.writerow([])
    sheet.writerow(["主题", "谁写的", "留言"])
    for message in await list_messages(wave, "released", limit=MOST_MESSAGES):
        group = GROUPS.get(message.group, message.group) if message.group in told else ""
        sheet.writerow([plain_cell(cell) for cell in (message.theme, group, message.cleared)])
    return download(text.getvalue().encode("utf-8-sig"), f"{row.county}_{wave}_留言和主题.csv")


BOARD_ROUTES = (show_board_list, show_message, post_clear, post_decide, post_theme, download_board)


def _shown(message: Message) -> str:
    return message.cleared if message.state in ("proposed", "released") else masked(message.text)


def _message_page(
    request: AnyRequest,
    row: WaveRow,
    message: Message,
    cleared: str,
    refusal: SurveyError | None = None,
    status: int = 200,
) -> Response[str]:
    return console_page(
        request,
        "board_message.html",
        title="清理一条留言",
        crumbs=(*wave_crumbs(row), ("留言", f"/console/waves/{row.wave}/board?state=held")),
        command="",
        only_here="留言要两个人看过才放行，只在页面上做。",
        row=row,
        status=status,
        message=message,
        cleared=cleared,
        refusal=refusal,
        themes=THEMES,
        most=MOST_SIGNS,
        group=GROUPS.get(message.group, message.group),
    )
