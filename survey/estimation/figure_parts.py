"""What a figure is made of: parts of fixed shares, known before anybody has answered.

What enters is plan, scheme, sample and the frame's people; what leaves is, for each group, its
parts and their shares, which the signed plan carries. A figure of the overall item has one part a
group. A figure of several items has a part for every item of every form: within a form items are
weighed inside their dimension, then dimensions, as the scheme says; forms of one group by the
people who get them (children of two stages have two forms). A part of which a group gives no valid
opinion leaves, and the group's other parts carry its share in proportion to their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Literal

from survey.cases.derivation import figure_items, overall
from survey.errors import SurveyError
from survey.sampling.sample import Sample
from survey.sampling.scheme_sizes import GROUP_NAMES
from survey.scheme.instrument import Instrument, Item
from survey.scheme.plan import Plan, instrument_of
from survey.scheme.scheme import FigureRule, Scheme

OVERALL = "overall"
"""The part of a figure that rests on one item, whatever form asks it."""
Estimator = Literal["weighted-ratio/v1", "weighted-parts/v1", "full-body/v1"]
PartShares = dict[str, dict[str, Fraction]]


class NoFigureItemError(SurveyError):
    """A group with a share whose forms hold no item that the scheme weighs."""

    code = "estimation.no_figure_item"
    kind = "invalid"

    def __init__(self, group: str) -> None:
        super().__init__(
            f"{GROUP_NAMES.get(group, group)}的问卷",
            "没有一道题是方案算进满意度的",
            "核对方案里的item_weights和from_items，或者换一套问卷",
        )


def estimator_of(rule: FigureRule) -> Estimator:
    """The certified estimator that recomputes a scheme's figure from counts.

    Returns:
        `full-body/v1` where the whole body is counted, `weighted-ratio/v1` for a share of the overall
        item, `weighted-parts/v1` for points and for figures of several items.
    """
    if rule.formula == "majority_vote" or rule.base == "full_body":
        return "full-body/v1"
    if rule.formula == "share" and rule.from_items == "overall_item":
        return "weighted-ratio/v1"
    return "weighted-parts/v1"


def part_shares(
    plan: Plan, scheme: Scheme, sample: Sample, people: Mapping[tuple[str, str], int]
) -> PartShares:
    """Group → part of the figure → its share within the group; each group's shares add up to one.

    Args:
        people: (stratum, group) → people in the frame, from `weighting.domain_weights.frame_people`.

    Raises:
        NoFigureItemError: a group's forms hold none of the items that the scheme weighs.
    """
    if scheme.figure.from_items == "overall_item":
        return {group: {OVERALL: Fraction(1)} for group in sample.shares}
    return {group: _of_group(plan, scheme, sample, people, group) for group in sample.shares}


def _of_group(
    plan: Plan, scheme: Scheme, sample: Sample, people: Mapping[tuple[str, str], int], group: str
) -> dict[str, Fraction]:
    forms: dict[str, Instrument] = {}
    reached: dict[str, int] = {}
    for stratum, stage in sorted({(d.stratum, d.stage or "") for d in sample.domains if d.group == group}):
        one = instrument_of(plan, scheme, group, stage or None)
        if one is not None:
            forms[one.id] = one
            reached[one.id] = reached.get(one.id, 0) + people.get((stratum, group), 0)
    weighed = {name: item_shares(scheme.figure, figure_items(scheme)(one)) for name, one in forms.items()}
    everybody = sum(reached[name] for name, items in weighed.items() if items)
    if not everybody:
        raise NoFigureItemError(group)
    return {
        f"{name}/{item}": Fraction(reached[name], everybody) * share
        for name, items in weighed.items()
        for item, share in items.items()
    }


def item_shares(rule: FigureRule, items: tuple[Item, ...]) -> dict[str, Fraction]:
    """Item → its share in a form's mean: inside dimensions first where the scheme weighs them.

    Returns:
        Shares that add up to one; empty where the scheme weighs none of the items.
    """
    own = {item.id: _weight(rule.item_weights, item.id) for item in items}
    own = {name: weight for name, weight in own.items() if weight}
    dimension = {item.id: item.dimension or "" for item in items}
    if rule.dimension_weights == "none":
        weights = own
    else:
        inside: dict[str, Fraction] = {}
        for name, weight in own.items():
            inside[dimension[name]] = inside.get(dimension[name], Fraction(0)) + weight
        weights = {
            name: _weight(rule.dimension_weights, dimension[name]) * weight / inside[dimension[name]]
            for name, weight in own.items()
        }
    total = sum(weights.values(), Fraction(0))
    return {name: weight / total for name, weight in weights.items() if weight}


def _weight(table: str | Mapping[str, Fraction], name: str) -> Fraction:
    """The weight a scheme's table gives, or one where all are alike."""
    return table.get(name, Fraction(0)) if isinstance(table, Mapping) else Fraction(1)


def items_of_part(part: str) -> Callable[[Instrument], tuple[Item, ...]]:
    """Which items of an instrument a part reads: the overall one, or one item of one form."""
    if part == OVERALL:
        return overall
    form, _, item = part.partition("/")

    def only(instrument: Instrument) -> tuple[Item, ...]:
        found = instrument.by_id.get(item) if instrument.id == form else None
        return () if found is None else (found,)

    return only
