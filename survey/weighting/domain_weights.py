"""The weight of every counted answer of a wave, exactly, from counts alone.

Domains of the sample enter with how many answers each gave; pools leave, each with one weight
for all its cases, as a `Fraction`. A case stands for N̂·g/n persons of its pool:

    N̂ = Σ eligible/π over the pool's domains   (design weight; those who did not answer are
                                                stood for by those of the same pool who did)
    g = N/Σ N̂ over the cell                    (post-stratification to the frame's own count)

A pool is one domain, or several of one stratum and group that are too small to stand alone:
nonresponse is adjusted there and the public table shows nothing smaller, so one rule serves
METHOD 5 and TRUST section 11. Pools merge mechanically, along an order that is fixed before
anybody answers: small domains of a cell together, then with the smallest other pool of the
cell, then whole cells of the group in the order of their names.

Weights that vary inside a domain (raking on what people said of themselves) are left to
`calibration.py`: they would make the certified figure depend on floating point.

Decided 2026-11-24: exact fractions, so that two programs agree to the last digit; reopen this
when a scheme must be raked on answers.
Source: Särndal, Swensson & Wretman (1992), sec. 7.6 and 15.6 (post-stratification, response
homogeneity groups).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from survey.errors import SurveyError
from survey.exact import fraction, fraction_text
from survey.sampling.sample import DomainDraw

FEW_TO_HIDE_ZERO = 40
"""With fewer counted answers and nobody satisfied, a row would tell on everybody in it."""


class SilentGroupError(SurveyError):
    """A respondent group gave no answer at all, so nobody can stand for it."""

    code = "weighting.silent_group"
    kind = "refused"

    def __init__(self, group: str) -> None:
        super().__init__(
            f"人群 {group}", "一份答卷也没有收到，没有人能代表他们", "延长时间补收，或在新的计划里不问这一类人"
        )


@dataclass(frozen=True)
class Pool:
    """Domains weighted together: a weighting cell, and a row of the public table."""

    name: str
    group: str
    strata: tuple[str, ...]
    domains: tuple[str, ...]
    n: int
    """Answers counted."""
    expanded: Fraction
    """Σ eligible/π: the persons the pool's domains were drawn for."""
    calibration: Fraction
    """g, the factor that meets the frame's count of stratum and group."""

    @property
    def base_weight(self) -> Fraction:
        """The weight of one case before post-stratification."""
        return self.expanded / self.n

    @property
    def weight(self) -> Fraction:
        """The weight of one case."""
        return self.base_weight * self.calibration

    @property
    def cell(self) -> str:
        """The post-stratification cell, named."""
        return f"{'+'.join(self.strata)}|{self.group}"

    def document(self) -> dict[str, object]:
        """The pool and the history of its weight, as canonical JSON."""
        return {
            "pool": self.name,
            "group": self.group,
            "strata": list(self.strata),
            "domains": list(self.domains),
            "n": self.n,
            "expanded": fraction_text(self.expanded),
            "base_weight": fraction_text(self.base_weight),
            "calibration": fraction_text(self.calibration),
            "weight": fraction_text(self.weight),
        }


def weigh_domains(
    draws: Sequence[DomainDraw],
    counted: Mapping[str, int],
    population: Mapping[tuple[str, str], int],
    minimum_count: int,
    satisfied: Mapping[str, int] | None = None,
) -> tuple[Pool, ...]:
    """Pools of all drawn domains, every answer with its exact weight.

    Args:
        draws: the drawn domains that are asked by slip or quota; each with its inclusion
            probability as text.
        counted: domain → answers counted; absent is none.
        population: (stratum, group) → persons in the frame.
        minimum_count: a pool needs so many answers, where the group has them.
        satisfied: domain → satisfied answers; a pool under forty with none merges too.

    Returns:
        Pools sorted by name; within a cell their weights add up to the frame's count.

    Raises:
        SilentGroupError: a drawn group without a single answer.

    >>> draw = lambda code, n: DomainDraw(f"{code}-P", "parent", code, code, "rural/primary", "rural",
    ...                                   "primary", n, 4, "1/2", "parents")
    >>> pools = weigh_domains([draw("a", 30), draw("b", 50)], {"a-P": 3, "b-P": 4}, {("rural/primary", "parent"): 200}, 1)
    >>> [(pool.name, str(pool.weight)) for pool in pools]
    [('a-P', '25'), ('b-P', '125/4')]
    """
    positive = satisfied or {}
    groups = sorted({draw.group for draw in draws})
    pools: list[Pool] = []
    for group in groups:
        mine = sorted((draw for draw in draws if draw.group == group), key=lambda draw: draw.domain)
        if not sum(counted.get(draw.domain, 0) for draw in mine):
            raise SilentGroupError(group)

        def is_small(part: Sequence[DomainDraw]) -> bool:
            n = sum(counted.get(draw.domain, 0) for draw in part)
            nobody = satisfied is not None and not sum(positive.get(draw.domain, 0) for draw in part)
            return n < max(minimum_count, 1) or (n < FEW_TO_HIDE_ZERO and nobody)

        for cells in _joined_cells(mine, is_small):
            pools += _cell_pools(group, cells, counted, population, is_small)
    return tuple(sorted(pools, key=lambda pool: pool.name))


IsSmall = Callable[[Sequence[DomainDraw]], bool]


def _joined_cells(draws: Sequence[DomainDraw], is_small: IsSmall) -> list[list[DomainDraw]]:
    """Cells of a group in the order of their strata; one too small joins the next, the last the one before."""
    cells: list[list[DomainDraw]] = []
    for stratum in sorted({draw.stratum for draw in draws}):
        cells.append([draw for draw in draws if draw.stratum == stratum])
    while len(cells) > 1 and (small := next((at for at, cell in enumerate(cells) if is_small(cell)), None)) is not None:
        first = min(small, len(cells) - 2)
        cells[first : first + 2] = [cells[first] + cells[first + 1]]
    return cells


def _cell_pools(
    group: str,
    cell: Sequence[DomainDraw],
    counted: Mapping[str, int],
    population: Mapping[tuple[str, str], int],
    is_small: IsSmall,
) -> list[Pool]:
    strata = tuple(sorted({draw.stratum for draw in cell}))
    expanded = sum((_expanded(draw) for draw in cell), Fraction(0))
    calibration = sum(population[stratum, group] for stratum in strata) / expanded
    return [
        Pool(
            name=part[0].domain if len(part) == 1 else f"{'+'.join(strata)}/{group}/{part[0].domain}+{len(part) - 1}",
            group=group,
            strata=strata,
            domains=tuple(draw.domain for draw in part),
            n=sum(counted.get(draw.domain, 0) for draw in part),
            expanded=sum((_expanded(draw) for draw in part), Fraction(0)),
            calibration=calibration,
        )
        for part in _merged(cell, counted, is_small)
    ]


def _merged(
    cell: Sequence[DomainDraw], counted: Mapping[str, int], is_small: IsSmall
) -> list[list[DomainDraw]]:
    """Small domains together; if that is still small, with the smallest pool that is not."""
    large = [[draw] for draw in cell if not is_small([draw])]
    small = [draw for draw in cell if is_small([draw])]
    if not small:
        return large
    if is_small(small) and large:
        fewest = min(large, key=lambda part: (sum(counted.get(draw.domain, 0) for draw in part), part[0].domain))
        large.remove(fewest)
        small = small + fewest
    return [*large, sorted(small, key=lambda draw: draw.domain)]


def _expanded(draw: DomainDraw) -> Fraction:
    """Persons the domain was drawn for: its eligible persons over the chance its school had."""
    return draw.eligible / fraction(draw.psu_probability)
