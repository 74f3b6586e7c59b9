"""The indicators that count, permute and compare: each over its limit is flagged, each below is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from county import county_plan, county_scheme
from scipy.stats import norm
from simulated import instruments, wave_outcomes, wave_records, wave_sample

from survey.cases.case_file import build_case_file
from survey.cases.flag import HONEST, NAMES, Flag
from survey.cases.flag_statistics import burst_p, difference_p, discoveries, excess_p, robust_z
from survey.cases.group_flags import against_calls, between_groups
from survey.cases.indicator_limits import LIMITS
from survey.cases.indicators import Beyond, domain_flags
from survey.cases.intake_flags import (
    Planted,
    alarms_before_opening,
    altered_canaries,
    bursts,
    one_address,
    together,
    working_hours,
)
from survey.cases.near_copies import copy_scores
from survey.fieldwork.disposition import DomainOutcome

DRAWS = wave_sample().by_domain
PARENTS = [name for name, draw in DRAWS.items() if draw.group == "parent"]


def honest(rng, schools=40, n=75, items=12):
    """Patterns of answers as parents give them: a school's level, a person's, an item's."""
    found = {}
    for school in range(schools):
        mood = rng.normal(0, 0.3) + rng.normal(0, 1, (n, 1)) + rng.normal(0, 1, (n, items))
        sheets = np.searchsorted([0.4, 1.5, 2.3], mood)
        found[str(school)] = [None if len(set(row)) == 1 else tuple(row) for row in sheets.tolist()]
    return found


def test_every_indicator_has_a_name_a_limit_and_a_rate_of_false_alarm():
    assert set(NAMES) == set(HONEST) == set(LIMITS) == {f"I{number}" for number in range(1, 16)}


def test_planted_slips_and_answers_are_alarms_before_opening_and_altered_ones_block_the_audit():
    planted = Planted({"a": 1, "b": 0}, {"c": 2}, {"d": 1})
    before = alarms_before_opening([DomainOutcome("a", 20, 15)], planted)
    after = altered_canaries(planted)

    assert [(flag.indicator, flag.domain, flag.enters) for flag in before] == [
        ("I2", "a", "alarm"),
        ("I3", "c", "alarm"),
    ]
    assert [(flag.domain, flag.enters) for flag in after] == [("d", "blocks_audited")]


def test_benjamini_hochberg_keeps_what_r_keeps():
    # p.adjust(c(.001,.008,.039,.041,.042,.06,.074,.205,.212,.216), "BH") <= .05 keeps the first two.
    p_values = dict(zip("abcdefghij", (0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216)))

    assert discoveries(p_values, 0.05) == {"a", "b"}
    assert discoveries(p_values, 0.005) == {"a"}
    assert discoveries({}, 0.05) == set()


def test_a_burst_is_as_rare_as_simulation_says():
    rng = np.random.default_rng(7)
    hours = {0: 30, 1: 60, 2: 10}
    rates = np.repeat([40 * n / 100 / 12 for n in hours.values()], 12)
    largest = rng.poisson(rates, (40_000, 36)).max(axis=1)

    for k in (5, 6, 8):
        assert burst_p(k, 40, hours) == pytest.approx(np.mean(largest >= k), abs=0.006)
    assert burst_p(0, 40, hours) == burst_p(3, 40, {}) == 1.0


@pytest.mark.parametrize(("web", "phone", "power"), [(950, 170, 0.93), (970, 180, 0.83), (900, 166, 0.65)])
def test_web_against_calls_has_the_power_that_trust_states(web, phone, power):
    _, p = difference_p((1000, web), (200, phone), design_effect=1.5)

    assert norm.cdf(norm.isf(p) - norm.isf(0.05)) == pytest.approx(power, abs=0.006)
    assert difference_p((1000, 900), (200, 180), design_effect=1.5)[1] == pytest.approx(0.5)


def test_robust_z_and_excess_need_spread_and_five_domains():
    assert robust_z(dict.fromkeys("abcdef", 0.5)) == {}
    assert robust_z({"a": 1, "b": 2}) == excess_p({"a": 0.1}, {"a": 0.01}) == {}
    assert min(excess_p(dict.fromkeys("abcdef", 0.1), dict.fromkeys("abcdef", 0.0)).values()) == 1.0


def test_bursts_and_addresses_count_only_together_or_with_haste():
    outcomes = {f"d{at}": DomainOutcome(f"d{at}", 60, 40) for at in range(6)}
    hours = {("", f"hour:{hour}"): 20 for hour in range(12)}
    counters = {**hours, ("d0", "largest_5_minutes"): 30, ("d0", "largest_one_address"): 30}
    counters |= {(f"d{at}", "largest_5_minutes"): 2 for at in range(1, 6)}
    counters[("d1", "largest_one_address")] = 30
    found = [*bursts(counters, outcomes), *one_address(counters, outcomes)]
    fast = Flag("I8", "d0", "0.9", "z>3", "")
    burst = [flag for flag in found if flag.indicator == "I7"]

    assert [(flag.indicator, flag.domain) for flag in found] == [("I7", "d0"), ("I6", "d0"), ("I6", "d1")]
    assert [(flag.indicator, flag.domain) for flag in together(found)] == [("I7", "d0"), ("I6", "d0")]
    assert together(burst) == []
    assert together([*burst, fast]) == [*burst, fast]


def test_few_answers_from_one_address_are_nothing():
    outcomes = {"d": DomainOutcome("d", 60, 40)}

    assert one_address({("d", "largest_one_address"): 8}, outcomes) == []
    assert one_address({("d", "largest_one_address"): 5}, {"d": DomainOutcome("d", 20, 11)}) == []


def test_a_domain_that_answers_in_lessons_is_flagged_among_parents():
    outcomes = {f"d{at}": DomainOutcome(f"d{at}", 60, 40) for at in range(9)}
    counters = {(f"d{at}", "working_hours"): 12 + at % 4 for at in range(8)} | {("d8", "working_hours"): 38}

    assert [flag.domain for flag in working_hours(counters, outcomes, outcomes)] == ["d8"]


def test_honest_sheets_are_as_often_alike_as_chance_says():
    rng = np.random.default_rng(9)
    p_values = [found.p for _ in range(3) for found in copy_scores(honest(rng), rng).values()]

    assert np.mean([p <= 0.01 for p in p_values]) <= 0.05
    assert 0.3 < np.mean(p_values) < 0.7


def test_copies_with_small_edits_are_found_and_a_careful_hand_is_not():
    rng = np.random.default_rng(3)
    patterns = honest(rng)
    model = [1, 0, 0, 1, 0, 0, 2, 0, 0, 0, 1, 0]
    copied, varied = list(patterns["0"]), list(patterns["1"])
    for at in range(15):
        edited = list(model)
        if at % 2:
            edited[at % 12] ^= 1
        copied[at] = tuple(edited)
        varied[at] = tuple(rng.integers(0, 2, 12).tolist())
    scores = copy_scores(patterns | {"0": copied, "1": varied}, rng)
    flagged = discoveries({name: found.p for name, found in scores.items()}, 0.01)

    assert "0" in flagged and "1" not in flagged


def test_straight_lines_and_single_patterns_make_no_pair():
    rng = np.random.default_rng(1)
    patterns = {str(at): [None] * 20 + [(at, n) for n in range(5)] for at in range(6)}

    assert {found.score for found in copy_scores(patterns, rng).values()} == {0.0}
    assert {found.p for found in copy_scores(patterns, rng).values()} == {1.0}
    assert copy_scores({"a": [(1, 2)] * 20}, rng) == {}


def test_the_score_is_pairs_weighed_by_rarity():
    rng = np.random.default_rng(1)
    patterns = {str(at): [(at, n) for n in range(10)] for at in range(5)}
    patterns["0"] = [(7, 7)] * 3 + [(8, 8)] * 2 + [(0, n) for n in range(5)]
    score = copy_scores(patterns, rng)["0"].score

    assert score == pytest.approx(3 * -np.log(3 / 50) + 1 * -np.log(2 / 50))


def test_a_wave_with_copied_sheets_is_flagged_by_itself_and_the_same_each_time():
    domain = max(PARENTS, key=lambda d: sum(one["domain"] == d for one in wave_records()))
    items = [i for i in instruments()[domain].items if i.role in ("content", "overall")]
    sheet = {item.id: item.answer_scale.scored[at % 2].value for at, item in enumerate(items)}
    records = [
        one | {"answers": one["answers"] | sheet} if one["domain"] == domain else one
        for one in wave_records()
    ]
    found = build_case_file(records, county_plan(), county_scheme(), wave_sample())
    told = [domain_flags(found, wave_outcomes(records)) for _ in range(2)]

    assert ("I9", domain) in {(flag.indicator, flag.domain) for flag in told[0]}
    assert told[0] == told[1]


def test_a_group_far_above_another_in_one_school_is_flagged_and_a_county_that_differs_is_not():
    schools = sorted({DRAWS[name].school_code for name in PARENTS if DRAWS[name].school_code})
    parents = {DRAWS[name].school_code: name for name in PARENTS}
    pupils = {draw.school_code: name for name, draw in DRAWS.items() if draw.group == "student"}
    both = [code for code in schools if code in parents and code in pupils][:8]
    counted = {}
    for at, code in enumerate(both):
        counted[parents[code]] = (100, 90 + at % 3)
        counted[pupils[code]] = (100, 80 + at % 2)
    alike = between_groups(counted, {}, DRAWS)
    counted[pupils[both[0]]] = (100, 35)
    apart = between_groups(counted, {}, DRAWS)

    assert len(both) >= 5 and alike == []
    assert [(flag.indicator, flag.domain) for flag in apart] == [("I12", parents[both[0]])]


def test_call_backs_far_below_the_web_stand_beside_the_figure():
    counted = {name: (100, 96) for name in PARENTS[:4]}
    low = against_calls(counted, {name: (60, 48) for name in PARENTS[:4]}, DRAWS)
    same = against_calls(counted, {name: (60, 57) for name in PARENTS[:4]}, DRAWS)
    few = against_calls(counted, {PARENTS[0]: (9, 0)}, DRAWS)

    assert [(flag.indicator, flag.domain, flag.enters) for flag in low] == [("I4", "parent", "beside")]
    assert same == few == []


def test_pairs_that_contradict_are_flagged_in_the_domain_that_taps_them():
    large = [name for name in PARENTS if sum(one["domain"] == name for one in wave_records()) >= 10]
    instrument = instruments()[large[0]]
    turned = next(item for item in instrument.items if item.role == "content")
    whole = instrument.overall_item
    low = {turned.id: turned.answer_scale.scored[-1].value, whole.id: whole.answer_scale.scored[0].value}
    ends = {turned.id: turned.answer_scale.scored[0].value, whole.id: whole.answer_scale.scored[0].value}
    records = [
        one | {"answers": one["answers"] | (ends if one["domain"] == large[0] or at % 11 == 0 else low)}
        for at, one in enumerate(wave_records())
    ]
    found = build_case_file(records, county_plan(), county_scheme(), wave_sample())
    beyond = Beyond(reversed_items=frozenset({turned.id}))
    told = {(flag.indicator, flag.domain) for flag in domain_flags(found, (), beyond)}
    untold = {flag.indicator for flag in domain_flags(found, (), replace(beyond, reversed_items=frozenset()))}

    assert ("I13", large[0]) in told
    assert "I13" not in untold
