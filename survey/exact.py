"""Numbers as people decide them: exact fractions and decimals, carried as text.

A rate is compared unrounded and shown cut off, never rounded up (TRUST section 11):
0.849996 shows 84.99% and fails a line of 85%. A binary float cannot promise either, so
whatever is certified is a `Fraction` until it becomes text here. Standard library only.
"""

from __future__ import annotations

import re
from fractions import Fraction

from survey.errors import SurveyError

_TEXT = re.compile(r"-?\d{1,400}(\.\d{1,400})?|-?\d{1,400}/[1-9]\d{0,399}", re.ASCII)


class NotANumberError(SurveyError):
    """The text is neither a decimal nor a fraction."""

    code = "exact.not_a_number"
    kind = "invalid"

    def __init__(self, text: object) -> None:
        super().__init__("数字", f"“{text}”既不是小数也不是分数", "写成0.85或17/20这样的形式")


def fraction(text: str | int | Fraction) -> Fraction:
    """The exact value of a decimal or fraction written as text.

    >>> fraction("0.85"), fraction("17/20")
    (Fraction(17, 20), Fraction(17, 20))
    """
    if isinstance(text, (Fraction, int)) and not isinstance(text, bool):
        return Fraction(text)
    if not isinstance(text, str) or not _TEXT.fullmatch(text):
        raise NotANumberError(text)
    return Fraction(text)


def fraction_text(value: Fraction) -> str:
    """The fraction in lowest terms, `n/d`, or `n` where it is whole.

    >>> fraction_text(Fraction(6, 4)), fraction_text(Fraction(4, 2))
    ('3/2', '2')
    """
    return str(value.numerator) if value.denominator == 1 else f"{value.numerator}/{value.denominator}"


def truncate(value: Fraction | float | int, places: int = 4) -> str:
    """The value cut off after `places` decimals, toward zero; never rounded up.

    >>> truncate(Fraction(849996, 1000000)), truncate(Fraction(2, 3), 2), truncate(Fraction(-1, 3), 2)
    ('0.8499', '0.66', '-0.33')
    """
    exact = Fraction(value)
    scaled = abs(exact.numerator) * 10**places // exact.denominator
    whole, rest = divmod(scaled, 10**places)
    sign = "-" if exact < 0 and scaled else ""
    return f"{sign}{whole}.{rest:0{places}d}" if places else f"{sign}{whole}"


def percent_text(rate: str) -> str:
    """A rate that is already text, as percent: the decimal point moves, no digit changes.

    >>> percent_text("0.8499"), percent_text("1.0000"), percent_text("0.0050")
    ('84.99%', '100.00%', '0.50%')
    """
    value = fraction(rate) * 100
    places = max(len(rate.partition(".")[2]) - 2, 0)
    return truncate(value, places) + "%"
