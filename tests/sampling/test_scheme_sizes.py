"""Schemes owe what their texts say, to the form; quotas keep totals and minimums."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from survey.sampling.scheme_sizes import (
    GroupShortError,
    NobodyToAskError,
    NoStepError,
    PooledNotFixedError,
    PopulationMissingError,
    figure_shares,
    forms_by_population,
    forms_for_precision,
    largest_remainder,
    owed_forms,
    round_as,
)
from survey.scheme.presets import list_schemes, load_scheme
from survey.scheme.scheme import Scheme

PUBLISHED = Path(__file__).parents[1] / "golden" / "published"
NUMBERS = {
    "parent": 18137, "teacher": 911, "principal": 56, "student": 10365, "deputy": 160, "cppcc": 140, "public": 90000,
}  # fmt: skip


def rule_checks():
    document = json.loads((PUBLISHED / "sample_size_rules.json").read_text(encoding="utf-8"))
    presets = {rule["id"]: rule["preset"] for rule in document["table"]["rules"]}
    return [(presets[check["rule"]], check) for check in document["checks"]]


@pytest.mark.parametrize(("preset", "check"), rule_checks())
def test_the_published_rules_give_their_numbers_of_forms(preset, check):
    scheme = load_scheme(preset)
    population = check["resident_population"]

    assert forms_by_population(scheme.size, population) == check["expect"]
    if "parents_at_least" in check:
        groups = [group.id for group in scheme.groups]
        owed = owed_forms(scheme, groups, NUMBERS, population=population)
        assert owed.by_group["parent"] >= check["parents_at_least"]


def test_the_published_step_plan_of_jiyuan_is_met_band_by_band():
    table = json.loads((PUBLISHED / "preschool_sample_plan_jiyuan_2022.json").read_text(encoding="utf-8"))[
        "table"
    ]
    scheme = load_scheme("preschool_2020_henan")
    numbers = dict.fromkeys(NUMBERS, 10_000)

    for column, band in enumerate(table["bands"]):
        for population in (band["pop_from"] or 1, (band["pop_to_excl"] or 3_000_001) - 1):
            owed = owed_forms(scheme, [g.id for g in scheme.groups], numbers, population=population)

            assert owed.total == band["total"]
            assert owed.by_group["parent"] == table["quotas"]["家长"][column]
            assert owed.by_group["teacher"] == table["quotas"]["教师"][column]
            assert owed.by_group["principal"] == table["quotas"]["园长"][column]
            assert (
                owed.by_group["deputy"] + owed.by_group["cppcc"]
                == table["quotas"]["人大代表、政协委员"][column]
            )


@pytest.mark.parametrize("preset", list_schemes())
def test_every_preset_divides_all_of_its_forms_among_its_groups(preset):
    scheme = load_scheme(preset)
    numbers = dict.fromkeys(NUMBERS, 50_000)
    groups = [group.id for group in scheme.groups]

    owed = owed_forms(scheme, groups, numbers, population=450_000)

    assert sum(owed.by_group.values()) == owed.total
    assert sum(owed.shares.values()) == 1
    assert (
        sum(Fraction(share) for share in figure_shares(scheme, owed.shares, {g: 1 for g in groups}).values())
        == 1
    )


@given(st.integers(1, 5_000_000))
@settings(max_examples=200, deadline=None)
def test_permille_is_exact_where_a_float_would_slip(population):
    rule = load_scheme("quality_balance_2017").size

    assert forms_by_population(rule, population) == math.ceil(Fraction(3 * population, 2000))


def test_rounding_follows_the_rule_the_scheme_names():
    half = Fraction(5, 2)

    assert [round_as(half, rule) for rule in ("up", "down", "nearest")] == [3, 2, 3]
    assert round_as(Fraction(800), "up") == 800


def test_a_population_that_no_step_holds_is_refused_by_its_number():
    document = dict(load_scheme("modernisation_jiangsu_2014").document)
    document["sample_size"] = dict(document["sample_size"], steps=[{"at_least": 800000, "forms": 400}])

    with pytest.raises(NoStepError, match="700000"):
        forms_by_population(Scheme.of(document).size, 700_000)


def test_a_rule_by_population_without_one_is_refused():
    scheme = load_scheme("quality_balance_2017")

    with pytest.raises(PopulationMissingError):
        owed_forms(scheme, ["parent"], NUMBERS, population=None)


def test_a_group_smaller_than_its_quota_is_taken_whole_and_told():
    scheme = load_scheme("self_monitoring")
    groups = [group.id for group in scheme.groups]

    owed = owed_forms(scheme, groups, NUMBERS | {"principal": 20}, population=None)

    assert owed.by_group["principal"] == 20
    assert owed.short == ("principal",)
    assert sum(owed.by_group.values()) < owed.total
    assert any("校长" in note.problem and "20" in note.problem for note in owed.notes)


def test_a_scheme_that_refuses_short_groups_refuses_by_name():
    document = dict(load_scheme("self_monitoring").document)
    document["allocation"] = dict(document["allocation"], when_short="refuse")
    scheme = Scheme.of(document)

    with pytest.raises(GroupShortError, match="校长"):
        owed_forms(scheme, [g.id for g in scheme.groups], NUMBERS | {"principal": 20}, population=None)


def test_a_group_of_nobody_is_refused_by_name():
    with pytest.raises(NobodyToAskError, match="人大代表"):
        owed_forms(
            load_scheme("quality_balance_2017"),
            ["parent", "deputy"],
            NUMBERS | {"deputy": 0},
            population=1000,
        )


def test_leaving_groups_out_keeps_the_lower_bound_and_says_so():
    scheme = load_scheme("quality_balance_2017")

    owed = owed_forms(scheme, ["parent", "teacher", "student"], NUMBERS, population=568_000)

    assert owed.by_group == {"parent": 426, "teacher": 213, "student": 213}
    assert owed.shares == {"parent": Fraction(1, 2), "teacher": Fraction(1, 4), "student": Fraction(1, 4)}
    assert any(note.code == "sampling.groups_left_out" for note in owed.notes)


def test_precision_of_three_points_needs_1089_forms_of_a_large_population():
    goal = {
        "confidence": Fraction(95, 100), "expected_rate": Fraction(85, 100), "design_effect": Fraction(2), "number": 10**9,
    }  # fmt: skip

    assert forms_for_precision(Fraction(3, 100), **goal) == 1089
    assert forms_for_precision(Fraction(3, 100), **goal | {"number": 500}) == 343


def test_a_precision_wish_only_ever_raises_the_legal_number():
    scheme = load_scheme("quality_balance_2017")
    groups = ["parent", "teacher", "student"]

    legal = owed_forms(scheme, groups, NUMBERS, population=200_000).total
    finer = owed_forms(scheme, groups, NUMBERS, population=200_000, half_width=Fraction(2, 100)).total
    coarser = owed_forms(scheme, groups, NUMBERS, population=200_000, half_width=Fraction(2, 10)).total

    assert coarser == legal < finer


def test_pooling_several_groups_cannot_be_fixed_before_fieldwork():
    scheme = load_scheme("modernisation_jiangsu_2014")

    with pytest.raises(PooledNotFixedError):
        figure_shares(scheme, {}, {"public": 1, "parent": 1})


@given(
    total=st.integers(0, 500),
    shares=st.lists(st.integers(1, 1000), min_size=1, max_size=9),
    least=st.integers(0, 8),
)
@settings(max_examples=200, deadline=None)
def test_largest_remainder_keeps_the_total_and_never_falls_below_a_minimum(total, shares, least):
    minima = [least] * len(shares)
    total = max(total, sum(minima))

    quotas = largest_remainder(total, [Fraction(share) for share in shares], minima)

    assert sum(quotas) == total
    assert all(quota >= least for quota in quotas)
