"""The case file holds what came back, in an order that says nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from county import county_plan, county_scheme
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated import overall_id, record, wave_case_file, wave_records, wave_sample

from survey.canonical import digest, encode
from survey.cases.case_file import StrangeRecordError, build_case_file, exclusion


def built(records, **more):
    return build_case_file(records, county_plan(), county_scheme(), wave_sample(), **more)


@given(st.randoms(use_true_random=False))
@settings(max_examples=10, deadline=None)
def test_the_order_of_records_never_matters(chance):
    shuffled = list(wave_records())
    chance.shuffle(shuffled)

    assert built(shuffled).digest == wave_case_file().digest
    assert built(shuffled).cases == wave_case_file().cases


def test_one_changed_answer_gives_another_digest():
    records = [dict(one) for one in wave_records()]
    first = records[0]
    records[0] = first | {"answers": first["answers"] | {overall_id(first["domain"]): 1}}

    assert built(records).digest != wave_case_file().digest


def test_the_digest_covers_every_record_and_shows_no_answer():
    document = wave_case_file().document()

    assert document["n"] == len(wave_records()) == len(document["records"])
    assert wave_case_file().digest == digest(document)
    assert b"answers" not in encode(document)


def test_padding_is_no_part_of_a_case():
    records = [dict(one) for one in wave_records()]
    records[0] = records[0] | {"pad": "000"}

    assert built(records).digest == wave_case_file().digest


def test_a_day_outside_the_plans_days_is_left_out_and_named_by_its_leaf():
    plan = county_plan()
    last = (plan.closes_on - plan.opens_on).days + 1
    domain = wave_sample().domains[0].domain
    inside, late, early = (record(domain, {}, day=day) for day in (last, last + 1, 0))

    found = built([inside, late, early], leaves=[7, 9, 8])

    assert (found.n, found.outside_days) == (1, 2)
    assert found.excluded == ((8, "X3"), (9, "X3"))
    assert exclusion(inside, plan) is None


def test_an_extension_lengthens_the_days_that_count():
    plan = county_plan()
    last = (plan.closes_on - plan.opens_on).days + 1
    late = record(wave_sample().domains[0].domain, {}, day=last + 2)

    assert exclusion(late, plan) == "X3"
    assert exclusion(late, plan, plan.closes_on + timedelta(days=2)) is None


@pytest.mark.parametrize(
    "change", [{"wave": "another-wave"}, {"domain": "0000000000-P"}, {"v": 2}, {"answers": [1]}, {"day": "1"}]
)
def test_a_record_from_elsewhere_stops_everything(change):
    strange = record(wave_sample().domains[0].domain, {}) | change

    with pytest.raises(StrangeRecordError):
        built([strange])
