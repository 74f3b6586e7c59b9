"""Known answers and honey slips: how many, how made, and that the plan learns nothing from them."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from survey import canonical
from survey.fieldwork.planted import Announcement, Planted, PlantedListError, caught, fewest, plant
from survey.sampling.frame_file import read_frame, sample_county
from survey.sampling.wave_sample import draw_sample
from survey.scheme.answers import read_answers
from survey.scheme.plan import example_plan_text, instrument_of, read_plan, scheme_of


@pytest.fixture(scope="module")
def county():
    plan = read_plan(example_plan_text())
    scheme = scheme_of(plan)
    frame = read_frame(sample_county("frame.csv"), "frame.csv").frame
    sample = draw_sample(plan, scheme, frame, "1")
    return sample, {d.domain: instrument_of(plan, scheme, d.group, d.stage) for d in sample.domains}


@pytest.mark.parametrize(
    ("k", "share", "chance"),
    [
        (60, "0.05", "0.954"),
        (60, "0.02", "0.702"),
        (150, "0.02", "0.952"),
        (30, "0.10", "0.958"),
        (30, "0.05", "0.785"),
    ],
)
def test_the_chances_are_those_of_trust(k: int, share: str, chance: str) -> None:
    assert round(float(caught(k, Fraction(share))), 3) == float(chance)


@pytest.mark.parametrize("share", ["0.005", "0.02", "0.05", "0.3"])
def test_the_fewest_are_enough_and_one_less_is_not(share: str) -> None:
    k = fewest(Fraction(share), Fraction(95, 100))

    assert caught(k, Fraction(share)) >= Fraction(95, 100) > caught(k - 1, Fraction(share))


def test_every_known_answer_is_one_a_phone_could_send(county) -> None:
    sample, instruments = county
    planted = plant(sample, instruments, random.Random(3).randbytes)

    assert len(planted.canaries) == 60 and len(planted.honey) == 30
    for one in planted.canaries:
        answers, faults = read_answers(instruments[one.domain], one.form)
        assert not faults and answers == dict(one.answers)


def test_half_of_the_known_answers_are_of_the_kind_that_is_altered(county) -> None:
    sample, instruments = county
    planted = plant(sample, instruments, random.Random(4).randbytes)
    unhappy = 0
    for one in planted.canaries:
        [item] = [item for item in instruments[one.domain].items if item.role == "overall"]
        graded = [option.value for option in item.options if option.kind != "none"]
        unhappy += graded.index(one.answers[item.id]) >= (len(graded) + 1) // 2

    assert unhappy == 30


def test_list_and_announcement_read_back_as_they_were_written(county) -> None:
    sample, instruments = county
    planted = plant(sample, instruments, random.Random(5).randbytes, canaries=7, honey=3)
    announced = planted.announce()
    written = canonical.encode(announced.document()).decode()

    assert Planted.from_document(canonical.decode(canonical.encode(planted.document()))) == planted
    assert Announcement.from_document(announced.document()) == announced
    assert "answers" not in written and planted.salt not in written
    for broken in ({}, announced.document() | {"honey": {"count": 4}}, announced.document() | {"held": {}}):
        with pytest.raises(PlantedListError):
            Announcement.from_document(broken)


def test_codes_of_another_wave_do_not_fit_the_list(county) -> None:
    sample, instruments = county
    planted = plant(sample, instruments, random.Random(6).randbytes, canaries=3, honey=2)

    with pytest.raises(PlantedListError):
        planted.with_codes([("2222-2222-2222", "elsewhere")], random.Random(1).randbytes)
