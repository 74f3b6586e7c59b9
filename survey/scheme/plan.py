"""A plan: one wave of a survey in one county, decided before anybody is asked.

It enters as YAML or JSON, written by hand or by the console, and leaves as a frozen value
with a canonical document and a digest. Every mistake is reported at once, beside its field.
Decimals are text throughout; the scheme may be a preset named by its id, or an adopted
scheme carried inside the plan, so that a plan is complete by itself.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Any, Literal

import msgspec

from survey import canonical
from survey.errors import FaultsError
from survey.scheme.instrument import Form, Instrument, load_instrument, read_instrument
from survey.scheme.presets import load_scheme, read_scheme
from survey.scheme.reading import resolve_scale
from survey.scheme.scales import Scale, load_scales
from survey.scheme.scheme import Scheme

TYPE = "survey/wave-plan/v1"
MOST_EMBLEM_SIGNS = 350_000
"""Of an emblem written as text: a picture of about 256 KB."""
MOST_SPARES = 50
LATER_FIELDS = ("emblem", "spares", "pass_with_class_b", "break_off", "everybody")
"""Fields that came after plans had been signed; left out of the document while they say nothing,
so that the digest of an older plan stays what it was."""
GROUPS = ("parent", "teacher", "principal", "student", "deputy", "cppcc", "public")
GROUP_LETTERS = {
    "parent": "P",
    "teacher": "T",
    "principal": "L",
    "student": "S",
    "deputy": "D",
    "cppcc": "C",
    "public": "G",
}
COUNTY_LISTS = ("principal", "deputy", "cppcc")
STAGES = ("kindergarten", "primary", "junior", "nine_year", "senior", "special")
ALL = "all"


class GroupPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How one respondent group is asked."""

    group: str
    instruments: dict[str, str]
    """Stage, or "all", to the instrument used there."""
    form: Literal["full", "short"] = "full"
    mode: Literal["slip", "quota", "open"] = "slip"
    from_grade: int | None = None

    def instrument_for(self, stage: str | None) -> str | None:
        """The instrument at a stage, None where the group is not asked there."""
        return self.instruments.get(stage or ALL) or self.instruments.get(ALL)


class Population(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Resident population, with the year and the source it was read from."""

    count: int
    year: int
    source: str


class SampleGoal(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is expected of the fieldwork, for the size of the sample."""

    expected_response: str = "0.65"
    expected_rate: str = "0.85"
    rho: str = "0.05"
    """Intraclass correlation of satisfaction within a school."""
    half_width: str | None = None
    schools_per_stratum: int | None = None
    """None: at least two, and enough that slips per school are sensible."""
    slips_per_school: int | None = None


class Approval(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The approval line of a statistical survey: 表号, 批准文号, 有效期限, 制表机关, 批准机关."""

    form_no: str
    approval_no: str
    valid_until: str
    made_by: str = ""
    approved_by: str = ""


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything decided about a wave before its sample is drawn."""

    wave: str
    title: str
    county: str
    county_code: str
    office: str
    telephone: str
    scheme: str
    groups: tuple[GroupPlan, ...]
    opens_on: date
    closes_on: date
    results_on: date
    base_url: str
    population: Population | None = None
    lists: dict[str, int] = {}
    """County lists: group to eligible persons; without `principal`, one for each school."""
    sample: SampleGoal = SampleGoal()
    sealed: bool = True
    minimum_count: int = 10
    demonstration: bool = False
    approval: Approval | None = None
    languages: tuple[str, ...] = ("zh", "en")
    confirmed: dict[str, str] = {}
    """Path of a mark to the person who confirmed its unverified value."""
    place_shares: dict[str, str] | None = None
    """Shares of the resident population in urban, town and rural places, as decimals."""
    adopted_scheme: dict[str, Any] | None = None
    """The document of a scheme of the county's own; its id is `scheme`."""
    adopted_instruments: dict[str, dict[str, Any]] = {}
    """Forms issued by a superior office, by their id: the files' documents."""
    emblem: str = ""
    """A small picture for posters and covers, as `data:image/png;base64,…`, JPEG or SVG."""
    break_off: bool = False
    """Count where forms are left unsent, by group and section."""
    spares: int = 0
    """Spare slips of each domain, printed with the others and kept at the bureau."""
    pass_with_class_b: bool = False
    """Whether answers by a quota poster may reach the line, given 200 call-backs (TRUST section 3)."""
    everybody: tuple[str, ...] = ()
    """Groups asked whole, or "all": every school is in and every eligible person gets a slip."""

    def group(self, group: str) -> GroupPlan | None:
        """The plan of a respondent group, None where it is not asked."""
        return next((entry for entry in self.groups if entry.group == group), None)

    def asks_whole(self, group: str) -> bool:
        """Whether everybody of a group is asked, and nobody is drawn."""
        return self.group(group) is not None and (group in self.everybody or ALL in self.everybody)

    @property
    def host(self) -> str:
        """The host people see and type, with its port where it has one."""
        return self.base_url.partition("://")[2].strip("/")


def scheme_of(plan: Plan) -> Scheme:
    """The scheme a plan follows: its own adopted one, or the preset it names."""
    return read_scheme(plan.adopted_scheme) if plan.adopted_scheme is not None else load_scheme(plan.scheme)


def instrument_of(plan: Plan, scheme: Scheme, group: str, stage: str | None) -> Instrument | None:
    """The instrument a group answers at a stage, in the plan's form and on the scheme's scale.

    A scheme that reads three options where the draft has five gets the draft's questions
    with its own options: the satisfaction scale is part of the scheme.

    Args:
        stage: of the school; None for a county list.

    Returns:
        None where the plan does not ask this group at this stage.
    """
    entry = plan.group(group)
    name = entry.instrument_for(stage) if entry else None
    if entry is None or name is None:
        return None
    known: frozenset[str] = frozenset() if entry.mode == "open" else frozenset({"respondent_group"})
    if name in plan.adopted_instruments:
        # An issued form keeps its own options: only our drafts take the scheme's.
        return _adopted(canonical.encode(plan.adopted_instruments[name]), scheme, entry.form, known)
    instrument = load_instrument(name, entry.form, known)
    return instrument.with_scale(scheme_scales(scheme, instrument))


@lru_cache(maxsize=64)
def _read(document: bytes, scheme: bytes) -> Instrument:
    own = read_scheme(canonical.decode(scheme)).answers.own_scales
    return read_instrument(document, {**load_scales(), **own})


def _adopted(document: bytes, scheme: Scheme, form: Form, known: frozenset[str]) -> Instrument:
    whole = _read(document, canonical.encode(scheme.document)).asked_of(known)
    return whole.short() if form == "short" else whole


def scheme_scales(scheme: Scheme, instrument: Instrument) -> dict[str, Scale]:
    """The scales to be exchanged so that the scheme can read every satisfaction item.

    >>> [s.id for s in scheme_scales(load_scheme("basic_balance_2012"), load_instrument("parents")).values()]
    ['sat3']
    """
    answers = scheme.answers
    changes = {}
    for item in instrument.items:
        if item.is_satisfaction and item.scale and item.scale not in answers.scales:
            child = item.scale.endswith("_child")
            fits = [name for name in answers.scales if name.endswith("_child") == child] or list(
                answers.scales
            )
            changes[item.scale] = resolve_scale(answers, fits[0])
    return changes


def read_plan(text: str | bytes) -> Plan:
    """The plan written in YAML or JSON.

    Raises:
        FaultsError: every fault at once: unreadable fields, dates that run backwards,
            unknown scheme, group, instrument or stage, empty words, a claim to be national.
    """
    from survey.scheme.plan_faults import plan_from

    plan, faults = plan_from(text)
    if plan is None or faults:
        raise FaultsError("调查计划", faults)
    return plan


def plan_document(plan: Plan) -> dict[str, Any]:
    """The plan as canonical JSON values: dates and decimals as text, nothing left out.

    >>> plan_document(read_plan(example_plan_text()))["closes_on"]
    '2026-12-05'
    """
    document = {"type": TYPE, **msgspec.to_builtins(plan)}
    return {key: value for key, value in document.items() if value or key not in LATER_FIELDS}


def plan_digest(plan: Plan) -> str:
    """SHA-256 of the plan's canonical document."""
    return canonical.digest(plan_document(plan))


def example_plan_text() -> str:
    """The plan of the sample county, as a person would write it."""
    from importlib.resources import files

    return (files("survey.scheme") / "data" / "plans" / "demo_county.yaml").read_text(encoding="utf-8")
