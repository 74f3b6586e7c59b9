"""What the answering side must know of a wave: its plan, its domains, its instruments.

Read from storage once per wave and kept, since in a published plan only the closing date changes; the
state of a wave is never kept here, it comes with the slip from the intake itself.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from functools import cached_property, partial
from typing import Any, TypeVar, cast

from survey.errors import SurveyError
from survey.jobs.receive_response import OFFICE_TIME
from survey.jobs.record_questions import pinned_recordings
from survey.jobs.translate import pinned_catalogues
from survey.sampling.sample import DomainDraw
from survey.scheme.catalogue import ui_key
from survey.scheme.instrument import Instrument
from survey.scheme.plan import Plan, instrument_of, scheme_of
from survey.scheme.scheme import Scheme
from survey.storage.plans import find_wave, list_waves, load_fielded_plan, load_plan
from survey.storage.samples import load_sample
from survey.web.respondent.words import Said, Words, vocabularies

UNPUBLISHED = frozenset({"draft", "framed", "drawn"})
NOTICED_AFTER_SECONDS = 15.0
"""How soon a new wave's place and telephone reach the pages that belong to no wave."""

PUPILS = "student"

_T = TypeVar("_T")


class UnknownDomainError(SurveyError):
    """A slip names a domain that the wave's sample does not hold."""

    code = "respondent.unknown_domain"
    kind = "not_found"

    def __init__(self, wave: str, domain: str) -> None:
        super().__init__(f"调查“{wave}”", f"抽样结果里没有“{domain}”这一组", "请联系组织调查的单位核对纸条")


@dataclass(frozen=True)
class Wave:
    """A published wave as its respondents meet it."""

    plan: Plan
    scheme: Scheme
    domains: dict[str, DomainDraw]
    languages: dict[str, Words]
    """The languages of its plan that come with the product or were pinned when it was signed."""
    recordings: Mapping[str, str] = field(default_factory=dict)
    """Questions read aloud to pupils: name to digest, as its plan pins them."""
    hear_at: str = ""
    """Where recordings are found; a preview has them at an address of its own."""
    instruments: dict[tuple[str, str | None], Instrument] = field(default_factory=dict)
    """Made when first asked for, since an instrument's digest takes a millisecond."""

    def domain(self, domain: str) -> DomainDraw:
        """The domain a slip belongs to.

        Raises:
            UnknownDomainError: the sample does not hold it.
        """
        try:
            return self.domains[domain]
        except KeyError:
            raise UnknownDomainError(self.plan.wave, domain) from None

    def instrument(self, draw: DomainDraw) -> Instrument:
        """The instrument of a domain, in the plan's form and on the scheme's scale.

        Raises:
            UnknownDomainError: the plan asks nothing of this group at this stage.
        """
        asked = (draw.group, draw.stage)
        if asked not in self.instruments:
            found = instrument_of(self.plan, self.scheme, *asked)
            if found is None:
                raise UnknownDomainError(self.plan.wave, draw.domain)
            self.instruments[asked] = found
        return self.instruments[asked]

    def must_say(self, words: Words) -> Said:
        """The sentence the scheme wants on every page."""
        sentence = self.scheme.document["purpose"]["must_say"]
        return words.source(ui_key("must_say"), sentence, office=self.plan.office)

    @cached_property
    def closes_at(self) -> datetime:
        """The end of the last day people were told, by the clock on the wall."""
        return datetime.combine(self.plan.closes_on + timedelta(days=1), time.min, OFFICE_TIME)


@dataclass(frozen=True)
class Place:
    """What pages that belong to no wave say about who is asking; empty where waves differ."""

    county: str
    telephone: str
    office: str
    demonstration: bool
    languages: dict[str, Words]


class Waves:
    """The published waves, read when first asked for."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._waves: dict[str, Wave] = {}
        self._dates_read_at: dict[str, float] = {}
        self._place: Place | None = None
        self.last_place = Place("", "", "", False, vocabularies(()))
        """What `place` said last; for pages that must be drawn when the database is not there."""
        self._place_read_at = 0.0
        self._readings: dict[str, asyncio.Task[Any]] = {}

    async def wave(self, wave: str) -> Wave:
        """One published wave; whoever comes while it is being read waits for that reading."""
        if self._is_fresh(wave):
            return self._waves[wave]
        return await self._once(wave, partial(self._read, wave))

    async def _once(self, name: str, read: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        """What a reading gives; after a restart hundreds ask for the same one at once, and share it."""
        reading = self._readings.get(name)
        if reading is None:
            reading = self._readings[name] = asyncio.create_task(read())
            reading.add_done_callback(lambda _: self._readings.pop(name))
        # A visitor who leaves cancels nothing for the others.
        return cast(_T, await asyncio.shield(reading))

    def _is_fresh(self, wave: str) -> bool:
        return wave in self._waves and self._clock() < self.fresh_until(wave)

    async def _read(self, wave: str) -> Wave:
        found, now = self._waves.get(wave), self._clock()
        if found is None:
            plan = await load_fielded_plan(wave)
            sample = await load_sample(wave)
            domains = {draw.domain: draw for draw in sample.domains}
            languages = vocabularies(plan.languages, await pinned_catalogues(wave))
            found = self._waves[wave] = Wave(
                *(plan, scheme_of(plan), domains, languages, await pinned_recordings(wave)),
                hear_at=f"/s/hear/{wave}/",
            )
        else:
            # The closing date may have been put off; all else of a published plan stays.
            found = self._waves[wave] = replace(found, plan=await load_fielded_plan(wave))
        self._dates_read_at[wave] = now
        return found

    def now(self) -> float:
        """The clock by which waves are read again."""
        return self._clock()

    def fresh_until(self, wave: str) -> float:
        """Until when what was read of a wave is believed."""
        return self._dates_read_at[wave] + NOTICED_AFTER_SECONDS

    @property
    def are_read(self) -> bool:
        """Whether `last_place` says anything yet."""
        return self._place is not None

    async def is_published(self, wave: str) -> bool:
        """Whether respondents may know of this wave."""
        row = await find_wave(wave)
        return row is not None and row.state not in UNPUBLISHED

    async def place(self) -> Place:
        """What the published waves agree on; the thanks page may name no single one of them."""
        if self._place is not None and self._clock() - self._place_read_at <= NOTICED_AFTER_SECONDS:
            return self._place
        return await self._once("", self._read_place)

    async def _read_place(self) -> Place:
        now = self._clock()
        rows = [row for row in await list_waves() if row.state not in UNPUBLISHED]
        plans = [await load_plan(row.wave) for row in rows]
        pinned = {code: one for row in rows for code, one in (await pinned_catalogues(row.wave)).items()}
        self._place = Place(
            county=_agreed(plan.county for plan in plans),
            telephone=_agreed(plan.telephone for plan in plans),
            office=_agreed(plan.office for plan in plans),
            demonstration=bool(plans) and all(plan.demonstration for plan in plans),
            languages=vocabularies({code for plan in plans for code in plan.languages}, pinned),
        )
        self.last_place, self._place_read_at = self._place, now
        return self._place


def _agreed(values: Iterable[str]) -> str:
    distinct = set(values)
    return distinct.pop() if len(distinct) == 1 else ""
