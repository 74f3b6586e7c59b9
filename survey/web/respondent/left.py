"""Where people stop: one beacon without a code, where the plan asks for it, kept as a number.

A page that is left unsent says which group's form it was and at which part. It names no slip
and no school; nothing but one counter of the wave changes, and no address can turn it up at will.
"""

from litestar import HttpMethod, Response, route
from litestar.di import NamedDependency
from litestar.params import FromPath

from survey.fieldwork.paradata import CHECK
from survey.web.pages import AnyRequest
from survey.web.respondent.desk import Desk
from survey.web.respondent.reply import headers
from survey.web.respondent.waves import Wave


@route("/s/left/{wave:str}/{group:str}/{part:str}", http_method=HttpMethod.POST, status_code=200)
async def note_left(
    request: AnyRequest,
    wave: FromPath[str],
    group: FromPath[str],
    part: FromPath[str],
    desk: NamedDependency[Desk],
) -> Response[bytes]:
    """Count a form that was left; the answer is the same whether it was counted or not."""
    if await desk.waves.is_published(wave):
        known = await desk.waves.wave(wave)
        if (
            known.plan.break_off
            and part in parts_of(known, group)
            and await desk.office.state(wave) == "open"
            and not desk.left.is_too_fast(request.client.host if request.client else "")
        ):
            await desk.office.note_left(wave, group, part)
    return Response(b"", status_code=204, headers=headers(), media_type="text/plain")


def parts_of(wave: Wave, group: str) -> frozenset[str]:
    """The parts at which a form of a group can be left."""
    drawn = [draw for draw in wave.domains.values() if draw.group == group]
    most = max((len(wave.instrument(draw).sections) for draw in drawn), default=0)
    return frozenset({CHECK, *map(str, range(1, most + 1))}) if most else frozenset()
