"""The conditions of an XLSForm that our routing knows: equal, not equal, selected, and, or, brackets.

Text of a `relevant` cell enters, a condition as an office writes it in our template leaves, or
None where it says something that routing cannot (arithmetic, functions, answers compared with
each other). A test that an answer is there (`${x} != ''`) is what routing always asks, so it
falls away.

Source: XLSForm specification, section Relevant; XPath 1.0 for the operators.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<selected>selected)\s*\(\s*\$\{(?P<s_name>[\w.-]+)\}\s*,\s*(?P<s_value>'[^']*'|\"[^\"]*\")\s*\)"
    r"|\$\{(?P<name>[\w.-]+)\}\s*(?P<sign>!=|=)\s*(?P<value>'[^']*'|\"[^\"]*\"|\d+)"
    r"|(?P<not>not)\s*(?=\()|(?P<joint>and|or)\b|(?P<open>\()|(?P<close>\)))\s*"
)
DEEPEST = 20


class _Unreadable(Exception):
    """The text says something that routing cannot."""


def read_relevant(text: str, names: Mapping[str, str]) -> str | None:
    """The condition in our template's words, or None where it cannot be said.

    Args:
        names: the form's names to our item ids.

    >>> names = {"a": "QA01", "b": "QA02"}
    >>> read_relevant("${a} = '1' or ${a} = '2'", names)
    'QA01=1,2'
    >>> read_relevant("selected(${a}, 'x') and ${b} != '98' and ${b} != ''", names)
    'QA01=x 且 QA02≠98'
    >>> read_relevant("not(selected(${a}, 'x'))", names)
    'QA01≠x'
    >>> read_relevant("${a} > 3", names) is read_relevant("${c} = '1'", names) is None
    True
    """
    try:
        tokens = _tokens(text)
        tree = _either(tokens, names, 0)
        if tokens:
            return None
        return _said(tree)
    except (_Unreadable, IndexError):
        return None


def _tokens(text: str) -> list[re.Match[str]]:
    tokens, at = [], 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _Unreadable
        tokens.append(match)
        at = match.end()
    return tokens


def _either(tokens: list[re.Match[str]], names: Mapping[str, str], depth: int) -> Any:
    parts = [_both(tokens, names, depth)]
    while tokens and tokens[0]["joint"] == "or":
        tokens.pop(0)
        parts.append(_both(tokens, names, depth))
    return _merged("any", parts)


def _both(tokens: list[re.Match[str]], names: Mapping[str, str], depth: int) -> Any:
    parts = [_one(tokens, names, depth)]
    while tokens and tokens[0]["joint"] == "and":
        tokens.pop(0)
        parts.append(_one(tokens, names, depth))
    return _merged("all", [part for part in parts if part is not None] or [None])


def _one(tokens: list[re.Match[str]], names: Mapping[str, str], depth: int) -> Any:
    if depth > DEEPEST:
        raise _Unreadable
    token = tokens.pop(0)
    if token["not"]:
        tree = _one(tokens, names, depth + 1)
        if tree is None or tree[0] not in ("=", "≠"):
            raise _Unreadable
        return ("≠" if tree[0] == "=" else "=", tree[1], tree[2])
    if token["open"]:
        tree = _either(tokens, names, depth + 1)
        if not tokens or not tokens.pop(0)["close"]:
            raise _Unreadable
        return tree
    name = token["s_name"] or token["name"]
    if name is None or name not in names:
        raise _Unreadable
    value = (token["s_value"] or token["value"]).strip("'\"")
    if value == "" and token["sign"] == "!=":
        return None
    if not re.fullmatch(r"\w+", value):
        raise _Unreadable
    return ("≠" if token["sign"] == "!=" else "=", names[name], [value])


def _merged(kind: str, parts: list[Any]) -> Any:
    """Parts under one joint; equal to one of several values is one part."""
    if len(parts) == 1:
        return parts[0]
    if any(part is None for part in parts):
        raise _Unreadable
    sign = "=" if kind == "any" else "≠"
    same = all(part[0] == sign for part in parts) and len({part[1] for part in parts}) == 1
    if same:
        return (sign, parts[0][1], [value for part in parts for value in part[2]])
    return (kind, parts, [])


def _said(tree: Any) -> str | None:
    if tree is None:
        return None
    if tree[0] in ("=", "≠"):
        return f"{tree[1]}{tree[0]}{','.join(tree[2])}"
    # Our template has one joint in a condition; and inside or is more than it can say.
    if any(part[0] not in ("=", "≠") for part in tree[1]):
        raise _Unreadable
    joint = " 且 " if tree[0] == "all" else " 或 "
    return joint.join(str(_said(part)) for part in tree[1])
