"""A frame is the same frame whatever order or file its schools came in."""

from __future__ import annotations

import json

import pytest
from county import county, small_school

from survey.canonical import decode, encode
from survey.sampling.frame import Frame, UnknownSchoolError, control_totals, stage_of
from survey.sampling.frame_file import sample_county


def test_control_totals_of_the_sample_county_equal_the_expected_ones():
    expected = json.loads(sample_county("expected.json"))

    assert control_totals(county()) == expected


def test_order_of_schools_never_matters_to_the_digest():
    schools = county().schools

    assert Frame(tuple(reversed(schools))).digest == county().digest


def test_a_frame_survives_its_document():
    document = decode(encode(county().document()))

    assert Frame.from_document(document) == county()


def test_one_pupil_more_gives_another_digest():
    schools = list(county().schools)
    schools[0] = small_school(schools[0].code)

    assert Frame(tuple(schools)).digest != county().digest


def test_pupils_count_from_the_youngest_grade_asked():
    school = small_school("1100000001", grades={3: 10, 4: 20, 5: 30})

    assert (school.pupils_from(4), school.pupils_from(None)) == (50, 60)


@pytest.mark.parametrize(
    ("kind", "grades", "stage"),
    [
        ("211", {1: 5}, "primary"),
        ("218", {1: 5}, "primary"),
        ("311", {7: 5}, "junior"),
        ("312", {1: 5, 7: 5}, "nine_year"),
        ("341", {7: 5, 10: 5}, "junior"),
        ("345", {10: 5}, "senior"),
        ("111", {-2: 5}, "kindergarten"),
        ("513", {1: 5}, "special"),
    ],
)
def test_stage_follows_from_the_kind_and_where_it_spans_several_from_the_grades(kind, grades, stage):
    assert stage_of(kind, grades) == stage


def test_a_school_that_is_not_listed_is_refused_by_its_code():
    with pytest.raises(UnknownSchoolError, match="9999999999"):
        county().school("9999999999")
