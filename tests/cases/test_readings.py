"""Answers are read as the scheme says; four silences are told apart; edits count and change nothing."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from county import county_plan, county_scheme
from simulated import instruments, overall_id, record, wave_sample

from survey.cases.case_file import build_case_file
from survey.cases.derivation import (
    column,
    conservative,
    dont_know_reading,
    even_over_one,
    hundred_seventy_thirty,
    overall,
    points_reading,
    scheme_reading,
    top_reading,
    twenty_over_one,
)
from survey.cases.editing import edit_counts
from survey.cases.item_nonresponse import item_counts, silence
from survey.scheme.scales import load_scale

PARENT = next(draw.domain for draw in wave_sample().domains if draw.group == "parent")
OVERALL = overall_id(PARENT)


def case_file(*values):
    records = [record(PARENT, {OVERALL: value}, pace=at % 3) for at, value in enumerate(values)]
    return build_case_file(records, county_plan(), county_scheme(), wave_sample())


def rate(read, *values):
    found = column(case_file(*values), overall, read)
    return sum(found.top, Fraction(0)) / sum(found.base), sum(base != 0 for base in found.base)


def test_the_scheme_leaves_dont_know_and_skipped_outside_the_base():
    read = scheme_reading(county_scheme().answers, "share")

    assert rate(read, 5, 4, 3, 2, 98, None) == (Fraction(1, 2), 4)


def test_the_careful_reading_counts_dont_know_as_not_satisfied_but_not_a_blank():
    read = conservative(scheme_reading(county_scheme().answers, "share"))

    assert rate(read, 5, 4, 3, 2, 98, None) == (Fraction(2, 5), 5)


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (top_reading(1, "all"), Fraction(60, 100)),
        (top_reading(1, "valid"), Fraction(60, 98)),
        (top_reading(2, "all"), Fraction(90, 100)),
        (top_reading(2, "valid"), Fraction(90, 98)),
        (points_reading(hundred_seventy_thirty), Fraction(6000 + 2100 + 240, 9800)),
        (points_reading(twenty_over_one), Fraction(6000 + 1800 + 160, 9800)),
        (points_reading(even_over_one), Fraction(75, 98)),
        (dont_know_reading, Fraction(2, 100)),
    ],
)
def test_the_worked_example_of_sixty_thirty_eight_two_reads_as_published(read, expected):
    scale = load_scale("sat3")
    counts = {3: 60, 2: 30, 1: 8, 98: 2}
    item = instruments()[PARENT].by_id[OVERALL]
    three = replace(item, scale="sat3", options=scale.options)
    worths = [(read(three, value), n) for value, n in counts.items()]
    top = sum((worth[0] * n for worth, n in worths if worth), Fraction(0))
    base = sum((worth[1] * n for worth, n in worths if worth), Fraction(0))

    assert top / base == expected


def test_four_silences_are_told_apart():
    item = instruments()[PARENT].by_id[OVERALL]
    told = instruments()[PARENT].quality_item

    assert silence(item, 98, True) == "dont_know"
    assert silence(told, 97, True) == "refused"
    assert silence(item, None, True) == "skipped"
    assert silence(item, None, False) == "off_path"
    assert silence(item, 5, True) is None
    assert silence(item, 77, True) == "unreadable"


def test_counts_of_an_item_add_up_to_the_cases():
    found = case_file(5, 98, None, 77)

    counts = item_counts(found.instruments[PARENT], found.cases)[OVERALL]

    assert (counts.answered, counts.dont_know, counts.skipped, counts.unreadable) == (1, 1, 1, 1)
    assert counts.asked == 4
    assert counts.nonresponse == 2


def test_an_unreadable_value_is_flagged_and_stays_outside_the_base_unmended():
    found = case_file(5, 77)

    assert rate(scheme_reading(county_scheme().answers, "share"), 5, 77) == (Fraction(1), 1)
    assert edit_counts(found)[0].out_of_range == 1
    assert 77 in [case.answers[OVERALL] for case in found.cases]


def test_an_answer_to_an_item_the_form_does_not_have_is_flagged():
    records = [record(PARENT, {OVERALL: 5, "ZZ99": 1})]
    found = build_case_file(records, county_plan(), county_scheme(), wave_sample())

    assert edit_counts(found)[0].unknown_item == 1


def test_a_clean_wave_raises_no_edit():
    assert edit_counts(case_file(5, 4, 98, None)) == ()
