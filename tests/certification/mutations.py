"""Every single change to a document, one after another: what a forger could try field by field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from survey import canonical

Mutant = tuple[str, Any]
"""Where and how it was changed, and the changed value."""


def scalars(value: Any) -> Iterator[Mutant]:
    """Other values in the place of one that is neither object nor array."""
    if isinstance(value, bool):
        yield "turned", not value
    elif isinstance(value, int):
        yield "one more", value + 1
        yield "one less", value - 1
        yield "as text", str(value)
    elif isinstance(value, str):
        middle = len(value) // 2
        yield "last sign", value[:-1] + ("1" if value[-1:] != "1" else "2")
        yield (
            "sign inside",
            value[:middle] + ("a" if value[middle : middle + 1] != "a" else "b") + value[middle + 1 :],
        )
        yield "a sign more", value + "0"
        yield "empty" if value else "filled", "" if value else "x"
    if value is not None:
        yield "null", None
    else:
        yield "zero", 0
    yield "an object", {"x": 1}


def changes(value: Any, where: str = "") -> Iterator[Mutant]:
    """Every document that differs from `value` by one change in one place."""
    if isinstance(value, dict):
        for key in value:
            rest = {name: part for name, part in value.items() if name != key}
            yield f"{where}.{key} left out", rest
            yield f"{where}.{key} renamed", {**rest, f"{key}2": value[key]}
            for told, part in changes(value[key], f"{where}.{key}"):
                yield told, {**value, key: part}
        yield f"{where} a key more", {**value, "zz": 0}
    elif isinstance(value, list):
        for at, element in enumerate(value):
            yield f"{where}[{at}] left out", value[:at] + value[at + 1 :]
            yield f"{where}[{at}] twice", [*value[: at + 1], *value[at:]]
            if at and element != value[at - 1]:
                yield f"{where}[{at}] swapped", [*value[: at - 1], element, value[at - 1], *value[at + 1 :]]
            for told, part in changes(element, f"{where}[{at}]"):
                yield told, [*value[:at], part, *value[at + 1 :]]
        yield f"{where} an element more", [*value, 0]
    else:
        for told, other in scalars(value):
            yield f"{where} {told}", other


def json_mutants(data: bytes) -> Iterator[tuple[str, bytes]]:
    """A canonical document changed in one place, written canonically again."""
    for told, value in changes(json.loads(data)):
        yield told, canonical.encode(value)


def line_mutants(data: bytes) -> Iterator[tuple[str, bytes]]:
    """A list of canonical lines: a line left out, doubled, swapped, or one of its fields changed."""
    lines = data.splitlines(keepends=True)
    for at, line in enumerate(lines):
        yield f"line {at} left out", b"".join(lines[:at] + lines[at + 1 :])
        yield f"line {at} twice", b"".join(lines[: at + 1] + lines[at:])
        if at:
            yield f"line {at} swapped", b"".join([*lines[: at - 1], line, lines[at - 1], *lines[at + 1 :]])
        for told, changed in json_mutants(line[:-1]):
            yield f"line {at}{told}", b"".join([*lines[:at], changed + b"\n", *lines[at + 1 :]])


def text_mutants(data: bytes) -> Iterator[tuple[str, bytes]]:
    """A text file: every sign replaced, every line left out, doubled or swapped, something added."""
    lines = data.splitlines(keepends=True)
    for at, line in enumerate(lines):
        yield f"line {at} left out", b"".join(lines[:at] + lines[at + 1 :])
        yield f"line {at} twice", b"".join(lines[: at + 1] + lines[at:])
        if at and line != lines[at - 1]:
            yield f"line {at} swapped", b"".join([*lines[: at - 1], line, lines[at - 1], *lines[at + 1 :]])
    yield "a line more", data + b"x\n"
    yield "a sign before", b" " + data
    yield "cut short", data[:-1]
    for at in range(len(data)):
        yield f"byte {at}", data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def mutants_of(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """Every single change to one file of a bundle, by the kind of the file."""
    if name.endswith(".json"):
        kinds = json_mutants(data)
    elif name.endswith(".jsonl"):
        kinds = line_mutants(data)
    else:
        kinds = text_mutants(data)
    return ((told, changed) for told, changed in kinds if changed != data)
