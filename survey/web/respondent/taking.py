"""A response on its way in: the blank form out, the filled one back, once.

The same for a slip and for a poster. Whatever was typed comes back with its faults; whoever
sends the same form twice is answered like the first time, before anything is looked at, so
that a refusal never tells whether the answers differed (TRUST section 7).
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from litestar import Response

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
from survey.web.respondent.waves import Wave

ENVELOPE = ("k", "s", "v")
"""Hidden fields around the answers: submission key, stamp, instrument version."""


@dataclass(frozen=True)
class WayIn:
    """How somebody came to a form: by a slip, or by a poster when there is none."""

    wave: Wave
    draw: DomainDraw
    state: str
    """The wave's state in its intake."""
    slip: SlipFound | None
    address: str


def blank_form(request: Asked, desk: Desk, look: Look, way: WayIn) -> Response[bytes]:
    """The empty form with a submission key of its own; nothing is noted anywhere."""
    blank = desk.pages.form(way.wave, way.draw, look)
    hidden = hidden_bytes(secrets.token_hex(16), make_stamp(desk.stamp_key, int(desk.clock().timestamp())))
    gaps = (school_bytes(way.draw), hidden) if way.draw.school_code else (hidden,)
    if wants_gzip(request):
        return page(blank.gzip(*gaps), packed=True)
    return page(blank.text(*gaps))


async def take_in(
    request: Asked, desk: Desk, look: Look, way: WayIn, fields: Mapping[str, list[str]]
) -> Response[bytes]:
    """A sent form: answered like before, sent back with its faults, or kept for good."""
    key = submission_key(single(fields, "k"))
    before = await repeated_receipt(desk.office, way.slip or way.wave.plan.wave, key)
    if isinstance(before, Received):
        return await thank(request, desk, look, before.receipt)
    if isinstance(before, KeyConflict):
        return await load_again(desk, look, way)
    if way.slip is not None and way.slip.state != "unused":
        return see_other("/s/thanks" + look.query)
    if way.state != "open":
        return await desk.not_open(look, way.wave, way.state)
    instrument = way.wave.instrument(way.draw)
    if single(fields, "v") != version(instrument.digest):
        return await load_again(desk, look, way)
    answers, faults = read_answers(instrument, answer_fields(instrument, fields), look.lang)
    stamp = single(fields, "s")
    drawn_at = read_stamp(desk.stamp_key, stamp)
    if faults:
        hidden = hidden_bytes(key.hex(), stamp if drawn_at is not None else "")
        return page(desk.pages.faulty_form(way.wave, way.draw, look, fields, faults, hidden), 422)
    now = desk.clock()
    hurry = None if drawn_at is None else pace(now.timestamp() - drawn_at, len(instrument.by_id))
    address = request.client.host if request.client and way.slip is None else ""
    outcome = await receive_response(
        desk.office,
        way.wave.plan.wave,
        way.slip or way.draw.domain,
        key,
        answers,
        now=now,
        pace=hurry,
        sender=sender_tag(desk.stamp_key, address, now) if address else None,
    )
    if isinstance(outcome, Received):
        return await thank(request, desk, look, outcome.receipt)
    if isinstance(outcome, NotOpen):
        return await desk.not_open(look, way.wave, outcome.state)
    if isinstance(outcome, KeyConflict):
        return await load_again(desk, look, way)
    return see_other("/s/thanks" + look.query)


async def thank(request: Asked, desk: Desk, look: Look, receipt: str) -> Response[bytes]:
    """The thanks page: in the reply when the script asked, else under an address of its own."""
    if request.headers.get("x-requested-with") == "form":
        return await thanks_page(desk, look, receipt)
    return see_other(f"/s/thanks/{receipt}{look.query}")


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
    answers = {name: values for name, values in fields.items() if name not in ENVELOPE}
    for name, values in answers.items():
        item = instrument.by_id.get(name)
        if item is None:
            raise FormUnreadableError("有问卷里没有的题")
        if len(values) > 1 and item.kind != "multiple":
            raise FormUnreadableError("有一题出现了两次")
    return answers
