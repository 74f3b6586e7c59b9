"""The message board beside the questionnaire: one box, no identity, apart from every answer.

Reached from the thanks page and by its own address; closed for pupils. The reply is the same
whether a message was new or sent before. Addresses are counted in memory alone, so that one
of them cannot bury the others' messages.
"""

import secrets

from litestar import HttpMethod, Response, route
from litestar.di import NamedDependency
from litestar.params import FromPath

from survey.fieldwork.board_text import MOST_SIGNS
from survey.fieldwork.response import submission_key
from survey.jobs.message_board import RECEIVING, BoardClosedError, board_groups, leave_message
from survey.scheme.catalogue import group_key
from survey.web.respondent.body import read_form, single
from survey.web.respondent.desk import Desk
from survey.web.respondent.look import Look, read_look
from survey.web.respondent.posters import published_wave
from survey.web.respondent.reply import AnyRequest, page, see_other
from survey.web.respondent.waves import Wave


@route(["/b", "/B"], http_method=[HttpMethod.GET, HttpMethod.HEAD])
async def show_boards(request: AnyRequest, desk: NamedDependency[Desk]) -> Response[bytes]:
    """On to the board of the wave that runs; with several, which one."""
    look = await desk.look(request)
    running = []
    for name in desk.office.waves():
        if await desk.office.state(name) in RECEIVING and await desk.waves.is_published(name):
            known = await desk.waves.wave(name)
            if board_groups(known.plan):
                running.append(known)
    if len(running) == 1:
        return see_other(f"/b/{running[0].plan.wave}{look.query}")
    if not running:
        return await closed(desk, look)
    return page(
        desk.pages.page(
            "boards",
            look,
            await desk.waves.place(),
            look.words("board.which"),
            boards=[(known.plan.title, f"/b/{known.plan.wave}{look.query}") for known in running],
        )
    )


@route(["/b/{wave:str}", "/B/{wave:str}"], http_method=[HttpMethod.GET, HttpMethod.HEAD])
async def show_board(
    request: AnyRequest, wave: FromPath[str], desk: NamedDependency[Desk]
) -> Response[bytes]:
    """The empty box; reading keeps nothing."""
    known = await published_wave(desk, wave)
    look = read_look(request.query_params, known.languages)
    if (
        look.child
        or not board_groups(known.plan)
        or await desk.office.state(known.plan.wave) not in RECEIVING
    ):
        return await closed(desk, look, known)
    return page(board_page(desk, look, known))


@route(["/b/{wave:str}", "/B/{wave:str}"], http_method=HttpMethod.POST, status_code=200)
async def send_board(
    request: AnyRequest, wave: FromPath[str], desk: NamedDependency[Desk]
) -> Response[bytes]:
    """Keep a message, or show what is wrong beside the box with everything typed."""
    known = await published_wave(desk, wave)
    look = read_look(request.query_params, known.languages)
    fields = await read_form(request.stream(), request.headers.get("content-type", ""))
    key = submission_key(single(fields, "k"))
    group, text = single(fields, "who"), single(fields, "text")
    if group not in board_groups(known.plan):
        return page(board_page(desk, look, known, text=text, faults={"who": "board.err_who"}, key=key), 422)
    if desk.board.is_too_fast(request.client.host if request.client else ""):
        return await desk.state(
            look, "state.busy_title", look.words("board.busy"), status=503, retry_after=600
        )
    try:
        fault = await leave_message(desk.office, known.plan.wave, key, group, text, now=desk.clock())
    except BoardClosedError:
        return await closed(desk, look, known)
    if fault is not None:
        faults = {"text": "board.err_text"}
        return page(board_page(desk, look, known, group=group, text=text, faults=faults, key=key), 422)
    return await desk.state(look, "board.done_title", look.words("board.done"), wave=known)


BOARD_ROUTES = (show_boards, show_board, send_board)


async def closed(desk: Desk, look: Look, wave: Wave | None = None) -> Response[bytes]:
    """The page where no message is taken."""
    return await desk.state(look, "board.closed_title", look.words("board.closed"), wave=wave)


def board_page(
    desk: Desk,
    look: Look,
    wave: Wave,
    *,
    group: str = "",
    text: str = "",
    faults: dict[str, str] | None = None,
    key: bytes | None = None,
) -> bytes:
    """The box with what was typed, and the faults beside it."""
    words = look.words
    kinds = {name: wave.scheme.group(name) for name in board_groups(wave.plan)}
    called = {
        name: words.source(group_key(name, kind.zh), {"zh": kind.zh, "en": kind.en})
        for name, kind in kinds.items()
    }
    return desk.pages.page(
        "board",
        look,
        wave,
        words("board.title"),
        action=f"/b/{wave.plan.wave}{look.query}",
        groups=list(called.items()),
        chosen=group,
        typed=text[: 2 * MOST_SIGNS],
        most=MOST_SIGNS,
        faults={name: words(sentence) for name, sentence in (faults or {}).items()},
        faulty=bool(faults),
        key=(key or secrets.token_bytes(16)).hex(),
    )
