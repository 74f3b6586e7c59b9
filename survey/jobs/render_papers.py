"""Make the papers: posters of every drawn school in one ZIP, slips of every pile in one PDF."""

from __future__ import annotations

from asyncio import to_thread
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime

from survey import canonical
from survey.certification.signed_plan import plan_code
from survey.documents.archive import archive
from survey.documents.imprint import Imprint, imprint_of
from survey.documents.poster import PosterPage, poster_files
from survey.documents.slip import SlipPile, slip_files, slips
from survey.errors import SurveyError
from survey.sampling.sample import DomainDraw, Sample
from survey.scheme.plan import Plan, instrument_of, scheme_of
from survey.settings import Settings
from survey.storage.evidence import find_evidence
from survey.storage.plans import load_plan
from survey.storage.print_files import load_print_file
from survey.storage.samples import load_sample

ONE_PIECE = 1000
"""Up to so many slips are compiled in one piece; more go school by school."""

Progress = Callable[[int, int], None]


class NothingToPrintError(SurveyError):
    """No pile fits what was asked for."""

    code = "papers.nothing_to_print"
    kind = "not_found"

    def __init__(self, wave: str, school: str | None) -> None:
        what = f"调查 {wave}" + (f" 的学校 {school}" if school else "")
        super().__init__(what, "没有要印的纸条", "看一看学校代码是不是抽中的学校")


class SignFirstError(SurveyError):
    """Papers carry the plan code, which exists once the plan is signed."""

    code = "papers.sign_first"
    kind = "conflict"

    def __init__(self, wave: str) -> None:
        super().__init__(
            f"调查 {wave} 的海报和纸条", "要印上计划编码，而计划还没有签", f"先运行 survey sign {wave}"
        )


async def render_posters(
    settings: Settings, wave: str, *, paper: str = "a4", now: datetime, progress: Progress | None = None
) -> bytes:
    """Posters of every drawn school, one PDF a school, in one ZIP.

    Raises:
        SignFirstError: the plan has no code yet.
    """
    plan, sample = await load_plan(wave), await load_sample(wave)
    imprint = await wave_imprint(plan)
    scheme = scheme_of(plan)
    pages = []
    for draw in sample.domains:
        instrument = instrument_of(plan, scheme, draw.group, draw.stage)
        entry = plan.group(draw.group)
        if instrument is None or entry is None:
            continue
        pages.append(
            PosterPage(
                group=draw.group,
                minutes=instrument.minutes,
                way=entry.mode,
                school_name=draw.school_name,
                school_code=draw.school_code or "",
                path={"slip": "/s", "quota": f"/o/{wave}/{draw.domain}", "open": f"/o/{wave}"}[entry.mode],
            )
        )
    files = await to_thread(poster_files, pages, imprint, paper, at=printed_at(now), progress=progress)
    return await to_thread(archive, files, at=printed_at(now))


async def render_slips(
    settings: Settings,
    wave: str,
    *,
    school: str | None = None,
    now: datetime,
    progress: Progress | None = None,
) -> bytes:
    """Slips with their cover sheets: a PDF, or a ZIP of PDFs where there are more than a thousand.

    Raises:
        SignFirstError: the plan has no code yet.
        PrintFileGoneError: the wave is open, the codes are erased.
        NothingToPrintError: no such school was drawn.
    """
    plan, sample = await load_plan(wave), await load_sample(wave)
    imprint = await wave_imprint(plan)
    piles = _piles(sample, load_print_file(settings, wave), school)
    if not piles:
        raise NothingToPrintError(wave, school)
    at = printed_at(now)
    if sum(len(pile.codes) for pile in piles) <= ONE_PIECE:
        return await to_thread(slips, piles, imprint, at=at)
    files = await to_thread(slip_files, piles, imprint, at=at, progress=progress)
    return await to_thread(archive, files, at=at)


def _piles(sample: Sample, rows: list[tuple[str, str]], school: str | None) -> list[SlipPile]:
    codes: dict[str, list[str]] = defaultdict(list)
    for code, domain in rows:
        codes[domain].append(code)
    return [
        _pile(draw, tuple(codes[draw.domain]))
        for draw in sample.domains
        if codes.get(draw.domain) and (school is None or draw.school_code == school)
    ]


def _pile(draw: DomainDraw, codes: tuple[str, ...]) -> SlipPile:
    return SlipPile(
        group=draw.group,
        codes=codes,
        school_name=draw.school_name,
        school_code=draw.school_code or "",
        stage=draw.stage or "",
        domain=draw.domain,
    )


async def wave_imprint(plan: Plan) -> Imprint:
    """What every sheet of a signed wave carries.

    Raises:
        SignFirstError: the plan has no code yet.
    """
    signed = await find_evidence(plan.wave, "plan.json")
    if signed is None:
        raise SignFirstError(plan.wave)
    code = plan_code(canonical.sha256_hex(signed.encode())).replace("-", "")
    return imprint_of(plan, scheme_of(plan), code)


def printed_at(now: datetime) -> datetime:
    """Midnight of the day: printing twice on one day gives the same bytes."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def suffix_of(papers: bytes) -> str:
    """The file name ending that fits rendered papers: one PDF, or a ZIP of several."""
    return ".pdf" if papers.startswith(b"%PDF") else ".zip"
