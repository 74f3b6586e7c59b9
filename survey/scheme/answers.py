"""An answer against its item: a value that may be stored, or faults a person can mend.

A form arrives as fields with lists of strings; out come typed values by item id, and every
fault at once. Nothing is guessed or clipped: an unknown field, a second value for a single
choice, a value outside the options, an answer off the path are refused, since a page of
ours cannot send them. Skipped is None; off the path is absent. The only change made to a
person's words is NFC, line breaks into spaces, and spaces at the ends.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from survey.errors import Fault
from survey.scheme.instrument import Instrument, Item
from survey.scheme.routing import on_path
from survey.scheme.texts import fill, text_in, ui

Answer = int | str | list[Any] | None

MAX_FIELDS = 500
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def read_answers(
    instrument: Instrument, raw: Mapping[str, Sequence[str] | str], lang: str = "zh"
) -> tuple[dict[str, Answer], tuple[Fault, ...]]:
    """The typed answers of a submitted form, and every fault in it.

    Args:
        instrument: as the respondent met it.
        raw: field name (an item id) to the strings sent under it; fields of the envelope
            such as the submission key are taken out by the caller.
        lang: the language of the sentences shown beside an item.

    Returns:
        Values by item id for every item on the path, None where skipped; and the faults.
        With faults the values are what could be read, for showing the form again.
    """
    faults: list[Fault] = []
    items = instrument.by_id
    if len(raw) > MAX_FIELDS:
        return {}, (Fault("answers.too_many_fields", f"超过{MAX_FIELDS}项", "请重新打开填写页面"),)
    for name in () if raw.keys() <= items.keys() else raw:
        if name not in items:
            faults.append(
                Fault(
                    "answers.unknown_field",
                    f"没有“{_shown(name)}”这一题",
                    "请重新打开填写页面",
                    item=_shown(name),
                )
            )
    values: dict[str, Answer] = {}
    singles = instrument.values_by_text
    for name, item in items.items():
        sent = raw.get(name)
        if not sent:
            values[name] = None
        elif len(sent) == 1 and name in singles and sent[0] in singles[name]:
            values[name] = singles[name][sent[0]]
        else:
            values[name], fault = _value(item, [sent] if isinstance(sent, str) else list(sent))
            if fault:
                faults.append(fault)
    path = on_path(instrument, values)
    broken = {fault.item for fault in faults}
    # Of nearly every form these are few: what lies off the path, and what must be answered and is not.
    looked_at = (values.keys() - path) | {name for name in instrument.required if values[name] is None}
    for name in filter(looked_at.__contains__, items):
        if name not in path:
            if values.pop(name) is not None:
                faults.append(
                    Fault("answers.off_path", "按前面的回答，这一题不用填", "请清空这一题", item=name)
                )
        elif name not in broken:
            sentence = _needed(items[name], lang)
            faults.append(Fault("answers.required", sentence, "选一项再提交", item=name))
    return values, tuple(faults)


def _needed(item: Item, lang: str) -> str:
    """The sentence for a required item that is empty, naming the way out where the item has one."""
    for option in item.options:
        if option.kind == "none" and item.is_satisfaction:
            return fill(ui(lang)["err.overall_required"], dont_know=text_in(option.text, lang))
    return ui(lang)["err.need_one"]


def _value(item: Item, sent: list[str]) -> tuple[Answer, Fault | None]:
    if item.kind == "text":
        return _text(item, sent)
    by_text = item.option_by_text
    if len(sent) == 1 and sent[0] in by_text:
        only = by_text[sent[0]].value
        return only if item.kind == "single" else [only], None
    given = [one for one in sent if one != ""]
    if item.kind == "single" and len(given) > 1:
        return None, Fault("answers.repeated", "这一题只能选一项", "请只选一项", item=item.id)
    if len(given) != len(set(given)):
        return None, Fault("answers.repeated", "同一个选项出现了两次", "请重新选", item=item.id)
    chosen = []
    for one in given:
        if one not in by_text:
            return None, Fault(
                "answers.out_of_range", f"没有“{_shown(one)}”这个选项", "请从列出的选项里选", item=item.id
            )
        chosen.append(by_text[one])
    if not chosen:
        return None, None
    if item.kind == "single":
        return chosen[0].value, None
    if len(chosen) > 1 and any(option.kind == "none" for option in chosen):
        return None, Fault(
            "answers.contradiction", "“说不清”不能和别的选项一起选", "请只留一种", item=item.id
        )
    order = {option.value: place for place, option in enumerate(item.options)}
    return sorted((option.value for option in chosen), key=order.__getitem__), None


def _text(item: Item, sent: list[str]) -> tuple[Answer, Fault | None]:
    if len(sent) > 1:
        return None, Fault("answers.repeated", "这一题出现了两次", "请重新填写", item=item.id)
    text = sent[0] if sent else ""
    # A text box sends line breaks; they become spaces, so no control character is ever stored.
    text = re.sub(r"\r\n|[\r\n\t]", " ", text)
    if any(is_refused_sign(sign) for sign in text):
        return None, Fault(
            "answers.control_sign", "文字里有看不见的控制字符", "请删掉后重新输入", item=item.id
        )
    text = unicodedata.normalize("NFC", text).strip()
    limit = item.max_chars or 0
    if len(text) > limit:
        return None, Fault(
            "answers.too_long",
            f"最多写{limit}个字，现在是{len(text)}个",
            f"请删去{len(text) - limit}个字",
            item=item.id,
        )
    return text or None, None


def is_refused_sign(sign: str) -> bool:
    """Whether a sign is no writing: a control character, or one that turns the direction of text."""
    return sign in _BIDI or unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp")


def _shown(text: str) -> str:
    """At most 20 printable signs of something a stranger sent, for a fault."""
    return "".join(sign for sign in text[:20] if sign.isprintable())
