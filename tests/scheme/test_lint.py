from __future__ import annotations

from typing import Any

import msgspec
import pytest

from survey import canonical
from survey.scheme.lint import lint, lint_draft, parts_and_total_disagree
from survey.scheme.marks import UnknownPathError, adopt, mark_of, values
from survey.scheme.plan import Plan, example_plan_text, read_plan, scheme_of
from survey.scheme.presets import list_schemes, load_scheme, read_scheme
from survey.scheme.scheme import Scheme


def changed(path: str, value: Any, scheme: str = "self_monitoring") -> Scheme:
    return adopt(load_scheme(scheme), "1.0.1", {path: value}, "王某", "试验")


def codes(scheme: Scheme, *more: Any) -> list[str]:
    return [warning.code for warning in lint(scheme, *more)]


@pytest.mark.parametrize("name", list_schemes())
def test_a_preset_raises_exactly_the_warnings_it_expects(name: str) -> None:
    scheme = load_scheme(name)

    assert sorted(set(codes(scheme))) == sorted(scheme.document["warnings_expected"])


@pytest.mark.parametrize("name", list_schemes())
def test_every_value_of_a_preset_is_reached_by_a_mark(name: str) -> None:
    scheme = load_scheme(name)

    assert [path for path, _ in values(scheme) if mark_of(scheme, path) is None] == []


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("figure.official_formula", "not_found", "scheme.official_formula_not_found"),
        ("figure.in_words.zh", "非常满意 ÷ 有效份数", "scheme.middle_option_unsaid"),
        ("selection.schools_choose", True, "scheme.school_chooses"),
        ("figure.group_weights", {"parent": "0.5", "student": "0.4"}, "scheme.weights_do_not_sum"),
        ("allocation.shares", [{"groups": ["parent"], "at_least": "0.6"}, {"groups": ["student"], "exactly": "0.5"}], "scheme.shares_do_not_fit"),
        ("allocation.shares", [{"groups": ["parent"], "exactly": "0.5"}], "scheme.shares_do_not_fit"),
        ("requirement.grades", [{"zh": "好", "en": "good", "at_least": "0.85"}, {"zh": "差", "en": "bad", "below": "0.8"}], "scheme.grades_overlap"),
        ("requirement.grades", [{"zh": "好", "en": "good", "at_least": "0.8"}, {"zh": "差", "en": "bad", "at_most": "0.8"}], "scheme.grades_overlap"),
        ("fieldwork.days_open.usual", 3, "scheme.window_short"),
        ("title.zh", "国家认定满意度调查", "scheme.national_claim"),
    ],
)  # fmt: skip
def test_one_change_raises_its_own_warning(path: str, value: Any, code: str) -> None:
    assert code in codes(changed(path, value))


def test_points_of_the_worst_option_name_the_lowest_figure() -> None:
    table = {
        "very_satisfied": 100,
        "fairly_satisfied": 80,
        "so_so": 60,
        "not_very_satisfied": 40,
        "very_dissatisfied": 20,
    }
    scheme = changed(
        "answers.scales", {"sat5": {"satisfied": ["very_satisfied", "fairly_satisfied"], "points": table}}
    )

    (warning,) = [w for w in lint(scheme) if w.code == "scheme.worst_option_scores"]
    assert "20.00%" in warning.text


def test_a_point_table_that_forgets_an_option_is_noticed() -> None:
    scheme = changed(
        "answers.scales",
        {"sat3": {"satisfied": ["satisfied"], "points": {"satisfied": 100, "dissatisfied": 0}}},
    )

    assert "scheme.option_unread" in codes(scheme)


def test_a_mean_called_a_rate_is_noticed() -> None:
    document = canonical.decode(canonical.encode(load_scheme("basic_balance_guangdong").document))
    document["figure"]["formula"] = "points_mean"
    document["answers"]["scales"]["sat3"]["points"] = "even"

    assert "scheme.mean_called_rate" in codes(read_scheme(document))


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ([{"below": 200000, "forms": 200}, {"above": 200000, "forms": 300}], "scheme.steps_gap"),
        ([{"at_most": 200000, "forms": 200}, {"at_least": 200000, "forms": 300}], "scheme.steps_overlap"),
        (
            [{"below": 200000, "forms": 200}, {"at_least": 200000, "below": 300000, "forms": 300}],
            "scheme.steps_gap",
        ),
    ],
)
def test_steps_must_hold_every_population_once(steps: list[dict[str, int]], code: str) -> None:
    document = {"sample_size": {"rule": "steps", "steps": steps}}

    assert [w.code for w in lint_draft(document)] == [code]


def test_a_rate_beside_steps_is_noticed() -> None:
    document = {"sample_size": {"per_thousand": "1.5", "steps": [{"at_least": 0, "forms": 200}]}}

    assert [w.code for w in lint_draft(document)] == ["scheme.steps_and_rate"]


@pytest.mark.parametrize("line", ["85%以上", "高于85%"])
def test_a_line_typed_as_words_has_not_chosen_its_edge(line: str) -> None:
    assert [w.code for w in lint_draft({"requirement": {"line": line}})] == ["scheme.edge_unsaid"]


def test_dont_know_without_a_rule_is_noticed_in_a_draft() -> None:
    assert [w.code for w in lint_draft({"answers": {"scales": {"sat5": {}}}})] == ["scheme.dont_know_unset"]


def test_only_volunteers_is_another_warning_than_some() -> None:
    scheme = load_scheme("duties_evaluation_county")
    groups = [{**group, "reached_by": "open_link"} for group in scheme.document["respondent_groups"]]
    document = {**scheme.document, "respondent_groups": groups}

    assert "scheme.volunteers_mixed" in codes(scheme)
    assert "scheme.volunteers_only" in codes(read_scheme(document))


def plan_with(**changes: str) -> Plan:
    text = example_plan_text()
    for change in changes.values():
        old, new = change.split("=>")
        assert old in text
        text = text.replace(old, new)
    return read_plan(text)


def test_the_sample_county_raises_only_what_is_always_printed() -> None:
    plan = read_plan(example_plan_text())

    assert codes(scheme_of(plan), plan) == ["scheme.official_formula_not_found"]


def test_an_unconfirmed_value_is_named_with_its_path() -> None:
    plan = plan_with(one="  figure.official_formula: 演示=>")

    assert [w.path for w in lint(scheme_of(plan), plan) if w.code == "scheme.value_unverified"] == [
        "figure.official_formula"
    ]


def test_a_confirmation_of_nothing_or_by_nobody_is_noticed() -> None:
    plan = plan_with(one="  figure.official_formula: 演示=>  figure.formula: 演示")
    nobody = plan_with(one="  figure.official_formula: 演示=>  figure.official_formula: ' '")

    assert ("plan.nothing_to_confirm", "confirmed.figure.formula") in [
        (w.code, w.path) for w in lint(scheme_of(plan), plan)
    ]
    assert "scheme.value_unverified" in codes(scheme_of(nobody), nobody)


def test_a_short_window_a_long_host_and_no_approval_are_warnings() -> None:
    plan = plan_with(
        a="closes_on: 2026-12-05=>closes_on: 2026-11-26",
        b="http://127.0.0.1:8000=>https://manyidu.jiaoyu.example.gov.cn",
        c="demonstration: true=>demonstration: false",
        d="sealed: true=>sealed: false",
    )

    assert {"scheme.window_short", "plan.host_long", "scheme.approval_missing", "plan.not_sealed"} <= set(
        codes(scheme_of(plan), plan)
    )


def test_a_quota_beyond_the_frame_is_named() -> None:
    plan = read_plan(example_plan_text())

    found = [
        w
        for w in lint(scheme_of(plan), plan, {"principal": 56}, {"principal": 60})
        if w.code == "scheme.group_cannot_fill"
    ]
    assert "56" in found[0].text


def test_schools_whose_pupils_have_no_instrument_are_noticed() -> None:
    plan = read_plan(example_plan_text())

    found = lint(scheme_of(plan), plan, frame_stages={"primary", "nine_year"})
    assert [(w.code, w.path) for w in found if w.code == "plan.stage_not_asked"] == [
        ("plan.stage_not_asked", "groups.student")
    ]


def test_published_parts_that_do_not_give_their_total_are_noticed() -> None:
    parts = {"教师": (3200, "92.1"), "学生": (6500, "87.5"), "家长": (1868, "78.6")}

    assert parts_and_total_disagree(parts, "85.3").code == "report.parts_and_total_disagree"
    assert parts_and_total_disagree(parts, "87.3") is None
    assert parts_and_total_disagree(parts, "86.0") is None


def test_a_changed_value_becomes_chosen_with_name_and_reason() -> None:
    scheme = changed("requirement.line", {"at_least": "0.80"}, "quality_balance_2017")

    mark = mark_of(scheme, "requirement.line.at_least")
    assert (mark.mark, mark.note, scheme.status) == ("chosen", "王某：试验", "adopted")
    assert scheme.digest != load_scheme("quality_balance_2017").digest


def test_a_path_that_leads_nowhere_is_refused() -> None:
    with pytest.raises(UnknownPathError, match=r"figure\.colour"):
        changed("figure.colour", "red")


def test_asking_everybody_says_what_it_costs() -> None:
    plan = msgspec.structs.replace(read_plan(example_plan_text()), everybody=("parent", "deputy"))
    told = [one for one in lint(scheme_of(plan), plan, {"parent": 31204}) if one.code == "plan.everybody"]

    assert [one.path for one in told] == ["groups.parent", "groups.deputy"]
    assert "要印31204张纸条" in told[0].text and "每人一张纸条" in told[1].text
