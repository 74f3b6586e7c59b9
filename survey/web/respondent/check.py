"""`/check`: one fixed sentence before closing; afterwards, whether a receipt's response is there.

While any survey runs and none has closed, the reply is the same whatever is sent, and the
code is not even read: whatever the server confirmed to a parent, it would confirm to
whoever holds the parent's phone (TRUST section 9).
"""

from litestar import HttpMethod, Response, route
from litestar.di import NamedDependency

from survey.certification.receipt import ReceiptUnreadableError, parse_code, receipt_code
from survey.certification.sealing import read_leaf
from survey.certification.transparency_log import leaf_hash
from survey.storage.plans import WaveRow, list_waves
from survey.web.respondent.body import read_form, single
from survey.web.respondent.desk import Desk
from survey.web.respondent.look import Look
from survey.web.respondent.reply import AnyRequest, page

CLOSED = frozenset({"closed", "opened", "estimated", "certified"})


@route(["/check", "/CHECK"], http_method=[HttpMethod.GET, HttpMethod.HEAD])
async def show_check(request: AnyRequest, desk: NamedDependency[Desk]) -> Response[bytes]:
    """The sentence of before closing, or the box of after it."""
    look = await desk.look(request)
    if not await closed_waves():
        return await too_early(desk, look)
    return page(await check_page(desk, look))


@route(["/check", "/CHECK"], http_method=HttpMethod.POST, status_code=200)
async def send_check(request: AnyRequest, desk: NamedDependency[Desk]) -> Response[bytes]:
    """What the final logs say of one receipt code."""
    look = await desk.look(request)
    waves = await closed_waves()
    if not waves:
        return await too_early(desk, look)
    typed = single(await read_form(request.stream(), request.headers.get("content-type", "")), "receipt")
    try:
        code = parse_code(typed)
    except ReceiptUnreadableError:
        return page(await check_page(desk, look, typed[:40], look.words("check.bad")), 422)
    words = look.words
    for row in waves:
        domain = (await final_codes(desk, row.wave)).get(code)
        if domain is not None:
            return await desk.state(
                look, "check.page", words("check.recorded"), counted(desk, look, row, domain)
            )
    return await desk.state(look, "check.page", words("check.not_recorded"))


async def closed_waves() -> tuple[WaveRow, ...]:
    """The waves whose log is final."""
    return tuple(row for row in await list_waves() if row.state in CLOSED)


async def final_codes(desk: Desk, wave: str) -> dict[str, str]:
    """The receipt code of every response of a closed wave, with its domain; read once."""
    if wave not in desk.final_codes:
        leaves = await desk.office.leaves(wave)
        desk.final_codes[wave] = {
            parse_code(receipt_code(leaf_hash(leaf))): read_leaf(leaf)["domain"] for leaf in leaves
        }
    return desk.final_codes[wave]


def counted(desk: Desk, look: Look, row: WaveRow, domain: str) -> str:
    """Whether a recorded response entered the figure; answers never decide it, domains do."""
    words = look.words
    if row.state != "certified":
        return words("check.counted_later")
    posters = desk.office.about(row.wave).posters
    surplus = any(poster.domain == domain and poster.mode == "surplus" for poster in posters)
    return words("check.not_counted", reason=words("check.surplus")) if surplus else words("check.counted")


async def too_early(desk: Desk, look: Look) -> Response[bytes]:
    """The one sentence of before closing."""
    return await desk.state(look, "check.page", look.words("check.before"))


async def check_page(desk: Desk, look: Look, typed: str = "", fault: str = "") -> bytes:
    """The box for a receipt code, which the script fills from behind the # of a QR code."""
    words = look.words
    return desk.pages.page(
        "check",
        look,
        await desk.waves.place(),
        words("check.page"),
        name="receipt",
        label=words("check.label"),
        text="",
        hint=words("check.hint"),
        button=words("check.go"),
        sample=False,
        action="/check" + look.query,
        typed=typed,
        fault=fault,
        faulty=bool(fault),
    )
