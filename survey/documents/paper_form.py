"""A questionnaire on paper: the same items and the same codes, for whoever has no phone.

An instrument enters, as the group's phones show it; one PDF leaves, in 14 pt or, for weak
eyes, in 18 pt. Beside each box stands the code that a clerk types, so that paper and screen
give the same record. Conditions become words that name the number of the question. There is
no QR code: the slip's code is copied into a box, and the slip stays with the person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from survey.documents.imprint import Imprint, shared
from survey.documents.pdf import pages
from survey.documents.pieces import Piece
from survey.scheme.catalogue import instrument_key, option_key
from survey.scheme.instrument import Instrument, Item
from survey.scheme.paper_words import PaperWords

SIDE_BY_SIDE = {False: ((8, 3), (14, 2)), True: ((9, 2),)}
"""By size: the longest label, in Chinese characters, with which so many options share a row."""
Say = Callable[..., str]
WIDE = 1.0
NARROW = 0.55


def paper_form(
    instrument: Instrument, imprint: Imprint, *, large: bool = False, at: datetime
) -> bytes:
    """The questionnaire as a PDF to print and fill in.

    Args:
        imprint: with the words of a language; what is not translated stands in Chinese.
        large: 18 pt instead of 14 pt.
    """
    words = imprint.words
    kind = words.texts["paper_form"]["kind_large" if large else "kind"]
    title = words.fill(kind, title=words.source(instrument_key(instrument, "title"), instrument.title))
    return pages("paper_form", _document(instrument, imprint, large), title=title, at=at)


def paper_form_pieces(
    instruments: Mapping[str, Instrument], imprint: Imprint, *, at: datetime, folder: str = ""
) -> Iterator[Piece]:
    """Each instrument in both sizes.

    Args:
        instruments: file name without ending to instrument.
    """
    for name, instrument in instruments.items():
        for large in (False, True):
            path = f"{folder}{name}{'_大字' if large else ''}.pdf"
            yield Piece(path, partial(paper_form, instrument, imprint, large=large, at=at))


def _document(instrument: Instrument, imprint: Imprint, large: bool) -> dict[str, Any]:
    spoken = imprint.words
    words = spoken.texts["paper_form"]
    numbers = {item.id: number for number, item in enumerate(instrument.items, 1)}

    def say(text: Mapping[str, str] | None, *place: str, key: str = "") -> str:
        """A text of the instrument in the form's language, with the place it names."""
        if not text:
            return ""
        found = spoken.source(key or instrument_key(instrument, *place), text)
        return spoken.fill(found, county=imprint.county)

    how = words["how_child" if instrument.layout == "child" else "how"]
    return {
        **shared(imprint),
        "large": large,
        "title": say(instrument.title, "title"),
        "intro": say(instrument.intro, "intro"),
        "how": [spoken.fill(line, deadline=imprint.deadline, phone=imprint.telephone) for line in how],
        "code": words["code"],
        "code_hint": words["code_hint"],
        "office_only": words["office_only"],
        "page": [part for part in spoken.fill(words["page"], page="|", pages="|").split("|")],
        "approval": [[label + spoken.colon.rstrip(), value] for label, value in imprint.approval_lines],
        "sections": [
            {
                "title": say(section.title, section.id, "title"),
                "note": say(section.note, section.id, "note"),
                "items": [_item(item, instrument, numbers, large, spoken, say) for item in section.items],
            }
            for section in instrument.sections
        ],
    }


def _item(
    item: Item, instrument: Instrument, numbers: Mapping[str, int], large: bool, spoken: PaperWords, say: Say
) -> dict[str, Any]:
    words = spoken.texts["paper_form"]
    notes = []
    if item.show_if:
        condition = condition_in_words(item.show_if, instrument, numbers, spoken)
        notes.append(spoken.fill(words["only_if"], condition=condition))
    if item.kind == "multiple":
        notes.append(words["several"])
    if item.required:
        notes.append(words["required"])
    if item.kind == "text" and item.max_chars:
        notes.append(spoken.fill(words["text"], limit=item.max_chars))
    labels = [
        say(option.text, key=option_key(instrument, item, option.value)) for option in item.options
    ]
    longest = max(map(_width, labels), default=0)
    fitting = [columns for width, columns in SIDE_BY_SIDE[large] if longest <= width]
    return {
        "number": numbers[item.id],
        "id": item.id,
        "text": say(item.text, item.id, "text"),
        "hint": say(item.hint, item.id, "hint"),
        "notes": notes,
        "kind": item.kind,
        "columns": fitting[0] if fitting and len(labels) > 2 else 1,
        "options": [
            {"code": str(option.value), "label": label, "apart": option.kind == "none"}
            for option, label in zip(item.options, labels, strict=True)
        ],
    }


def _width(text: str) -> float:
    """How wide a text is, in Chinese characters."""
    return sum(WIDE if sign > "\u2e80" else NARROW for sign in text)


def condition_in_words(
    condition: Mapping[str, Any],
    instrument: Instrument,
    numbers: Mapping[str, int],
    spoken: PaperWords = PaperWords(),
) -> str:
    """A condition as a person reads it on paper: by the number of the question and its options.

    >>> from survey.scheme.instrument import load_instrument
    >>> parents = load_instrument("parents")
    >>> first = parents.items[0]
    >>> option = first.options[0]
    >>> condition_in_words({"item": first.id, "in": [option.value]}, parents, {first.id: 1})
    '第1题选了“非常满意”'
    """
    words = spoken.texts["paper_form"]
    for key, joint in (("all", words["and"]), ("any", words["or"])):
        if key in condition:
            return str(joint).join(
                condition_in_words(part, instrument, numbers, spoken) for part in condition[key]
            )
    item = instrument.by_id[condition["item"]]
    values = condition["in"] if "in" in condition else condition["not_in"]
    labels = [
        f"“{spoken.source(option_key(instrument, item, value), item.option(value).text)}”" for value in values
    ]
    return spoken.fill(
        words["is" if "in" in condition else "is_not"],
        number=numbers[item.id],
        options=str(words["or_option"]).join(labels),
    )
