"""A response on its way in: the blank form out, the filled one back, once.

The same for a slip and for a poster. Whatever was typed comes back with its faults; whoever
sends the same form twice is answered like the first time, before anything is looked at, so
that a refusal never tells whether the answers differed (TRUST section 7).
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from litestar import Response

from survey.errors import Fault
from survey.fieldwork.response import pace, submission_key
from survey.jobs.receive_response import Received, receive_response, repeated_receipt
from survey.sampling.sample import DomainDraw
from survey.scheme.answers import read_answers
from survey.scheme.instrument import Instrument
from survey.storage.intake import KeyConflict, NotOpen
from survey.storage.office import SlipFound
from survey.web.respondent.body import FormUnreadableError, single
from survey.web.respondent.desk import Desk
from survey.web.respondent.look import Look
from survey.web.respondent.pages import hidden_bytes, school_bytes, version
from survey.web.respondent.reply import Asked, page, see_other, wants_gzip
from survey.web.respondent.sender import sender_tag
from survey.web.respondent.stamp import make_stamp, read_stamp
from survey.web.respondent.thanks import thanks_page
from survey.web.respondent.waves import PUPILS, Wave

ENVELOPE = ("k", "s", "v", "look")
"""Fields around the answers: submission key, stamp, instrument version, a change of looks."""

GRACE = timedelta(minutes=30)
"""How long after the last day a form that was open already may still be sent; not announced."""


@dataclass(frozen=True)
class WayIn:
    """How somebody came to a form: by a slip, or by a poster when there is none."""

    wave: Wave
    draw: DomainDraw
    state: str
    """The wave's state in its intake."""
    slip: SlipFound | None
    address: str

    def state_for(self, now: datetime, *, sending: bool) -> str:
        """Whether a form is given out, or taken in, at this instant.

        The stored state decides; after the last day people were told, no form is given out,
        and what was open already is taken in for half an hour more.
        """
        ends = self.wave.closes_at + (GRACE if sending else timedelta())
        return "closed" if self.state == "open" and now >= ends else self.state

    def day(self, now: datetime) -> datetime:
        """The instant a response counts as, so that the grace belongs to the last day."""
        return min(now, self.wave.closes_at - timedelta(seconds=1))

    @property
    def is_pupils(self) -> bool:
        """Whether pupils answer here, on devices that others use next."""
        return self.draw.group == PUPILS


def blank_form(request: Asked, desk: Desk, look: Look, way: WayIn) -> Response[bytes]:
    """The empty form with a submission key of its own; nothing is noted anywhere."""
    blank = desk.pages.form(way.wave, way.draw, look)
    hidden = hidden_bytes(secrets.token_hex(16), make_stamp(desk.stamp_key, int(desk.clock().timestamp())))
    school = school_bytes(way.draw) if way.draw.school_code else None
    gaps = (hidden,) if school is None else (school, hidden)
    if wants_gzip(request):
        if way.slip is not None and not look.query:
            desk.keep_ready(way.wave, way.draw, blank, school)
        return page(blank.gzip(*gaps), packed=True)
    return page(blank.text(*gaps))


async def take_in(
    request: Asked, desk: Desk, look: Look, way: WayIn, fields: Mapping[str, list[str]]
) -> Response[bytes]:
    """A sent form: answered like before, sent back with its faults, or kept for good."""
    if look.child is not way.is_pupils:
        look = replace(look, child=way.is_pupils)
    if "wrong" in fields:
        return await wrong_school(desk, look, way)
    key = submission_key(single(fields, "k"))
    before = await repeated_receipt(desk.office, way.slip or way.wave.plan.wave, key)
    if isinstance(before, Received):
        return await thank(request, desk, look, before, key.hex())
    if isinstance(before, KeyConflict):
        return await load_again(desk, look, way)
    if way.slip is not None and way.slip.state != "unused":
        return see_other("/s/thanks" + look.query)
    now = desk.clock()
    state = way.state_for(now, sending=True)
    if state != "open":
        return await desk.not_open(look, way.wave, state)
    instrument = way.wave.instrument(way.draw)
    if single(fields, "v") != version(instrument.digest):
        return await load_again(desk, look, way)
    given = answer_fields(instrument, fields)
    answers, faults = read_answers(instrument, given)
    stamp = single(fields, "s")
    drawn_at = read_stamp(desk.stamp_key, stamp)
    hidden = hidden_bytes(key.hex(), stamp if drawn_at is not None else "")
    if "look" in fields:
        # Nothing is kept and nothing is said yet: the person only wants larger letters or another language.
        return page(desk.pages.faulty_form(way.wave, way.draw, look, given, (), hidden))
    if faults:
        desk.office.counts.refused["faulty_form"] += 1
        return page(
            desk.pages.faulty_form(way.wave, way.draw, look, on_path(given, faults), faults, hidden), 422
        )
    hurry = None if drawn_at is None else pace(now.timestamp() - drawn_at, len(instrument.by_id))
    address = request.client.host if request.client and way.slip is None else ""
    outcome = await receive_response(
        desk.office,
        way.wave.plan.wave,
        way.slip or way.draw.domain,
        key,
        answers,
        now=way.day(now),
        pace=hurry,
        sender=sender_tag(desk.stamp_key, address, now) if address else None,
    )
    if isinstance(outcome, Received):
        return await thank(request, desk, look, outcome, key.hex())
    if isinstance(outcome, NotOpen):
        return await desk.not_open(look, way.wave, outcome.state)
    if isinstance(outcome, KeyConflict):
        return await load_again(desk, look, way)
    return see_other("/s/thanks" + look.query)


async def thank(request: Asked, desk: Desk, look: Look, received: Received, done: str) -> Response[bytes]:
    """The thanks page: in the reply when the script asked, else under an address of its own."""
    if request.headers.get("x-requested-with") == "form":
        return await thanks_page(request, desk, look, received.receipt, received.code, done)
    return see_other(f"/s/thanks/{received.receipt}{look.query}")


async def wrong_school(desk: Desk, look: Look, way: WayIn) -> Response[bytes]:
    """Count that the slip reached somebody of another school, and say what to do; nothing is blocked."""
    who = way.slip.e if way.slip is not None else None
    if way.state == "open" and desk.first_time(who):
        await desk.office.note_wrong_school(way.wave.plan.wave, way.draw.domain)
    words = look.words
    link = (way.address + look.query, words("start.wrong_back"))
    return await desk.state(look, "start.wrong_title", words("state.wrong_school"), wave=way.wave, link=link)


def on_path(given: Mapping[str, list[str]], faults: Sequence[Fault]) -> dict[str, list[str]]:
    """What was typed, without answers off the path: a radio button cannot be taken back by hand."""
    off = {fault.item for fault in faults if fault.code == "answers.off_path"}
    return {name: values for name, values in given.items() if name not in off}


async def load_again(desk: Desk, look: Look, way: WayIn) -> Response[bytes]:
    """The page for a form that is out of date: its key or its version is not this way's."""
    words = look.words
    link = (way.address + look.query, words("state.reload_link"))
    return await desk.state(
        look, "state.reload_title", words("state.reload"), status=409, wave=way.wave, link=link
    )


def answer_fields(instrument: Instrument, fields: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """The fields that are answers; a page of ours sends no others and repeats no single choice.

    Raises:
        FormUnreadableError: an unknown field, or a single choice sent twice.
    """
    answers, items = dict(fields), instrument.by_id
    for name in ENVELOPE:
        answers.pop(name, None)
    if not answers.keys() <= items.keys():
        raise FormUnreadableError("有问卷里没有的题")
    for name, values in answers.items():
        if len(values) > 1 and items[name].kind != "multiple":
            raise FormUnreadableError("有一题出现了两次")
    return answers
