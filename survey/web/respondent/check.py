"""`/check`: one fixed sentence before closing; afterwards, whether a receipt's response is there.

While any survey runs and none has closed, the reply is the same whatever is sent, and the
code is not even read: whatever the server confirmed to a parent, it would confirm to
whoever holds the parent's phone (TRUST section 9).
"""

from asyncio import to_thread

from litestar import HttpMethod, Response, route
from litestar.di import NamedDependency

from survey.certification.certificate import take_apart
from survey.certification.receipt import (
    Receipt,
    ReceiptUnreadableError,
    check_receipt,
    parse_code,
    parse_receipt,
    plain_signs,
)
from survey.certification.sealing import read_leaf
from survey.certification.statement import read_statement
from survey.storage.certificates import list_certificates
from survey.storage.plans import WaveRow, list_waves
from survey.web.respondent.body import read_form, single
from survey.web.respondent.desk import Desk, FinalLog
from survey.web.respondent.look import Look
from survey.web.respondent.reply import AnyRequest, page

WHY_NOT = {"X1": "check.planted", "X2": "check.voided", "X3": "check.clock"}
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
        receipt = parse_receipt(typed) if len(code) < len(plain_signs(typed)) else None
    except ReceiptUnreadableError:
        return page(await check_page(desk, look, typed[:40], look.words("check.bad")), 422)
    for row in waves:
        log = await final_log(desk, row.wave)
        lines = await said_of(desk, look, row, log, code, receipt)
        if lines:
            return await desk.state(look, "check.page", *lines)
    return await desk.state(look, "check.page", look.words("check.not_recorded"))


async def said_of(
    desk: Desk, look: Look, row: WaveRow, log: FinalLog, code: str, receipt: Receipt | None
) -> tuple[str, ...]:
    """What one final log says of a receipt; nothing where it is not of this wave.

    A code alone tells whether its response is there. A whole receipt is held against the log as
    it promised: signature, the head's place in the final log, and the holder's own key.
    """
    words, index = look.words, log.places.get(code)
    if receipt is None:
        if index is None:
            return ()
        return words("check.recorded"), await counted(desk, look, row, log, index)
    found = await to_thread(check_receipt, receipt, log.leaves, log.tree, log.key)
    if not found.head_signed:
        return (words("check.not_ours"),) if index is not None else ()
    if not (found.recorded and found.head_consistent):
        return (words("check.broken"),)
    if not found.own_key:
        return (words("check.not_own"),)
    return words("check.recorded"), words("check.whole"), await counted(desk, look, row, log, receipt.index)


async def closed_waves() -> tuple[WaveRow, ...]:
    """The waves whose log is final."""
    return tuple(row for row in await list_waves() if row.state in CLOSED)


async def final_log(desk: Desk, wave: str) -> FinalLog:
    """The log of a closed wave, which no longer changes; read once."""
    if wave not in desk.final_logs:
        leaves = await desk.office.leaves(wave)
        key = desk.office.log_signer(wave).key
        desk.final_logs[wave] = await to_thread(FinalLog.of, leaves, key)
    return desk.final_logs[wave]


async def counted(desk: Desk, look: Look, row: WaveRow, log: FinalLog, index: int) -> str:
    """Whether a recorded response entered the figure; answers never decide it, the three rules do."""
    words = look.words
    newest = await list_certificates(row.wave) if row.state == "certified" else ()
    if not newest:
        return words("check.counted_later")
    domain = read_leaf(log.leaves[index])["domain"]
    posters = desk.office.about(row.wave).posters
    if any(poster.domain == domain and poster.mode == "surplus" for poster in posters):
        return words("check.not_counted", reason=words("check.surplus"))
    statement = read_statement(take_apart(newest[-1].data).statement)
    reason = WHY_NOT.get(statement.excluded.get(index, ""))
    return words("check.not_counted", reason=words(reason)) if reason else words("check.counted")


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
