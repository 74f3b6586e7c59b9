"""Where a code is typed, and where a used slip is reported: two pages with one box each."""

from litestar import HttpMethod, Response, route
from litestar.di import NamedDependency

from survey.fieldwork.code import CodeFormatError, normalise
from survey.web.respondent.body import read_form, single
from survey.web.respondent.desk import Desk
from survey.web.respondent.look import Look
from survey.web.respondent.reply import AnyRequest, page, see_other


@route(["/s", "/S"], http_method=[HttpMethod.GET, HttpMethod.HEAD])
async def show_entry(request: AnyRequest, desk: NamedDependency[Desk]) -> Response[bytes]:
    """The page where the code of a slip is typed."""
    return desk.entry(await desk.look(request), await desk.waves.place())


@route(["/s", "/S"], http_method=HttpMethod.POST, status_code=200)
async def send_entry(request: AnyRequest, desk: NamedDependency[Desk]) -> Response[bytes]:
    """The way on to the form of the typed code, or the fault at the field."""
    look = await desk.look(request)
    typed = single(await read_form(request.stream(), request.headers.get("content-type", "")), "code")
    found = await desk.find(request, look, typed)
    return found if isinstance(found, Response) else see_other(f"/s/{normalise(typed)}{look.query}")


@route(["/s/dispute", "/S/DISPUTE"], http_method=[HttpMethod.GET, HttpMethod.HEAD])
async def show_dispute(request: AnyRequest, desk: NamedDependency[Desk]) -> Response[bytes]:
    """The page for whoever finds a slip already used."""
    look = await desk.look(request)
    return page(await dispute_page(desk, look))


@route(["/s/dispute", "/S/DISPUTE"], http_method=HttpMethod.POST, status_code=200)
async def send_dispute(request: AnyRequest, desk: NamedDependency[Desk]) -> Response[bytes]:
    """Note a report; the reply is the same for every well-formed code."""
    look = await desk.look(request)
    typed = single(await read_form(request.stream(), request.headers.get("content-type", "")), "code")
    try:
        code = normalise(typed)
    except CodeFormatError as wrong:
        desk.office.counts.mistyped[wrong.why] += 1
        return page(await dispute_page(desk, look, typed, look.words("err.code_format")), 422)
    await desk.office.dispute(code, desk.clock().date())
    return await desk.state(look, "dispute.done_title", look.words("dispute.done"))


async def dispute_page(desk: Desk, look: Look, typed: str = "", fault: str = "") -> bytes:
    """The one box of the report, with its fault."""
    words = look.words
    return desk.pages.page(
        "entry",
        look,
        await desk.waves.place(),
        words("dispute.title"),
        name="code",
        label=words("dispute.title"),
        text=words("dispute.text"),
        hint=words("code.hint"),
        button=words("dispute.send"),
        sample=False,
        action="/s/dispute" + look.query,
        typed=typed[:40],
        fault=fault,
        faulty=bool(fault),
    )
