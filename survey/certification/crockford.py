"""Crockford's base 32: digests and receipts as signs a person can type.

Bytes enter, upper-case signs leave; I and L are read as 1, O as 0, hyphens and spaces are
skipped. Standard library only.
"""

from __future__ import annotations

import base64

SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES = {sign: value for value, sign in enumerate(SIGNS)} | {"I": 1, "L": 1, "O": 0}
_FROM_RFC_4648 = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", SIGNS.encode())
"""Both write five bits a sign, high bits first; only the alphabets differ."""


def encode_signs(data: bytes, count: int | None = None) -> str:
    """The first `count` signs of `data` (all by default), five bits each, high bits first.

    >>> encode_signs(bytes.fromhex("af94b898c7"), 8), encode_signs(b"\\xff")
    ('NYABH667', 'ZW')
    """
    total = -(-len(data) * 8 // 5)
    return base64.b32encode(data).translate(_FROM_RFC_4648).decode()[: total if count is None else count]


def decode_signs(text: str, length: int) -> bytes | None:
    """The `length` bytes written in `text`, or None when it is not their writing.

    >>> decode_signs("zw", 1), decode_signs("ZX", 1), decode_signs("U0", 1)
    (b'\\xff', None, None)
    """
    signs = normalise_signs(text)
    total = -(-length * 8 // 5)
    if signs is None or len(signs) != total:
        return None
    number = 0
    for sign in signs:
        number = number << 5 | _VALUES[sign]
    spare = total * 5 - length * 8
    return (number >> spare).to_bytes(length, "big") if number & ((1 << spare) - 1) == 0 else None


def normalise_signs(text: str) -> str | None:
    """The signs as we write them, without hyphens and spaces; None when one is unknown.

    >>> normalise_signs("bqfx-h6jx o1"), normalise_signs("U")
    ('BQFXH6JX01', None)
    """
    kept = [sign for sign in text.upper() if sign not in "-  \t\r\n"]
    if any(sign not in _VALUES for sign in kept):
        return None
    return "".join(SIGNS[_VALUES[sign]] for sign in kept)


def in_groups(signs: str, size: int = 4) -> str:
    """The signs in groups joined by hyphens.

    >>> in_groups("BQFXH6JXSJF4GSHF")
    'BQFX-H6JX-SJF4-GSHF'
    """
    return "-".join(signs[at : at + size] for at in range(0, len(signs), size))
