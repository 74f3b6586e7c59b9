"""Rates of a wave: exact from counts by domain, their error from the design.

What enters is a case file with its weights; what leaves is, for any column of answers and any set
of domains, the exact rate and its Taylor-linearised `Estimate`. The design: schools are first-stage
units in their strata, with the finite number of schools known; persons of a school and group are
second-stage units out of the eligible; persons of a county list are first-stage units out of the
list. Nonresponse is read as a second phase within pools, so respondents stand as if drawn.
A drawn school from which nobody answered stays in the design as a unit that adds nothing.

The weights meet the frame in every cell, and the linearised variable is the residual from it
(Deville & Särndal 1992). A school × group with one answer out of several has no spread of its
own: it takes its deviation from the school's other second-stage units (`adjust`), on the careful
side and weighed by the stratum's sampling fraction only.

Where the plan asks groups whole, there is no drawing to be in doubt about, only silence: in every
stratum whose schools are all in, the respondents of a pool are a simple random sample of its people
(response cells, METHOD 14), each a unit of its own. Pools are made inside stratum and group, so a
school with one answer is collapsed as METHOD says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from survey.arrays import Flags, Ints
from survey.cases.case_file import CaseFile
from survey.cases.derivation import Column
from survey.errors import SurveyError
from survey.estimation.census import census_interval
from survey.estimation.intervals import (
    FEWEST_PSUS,
    Interval,
    korn_graubard,
    logit,
    planned_n,
    t_interval,
)
from survey.estimation.linearization import Estimate
from survey.estimation.means import ratio
from survey.exact import fraction
from survey.sampling.design import CellAdjustment, Design
from survey.sampling.sample import DomainDraw, Sample
from survey.weighting.domain_weights import WaveWeights


def of_group(group: str) -> Callable[[DomainDraw], bool]:
    """Whether a domain is one of this respondent group, as the tables ask of every domain."""
    return lambda draw: draw.group == group


class LonelyStratumError(SurveyError):
    """One school was drawn out of several in a stratum, so chance cannot be seen there."""

    code = "estimation.lonely_stratum"
    kind = "refused"

    def __init__(self, stratum: str) -> None:
        super().__init__(
            f"层{stratum}", "有几所学校却只抽了一所，这一层的误差算不出来", "每层至少抽两所，或全部都抽"
        )


@dataclass(frozen=True)
class Rate:
    """One rate: exact, with its estimate, and the counts it rests on."""

    value: Fraction
    estimate: Estimate
    n: int
    n_valid: int
    against_in_psus: int
    """First-stage units in which somebody was not satisfied."""
    psus: int
    """First-stage units with an answer in the base."""
    in_favour_in_psus: int = FEWEST_PSUS
    """First-stage units in which somebody was satisfied."""
    asked: int = 0
    """Persons it speaks for, where everybody of them was asked; 0 where they were sampled."""

    @property
    def few_against(self) -> bool:
        """Whether the dissatisfied come from so few units that the variance is guesswork (METHOD 2)."""
        return self.value < 1 and self.against_in_psus < FEWEST_PSUS

    @property
    def few_in_favour(self) -> bool:
        """The same of the satisfied."""
        return self.value > 0 and self.in_favour_in_psus < FEWEST_PSUS

    def interval(self, level: float, *, proportion: bool = True) -> Interval | None:
        """Korn–Graubard at this level, its sample size capped where few units hold the dissatisfied.

        A mean of points lies in [0, 1] as well and has its interval on the log-odds scale; at 0 and 1 t.
        """
        one = self.estimate
        if proportion:
            few = self.few_against or self.few_in_favour
            if self.asked:
                at_most = float(one.n) if few else None
                return census_interval([1], [one], [self.asked], one, level, at_most=at_most)
            cap = planned_n(one.n, self.psus) if few and self.psus else None
            return korn_graubard(
                min(max(one.value, 0.0), 1.0), one.variance, one.n, one.df, level, at_most=cap
            )
        inside = logit(min(max(one.value, 0.0), 1.0), one.variance, one.n, one.df, level)
        if inside is not None:
            return inside
        found = t_interval(one.value, one.variance, one.df, level)
        if found is None:
            return None
        return Interval(max(found.lower, 0.0), min(found.upper, 1.0), found.level, found.method)

    @property
    def n_effective(self) -> float | None:
        """p(1 − p) over the variance; None where there is no spread."""
        p = self.estimate.value
        return p * (1 - p) / self.estimate.variance if self.estimate.variance > 0 and 0 < p < 1 else None


class WaveRates:
    """The design of a wave's counted answers, and every rate that can be asked of it."""

    def __init__(
        self, case_file: CaseFile, weights: WaveWeights, sample: Sample, *, by_cells: bool = False
    ) -> None:
        """`by_cells`: groups were asked whole, so that pools are response cells where no school was left out."""
        self.case_file = case_file
        self.weights = weights
        self.draws: Mapping[str, DomainDraw] = {
            domain: sample.by_domain[domain] for domain in weights.by_domain
        }
        self.positions = [at for at, case in enumerate(case_file.cases) if case.domain in weights.by_domain]
        self.domains = [case_file.cases[at].domain for at in self.positions]
        self._names = list(self.draws)
        place = {name: at for at, name in enumerate(self._names)}
        self._code = np.array([place[domain] for domain in self.domains], dtype=np.int64)
        self._at = np.array(self.positions, dtype=np.int64)
        self.response_cells = frozenset(
            pool.id
            for pool in weights.pools
            if by_cells and all(fraction(self.draws[name].psu_probability) == 1 for name in pool.domains)
        )
        self.design = self._design(sample)
        lonely = [
            name
            for name in self.design.lonely_strata()
            if not name.startswith("county/") and name not in self.response_cells
        ]
        if lonely:
            raise LonelyStratumError(lonely[0])

    def _design(self, sample: Sample) -> Design:
        schools_in_frame = {stratum.stratum: stratum.schools_in_frame for stratum in sample.strata}
        met = {self.draws[domain].school_code for domain in self.domains}
        strata: list[str] = []
        psus: list[str] = []
        first: list[float] = []
        inner: list[str] = []
        second: list[float] = []
        weight: list[float] = []
        before: list[float] = []
        cell: list[str] = []
        for row, domain in enumerate(self.domains):
            draw, pool = self.draws[domain], self.weights.by_domain[domain]
            is_cell = pool.id in self.response_cells
            single = is_cell or draw.school_code is None
            strata.append(pool.id if is_cell else draw.stratum)
            psus.append(f"person {row}" if single else str(draw.school_code))
            people = max(float(pool.people), pool.n) if is_cell else draw.eligible
            first.append(float(people if single else schools_in_frame[draw.stratum]))
            inner.append(domain)
            second.append(1.0 if single else float(draw.eligible))
            weight.append(float(pool.weight))
            before.append(float(pool.weight / pool.poststratification))
            cell.append(pool.cell)
        in_schools = [
            draw
            for name, draw in self.draws.items()
            if draw.school_code and self.weights.by_domain[name].id not in self.response_cells
        ]
        for code, draw in sorted({str(draw.school_code): draw for draw in in_schools}.items()):
            if draw.school_code not in met:
                strata.append(draw.stratum)
                psus.append(code)
                first.append(float(schools_in_frame[draw.stratum]))
                inner.append("nobody")
                second.append(1.0)
                weight.append(0.0)
                before.append(0.0)
                cell.append("nobody")
        self.n_rows = len(strata)
        after = np.array(weight)
        _, codes = np.unique(np.array(cell), return_inverse=True)
        return Design(
            after,
            strata=(np.array(strata), np.array(inner)),
            psu=(np.array(psus), np.arange(self.n_rows)),
            population=(np.array(first), np.array(second)),
            lonely_psu="adjust",
            adjustments=() if self.weights.is_plain else (CellAdjustment(codes, np.array(before), after),),
        )

    def mask(self, keep: Callable[[DomainDraw], bool]) -> Flags:
        """(rows,) True for the answers of the domains that `keep` names."""
        kept = {domain for domain, draw in self.draws.items() if keep(draw)}
        flags = np.zeros(self.n_rows, dtype=bool)
        flags[: len(self.domains)] = np.array([name in kept for name in self._names], dtype=bool)[self._code]
        return flags

    def sums(
        self, column: Column, keep: Callable[[DomainDraw], bool] = lambda draw: True
    ) -> dict[str, tuple[Fraction, Fraction, int, int]]:
        """Domain → (Σ top, Σ base, answers, answers inside the base), for the domains kept."""
        common, top, base = self._of_rows(column)
        size = len(self._names)
        tops, bases = _added(top, self._code, size), _added(base, self._code, size)
        valid = np.bincount(self._code[base != 0], minlength=size)
        n = np.bincount(self._code, minlength=size)
        return {
            name: (Fraction(tops[at], common), Fraction(bases[at], common), int(n[at]), int(valid[at]))
            for at, name in enumerate(self._names)
            if keep(self.draws[name])
        }

    def _of_rows(self, column: Column) -> tuple[int, Ints, Ints]:
        """A column over the counted rows, as whole numbers over a common denominator."""
        common, top, base = column.whole
        return common, top[self._at], base[self._at]

    def rate(
        self,
        column: Column,
        keep: Callable[[DomainDraw], bool] = lambda draw: True,
        scale: Mapping[str, Fraction] | None = None,
    ) -> Rate | None:
        """The rate Σ s·w·top ÷ Σ s·w·base over some domains, or None where nothing is in the base.

        Args:
            column: what each case adds.
            keep: which domains count.
            scale: s of each group; answers of several groups are so joined by their shares.
        """
        s = scale or {}
        counted = self.sums(column, keep)
        top = base = Fraction(0)
        for domain, (up, down, _, _) in counted.items():
            factor = s.get(self.draws[domain].group, Fraction(1)) * self.weights.weight(domain)
            top += factor * up
            base += factor * down
        if not base:
            return None
        common, tops, bases = self._of_rows(column)
        of_domain = np.array([float(s.get(self.draws[name].group, 1)) for name in self._names])[self._code]
        y, x = np.full(self.n_rows, np.nan), np.full(self.n_rows, np.nan)
        counts = np.flatnonzero(bases)
        y[counts] = of_domain[counts] * (tops[counts] / common)
        x[counts] = of_domain[counts] * (bases[counts] / common)
        inside = self.mask(keep)
        estimate = ratio(y, x, self.design, domain=inside, skip_missing=True)
        unhappy = inside & ~np.isnan(y) & (y < x)
        happy = inside & ~np.isnan(y) & (y > 0)
        return Rate(
            value=top / base,
            estimate=estimate,
            n=sum(row[2] for row in counted.values()),
            n_valid=sum(row[3] for row in counted.values()),
            against_in_psus=len(np.unique(self.design.stages[0].unit[unhappy])),
            psus=len(np.unique(self.design.stages[0].unit[inside & ~np.isnan(y)])),
            in_favour_in_psus=len(np.unique(self.design.stages[0].unit[happy])),
            asked=0 if scale else self.asked_whole(keep),
        )

    def asked_whole(self, keep: Callable[[DomainDraw], bool]) -> int:
        """Persons of some domains, where every one of them was asked; 0 where somebody was not."""
        kept = {name: draw for name, draw in self.draws.items() if keep(draw)}
        if any(
            self.weights.by_domain[name].id not in self.response_cells or draw.slips < draw.eligible
            for name, draw in kept.items()
        ):
            return 0
        return sum(draw.eligible for draw in kept.values())

    def pool_rows(self, column: Column) -> list[tuple[str, Fraction, Fraction, Fraction]]:
        """(group, w, x, v) of every pool."""
        counted = self.sums(column)
        return [
            (
                pool.group,
                pool.weight,
                sum((counted[domain][0] for domain in pool.domains), Fraction(0)),
                sum((counted[domain][1] for domain in pool.domains), Fraction(0)),
            )
            for pool in self.weights.pools
        ]

    def plain(self, column: Column, groups: Iterable[str] | None = None) -> Fraction | None:
        """The unweighted rate over all answers of some groups together; None where the base is empty."""
        wanted = None if groups is None else set(groups)
        counted = self.sums(column, lambda draw: wanted is None or draw.group in wanted).values()
        base = sum((row[1] for row in counted), Fraction(0))
        return sum((row[0] for row in counted), Fraction(0)) / base if base else None


def _added(values: Ints, codes: Ints, size: int) -> list[int]:
    """Sums of whole numbers by code, as Python integers."""
    sums = np.zeros(size, dtype=np.int64)
    np.add.at(sums, codes, values)
    return [int(one) for one in sums]
