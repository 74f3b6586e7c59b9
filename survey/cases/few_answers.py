"""What is told of a share when few answered: near 0 or 1 a bound, otherwise the share itself.

What enters is a share and the answers in its base; what leaves is the bound that stands in its place.
Of fewer than forty answers, that all of them or none say the same is told as ≥95% or ≤5% (TRUST
section 16). Were that written for 100% alone, it would be another way to write 100%; so it stands for
every share from 95% up. Under twenty answers of one weight only all of them lie there, whatever is
written: such a row tells no more than the bound, and no less.
"""

from __future__ import annotations

from fractions import Fraction

from survey.exact import percent_text, truncate

FEW_ANSWERS = 40
"""With fewer answers no share near 0 or 1 is told, no counts by option, no distance from another group."""
AT_LEAST, AT_MOST = Fraction(19, 20), Fraction(1, 20)
CODED_TEXT = {AT_LEAST: "≥95%", AT_MOST: "≤5%"}


def code_of(value: Fraction, n: int) -> Fraction | None:
    """The bound that is told in place of a share of few answers; None where the share itself is told.

    Args:
        value: in [0, 1].
        n: answers in its base.

    >>> code_of(Fraction(1), 12), code_of(Fraction(38, 39), 39), code_of(Fraction(1), 40), code_of(Fraction(2, 3), 12)
    (Fraction(19, 20), Fraction(19, 20), None, None)
    """
    if n >= FEW_ANSWERS:
        return None
    return AT_LEAST if value >= AT_LEAST else AT_MOST if value <= AT_MOST else None


def share_text(value: Fraction, n: int, places: int = 4) -> str:
    """The percent as pages and paper print it.

    Args:
        places: decimals of the share that are kept; two fewer of the percent.

    >>> share_text(Fraction(0), 12), share_text(Fraction(2, 3), 12, places=3)
    ('≤5%', '66.6%')
    """
    bound = code_of(value, n)
    if bound is not None:
        return CODED_TEXT[bound]
    return percent_text(truncate(value)) if places == 4 else f"{truncate(value * 100, places - 2)}%"
