"""The preview of a form: everything a respondent meets, and nothing of it is kept or counted."""

import hmac
import secrets

from litestar import HttpMethod, Response, route
from litestar.di import NamedDependency
from litestar.params import FromPath

from survey.errors import SurveyError
from survey.jobs.preview_form import preview_catalogues, preview_mark, stage_of
from survey.jobs.record_questions import play
from survey.sampling.sample import DomainDraw
from survey.scheme.answers import read_answers
from survey.scheme.plan import scheme_of
from survey.storage.plans import find_wave, load_plan
from survey.storage.recordings import list_recordings
from survey.web.respondent.body import read_form
from survey.web.respondent.desk import Desk
from survey.web.respondent.hear import NoRecordingError, sound
from survey.web.respondent.look import read_look
from survey.web.respondent.pages import hidden_bytes
from survey.web.respondent.reply import AnyRequest, page
from survey.web.respondent.taking import answer_fields, on_path
from survey.web.respondent.waves import Wave
from survey.web.respondent.words import vocabularies

PATH = "/preview/{wave:str}/{group:str}/{stage:str}/{mark:str}"


class UnknownPreviewError(SurveyError):
    """The address is no preview link of this installation."""

    code = "respondent.unknown_preview"
    kind = "not_found"

    def __init__(self) -> None:
        super().__init__("预览链接", "不对，或不是这里发的", "用 survey instrument preview 重新取一个")


@route(PATH, http_method=[HttpMethod.GET, HttpMethod.HEAD])
async def show_preview(
    request: AnyRequest,
    wave: FromPath[str],
    group: FromPath[str],
    stage: FromPath[str],
    mark: FromPath[str],
    desk: NamedDependency[Desk],
) -> Response[bytes]:
    """The empty form, marked as a preview."""
    tried, draw = await previewed(desk, wave, group, stage, mark)
    look = read_look(request.query_params, tried.languages)
    hidden = hidden_bytes(secrets.token_hex(16), "")
    return page(desk.pages.faulty_form(tried, draw, look, {}, (), hidden, preview=True))


@route(PATH, http_method=HttpMethod.POST, status_code=200)
async def send_preview(
    request: AnyRequest,
    wave: FromPath[str],
    group: FromPath[str],
    stage: FromPath[str],
    mark: FromPath[str],
    desk: NamedDependency[Desk],
) -> Response[bytes]:
    """The checks a sent form meets, and then nothing."""
    tried, draw = await previewed(desk, wave, group, stage, mark)
    look = read_look(request.query_params, tried.languages)
    fields = await read_form(request.stream(), request.headers.get("content-type", ""))
    words = look.words
    again = (f"/preview/{wave}/{group}/{stage}/{mark}{look.query}", words("preview.again"))
    if "wrong" in fields:
        return await desk.state(
            look, "start.wrong_title", words("state.wrong_school"), wave=tried, link=again
        )
    instrument = tried.instrument(draw)
    given = answer_fields(instrument, fields)
    _, faults = read_answers(instrument, given)
    if "look" in fields or faults:
        shown = () if "look" in fields else faults
        hidden = hidden_bytes(secrets.token_hex(16), "")
        body = desk.pages.faulty_form(tried, draw, look, on_path(given, shown), shown, hidden, preview=True)
        return page(body, 422 if shown else 200)
    return await desk.state(look, "preview.done_title", words("preview.done"), wave=tried, link=again)


@route(f"{PATH}/hear/{{name:str}}", http_method=[HttpMethod.GET, HttpMethod.HEAD])
async def hear_preview(
    request: AnyRequest,
    wave: FromPath[str],
    group: FromPath[str],
    stage: FromPath[str],
    mark: FromPath[str],
    name: FromPath[str],
    desk: NamedDependency[Desk],
) -> Response[bytes]:
    """A recording as it was handed in."""
    tried, _ = await previewed(desk, wave, group, stage, mark)
    found = await play(wave, name, tried.recordings.get(name, ""))
    if found is None:
        raise NoRecordingError
    return sound(request, found)


async def previewed(desk: Desk, wave: str, group: str, stage: str, mark: str) -> tuple[Wave, DomainDraw]:
    """The wave as it is planned now and a domain that exists on this page only.

    Raises:
        UnknownPreviewError: a wrong mark, or a form the plan does not have any more.
    """
    settings = desk.office.settings
    genuine = hmac.compare_digest(preview_mark(settings, wave, group, stage).encode(), mark.encode())
    if not genuine or await find_wave(wave) is None:
        raise UnknownPreviewError
    plan = await load_plan(wave)
    entry = plan.group(group)
    if entry is None or stage not in entry.instruments:
        raise UnknownPreviewError
    catalogues = await preview_catalogues()
    languages = vocabularies({*plan.languages, *catalogues}, catalogues)
    school = stage_of(stage) is not None or group in ("parent", "teacher", "student")
    draw = DomainDraw(
        domain="preview",
        group=group,
        school_code="0" if school else None,
        school_name="某某学校",
        stratum="",
        place=None,
        stage=stage_of(stage),
        eligible=0,
        slips=0,
        psu_probability="1",
        instrument=entry.instruments[stage],
    )
    heard = await list_recordings(wave)
    at = f"/preview/{wave}/{group}/{stage}/{mark}/hear/"
    return Wave(plan, scheme_of(plan), {}, languages, heard, at), draw
