"""A plan from what was typed into the set-up pages: its faults and warnings, each beside its field.

Fields enter as text, half-written or wrong; a plan leaves once nothing is wrong any more. Before
that every fault names the field it stands at and its step. Nothing typed is ever changed here:
what an empty field stands for is filled in on the way.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from survey import canonical
from survey.errors import Fault
from survey.scheme.lint import lint
from survey.scheme.marks import unverified
from survey.scheme.plan import ALL, Plan
from survey.scheme.plan_faults import plan_from
from survey.scheme.plan_fields import confirmed, document_of, issued_forms, scheme_with_changes, text_of
from survey.scheme.plan_form import (
    all_fields,
)
from survey.scheme.scheme import Scheme


@dataclass(frozen=True)
class Placed:
    """A fault or a warning beside its field: the step, the field's name, and the words."""

    step: int
    field: str
    text: str
    remedy: str = ""
    code: str = ""


@dataclass(frozen=True)
class Reading:
    """What the fields amount to: a plan when nothing is wrong, else every fault in its place."""

    plan: Plan | None
    scheme: Scheme
    issued: Mapping[str, str]
    faults: tuple[Placed, ...]
    warnings: tuple[Placed, ...]

    def at(self, step: int, *, warnings: bool = False) -> tuple[Placed, ...]:
        """The faults, or the warnings, of one step."""
        return tuple(one for one in (self.warnings if warnings else self.faults) if one.step == step)


def read_fields(fields: Mapping[str, str], taken: Collection[str] = ()) -> Reading:
    """What the fields amount to.

    Args:
        taken: names of other waves, which this one cannot have.
    """
    scheme, own_faults = scheme_with_changes(fields)
    issued = issued_forms(fields)
    document = document_of(fields, scheme, taken)
    plan, faults = plan_from(canonical.encode(document))
    faults = (*own_faults, *faults, *_further(fields, taken, scheme))
    steps = all_fields(scheme, fields, issued)
    derived = {"title", "wave"} if {"county", "county_code"} - set(document) else set()
    placed = tuple(
        _placed(one.item or "", one, steps)
        for one in faults
        if not (one.code == "plan.missing" and one.item in derived)
    )
    guess = plan or _guessed(document, faults)
    warned = lint(scheme, guess) if guess is None or guess.scheme == scheme.id else ()
    order = {name: place for place, name in enumerate(steps)}
    missing = {one.field for one in placed}
    warnings = tuple(
        _place(one.path, one.text, "", one.code, steps)
        for one in warned
        if one.code != "scheme.value_unverified"
    )
    return Reading(
        None if faults else plan,
        scheme,
        issued,
        tuple(sorted(dict.fromkeys(placed), key=lambda one: (one.step, order.get(one.field, 0)))),
        tuple(one for one in dict.fromkeys(warnings) if one.field not in missing),
    )


def _further(fields: Mapping[str, str], taken: Collection[str], scheme: Scheme) -> Iterator[Fault]:
    """What only the set-up asks: a name that is free, and somebody behind every unverified value."""
    if (wave := text_of(fields, "wave")) in taken:
        yield Fault("plan.wave_taken", f"代号“{wave}”已经有别的调查在用", "换一个，或空着不填", item="wave")
    open_marks = unverified(scheme, dict(confirmed(fields, scheme)))
    if open_marks and any(fields.get(f"confirm.{mark.of}") == "1" for mark in open_marks):
        yield Fault("plan.empty", "勾了确认，没有写确认人", "写上确认人的姓名", item="confirm.person")
    for mark in open_marks:
        if fields.get(f"confirm.{mark.of}") != "1":
            yield Fault(
                "scheme.value_unverified",
                "还没有人确认",
                "对照文件核实，打勾并写确认人",
                item=f"confirm.{mark.of}",
            )


def _guessed(document: dict[str, Any], faults: Iterable[Fault]) -> Plan | None:
    """The plan as it would be if what is missing were there, so that warnings can be told early."""
    wrong = {(one.item or "").partition(".")[0] for one in faults}
    stand_in: dict[str, Any] = {
        "wave": "wave",
        "title": "调查",
        "county": "县",
        "county_code": "000000",
        "office": "办",
        "telephone": "1",
        "opens_on": "2026-01-01",
        "closes_on": "2026-01-10",
        "results_on": "2026-02-01",
        "base_url": "https://example.cn",
        "population": {"count": 1, "year": 2020, "source": "–"},
    }
    kept = {key: value for key, value in document.items() if key not in wrong}
    dates = {"opens_on", "closes_on", "results_on"}
    if dates & wrong:
        kept = {key: value for key, value in kept.items() if key not in dates}
    lists = {"deputy": 1, "cppcc": 1, **kept.get("lists", {})}
    asked = {entry["group"] for entry in kept.get("groups", ())}
    kept["lists"] = {group: number for group, number in lists.items() if group in asked}
    return plan_from(canonical.encode({**stand_in, **kept}))[0]


def _placed(item: str, fault: Fault, steps: Mapping[str, int]) -> Placed:
    return _place(item, fault.problem, fault.remedy, fault.code, steps)


def _place(item: str, text: str, remedy: str, code: str, steps: Mapping[str, int]) -> Placed:
    """The words with the field they stand at; what no field asks stands at the top of its step."""
    name = _field_of(item, code, steps)
    if code in ("plan.missing", "plan.empty", "plan.population_missing", "plan.list_missing"):
        text, remedy = (text if "没有写" in text else "还没有填"), ""
    if code == "plan.unreadable_field" and remedy.startswith("写成"):
        remedy = "" if name in steps else remedy
    return Placed(steps.get(name, 7), name, text, remedy, code)


OF_THE_FORM = (
    "plan.no_instrument",
    "plan.unknown_instrument",
    "plan.instrument_of_others",
    "plan.instrument_not_of_scheme",
    "plan.open_text_for_pupils",
)
_ELSEWHERE = {
    "population": "population.count",
    "sample_size": "population.count",
    "allocation": "place_shares.town",
    "place_shares": "place_shares.town",
    "selection": "mode.parent",
    "fieldwork": "closes_on",
    "answers": "formula",
    "requirement": "formula",
    "figure": "formula",
    "languages": "lang.zh",
    "approval": "approval.form_no",
    "confirmed": "confirm.person",
    "adopted_scheme": "scheme_file",
    "adopted_instruments": "instrument_file",
    "emblem": "emblem_file",
}


def _field_of(item: str, code: str, steps: Mapping[str, int]) -> str:
    if item in steps:
        return item
    parts = item.split(".")
    if parts[0] == "groups":
        group = parts[1] if len(parts) > 1 else ""
        closer = f"instrument.{group}.{ALL}" if code in OF_THE_FORM else ""
        if len(parts) > 2 or code == "plan.from_grade_missing":
            closer = f"from_grade.{group}"
        for name in (closer, f"ask.{group}"):
            if name in steps:
                return name
        return next((name for name in steps if name.startswith("ask.")), "scheme")
    if parts[0] == "everybody":
        return next((name for name in steps if name.startswith("everybody.")), "scheme")
    found = _ELSEWHERE.get(parts[0], "")
    return found if found in steps else next(iter(steps))
