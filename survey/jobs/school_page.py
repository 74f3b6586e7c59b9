"""What a school's contact sees and does: posters, handing out, spare slips, one of three bands.

The session says which school; nothing a contact types can name another. Never shown: answers,
satisfaction, counts of returns, classes that have answered.
"""

from __future__ import annotations

from asyncio import to_thread
from dataclasses import dataclass
from datetime import date, datetime

from survey.documents.notice import parents_group_message
from survey.documents.pieces import make_pieces
from survey.errors import Fault, SurveyError
from survey.fieldwork.board_text import read_message
from survey.jobs.participation import participation
from survey.jobs.render_papers import Wish, paper_languages, plan_papers, wave_imprint
from survey.scheme.plan import Plan
from survey.scheme.texts import Language
from survey.settings import Settings
from survey.storage.accounts import Account
from survey.storage.audit import record_audit
from survey.storage.office import IntakeOffice
from survey.storage.plans import WaveRow, list_waves, load_fielded_plan, load_wave, require_state
from survey.storage.samples import find_sample, load_sample
from survey.storage.school_contacts import (
    Handout,
    SchoolSession,
    SpareRequest,
    ask_spares,
    contact_of,
    decide_request,
    issue_school_link,
    own_handouts,
    own_requests,
    remove_handout,
    save_handout,
    start_school_session,
)
from survey.storage.states import BEFORE_SIGNING, NAMES

AFTER_SIGNING = tuple(state for state in NAMES if state not in BEFORE_SIGNING)
IN_THE_FIELD = frozenset({"planned", "open", "paused"})
"""States of a wave in which its slips lie at schools, or are on their way."""
MOST_SPARES_ASKED = 50
MOST_CLASS_SIGNS = 20
MOST_REASON_SIGNS = 100


class NotDrawnError(SurveyError):
    """The school is not in the wave's sample."""

    code = "school.not_drawn"
    kind = "not_found"

    def __init__(self, school: str) -> None:
        super().__init__(f"学校 {school}", "没有抽中", "看一看学校代码")


class NotInTheFieldError(SurveyError):
    """Before the plan is signed there are no slips; once the wave is closed nobody needs any."""

    code = "school.not_in_the_field"
    kind = "conflict"

    def __init__(self, wave: str, state: str) -> None:
        over = state not in BEFORE_SIGNING
        super().__init__(
            f"调查 {wave} 的学校发放",
            "填写已经结束" if over else "方案还没有签署，学校还可能重抽",
            "发放情况只能看，不能再改" if over else "两人签署方案以后再来做",
        )


async def require_in_the_field(wave: str) -> None:
    """Nothing, while slips of a wave lie at schools: from the signed plan to the close.

    Raises:
        WaveNotFoundError, NotInTheFieldError.
    """
    state = (await load_wave(wave)).state
    if state not in IN_THE_FIELD:
        raise NotInTheFieldError(wave, state)


@dataclass(frozen=True)
class SchoolView:
    """One school's page."""

    plan: Plan
    name: str
    slips: dict[str, int]
    """Group to slips that lie in the school's envelopes."""
    band: str | None
    """不到三成, 三成到六成, 六成以上; None before the wave has opened."""
    handouts: tuple[Handout, ...]
    requests: tuple[SpareRequest, ...]
    languages: tuple[Language, ...]
    """What posters can be printed in, Chinese first."""
    message: str
    """What may be copied into a parents' group, word for word."""
    in_the_field: bool = True
    """Whether anything may still be ticked or asked for."""


async def school_view(office: IntakeOffice, session: SchoolSession, *, now: datetime) -> SchoolView:
    """The page of the session's school."""
    plan, sample = await load_fielded_plan(session.wave), await load_sample(session.wave)
    own = [draw for draw in sample.domains if draw.school_code == session.school_code]
    if not own:
        raise NotDrawnError(session.school_code)
    band = None
    if session.wave not in office.damaged() and await office.state(session.wave) != "planned":
        seen = await participation(office, session.wave, now=now)
        band = next((one.words for one in seen.schools if one.school_code == session.school_code), None)
    return SchoolView(
        plan=plan,
        name=own[0].school_name,
        slips={draw.group: draw.slips for draw in own},
        band=band,
        handouts=await own_handouts(session),
        requests=await own_requests(session),
        languages=(await paper_languages(plan))[0],
        message=parents_group_message(await wave_imprint(plan)),
        in_the_field=(await load_wave(session.wave)).state in IN_THE_FIELD,
    )


async def hand_out(
    view: SchoolView,
    session: SchoolSession,
    group: str,
    class_name: str,
    n: str,
    on: str,
    *,
    now: datetime,
) -> tuple[Fault, ...]:
    """Tick that a class has its slips; the faults when something was mistyped.

    Raises:
        NotInTheFieldError: the wave is closed.
    """
    await require_in_the_field(session.wave)
    name, bad_name = read_message(class_name)
    faults = list(_group_faults(view, group))
    if bad_name or len(name) > MOST_CLASS_SIGNS:
        faults.append(
            Fault(
                "school.class",
                "班级没有写，或太长",
                "写上班级，如 三年级2班；不分班的写“全部”",
                item="class_name",
            )
        )
    count = int(n) if n.isdecimal() and len(n) < 6 else 0
    if not 1 <= count <= 10_000:
        faults.append(Fault("school.count", "张数不对", "写1到10000的整数", item="n"))
    day = _day(on)
    if day is None or day > now.date():
        faults.append(Fault("school.day", "日期不对，或者还没有到", "写发放那一天", item="on"))
    if not faults and day is not None:
        await save_handout(session, group, name, count, day)
        details = {"group": group, "class": name, "slips": count}
        await record_audit(_who(session), "hand_out", session.wave, details=details, now=now)
    return tuple(faults)


async def take_back(session: SchoolSession, group: str, class_name: str, *, now: datetime) -> None:
    """Take a tick back.

    Raises:
        NotInTheFieldError: the wave is closed.
    """
    await require_in_the_field(session.wave)
    await remove_handout(session, group, class_name)
    details = {"group": group, "class": class_name[:MOST_CLASS_SIGNS]}
    await record_audit(_who(session), "take_back_hand_out", session.wave, details=details, now=now)


async def request_spares(
    view: SchoolView, session: SchoolSession, group: str, n: str, reason: str, *, now: datetime
) -> tuple[Fault, ...]:
    """Ask for spare slips; the faults when something was mistyped.

    Raises:
        NotInTheFieldError: the wave is closed.
    """
    await require_in_the_field(session.wave)
    why, bad_reason = read_message(reason)
    faults = list(_group_faults(view, group))
    count = int(n) if n.isdecimal() and len(n) < 4 else 0
    if not 1 <= count <= MOST_SPARES_ASKED:
        faults.append(Fault("school.count", "张数不对", f"写1到{MOST_SPARES_ASKED}的整数", item="spare_n"))
    if bad_reason or len(why) > MOST_REASON_SIGNS:
        faults.append(
            Fault(
                "school.reason",
                "原因没有写，或太长",
                f"写上原因，不超过{MOST_REASON_SIGNS}个字",
                item="reason",
            )
        )
    if not faults:
        await ask_spares(session, group, count, why, now=now)
        details = {"group": group, "slips": count}
        await record_audit(_who(session), "ask_spares", session.wave, details=details, now=now)
    return tuple(faults)


async def own_posters(
    settings: Settings, session: SchoolSession, paper: str, language: str = "zh", *, now: datetime
) -> bytes:
    """The posters of the session's school as one PDF: in Chinese and, on pages of their own, in a language.

    Raises:
        UnknownPaperError: not a3, a4 or a5.
        LanguageNotPlannedError, NoTypefaceError: not a language these can be printed in.
    """
    wish = Wish(("posters",), paper, (session.school_code,), language=language)
    job = await plan_papers(settings, session.wave, wish, now=now)
    [(_, pdf)] = await to_thread(lambda: list(make_pieces(job.pieces)))
    return pdf


async def invite_contact(wave: str, school: str, contact: str, *, actor: str, now: datetime) -> str:
    """The one-time value of a school's contact.

    Raises:
        NotInTheFieldError: the plan is not signed yet, or the wave is closed.
        NotDrawnError: the school is not in the sample.
    """
    await require_in_the_field(wave)
    if school not in (await load_sample(wave)).schools:
        raise NotDrawnError(school)
    token = await issue_school_link(wave, school, contact, now=now)
    await record_audit(actor, "invite_school", wave, details={"school": school}, now=now)
    return token


async def own_waves() -> list[tuple[WaveRow, str]]:
    """The waves in which the branch's one school was drawn and has slips, the newest first, and its name there."""
    found = []
    for row in await list_waves():
        sample = await find_sample(row.wave)
        if sample is not None and sample.domains and row.state not in BEFORE_SIGNING:
            found.append((row, sample.domains[0].school_name))
    return found


async def enter_school(wave: str, account: Account, *, now: datetime) -> str:
    """The id of a session of the school's pages, for the account that is limited to this school.

    Raises:
        NotDrawnError: the school is not in the wave's sample.
    """
    [school] = account.divisions
    await require_state(wave, AFTER_SIGNING)
    if school not in (await load_sample(wave)).schools:
        raise NotDrawnError(school)
    session_id = await start_school_session(wave, school, contact_of(account.name), now=now)
    await record_audit(account.name, "enter_school", wave, details={"school": school}, now=now)
    return session_id


async def decide_spares(wave: str, request: str, granted: bool, *, actor: str, now: datetime) -> None:
    """Grant or decline spare slips; the slips themselves come from the bureau's own sheets.

    Raises:
        NotInTheFieldError: the wave is closed and nobody can use them; declining is always possible.
        RequestDecidedError: decided before.
    """
    if granted:
        await require_in_the_field(wave)
    decided = await decide_request(wave, request, granted, actor, now=now)
    details = {"school": decided.school_code, "group": decided.group, "slips": decided.n}
    await record_audit(actor, "grant_spares" if granted else "decline_spares", wave, details=details, now=now)


def _group_faults(view: SchoolView, group: str) -> tuple[Fault, ...]:
    if group in view.slips:
        return ()
    return (Fault("school.group", "没有选是哪一类人员", "从列出的里选", item="group"),)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _who(session: SchoolSession) -> str:
    return f"school:{session.school_code}"
