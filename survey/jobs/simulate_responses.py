"""Answer a demonstration wave the way a county might, through the door every phone uses.

Slips enter, acknowledged responses leave. Each simulated respondent types a code, fills the
form and sends it; the form is checked like any other and the answer is sealed, committed
and acknowledged like any other. Opinions follow a school's own level plus the person's, so
that answers of one school resemble each other as real ones do. All chance comes from the
seed, the school and the slip's place in its pile, so the same seed gives the same answers
whatever the database. Only for waves whose plan says `demonstration: true`.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from survey.errors import SurveyError
from survey.jobs.receive_response import Received, receive_response
from survey.sampling.wave_sample import DomainDraw, Sample
from survey.scheme.answers import read_answers
from survey.scheme.instrument import Instrument, Item
from survey.scheme.plan import Plan
from survey.storage.office import IntakeOffice

AT_ONCE = 64
RETURNS = {"parent": 0.72, "student": 0.93, "teacher": 0.88, "principal": 0.95, "deputy": 0.62, "cppcc": 0.64}
OUTLOOK = {"parent": 1.15, "student": 1.45, "teacher": 1.2, "principal": 1.6, "deputy": 1.0, "cppcc": 0.95}
BETWEEN_SCHOOLS = 0.35
WITHIN_SCHOOLS = 0.9
OVER_ITEMS = 0.55
CANNOT_SAY = 0.03
LEFT_BLANK = 0.015


class NotADemonstrationError(SurveyError):
    """Somebody asked to invent answers in a real wave."""

    code = "demo.not_a_demonstration"
    kind = "forbidden"

    def __init__(self, wave: str) -> None:
        super().__init__(
            f"调查 {wave}",
            "不是演示调查，不能生成模拟答卷",
            "只有计划里写明 demonstration: true 的调查可以演示",
        )


@dataclass(frozen=True)
class Simulated:
    """How the simulated fieldwork went."""

    sent: int
    received: int


async def simulate_responses(
    office: IntakeOffice,
    plan: Plan,
    sample: Sample,
    codes: Mapping[str, list[str]],
    instruments: Callable[[DomainDraw], Instrument],
    *,
    seed: str,
    began: datetime,
    days: int,
    progress: Callable[[int], None] = lambda _: None,
) -> Simulated:
    """Send simulated answers for a share of the slips of every domain.

    Args:
        codes: the slip codes of each domain, in the order of the pile.
        instruments: the instrument a domain is asked.
        began, days: answers arrive spread over so many days from this instant.
        progress: called with the number sent since the last call.

    Raises:
        NotADemonstrationError: the plan is a real one.
    """
    if not plan.demonstration:
        raise NotADemonstrationError(plan.wave)
    people = [
        (domain, code, Random(f"{seed}/{domain.domain}/{place}"))
        for domain in sample.domains
        for place, code in enumerate(codes.get(domain.domain, []))
    ]
    answering = [person for person in people if person[2].random() < RETURNS.get(person[0].group, 0.7)]
    levels = {draw.domain: _school_level(seed, draw) for draw in sample.domains}
    received = 0
    for start in range(0, len(answering), AT_ONCE):
        batch = answering[start : start + AT_ONCE]
        outcomes = await asyncio.gather(
            *(
                _answer(
                    office, plan.wave, instruments(domain), code, levels[domain.domain], chance, began, days
                )
                for domain, code, chance in batch
            )
        )
        received += sum(isinstance(outcome, Received) for outcome in outcomes)
        progress(len(batch))
    return Simulated(sent=len(answering), received=received)


async def _answer(
    office: IntakeOffice,
    wave: str,
    instrument: Instrument,
    code: str,
    level: float,
    chance: Random,
    began: datetime,
    days: int,
) -> object:
    slip = await office.find_slip(code)
    if slip is None:
        raise AssertionError("the simulation answers by a code that was never issued")
    opinion = level + chance.gauss(0, WITHIN_SCHOOLS)
    form = {item.id: value for item in instrument.items if (value := _choose(item, opinion, chance))}
    answers, faults = read_answers(instrument, form)
    if faults:
        raise AssertionError(f"the simulation broke its own form: {faults[0]}")
    sent_at = began + timedelta(days=chance.randrange(days), minutes=chance.randrange(600))
    return await receive_response(
        office, wave, slip, secrets.token_bytes(16), answers, now=sent_at, pace=1 + (chance.random() < 0.6)
    )


def _school_level(seed: str, draw: DomainDraw) -> float:
    place = draw.school_code or draw.domain
    return OUTLOOK.get(draw.group, 1.1) + Random(f"{seed}/school/{place}").gauss(0, BETWEEN_SCHOOLS)


def _choose(item: Item, opinion: float, chance: Random) -> list[str]:
    """The field of one item as a phone would send it; empty where the person skips it."""
    if item.kind == "text" or (not item.required and chance.random() < LEFT_BLANK):
        return []
    graded = [option for option in item.options if option.kind != "none"]
    aside = [option for option in item.options if option.kind == "none"]
    if aside and chance.random() < CANNOT_SAY:
        return [str(aside[0].value)]
    if item.role in ("content", "overall"):
        mood = opinion + chance.gauss(0, OVER_ITEMS)
        cut_points = (
            (1.1, -0.25, -1.0, -1.7)[: len(graded) - 1] if len(graded) > 3 else (0.0, -1.2)[: len(graded) - 1]
        )
        return [str(graded[sum(mood < cut for cut in cut_points)].value)]
    if item.role == "quality":
        told = chance.random() < 0.02
        return [str(next(option.value for option in graded if (option.key == "yes") == told))]
    return [str(chance.choice(graded).value)]


def in_piles(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """(code, domain) pairs as one pile of codes a domain, order kept."""
    piles: dict[str, list[str]] = defaultdict(list)
    for code, domain in pairs:
        piles[domain].append(code)
    return dict(piles)
