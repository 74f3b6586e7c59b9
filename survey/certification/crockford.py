"""Crockford's base 32: digests and receipts as signs a person can type.

Bytes enter, upper-case signs leave; I and L are read as 1, O as 0, hyphens and spaces are
skipped. Standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES = {sign: value for value, sign in enumerate(SIGNS)} | {"I": 1, "L": 1, "O": 0}
_SIGN_OF = bytes.maketrans(bytes(range(32)), SIGNS.encode())


def encode_signs(data: bytes, count: int | None = None) -> str:
    """The first `count` signs of `data` (all by default), five bits each, high bits first.

    >>> encode_signs(bytes.fromhex("af94b898c7"), 8), encode_signs(b"\\xff")
    ('NYABH667', 'ZW')
    """
    total = -(-len(data) * 8 // 5)
    number = int.from_bytes(data, "big") << (total * 5 - len(data) * 8)
    for half in _halves(total):
        # The upper half of the digits of every block moves up, so that both have room to widen.
        number = (number & half.low) | ((number & half.high) << half.shift)
    return number.to_bytes(total, "big").translate(_SIGN_OF)[:count].decode()


@dataclass(frozen=True)
class _Half:
    """One step of widening digits from five bits to eight, many at once."""

    low: int
    high: int
    shift: int


@lru_cache(maxsize=16)
def _halves(total: int) -> tuple[_Half, ...]:
    """The steps that widen `total` digits, from the largest blocks to single digits."""
    steps = []
    block = 1 << (total - 1).bit_length() if total > 1 else 1
    while block > 1:
        n = block // 2
        # Before this step a block of `block` digits takes 5 bits a digit and stands at a multiple of 8.
        starts = range(0, total * 8, block * 8)
        low = sum(((1 << 5 * n) - 1) << at for at in starts)
        steps.append(_Half(low, low << 5 * n, 3 * n))
        block = n
    return tuple(steps)


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
