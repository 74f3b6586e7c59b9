"""Whether an Ed25519 signature holds, in plain Python: what lets anyone check offline.

A public key, a message and a signature enter; True or False leaves. This is a verifier
only: it touches no secret, so it need not hide its timing. It follows RFC 8032 section
5.1.7 without the cofactor, and refuses what libraries disagree about (a key of small order,
an encoding with y ≥ p, s ≥ L), so that any two verifiers reach one verdict. About 1–3 ms a
signature, by one interleaved multiplication in extended coordinates.
Standard library only.

Source: RFC 8032; Hisil, Wong, Carter & Dawson (2008), formulas for a = −1. Checked against
RFC 8032 section 7.1, Wycheproof and `cryptography`.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)

Point = tuple[int, int, int, int]
"""Extended coordinates X, Y, Z, T with x = X/Z, y = Y/Z, xy = T/Z."""
Addend = tuple[int, int, int, int]
"""A point prepared for addition: Y − X, Y + X, 2dT, 2Z."""

NEUTRAL: Point = (0, 1, 1, 0)


def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """True when `signature` is one that the holder of `public_key` made over `message`.

    Args:
        public_key: 32 bytes.
        message: any bytes.
        signature: 64 bytes R ‖ s, little-endian.

    >>> verify(bytes(32), b"", bytes(64))
    False
    """
    point = decode_public_key(public_key)
    if point is None or len(signature) != 64:
        return False
    s = int.from_bytes(signature[32:], "little")
    if s >= L:
        return False
    hashed = hashlib.sha512(signature[:32] + public_key + message).digest()
    k = int.from_bytes(hashed, "little") % L
    x, y, z, t = point
    # R' = sB − kA must be R itself; comparing encodings also refuses an R that is not canonical.
    return _encode(_two_multiples(s, k, (P - x, y, z, P - t))) == signature[:32]


@lru_cache(maxsize=64)
def decode_public_key(encoded: bytes) -> Point | None:
    """The point of a public key, or None for what no honest signer publishes.

    None is returned for a wrong length, y ≥ p, no point on the curve, the sign bit of
    x = 0, and the eight points of small order.
    """
    if len(encoded) != 32:
        return None
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= P:
        return None
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P == P - u:
        x = x * ROOT_OF_MINUS_ONE % P
    if v * x * x % P != u or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    point = (x, y, 1, x * y % P)
    eightfold = _double(_double(_double(point)))
    return None if eightfold[0] == 0 else point


def _two_multiples(s: int, k: int, a: Point) -> Point:
    """sB + kA, both scalars in signed sliding windows over one chain of doublings."""
    digits_b, digits_a = _signed_digits(s, 8), _signed_digits(k, 5)
    length = max(len(digits_b), len(digits_a))
    digits_b += [0] * (length - len(digits_b))
    digits_a += [0] * (length - len(digits_a))
    table_b, table_a = _base_table(), _odd_multiples(a, 8)
    result = NEUTRAL
    for position in range(length - 1, -1, -1):
        result = _double(result)
        if digit := digits_b[position]:
            result = _add(result, table_b[digit >> 1] if digit > 0 else _negated(table_b[-digit >> 1]))
        if digit := digits_a[position]:
            result = _add(result, table_a[digit >> 1] if digit > 0 else _negated(table_a[-digit >> 1]))
    return result


def _signed_digits(scalar: int, width: int) -> list[int]:
    """The scalar's non-adjacent form, lowest digit first: odd digits below 2^(width−1), or zero."""
    digits = []
    full, half = 1 << width, 1 << (width - 1)
    while scalar:
        digit = 0
        if scalar & 1:
            digit = scalar & (full - 1)
            if digit >= half:
                digit -= full
            scalar -= digit
        digits.append(digit)
        scalar >>= 1
    return digits


@lru_cache(maxsize=1)
def _base_table() -> list[Addend]:
    """B, 3B, … 127B, prepared; B has y = 4/5 and even x."""
    base = decode_public_key((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
    assert base is not None
    return _odd_multiples(base, 64)


def _odd_multiples(point: Point, count: int) -> list[Addend]:
    """A, 3A, 5A, …, `count` of them, prepared for addition."""
    twice = _prepared(_double(point))
    table = [_prepared(point)]
    for _ in range(count - 1):
        point = _add(point, twice)
        table.append(_prepared(point))
    return table


def _prepared(point: Point) -> Addend:
    x, y, z, t = point
    return (y - x) % P, (y + x) % P, 2 * D * t % P, 2 * z % P


def _negated(addend: Addend) -> Addend:
    difference, total, t, z = addend
    return total, difference, -t, z


def _add(point: Point, addend: Addend) -> Point:
    """The sum; complete, so that no pair of points is a special case."""
    x, y, z, t = point
    difference, total, dt, zz = addend
    a = (y - x) * difference % P
    b = (y + x) * total % P
    c = t * dt % P
    d = z * zz % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _double(point: Point) -> Point:
    x, y, z, _ = point
    a = x * x % P
    b = y * y % P
    e = (x + y) * (x + y) - a - b
    g = b - a
    f = g - 2 * z * z
    h = -a - b
    e %= P
    f %= P
    return e * f % P, g * h % P, f * g % P, e * h % P


def _encode(point: Point) -> bytes:
    x, y, z, _ = point
    inverse = pow(z, -1, P)
    x, y = x * inverse % P, y * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")
