"""Whatever is put into a plan, a scheme or an instrument: a value or faults, never a traceback."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from survey import canonical
from survey.errors import FaultsError
from survey.scheme.instrument import Instrument, read_instrument
from survey.scheme.lint import lint, lint_draft
from survey.scheme.plan import Plan, example_plan_text, instrument_of, plan_document, read_plan, scheme_of
from survey.scheme.presets import load_scheme, read_scheme
from survey.scheme.scheme import Scheme
from survey.scheme.yaml_text import read_plain

PLAN = plan_document(read_plan(example_plan_text()))
SCHEME = load_scheme("quality_balance_2017").document
FORM = read_plain(
    (Path(__file__).parent.parent / "instruments" / "shows_an_item_after_yes.yaml").read_bytes(), "问卷"
)

junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(max_size=12)
    | st.sampled_from(["0.85", "-0.0", "1e9", "parent", "sat5", "../..", "𠮷" * 30, "NaN", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, child in children:
        found += paths(child, (*path, key))
    return found


def changed(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    document = copy.deepcopy(document)
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    if value == "DROP" and isinstance(inner, dict):
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return document


def test_a_plan_with_anything_in_it_is_read_or_refused() -> None:
    places = paths(PLAN)

    @settings(max_examples=150, deadline=None)
    @given(st.sampled_from(places), junk | st.just("DROP"))
    def read(path: tuple[Any, ...], value: Any) -> None:
        try:
            plan = read_plan(canonical.encode(changed(PLAN, path, value)))
        except FaultsError as refusal:
            assert str(refusal) and all(fault.code and fault.remedy for fault in refusal.faults)
            return
        assert isinstance(plan, Plan)
        assert read_plan(canonical.encode(plan_document(plan))) == plan
        for entry in plan.groups:
            instrument_of(plan, scheme_of(plan), entry.group, "primary")
        lint(scheme_of(plan), plan)

    read()


def test_a_scheme_with_anything_in_it_is_read_or_refused() -> None:
    places = [path for path in paths(SCHEME) if path[0] not in ("marks", "sources", "not_known")]

    @settings(max_examples=150, deadline=None)
    @given(st.sampled_from(places), junk | st.just("DROP"))
    def read(path: tuple[Any, ...], value: Any) -> None:
        document = changed(SCHEME, path, value)
        try:
            scheme = read_scheme(document)
        except FaultsError as refusal:
            assert refusal.faults and str(refusal)
            return
        assert isinstance(scheme, Scheme)
        assert scheme.size and scheme.allocation and scheme.figure and scheme.requirement and scheme.answers
        lint(scheme)

    read()


def test_an_instrument_with_anything_in_it_is_read_or_refused() -> None:
    places = paths(FORM)

    @settings(max_examples=150, deadline=None)
    @given(st.sampled_from(places), junk | st.just("DROP"))
    def read(path: tuple[Any, ...], value: Any) -> None:
        try:
            instrument = read_instrument(canonical.encode(changed(FORM, path, value)))
        except FaultsError as refusal:
            assert refusal.faults and str(refusal)
            return
        assert isinstance(instrument, Instrument) and len(instrument.digest) == 64

    read()


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    for reader in (read_plan, read_scheme, read_instrument):
        with pytest.raises(FaultsError):
            reader(text)


@given(st.dictionaries(st.sampled_from(["answers", "requirement", "sample_size", "figure"]), junk))
def test_a_half_written_scheme_may_be_looked_at(document: dict[str, Any]) -> None:
    lint_draft(document)


@pytest.mark.parametrize("n", [10, 10_000])
def test_a_file_of_nothing_but_openings_is_refused(n: int) -> None:
    for opening in ("[", "{a: ", "- ", "'"):
        with pytest.raises(FaultsError):
            read_plan(opening * n)


def test_the_example_plan_is_plain_yaml_too() -> None:
    assert yaml.safe_load(example_plan_text())["wave"] == "yuntai-2026-autumn"
