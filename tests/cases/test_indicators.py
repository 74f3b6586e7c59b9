"""Flags fall on domains over their limit, and on nothing else."""

from __future__ import annotations

from dataclasses import replace

from county import county_plan, county_scheme
from simulated import instruments, wave_case_file, wave_outcomes, wave_records, wave_sample

from survey.cases.case_file import build_case_file
from survey.cases.indicators import domain_flags, robust_z, wilson_lower
from survey.fieldwork.disposition import DomainOutcome

LARGE = [
    draw.domain
    for draw in wave_sample().domains
    if draw.group == "parent" and sum(r["domain"] == draw.domain for r in wave_records()) >= 10
]


def flags(records, outcomes=(), **more):
    found = build_case_file(records, county_plan(), county_scheme(), wave_sample())
    return {(flag.indicator, flag.domain) for flag in domain_flags(found, outcomes, **more)}


def changed(domain, change):
    return [one | change(one) if one["domain"] == domain else one for one in wave_records()]


def test_an_honest_wave_raises_no_flag_of_coaching_or_disputes():
    found = {i for i, _ in flags(wave_records(), wave_outcomes(wave_records()))}

    assert not found & {"I1", "I5", "I11", "I14"}


def test_more_disputes_than_two_or_two_percent_raise_an_alarm():
    at_limit = DomainOutcome(LARGE[0], 20, 15, disputed=2)
    above = replace(at_limit, disputed=3)
    many = DomainOutcome(LARGE[1], 400, 300, disputed=6)

    assert flags(wave_records(), [at_limit, many]) == flags(wave_records())
    assert ("I1", LARGE[0]) in flags(wave_records(), [above])


def test_told_what_to_answer_is_flagged_by_the_wilson_lower_bound():
    item = instruments()[LARGE[0]].quality_item
    yes = next(option.value for option in item.options if option.key == "yes")
    records = changed(LARGE[0], lambda one: {"answers": one["answers"] | {item.id: yes}})

    assert ("I5", LARGE[0]) in flags(records)
    assert ("I5", LARGE[1]) not in flags(records)


def test_a_domain_that_taps_through_is_flagged_against_its_own_group():
    records = [one | {"pace": 0 if n % 9 == 0 else 1} for n, one in enumerate(wave_records())]
    records = [one | {"pace": 0} if one["domain"] == LARGE[0] else one for one in records]

    assert ("I8", LARGE[0]) in flags(records)


def test_a_domain_that_answers_all_best_is_flagged():
    best = {item.id: 5 for item in instruments()[LARGE[0]].items if item.role in ("content", "overall")}
    records = changed(LARGE[0], lambda one: {"answers": one["answers"] | best})

    assert ("I10", LARGE[0]) in flags(records)


def test_nearly_all_slips_on_one_day_is_flagged():
    records = changed(LARGE[0], lambda one: {"day": 2})
    n = sum(one["domain"] == LARGE[0] for one in records)

    assert ("I11", LARGE[0]) in flags(records, [DomainOutcome(LARGE[0], n, n)])
    assert ("I11", LARGE[0]) not in flags(records, [DomainOutcome(LARGE[0], n + 5, n)])


def test_the_same_text_three_times_is_flagged_whatever_its_spacing_and_the_text_is_not_shown():
    item = next(i for i in instruments()[LARGE[0]].items if i.kind == "text")
    texts = iter(["学校的 课后服务很好！", "学校的课后服务很好", "学校的课后服务很好。"] + [None] * 50)
    records = changed(LARGE[0], lambda one: {"answers": one["answers"] | {item.id: next(texts)}})
    found = build_case_file(records, county_plan(), county_scheme(), wave_sample())

    told = [flag for flag in domain_flags(found, ()) if flag.indicator == "I14"]

    assert [flag.domain for flag in told] == [LARGE[0]]
    assert "课后" not in told[0].text


def test_flags_never_take_a_case_out():
    before = wave_case_file().n

    domain_flags(wave_case_file(), wave_outcomes(wave_records()))

    assert wave_case_file().n == before


def test_wilson_and_robust_z_agree_with_hand_computation():
    assert round(wilson_lower(3, 20), 4) == 0.0524
    assert robust_z({"a": 1.0, "b": 1.0}) == {}
    z = robust_z({name: value for name, value in zip("abcde", (1, 2, 3, 4, 9), strict=True)})
    assert round(z["e"], 4) == round(6 / 1.4826, 4)
