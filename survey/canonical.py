"""One value, one byte string: canonical JSON after RFC 8785, without floating point.

Everything that is hashed or signed passes through here. Decimals travel as strings, so a
number is an integer within ±(2^53 − 1). A reader refuses whatever is not byte-equal after
being written again, so two programs can never read two things from one file.
Standard library only: the offline verifier carries this module.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from survey.errors import SurveyError

MAX_INTEGER = 2**53 - 1
MAX_DEPTH = 16
MAX_BYTES = 16 * 1024 * 1024
MAX_RECORD_BYTES = 64 * 1024

_PLAIN = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False)


class NotCanonicalError(SurveyError):
    """The value or text has no canonical form here."""

    code = "canonical.refused"
    kind = "invalid"

    def __init__(self, reason: str) -> None:
        super().__init__("规范JSON", reason, "请使用本系统导出的原文件，不要用别的软件改写")


def encode(value: Any) -> bytes:
    """The canonical UTF-8 bytes of `value`: RFC 8785 over the types TRUST section 2 allows.

    Args:
        value: objects with string keys, lists, tuples, strings, booleans, None, integers.

    Raises:
        NotCanonicalError: a float, an integer beyond ±(2^53 − 1), a lone surrogate, a key
            that is not text, or nesting deeper than 16.

    >>> encode({"b": [1, None], "a": "十"}).decode()
    '{"a":"十","b":[1,null]}'
    """
    if _is_plain(value, 0):
        text = _PLAIN.encode(value)
    else:
        parts: list[str] = []
        _write(value, parts, 0)
        text = "".join(parts)
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise NotCanonicalError("文字里有不成对的代理码位") from error


def _is_plain(value: Any, depth: int) -> bool:
    """Whether the standard encoder writes `value` as RFC 8785 does: permitted types, ASCII keys.

    Code points and UTF-16 code units sort ASCII keys alike. Whatever is not plain goes through
    `_write`, which sorts by code units and names what it refuses.
    """
    kind = type(value)
    if kind is int:
        return -MAX_INTEGER <= value <= MAX_INTEGER
    if kind is str or value is None or kind is bool:
        return True
    if depth >= MAX_DEPTH:
        return False
    if kind is dict:
        for key, element in value.items():
            if type(key) is not str or not key.isascii():
                return False
            # Most elements are texts or small numbers, which need no call of their own.
            kind = type(element)
            small = kind is int and -MAX_INTEGER <= element <= MAX_INTEGER
            if not (small or kind is str or _is_plain(element, depth + 1)):
                return False
        return True
    return kind in (list, tuple) and all(_is_plain(element, depth + 1) for element in value)


def _write(value: Any, parts: list[str], depth: int) -> None:
    if depth > MAX_DEPTH:
        raise NotCanonicalError(f"嵌套超过{MAX_DEPTH}层")
    if value is None:
        parts.append("null")
    elif value is True:
        parts.append("true")
    elif value is False:
        parts.append("false")
    elif isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise NotCanonicalError("整数超出±(2^53−1)")
        parts.append(str(int(value)))
    elif isinstance(value, str):
        parts.append(json.dumps(value, ensure_ascii=False))
    elif isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise NotCanonicalError("对象的键必须是文字")
        parts.append("{")
        for position, key in enumerate(sorted(value, key=_utf16)):
            parts.append("," if position else "")
            parts.append(json.dumps(key, ensure_ascii=False))
            parts.append(":")
            _write(value[key], parts, depth + 1)
        parts.append("}")
    elif isinstance(value, (list, tuple)):
        parts.append("[")
        for position, element in enumerate(value):
            parts.append("," if position else "")
            _write(element, parts, depth + 1)
        parts.append("]")
    else:
        raise NotCanonicalError(f"不支持的类型 {type(value).__name__}，小数要写成文字")


def _utf16(key: str) -> bytes:
    """The key as UTF-16 code units, the order RFC 8785 section 3.2.3 asks for."""
    return key.encode("utf-16-be", "surrogatepass")


def decode(data: bytes, limit: int = MAX_BYTES) -> Any:
    """The value written in `data`, provided that `data` is its canonical form.

    Raises:
        NotCanonicalError: not UTF-8 or not JSON, too large, duplicate keys, a float, too
            deep, or not byte-equal after being written again.
    """
    if len(data) > limit:
        raise NotCanonicalError(f"超过{limit}字节")
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_int=_small_integer,
            parse_float=_refuse_float,
            parse_constant=_refuse_float,
        )
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError, ValueError) as error:
        raise NotCanonicalError("读不成JSON") from error
    if encode(value) != data:
        raise NotCanonicalError("不是规范写法")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise NotCanonicalError("有重复的键")
    return value


def _small_integer(digits: str) -> int:
    # Sixteen digits and a sign are the most a permitted integer has; longer ones cost time.
    if len(digits) > 17:
        raise NotCanonicalError("整数超出±(2^53−1)")
    return int(digits)


def _refuse_float(text: str) -> Any:
    raise NotCanonicalError(f"出现小数 {text}，小数要写成文字")


def sha256_hex(data: bytes) -> str:
    """The SHA-256 of `data` as 64 lower-case hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def digest(value: Any) -> str:
    """The SHA-256 of the canonical form of `value`, in hexadecimal.

    >>> digest({})[:12]
    '44136fa355b3'
    """
    return sha256_hex(encode(value))
