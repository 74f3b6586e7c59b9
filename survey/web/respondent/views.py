"""An instrument as a template needs it: steps, questions, options, in one language.

The instrument and the plan enter, plain frozen values leave; a template never walks the
scheme room's values and holds no rule of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from survey.errors import Fault
from survey.scheme.catalogue import instrument_key, option_key
from survey.scheme.instrument import Instrument, Item
from survey.scheme.recording import recording_name
from survey.web.respondent.parts import Step, steps
from survey.web.respondent.words import Said, Words

UNCOUNTED = frozenset({"open", "background"})
"""Roles whose silence is nobody's business: no soft note counts them."""

FACES = frozenset({5, 4, 3, 2, 1, 98})
"""The stored values that have a line-drawn face, all in one ink."""


@dataclass(frozen=True)
class OptionView:
    value: int | str
    label: Said
    face: int | str | None
    apart: bool
    checked: bool


@dataclass(frozen=True)
class ItemView:
    id: str
    kind: str
    text: Said
    hint: Said | None
    required: bool
    optional: bool
    max_chars: int
    options: tuple[OptionView, ...]
    show_if: str
    value: str
    fault: Said | None
    need: Said
    """The sentence for a required item that is empty."""
    step: int
    hear: str
    """Where it is read aloud; empty where nobody has read it."""

    @property
    def described(self) -> str:
        """The ids a screen reader reads with the question."""
        return " ".join(
            mark + self.id
            for mark, there in (
                ("h-", self.hint or self.kind == "multiple"),
                ("e-", self.required or self.fault),
            )
            if there
        )


@dataclass(frozen=True)
class StepView:
    number: int
    section: int
    title: Said
    items: tuple[ItemView, ...]


@dataclass(frozen=True)
class SectionView:
    title: Said
    first: int
    """The step the section begins with."""


@dataclass(frozen=True)
class FaultView:
    item: str
    text: Said


@dataclass(frozen=True)
class FormView:
    """Everything the form template shows beside the strings of the interface."""

    wave: str
    steps: tuple[StepView, ...]
    sections: tuple[SectionView, ...]
    overall: tuple[ItemView, ...]
    faces: bool
    one: bool
    child: bool
    pupils: bool
    minutes: int
    deadline: str
    version: str
    say: str
    school_gap: str
    hidden_gap: str
    faults: tuple[FaultView, ...]
    open_step: int
    hears: bool
    """Some question can be heard."""


def form_view(
    instrument: Instrument,
    words: Words,
    *,
    wave: str,
    county: str,
    office: str,
    deadline: str,
    version: str,
    child: bool,
    pupils: bool,
    one_per_screen: bool,
    school_gap: str,
    hidden_gap: str,
    values: Mapping[str, Sequence[str]] | None = None,
    faults: Sequence[Fault] = (),
    sounds: Mapping[str, str] | None = None,
) -> FormView:
    """The form of one instrument in one language, empty or with what was typed and its faults.

    Args:
        sounds: the addresses of its recordings by name.
    """
    typed = values or {}
    wrong = {fault.item: fault for fault in faults if fault.item}
    cut = steps(instrument, one_per_screen)
    teller = _Teller(instrument, words, {"county": county, "office": office}, sounds or {})
    shown = tuple(teller.step(step, typed, wrong) for step in cut)
    items = [item for step in shown for item in step.items]
    hears = any(item.hear for item in items)
    return FormView(
        wave=wave,
        steps=shown,
        sections=_sections(shown),
        overall=tuple(
            item for item, source in zip(items, _items(cut), strict=True) if source.role == "overall"
        ),
        faces=any(option.face is not None for item in items for option in item.options),
        one=one_per_screen,
        child=child,
        pupils=pupils,
        minutes=instrument.minutes,
        deadline=deadline,
        version=version,
        say=_say(words, hears),
        school_gap=school_gap,
        hidden_gap=hidden_gap,
        faults=tuple(FaultView(item.id, item.fault) for item in items if item.fault),
        open_step=next((item.step for item in items if item.fault), 0),
        hears=hears,
    )


def _items(cut: Sequence[Step]) -> list[Item]:
    return [item for step in cut for item in step.items]


def _sections(shown: Sequence[StepView]) -> tuple[SectionView, ...]:
    first: dict[int, SectionView] = {}
    for step in shown:
        first.setdefault(step.section, SectionView(step.title, step.number))
    return tuple(first.values())


@dataclass(frozen=True)
class _Teller:
    """An instrument's texts in one language, their place-holders filled."""

    instrument: Instrument
    words: Words
    holes: Mapping[str, str]
    sounds: Mapping[str, str]

    def say(self, text: Mapping[str, str], *place: str) -> Said:
        return self.words.source(instrument_key(self.instrument, *place), text, **self.holes)

    def step(self, step: Step, typed: Mapping[str, Sequence[str]], wrong: Mapping[str, Fault]) -> StepView:
        section = self.instrument.sections[step.section]
        items = tuple(
            self.item(item, step.number, typed.get(item.id, ()), wrong.get(item.id)) for item in step.items
        )
        return StepView(step.number, step.section, self.say(section.title, section.id, "title"), items)

    def item(self, item: Item, step: int, typed: Sequence[str], fault: Fault | None) -> ItemView:
        options = tuple(
            OptionView(
                value=option.value,
                label=self.words.source(option_key(self.instrument, item, option.value), option.text),
                face=option.value if item.faces and option.value in FACES else None,
                apart=option.kind == "none",
                checked=str(option.value) in typed,
            )
            for option in item.options
        )
        return ItemView(
            id=item.id,
            kind=item.kind,
            text=self.say(item.text, item.id, "text"),
            hint=self.say(item.hint, item.id, "hint") if item.hint else None,
            required=item.required,
            optional=item.role in UNCOUNTED,
            max_chars=item.max_chars or 0,
            options=options,
            show_if=_show_if(item),
            value=typed[0] if typed and item.kind == "text" else "",
            fault=self.fault(item, fault) if fault else None,
            need=self.need(item),
            step=step,
            hear=self.sounds.get(recording_name(item.id, self.words.lang), ""),
        )

    def need(self, item: Item) -> Said:
        """The sentence for a required item that is empty, naming the way out where the item has one."""
        for option in item.options:
            if option.kind == "none" and item.is_satisfaction:
                label = self.words.source(option_key(self.instrument, item, option.value), option.text)
                return self.words("err.overall_required", dont_know=label)
        return self.words("err.need_one")

    def fault(self, item: Item, fault: Fault) -> Said:
        """What stands beside an item; every fault a page of ours can cause has a sentence."""
        kind = fault.code.rpartition(".")[2]
        if kind == "required":
            return self.need(item)
        if kind == "too_long":
            return self.words("err.too_long", most=item.max_chars)
        return self.words(f"err.{kind}")


def _show_if(item: Item) -> str:
    """The condition as the script reads it, in the shape of `scheme.routing`."""
    return json.dumps(item.show_if, ensure_ascii=False, separators=(",", ":")) if item.show_if else ""


def _say(words: Words, hears: bool) -> str:
    """The few strings the script shows, as JSON for one attribute."""
    strings = {
        "prefix": words("err.prefix"),
        "skip": words("q.skip_notice"),
        "go": words("q.skip_go"),
        "next": words("q.next"),
        "saved": words("q.saved"),
        "offline": words("net.offline"),
        "pending": words("net.pending"),
        "retry": words("net.retry"),
        "slow": words("net.slow"),
        "none": words("check.not_answered"),
    }
    if hears:
        strings |= {"hear": words("q.hear"), "hush": words("q.hush"), "mute": words("q.mute")}
    return json.dumps(strings, ensure_ascii=False, separators=(",", ":"))
