"""What these pages are built to, what they cannot do yet, and whom to call (UX section 9)."""

from litestar import HttpMethod, Response, route
from litestar.di import NamedDependency

from survey.web.respondent.desk import Desk
from survey.web.respondent.look import read_look
from survey.web.respondent.privacy import published
from survey.web.respondent.reply import AnyRequest, page
from survey.web.respondent.waves import Place, Wave

GAPS = ("access.gap_aloud", "access.gap_mongolian", "access.gap_paper")


@route(["/s/accessibility", "/S/ACCESSIBILITY"], http_method=[HttpMethod.GET, HttpMethod.HEAD])
async def show_accessibility(request: AnyRequest, desk: NamedDependency[Desk]) -> Response[bytes]:
    """The statement, with the telephone of a wave when one is named."""
    place: Place | Wave = (
        await published(desk, request.query_params.get("wave", "")) or await desk.waves.place()
    )
    look = read_look(request.query_params, place.languages)
    words = look.words
    phone = place.plan.telephone if isinstance(place, Wave) else place.telephone
    help_line = words("access.help", phone=phone) if phone else words("access.help_slip")
    kept = ("&c=1" if look.child else "") + (f"&wave={place.plan.wave}" if isinstance(place, Wave) else "")
    return page(
        desk.pages.page(
            "accessibility",
            look,
            place,
            words("access.title"),
            lines=[words("access.built"), words("access.can"), help_line],
            gaps=[words(key) for key in GAPS],
            kept=kept,
        )
    )
