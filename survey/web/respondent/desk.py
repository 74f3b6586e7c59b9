"""The desk every answering page works at: intake, waves, pages, limits, clock.

One per process, made by `respondent_router` and handed to the handlers; and the one way
from a typed or scanned code to the slip it names, with every refusal a person may meet.
"""

import secrets
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from litestar import Response

from survey.certification.note import Vkey
from survey.certification.receipt import parse_code, receipt_code
from survey.certification.transparency_log import MerkleTree
from survey.fieldwork.code import CodeFormatError, normalise
from survey.sampling.sample import DomainDraw
from survey.storage.cases import has_cases
from survey.storage.office import IntakeOffice, SlipFound
from survey.storage.plans import find_wave
from survey.web.respondent.look import Look, read_look
from survey.web.respondent.misses import MOST_LEFT_FROM_ALL, MOST_LEFT_FROM_ONE, Misses, Pace
from survey.web.respondent.pages import Pages
from survey.web.respondent.ready import ReadyForms
from survey.web.respondent.reply import Asked, headers, page, raw_headers
from survey.web.respondent.splice import SplicedPage
from survey.web.respondent.waves import Place, Wave, Waves
from survey.web.respondent.words import Said

MOST_REMEMBERED = 100_000


@dataclass(frozen=True)
class FinalLog:
    """The log of a closed wave: what receipts are held against."""

    leaves: Sequence[bytes]
    tree: MerkleTree
    key: Vkey
    places: dict[str, int]
    """Receipt code (16 signs) → place in the log."""

    @classmethod
    def of(cls, leaves: Sequence[bytes], key: Vkey) -> "FinalLog":
        """The log of some leaves under the wave's log key."""
        tree = MerkleTree.of_leaves(leaves)
        places = {parse_code(receipt_code(tree.leaf(index))): index for index in range(len(leaves))}
        return cls(leaves, tree, key, places)


@dataclass
class Desk:
    """What the handlers of the answering side share."""

    office: IntakeOffice
    pages: Pages
    waves: Waves
    misses: Misses
    clock: Callable[[], datetime]
    base_url: str
    stamp_key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    said_wrong: OrderedDict[bytes, None] = field(default_factory=OrderedDict)
    """Slips whose holder has said that the school is another one; in memory, to count each once."""
    thanks: dict[Any, Any] = field(default_factory=dict)
    """Thanks pages as drawn once for everybody, by look and place."""
    board: Pace = field(default_factory=Pace)
    left: Pace = field(default_factory=lambda: Pace(MOST_LEFT_FROM_ONE, MOST_LEFT_FROM_ALL))
    final_logs: dict[str, FinalLog] = field(default_factory=dict)
    """The logs of closed waves, which no longer change."""

    def __post_init__(self) -> None:
        self.ready = ReadyForms(self.office, self.misses, self.stamp_key)
        self.always: tuple[tuple[bytes, bytes], ...] = ()

    def keep_ready(self, wave: Wave, draw: DomainDraw, blank: SplicedPage, school: bytes | None) -> None:
        """Keep the form of a domain ready for everybody who asks for nothing out of the ordinary."""
        packed = raw_headers((*headers().items(), ("Content-Encoding", "gzip")))
        self.ready.keep(
            wave.plan.wave,
            draw.domain,
            blank,
            school,
            headers=(*packed, *self.always),
            fresh_until=self.waves.fresh_until(wave.plan.wave),
            closes=wave.closes_at.timestamp(),
        )

    async def look(self, request: Asked) -> Look:
        """How a person wants a page that belongs to no wave."""
        return read_look(request.query_params, (await self.waves.place()).languages)

    def first_time(self, slip: bytes | None) -> bool:
        """Whether this slip is reported for the first time; a poster has no slip and always counts."""
        if slip is None:
            return True
        if slip in self.said_wrong:
            return False
        self.said_wrong[slip] = None
        if len(self.said_wrong) > MOST_REMEMBERED:
            self.said_wrong.popitem(last=False)
        return True

    def entry(
        self, look: Look, place: Place | Wave, *, typed: str = "", fault: str = "", status: int = 200
    ) -> Response[bytes]:
        """The page where a code is typed, with the fault at the field."""
        words = look.words
        return page(
            self.pages.page(
                "entry",
                look,
                place,
                words("entry.title"),
                name="code",
                label=words("code.label"),
                hint=words("code.hint"),
                button=words("code.submit"),
                text="",
                sample=True,
                action="/s" + look.query,
                typed=typed[:40],
                fault=fault,
                faulty=bool(fault),
            ),
            status,
        )

    async def state(
        self,
        look: Look,
        key: str,
        *lines: str,
        status: int = 200,
        wave: Wave | None = None,
        link: tuple[str, str] | None = None,
        retry_after: int | None = None,
        over: bool = False,
    ) -> Response[bytes]:
        """A page that says, kindly and in one or two sentences, why there is no form."""
        place = wave or await self.waves.place()
        return self.notice(
            look, place, key, *lines, status=status, link=link, retry_after=retry_after, over=over
        )

    def notice(
        self,
        look: Look,
        place: Place | Wave,
        key: str,
        *lines: str,
        status: int,
        link: tuple[str, str] | None = None,
        retry_after: int | None = None,
        over: bool = False,
        form: Sequence[tuple[str, str]] = (),
    ) -> Response[bytes]:
        """The same page, drawn without asking the database anything.

        Args:
            form: the fields of a form that could not be taken in; the page offers to send them again.
        """
        title = look.words(key)
        body = self.pages.page("state", look, place, title, lines=lines, link=link, over=over, again=form)
        return page(body, status, retry_after=retry_after)

    async def find(
        self, request: Asked, look: Look, typed: str, *, sending: bool = False
    ) -> SlipFound | Response[bytes]:
        """The slip a code names, or the page that says why there is none.

        While some wave cannot be read, an unknown code may well be one of its own.

        A slip of the finger fails the check sign and never counts against the address. Sending is not
        limited by address, because a school shares one.
        """
        try:
            code = normalise(typed)
        except CodeFormatError as wrong:
            self.office.counts.mistyped[wrong.why] += 1
            fault = look.words("err.code_check" if wrong.why == "check" else "err.code_format")
            return self.entry(look, await self.waves.place(), typed=typed, fault=fault, status=422)
        address = request.client.host if request.client else ""
        minutes = 0 if sending else self.misses.minutes_to_rest(address)
        if minutes:
            return await self.too_many(look, minutes)
        found = await self.office.find_slip(code)
        if found is not None:
            return found
        self.office.refuse_unread()
        self.misses.count(address)
        self.office.counts.mistyped["unknown"] += 1
        place = await self.waves.place()
        fault = unknown_code(look, place)
        return self.entry(look, place, typed=typed, fault=fault, status=422)

    async def too_many(self, look: Look, minutes: int) -> Response[bytes]:
        """The page of an address that has tried too many unknown codes."""
        words = look.words
        return await self.state(
            look,
            "state.too_many_title",
            words("err.too_many", minutes=minutes),
            words("state.too_many_why"),
            status=429,
            retry_after=minutes * 60,
        )

    async def not_open(self, look: Look, wave: Wave, state: str) -> Response[bytes]:
        """Not yet, not now, or not any more."""
        words = look.words
        plan = wave.plan
        if state == "planned":
            line = words("state.not_open", date=words.date(plan.opens_on))
            return await self.state(look, "state.not_open_title", line, wave=wave)
        if state == "paused":
            return await self.state(look, "state.paused_title", words("state.paused"), wave=wave)
        gone = await self.is_erased(plan.wave)
        lines = (
            words("state.closed", date=words.date(plan.closes_on)),
            words("state.erased") if gone else words("state.results", date=words.date(plan.results_on)),
        )
        return await self.state(
            look, "state.closed_title", *lines, wave=wave, over=True, status=410 if gone else 200
        )

    async def is_erased(self, wave: str) -> bool:
        """Whether a certified wave's answers were destroyed, as its plan promised."""
        row = await find_wave(wave)
        return row is not None and row.state == "certified" and not await has_cases(wave)


def unknown_code(look: Look, place: Place) -> Said:
    """The sentence at the field for a code nobody knows."""
    words = look.words
    if place.telephone:
        return words("err.code_unknown", phone=place.telephone)
    return words("err.code_format")
