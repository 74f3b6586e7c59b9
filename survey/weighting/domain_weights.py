"""Whom each counted answer stands for: exact fractions by pool, from drawn school to county.

What enters is a sample, the frame's people by stratum and group, and the counted answers by
domain; what leaves is one weight for each pool of domains, with the factor of every step. Weights
are fractions, because the certified figure must be recomputable to the last digit; the general
float weighting of this room serves analysts.

1. A domain's persons stand for `eligible / π` of its stratum, π the chance its school had.
2. Within a pool, respondents stand for everybody: `(Σ eligible/π) / n` each (response homogeneity
   groups). A pool is a domain, or several of one cell that are too small alone.
3. Each cell, stratum × group, is brought to the frame's count of its people (post-stratification):
   times `N / Σ eligible/π`.

Pools are made mechanically, in an order declared before the wave. A domain is small when it has
fewer than `minimum_count` answers, or fewer than 40 and nobody satisfied (TRUST section 11). Small
domains of a cell join in the order of their ids until they are small no more; what is left over
joins the last row of the cell. A cell still small joins the cell of its group next to it in the
order of strata, of the same stage if there is one, the smaller neighbour first. A group that
stays small has nobody to join: its row stays, and its figure is withheld.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

from survey.errors import SurveyError
from survey.exact import fraction, fraction_text, truncate
from survey.sampling.frame import Frame
from survey.sampling.sample import DomainDraw, Sample
from survey.sampling.scheme_sizes import GROUP_NAMES
from survey.sampling.wave_allocation import allocate_wave
from survey.scheme.plan import Plan
from survey.scheme.scheme import Scheme

SMALL_WITHOUT_SATISFIED = 40


class NoAnswersError(SurveyError):
    """A group of the figure has not one counted answer."""

    code = "weighting.no_answers"
    kind = "refused"

    def __init__(self, group: str) -> None:
        super().__init__(
            GROUP_NAMES.get(group, group),
            "一份答卷也没有收回，这类人的意见无从算起",
            "延长填答时间；不能用别的类代替",
        )


class UnknownDomainError(SurveyError):
    """Answers of a domain that the sample does not hold."""

    code = "weighting.unknown_domain"
    kind = "invalid"

    def __init__(self, domain: str) -> None:
        super().__init__(f"域{domain}", "样本里没有这个域", "核对答卷和样本是不是同一次调查的")


@dataclass(frozen=True)
class Pool:
    """Domains whose answers carry one weight; a row of the certified table."""

    id: str
    group: str
    cell: str
    domains: tuple[str, ...]
    n: int
    people: Fraction
    """Σ eligible/π: whom the pool stands for before post-stratification."""
    poststratification: Fraction
    weight: Fraction
    """Of one counted answer; zero where there is none."""

    @property
    def is_pooled(self) -> bool:
        """Whether several domains share the row."""
        return len(self.domains) > 1


@dataclass(frozen=True)
class Cell:
    """A post-stratification cell: a group's people in one stratum, or in several joined."""

    id: str
    group: str
    strata: tuple[str, ...]
    people: int
    """The frame's count, which the weights meet exactly."""
    n: int


@dataclass(frozen=True)
class WaveWeights:
    """The weights of a wave: cells, pools, and every step's factor by domain."""

    cells: tuple[Cell, ...]
    pools: tuple[Pool, ...]
    draws: Mapping[str, DomainDraw]
    is_plain: bool = False
    """Whether every answer weighs one, because the scheme says so; no total of the frame is met then."""

    @cached_property
    def by_domain(self) -> dict[str, Pool]:
        """The pool of every drawn domain."""
        return {domain: pool for pool in self.pools for domain in pool.domains}

    def weight(self, domain: str) -> Fraction:
        """The weight of one counted answer of a domain."""
        return self.by_domain[domain].weight

    def plain(self) -> WaveWeights:
        """The same pools with every counted answer weighing one: a scheme without design weights."""
        return replace(
            self,
            pools=tuple(
                replace(pool, poststratification=Fraction(1), weight=Fraction(bool(pool.n)))
                for pool in self.pools
            ),
            is_plain=True,
        )

    def history(self) -> list[dict[str, Any]]:
        """The factor that each step multiplied in, by domain, as exact text."""
        rows = []
        for domain in sorted(self.by_domain):
            draw, pool = self.draws[domain], self.by_domain[domain]
            base = design_weight(draw)
            before = pool.weight / pool.poststratification
            rows.append(
                {
                    "domain": domain,
                    "pool": pool.id,
                    "cell": pool.cell,
                    "design_weight": fraction_text(base),
                    "nonresponse": fraction_text(before / base) if base else "0",
                    "poststratification": fraction_text(pool.poststratification),
                    "weight": fraction_text(pool.weight),
                    "weight_shown": truncate(pool.weight, 4),
                }
            )
        return rows


def design_weight(draw: DomainDraw) -> Fraction:
    """1/π of a slip of a domain: the school's chance times slips over eligible persons; 0 without slips."""
    return Fraction(draw.eligible, draw.slips) / fraction(draw.psu_probability) if draw.slips else Fraction(0)


def frame_people(plan: Plan, scheme: Scheme, frame: Frame) -> dict[tuple[str, str], int]:
    """(stratum, group) → the frame's people, drawn schools or not; county lists under their own stratum."""
    allocation = allocate_wave(plan, scheme, frame)
    people = {
        (stratum.id, group): n
        for stratum in allocation.strata
        for group in allocation.eligible
        if (n := allocation.eligible_in(group, stratum))
    }
    return people | {(f"county/{group}", group): n for group, n in allocation.lists.items()}


def weight_domains(
    sample: Sample,
    people: Mapping[tuple[str, str], int],
    answers: Mapping[str, int],
    *,
    minimum_count: int,
    satisfied: Mapping[str, int] | None = None,
    groups: Iterable[str] | None = None,
) -> WaveWeights:
    """The weights of a wave.

    Args:
        sample: who was drawn.
        people: (stratum, group) → people in the frame, from `frame_people`.
        answers: counted answers by domain; a domain left out has none.
        minimum_count: fewer answers than this make a domain small.
        satisfied: satisfied answers by domain, for the rule of forty; all unknown when not given.
        groups: the groups of the figure; every group with a share by default.

    Raises:
        NoAnswersError: a group without an answer. UnknownDomainError: answers from elsewhere.
    """
    draws = sample.by_domain
    for domain in answers:
        if domain not in draws:
            raise UnknownDomainError(domain)
    strata = [stratum.stratum for stratum in sample.strata]
    cells: list[Cell] = []
    pools: list[Pool] = []
    for group in groups if groups is not None else sample.shares:
        own = [draw for draw in sample.domains if draw.group == group]
        if not sum(answers.get(draw.domain, 0) for draw in own):
            raise NoAnswersError(group)
        order = [name for name in (*strata, f"county/{group}") if (name, group) in people]
        joined = _join_cells(order, own, answers, satisfied, minimum_count)
        for names in joined:
            members = [draw for draw in own if draw.stratum in names]
            cell, of_cell = _weigh_cell(group, names, members, people, answers, satisfied, minimum_count)
            cells.append(cell)
            pools += of_cell
    return WaveWeights(tuple(cells), tuple(sorted(pools, key=lambda pool: pool.id)), draws)


def _is_small(n: int, satisfied: int | None, minimum_count: int) -> bool:
    return n < minimum_count or (satisfied == 0 and n < SMALL_WITHOUT_SATISFIED)


def _counts(
    draws: Sequence[DomainDraw], answers: Mapping[str, int], satisfied: Mapping[str, int] | None
) -> tuple[int, int | None]:
    n = sum(answers.get(draw.domain, 0) for draw in draws)
    return n, None if satisfied is None else sum(satisfied.get(draw.domain, 0) for draw in draws)


def _join_cells(
    order: Sequence[str],
    draws: Sequence[DomainDraw],
    answers: Mapping[str, int],
    satisfied: Mapping[str, int] | None,
    minimum_count: int,
) -> list[tuple[str, ...]]:
    """Strata of a group, joined until each holds enough answers or only one is left."""
    joined: list[tuple[str, ...]] = [(name,) for name in order]

    def counted(names: tuple[str, ...]) -> tuple[int, int | None]:
        return _counts([draw for draw in draws if draw.stratum in names], answers, satisfied)

    while len(joined) > 1:
        small = [at for at, names in enumerate(joined) if _is_small(*counted(names), minimum_count)]
        if not small:
            break
        first = min(small, key=lambda at: (counted(joined[at])[0], at))
        beside = [at for at in (first - 1, first + 1) if 0 <= at < len(joined)]
        stage = joined[first][0].partition("/")[2]
        same = [at for at in beside if stage in {name.partition("/")[2] for name in joined[at]}]
        into = min(same or beside, key=lambda at: (counted(joined[at])[0], at))
        low, high = sorted((first, into))
        joined[low : high + 1] = [joined[low] + joined[high]]
    return joined


def _weigh_cell(
    group: str,
    names: tuple[str, ...],
    draws: Sequence[DomainDraw],
    people: Mapping[tuple[str, str], int],
    answers: Mapping[str, int],
    satisfied: Mapping[str, int] | None,
    minimum_count: int,
) -> tuple[Cell, list[Pool]]:
    known = sum(people[name, group] for name in names)
    cell_id = "、".join(names) + f"/{group}"
    standing = sum((_stands_for(draw) for draw in draws), Fraction(0))
    factor = known / standing
    pools = []
    for members in _pools(sorted(draws, key=lambda draw: draw.domain), answers, satisfied, minimum_count):
        n, _ = _counts(members, answers, satisfied)
        of_pool = sum((_stands_for(draw) for draw in members), Fraction(0))
        domains = tuple(draw.domain for draw in members)
        name = domains[0] if len(domains) == 1 else f"{domains[0]}+{len(domains) - 1}"
        weight = of_pool * factor / n if n else Fraction(0)
        pools.append(Pool(name, group, cell_id, domains, n, of_pool, factor, weight))
    return Cell(cell_id, group, names, known, sum(pool.n for pool in pools)), pools


def _stands_for(draw: DomainDraw) -> Fraction:
    return draw.eligible / fraction(draw.psu_probability)


def _pools(
    draws: Sequence[DomainDraw],
    answers: Mapping[str, int],
    satisfied: Mapping[str, int] | None,
    minimum_count: int,
) -> list[list[DomainDraw]]:
    """Domains of a cell in order of id: large ones alone, small ones joined until they are large."""
    rows: list[list[DomainDraw]] = []
    waiting: list[DomainDraw] = []
    for draw in draws:
        if not _is_small(*_counts([draw], answers, satisfied), minimum_count):
            rows.append([draw])
            continue
        waiting.append(draw)
        if not _is_small(*_counts(waiting, answers, satisfied), minimum_count):
            rows.append(waiting)
            waiting = []
    if waiting and rows:
        rows[-1] = sorted([*rows[-1], *waiting], key=lambda draw: draw.domain)
    elif waiting:
        rows.append(waiting)
    return rows
