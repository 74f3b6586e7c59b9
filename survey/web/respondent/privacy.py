"""What is kept, what is not, who sees it, until when, and whom to call."""

from litestar import HttpMethod, Response, route
from litestar.di import NamedDependency

from survey.web.respondent.desk import Desk
from survey.web.respondent.look import read_look
from survey.web.respondent.reply import AnyRequest, page
from survey.web.respondent.waves import Place, Wave

LINES = ("privacy.lead", "privacy.kept", "privacy.slip")
AFTER = ("privacy.school", "privacy.published", "privacy.withdraw")
DETAILS = ("privacy.draft", "privacy.address", "privacy.until", "privacy.child")


@route(["/s/privacy", "/S/PRIVACY"], http_method=[HttpMethod.GET, HttpMethod.HEAD])
async def show_privacy(request: AnyRequest, desk: NamedDependency[Desk]) -> Response[bytes]:
    """The notice of one wave, or of the installation when none is named."""
    place: Place | Wave = (
        await published(desk, request.query_params.get("wave", "")) or await desk.waves.place()
    )
    look = read_look(request.query_params, place.languages)
    words = look.words
    if isinstance(place, Wave):
        sealing = "privacy.sealed" if place.plan.sealed else "privacy.unsealed"
        org, phone = place.plan.office, place.plan.telephone
    else:
        sealing, org, phone = "privacy.depends", place.office, place.telephone
    lines = [words(key) for key in (*LINES, sealing, *AFTER)]
    kept = ("&c=1" if look.child else "") + (f"&wave={place.plan.wave}" if isinstance(place, Wave) else "")
    if org and phone:
        lines.append(words("privacy.whom", org=org, phone=phone))
    details = [words(key) for key in DETAILS]
    title = words("privacy.title")
    return page(desk.pages.page("privacy", look, place, title, lines=lines, details=details, kept=kept))


async def published(desk: Desk, wave: str) -> Wave | None:
    """The named wave when it is published; a stranger learns nothing of a draft."""
    if not wave or not await desk.waves.is_published(wave):
        return None
    return await desk.waves.wave(wave)
