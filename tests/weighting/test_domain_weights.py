"""The wave's weights are exact, meet the frame in every cell, and are made mechanically."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest
from county import county, county_plan, county_scheme
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated import wave_sample

from survey.sampling.sample import DomainDraw, Sample, StratumDraw
from survey.weighting.domain_weights import (
    NoAnswersError,
    UnknownDomainError,
    frame_people,
    weight_domains,
)

PEOPLE = frame_people(county_plan(), county_scheme(), county())


def tiny(*rows: tuple[str, str, int, int, str]) -> Sample:
    """A sample of parents from rows of (school, stratum, eligible, slips, π)."""
    domains = tuple(
        DomainDraw(
            f"{code}-P",
            "parent",
            code,
            code,
            stratum,
            "rural",
            stratum.partition("/")[2],
            n,
            slips,
            pi,
            "parents",
        )
        for code, stratum, n, slips, pi in rows
    )
    strata = tuple(
        StratumDraw(name, name, name.partition("/")[0], name.partition("/")[2], 4, 2)
        for name in dict.fromkeys(row[1] for row in rows)
    )
    return Sample("tiny", "1", "", "", "", strata, domains, {"parent": "1"})


TWO = tiny(("01", "rural/primary", 60, 20, "1/2"), ("02", "rural/primary", 30, 10, "1/2"))


def test_a_tiny_wave_computed_by_hand():
    # 60 and 30 persons at π = 1/2 stand for 120 and 60; the frame has 200, so g = 200/180 = 10/9.
    weights = weight_domains(
        TWO, {("rural/primary", "parent"): 200}, {"01-P": 12, "02-P": 10}, minimum_count=10
    )

    assert weights.weight("01-P") == Fraction(120, 12) * Fraction(10, 9)
    assert weights.weight("02-P") == Fraction(60, 10) * Fraction(10, 9)


def test_the_history_multiplies_up_to_the_weight_step_by_step():
    weights = weight_domains(
        TWO, {("rural/primary", "parent"): 200}, {"01-P": 12, "02-P": 10}, minimum_count=10
    )

    first = weights.history()[0]

    assert first["design_weight"] == "6"
    assert first["nonresponse"] == "5/3"
    assert first["poststratification"] == "10/9"
    product = (
        Fraction(first["design_weight"])
        * Fraction(first["nonresponse"])
        * Fraction(first["poststratification"])
    )
    assert product == Fraction(first["weight"]) == weights.weight("01-P")


def test_a_domain_too_small_to_show_joins_the_one_beside_it():
    weights = weight_domains(
        TWO, {("rural/primary", "parent"): 180}, {"01-P": 12, "02-P": 3}, minimum_count=10
    )

    (pool,) = weights.pools
    assert pool.id == "01-P+1"
    assert pool.domains == ("01-P", "02-P")
    assert pool.weight == Fraction(180, 15)


def test_a_domain_with_nobody_satisfied_among_few_is_pooled_too():
    answers, people = {"01-P": 15, "02-P": 12}, {("rural/primary", "parent"): 180}

    apart = weight_domains(TWO, people, answers, minimum_count=10, satisfied={"01-P": 9, "02-P": 1})
    joined = weight_domains(TWO, people, answers, minimum_count=10, satisfied={"01-P": 9, "02-P": 0})

    assert len(apart.pools) == 2
    assert len(joined.pools) == 1


def test_a_drawn_school_where_nobody_answered_is_stood_for_by_the_others():
    weights = weight_domains(TWO, {("rural/primary", "parent"): 180}, {"01-P": 12}, minimum_count=10)

    (pool,) = weights.pools
    assert pool.weight * 12 == 180


def test_a_stratum_without_enough_answers_joins_one_of_its_own_stage():
    sample = tiny(
        ("01", "town/primary", 40, 10, "1/2"), ("02", "rural/primary", 60, 20, "1/2"), ("03", "rural/junior", 30, 20, "1/2")
    )  # fmt: skip
    people = {
        ("town/primary", "parent"): 90,
        ("rural/primary", "parent"): 130,
        ("rural/junior", "parent"): 70,
    }

    weights = weight_domains(sample, people, {"01-P": 2, "02-P": 14, "03-P": 11}, minimum_count=10)

    assert [cell.strata for cell in weights.cells] == [("town/primary", "rural/primary"), ("rural/junior",)]
    assert weights.cells[0].people == 220
    assert sum(pool.weight * pool.n for pool in weights.pools if pool.cell == weights.cells[0].id) == 220


def test_a_group_without_one_answer_is_refused_by_name():
    with pytest.raises(NoAnswersError, match="家长"):
        weight_domains(TWO, {("rural/primary", "parent"): 180}, {}, minimum_count=10)


def test_answers_of_a_domain_that_was_not_drawn_are_refused():
    with pytest.raises(UnknownDomainError, match="09-P"):
        weight_domains(TWO, {("rural/primary", "parent"): 180}, {"01-P": 12, "09-P": 1}, minimum_count=10)


def test_the_frames_people_by_stratum_and_group_add_up_to_the_frame():
    assert sum(n for (_, group), n in PEOPLE.items() if group == "parent") == county().pupils == 18137
    assert sum(n for (_, group), n in PEOPLE.items() if group == "teacher") == 911
    assert PEOPLE["county/principal", "principal"] == 56


@given(seed=st.integers(0, 10_000), minimum=st.integers(1, 25))
@settings(max_examples=60, deadline=None)
def test_weights_of_every_cell_meet_the_frame_exactly_whatever_came_back(seed, minimum):
    chance = Random(seed)
    share = chance.uniform(0.2, 1)
    answers = {d.domain: sum(chance.random() < share for _ in range(d.slips)) for d in wave_sample().domains}

    weights = weight_domains(wave_sample(), PEOPLE, answers, minimum_count=minimum)

    assert sorted(domain for pool in weights.pools for domain in pool.domains) == [
        d.domain for d in wave_sample().domains
    ]
    for cell in weights.cells:
        pools = [pool for pool in weights.pools if pool.cell == cell.id]
        assert sum(pool.weight * pool.n for pool in pools) == cell.people
        assert all(pool.n >= minimum for pool in pools) or len(pools) == 1
    for group in wave_sample().shares:
        assert sum(cell.people for cell in weights.cells if cell.group == group) == sum(
            n for (_, name), n in PEOPLE.items() if name == group
        )
