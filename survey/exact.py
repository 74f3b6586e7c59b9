"""Numbers as people decide them: exact fractions and decimals, carried as text.

A rate is compared unrounded and shown cut off, never rounded up (TRUST section 11):
0.849996 shows 84.99% and fails a line of 85%. A binary float cannot promise either, so
whatever is certified is a `Fraction` until it becomes text here. Standard library only.
"""

from __future__ import annotations

import re
from fractions import Fraction

from survey.errors import SurveyError

MAX_DIGITS = 20_000
"""A county's figure has a few hundred digits; more than this only a prankster writes."""
_CHUNK = 4_000
_DECIMAL = re.compile(r"-?[0-9]{1,400}(\.[0-9]{1,400})?", re.ASCII)
_RATIO = re.compile(rf"(-?)([0-9]{{1,{MAX_DIGITS}}})(?:/([1-9][0-9]{{0,{MAX_DIGITS - 1}}}))?", re.ASCII)


class NotANumberError(SurveyError):
    """The text is neither a decimal nor a fraction."""

    code = "exact.not_a_number"
    kind = "invalid"

    def __init__(self, text: object) -> None:
        shown = text if isinstance(text, str) and len(text) < 60 else type(text).__name__
        super().__init__("数字", f"“{shown}”既不是小数也不是分数", "写成0.85或17/20这样的形式")


def fraction(text: str | int | Fraction) -> Fraction:
    """The exact value of a decimal or fraction written as text.

    Raises:
        NotANumberError: a float, an exponent, spaces, a denominator of zero, or too long.

    >>> fraction("0.85"), fraction("17/20")
    (Fraction(17, 20), Fraction(17, 20))
    """
    if isinstance(text, (Fraction, int)) and not isinstance(text, bool):
        return Fraction(text)
    if isinstance(text, str) and _DECIMAL.fullmatch(text):
        return Fraction(text)
    parts = _RATIO.fullmatch(text) if isinstance(text, str) else None
    if parts is None:
        raise NotANumberError(text)
    value = Fraction(_integer(parts[2]), _integer(parts[3] or "1"))
    return -value if parts[1] else value


def fraction_text(value: Fraction) -> str:
    """The fraction in lowest terms, `n/d`, or `n` where it is whole.

    >>> fraction_text(Fraction(6, 4)), fraction_text(Fraction(4, 2))
    ('3/2', '2')
    """
    whole = integer_text(value.numerator)
    return whole if value.denominator == 1 else f"{whole}/{integer_text(value.denominator)}"


def integer_text(value: int) -> str:
    """The integer in decimal digits, however long.

    Python refuses to write integers of more than 4 300 digits at once, because that is slow
    where a stranger chooses the number; exact sums over a province come near it.

    >>> integer_text(-(10**4500)) == "-1" + "0" * 4500
    True
    """
    if abs(value) < 10**_CHUNK:
        return str(value)
    head, tail = divmod(abs(value), 10**_CHUNK)
    return ("-" if value < 0 else "") + integer_text(head) + f"{tail:0{_CHUNK}d}"


def _integer(digits: str) -> int:
    """The integer written in `digits`, in pieces that Python accepts."""
    value = 0
    for at in range(0, len(digits), _CHUNK):
        piece = digits[at : at + _CHUNK]
        value = value * 10 ** len(piece) + int(piece)
    return value


def truncate(value: Fraction | float, places: int = 4) -> str:
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
