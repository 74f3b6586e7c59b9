"""The figure of a wave: exact by the signed rule, with its error and interval.

What enters is the wave's rates, the scheme's rule and the groups' shares; what leaves is the exact
figure with each group's part. A figure from the overall item is `weighted-ratio/v1` and can be
certified to the last digit; one from several items is a mean of such ratios, weighted as the
scheme says: items within a dimension first, then dimensions, then forms by their people, then
groups. A vote of the full body has no place in a sample, and is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from survey.cases.derivation import Column, ReadAnswer, column, figure_items, scheme_reading
from survey.errors import SurveyError
from survey.estimation.composite import composite, composite_interval
from survey.estimation.figure import GroupWithoutOpinionError, weighted_ratio
from survey.estimation.intervals import Interval
from survey.estimation.linearization import Estimate, combine
from survey.estimation.wave_rates import Rate, WaveRates
from survey.sampling.scheme_sizes import GROUP_NAMES
from survey.scheme.instrument import Instrument, Item
from survey.scheme.scheme import FigureRule, Scheme


class FormulaNotForSamplesError(SurveyError):
    """A formula that counts a full body cannot be met by a sample."""

    code = "estimation.formula_not_for_samples"
    kind = "refused"

    def __init__(self) -> None:
        super().__init__(
            "满意度的算法", "方案要全体成员过半数定等，抽样调查算不出来", "在方案里改用share或points_mean"
        )


@dataclass(frozen=True)
class WaveFigure:
    """The figure: exact, estimated, and by group."""

    value: Fraction
    estimate: Estimate
    groups: Mapping[str, Rate]
    certifiable: bool
    """Whether the certified estimator recomputes it from counts."""

    def interval(self, shares: Mapping[str, Fraction], level: float) -> Interval | None:
        """Korn–Graubard for one group; for several the composite's (METHOD step 11)."""
        if len(shares) == 1:
            return next(iter(self.groups.values())).interval(level)
        names = [group for group, share in shares.items() if share]
        return composite_interval(
            [shares[group] for group in names],
            [self.groups[group].estimate for group in names],
            self.estimate,
            level,
        )


def is_certifiable(rule: FigureRule) -> bool:
    """Whether a figure is the share of satisfied answers to the overall item, which counts alone carry."""
    return rule.formula == "share" and rule.from_items == "overall_item"


def figure_reading(scheme: Scheme) -> ReadAnswer:
    """How the scheme reads one answer of its figure.

    Raises:
        FormulaNotForSamplesError: the scheme asks for a majority of the full body.
    """
    rule = scheme.figure
    if rule.formula == "majority_vote" or rule.base == "full_body":
        raise FormulaNotForSamplesError
    return scheme_reading(scheme.answers, rule.formula)


def wave_figure(
    rates: WaveRates, scheme: Scheme, answers: Column, read: ReadAnswer, shares: Mapping[str, Fraction]
) -> WaveFigure:
    """The wave's figure.

    Args:
        rates: the design and its counts.
        answers: the figure's column over the items the scheme names, for a figure of one item.
        read: the scheme's reading of one answer.
        shares: each group's share.

    Raises:
        GroupWithoutOpinionError: a group with a share and no valid opinion.
    """
    single = scheme.figure.from_items == "overall_item"
    groups: dict[str, Rate] = {}
    for group, share in shares.items():
        rate = (
            rates.rate(answers, lambda draw, group=group: draw.group == group)
            if single
            else _mean_of_items(rates, scheme, read, group)
        )
        if rate is None and share:
            raise GroupWithoutOpinionError(GROUP_NAMES.get(group, group))
        if rate is not None:
            groups[group] = rate
    counted = [group for group in groups if shares[group]]
    if single:
        value = weighted_ratio(rates.pool_rows(answers), shares)
    else:
        value = sum((shares[group] * groups[group].value for group in counted), Fraction(0))
    estimate = composite(
        [shares[group] for group in counted], [groups[group].estimate for group in counted], rates.design
    )
    return WaveFigure(value, estimate, groups, is_certifiable(scheme.figure))


def _mean_of_items(rates: WaveRates, scheme: Scheme, read: ReadAnswer, group: str) -> Rate | None:
    """A group's mean over items, weighted as the scheme says; None where no item has a valid answer."""
    case_file = rates.case_file
    forms: dict[str, tuple[Instrument, set[str]]] = {}
    for domain, draw in rates.draws.items():
        one = case_file.instruments.get(domain)
        if draw.group == group and one is not None:
            forms.setdefault(one.id, (one, set()))[1].add(domain)
    parts: list[tuple[Fraction, Rate]] = []
    weights: dict[str, Fraction] = {}
    for name, (_, domains) in forms.items():
        weights[name] = sum((rates.weights.by_domain[d].people for d in domains), Fraction(0))
    for name, (one, domains) in forms.items():
        share = weights[name] / sum(weights.values(), Fraction(0))
        of_items = []
        for item in figure_items(scheme)(one):
            some = column(
                case_file, lambda other, item=item: tuple(i for i in other.items if i.id == item.id), read
            )
            rate = rates.rate(some, lambda draw, domains=domains: draw.domain in domains)
            if rate is not None:
                of_items.append((item, rate))
        parts += [(share * weight, rate) for weight, rate in _item_weights(scheme.figure, of_items)]
    total = sum((weight for weight, _ in parts), Fraction(0))
    if not total:
        return None
    value = sum((weight * rate.value for weight, rate in parts), Fraction(0)) / total
    estimate = combine(
        float(value),
        np.array([float(weight / total) for weight, _ in parts]),
        [rate.estimate for _, rate in parts],
        rates.design,
    )
    most = max((rate for _, rate in parts), key=lambda rate: rate.n_valid)
    against = max(rate.against_in_psus for _, rate in parts)
    return Rate(value, estimate, most.n, most.n_valid, against, most.psus)


def _item_weights(rule: FigureRule, rates: list[tuple[Item, Rate]]) -> list[tuple[Fraction, Rate]]:
    """Each item's weight: by the scheme's table or equal, inside dimensions first where it says so."""

    def own(item: Item) -> Fraction:
        return (
            rule.item_weights.get(item.id, Fraction(0))
            if isinstance(rule.item_weights, Mapping)
            else Fraction(1)
        )

    if rule.dimension_weights == "none":
        return [(own(item), rate) for item, rate in rates if own(item)]
    inside: dict[str, Fraction] = {}
    for item, _ in rates:
        inside[item.dimension or ""] = inside.get(item.dimension or "", Fraction(0)) + own(item)
    table = rule.dimension_weights
    of_dimension = {
        name: table.get(name, Fraction(0)) if isinstance(table, Mapping) else Fraction(1) for name in inside
    }
    return [
        (of_dimension[item.dimension or ""] * own(item) / inside[item.dimension or ""], rate)
        for item, rate in rates
        if inside[item.dimension or ""]
    ]


def careful_value(rates: WaveRates, careful: Column, shares: Mapping[str, Fraction]) -> Fraction | None:
    """The figure of the overall item with don't-know counted as not satisfied."""
    rows = rates.pool_rows(careful)
    with_base = {group for group, _, _, base in rows if base}
    if any(share and group not in with_base for group, share in shares.items()):
        return None
    return weighted_ratio(rows, shares)
