"""The figure of a wave: exact by the signed rule, with its error and interval.

What enters is the wave's rates, the scheme's rule and the groups' shares; what leaves is the exact
figure with each group's part. Every figure is a sum of ratios of counts with shares that the plan
has signed (`figure_parts`), so the certified estimators recompute it to the last digit. A vote of
the full body has no place in a sample and is refused by name there; where everybody was asked it is
a count, and has no sampling error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from survey.cases.derivation import Column, ReadAnswer, column, scheme_reading
from survey.errors import SurveyError
from survey.estimation.census import census_interval
from survey.estimation.composite import (
    composite,
    composite_interval,
    composite_korn_graubard,
    shares_n,
)
from survey.estimation.figure import GroupWithoutOpinionError
from survey.estimation.figure_parts import OVERALL, Estimator, PartShares, estimator_of, items_of_part
from survey.estimation.intervals import FEWEST_PSUS, Interval, planned_n
from survey.estimation.linearization import Estimate, combine
from survey.estimation.wave_rates import Rate, WaveRates, of_group
from survey.exact import fraction
from survey.sampling.scheme_sizes import GROUP_NAMES
from survey.scheme.scheme import Scheme


class NotEverybodyAskedError(SurveyError):
    """A vote of the full body, of a body that was only sampled."""

    code = "estimation.not_everybody_asked"
    kind = "refused"

    def __init__(self, group: str) -> None:
        super().__init__(
            f"{GROUP_NAMES.get(group, group)}的过半数",
            "方案按全体成员计票，这类人却只问了一部分",
            "抽样时问遍全体；或者在方案里改用share或points_mean",
        )


@dataclass(frozen=True)
class WaveFigure:
    """The figure: exact, estimated, and by group and part."""

    value: Fraction
    estimate: Estimate
    groups: Mapping[str, Rate]
    estimator: Estimator
    columns: Mapping[str, Mapping[str, Column]]
    """Group → part of the figure → what every case adds to it."""
    silent: tuple[tuple[str, str], ...] = ()
    """(group, part) without one valid opinion: left out, the group's other parts carry its share."""
    proportion: bool = True
    """Whether the groups' rates are shares of people; points and means of items are not."""
    minority: tuple[int, int] = (FEWEST_PSUS, FEWEST_PSUS)
    """First-stage units with somebody dissatisfied, and with somebody satisfied, over all groups."""
    psus: int = FEWEST_PSUS
    """First-stage units with an answer in the base of any group."""
    body: Mapping[str, Fraction] = field(default_factory=dict)
    """Of a full body asked whole: each group's share of everybody in it."""

    @property
    def counted_whole(self) -> bool:
        """Whether a full body was counted: a fact without sampling error."""
        return self.estimator == "full-body/v1"

    def interval(self, shares: Mapping[str, Fraction], level: float) -> Interval | None:
        """Korn–Graubard at the figure's own effective size; on the log-odds scale for points and items."""
        if self.counted_whole:
            return None
        names = [group for group, share in shares.items() if share]
        if len(names) == 1:
            return self.groups[names[0]].interval(level, proportion=self.proportion)
        parts = [shares[group] for group in names], [self.groups[group].estimate for group in names]
        if not self.proportion:
            return composite_interval(*parts, self.estimate, level)
        few = self.few_against or self.few_in_favour
        if self.asked_whole:
            least = shares_n(parts[0], [one.n for one in parts[1]]) if few else None
            asked = [self.groups[group].asked for group in names]
            return census_interval(*parts, asked, self.estimate, level, at_most=least)
        cap = planned_n(shares_n(parts[0], [one.n for one in parts[1]]), self.psus) if few else None
        return composite_korn_graubard(*parts, self.estimate, level, at_most=cap)

    def held(self, applies_to: str, shares: Mapping[str, Fraction]) -> list[Fraction]:
        """What the line holds: the figure, or the figure of every group with a share."""
        if applies_to != "every_group":
            return [self.value]
        if self.counted_whole:
            return [self.body[group] for group, share in shares.items() if share]
        return [self.groups[group].value for group, share in shares.items() if share]

    @property
    def asked_whole(self) -> bool:
        """Whether everybody of every group with a share was asked, so that only silence leaves doubt."""
        return bool(self.groups) and all(rate.asked for rate in self.groups.values())

    @property
    def few_against(self) -> bool:
        """Whether the dissatisfied of all groups together come from very few first-stage units."""
        return self.value < 1 and self.minority[0] < FEWEST_PSUS

    @property
    def few_in_favour(self) -> bool:
        """The same of the satisfied."""
        return self.value > 0 and self.minority[1] < FEWEST_PSUS


def figure_reading(scheme: Scheme) -> ReadAnswer:
    """How the scheme reads one answer of its figure."""
    return scheme_reading(scheme.answers, scheme.figure.formula)


def wave_figure(
    rates: WaveRates, scheme: Scheme, read: ReadAnswer, shares: Mapping[str, Fraction], parts: PartShares
) -> WaveFigure:
    """The wave's figure.

    Args:
        rates: the design and its counts.
        read: the scheme's reading of one answer.
        shares: each group's share.
        parts: group → part of the figure → its share, from `figure_parts.part_shares`.

    Raises:
        GroupWithoutOpinionError: a group with a share and no valid opinion.
        NotEverybodyAskedError: a vote of the full body, of groups that were sampled.
    """
    estimator = estimator_of(scheme.figure)
    cache: dict[str, Column] = {}
    columns: dict[str, dict[str, Column]] = {}
    groups: dict[str, Rate] = {}
    silent: list[tuple[str, str]] = []
    value = Fraction(0)
    for group, share in shares.items():
        columns[group] = {
            part: cache[part] if part in cache else cache.setdefault(part, _column(rates, part, read))
            for part in parts[group]
        }
        found = {
            part: rates.rate(one, of_group(group))
            for part, one in columns[group].items()
        }
        silent += [(group, part) for part, rate in found.items() if rate is None and share]
        known = [(parts[group][part], rate) for part, rate in found.items() if rate is not None]
        if not known and share:
            raise GroupWithoutOpinionError(GROUP_NAMES.get(group, group))
        if known:
            groups[group] = _mean(known, rates)
            value += share * groups[group].value
    counted = [group for group in groups if shares[group]]
    estimate = composite(
        [shares[group] for group in counted], [groups[group].estimate for group in counted], rates.design
    )
    body: dict[str, Fraction] = {}
    if estimator == "full-body/v1":
        value = full_body_share(rates, columns, shares)
        body = {g: full_body_share(rates, columns, {g: Fraction(1)}) for g, share in shares.items() if share}
        estimate = replace(estimate, value=float(value), variance=0.0)
    single = scheme.figure.formula != "points_mean" and scheme.figure.from_items == "overall_item"
    together = rates.rate(next(iter(columns.values()))[OVERALL]) if single else None
    if together is None:
        return WaveFigure(value, estimate, groups, estimator, columns, tuple(silent), single)
    return WaveFigure(
        value,
        estimate,
        groups,
        estimator,
        columns,
        tuple(silent),
        single,
        (together.against_in_psus, together.in_favour_in_psus),
        together.psus,
        body,
    )


def _column(rates: WaveRates, part: str, read: ReadAnswer) -> Column:
    return column(rates.case_file, items_of_part(part), read)


def _mean(parts: list[tuple[Fraction, Rate]], rates: WaveRates) -> Rate:
    """A group's mean over its parts, shares brought to one; of a single part that part."""
    if len(parts) == 1:
        return parts[0][1]
    total = sum((share for share, _ in parts), Fraction(0))
    value = sum((share * rate.value for share, rate in parts), Fraction(0)) / total
    estimate = combine(
        float(value),
        np.array([float(share / total) for share, _ in parts]),
        [rate.estimate for _, rate in parts],
        rates.design,
    )
    most = max((rate for _, rate in parts), key=lambda rate: rate.n_valid)
    against = max(rate.against_in_psus for _, rate in parts)
    return Rate(value, estimate, most.n, most.n_valid, against, most.psus, asked=most.asked)


def full_body_share(
    rates: WaveRates, columns: Mapping[str, Mapping[str, Column]], shares: Mapping[str, Fraction]
) -> Fraction:
    """Σ_g share_g · (satisfied ÷ everybody in the group): the silent did not vote for.

    Raises:
        NotEverybodyAskedError: somebody of a group with a share was not asked.
    """
    value = Fraction(0)
    for group, share in shares.items():
        if not share:
            continue
        draws = [draw for draw in rates.draws.values() if draw.group == group]
        if any(draw.slips < draw.eligible or fraction(draw.psu_probability) != 1 for draw in draws):
            raise NotEverybodyAskedError(group)
        body = sum(draw.eligible for draw in draws)
        if not body:
            raise GroupWithoutOpinionError(GROUP_NAMES.get(group, group))
        counted = rates.sums(columns[group][OVERALL], of_group(group))
        value += share * sum((row[0] for row in counted.values()), Fraction(0)) / body
    return value


def majority_grade(best: Fraction, satisfied: Fraction) -> str:
    """The word a body's majority gives: the best option alone over half, or with the next ones over half.

    Args:
        best: share of the full body that chose the best option.
        satisfied: share of the full body that chose an option the scheme counts.

    Source: RULES section 3, majority of the full body: more than half, and half is not more than half.

    >>> majority_grade(Fraction(1, 2), Fraction(3, 5)), majority_grade(Fraction(21, 40), Fraction(1))
    ('基本满意', '满意')
    """
    half = Fraction(1, 2)
    return "满意" if best > half else "基本满意" if satisfied > half else "不满意"
