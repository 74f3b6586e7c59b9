"""Scores on a scale: item, dimension, total, each the mean of unrounded parts.

Enters: answers by option and the points of each option; an option without points leaves the base.
Leaves: exact fractions. Rounding once, at display, is the whole method: New York's published scores
come out only if neither item nor dimension scores are rounded on the way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from survey.errors import SurveyError


class PointsError(SurveyError):
    """Points that do not fit the options."""

    code = "estimation.points"
    kind = "invalid"


def item_score(counts: Sequence[int], points: Sequence[Fraction | int | None]) -> Fraction | None:
    """The mean points of those whose option has points; None when there is nobody.

    Args:
        counts: answers by option.
        points: points by option; None takes an option out of the base.

    Returns:
        The exact mean; None where nobody chose an option with points.

    Raises:
        PointsError: another number of points than of options.

    Source: published/nyc_school_survey_2011.json; 100/70/30 scales of county reviews are the same; R
    `weighted.mean(points, counts)` on the options with points.

    >>> item_score([60, 30, 8, 2], [100, 70, 30, None])
    Fraction(4170, 49)
    """
    if len(counts) != len(points):
        raise PointsError("分值", f"有{len(points)}个分值、{len(counts)}个选项", "每个选项对应一个分值，不计入的写空")
    base = sum(count for count, point in zip(counts, points, strict=True) if point is not None)
    if base == 0:
        return None
    earned = sum(count * Fraction(point) for count, point in zip(counts, points, strict=True) if point is not None)
    return Fraction(earned) / base


def mean_score(parts: Iterable[Fraction | None]) -> Fraction | None:
    """The unweighted mean of the parts that have a score; None when none has.

    Args:
        parts: exact scores; None for a part without one.

    Returns:
        The exact mean, or None.

    Source: published/nyc_school_survey_2011.json: means of unrounded parts; R `mean(parts, na.rm = TRUE)`.
    """
    known = [part for part in parts if part is not None]
    return sum(known, Fraction(0)) / len(known) if known else None


def weighted_score(parts: Mapping[str, Fraction], shares: Mapping[str, Fraction]) -> Fraction:
    """The sum of shares times parts, the shares adding up to one.

    Args:
        parts: part → exact score.
        shares: part → share; they add up to one.

    Raises:
        PointsError: a part without a share, or shares that do not add up to one.

    Source: weighted items of RULES section 3; R `sum(share * part)`.
    """
    if parts.keys() != shares.keys() or sum(shares.values()) != 1:
        raise PointsError("权重", "与各部分不对应，或合计不是1", "核对方案里的权重")
    return sum((shares[name] * part for name, part in parts.items()), Fraction(0))


def shown(score: Fraction, places: int = 1) -> str:
    """A score rounded half up for display, as text; the only rounding there is.

    Args:
        score: exact.
        places: decimals to keep.

    Source: half up, as published/README says of `decimals`; R `round` goes to even and would differ at ties.

    >>> shown(Fraction(17, 20), 1)
    '0.9'
    """
    exact = Decimal(score.numerator) / Decimal(score.denominator)
    return str(exact.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP))
