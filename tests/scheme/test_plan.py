from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from survey import canonical
from survey.errors import FaultsError
from survey.scheme.lint import lint
from survey.scheme.plan import (
    GROUP_LETTERS,
    GROUPS,
    Plan,
    example_plan_text,
    instrument_of,
    plan_digest,
    plan_document,
    read_plan,
    scheme_of,
)
from survey.scheme.presets import load_scheme
from survey.scheme.yaml_text import read_plain


def document(**changes: Any) -> dict[str, Any]:
    value = plan_document(read_plan(example_plan_text()))
    return {key: part for key, part in (value | changes).items() if part != "DROP"}


def read(**changes: Any) -> Plan:
    return read_plan(canonical.encode(document(**changes)))


def faults(**changes: Any) -> list[tuple[str, str | None]]:
    with pytest.raises(FaultsError) as refusal:
        read(**changes)
    return [(fault.code, fault.item) for fault in refusal.value.faults]


def with_group(group: dict[str, Any]) -> list[dict[str, Any]]:
    return [*document()["groups"][:2], group]


def test_the_plan_of_the_sample_county_reads() -> None:
    plan = read_plan(example_plan_text())

    assert plan.demonstration and plan.sealed
    assert plan.office == "云台区教育督导室"
    assert [entry.group for entry in plan.groups] == [
        "parent",
        "teacher",
        "principal",
        "student",
        "deputy",
        "cppcc",
    ]
    assert plan.population.count == 200_000
    assert plan.host == "127.0.0.1:8000"


def test_a_plan_comes_back_from_its_document_with_the_same_digest() -> None:
    plan = read_plan(example_plan_text())
    again = read_plan(canonical.encode(plan_document(plan)))

    assert again == plan
    assert plan_digest(again) == plan_digest(plan)


def test_a_plan_document_holds_no_floats() -> None:
    assert canonical.decode(canonical.encode(document()))["sample"]["expected_response"] == "0.65"


def test_every_group_has_a_letter_of_its_own() -> None:
    assert len({GROUP_LETTERS[group] for group in GROUPS}) == 7


@pytest.mark.parametrize(
    ("changes", "code", "item"),
    [
        ({"closes_on": "2026-11-20"}, "plan.dates_backwards", "closes_on"),
        ({"results_on": "2026-12-05"}, "plan.results_before_close", "results_on"),
        ({"scheme": "no_such_scheme"}, "plan.unknown_scheme", "scheme"),
        ({"groups": []}, "plan.no_groups", "groups"),
        ({"groups": with_group({"group": "alien", "instruments": {"all": "parents"}})}, "plan.unknown_group", "groups"),
        ({"groups": with_group({"group": "parent", "instruments": {"all": "parents"}})}, "plan.group_twice", "groups.parent"),
        ({"groups": with_group({"group": "principal", "instruments": {"all": "alien"}})}, "plan.unknown_instrument", "groups.principal"),
        ({"groups": with_group({"group": "principal", "instruments": {"moon": "principals"}})}, "plan.unknown_stage", "groups.principal"),
        ({"groups": with_group({"group": "principal", "instruments": {"primary": "principals"}})}, "plan.stage_of_a_county_list", "groups.principal"),
        ({"groups": with_group({"group": "principal", "instruments": {"all": "parents"}})}, "plan.instrument_of_others", "groups.principal"),
        ({"groups": with_group({"group": "principal", "instruments": {}})}, "plan.no_instrument", "groups.principal"),
        ({"groups": with_group({"group": "student", "instruments": {"all": "students_g4_6"}})}, "plan.from_grade_missing", "groups.student"),
        ({"groups": with_group({"group": "deputy", "instruments": {"all": "public"}}), "lists": {}}, "plan.list_missing", "lists.deputy"),
        ({"office": "  "}, "plan.empty", "office"),
        ({"title": ""}, "plan.empty", "title"),
        ({"title": "云台区国家认定满意度调查"}, "plan.national_claim", "title"),
        ({"title": "满意度\u202e调查"}, "plan.control_sign", "title"),
        ({"title": "长" * 61}, "plan.long_title", "title"),
        ({"wave": "Yuntai 2026"}, "plan.bad_wave", "wave"),
        ({"wave": "ab"}, "plan.bad_wave", "wave"),
        ({"county_code": "32070"}, None, None),
        ({"county_code": "区划"}, "plan.bad_county_code", "county_code"),
        ({"population": None}, "plan.population_missing", "population"),
        ({"population": {"count": 0, "year": 2020, "source": "x"}}, "plan.out_of_range", "population.count"),
        ({"population": {"count": 5, "year": 2020, "source": " "}}, "plan.empty", "population.source"),
        ({"sample": {"expected_response": "1.2"}}, "plan.out_of_range", "sample.expected_response"),
        ({"sample": {"expected_response": "0"}}, "plan.out_of_range", "sample.expected_response"),
        ({"sample": {"rho": "NaN"}}, "plan.out_of_range", "sample.rho"),
        ({"sample": {"rho": "1e-3"}}, "plan.out_of_range", "sample.rho"),
        ({"sample": {"half_width": "0.3"}}, "plan.out_of_range", "sample.half_width"),
        ({"sample": {"schools_per_stratum": 1}}, "plan.out_of_range", "sample.schools_per_stratum"),
        ({"minimum_count": 3}, "plan.out_of_range", "minimum_count"),
        ({"everybody": ["public"]}, "plan.everybody_of_nobody", "everybody"),
        ({"everybody": ["all"], "groups": with_group({"group": "deputy", "instruments": {"all": "public"}, "mode": "quota"})}, "plan.everybody_without_slips", "groups.deputy"),
        ({"base_url": "http://dc.example.gov.cn"}, "plan.not_https", "base_url"),
        ({"base_url": "https://dc.example.gov.cn/x"}, "plan.bad_base_url", "base_url"),
        ({"base_url": "https://user@dc.example.gov.cn"}, "plan.bad_base_url", "base_url"),
        ({"base_url": "javascript:alert(1)"}, "plan.bad_base_url", "base_url"),
        ({"base_url": "https://调查.example.cn"}, "plan.bad_base_url", "base_url"),
        ({"base_url": "https://" + "a" * 36 + ".cn"}, "plan.host_too_long", "base_url"),
        ({"place_shares": {"urban": "0.5", "rural": "0.4"}}, "plan.place_shares", "place_shares"),
        ({"place_shares": {"moon": "1"}}, "plan.place_shares", "place_shares"),
        ({"languages": ["zh", "xx"]}, "plan.unknown_language", "languages"),
        ({"languages": ["en"]}, "plan.no_chinese", "languages"),
        ({"lists": {"deputy": 160, "cppcc": 0}}, "plan.out_of_range", "lists.cppcc"),
        ({"lists": {"deputy": 1, "cppcc": 1, "parent": 1}}, "plan.not_a_county_list", "lists"),
        ({"foo": 1}, "plan.unknown_field", "foo"),
        ({"office": "DROP"}, "plan.missing", "office"),
        ({"opens_on": "24.11.2026"}, "plan.unreadable_field", "opens_on"),
        ({"minimum_count": "10"}, "plan.unreadable_field", "minimum_count"),
        ({"county_code": 320704}, "plan.unreadable_field", "county_code"),
        ({"groups": [{"group": "parent", "instruments": {"all": "parents"}, "mode": "door"}]}, "plan.unreadable_field", "groups[0].mode"),
    ],
)  # fmt: skip
def test_each_mistake_is_named_beside_its_field(
    changes: dict[str, Any], code: str | None, item: str | None
) -> None:
    if code is None:
        assert read(**changes)
    else:
        assert (code, item) in faults(**changes)


def test_every_mistake_is_reported_at_once() -> None:
    found = {
        code
        for code, _ in faults(
            closes_on="2026-11-20", wave="A", scheme="x", office="", foo=1, base_url="x", population=5
        )
    }

    assert found >= {
        "plan.dates_backwards",
        "plan.bad_wave",
        "plan.unknown_scheme",
        "plan.empty",
        "plan.unknown_field",
        "plan.bad_base_url",
        "plan.unreadable_field",
    }


def test_a_group_the_scheme_does_not_ask_is_refused() -> None:
    found = faults(scheme="basic_balance_2012")

    assert ("plan.group_not_in_scheme", "groups.student") in found


@pytest.mark.parametrize("text", ["", "[]", "一段话", "wave: [", b"\xff"])
def test_what_is_no_plan_at_all_is_refused_kindly(text: str | bytes) -> None:
    with pytest.raises(FaultsError, match="调查计划"):
        read_plan(text)


def test_text_is_normalised_once_at_entry() -> None:
    assert read(office=" e\u0301督导室 ").office == "\u00e9督导室"


def test_localhost_may_do_without_https_and_no_other_host() -> None:
    assert read(base_url="http://localhost:8000")
    assert read(base_url="https://dc.example.gov.cn")


def test_an_adopted_scheme_travels_inside_the_plan() -> None:
    own = dict(load_scheme("quality_balance_2017").document, scheme="yuntai_own", status="adopted")
    plan = read(scheme="yuntai_own", adopted_scheme=own)

    assert scheme_of(plan).id == "yuntai_own"
    assert plan_digest(plan) != plan_digest(read())


def test_a_broken_adopted_scheme_names_its_fault_inside_the_plan() -> None:
    own = dict(load_scheme("quality_balance_2017").document, scheme="yuntai_own")
    own["figure"] = {key: value for key, value in own["figure"].items() if key != "formula"}

    assert ("scheme.invalid", "adopted_scheme.figure.formula") in faults(
        scheme="yuntai_own", adopted_scheme=own
    )


def test_an_adopted_scheme_of_another_name_is_refused() -> None:
    own = dict(load_scheme("quality_balance_2017").document)

    assert ("plan.scheme_mismatch", "scheme") in faults(scheme="yuntai_own", adopted_scheme=own)


def test_pupils_meet_the_instrument_of_their_stage() -> None:
    plan = read_plan(example_plan_text())
    scheme = scheme_of(plan)

    assert instrument_of(plan, scheme, "student", "primary").id == "students_g4_6"
    assert instrument_of(plan, scheme, "student", "junior").id == "students_g7_9"
    assert instrument_of(plan, scheme, "student", "senior") is None
    assert instrument_of(plan, scheme, "public", None) is None
    assert instrument_of(plan, scheme, "deputy", None).id == "public"


def test_a_scheme_of_three_options_is_asked_with_three() -> None:
    groups = [{"group": "parent", "instruments": {"all": "parents"}, "form": "short"}]
    plan = read(scheme="basic_balance_2012", groups=groups)
    instrument = instrument_of(plan, scheme_of(plan), "parent", "primary")

    assert {item.scale for item in instrument.items} == {"sat3"}
    assert [option.value for option in instrument.overall_item.options] == [3, 2, 1, 98]
    assert instrument.form == "short"
    assert all(scheme_of(plan).answers.satisfied(item.answer_scale, 2) for item in instrument.items)


def test_a_scheme_of_its_own_scale_is_asked_with_it() -> None:
    groups = [{"group": "public", "instruments": {"all": "public"}, "mode": "open"}]
    plan = read(scheme="modernisation_jiangsu_2014", groups=groups)
    instrument = instrument_of(plan, scheme_of(plan), "public", None)

    assert [option.zh for option in instrument.overall_item.options] == [
        "满意",
        "比较满意",
        "基本满意",
        "不满意",
        "不了解",
    ]
    assert "PU01" in instrument.by_id


def issued_form(**changes: Any) -> dict[str, Any]:
    text = (Path(__file__).parent.parent / "instruments" / "shows_an_item_after_yes.yaml").read_text(
        encoding="utf-8"
    )
    return read_plain(text, "问卷") | {"id": "form_a"} | changes


def test_a_form_issued_by_a_superior_is_asked_as_it_stands() -> None:
    groups = [{"group": "parent", "instruments": {"kindergarten": "form_a"}}]
    plan = read(
        scheme="preschool_2020_henan", groups=groups, lists={}, adopted_instruments={"form_a": issued_form()}
    )
    instrument = instrument_of(plan, scheme_of(plan), "parent", "kindergarten")

    assert [item.id for item in instrument.items] == ["IT01", "IT02", "IT03", "IT04"]
    assert read_plan(canonical.encode(plan_document(plan))) == plan


def test_grade_three_is_asked_with_three_steps() -> None:
    group = {"group": "student", "instruments": {"primary": "students_g3"}, "from_grade": 3}
    plan = read(groups=[group], lists={})
    instrument = instrument_of(plan, scheme_of(plan), "student", "primary")

    assert instrument.overall_item.scale == "sat3_child"
    assert not {"plan.grade_three_scale", "plan.instrument_not_of_scheme"} & {
        w.code for w in lint(scheme_of(plan), plan)
    }


def test_faults_of_an_issued_form_are_named_inside_the_plan() -> None:
    groups = [{"group": "parent", "instruments": {"all": "form_a"}}]
    form = issued_form(minutes=99)

    assert ("instrument.invalid", "adopted_instruments.form_a.minutes") in faults(
        groups=groups, adopted_instruments={"form_a": form}
    )
    assert ("plan.scale_not_read", "adopted_instruments.form_a") in faults(
        scheme="basic_balance_2012", groups=groups, adopted_instruments={"form_a": issued_form()}
    )
    assert ("plan.instrument_mismatch", "adopted_instruments.form_b") in faults(
        groups=groups, adopted_instruments={"form_b": issued_form()}
    )


def test_a_draft_that_the_scheme_does_not_name_is_a_warning() -> None:
    groups = [{"group": "parent", "instruments": {"all": "parents"}}]
    plan = read(scheme="preschool_2020_henan", groups=groups, lists={})

    assert "plan.instrument_not_of_scheme" in [warning.code for warning in lint(scheme_of(plan), plan)]
