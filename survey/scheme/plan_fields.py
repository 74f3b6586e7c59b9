"""The set-up's fields and the plan's document: what typed text stands for, and back again.

Fields are text. What is empty takes what the scheme or the county gives; a number that cannot be
read stays the text it was, so that the plan's own reading names it beside its field.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from survey import canonical
from survey.errors import Fault, FaultsError
from survey.scheme.marks import adopt, unverified
from survey.scheme.plan import ALL, Plan
from survey.scheme.plan_form import OWN, default_title, default_wave, forms_for
from survey.scheme.presets import ORDER, load_scheme, read_scheme
from survey.scheme.scheme import Scheme
from survey.scheme.texts import known_languages

FIRST_DAYS = 7
PUBLISHED_AFTER = 15
APPROVAL = ("form_no", "approval_no", "valid_until", "made_by", "approved_by")


def first_fields(today: date, base_url: str) -> dict[str, str]:
    """What stands in the fields before anybody has typed: dates, all groups, sensible choices."""
    scheme = load_scheme(ORDER[0])
    opens_on = (today + timedelta(days=FIRST_DAYS)).isoformat()
    return {
        "scheme": scheme.id,
        "opens_on": opens_on,
        **usual_dates(opens_on, scheme),
        "base_url": base_url,
        "sealed": "1",
        **{f"lang.{one.code}": "1" for one in known_languages() if one.shipped},
        **group_fields(scheme, {}),
    }


def usual_dates(opens_on: str, scheme: Scheme) -> dict[str, str]:
    """When a wave that opens then would close and be published, as the scheme usually has it."""
    try:
        opens = date.fromisoformat(opens_on)
    except ValueError:
        return {}
    closes = opens + timedelta(days=scheme.days_open.get("usual", FIRST_DAYS) - 1)
    return {
        "closes_on": closes.isoformat(),
        "results_on": (closes + timedelta(days=PUBLISHED_AFTER)).isoformat(),
    }


def group_fields(scheme: Scheme, issued: Mapping[str, str]) -> dict[str, str]:
    """Who is asked with what, as the scheme would have it; a group without a frame is left out."""
    fields: dict[str, str] = {}
    for group in scheme.groups:
        drafts = scheme.drafts(group.id)
        forms = [name for name in forms_for(group.id, issued) if name in drafts or name in issued]
        fields[f"form.{group.id}"] = "full"
        fields[f"mode.{group.id}"] = "open" if group.reached_by == "open_link" else "slip"
        if group.reached_by != "phone" or len(scheme.groups) == 1:
            fields[f"ask.{group.id}"] = "1"
        if group.id == "student":
            fields["from_grade.student"] = str(max(group.from_grade or 4, 4))
            young, old = "students_g4_6", "students_g7_9"
            stages = {"primary": young, "nine_year": young, "junior": old}
            fields |= {f"instrument.student.{stage}": name for stage, name in stages.items() if name in forms}
        elif forms:
            fields[f"instrument.{group.id}.{ALL}"] = (
                forms[-1] if group.id in ("deputy", "cppcc") else forms[0]
            )
    if scheme.size.census:
        fields["population.year"] = str(scheme.size.census)
    return fields


def fields_from(plan: Plan) -> dict[str, str]:
    """The fields that would give this plan, to change it or to begin another like it."""
    fields = {
        name: str(getattr(plan, name))
        for name in (
            *("wave", "title", "county", "county_code", "office", "telephone", "scheme", "base_url"),
            *("opens_on", "closes_on", "results_on", "minimum_count", "emblem"),
        )
    }
    fields["sealed"] = "1" if plan.sealed else "0"
    fields["spares"] = str(plan.spares) if plan.spares else ""
    for name in ("demonstration", "break_off", "pass_with_class_b"):
        fields[name] = "1" if getattr(plan, name) else ""
    if plan.population is not None:
        for name in ("count", "year", "source"):
            fields[f"population.{name}"] = str(getattr(plan.population, name))
    for name in (
        "expected_response",
        "expected_rate",
        "rho",
        "half_width",
        "schools_per_stratum",
        "slips_per_school",
    ):
        value = getattr(plan.sample, name)
        fields[f"sample.{name}"] = "" if value is None else str(value)
    if plan.approval is not None:
        fields |= {f"approval.{name}": getattr(plan.approval, name) for name in APPROVAL}
    fields |= {f"lists.{group}": str(number) for group, number in plan.lists.items()}
    fields |= {f"lang.{code}": "1" for code in plan.languages}
    fields |= {f"place_shares.{place}": share for place, share in (plan.place_shares or {}).items()}
    fields |= {f"confirm.{path}": person for path, person in plan.confirmed.items()}
    fields["confirm.person"] = next(iter(plan.confirmed.values()), "")
    for entry in plan.groups:
        fields |= {
            f"ask.{entry.group}": "1",
            f"form.{entry.group}": entry.form,
            f"mode.{entry.group}": entry.mode,
        }
        fields |= {f"instrument.{entry.group}.{stage}": name for stage, name in entry.instruments.items()}
        fields[f"everybody.{entry.group}"] = "1" if plan.asks_whole(entry.group) else ""
        if entry.from_grade is not None:
            fields[f"from_grade.{entry.group}"] = str(entry.from_grade)
    if plan.adopted_scheme is not None:
        fields |= {"scheme": OWN, "adopted_scheme": canonical.encode(plan.adopted_scheme).decode()}
    if plan.adopted_instruments:
        fields["adopted_instruments"] = canonical.encode(plan.adopted_instruments).decode()
    return {name: value for name, value in fields.items() if value}


def issued_forms(fields: Mapping[str, str]) -> dict[str, str]:
    """Id and respondent group of the forms a person has handed in."""
    return {
        name: str(document.get("respondent_group", ""))
        for name, document in _stored(fields, "adopted_instruments").items()
    }


def scheme_of_fields(fields: Mapping[str, str]) -> Scheme:
    """The scheme chosen, without a person's changes to it; the first preset while none is."""
    if fields.get("scheme") == OWN and fields.get("adopted_scheme"):
        return read_scheme(_stored(fields, "adopted_scheme"))
    return load_scheme(fields["scheme"] if fields.get("scheme") in ORDER else ORDER[0])


def _stored(fields: Mapping[str, str], name: str) -> dict[str, Any]:
    text = fields.get(name, "")
    return dict(canonical.decode(text.encode())) if text else {}


def scheme_with_changes(fields: Mapping[str, str]) -> tuple[Scheme, tuple[Fault, ...]]:
    """The scheme with a person's changes, and what is wrong with the changes."""
    scheme = scheme_of_fields(fields)
    changes, faults = _changes(fields, scheme)
    if not changes or faults:
        return scheme, faults
    first, _, last = scheme.version.rpartition(".")
    version = f"{first}.{int(last) + 1}"
    try:
        person, reason = text_of(fields, "figure.person"), text_of(fields, "figure.reason")
        return adopt(scheme, version, changes, person, reason), ()
    except FaultsError as refusal:
        return scheme, tuple(
            Fault(one.code, one.problem, one.remedy, item=one.item or "figure.dont_know")
            for one in refusal.faults
        )


def _changes(fields: Mapping[str, str], scheme: Scheme) -> tuple[dict[str, Any], tuple[Fault, ...]]:
    changes: dict[str, Any] = {}
    dont_know, weights = fields.get("figure.dont_know", ""), fields.get("figure.group_weights", "")
    edge, threshold = fields.get("figure.edge", ""), _share(fields.get("figure.threshold", ""))
    words = text_of(fields, "figure.in_words")
    if dont_know and dont_know != scheme.answers.dont_know:
        changes["answers.dont_know"] = dont_know
    if weights and weights != scheme.figure.group_weights:
        changes["figure.group_weights"] = weights
    counted = bool(changes)
    line = scheme.requirement.line
    faults = []
    if edge == "none" and line is not None:
        changes["requirement.line"] = "none_found"
    elif edge in ("at_least", "above") or threshold:
        wanted = (edge or (line.edge if line else "at_least"), threshold or (line.threshold if line else ""))
        if not wanted[1]:
            faults.append(Fault("plan.empty", "没有写要求多少", "写上，如0.85", item="figure.threshold"))
        elif line is None or wanted != (line.edge, line.threshold):
            changes["requirement.line"] = {wanted[0]: wanted[1]}
    if words and words != scheme.in_words():
        changes["figure.in_words.zh"] = words
    elif counted:
        faults.append(
            Fault(
                "plan.words_unchanged", "算法改了，口径的文字没有改", "写成改后的样子", item="figure.in_words"
            )
        )
    if changes:
        faults += [
            Fault("plan.empty", f"改了算法，没有写{words}", "写上", item=name)
            for name, words in (("figure.person", "谁决定的"), ("figure.reason", "为什么"))
            if not text_of(fields, name)
        ]
    return changes, tuple(faults)


def document_of(fields: Mapping[str, str], scheme: Scheme, taken: Collection[str]) -> dict[str, Any]:
    """The plan's document; a number that cannot be read stays text, so that the plan names it."""
    document: dict[str, Any] = {
        name: text
        for name in (
            *("county", "county_code", "office", "telephone", "base_url"),
            *("opens_on", "closes_on", "results_on", "emblem"),
        )
        if (text := text_of(fields, name))
    }
    document["scheme"] = scheme.id
    for name, text in (
        ("title", text_of(fields, "title") or default_title(scheme, fields)),
        ("wave", text_of(fields, "wave") or _free(default_wave(fields), taken)),
    ):
        if text:
            document[name] = text
    if scheme.status == "adopted" or fields.get("scheme") == OWN:
        document["adopted_scheme"] = dict(scheme.document)
    if issued := _stored(fields, "adopted_instruments"):
        document["adopted_instruments"] = issued
    document["groups"] = list(_groups(fields, scheme))
    asked = [entry["group"] for entry in document["groups"]]
    document["everybody"] = [group for group in asked if fields.get(f"everybody.{group}")]
    document["languages"] = [one.code for one in known_languages() if fields.get(f"lang.{one.code}")]
    document["confirmed"] = dict(confirmed(fields, scheme))
    document["sealed"] = fields.get("sealed", "1") != "0"
    for name in ("demonstration", "break_off", "pass_with_class_b"):
        document[name] = bool(fields.get(name))
    for name in ("minimum_count", "spares"):
        if text := text_of(fields, name):
            document[name] = _number(text)
    if scheme.size.needs_population and any(
        text_of(fields, f"population.{one}") for one in ("count", "source")
    ):
        numbers = {one: _number(text_of(fields, f"population.{one}")) for one in ("count", "year")}
        document["population"] = {**numbers, "source": text_of(fields, "population.source")}
    document["lists"] = {
        group: _number(text) for group in asked if (text := text_of(fields, f"lists.{group}"))
    }
    shares = {
        place: _share(text)
        for place in ("urban", "town", "rural")
        if (text := text_of(fields, f"place_shares.{place}"))
    }
    if shares:
        document["place_shares"] = shares
    document["sample"] = {
        **{
            one: _share(text)
            for one in ("expected_response", "expected_rate", "rho", "half_width")
            if (text := text_of(fields, f"sample.{one}"))
        },
        **{
            one: _number(text)
            for one in ("schools_per_stratum", "slips_per_school")
            if (text := text_of(fields, f"sample.{one}"))
        },
    }
    approval = {name: text_of(fields, f"approval.{name}") for name in APPROVAL}
    if any(approval.values()):
        document["approval"] = approval
    return document


def _groups(fields: Mapping[str, str], scheme: Scheme) -> Iterator[dict[str, Any]]:
    for group in scheme.groups:
        if not fields.get(f"ask.{group.id}"):
            continue
        start = f"instrument.{group.id}."
        entry: dict[str, Any] = {
            "group": group.id,
            "instruments": {
                name.removeprefix(start): value
                for name, value in fields.items()
                if name.startswith(start) and value
            },
            "form": fields.get(f"form.{group.id}") or "full",
            "mode": fields.get(f"mode.{group.id}") or "slip",
        }
        if grade := text_of(fields, f"from_grade.{group.id}"):
            entry["from_grade"] = _number(grade)
        yield entry


def confirmed(fields: Mapping[str, str], scheme: Scheme) -> Iterator[tuple[str, str]]:
    person = text_of(fields, "confirm.person")
    for mark in unverified(scheme, {}):
        value = fields.get(f"confirm.{mark.of}", "")
        if name := (person if value == "1" else value):
            yield mark.of, name


def _free(name: str, taken: Collection[str]) -> str:
    """The name, or the first with a number behind it that nobody has."""
    found, number = name, 1
    while name and found in taken:
        number += 1
        found = f"{name}-{number}"
    return found


def text_of(fields: Mapping[str, str], name: str) -> str:
    """What a field holds, in NFC without blanks at its ends."""
    return unicodedata.normalize("NFC", fields.get(name, "")).strip()


def _number(text: str) -> int | str:
    """The number a person typed, full-width or with separators; what is no number stays text."""
    plain = unicodedata.normalize("NFKC", text).replace(",", "").replace(" ", "")
    return int(plain) if plain.isascii() and plain.isdecimal() and len(plain) < 16 else text


def _share(text: str) -> str:
    """A share as the plan writes it: 65% is 0.65; what is no share stays as it was typed."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if not plain.endswith("%"):
        return plain
    try:
        return format((Decimal(plain[:-1].strip()) / 100).normalize(), "f")
    except InvalidOperation:
        return plain
