"""An instrument read from a workbook's sheets; faults name the sheet, the row and the column.

An office writes questions in a spreadsheet, not in YAML. Rows of cells enter, as a reader of
XLSX or CSV gives them; the same checks as for a file in YAML follow, with each fault put back
beside its cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from survey import canonical
from survey.errors import Fault, FaultsError
from survey.scheme.authoring_template import (
    ABOUT,
    ABOUT_KEYS,
    COLUMNS,
    ITEMS,
    OPTION_COLUMNS,
    OPTIONS,
    WORDS,
    Rows,
)
from survey.scheme.instrument import Instrument, read_instrument
from survey.scheme.scales import load_scales
from survey.scheme.texts import dimension_names

NEEDED = ("部分", "题号", "类型", "题目", "问的是")

_CONDITION = re.compile(r"([A-Z]{2}\d{2})\s*(=|≠|!=)\s*([\w,，、 ]+)", re.ASCII)


@dataclass
class _Reading:
    """What has been read so far, and where each piece stood."""

    faults: list[Fault] = field(default_factory=list)
    places: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Item id to its sheet and row."""

    def fault(
        self, code: str, problem: str, remedy: str, sheet: str, row: int | None, column: str | None
    ) -> None:
        self.faults.append(Fault(code, problem, remedy, sheet=sheet, row=row, column=column))


def instrument_from_sheets(sheets: Mapping[str, Rows]) -> Instrument:
    """The instrument written in the sheets 问卷, 题目 and 选项.

    Raises:
        FaultsError: every fault at once, with sheet, row and column.
    """
    return read_instrument(canonical.encode(document_from_sheets(sheets)))


def document_from_sheets(sheets: Mapping[str, Rows]) -> dict[str, Any]:
    """The document of an instrument written in the sheets, as a plan carries an issued form.

    Args:
        sheets: name to rows of cells; row 1 is the first. Options that several items
            share come from a scale; 选项 is for items with options of their own.

    Raises:
        FaultsError: every fault at once, with sheet, row and column.
    """
    reading = _Reading()
    for name in (ABOUT, ITEMS):
        if name not in sheets:
            reading.fault("authoring.no_sheet", f"没有“{name}”这张表", "用模板，不要改表名", name, None, None)
    if reading.faults:
        raise FaultsError("问卷表格", tuple(reading.faults))
    document: dict[str, Any] = dict(_about(sheets[ABOUT], reading))
    options = _options(sheets.get(OPTIONS, ()), reading)
    document["sections"] = _sections(sheets[ITEMS], options, reading)
    if not reading.faults:
        try:
            read_instrument(canonical.encode(document))
            return document
        except FaultsError as error:
            reading.faults += [_placed(fault, document, reading) for fault in error.faults]
    raise FaultsError("问卷表格", tuple(reading.faults))


def cell_text(row: Sequence[object], place: int) -> str:
    """A cell of a sheet as a person sees it; empty where the row is shorter."""
    value = row[place] if place < len(row) else None
    if isinstance(value, bool):
        return "是" if value else "否"
    # A spreadsheet hands whole numbers back as 5.0.
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value).strip()


def _about(rows: Rows, reading: _Reading) -> Iterator[tuple[str, Any]]:
    texts: dict[str, dict[str, str]] = {"title": {}, "intro": {}}
    for number, row in enumerate(rows, start=1):
        label, value = cell_text(row, 0), cell_text(row, 1)
        if not label:
            continue
        if label not in ABOUT_KEYS:
            reading.fault(
                "authoring.unknown_label",
                f"有不认识的“{label}”",
                "删掉这一行，或对照模板改正",
                ABOUT,
                number,
                "A",
            )
            continue
        key = ABOUT_KEYS[label]
        reading.places[key] = (ABOUT, number)
        if "." in key:
            name, lang = key.split(".")
            texts[name][lang] = value
        elif key in WORDS:
            yield key, _word(key, value, reading, (ABOUT, number, "B"))
        elif key == "minutes":
            yield key, int(value) if value.isdecimal() else value
        else:
            yield key, value
    yield from texts.items()


def _word(kind: str, value: str, reading: _Reading, place: tuple[str, int, str]) -> Any:
    words = WORDS[kind]
    if value in words:
        return words[value]
    if value in words.values():
        return value
    said = "、".join(word for word in words if word)
    reading.fault("authoring.unknown_word", f"“{value[:20]}”不在可选的词里", f"可选：{said}", *place)
    return None


def _table(
    rows: Rows, columns: Mapping[str, str], sheet: str, needed: Sequence[str], reading: _Reading
) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows below the header as text by key; blank rows are passed over."""
    if not rows:
        return
    n_before = len(reading.faults)
    header = [cell_text(rows[0], place) for place in range(len(rows[0]))]
    for name in needed:
        if name not in header:
            reading.fault(
                "authoring.no_column", f"没有“{name}”这一列", "用模板的第一行，不要改列名", sheet, 1, name
            )
    for name in header:
        if name and (name not in columns or header.count(name) > 1):
            reading.fault(
                "authoring.unknown_column",
                f"“{name}”这一列不认识或重复",
                "删掉这一列，或对照模板改正",
                sheet,
                1,
                name,
            )
    if len(reading.faults) > n_before:
        return
    for number, row in enumerate(rows[1:], start=2):
        values = {columns[name]: cell_text(row, place) for place, name in enumerate(header) if name}
        if any(values.values()):
            yield number, values


def _options(rows: Rows, reading: _Reading) -> dict[str, list[dict[str, Any]]]:
    options: dict[str, list[dict[str, Any]]] = {}
    for number, values in _table(rows, OPTION_COLUMNS, OPTIONS, ("题号", "值", "选项"), reading):
        option: dict[str, Any] = {
            "value": _number(values["value"]),
            "zh": values["zh"],
            "en": values.get("en") or values["zh"],
        }
        for name in ("value", "zh"):
            if not values[name]:
                label = "值" if name == "value" else "选项"
                reading.fault("authoring.empty", "是空的", "填上这一格", OPTIONS, number, label)
        if values.get("key"):
            option["key"] = values["key"]
        if _word("flag", values.get("none", ""), reading, (OPTIONS, number, "不计入")):
            option["kind"] = "none"
        reading.places.setdefault(f"选项{values['item']}", (OPTIONS, number))
        options.setdefault(values["item"], []).append(option)
    return options


def _number(text: str) -> int | str:
    return int(text) if re.fullmatch(r"\d{1,4}", text, re.ASCII) else text


def _sections(
    rows: Rows, options: dict[str, list[dict[str, Any]]], reading: _Reading
) -> list[dict[str, Any]]:
    sections: dict[str, dict[str, Any]] = {}
    dimensions = {name: key for key, name in dimension_names().items()}
    for number, values in _table(rows, COLUMNS, ITEMS, NEEDED, reading):
        entry = _entry(number, values, dimensions, reading)
        if values["id"] in options:
            entry["options"] = options[values["id"]]
        title = values["section"]
        if not title:
            reading.fault("authoring.empty", "没有写属于哪一部分", "填上部分的名称", ITEMS, number, "部分")
        if title not in sections:
            text = {"zh": title, "en": values.get("section.en") or title}
            sections[title] = {"id": f"part{len(sections) + 1}", "title": text, "items": []}
        sections[title]["items"].append(entry)
        reading.places.setdefault(values["id"], (ITEMS, number))
    asked = {item["id"] for section in sections.values() for item in section["items"]}
    for item in sorted(options.keys() - asked) if sections else ():
        sheet, row = reading.places[f"选项{item}"]
        reading.fault(
            "authoring.options_of_nothing",
            f"没有题号是“{item[:20]}”的题",
            "改正题号，或删掉这些选项",
            sheet,
            row,
            "题号",
        )
    return list(sections.values())


def _entry(
    number: int, values: dict[str, str], dimensions: Mapping[str, str], reading: _Reading
) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "id": values["id"],
        "role": _word("role", values["role"], reading, (ITEMS, number, "类型")),
        "object": _word("object", values["object"], reading, (ITEMS, number, "问的是")),
        "text": {"zh": values["text.zh"], "en": values.get("text.en") or values["text.zh"]},
    }
    if not values["text.zh"]:
        reading.fault("authoring.empty", "没有写题目", "填上题目", ITEMS, number, "题目")
    if values.get("hint.zh"):
        entry["hint"] = {"zh": values["hint.zh"], "en": values.get("hint.en") or values["hint.zh"]}
    if scale := values.get("scale", ""):
        entry["scale"] = scale
        if scale not in load_scales():
            reading.fault(
                "authoring.unknown_scale",
                f"没有选项组“{scale[:20]}”",
                f"可选：{'、'.join(load_scales())}",
                ITEMS,
                number,
                "选项组",
            )
    if dimension := values.get("dimension", ""):
        entry["dimension"] = dimensions.get(dimension, dimension)
        if entry["dimension"] not in dimensions.values():
            reading.fault(
                "authoring.unknown_dimension",
                f"没有维度“{dimension[:20]}”",
                f"可选：{'、'.join(dimensions)}",
                ITEMS,
                number,
                "维度",
            )
    if areas := values.get("areas", ""):
        entry["areas"] = re.split(r"[,，、\s]+", areas)
    for key, label in (("required", "必答"), ("core", "简版"), ("several", "可选几项"), ("off", "默认不问")):
        if _word("flag", values.get(key, ""), reading, (ITEMS, number, label)):
            entry |= {"default": "off"} if key == "off" else {key: True}
    if values.get("skip_if_known"):
        entry["skip_if_known"] = values["skip_if_known"]
    if text := values.get("show_if", ""):
        condition = read_condition(text)
        if condition is None:
            reading.fault(
                "authoring.bad_condition",
                f"读不懂显示条件“{text[:40]}”",
                "写成 PA21=1，或 PA21=1,2 且 PA22≠98",
                ITEMS,
                number,
                "显示条件",
            )
        else:
            entry["show_if"] = condition
    return entry


def read_condition(text: str) -> dict[str, Any] | None:
    """A condition as an office writes it, or None where it cannot be read.

    >>> read_condition("PA21=1,2 且 PA22≠98")
    {'all': [{'item': 'PA21', 'in': [1, 2]}, {'item': 'PA22', 'not_in': [98]}]}
    >>> read_condition("PA21=1 且 PA22=1 或 PA23=1") is None
    True
    """
    for joint, key in (("且", "all"), ("或", "any")):
        if joint in text:
            parts = [read_condition(part) for part in text.split(joint)]
            mixed = any(part is None or "item" not in part for part in parts)
            return None if mixed else {key: parts}
    match = _CONDITION.fullmatch(text.strip())
    if match is None:
        return None
    values = [_number(value) for value in re.split(r"[,，、\s]+", match[3].strip()) if value]
    return {"item": match[1], "in" if match[2] == "=" else "not_in": values} if values else None


def _placed(fault: Fault, document: Mapping[str, Any], reading: _Reading) -> Fault:
    """A fault of the document put back beside the row it came from."""
    path = fault.item or ""
    parts = path.split(".")
    for part in parts:
        if part in reading.places:
            sheet, row = reading.places[part]
            column = next(
                (name for name, key in COLUMNS.items() if key in parts or f"text.{parts[-1]}" == key), None
            )
            return replace(fault, sheet=sheet, row=row, column=column)
    if ".".join(parts[:2]) in reading.places or parts[0] in reading.places:
        sheet, row = reading.places.get(".".join(parts[:2])) or reading.places[parts[0]]
        return replace(fault, sheet=sheet, row=row)
    return replace(fault, sheet=ABOUT if parts[0] != "sections" else ITEMS)
