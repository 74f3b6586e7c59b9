from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from survey import canonical
from survey.errors import FaultsError
from survey.scheme.presets import UnknownSchemeError, list_schemes, load_scheme, read_scheme
from survey.scheme.scheme import Line, UnknownGroupError


def changed(scheme: str, **sections: dict[str, Any]) -> dict[str, Any]:
    document = canonical.decode(canonical.encode(load_scheme(scheme).document))
    for section, values in sections.items():
        document[section].update(values)
    return document


@pytest.mark.parametrize("name", list_schemes())
def test_every_preset_reads_and_keeps_its_digest_through_storage(name: str) -> None:
    scheme = load_scheme(name)
    stored = canonical.decode(canonical.encode(scheme.document))

    assert read_scheme(stored).digest == scheme.digest
    assert scheme.id == name
    assert scheme.status == "preset"


@pytest.mark.parametrize("name", list_schemes())
def test_every_typed_view_of_a_preset_can_be_taken(name: str) -> None:
    scheme = load_scheme(name)

    assert scheme.size and scheme.allocation and scheme.figure and scheme.requirement and scheme.answers
    assert "某区教育督导室" in scheme.must_say("某区教育督导室")
    assert "不是国家组织的认定调查" in scheme.must_say("某区教育督导室")


def test_there_are_thirteen_presets() -> None:
    assert len(list_schemes()) == 13


def test_an_unknown_preset_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(UnknownSchemeError, match="quality_balance_2017"):
        load_scheme("../../etc/passwd")


def test_a_missing_formula_is_named_and_nothing_else() -> None:
    document = changed("quality_balance_2017")
    del document["figure"]["formula"]

    with pytest.raises(FaultsError) as refusal:
        read_scheme(document)

    assert [fault.item for fault in refusal.value.faults] == ["figure.formula"]
    assert "quality_balance_2017" in str(refusal.value)


def test_a_missing_figure_is_named() -> None:
    document = changed("quality_balance_2017")
    del document["figure"]

    with pytest.raises(FaultsError) as refusal:
        read_scheme(document)

    assert [fault.item for fault in refusal.value.faults] == ["figure"]


def test_a_scheme_that_does_not_say_it_is_not_national_is_refused() -> None:
    document = changed(
        "self_monitoring", purpose={"must_say": {"zh": "国家组织的调查", "en": "national survey"}}
    )

    with pytest.raises(FaultsError) as refusal:
        read_scheme(document)

    assert {fault.item for fault in refusal.value.faults} == {"purpose.must_say.zh", "purpose.must_say.en"}


def test_faults_of_a_scheme_come_all_at_once() -> None:
    document = changed(
        "self_monitoring", selection={"who_draws": "school"}, returns={"valid_share_at_least": "1.5"}
    )
    document["foo"] = 1

    with pytest.raises(FaultsError) as refusal:
        read_scheme(document)

    assert len(refusal.value.faults) == 3


def test_limits_are_compared_exactly() -> None:
    good = changed("self_monitoring", requirement={"line": {"at_least": "1.0"}})
    bad = changed("self_monitoring", requirement={"line": {"at_least": "1.00000000000000000001"}})

    assert read_scheme(good).requirement.line == Line("at_least", "1.0")
    with pytest.raises(FaultsError):
        read_scheme(bad)


def test_a_scale_nobody_defined_is_a_fault() -> None:
    document = changed(
        "self_monitoring", answers={"scales": {"sat9": {"satisfied": []}, "sat5": {"satisfied": ["great"]}}}
    )

    with pytest.raises(FaultsError) as refusal:
        read_scheme(document)

    assert [fault.code for fault in refusal.value.faults] == ["scheme.unknown_scale", "scheme.unknown_option"]


def test_a_share_cannot_put_dont_know_in_the_middle() -> None:
    with pytest.raises(FaultsError, match="不能放在中间"):
        read_scheme(changed("self_monitoring", answers={"dont_know": "middle"}))


@pytest.mark.parametrize("text", ["", "[]", "42", "方案", "null"])
def test_what_is_no_scheme_at_all_is_refused_kindly(text: str) -> None:
    with pytest.raises(FaultsError):
        read_scheme(text)


def test_quality_balance_reads_as_the_rules_say() -> None:
    scheme = load_scheme("quality_balance_2017")

    assert scheme.size.per_thousand == Fraction(3, 2)
    assert scheme.size.counts == "valid_forms"
    assert scheme.allocation.shares[0].groups == ("parent",)
    assert scheme.allocation.shares[0].share == Fraction(1, 2)
    assert scheme.allocation.about_equal == (
        ("deputy", "cppcc"),
        ("principal", "teacher"),
        ("student",),
        ("public",),
    )
    assert scheme.allocation.bands[2].grades == (7, 8, 9)
    assert scheme.requirement.veto
    assert scheme.drafts("principal") == ("principals", "teachers")
    assert scheme.group("student").from_grade == 3


def test_a_group_that_is_not_asked_is_refused_by_name() -> None:
    with pytest.raises(UnknownGroupError, match="student"):
        load_scheme("basic_balance_2012").group("student")


def test_the_edge_of_the_line_decides_at_exactly_85_percent() -> None:
    line = Fraction(85, 100)

    assert load_scheme("quality_balance_2017").requirement.line.reached(line)
    assert not load_scheme("preschool_2020_henan").requirement.line.reached(line)
    assert load_scheme("preschool_2020_henan").requirement.line.reached(line + Fraction(1, 10**30))


def test_grades_meet_at_their_edges() -> None:
    requirement = load_scheme("basic_balance_2012").requirement

    assert requirement.grade(Fraction(85, 100)).zh == "满意"
    assert requirement.grade(Fraction(8499, 10000)).zh == "基本满意"
    assert requirement.grade(Fraction(70, 100)).zh == "基本满意"
    assert requirement.grade(Fraction(0)).zh == "不满意"


@pytest.mark.parametrize(
    ("population", "forms"), [(199_999, 200), (200_000, 300), (999_999, 900), (1_000_000, 1000)]
)
def test_the_steps_of_henan_hold_each_population_once(population: int, forms: int) -> None:
    steps = [step for step in load_scheme("preschool_2020_henan").size.steps if step.holds(population)]

    assert [step.forms for step in steps] == [forms]


def test_package_data_is_what_was_shared(shared: Path) -> None:
    folder = shared / "schemes"

    for name in list_schemes():
        assert read_scheme((folder / f"{name}.yaml").read_bytes()).digest == load_scheme(name).digest
