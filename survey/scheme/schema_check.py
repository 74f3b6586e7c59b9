"""Faults of a document against its JSON Schema, in words a person can act on.

The shipped schemas say `number` where a decimal stands; decimals travel as text here, so
"number" also means the text of a decimal, and limits are compared exactly as fractions.
Every fault is collected and names its place by the path of keys that leads to it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema

from survey.errors import Fault
from survey.exact import fraction
from survey.scheme.yaml_text import DECIMAL

SAYINGS = {
    "required": ("缺少“{name}”", "补上这一项"),
    "additionalProperties": ("有不认识的“{name}”", "删掉，或检查拼写"),
    "enum": ("“{value}”不在可选的值里", "可选：{limit}"),
    "const": ("“{value}”不对", "应为“{limit}”"),
    "type": ("“{value}”的类型不对", "应为{limit}"),
    "pattern": ("“{value}”的写法不对", "应符合 {limit}"),
    "minimum": ("{value}太小", "最小是{limit}"),
    "maximum": ("{value}太大", "最大是{limit}"),
    "exclusiveMinimum": ("{value}太小", "应大于{limit}"),
    "minItems": ("条数太少", "至少{limit}条"),
    "minLength": ("是空的", "填上文字"),
    "minProperties": ("内容太少", "至少要有{limit}项"),
    "maxProperties": ("内容太多", "最多{limit}项"),
    "uniqueItems": ("有重复的内容", "去掉重复的"),
    "anyOf": ("“{value}”不是允许的写法", "对照同类预设改正"),
    "not": ("“{value}”不是允许的写法", "两个边界只能写一个"),
}


def _is_number(_: Any, value: Any) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, str) and DECIMAL.fullmatch(value) is not None)


def _limit(compare: str) -> Any:
    def check(validator: Any, limit: Any, value: Any, _: Any) -> Iterator[jsonschema.ValidationError]:
        if not validator.is_type(value, "number"):
            return
        exact, bound = fraction(value), Fraction(str(limit))
        holds = {"minimum": exact >= bound, "maximum": exact <= bound, "exclusiveMinimum": exact > bound}
        if not holds[compare]:
            yield jsonschema.ValidationError(f"{value} against {limit}")

    return check


_Validator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    {name: _limit(name) for name in ("minimum", "maximum", "exclusiveMinimum")},
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine("number", _is_number),
)


@cache
def _validator(folder: str, name: str) -> Any:
    schema = json.loads((files("survey.scheme") / "data" / folder / name).read_text(encoding="utf-8"))
    return _Validator(schema)


def schema_faults(document: Any, folder: str, name: str, code: str) -> tuple[Fault, ...]:
    """Every fault of `document` against the packaged schema `folder/name`.

    Args:
        document: the value `read_plain` gave.
        code: the dotted code each fault carries.

    >>> for fault in schema_faults({"scheme": "x"}, "schemes", "scheme.schema.json", "scheme.invalid")[:1]:
    ...     print(fault)
    version：缺少“version”。补上这一项。
    """
    errors = sorted(
        _validator(folder, name).iter_errors(document),
        key=lambda error: [str(p) for p in error.absolute_path],
    )
    return tuple(_fault(error, document, code) for error in _spread(errors))


def _spread(errors: Iterable[jsonschema.ValidationError]) -> Iterator[jsonschema.ValidationError]:
    """Faults inside an `if`/`then` or `allOf` speak for themselves."""
    for error in errors:
        if error.validator in ("if", "then", "allOf") and error.context:
            yield from _spread(error.context)
        else:
            yield error


def _fault(error: jsonschema.ValidationError, document: Any, code: str) -> Fault:
    name = ""
    path = _path(error.absolute_path, document)
    # A validator's own errors always hold all three; only errors made by hand may lack them.
    limit: Any = error.validator_value
    schema: Any = error.schema
    instance: Any = error.instance
    if error.validator == "required":
        name = next((key for key in limit if key not in instance), "")
        # One required error per missing key: jsonschema words each message with its own key.
        name = next((key for key in limit if error.message.startswith(f"'{key}'")), name)
        path = f"{path}.{name}".lstrip(".")
    elif error.validator == "additionalProperties":
        allowed = schema.get("properties", {})
        name = "、".join(sorted(key for key in instance if key not in allowed))
    problem, remedy = SAYINGS.get(str(error.validator), ("不符合格式要求", "对照同类预设改正"))
    words = {"name": name, "value": _short(instance), "limit": _short(limit)}
    for key, value in words.items():
        problem, remedy = problem.replace("{" + key + "}", value), remedy.replace("{" + key + "}", value)
    return Fault(code, problem, remedy, item=path or None)


def _path(parts: Iterable[Any], document: Any) -> str:
    """The path in dots; an entry of a list is named by its `id` where it has one."""
    names, value = [], document
    for part in parts:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            value = None
        named = isinstance(part, int) and isinstance(value, Mapping) and isinstance(value.get("id"), str)
        names.append(value["id"] if named and value else str(part + 1 if isinstance(part, int) else part))
    return ".".join(names)


def _short(value: Any) -> str:
    text = "、".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 60 else text[:57] + "…"
