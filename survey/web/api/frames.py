"""Frame and sample of a wave: who exists, who was drawn, from which seed; schools only, never people."""

from typing import Any

from litestar import Response, get
from litestar.params import FromPath

from survey.errors import SurveyError
from survey.sampling.frame import School
from survey.storage.areas import area_names, areas_of
from survey.storage.frames import find_frame
from survey.storage.plans import load_wave
from survey.storage.samples import find_sample
from survey.web.access import token_with
from survey.web.api.answers import answer
from survey.web.api.documents import DrawnDomain, DrawnStratum, FrameDocument, FrameSchool, SampleDocument
from survey.web.api.paging import page_asked, page_of
from survey.web.pages import AnyRequest

MOST_ROWS = 1000
ROWS = 500
"""Most counties have fewer schools than one page holds."""


class NotThereYetError(SurveyError):
    """The wave has not come so far."""

    code = "api.not_there_yet"
    kind = "conflict"

    def __init__(self, thing: str, state_name: str) -> None:
        super().__init__(thing, f"还没有，现在是“{state_name}”", "做过这一步以后再来取")


@get("/waves/{wave:str}/frame", guards=[token_with("frame:read")])
async def show_frame(request: AnyRequest, wave: FromPath[str]) -> Response[Any]:
    """The schools of a wave's frame, sorted by code."""
    asked = page_asked(request, most=MOST_ROWS, default=ROWS)
    row = await load_wave(wave)
    frame = await find_frame(wave)
    if frame is None:
        raise NotThereYetError("学校名册", row.state_name)
    page, following = page_of(frame.schools, asked, lambda school: school.code, of=frame.digest)
    areas, names = await areas_of(wave), await area_names()
    schools = [_school(school, areas.get(school.code), names) for school in page]
    document = FrameDocument(wave=wave, digest=frame.digest, schools=schools, next=following)
    return answer(request, document)


@get("/waves/{wave:str}/sample", guards=[token_with("frame:read")])
async def show_sample(request: AnyRequest, wave: FromPath[str]) -> Response[Any]:
    """What was drawn, with the seed and the digests that let anyone draw it again."""
    asked = page_asked(request, most=MOST_ROWS, default=ROWS)
    row = await load_wave(wave)
    sample = await find_sample(wave)
    if sample is None:
        raise NotThereYetError("样本", row.state_name)
    page, following = page_of(sample.domains, asked, lambda one: one.domain, of=sample.digest)
    document = SampleDocument(
        wave=wave,
        seed=sample.seed,
        digest=sample.digest,
        frame_digest=sample.frame_digest,
        design_digest=sample.design_digest,
        strata=[
            DrawnStratum(
                stratum=one.stratum,
                label=one.name,
                schools_in_frame=one.schools_in_frame,
                schools_drawn=one.schools_drawn,
            )
            for one in sample.strata
        ],
        domains=[
            DrawnDomain(
                domain=one.domain,
                group=one.group,
                school_code=one.school_code,
                school_name=one.school_name,
                stratum=one.stratum,
                eligible=one.eligible,
                slips=one.slips,
            )
            for one in page
        ],
        next=following,
    )
    return answer(request, document)


def _school(school: School, area: str | None, names: dict[str, str]) -> FrameSchool:
    return FrameSchool(
        code=school.code,
        label=school.name,
        district=school.district,
        area=area,
        area_label=None if area is None else names.get(area),
        place=school.place,
        stage=school.stage,
        kind_code=school.kind_code,
        pupils=school.pupils,
        classes=school.classes,
        teachers=school.teachers,
    )
