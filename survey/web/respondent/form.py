"""The form a slip leads to. Reading changes nothing; sending spends the slip, once."""

from dataclasses import replace

from litestar import HttpMethod, Response, route
from litestar.di import NamedDependency
from litestar.params import FromPath

from survey.fieldwork.code import LENGTH
from survey.storage.office import SlipFound
from survey.web.respondent.body import held, read_form
from survey.web.respondent.desk import Desk
from survey.web.respondent.look import read_look
from survey.web.respondent.reply import AnyRequest, Asked, see_other
from survey.web.respondent.taking import WayIn, blank_form, take_in


@route(["/s/{code:str}", "/S/{code:str}"], http_method=[HttpMethod.GET, HttpMethod.HEAD])
async def show_form(request: AnyRequest, code: FromPath[str], desk: NamedDependency[Desk]) -> Response[bytes]:
    """The form of a slip, or the page that says why there is none."""
    return await slip_form(request, desk, code)


@route(["/s/{code:str}", "/S/{code:str}"], http_method=HttpMethod.POST, status_code=200)
async def send_form(request: AnyRequest, code: FromPath[str], desk: NamedDependency[Desk]) -> Response[bytes]:
    """Take a response in, once, and answer only after it is durably kept."""
    return await slip_sent(request, desk, code)


async def slip_form(request: Asked, desk: Desk, code: str) -> Response[bytes]:
    """What opening a slip's address gives."""
    look = await desk.look(request)
    slip = await desk.find(request, look, code)
    if isinstance(slip, Response):
        return slip
    way = await way_of(desk, slip, code)
    look = read_look(request.query_params, way.wave.languages)
    if slip.state in ("used", "disputed"):
        return see_other("/s/thanks" + replace(look, child=way.is_pupils).query)
    if slip.state == "voided":
        return await desk.state(look, "state.void_title", look.words("state.void"), wave=way.wave)
    state = way.state_for(desk.clock(), sending=False)
    if state != "open":
        return await desk.not_open(look, way.wave, state)
    return blank_form(request, desk, look, way)


async def slip_sent(request: Asked, desk: Desk, code: str) -> Response[bytes]:
    """What sending a slip's form gives."""
    fields = await read_form(request.stream(), request.headers.get("content-type", ""))
    with held(fields):
        # Nearly everybody sends to the address just as it was issued.
        slip: SlipFound | Response[bytes] | None = (
            await desk.office.find_slip(code) if len(code) == LENGTH and code.isascii() else None
        )
        if slip is None:
            slip = await desk.find(request, await desk.look(request), code, sending=True)
        if isinstance(slip, Response):
            return slip
        way = await way_of(desk, slip, code)
        return await take_in(request, desk, read_look(request.query_params, way.wave.languages), way, fields)


async def way_of(desk: Desk, slip: SlipFound, code: str) -> WayIn:
    """What a slip leads to: its wave, its domain, and the wave's state now."""
    wave = await desk.waves.wave(slip.wave)
    return WayIn(wave, wave.domain(slip.domain), slip.wave_state, slip, f"/s/{code}")
