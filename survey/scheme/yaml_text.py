"""Plain values read from YAML or JSON that a person wrote, with decimals kept as text.

Schemes, instruments and plans are written by hand. They enter as text and leave as dicts,
lists, strings, integers, booleans and None. A number with a point stays the text that was
written ("0.85"), because a signed plan holds decimals as strings and a binary float would
change them. Only the plain forms of YAML are read: no dates, octals, anchors, merges or
tags, and no key twice, so that one text can mean one thing only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Hashable
from typing import Any, ClassVar

import yaml

from survey.errors import Fault, FaultsError

MAX_CHARACTERS = 1_000_000
MAX_DEPTH = 16

DECIMAL = re.compile(r"-?(?:0|[1-9]\d*)\.\d+", re.ASCII)
_INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,15})", re.ASCII)


class _PlainLoader(yaml.SafeLoader):
    """PyYAML's safe loader, narrowed to the plain forms named above."""

    # PyYAML looks it up on the class; its stubs call it a variable of each loader.
    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}  # type: ignore[misc]

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        if isinstance(event, yaml.events.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.composer.ComposerError(None, None, "anchors and aliases", event.start_mark)
        self._depth = getattr(self, "_depth", 0) + 1
        if self._depth > MAX_DEPTH:
            raise yaml.composer.ComposerError(None, None, "nested too deep", event.start_mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        value: dict[Hashable, Any] = {}
        for key_node, value_node in node.value:
            # A grade used as a key (3: sat3_child) becomes text, as in every JSON object.
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key is None or key in value:
                raise yaml.constructor.ConstructorError(None, None, f"key {key!r} twice", key_node.start_mark)
            value[key] = self.construct_object(value_node, deep=True)
        return value


def _construct_map(loader: _PlainLoader, node: yaml.MappingNode) -> dict[Hashable, Any]:
    return loader.construct_mapping(node)


def _construct_sequence(loader: _PlainLoader, node: yaml.SequenceNode) -> list[Any]:
    return [loader.construct_object(child, deep=True) for child in node.value]


_PlainLoader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:null|~|)$"), ["n", "~", ""])
_PlainLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), ["t", "f"])
_PlainLoader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(rf"^{_INTEGER.pattern}$", re.ASCII), list("-0123456789")
)
_PlainLoader.add_constructor("tag:yaml.org,2002:map", _construct_map)
_PlainLoader.add_constructor("tag:yaml.org,2002:seq", _construct_sequence)


def read_plain(text: str | bytes, thing: str) -> Any:
    """The value written in YAML or JSON, decimals as the text they were written with.

    Args:
        text: UTF-8, with or without a byte order mark, at most a million characters.
        thing: what is being read, in Chinese, for the refusal.

    Raises:
        FaultsError: not UTF-8, not YAML, too large, too deep, a key twice, an anchor.

    >>> read_plain("line: {at_least: 0.850}", "方案")
    {'line': {'at_least': '0.850'}}
    """
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise _unreadable(thing, "不是UTF-8编码的文字", "用UTF-8编码另存后再读") from error
    if len(text) > MAX_CHARACTERS:
        raise _unreadable(thing, f"超过{MAX_CHARACTERS}个字符", "检查是不是选错了文件")
    try:
        if text.lstrip().startswith("{"):
            return _read_json(text)
        return yaml.load(text, Loader=_PlainLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        row = mark.line + 1 if mark else None
        raise _unreadable(
            thing, f"这一行读不懂（{error.problem}）", "检查缩进、冒号后的空格和引号", row
        ) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _unreadable(thing, "读不成YAML或JSON", "检查文件是否完整") from error


def _read_json(text: str) -> Any:
    """JSON first, since it is exact; a flow mapping that is not JSON is still YAML."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in pairs}) != len(pairs):
            raise yaml.YAMLError("a key twice")
        return dict(pairs)

    try:
        value = json.loads(text, parse_float=str, object_pairs_hook=unique)
    except json.JSONDecodeError:
        return yaml.load(text, Loader=_PlainLoader)
    return value


def _unreadable(thing: str, problem: str, remedy: str, row: int | None = None) -> FaultsError:
    return FaultsError(thing, (Fault("scheme.unreadable", problem, remedy, row=row),))


def lines_of(text: str | bytes) -> dict[tuple[str, ...], int]:
    """The line of every key and entry of a YAML or JSON text, by its path; empty where it cannot be read.

    >>> lines_of("a: 1\\nb:\\n- c: 2\\n")[("b", "0", "c")]
    3
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8-sig", errors="replace")
    try:
        root = yaml.compose(text, Loader=_PlainLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}
    found: dict[tuple[str, ...], int] = {}
    waiting: list[tuple[tuple[str, ...], yaml.Node]] = [((), root)] if root is not None else []
    while waiting:
        path, node = waiting.pop()
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                place = (*path, str(key.value))
                found[place] = key.start_mark.line + 1
                waiting.append((place, value))
        elif isinstance(node, yaml.SequenceNode):
            for at, value in enumerate(node.value):
                found[(*path, str(at))] = value.start_mark.line + 1
                waiting.append(((*path, str(at)), value))
    return found
