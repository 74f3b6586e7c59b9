"""An instrument as an XLSForm, for programs that ask on tablets or by telephone.

Items keep their ids as names and options their values as codes, so that what such a program
brings back reads against our codebook. Columns that begin with `survey_` carry what the
standard has no word for; other programs pass over them, and `xlsform` reads them back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from survey.scheme.authoring_template import WORDS
from survey.scheme.instrument import Instrument, Item
from survey.scheme.scales import load_scales
from survey.scheme.texts import dimension_names

ZH, EN = "中文 (zh)", "English (en)"
SHEET_COLUMNS = (
    *("type", "name", f"label::{ZH}", f"label::{EN}", f"hint::{ZH}", f"hint::{EN}", "required", "relevant"),
    *("survey_role", "survey_object", "survey_dimension", "survey_areas", "survey_core"),
    *("survey_skip_if_known", "survey_off", "survey_scale"),
)
CHOICE_COLUMNS = ("list_name", "name", f"label::{ZH}", f"label::{EN}", "survey_none", "survey_key")


def xlsform_of(instrument: Instrument) -> dict[str, list[list[object]]]:
    """An instrument as the sheets survey, choices and settings.

    >>> from survey.scheme.instrument import load_instrument
    >>> sheets = xlsform_of(load_instrument("parents"))
    >>> sheets["survey"][2][:3], sheets["survey"][3][:2]
    (['begin_group', 'access', '上学与公平'], ['select_one sat5', 'PA01'])
    """
    said = {kind: {value: word for word, value in words.items()} for kind, words in WORDS.items()}
    survey: list[list[object]] = [list(SHEET_COLUMNS)]
    survey.append(_row(type="note", name="intro", zh=instrument.intro["zh"], en=instrument.intro["en"]))
    lists: dict[str, list[list[object]]] = {}
    for section in instrument.sections:
        survey.append(_row(type="begin_group", name=section.id, zh=section.title["zh"], en=section.title["en"]))
        for item in section.items:
            survey.append(_item_row(item, said))
            if item.options:
                name = _list_of(item)
                lists.setdefault(name, [_choice_row(name, option) for option in item.options])
        survey.append(_row(type="end_group", name=section.id))
    settings: list[list[object]] = [
        [
            *("form_title", "form_id", "version", "default_language"),
            *("survey_group", "survey_official_form", "survey_layout", "survey_minutes"),
            *("survey_status", "survey_title_en"),
        ],
        [
            instrument.title["zh"],
            instrument.id,
            instrument.version,
            ZH,
            instrument.respondent_group,
            said["official_form"][instrument.official_form],
            said["layout"][instrument.layout],
            str(instrument.minutes),
            said["status"][instrument.status],
            instrument.title["en"],
        ],
    ]
    choices: list[list[object]] = [list(CHOICE_COLUMNS)]
    choices += [row for rows in lists.values() for row in rows]
    return {"survey": survey, "choices": choices, "settings": settings}


def _list_of(item: Item) -> str:
    return item.scale if item.scale and item.scale in load_scales() else f"list_{item.id}"


def _row(type: str, name: str, zh: str = "", en: str = "") -> list[object]:
    return [type, name, zh, en, *[""] * (len(SHEET_COLUMNS) - 4)]


def _item_row(item: Item, said: Mapping[str, Mapping[Any, str]]) -> list[object]:
    kind = {"single": "select_one", "multiple": "select_multiple"}.get(item.kind)
    hint = item.hint or {"zh": "", "en": ""}
    return [
        f"{kind} {_list_of(item)}" if kind else "text",
        item.id,
        item.text["zh"],
        item.text["en"],
        hint["zh"],
        hint["en"],
        "yes" if item.required else "",
        relevant_of(item.show_if) if item.show_if else "",
        said["role"][item.role],
        said["object"][item.object],
        dimension_names().get(item.dimension or "", ""),
        "、".join(item.areas),
        "yes" if item.core else "",
        item.skip_if_known or "",
        "yes" if item.default_off else "",
        "" if kind else item.scale or "",
    ]


def _choice_row(name: str, option: Any) -> list[object]:
    key = "" if option.key == str(option.value) else option.key
    return [name, str(option.value), option.zh, option.en, "yes" if option.kind == "none" else "", key]


def relevant_of(condition: Mapping[str, Any]) -> str:
    """A condition as XLSForm says it; without an answer it does not hold, either way round.

    >>> relevant_of({"item": "PA21", "in": [1, 2]})
    "(selected(${PA21}, '1') or selected(${PA21}, '2'))"
    >>> relevant_of({"item": "PA21", "not_in": [98]})
    "(${PA21} != '' and not(selected(${PA21}, '98')))"
    """
    for key, joint in (("all", " and "), ("any", " or ")):
        if key in condition:
            return joint.join(relevant_of(part) for part in condition[key])
    name = "${" + condition["item"] + "}"
    if "in" in condition:
        chosen = [f"selected({name}, '{value}')" for value in condition["in"]]
        return chosen[0] if len(chosen) == 1 else "(" + " or ".join(chosen) + ")"
    absent = [f"not(selected({name}, '{value}'))" for value in condition["not_in"]]
    return "(" + " and ".join([f"{name} != ''", *absent]) + ")"
