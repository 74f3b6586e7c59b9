"""Make the papers of a wave: what is printed, for which schools, in which order of folders.

Posters, slips with their covers, spare slips, questionnaires on paper in two sizes, the
notices, and the links as plain text. What has slip codes on it lies in a folder of its own,
because only the bureau prints it (TRUST section 6).
"""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from survey import canonical
from survey.certification.signed_plan import plan_code
from survey.documents.archive import archive
from survey.documents.imprint import Imprint, group_name, imprint_of, stage_name
from survey.documents.notice import guardian_notice, parents_group_message, supervisor_sheet
from survey.documents.paper_form import paper_form_pieces
from survey.documents.pieces import Piece, Progress, make_pieces
from survey.documents.poster import PosterPage, check_paper, poster_pieces
from survey.documents.slip import SlipPile, slip_links, slip_pieces, slips
from survey.documents.typeface import check_language, missing_letters
from survey.errors import SurveyError
from survey.jobs.class_piles import ClassPiles
from survey.jobs.translate import pinned_catalogues
from survey.sampling.sample import DomainDraw, Sample
from survey.scheme.instrument import Instrument
from survey.scheme.paper_words import PaperWords
from survey.scheme.plan import Plan, instrument_of, scheme_of
from survey.scheme.texts import Language, find_language
from survey.settings import Settings
from survey.storage.evidence import find_evidence
from survey.storage.plans import load_fielded_plan
from survey.storage.print_files import load_print_file
from survey.storage.samples import load_sample

ONE_PIECE = 1000
"""Up to so many slips are compiled in one piece; more go school by school."""

PARTS = {"posters": "海报", "slips": "纸条和封面", "forms": "纸质问卷", "notices": "告知和现场要求"}
"""What a print job may hold, in the order of its folders."""

BUREAU = "1_纸条_只由督导部门印"


class NothingToPrintError(SurveyError):
    """No pile fits what was asked for."""

    code = "papers.nothing_to_print"
    kind = "not_found"

    def __init__(self, wave: str, school: str | None) -> None:
        what = f"调查 {wave}" + (f" 的学校 {school}" if school else "")
        super().__init__(what, "没有要印的纸条", "看一看学校代码是不是抽中的学校")


class UnknownPartError(SurveyError):
    """A print job was asked for something that is not printed."""

    code = "papers.unknown_part"
    kind = "invalid"

    def __init__(self, parts: list[str]) -> None:
        super().__init__("排印的内容", f"没有“{'、'.join(parts)}”这一种", f"可选：{'、'.join(PARTS)}")


class LanguageNotPlannedError(SurveyError):
    """The signed plan does not offer this language, so nobody stands for its words."""

    code = "papers.language_not_planned"
    kind = "invalid"

    def __init__(self, language: str, planned: tuple[str, ...]) -> None:
        super().__init__(f"语言“{language}”", "签过的计划里没有这种语言", f"可选：{'、'.join(planned)}")


class SignFirstError(SurveyError):
    """Papers carry the plan code, which exists once the plan is signed."""

    code = "papers.sign_first"
    kind = "conflict"

    def __init__(self, wave: str) -> None:
        super().__init__(
            f"调查 {wave} 的海报和纸条", "要印上计划编码，而计划还没有签", f"先运行 survey sign {wave}"
        )


@dataclass(frozen=True)
class Wish:
    """What somebody wants printed."""

    parts: tuple[str, ...] = tuple(PARTS)
    paper: str = "a4"
    schools: tuple[str, ...] = ()
    """Codes of the schools that are printed for; empty for every drawn one."""
    classes: ClassPiles = ClassPiles()
    language: str = "zh"
    """Of slips and forms; posters and notices stand in Chinese and, on a page of its own, in this."""

    def holds(self, school: str | None) -> bool:
        """Whether a school is among those printed for; county lists only where all are."""
        return not self.schools or school in self.schools

    @property
    def told(self) -> str:
        """The schools in a log line."""
        return "、".join(self.schools) or "all"


@dataclass(frozen=True)
class PaperJob:
    """Everything a print job needs, loaded; its pieces are made when they are written."""

    wave: str
    pieces: tuple[Piece, ...]
    at: datetime
    n_slips: int = 0
    """Slips among the papers; with any, the archive holds codes."""


async def plan_papers(settings: Settings, wave: str, wish: Wish, *, now: datetime) -> PaperJob:
    """The print job of a signed wave, nothing rendered yet.

    Raises:
        SignFirstError: the plan has no code yet.
        PrintFileGoneError: slips are asked for, and the wave is open: the codes are erased.
        NothingToPrintError: no such school was drawn.
        UnknownPartError, UnknownPaperError: asked for what is not printed.
        LanguageNotPlannedError: a language the signed plan does not offer.
        NoTypefaceError: a language whose script our faces lack.
        FaultsError: the list of classes does not fit the slips.
    """
    if strange := [part for part in wish.parts if part not in PARTS]:
        raise UnknownPartError(strange)
    check_paper(wish.paper)
    plan, sample = await load_fielded_plan(wave), await load_sample(wave)
    imprint, at = await wave_imprint(plan), printed_at(now)
    own = replace(imprint, words=await paper_words(plan, wish.language))
    also = () if wish.language == "zh" else (own,)
    if strange := [school for school in wish.schools if school not in sample.schools]:
        raise NothingToPrintError(wave, strange[0])
    pieces: list[Piece] = []
    n_slips = 0
    if "slips" in wish.parts:
        piles = _piles(plan, sample, load_print_file(settings, wave), wish)
        if not piles and set(wish.parts) == {"slips"}:
            raise NothingToPrintError(wave, "、".join(wish.schools) or None)
        n_slips = sum(len(pile.codes) for pile in piles)
        pieces += slip_pieces(piles, own, at=at, folder=f"{BUREAU}/")
        if piles:
            links = partial(_text, slip_links(piles, own))
            pieces.append(Piece(f"{BUREAU}/链接清单_读屏用.txt", links, ""))
    if "posters" in wish.parts:
        items = _poster_pages(plan, sample, wish)
        pieces += poster_pieces(items, imprint, wish.paper, at=at, folder="2_海报/", also=also)
    if "forms" in wish.parts:
        pieces += paper_form_pieces(
            _instruments(plan, sample, wish), own, at=at, folder="3_纸质问卷/"
        )
    if "notices" in wish.parts:
        pieces += _notices(plan, (imprint, *also), at)
    return PaperJob(wave, tuple(pieces), at, n_slips)


async def render_posters(
    settings: Settings, wave: str, *, paper: str = "a4", school: str | None = None, now: datetime,
    progress: Progress | None = None,
) -> bytes:  # fmt: skip
    """Posters of every drawn school, or of one, a PDF a school, in one ZIP.

    Raises:
        SignFirstError: the plan has no code yet.
    """
    job = await plan_papers(settings, wave, Wish(("posters",), paper, (school,) if school else ()), now=now)
    made = await to_thread(
        lambda: {
            piece.name.rpartition("/")[2]: pdf for piece, pdf in make_pieces(job.pieces, progress=progress)
        }
    )
    return await to_thread(archive, made, at=job.at)


async def render_slips(
    settings: Settings, wave: str, wish: Wish = Wish(), *, now: datetime
) -> bytes:
    """Slips with their cover sheets as one PDF, for up to about `ONE_PIECE` slips.

    Raises:
        SignFirstError, PrintFileGoneError, NothingToPrintError, LanguageNotPlannedError, FaultsError:
            as `plan_papers`.
    """
    plan, sample = await load_fielded_plan(wave), await load_sample(wave)
    imprint = replace(await wave_imprint(plan), words=await paper_words(plan, wish.language))
    piles = _piles(plan, sample, load_print_file(settings, wave), wish)
    if not piles:
        raise NothingToPrintError(wave, "、".join(wish.schools) or None)
    return await to_thread(slips, piles, imprint, at=printed_at(now))


async def form_and_notice_pieces(plan: Plan, sample: Sample, imprint: Imprint, at: datetime) -> list[Piece]:
    """The papers of a wave that hold no code: each questionnaire and notice in every language of the plan."""
    others = [language for language in plan.languages if language != "zh"]
    imprints = [replace(imprint, words=await paper_words(plan, language)) for language in ("zh", *others)]
    instruments = _instruments(plan, sample, Wish())
    forms = [
        piece
        for language, own in zip(("", *(f"{language}_" for language in others)), imprints, strict=True)
        for piece in paper_form_pieces(instruments, own, at=at, folder=f"3_纸质问卷/{language}")
    ]
    return [*forms, *_notices(plan, tuple(imprints), at)]


def _text(text: str) -> bytes:
    return text.encode()


def _piles(plan: Plan, sample: Sample, rows: list[tuple[str, str]], wish: Wish) -> list[SlipPile]:
    """Piles of every domain: its slips, by class where classes were named, then its spare ones."""
    wish.classes.check(sample.domains)
    codes: dict[str, list[str]] = {}
    for code, domain in rows:
        codes.setdefault(domain, []).append(code)
    piles: list[SlipPile] = []
    for draw in sample.domains:
        if draw.domain in codes and wish.holds(draw.school_code):
            own = _pile(draw, tuple(codes[draw.domain]))
            piles += wish.classes.divided(replace(own, codes=own.codes[: draw.slips]))
            if spare := own.codes[draw.slips : draw.slips + plan.spares]:
                piles.append(replace(own, codes=spare, spare=True))
    return piles


def _pile(draw: DomainDraw, codes: tuple[str, ...]) -> SlipPile:
    return SlipPile(
        group=draw.group,
        codes=codes,
        school_name=draw.school_name,
        school_code=draw.school_code or "",
        stage=draw.stage or "",
        domain=draw.domain,
    )


def _poster_pages(plan: Plan, sample: Sample, wish: Wish) -> Iterator[PosterPage]:
    scheme = scheme_of(plan)
    for draw in sample.domains:
        instrument = instrument_of(plan, scheme, draw.group, draw.stage)
        entry = plan.group(draw.group)
        if instrument is None or entry is None or not wish.holds(draw.school_code):
            continue
        ways = {"slip": "/s", "quota": f"/o/{plan.wave}/{draw.domain}", "open": f"/o/{plan.wave}"}
        yield PosterPage(
            group=draw.group,
            minutes=instrument.minutes,
            way=entry.mode,
            school_name=draw.school_name,
            school_code=draw.school_code or "",
            path=ways[entry.mode],
        )


def _instruments(plan: Plan, sample: Sample, wish: Wish) -> dict[str, Instrument]:
    """Every instrument that is asked, once, under the groups and stages that answer it."""
    scheme = scheme_of(plan)
    asked: dict[str, tuple[Instrument, dict[str, None], dict[str, None]]] = {}
    for draw in sample.domains:
        instrument = instrument_of(plan, scheme, draw.group, draw.stage)
        if instrument is not None and wish.holds(draw.school_code):
            _, groups, stages = asked.setdefault(instrument.digest, (instrument, {}, {}))
            groups[group_name(draw.group)] = None
            if draw.stage:
                stages[stage_name(draw.stage)] = None
    n_of_group: dict[tuple[str, ...], int] = {}
    for _, groups, _ in asked.values():
        n_of_group[tuple(groups)] = n_of_group.get(tuple(groups), 0) + 1
    return {
        "和".join(groups) + ("_" + "和".join(stages) if n_of_group[tuple(groups)] > 1 else ""): instrument
        for instrument, groups, stages in asked.values()
    }


def _notices(plan: Plan, imprints: tuple[Imprint, ...], at: datetime) -> Iterator[Piece]:
    """Guardians' notice and supervisor sheet where pupils are asked; the message for parents' groups."""
    folder = "4_告知/"
    pupils = plan.group("student")
    if pupils is not None:
        notice = partial(
            guardian_notice,
            *imprints,
            grades=grades_asked(pupils.from_grade, pupils.instruments.keys()),
            reply_by=plan.opens_on - timedelta(days=1),
            at=at,
        )
        yield Piece(f"{folder}给家长的告知.pdf", notice)
        yield Piece(f"{folder}学生填写时的现场要求.pdf", partial(supervisor_sheet, *imprints, at=at))
    message = "\n\n".join(map(parents_group_message, imprints))
    yield Piece(f"{folder}家长群文字_照原文转发.txt", partial(_text, message + "\n"), "")


def grades_asked(from_grade: int | None, stages: Iterable[str]) -> tuple[int, int]:
    """The first and the last grade that are asked.

    >>> grades_asked(4, {"primary": "…", "junior": "…"}), grades_asked(4, {"primary": "…"})
    ((4, 9), (4, 6))
    """
    named = set(stages)
    last = 6 if named == {"primary"} else 9
    first = max(from_grade or 4, 7 if named == {"junior"} else 1)
    return first, last


async def paper_words(plan: Plan, language: str) -> PaperWords:
    """The words of a language that the signed plan offers.

    Raises:
        LanguageNotPlannedError: it offers no such language.
        NoTypefaceError: our faces lack its letters.
    """
    if language != "zh" and language not in plan.languages:
        raise LanguageNotPlannedError(language, plan.languages)
    words = PaperWords(language, (await pinned_catalogues(plan.wave)).get(language))
    check_language(words)
    return words


async def paper_languages(plan: Plan) -> tuple[tuple[Language, ...], tuple[Language, ...]]:
    """The languages of a signed plan that can be printed, Chinese first, and those that cannot."""
    pinned = await pinned_catalogues(plan.wave)
    spoken = [PaperWords(code, pinned.get(code)) for code in plan.languages if code != "zh"]
    can = tuple(words.language for words in spoken if not missing_letters(words))
    cannot = tuple(words.language for words in spoken if missing_letters(words))
    return (find_language("zh"), *can), cannot


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
