"""Take in a form that staff type, from paper or from a telephone call: twice by two people, then as from a phone.

An answer given to a person is another mode than one given to a screen, so the clerk says which it
is; the mode is sealed with the first pass, and the second must name the same. The first pass is sealed and waits; the second must be another clerk's. Where the two agree
the form is received and counted in its domain under its mode. Where they differ,
every differing item comes back with both values, and whoever has the sheet in hand chooses.
The audit trail keeps who typed, the mode, and how many items differed; never a code, a domain or a value.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from survey import canonical
from survey.certification.sealing import box_public_key, commitment, open_box, seal
from survey.errors import Fault, SurveyError
from survey.fieldwork.code import CodeFormatError, normalise
from survey.jobs.receive_response import OFFICE_TIME, Received, receive_response
from survey.sampling.sample import DomainDraw
from survey.scheme.answers import Answer, read_answers
from survey.scheme.instrument import Instrument
from survey.scheme.plan import instrument_of, scheme_of
from survey.settings import Settings
from survey.storage.audit import record_audit
from survey.storage.keys import has_key, load_key, save_key
from survey.storage.office import IntakeOffice, SlipFound
from survey.storage.paper_entries import PaperEntry, find_entry, remove_entry, save_entry
from survey.storage.plans import load_plan
from survey.storage.samples import load_sample

KEY_NAME = "paper"
MODES = {"paper": "纸质问卷", "telephone": "电话询问"}
"""How an answer came that staff type in, and its counter in the intake."""


class PaperCodeError(SurveyError):
    """The code on the form leads to no form that can be typed in."""

    code = "paper.code"
    kind = "invalid"

    def __init__(self, why: str, remedy: str) -> None:
        super().__init__("填写码", why, remedy)


class SamePersonError(SurveyError):
    """The second pass is the first clerk's."""

    code = "paper.same_person"
    kind = "conflict"

    def __init__(self) -> None:
        super().__init__("第二遍录入", "这份问卷的第一遍就是您录的", "请另一位录入员来录第二遍")


class OtherModeError(SurveyError):
    """The first pass was of the other mode, or there is no such mode."""

    code = "paper.other_mode"
    kind = "conflict"

    def __init__(self, first: str) -> None:
        super().__init__("答卷怎么来的", f"第一遍录的是{first}", "问一问录第一遍的人；选错的人重录第一遍")


@dataclass(frozen=True)
class Form:
    """A slip's form as a clerk sees it: its instrument, and whether a first pass waits."""

    slip: SlipFound
    draw: DomainDraw
    instrument: Instrument
    first: PaperEntry | None

    @property
    def number_of_pass(self) -> int:
        """1, or 2 when a first pass waits."""
        return 1 if self.first is None else 2


@dataclass(frozen=True)
class Difference:
    """An item that the two clerks read differently."""

    item: str
    first: Answer
    second: Answer


@dataclass(frozen=True)
class Entered:
    """What became of a pass: kept for the second, different, faulty, or taken in."""

    state: str
    """first, differs, faulty, received, or used."""
    faults: tuple[Fault, ...] = ()
    differences: tuple[Difference, ...] = ()


async def find_form(office: IntakeOffice, wave: str, typed: str) -> Form:
    """The form of a code written on paper.

    Raises:
        PaperCodeError: no code, another wave's, used, or the wave is not open.
    """
    try:
        code = normalise(typed)
    except CodeFormatError as error:
        raise PaperCodeError(error.reason, "对照纸上的12位再输一遍") from error
    slip = await office.find_slip(code)
    if slip is None or slip.wave != wave:
        raise PaperCodeError(
            "这次调查里没有这个填写码", "对照纸上的12位再输一遍；确实没有的，放到一边，两人登记"
        )
    if slip.state != "unused":
        raise PaperCodeError("这个填写码已经用过或作废", "不要再录；把这份问卷放到一边，两人登记")
    if slip.wave_state != "open":
        raise PaperCodeError("这次调查现在不收答卷", "等继续以后再录")
    plan, sample = await load_plan(wave), await load_sample(wave)
    draw = sample.by_domain[slip.domain]
    instrument = instrument_of(plan, scheme_of(plan), draw.group, draw.stage)
    if instrument is None:
        raise PaperCodeError("这一类人员没有问卷", "核对纸条")
    return Form(slip, draw, instrument, await find_entry(wave, slip.e.hex()))


async def enter_paper(
    settings: Settings,
    office: IntakeOffice,
    wave: str,
    typed: str,
    raw: Mapping[str, list[str]],
    *,
    clerk: str,
    mode: str = "paper",
    settled: bool = False,
    now: datetime,
) -> Entered:
    """One pass over a form on paper, or over what was said on the telephone.

    Args:
        typed: the code as written on the form.
        raw: fields of the form; only item ids of the instrument.
        clerk: the account of who types.
        mode: how the answer came, paper or telephone.
        settled: True when the clerk has seen the differences and chosen.

    Raises:
        PaperCodeError, SamePersonError, OtherModeError: as named.
        BusyError: the intake is busy; nothing was kept of this pass.
    """
    form = await find_form(office, wave, typed)
    answers, faults = read_answers(form.instrument, raw)
    # On paper a required item may have been left blank; it is kept as skipped, as it was found.
    faults = tuple(fault for fault in faults if fault.code != "answers.required")
    if faults:
        return Entered("faulty", faults)
    if form.first is None or form.first.clerk == clerk:
        if form.first is not None and settled:
            raise SamePersonError
        on = now.astimezone(OFFICE_TIME).date()
        await save_entry(wave, _sealed(settings, form, clerk, mode, answers), on=on)
        await record_audit(clerk, "enter_paper", wave, details={"pass": 1, "mode": mode}, now=now)
        return Entered("first")
    first_mode, before = _opened(settings, wave, form.first)
    if first_mode != mode:
        raise OtherModeError(MODES[first_mode])
    differing = tuple(
        Difference(name, before.get(name), answers.get(name))
        for name in form.instrument.by_id
        if before.get(name) != answers.get(name)
    )
    if differing and not settled:
        return Entered("differs", differences=differing)
    outcome = await receive_response(
        office, wave, form.slip, secrets.token_bytes(16), answers, now=now, typed_in=mode
    )
    await remove_entry(wave, form.first.slip)
    details = {"pass": 2, "mode": mode, "differences": len(differing)}
    await record_audit(clerk, "enter_paper", wave, details=details, now=now)
    return Entered("received" if isinstance(outcome, Received) else "used")


def _sealed(
    settings: Settings, form: Form, clerk: str, mode: str, answers: Mapping[str, Answer]
) -> PaperEntry:
    wave, slip = form.slip.wave, form.slip.e.hex()
    if not has_key(settings, wave, KEY_NAME):
        save_key(settings, wave, KEY_NAME, secrets.token_bytes(32))
    content = canonical.encode({"answers": dict(answers), "mode": mode})
    salt = secrets.token_bytes(32)
    public = box_public_key(load_key(settings, wave, KEY_NAME))
    box = seal(content, salt, public, secrets.token_bytes(32))
    return PaperEntry(slip, clerk, commitment(salt, content), box)


def _opened(settings: Settings, wave: str, entry: PaperEntry) -> tuple[str, dict[str, Any]]:
    """Mode and answers of a first pass."""
    _, content = open_box(entry.box, entry.c, load_key(settings, wave, KEY_NAME))
    kept: dict[str, Any] = canonical.decode(content)
    return kept["mode"], kept["answers"]
