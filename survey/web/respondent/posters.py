"""Posters: one link for a school's group with a number of places, or one for everybody.

A quota poster leads straight to its form; an open one asks for the capacity and the school
first and says that it is open to all. A full quota is shown here and nowhere else: a form
that is sent is always taken in, in the surplus domain that never enters the figure.
"""

from litestar import HttpMethod, Response, route
from litestar.di import NamedDependency
from litestar.params import FromPath

from survey.errors import SurveyError
from survey.scheme.catalogue import group_key
from survey.storage.intake import Poster
from survey.web.respondent.body import held, read_form
from survey.web.respondent.desk import Desk
from survey.web.respondent.look import Look, read_look
from survey.web.respondent.reply import AnyRequest, Asked, page, see_other
from survey.web.respondent.taking import WayIn, blank_form, take_in
from survey.web.respondent.waves import Wave


class UnknownPosterError(SurveyError):
    """No published wave has such a poster."""

    code = "respondent.unknown_poster"
    kind = "not_found"

    def __init__(self, address: str) -> None:
        super().__init__(f"海报上的网址“{address[:60]}”", "没有对应的调查", "请重新扫码，或打电话问一问")


@route(["/o", "/O"], http_method=[HttpMethod.GET, HttpMethod.HEAD])
async def show_open_waves(request: AnyRequest, desk: NamedDependency[Desk]) -> Response[bytes]:
    """On to the volunteer wave that is running; with none, or with several, the poster itself must say which."""
    running = [
        wave
        for wave in desk.office.waves()
        if await desk.office.state(wave) == "open"
        and any(poster.mode == "open" for poster in desk.office.about(wave).posters)
    ]
    if len(running) != 1:
        raise UnknownPosterError("/o")
    return see_other(f"/o/{running[0]}{(await desk.look(request)).query}")


@route(["/o/{wave:str}", "/O/{wave:str}"], http_method=[HttpMethod.GET, HttpMethod.HEAD])
async def show_open(request: AnyRequest, wave: FromPath[str], desk: NamedDependency[Desk]) -> Response[bytes]:
    """The open poster of a volunteer wave: in which capacity, and for which school."""
    known = await published_wave(desk, wave)
    look = read_look(request.query_params, known.languages)
    posters = [poster for poster in posters_of(desk, known) if poster.mode == "open"]
    if not posters:
        raise UnknownPosterError(wave)
    state = WayIn(
        known, known.domain(posters[0].domain), await desk.office.state(known.plan.wave), None, ""
    ).state_for(desk.clock(), sending=False)
    if state != "open":
        return await desk.not_open(look, known, state)
    chosen = request.query_params.get("d", "")
    if any(poster.domain == chosen for poster in posters):
        return see_other(f"/o/{known.plan.wave}/{chosen}{look.query}")
    capacities = by_capacity(known, posters)
    group = request.query_params.get("g", "")
    if len(capacities.get(group, ())) == 1:
        return see_other(f"/o/{known.plan.wave}/{capacities[group][0]}{look.query}")
    return page(open_page(desk, look, known, capacities, group))


@route(
    ["/o/{wave:str}/{domain:str}", "/O/{wave:str}/{domain:str}"],
    http_method=[HttpMethod.GET, HttpMethod.HEAD],
)
async def show_poster(
    request: AnyRequest, wave: FromPath[str], domain: FromPath[str], desk: NamedDependency[Desk]
) -> Response[bytes]:
    """The form of a poster, or the page that says why there is none."""
    return await poster_form(request, desk, wave, domain)


@route(
    ["/o/{wave:str}/{domain:str}", "/O/{wave:str}/{domain:str}"], http_method=HttpMethod.POST, status_code=200
)
async def send_open_form(
    request: AnyRequest, wave: FromPath[str], domain: FromPath[str], desk: NamedDependency[Desk]
) -> Response[bytes]:
    """Take a response in under a poster, once for each submission key."""
    return await poster_sent(request, desk, wave, domain)


async def poster_form(request: Asked, desk: Desk, wave: str, domain: str) -> Response[bytes]:
    """What opening a poster's address gives."""
    way, poster = await way_of(desk, wave, domain)
    look = read_look(request.query_params, way.wave.languages)
    state = way.state_for(desk.clock(), sending=False)
    if state != "open":
        return await desk.not_open(look, way.wave, state)
    if poster.mode == "quota" and await is_full(desk, way.wave, poster):
        return await desk.state(look, "state.quota_title", look.words("state.quota_full"), wave=way.wave)
    return blank_form(request, desk, look, way)


async def poster_sent(request: Asked, desk: Desk, wave: str, domain: str) -> Response[bytes]:
    """What sending a poster's form gives."""
    fields = await read_form(request.stream(), request.headers.get("content-type", ""))
    with held(fields):
        way, _ = await way_of(desk, wave, domain)
        return await take_in(request, desk, read_look(request.query_params, way.wave.languages), way, fields)


async def published_wave(desk: Desk, wave: str) -> Wave:
    """The wave of a poster's address, whatever the case of its letters.

    Raises:
        UnknownPosterError: no published wave has this name.
    """
    name = wave.lower()
    if not await desk.waves.is_published(name):
        raise UnknownPosterError(wave)
    return await desk.waves.wave(name)


def posters_of(desk: Desk, wave: Wave) -> tuple[Poster, ...]:
    """The posters a wave's intake was made with, surplus domains left out."""
    return tuple(poster for poster in desk.office.about(wave.plan.wave).posters if poster.mode != "surplus")


async def way_of(desk: Desk, wave: str, domain: str) -> tuple[WayIn, Poster]:
    """What a poster leads to.

    Raises:
        UnknownPosterError: the wave has no such poster.
    """
    known = await published_wave(desk, wave)
    for poster in posters_of(desk, known):
        if poster.domain.lower() == domain.lower():
            state = await desk.office.state(known.plan.wave)
            address = f"/o/{known.plan.wave}/{poster.domain}"
            return WayIn(known, known.domain(poster.domain), state, None, address), poster
    raise UnknownPosterError(f"{wave}/{domain}")


async def is_full(desk: Desk, wave: Wave, poster: Poster) -> bool:
    """Whether a quota has been reached."""
    counts = await desk.office.poster_counts(wave.plan.wave)
    return any(count.domain == poster.domain and count.used >= poster.quota for count in counts)


def by_capacity(wave: Wave, posters: list[Poster]) -> dict[str, list[str]]:
    """The domains of an open wave under the kind of person they are for, in the plan's order."""
    found: dict[str, list[str]] = {}
    for poster in posters:
        found.setdefault(wave.domain(poster.domain).group, []).append(poster.domain)
    return found


def open_page(desk: Desk, look: Look, wave: Wave, capacities: dict[str, list[str]], group: str) -> bytes:
    """The choice of capacity as links, then of the school as one native list."""
    names = {}
    for each in capacities:
        kind = wave.scheme.group(each)
        names[each] = look.words.source(group_key(each, kind.zh), {"zh": kind.zh, "en": kind.en})
    start = f"/o/{wave.plan.wave}"
    joint = look.query + "&" if look.query else "?"
    return desk.pages.page(
        "open",
        look,
        wave,
        look.words("open.school" if group in capacities else "open.title"),
        capacity=names.get(group),
        chosen=group,
        again=start + look.query,
        ways=[(name, f"{start}{joint}g={each}") for each, name in names.items()],
        schools=[(domain, wave.domain(domain).school_name) for domain in capacities.get(group, ())],
        kept=f"&g={group}" if group in capacities else "",
    )
