"""A wave that asks everybody: weights of one, doubt from silence alone, and the bound that a census has."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest
from county import changed, county_plan, county_scheme, small_school
from simulated import estimated, overall_id, record, wave_sample

from survey.estimation.census import break_even_rate, census_rate, hypergeometric_interval
from survey.exact import truncate
from survey.fieldwork.disposition import DomainOutcome
from survey.sampling.frame import Frame
from survey.sampling.wave_sample import draw_sample
from survey.scheme.plan import GroupPlan


def census_wave(answers: dict[str, list[int]], groups: tuple[str, ...] = ("parent",)):
    """Schools of a hundred pupils and five teachers, everybody asked; overall answers by domain."""
    codes = sorted({domain.partition("-")[0] for domain in answers})
    frame = Frame(tuple(small_school(code, grades={4: 50, 5: 50}) for code in codes))
    forms = {"parent": "parents", "teacher": "teachers"}
    plan = changed(
        county_plan(),
        groups=tuple(GroupPlan(group=group, instruments={"all": forms[group]}) for group in groups),
        everybody=("all",),
    )
    sample = draw_sample(plan, county_scheme(), frame, "1")
    items = {group: overall_id(_like(group)) for group in groups}
    records = [
        record(domain, {items[sample.by_domain[domain].group]: value})
        for domain, values in answers.items()
        for value in values
    ]
    used = Counter(one["domain"] for one in records)
    outcomes = [DomainOutcome(d.domain, d.slips, used[d.domain]) for d in sample.domains]
    return estimated(records, plan=plan, frame=frame, sample=sample, outcomes=outcomes)


def _like(group: str) -> str:
    return next(draw.domain for draw in wave_sample().domains if draw.group == group)


SCHOOLS = {
    "1100000001-P": [5] * 30 + [2] * 5,
    "1100000002-P": [5] * 40 + [2] * 3,
    "1100000003-P": [2],
    "1100000004-P": [4] * 60 + [1] * 2,
}


def test_everybody_weighs_one_before_the_silent_are_thought_of():
    results = census_wave(SCHOOLS)
    sample = results.sample

    assert [draw.slips for draw in sample.domains] == [draw.eligible for draw in sample.domains] == [100] * 4
    assert {draw.psu_probability for draw in sample.domains} == {"1"}
    assert {row["design_weight"] for row in results.weights.history()} == {"1"}


def test_the_error_of_a_census_is_that_of_its_response_cells_a_school_with_one_answer_collapsed():
    results = census_wave(SCHOOLS)
    # The third school gave one answer: it joins the next of its stratum and group.
    by_hand = census_rate([100, 100, 200], [35, 43, 63], [30, 40, 60])

    assert results.pooled == {"1100000003-P+1": ["1100000003-P", "1100000004-P"]}
    assert float(results.figure) == pytest.approx(by_hand.rate, abs=1e-15)
    assert results.whole.estimate.se == pytest.approx(by_hand.se, rel=1e-12)
    assert results.whole.estimate.df == by_hand.df == 141 - 3


def test_a_census_says_what_the_silent_would_have_to_think():
    results = census_wave(SCHOOLS)
    document = results.document()
    turning = break_even_rate(0.85, float(results.figure), 141 / 400)

    assert document["tipping"]["break_even"] == truncate(Fraction(turning))
    assert "没有回答的人" in document["tipping"]["words"]
    assert any("问遍全体" in note and "没有回答的人" in note for note in document["notes"])


def test_at_one_the_bound_is_the_hypergeometric_of_those_who_answered_among_everybody():
    results = census_wave({code: [5] * 40 for code in SCHOOLS})
    bound = hypergeometric_interval(160, 160, 400)
    interval = results.document()["interval"]

    assert results.figure == 1
    assert interval["method"] == "hypergeometric"
    assert (
        Fraction(interval["lower"])
        <= Fraction(bound.lower)
        < Fraction(interval["lower"]) + Fraction(1, 10_000)
    )
    # Where everybody answered there is nothing left to doubt.
    known = census_wave({code: [5] * 90 + [2] * 10 for code in SCHOOLS})
    assert known.whole.estimate.variance == 0
    assert known.whole.interval(known.shares, 0.95).width == 0


def test_two_groups_asked_whole_have_an_interval_below_one_and_around_their_figure():
    answers = SCHOOLS | {f"{code[:-2]}-T": [5] * 4 for code in SCHOOLS}
    results = census_wave(answers, ("parent", "teacher"))
    interval = results.whole.interval(results.shares, 0.95)
    alone = results.whole.groups["teacher"].interval(0.95)

    assert interval.lower < float(results.figure) < interval.upper < 1
    assert results.whole.groups["teacher"].value == 1
    assert alone.lower == hypergeometric_interval(16, 16, results.people["teacher"]).lower
