"""Who is asked in a wave: schools drawn by lot in strata, and slips for each school and group.

What enters is a plan, its scheme and a frame; what leaves is a `Preview` before the draw, and a
`Sample` after it that anyone can draw again from what it records.

The draw, by hand. The design document (below) has a digest D, 64 hexadecimal digits. The seed S
is text: the numbers of a public draw held after D was signed, or typed by the office. The key is
K = SHA-256(D‖S). Every school of a stratum gets a ticket, SHA-256(K‖"/"‖stratum‖"/"‖school code),
all parts as hexadecimal or plain text in UTF-8; the stratum's n schools with the smallest tickets
are drawn. Tickets of different schools are unrelated, so every set of n schools is equally
likely: a simple random sample without replacement. Nothing depends on a programming language's
own generator, and `printf '%s' "$K/rural/primary/3207042001" | sha256sum` gives one ticket.

Slips of a stratum and group are then shared among the drawn schools in proportion to their
people, by largest remainder, at least two a school where it has them: persons of one stratum and
group so have very nearly the same chance. Who gets a slip inside a school is drawn the same way
from the places of its list (`drawn_places`). Principals, deputies and the like are lists of the
county: persons are drawn, no school is named.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from heapq import nsmallest
from typing import Any

from survey.canonical import digest
from survey.errors import Fault, SurveyError
from survey.exact import fraction, fraction_text
from survey.sampling.expected_precision import expected_spread, firm_from, upward, verdict_chances
from survey.sampling.frame import Frame, School
from survey.sampling.sample import METHOD, DomainDraw, Preview, Sample, StratumDraw
from survey.sampling.scheme_sizes import GROUP_NAMES, figure_shares, largest_remainder
from survey.sampling.wave_allocation import WaveAllocation, allocate_wave
from survey.scheme.plan import GROUP_LETTERS, Plan, plan_digest
from survey.scheme.scheme import Scheme

FEWEST_SLIPS = 2
"""In a drawn school: with two, what differs inside a school can be seen."""


class SeedError(SurveyError):
    """A seed nobody could read out and type again."""

    code = "sampling.seed"
    kind = "invalid"

    def __init__(self, reason: str) -> None:
        super().__init__("抽样种子", reason, "填公开抽取的号码，或一段看得见的文字，不超过200个字")


class FrameTooSmallError(SurveyError):
    """Nobody in the frame can be asked by this plan."""

    code = "sampling.nobody"
    kind = "invalid"

    def __init__(self) -> None:
        super().__init__("抽样", "名册里没有一所学校有计划要问的人", "核对名册的办学类型和计划里各类人的问卷")


def design_document(
    plan: Plan, scheme: Scheme, frame: Frame, public_draw: str | None = None
) -> dict[str, Any]:
    """What is fixed before the lot is cast: frame, scheme, strata, schools and slips of each.

    The plan's words, dates and addresses are not in it: they move nothing here, and whatever
    stands under the seed could be varied until a draw pleases.

    Args:
        public_draw: the draw whose numbers will be the seed, where it is named beforehand.
    """
    return _design(plan, scheme, frame, allocate_wave(plan, scheme, frame), public_draw)


def _design(
    plan: Plan, scheme: Scheme, frame: Frame, allocation: WaveAllocation, public_draw: str | None = None
) -> dict[str, Any]:
    return {
        "type": "design",
        "v": 1,
        "method": METHOD,
        "wave": plan.wave,
        **({} if public_draw is None else {"public_draw": public_draw}),
        "frame_digest": frame.digest,
        "scheme_digest": scheme.digest,
        "required": dict(allocation.owed.by_group),
        "shares": figure_shares(scheme, allocation.owed.shares, allocation.numbers),
        "strata": [
            {
                "stratum": stratum.id,
                "schools": [school.code for school in stratum.schools],
                "drawn": allocation.schools_drawn[stratum.id],
                "slips": {group: slips[stratum.id] for group, slips in allocation.slips.items()},
            }
            for stratum in allocation.strata
        ],
        "lists": {
            group: {"eligible": number, "slips": allocation.list_slips[group]}
            for group, number in allocation.lists.items()
        },
    }


def preview_sample(plan: Plan, scheme: Scheme, frame: Frame) -> Preview:
    """Sizes, spread and expected precision of the sample that this plan would draw.

    Raises:
        FrameTooSmallError: nobody can be asked. Those of `allocate_wave` beside it.
    """
    allocation = allocate_wave(plan, scheme, frame)
    if not allocation.strata and not allocation.lists:
        raise FrameTooSmallError
    design = _design(plan, scheme, frame, allocation)
    shares: dict[str, str] = design["shares"]
    spread = expected_spread(plan, allocation, {group: float(fraction(a)) for group, a in shares.items()})
    issued = {group: sum(slips.values()) for group, slips in allocation.slips.items()} | dict(
        allocation.list_slips
    )
    by_place: dict[str, int] = {}
    by_stage: dict[str, int] = {}
    for stratum in allocation.strata:
        n = sum(slips[stratum.id] for slips in allocation.slips.values())
        by_place[stratum.place] = by_place.get(stratum.place, 0) + n
        by_stage[stratum.stage] = by_stage.get(stratum.stage, 0) + n
    rate = float(fraction(plan.sample.expected_rate))
    line = scheme.requirement.line
    return Preview(
        required_total=allocation.owed.total,
        required=dict(allocation.owed.by_group),
        counts=allocation.owed.counts,
        issued=issued,
        numbers=dict(allocation.numbers),
        slips_total=sum(issued.values()),
        schools=sum(allocation.schools_drawn.values()),
        schools_in_frame=len(frame.schools),
        strata=_stratum_draws(allocation),
        by_place=by_place,
        by_stage=by_stage,
        shares=shares,
        half_width=upward(1.959964 * math.sqrt(spread[""] * rate * (1 - rate))),
        half_widths={
            group: upward(1.959964 * math.sqrt(unit * rate * (1 - rate)))
            for group, unit in spread.items()
            if group
        },
        firm_from=firm_from(spread[""], float(fraction(line.threshold))) if line else None,
        chances=verdict_chances(spread[""], float(fraction(line.threshold)), rate) if line else (),
        warnings=(*allocation.notes, *_warnings(plan, frame, allocation)),
        design_digest=digest(design),
    )


def _warnings(plan: Plan, frame: Frame, allocation: WaveAllocation) -> list[Fault]:
    if len(frame.schools) == 1:
        return [
            Fault(
                "sampling.one_school",
                "名册里只有1所学校，学校不是抽出来的",
                "可以继续；结果只说明这一所学校，报告会写明",
            )
        ]
    every = all(allocation.schools_drawn[one.id] == len(one.schools) for one in allocation.strata)
    if every and not plan.everybody:
        return [
            Fault(
                "sampling.every_school",
                "份数需要用到全部学校，等于每校都调查",
                "不用处理；误差只来自学校里面没问到的人",
            )
        ]
    return []


def _stratum_draws(allocation: WaveAllocation) -> tuple[StratumDraw, ...]:
    return tuple(
        StratumDraw(
            stratum.id,
            stratum.name,
            stratum.place,
            stratum.stage,
            len(stratum.schools),
            allocation.schools_drawn[stratum.id],
        )
        for stratum in allocation.strata
    )


def draw_key(design_digest: str, seed: str) -> str:
    """The key of a draw, SHA-256 of the design digest followed by the seed.

    >>> draw_key("00", "7")[:16] == hashlib.sha256(b"007").hexdigest()[:16]
    True
    """
    return hashlib.sha256((design_digest + seed).encode("utf-8")).hexdigest()


def ticket(key: str, *parts: str) -> str:
    """The ticket of one thing that may be drawn; the smallest tickets win."""
    return hashlib.sha256("/".join((key, *parts)).encode("utf-8")).hexdigest()


def _smallest_tickets(parts: tuple[str, ...], last: Sequence[str], n: int) -> list[int]:
    """Places of the n smallest tickets among things that differ in the last part of theirs."""
    head = hashlib.sha256("/".join((*parts, "")).encode("utf-8"))
    tickets = []
    for name in last:
        one = head.copy()
        one.update(name.encode("utf-8"))
        tickets.append(one.digest())
    return nsmallest(n, range(len(tickets)), key=tickets.__getitem__)


def draw_sample(
    plan: Plan, scheme: Scheme, frame: Frame, seed: str, public_draw: str | None = None
) -> Sample:
    """The sample of a wave from a seed; the same seed, plan and frame give the same sample.

    Args:
        public_draw: as in the design that was signed, where one was.

    Raises:
        SeedError: empty, too long or unreadable. FrameTooSmallError: nobody can be asked.
    """
    if not seed.strip():
        raise SeedError("是空的")
    if len(seed) > 200 or not seed.isprintable():
        raise SeedError("太长，或有看不见的字符")
    allocation = allocate_wave(plan, scheme, frame)
    if not allocation.strata and not allocation.lists:
        raise FrameTooSmallError
    design = _design(plan, scheme, frame, allocation, public_draw)
    design_digest = digest(design)
    key = draw_key(design_digest, seed)
    domains: list[DomainDraw] = []
    for stratum in allocation.strata:
        n_drawn = allocation.schools_drawn[stratum.id]
        smallest = _smallest_tickets((key, stratum.id), [school.code for school in stratum.schools], n_drawn)
        drawn = sorted((stratum.schools[at] for at in smallest), key=lambda s: s.code)
        probability = fraction_text(Fraction(n_drawn, len(stratum.schools)))
        for group, slips in allocation.slips.items():
            people = {school.code: allocation.eligible[group].get(school.code, 0) for school in drawn}
            quotas = slips_by_school(slips[stratum.id], people)
            domains += [
                _school_domain(
                    plan, group, school, stratum.id, people[school.code], quotas[school.code], probability
                )
                for school in drawn
                if people[school.code]
            ]
    for group, number in allocation.lists.items():
        domains.append(_county_domain(plan, group, number, allocation.list_slips[group]))
    for entry in plan.groups:
        if entry.mode == "open":
            domains.append(_county_domain(plan, entry.group, plan.lists.get(entry.group, 0), 0))
    return Sample(
        wave=plan.wave,
        seed=seed,
        frame_digest=frame.digest,
        plan_digest=plan_digest(plan),
        design_digest=design_digest,
        strata=_stratum_draws(allocation),
        domains=tuple(sorted(domains, key=lambda draw: draw.domain)),
        shares=design["shares"],
        public_draw=public_draw,
    )


def slips_by_school(total: int, people: Mapping[str, int]) -> dict[str, int]:
    """Slips of drawn schools in proportion to their people: at least two where there are two, never above.

    Args:
        total: slips of the stratum and group; raised to the schools' minima, capped by their people.
        people: school code → eligible persons; a school without any gets none.

    >>> slips_by_school(10, {"a": 60, "b": 30, "c": 1})
    {'a': 6, 'b': 3, 'c': 1}
    """
    codes = [code for code, n in people.items() if n]
    minima = {code: min(FEWEST_SLIPS, people[code]) for code in codes}
    total = min(max(total, sum(minima.values())), sum(people.values())) if total else 0
    full: dict[str, int] = {}
    while total:
        free = [code for code in codes if code not in full]
        quotas = dict(
            zip(
                free,
                largest_remainder(
                    total - sum(full.values()),
                    [Fraction(people[code]) for code in free],
                    [minima[code] for code in free],
                ),
                strict=True,
            )
        )
        over = {code: people[code] for code, quota in quotas.items() if quota > people[code]}
        if not over:
            return {code: full.get(code, quotas.get(code, 0)) for code in people}
        full |= over
    return dict.fromkeys(people, 0)


def _school_domain(
    plan: Plan, group: str, school: School, stratum: str, eligible: int, slips: int, probability: str
) -> DomainDraw:
    entry = plan.group(group)
    assert entry is not None
    return DomainDraw(
        domain=f"{school.code}-{GROUP_LETTERS[group]}",
        group=group,
        school_code=school.code,
        school_name=school.name,
        stratum=stratum,
        place=school.place,
        stage=school.stage,
        eligible=eligible,
        slips=eligible if entry.mode == "quota" else slips,
        psu_probability=probability,
        instrument=entry.instrument_for(school.stage) or "",
    )


def _county_domain(plan: Plan, group: str, eligible: int, slips: int) -> DomainDraw:
    entry = plan.group(group)
    assert entry is not None
    return DomainDraw(
        domain=f"{plan.county_code}-{GROUP_LETTERS[group]}",
        group=group,
        school_code=None,
        school_name=f"{plan.county}{GROUP_NAMES[group]}",
        stratum=f"county/{group}",
        place=None,
        stage=None,
        eligible=eligible,
        slips=eligible if entry.mode == "quota" else slips,
        psu_probability="1",
        instrument=entry.instrument_for(None) or "",
    )


def drawn_places(sample: Sample, domain: str) -> tuple[int, ...]:
    """Places on a domain's own list (1 … eligible) whose persons get a slip, from the wave's draw.

    The list is the school's roll of pupils by grade and class, its staff list, or the county's
    list. The places with the smallest tickets are taken, so a school has nobody to choose.
    """
    draw = sample.by_domain[domain]
    key = draw_key(sample.design_digest, sample.seed)
    order = sorted(range(1, draw.eligible + 1), key=lambda place: ticket(key, domain, str(place)))
    return tuple(sorted(order[: draw.slips]))


def replays(sample: Sample, plan: Plan, scheme: Scheme, frame: Frame) -> bool:
    """Whether plan, scheme, frame and the recorded seed give this very sample again."""
    return draw_sample(plan, scheme, frame, sample.seed, sample.public_draw).document() == sample.document()
