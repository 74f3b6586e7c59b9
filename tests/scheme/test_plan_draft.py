"""Fields as typed become a plan, or faults that stand beside them."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec.structs import replace

from survey import canonical
from survey.scheme.marks import unverified
from survey.scheme.plan import STAGES, example_plan_text, instrument_of, plan_document, read_plan, scheme_of
from survey.scheme.plan_draft import read_fields
from survey.scheme.plan_fields import fields_from, first_fields, group_fields, scheme_of_fields
from survey.scheme.plan_form import STEPS, all_fields
from survey.scheme.plan_words import MARK_WORDS, STAGE_NAMES
from survey.scheme.presets import list_schemes, load_scheme

TODAY = date(2026, 11, 25)


def filled(scheme: str = "quality_balance_2017", **more: str) -> dict[str, str]:
    """What a person must at least type for a scheme, beside what stands there already."""
    fields = first_fields(TODAY, "https://dc.example.gov.cn")
    if scheme != fields["scheme"]:
        groups = ("ask", "form", "mode", "instrument", "from_grade")
        fields = {key: text for key, text in fields.items() if key.partition(".")[0] not in groups}
        fields |= {"scheme": scheme, **group_fields(load_scheme(scheme), {})}
    typed = {
        "county": "万安县",
        "county_code": "360828",
        "office": "万安县教育督导室",
        "telephone": "0796-0000000",
        "population.count": "300,000",
        "population.year": "２０２０",
        "population.source": "第七次全国人口普查公报",
        "lists.deputy": "160",
        "lists.cppcc": "140",
        "confirm.person": "李主任",
    }
    ticked = {f"confirm.{mark.of}": "1" for mark in unverified(load_scheme(scheme), {})}
    return fields | typed | ticked | more


def test_the_sample_countys_plan_survives_the_way_to_fields_and_back() -> None:
    plan = read_plan(example_plan_text())
    again = read_fields(fields_from(plan)).plan

    assert again is not None
    assert {entry.group: entry for entry in again.groups} == {entry.group: entry for entry in plan.groups}
    assert replace(again, groups=()) == replace(plan, groups=())


@pytest.mark.parametrize("scheme", [name for name in list_schemes() if not name.startswith("preschool")])
def test_ten_typed_fields_make_a_plan_of_every_scheme_that_has_forms(scheme: str) -> None:
    reading = read_fields(filled(scheme))

    assert reading.faults == ()
    assert reading.plan is not None
    assert reading.plan.wave == "360828-202612"
    assert read_plan(canonical.encode(plan_document(reading.plan))) == reading.plan
    assert all(
        instrument_of(reading.plan, scheme_of(reading.plan), entry.group, stage) is not None
        for entry in reading.plan.groups
        for stage in entry.instruments
    )


def test_a_scheme_without_forms_asks_for_them_beside_each_group() -> None:
    reading = read_fields(filled("preschool_2020_henan"))

    assert reading.plan is None
    assert {one.field for one in reading.faults} == {
        f"instrument.{group}.all" for group in ("parent", "deputy", "cppcc", "principal", "teacher")
    }


def test_an_empty_set_up_says_what_is_missing_and_nothing_else() -> None:
    reading = read_fields(first_fields(TODAY, "https://dc.example.gov.cn"))

    assert [(one.step, one.field) for one in reading.faults] == [
        (2, "county"),
        (2, "county_code"),
        (2, "office"),
        (2, "telephone"),
        (4, "population.count"),
        (4, "lists.deputy"),
        (4, "lists.cppcc"),
        (6, "confirm.sample_size.population.census"),
        (6, "confirm.figure.official_formula"),
    ]
    assert {one.code for one in reading.warnings} == {
        "scheme.official_formula_not_found",
        "scheme.approval_missing",
    }


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"county_code": "360828号"}, "county_code"),
        ({"opens_on": "12月1日"}, "opens_on"),
        ({"closes_on": "2026-11-01"}, "closes_on"),
        ({"results_on": "2026-12-01"}, "results_on"),
        ({"base_url": "http://dc.example.gov.cn"}, "base_url"),
        ({"title": "国家认定的调查"}, "title"),
        ({"wave": "A B"}, "wave"),
        ({"wave": "taken"}, "wave"),
        ({"population.count": "三十万"}, "population.count"),
        ({"population.source": " "}, "population.source"),
        ({"place_shares.urban": "50%", "place_shares.rural": "60%"}, "place_shares.town"),
        ({"sample.expected_response": "135%"}, "sample.expected_response"),
        ({"spares": "99"}, "spares"),
        ({"from_grade.student": ""}, "from_grade.student"),
        ({"instrument.parent.all": "teachers"}, "instrument.parent.all"),
        ({"mode.parent": "quota", "everybody.parent": "1"}, "ask.parent"),
        ({"confirm.person": ""}, "confirm.person"),
        ({"confirm.figure.official_formula": ""}, "confirm.figure.official_formula"),
        ({"minimum_count": "2"}, "minimum_count"),
        ({"lang.zh": ""}, "lang.zh"),
        ({"figure.dont_know": "not_satisfied"}, "figure.in_words"),
        ({"figure.edge": "above", "figure.person": "李主任"}, "figure.reason"),
        ({"figure.dont_know": "middle", "figure.in_words": "…"}, "figure.person"),
    ],
)
def test_each_fault_stands_beside_its_field(typed: dict[str, str], field: str) -> None:
    reading = read_fields(filled(**typed), taken={"taken"})

    assert reading.plan is None
    assert field in {one.field for one in reading.faults}
    assert all(one.text for one in reading.faults)


def test_a_share_may_be_typed_as_a_percentage() -> None:
    plan = read_fields(
        filled(
            **{
                "place_shares.town": "40%",
                "place_shares.rural": "６０％",
                "sample.expected_response": "72.5%",
            }
        )
    ).plan

    assert plan is not None
    assert plan.place_shares == {"town": "0.4", "rural": "0.6"}
    assert plan.sample.expected_response == "0.725"


def test_a_changed_figure_becomes_an_adopted_scheme_that_names_who_and_why() -> None:
    words = "满意份数÷全部有效份数，说不清算进分母。"
    reading = read_fields(
        filled(
            **{
                "figure.dont_know": "not_satisfied",
                "figure.edge": "above",
                "figure.threshold": "90%",
                "figure.in_words": words,
                "figure.person": "李主任",
                "figure.reason": "市里的通知",
            }
        )
    )
    assert reading.plan is not None, reading.faults
    scheme = scheme_of(reading.plan)

    assert scheme.status == "adopted"
    assert scheme.answers.dont_know == "not_satisfied"
    assert scheme.requirement.line is not None
    assert (scheme.requirement.line.edge, scheme.requirement.line.threshold) == ("above", "0.9")
    assert scheme.in_words() == words
    assert scheme_of_fields(fields_from(reading.plan)).digest == scheme.digest


def test_a_wave_that_nobody_names_takes_the_next_free_name() -> None:
    plan = read_fields(filled(), taken={"360828-202612", "360828-202612-2"}).plan

    assert plan is not None
    assert plan.wave == "360828-202612-3"


def test_every_place_where_a_preset_is_unverified_has_words_and_every_step_asks_something() -> None:
    for name in list_schemes():
        scheme = load_scheme(name)
        steps = all_fields(scheme, filled(name), {})

        assert {mark.of for mark in unverified(scheme, {})} <= set(MARK_WORDS)
        assert set(steps.values()) == set(range(1, len(STEPS) + 1))
    assert set(STAGE_NAMES) == set(STAGES)
