"""Exact numbers: read from text, written back, cut off and never rounded up."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey.exact import NotANumberError, fraction, fraction_text, integer_text, percent_text, truncate


@given(st.fractions())
def test_a_fraction_survives_its_text(value):
    assert fraction(fraction_text(value)) == value


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_what_is_shown_is_never_above_the_value_nor_a_unit_below(numerator, denominator):
    value = Fraction(numerator, denominator)
    shown = fraction(truncate(value))

    assert shown <= value < shown + Fraction(1, 10_000)


@given(st.integers(0, 10_000))
def test_percent_only_moves_the_decimal_point(units):
    rate = truncate(Fraction(units, 10_000))

    assert fraction(percent_text(rate).removesuffix("%")) == Fraction(units, 100)


def test_a_value_just_below_the_line_is_not_shown_at_it():
    assert truncate(Fraction(849996, 1_000_000)) == "0.8499"
    assert percent_text("0.8499") == "84.99%"


def test_integers_longer_than_python_writes_at_once_are_written_and_read():
    value = Fraction(7**9000, 11**9000)

    assert fraction(fraction_text(value)) == value
    assert integer_text(-(10**9000)) == "-1" + "0" * 9000


@pytest.mark.parametrize(
    "text",
    ["", "1e3", "1/0", "0.85 ", "１", "1_000", "NaN", ".5", "1.", "1/-2", "--1", "1/02", None, 0.5, True],
)
def test_what_is_not_a_decimal_or_fraction_is_refused(text):
    with pytest.raises(NotANumberError):
        fraction(text)


def test_a_prankster_s_number_is_refused_quickly():
    with pytest.raises(NotANumberError):
        fraction("9" * 1_000_000)
