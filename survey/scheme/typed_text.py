"""A typed value from YAML or JSON that a person wrote: the whole value, or every fault at once.

Enters: text and a frozen msgspec struct. Leaves: the struct. msgspec stops at the first mistake;
a person wants them all, each with its path, its line and the key that was probably meant. So the
type is walked here. Where a list is asked for, one value stands for a list of one; a number stands
for its text; a decimal is read as it was written. The struct's field descriptions are the
reference of the format (`reference`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from math import isfinite
from typing import Any, TypeVar

import msgspec
from msgspec import inspect as kinds

from survey.errors import Fault, FaultsError
from survey.scheme.yaml_text import lines_of, read_plain

T = TypeVar("T")
_LARGEST = 10**15
_PART = re.compile(r"\[(\d+)\]|\.?([^.\[\]]+)")


def read_typed(text: str | bytes, kind: type[T], thing: str, code: str) -> T:
    """The value of type `kind` that a text holds.

    Args:
        text: YAML or JSON, at most a million characters.
        kind: a frozen struct.
        thing: what is read, in Chinese, for the refusal.
        code: the dotted code of every fault.

    Raises:
        FaultsError: with every fault, its path and its line.
    """
    plain = read_plain(text, thing)
    walk = _Walk(code, lines_of(text))
    value = walk.value(plain, kinds.type_info(kind), ())
    if walk.faults:
        raise FaultsError(thing, tuple(walk.faults))
    return value


_WRONG = object()


@dataclass
class _Walk:
    """One pass over a document beside its type, gathering faults."""

    code: str
    lines: Mapping[tuple[str, ...], int]
    faults: list[Fault] = field(default_factory=list)

    def blame(self, path: tuple[str, ...], problem: str, remedy: str) -> Any:
        row = next((self.lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self.lines), None)
        self.faults.append(Fault(self.code, problem, remedy, row=row, item=shown_path(path) or None))
        return _WRONG

    def value(self, given: Any, kind: kinds.Type, path: tuple[str, ...]) -> Any:
        """The given value as the type says, or a fault."""
        if isinstance(kind, kinds.Metadata):
            return self.value(given, kind.type, path)
        if isinstance(kind, kinds.UnionType):
            return self._union(given, kind, path)
        if isinstance(kind, kinds.StructType):
            return self._struct(given, kind, path)
        if isinstance(kind, kinds.DictType):
            return self._dict(given, kind, path)
        if isinstance(kind, kinds.VarTupleType):
            listed = given if isinstance(given, list) else [given]
            if given is None or (isinstance(given, Mapping) and not _holds_structs(kind)):
                return self.blame(path, f"{_seen(given)}不是列表", "写成列表，例如[甲, 乙]")
            if len(listed) < (kind.min_length or 0):
                return self.blame(path, "是空的", f"至少写{kind.min_length}项")
            made = [self.value(one, kind.item_type, (*path, str(at))) for at, one in enumerate(listed)]
            return _WRONG if _WRONG in made else tuple(made)
        return self._scalar(given, kind, path)

    def _union(self, given: Any, kind: kinds.UnionType, path: tuple[str, ...]) -> Any:
        if given is None:
            return None if kind.includes_none else self.blame(path, "是空的", "填上内容，或删掉这一行")
        others = [one for one in kind.types if not isinstance(one, kinds.NoneType)]
        if len(others) == 1:
            return self.value(given, others[0], path)
        # A choice between scalars: a number where it is one, otherwise its text.
        for one in sorted(others, key=lambda kind: isinstance(_bare(kind), kinds.StrType)):
            trial = _Walk(self.code, self.lines)
            made = trial.value(given, one, path)
            if not trial.faults:
                return made
        return self.value(given, others[-1], path)

    def _struct(self, given: Any, kind: kinds.StructType, path: tuple[str, ...]) -> Any:
        if not isinstance(given, Mapping):
            return self.blame(path, f"{_seen(given)}不是“名称: 值”的内容", "对照说明里的例子写")
        known = {one.encode_name: one for one in kind.fields}
        for key in given:
            if key not in known:
                close = get_close_matches(str(key), list(known), n=1, cutoff=0.6)
                hint = f"是不是“{close[0]}”？" if close else ""
                self.blame((*path, str(key)), f"不认识“{_cut(key)}”", f"{hint}可以写的有：{'、'.join(known)}")
        values = {}
        for name, one in known.items():
            if name in given:
                values[one.name] = self.value(given[name], one.type, (*path, name))
            elif one.required:
                self.blame((*path, name), f"缺少“{name}”", "补上这一项")
        if _WRONG in values.values() or any(one.required and one.name not in values for one in kind.fields):
            return _WRONG
        return kind.cls(**values)

    def _dict(self, given: Any, kind: kinds.DictType, path: tuple[str, ...]) -> Any:
        if not isinstance(given, Mapping):
            return self.blame(path, f"{_seen(given)}不是“名称: 值”的内容", "写成“名称: 值”")
        made = {str(key): self.value(one, kind.value_type, (*path, str(key))) for key, one in given.items()}
        return _WRONG if any(one is _WRONG for one in made.values()) else made

    def _scalar(self, given: Any, kind: kinds.Type, path: tuple[str, ...]) -> Any:
        if isinstance(given, (list, Mapping)) or given is None:
            return self.blame(path, "是空的" if given is None else "这里只能写一个值", "写一个值")
        if isinstance(kind, kinds.LiteralType):
            if str(given) in kind.values:
                return str(given)
            close = get_close_matches(str(given), [str(one) for one in kind.values], n=1)
            hint = f"是不是“{close[0]}”？" if close else ""
            return self.blame(
                path,
                f"没有“{_cut(given)}”这一种",
                f"{hint}可选：{'、'.join(str(one) for one in kind.values)}",
            )
        if isinstance(kind, kinds.BoolType):
            return (
                given
                if isinstance(given, bool)
                else self.blame(path, f"{_seen(given)}不是true或false", "写true或false")
            )
        if isinstance(kind, (kinds.IntType, kinds.FloatType)):
            return self._number(given, kind, path)
        if isinstance(given, bool):
            return self.blame(path, f"{_seen(given)}会被读成真假值", '加上引号，例如"true"')
        text = str(given)
        if len(text) > 10_000 or any(ord(sign) < 32 and sign not in "\n\t" for sign in text):
            return self.blame(path, "文字过长或含有控制字符", "改短，去掉控制字符")
        return text

    def _number(self, given: Any, kind: kinds.IntType | kinds.FloatType, path: tuple[str, ...]) -> Any:
        whole = isinstance(kind, kinds.IntType)
        try:
            # True is no number here, and its text is none either.
            value = int(str(given)) if whole else float(str(given))
        except ValueError:
            return self.blame(
                path,
                f"{_seen(given)}不是{'整数' if whole else '数字'}",
                "写成数字，例如" + ("20" if whole else "0.85"),
            )
        if not isfinite(value) or abs(value) > _LARGEST:
            return self.blame(path, f"{_seen(given)}太大，或不是有限的数", "核对这个数")
        limits = (
            ("大于", kind.gt, lambda bound: value > bound),
            ("不小于", kind.ge, lambda bound: value >= bound),
            ("小于", kind.lt, lambda bound: value < bound),
            ("不大于", kind.le, lambda bound: value <= bound),
        )
        for word, bound, holds in limits:
            if bound is not None and not holds(bound):
                return self.blame(path, f"{_seen(given)}超出范围", f"应{word}{bound:g}")
        return value


def shown_path(path: tuple[str, ...]) -> str:
    """A path as a person reads it, entries of lists counted from 1.

    >>> shown_path(("items", "0", "column"))
    'items[1].column'
    """
    text = ""
    for part in path:
        text += (
            f"[{int(part) + 1}]"
            if part.isascii() and part.isdigit() and text
            else f".{part}"
            if text
            else part
        )
    return text


def with_rows(faults: Iterable[Fault], text: str | bytes) -> tuple[Fault, ...]:
    """Faults that name their place in a text by path, with its line added.

    >>> with_rows([Fault("c", "p", "r", item="a[1].b")], "x: 1\\na:\\n- b: 2\\n")[0].row
    3
    """
    lines = lines_of(text)
    placed = []
    for fault in faults:
        parts = tuple(
            str(int(part) - 1) if number else part
            for part, number in ((m[1] or m[2], bool(m[1])) for m in _PART.finditer(fault.item or ""))
        )
        row = next((lines[parts[:n]] for n in range(len(parts), 0, -1) if parts[:n] in lines), None)
        placed.append(replace(fault, row=row))
    return tuple(placed)


def _bare(kind: kinds.Type) -> kinds.Type:
    return kind.type if isinstance(kind, kinds.Metadata) else kind


def _holds_structs(kind: kinds.VarTupleType) -> bool:
    return isinstance(_bare(kind.item_type), kinds.StructType)


def _seen(given: Any) -> str:
    if given is None:
        return "空值"
    return f"“{_cut(given)}”" if not isinstance(given, (list, Mapping)) else "这里的内容"


def _cut(given: Any) -> str:
    text = "".join(sign for sign in str(given) if sign.isprintable())
    return text if len(text) <= 40 else text[:39] + "…"


def reference(kind: type[msgspec.Struct]) -> Iterator[tuple[str, list[tuple[str, str, str, str]]]]:
    """(what the part is, rows of key, kind of value, default, meaning) for a struct and those inside it.

    The order is that of first mention, the struct itself first.
    """
    waiting, done = [kinds.type_info(kind)], set()
    while waiting:
        one = waiting.pop(0)
        assert isinstance(one, kinds.StructType)
        if one.cls in done:
            continue
        done.add(one.cls)
        rows = []
        for entry in one.fields:
            words = ""
            inner = entry.type
            if isinstance(inner, kinds.Metadata):
                words = (inner.extra_json_schema or {}).get("description", "")
                inner = inner.type
            said, structs = _said(inner)
            waiting += structs
            default = "必填" if entry.required else _default_text(entry.default)
            rows.append((entry.encode_name, said, default, words))
        yield (one.cls.__doc__ or "").strip().split("\n")[0], rows


def _default_text(default: Any) -> str:
    if (
        default is msgspec.UNSET
        or default is kinds.NODEFAULT
        or default is None
        or default == ()
        or default == {}
    ):
        return ""
    if isinstance(default, msgspec.Struct):
        return ""
    return str(default).lower() if isinstance(default, bool) else f"{default}"


def _said(kind: kinds.Type) -> tuple[str, list[kinds.Type]]:
    """A type in words, and the structs inside it."""
    if isinstance(kind, kinds.Metadata):
        return _said(kind.type)
    if isinstance(kind, kinds.UnionType):
        parts = [_said(one) for one in kind.types if not isinstance(one, kinds.NoneType)]
        return "或".join(words for words, _ in parts), [s for _, found in parts for s in found]
    if isinstance(kind, kinds.StructType):
        return f"“{kind.cls.__doc__.strip().split(chr(10))[0].rstrip('。.')}”", [kind]  # type: ignore[union-attr]
    if isinstance(kind, kinds.VarTupleType):
        words, found = _said(kind.item_type)
        return f"{words}，一个或多个", found
    if isinstance(kind, kinds.DictType):
        words, found = _said(kind.value_type)
        return f"名称: {words}", found
    if isinstance(kind, kinds.LiteralType):
        return " / ".join(f"`{one}`" for one in kind.values), []
    names = {
        kinds.StrType: "文字",
        kinds.IntType: "整数",
        kinds.FloatType: "数",
        kinds.BoolType: "true/false",
    }
    return names[type(kind)], []
