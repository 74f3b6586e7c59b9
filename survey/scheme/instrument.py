"""An instrument: sections, items, response options and texts, versioned and digested.

A file enters, checked against its JSON Schema and resolved with its scales; an `Instrument`
leaves, in fixed order, complete enough that form, codebook, validation and paper are drawn
from it alone. The digest covers what a respondent meets: items, options, words, conditions
and form, so two waves with one digest asked the same thing. Items are never shuffled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, Literal

from survey import canonical
from survey.errors import Fault, FaultsError, SurveyError
from survey.scheme.scales import ResponseOption, Scale, load_scales, read_option
from survey.scheme.schema_check import schema_faults
from survey.scheme.yaml_text import read_plain

FILES = ("parents", "teachers", "principals", "students_g4_6", "students_g7_9", "public")
GRADE_THREE = "students_g3"
"""The pupils' draft with three steps, for grade 3 and pupils who read with difficulty."""
INSTRUMENTS = (*FILES, GRADE_THREE)
SATISFACTION = ("content", "overall")
Form = Literal["full", "short"]

PLACE_HOLDERS = frozenset({"county", "office"})
"""What a question may leave open: the county's name and the office that asks."""

_HOLE = re.compile(r"\{([a-z_]+)\}")

__all__ = [
    "Instrument",
    "Item",
    "ResponseOption",
    "Scale",
    "Section",
    "list_instruments",
    "load_instrument",
    "read_instrument",
]


class UnknownInstrumentError(SurveyError):
    """No instrument has this name."""

    code = "scheme.unknown_instrument"
    kind = "not_found"

    def __init__(self, instrument: str) -> None:
        super().__init__(f"问卷“{instrument}”", "没有这套问卷", f"可选：{'、'.join(INSTRUMENTS)}")


@dataclass(frozen=True)
class Item:
    """One question with everything needed to show, check and count it."""

    id: str
    role: Literal["content", "overall", "fact", "quality", "open", "background"]
    text: Mapping[str, str]
    hint: Mapping[str, str] | None
    object: Literal["county", "school", "self"]
    core: bool
    required: bool
    scale: str | None
    dimension: str | None
    areas: tuple[str, ...]
    kind: Literal["single", "multiple", "text"]
    options: tuple[ResponseOption, ...]
    max_chars: int | None
    faces: bool
    show_if: Mapping[str, Any] | None
    skip_if_known: str | None
    defines_group: bool
    default_off: bool

    @property
    def is_satisfaction(self) -> bool:
        """Whether the item carries the satisfaction scale and may enter a rate."""
        return self.role in SATISFACTION

    @property
    def answer_scale(self) -> Scale:
        """The options of the item as a scale, for a scheme's reading."""
        return Scale(self.scale or self.id, self.options, self.max_chars, self.faces)

    @cached_property
    def option_by_text(self) -> Mapping[str, ResponseOption]:
        """The options by what a form sends for them."""
        return {str(option.value): option for option in self.options}

    def option(self, value: int | str) -> ResponseOption:
        """The option stored as `value`."""
        return self.answer_scale.option(value)


@dataclass(frozen=True)
class Section:
    """Items under one heading."""

    id: str
    title: Mapping[str, str]
    note: Mapping[str, str] | None
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Instrument:
    """A questionnaire as a respondent meets it."""

    id: str
    version: str
    status: str
    respondent_group: str
    official_form: str
    layout: Literal["standard", "child"]
    minutes: int
    title: Mapping[str, str]
    intro: Mapping[str, str]
    sections: tuple[Section, ...]
    form: Form = "full"
    max_question_chars: int | None = None
    scale_by_grade: Mapping[str, str] | None = None

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """Every item in order."""
        return tuple(item for section in self.sections for item in section.items)

    @cached_property
    def always_asked(self) -> frozenset[str]:
        """The ids of the items that lie on everybody's path."""
        return frozenset(item.id for item in self.items if item.show_if is None)

    @cached_property
    def sometimes_asked(self) -> tuple[Item, ...]:
        """The other items, in order."""
        return tuple(item for item in self.items if item.show_if is not None)

    @cached_property
    def by_id(self) -> Mapping[str, Item]:
        """Items by id."""
        return {item.id: item for item in self.items}

    @cached_property
    def values_by_text(self) -> Mapping[str, Mapping[str, int | str]]:
        """For every single choice, by item id: the values by what a form sends for them."""
        return {
            item.id: {text: option.value for text, option in item.option_by_text.items()}
            for item in self.items
            if item.kind == "single"
        }

    @cached_property
    def required(self) -> frozenset[str]:
        """The ids of the items that must be answered where they are asked."""
        return frozenset(item.id for item in self.items if item.required)

    @property
    def overall_item(self) -> Item | None:
        """The single item for the headline rate."""
        return next((item for item in self.items if item.role == "overall"), None)

    @property
    def quality_item(self) -> Item | None:
        """The item that asks whether somebody told the person what to answer."""
        return next((item for item in self.items if item.role == "quality"), None)

    def document(self) -> dict[str, Any]:
        """The instrument as canonical JSON values: what the digest covers."""
        return {
            "type": "survey/instrument/v1",
            "id": self.id,
            "version": self.version,
            "form": self.form,
            "respondent_group": self.respondent_group,
            "layout": self.layout,
            "title": dict(self.title),
            "intro": dict(self.intro),
            "sections": [
                {
                    "id": section.id,
                    "title": dict(section.title),
                    "items": [_item_document(i) for i in section.items],
                }
                for section in self.sections
            ],
        }

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical document."""
        return canonical.digest(self.document())

    def short(self) -> Instrument:
        """The short form: core items, and whatever must be answered.

        >>> parents = load_instrument("parents")
        >>> len(list(parents.items)), len(list(parents.short().items))
        (27, 13)
        """
        return replace(self._keeping(lambda item: item.core or item.required), form="short")

    def asked_of(
        self, known: frozenset[str] = frozenset({"respondent_group"}), extras: bool = False
    ) -> Instrument:
        """Without items that ask what is known already, and without those that are off by default."""
        return self._keeping(
            lambda item: item.skip_if_known not in known and (extras or not item.default_off)
        )

    def with_scale(self, scales: Mapping[str, Scale]) -> Instrument:
        """The same questions with another set of options, `{"sat5": load_scale("sat3")}`."""
        if not scales:
            return self

        def change(item: Item) -> Item:
            if item.scale is None or item.scale not in scales or not item.is_satisfaction:
                return item
            scale = scales[item.scale]
            return replace(item, scale=scale.id, options=scale.options, faces=scale.faces)

        return replace(
            self,
            sections=tuple(replace(s, items=tuple(change(item) for item in s.items)) for s in self.sections),
        )

    def _keeping(self, keep: Any) -> Instrument:
        kept = ((section, tuple(item for item in section.items if keep(item))) for section in self.sections)
        return replace(
            self, sections=tuple(replace(section, items=items) for section, items in kept if items)
        )


def _item_document(item: Item) -> dict[str, Any]:
    document: dict[str, Any] = {
        "id": item.id,
        "role": item.role,
        "kind": item.kind,
        "object": item.object,
        "required": item.required,
        "scale": item.scale,
        "dimension": item.dimension,
        "text": dict(item.text),
        "options": [
            {"value": option.value, "key": option.key, "kind": option.kind, "text": dict(option.text)}
            for option in item.options
        ],
    }
    if item.hint:
        document["hint"] = dict(item.hint)
    if item.max_chars is not None:
        document["max_chars"] = item.max_chars
    if item.show_if:
        document["show_if"] = dict(item.show_if)
    return document


def list_instruments() -> tuple[str, ...]:
    """The names of the instruments that come with the product."""
    return INSTRUMENTS


@cache
def load_instrument(
    instrument: str,
    form: Form = "full",
    known: frozenset[str] = frozenset({"respondent_group"}),
    extras: bool = False,
) -> Instrument:
    """The shipped instrument as a slip-holder meets it.

    Args:
        instrument: its name, such as "parents".
        form: "full", or "short" for core items only.
        known: what the slip already tells; items with such a `skip_if_known` are left out.
            Pass an empty set for an open link, where the person states the capacity.
        extras: also the items that are off unless a wave asks for them.

    Raises:
        UnknownInstrumentError: no such instrument.

    >>> load_instrument("students_g7_9").overall_item.id
    'SB15'
    """
    if instrument not in INSTRUMENTS:
        raise UnknownInstrumentError(instrument)
    name = "students_g4_6" if instrument == GRADE_THREE else instrument
    text = (files("survey.scheme") / "data" / "questionnaires" / f"{name}.yaml").read_bytes()
    whole = read_instrument(text).asked_of(known, extras)
    if instrument == GRADE_THREE:
        grade_three = (whole.scale_by_grade or {})["3"]
        whole = replace(whole.with_scale({"sat5_child": load_scales()[grade_three]}), id=GRADE_THREE)
    return whole.short() if form == "short" else whole


def read_instrument(text: str | bytes, scales: Mapping[str, Scale] | None = None) -> Instrument:
    """The whole instrument written in YAML or JSON, every item, checked and resolved.

    Args:
        scales: scales by name; the shared ones unless given.

    Raises:
        FaultsError: all faults at once, each naming its item.
    """
    document = read_plain(text, "问卷")
    thing = f"问卷“{document['id']}”" if isinstance(document, dict) and "id" in document else "问卷"
    faults = schema_faults(document, "questionnaires", "questionnaire.schema.json", "instrument.invalid")
    if faults:
        raise FaultsError(thing, faults)
    known = load_scales() if scales is None else scales
    faults = tuple(_content_faults(document, known))
    if faults:
        raise FaultsError(thing, faults)
    return Instrument(
        id=document["id"],
        version=document["version"],
        status=document["status"],
        respondent_group=document["respondent_group"],
        official_form=document["official_form"],
        layout=document.get("layout", "standard"),
        minutes=document["minutes"],
        title=_text(document["title"]),
        intro=_text(document["intro"]),
        sections=tuple(
            Section(
                id=section["id"],
                title=_text(section["title"]),
                note=_text(section["note"]) if "note" in section else None,
                items=tuple(_item(entry, known) for entry in section["items"]),
            )
            for section in document["sections"]
        ),
        max_question_chars=document.get("reading", {}).get("max_question_chars"),
        scale_by_grade=document.get("scale_by_grade"),
    )


def _text(entry: Mapping[str, str | None]) -> dict[str, str]:
    return {lang: text for lang, text in entry.items() if text}


def _item(entry: Mapping[str, Any], scales: Mapping[str, Scale]) -> Item:
    scale = scales[entry["scale"]] if "scale" in entry else None
    options = tuple(map(read_option, entry.get("options", ()))) or (scale.options if scale else ())
    return Item(
        id=entry["id"],
        role=entry["role"],
        text=_text(entry["text"]),
        hint=_text(entry["hint"]) if "hint" in entry else None,
        object=entry["object"],
        core=bool(entry.get("core", False)),
        required=bool(entry.get("required", False)),
        scale=entry.get("scale"),
        dimension=entry.get("dimension"),
        areas=tuple(entry.get("areas", ())),
        kind="text" if not options else "multiple" if entry.get("several") else "single",
        options=options,
        max_chars=(scale.max_chars if scale else None) if not options else None,
        faces=bool(scale and scale.faces),
        show_if=entry.get("show_if"),
        skip_if_known=entry.get("skip_if_known"),
        defines_group=bool(entry.get("defines_group", False)),
        default_off=entry.get("default") == "off",
    )


def _content_faults(document: Mapping[str, Any], scales: Mapping[str, Scale]) -> Iterator[Fault]:
    """What a schema cannot say: ids once, scales that exist, conditions on earlier items."""
    seen: dict[str, Mapping[str, Any]] = {}
    for section in document["sections"]:
        for entry in section["items"]:
            name = entry["id"]
            if name in seen:
                yield Fault("instrument.item_twice", f"题号“{name}”用了两次", "每道题用不同的题号", item=name)
            if "scale" in entry and entry["scale"] not in scales:
                yield Fault(
                    "instrument.unknown_scale",
                    f"没有选项组“{entry['scale']}”",
                    f"可选：{'、'.join(scales)}",
                    item=name,
                )
            elif "scale" not in entry and "options" not in entry:
                yield Fault(
                    "instrument.no_options", "没有选项，也没有选项组", "写上scale或options", item=name
                )
            values = [option["value"] for option in entry.get("options", ())]
            if len(set(map(str, values))) != len(values):
                yield Fault("instrument.value_twice", "两个选项的值相同", "每个选项用不同的值", item=name)
            written = "options" not in entry and (scale := scales.get(entry.get("scale"))) and not scale.options
            if document.get("layout") == "child" and (entry["role"] == "open" or written):
                yield Fault(
                    "instrument.open_text_for_pupils", "小学生问卷不能有文字题", "删掉这道题", item=name
                )
            for hole in sorted(_holes_in(entry) - PLACE_HOLDERS):
                yield Fault(
                    "instrument.unknown_placeholder",
                    f"不认识“{{{hole}}}”",
                    f"可用：{'、'.join(f'{{{one}}}' for one in sorted(PLACE_HOLDERS))}",
                    item=name,
                )
            for other in _named_in(entry.get("show_if") or {}):
                if other not in seen:
                    yield Fault(
                        "instrument.condition_looks_ahead",
                        f"显示条件里的“{other}”不在前面",
                        "只能依据前面的题",
                        item=name,
                    )
            seen[name] = entry


def _holes_in(entry: Mapping[str, Any]) -> set[str]:
    """The place-holders in the texts of an item; options hold none."""
    texts = [*entry["text"].values(), *entry.get("hint", {}).values()]
    return {hole for text in texts if text for hole in _HOLE.findall(text)}


def _named_in(condition: Mapping[str, Any]) -> Iterator[str]:
    if "item" in condition:
        yield condition["item"]
    for part in (*condition.get("all", ()), *condition.get("any", ())):
        yield from _named_in(part)
