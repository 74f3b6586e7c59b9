"""A whole wave of the sample county with simulated answers, for tests of the rooms after sampling."""

from __future__ import annotations

from collections import Counter
from functools import cache
from random import Random
from typing import Any

from county import changed, county, county_plan, county_scheme, small_school

from survey.cases.case_file import CaseFile, asked_instruments, build_case_file
from survey.estimation.results import Results, estimate_results
from survey.fieldwork.disposition import DomainOutcome
from survey.sampling.frame import Frame
from survey.sampling.wave_sample import Sample, draw_sample
from survey.scheme.instrument import Instrument
from survey.scheme.plan import GroupPlan, SampleGoal


@cache
def wave_sample() -> Sample:
    return draw_sample(county_plan(), county_scheme(), county(), "2026-42")


def record(domain: str, answers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"answers": answers, "day": 3, "domain": domain, "v": 1, "wave": county_plan().wave, **more}


def instruments() -> dict[str, Instrument]:
    return asked_instruments(county_plan(), county_scheme(), wave_sample().domains)


def overall_id(domain: str) -> str:
    item = instruments()[domain].overall_item
    assert item is not None
    return item.id


@cache
def wave_records(seed: int = 1) -> tuple[dict[str, Any], ...]:
    """About seven answers to ten slips; people of one school resemble each other."""
    chance = Random(seed)
    forms = instruments()
    records = []
    for draw in wave_sample().domains:
        level = chance.gauss(1.2, 0.35)
        for _ in range(draw.slips):
            if chance.random() > 0.7:
                continue
            opinion = level + chance.gauss(0, 0.9)
            answers: dict[str, Any] = {}
            for item in forms[draw.domain].items:
                scored = [option for option in item.options if option.kind != "none"]
                if item.role in ("content", "overall"):
                    mood = opinion + chance.gauss(0, 0.5)
                    place = min(sum(mood < cut for cut in (1.1, -0.25, -1, -1.7)), len(scored) - 1)
                    answers[item.id] = 98 if chance.random() < 0.04 else scored[place].value
                elif item.kind == "single":
                    answers[item.id] = scored[-1].value
                else:
                    answers[item.id] = None
            records.append(record(draw.domain, answers, day=chance.randint(1, 10), pace=1))
    return tuple(records)


def wave_outcomes(records: tuple[dict[str, Any], ...]) -> list[DomainOutcome]:
    used: dict[str, int] = {}
    for one in records:
        used[one["domain"]] = used.get(one["domain"], 0) + 1
    return [
        DomainOutcome(draw.domain, draw.slips, used.get(draw.domain, 0)) for draw in wave_sample().domains
    ]


@cache
def wave_case_file(seed: int = 1) -> CaseFile:
    return build_case_file(wave_records(seed), county_plan(), county_scheme(), wave_sample())


@cache
def wave_results(seed: int = 1) -> Results:
    return estimate_results(
        county_plan(),
        county_scheme(),
        county(),
        wave_sample(),
        wave_case_file(seed),
        wave_outcomes(wave_records(seed)),
    )


def estimated(records, *, plan=None, scheme=None, frame=None, sample=None, outcomes=None):
    plan, scheme, frame, sample = (
        plan or county_plan(),
        scheme or county_scheme(),
        frame or county(),
        sample or wave_sample(),
    )
    case_file = build_case_file(records, plan, scheme, sample)
    return estimate_results(
        plan, scheme, frame, sample, case_file, wave_outcomes(records) if outcomes is None else outcomes
    )


def one_group_wave(answers: dict[str, list[int | dict[str, int]]], n_schools: int = 2, n_drawn: int = 2):
    """Schools of 100 pupils each, some of them drawn, parents only; overall answers, or all of a person's, in the order of the draw."""
    schools = [small_school(f"110000000{n}", grades={4: 50, 5: 50}) for n in range(1, n_schools + 1)]
    groups = (GroupPlan(group="parent", instruments={"all": "parents"}),)
    plan = changed(county_plan(), groups=groups, sample=SampleGoal(schools_per_stratum=n_drawn))
    frame = Frame(tuple(schools))
    sample = draw_sample(plan, county_scheme(), frame, "1")
    item = overall_id(next(d.domain for d in wave_sample().domains if d.group == "parent"))
    records = [
        record(f"{code}-P", {item: value} if isinstance(value, int) else {item: 5, **value})
        for code, values in zip(sample.schools, answers.values(), strict=True)
        for value in values
    ]
    used = Counter(one["domain"] for one in records)
    outcomes = [DomainOutcome(d.domain, max(d.slips, used[d.domain]), used[d.domain]) for d in sample.domains]
    return estimated(records, plan=plan, frame=frame, sample=sample, outcomes=outcomes)
