"""Whether an SM2 signature with SM3 holds, in plain Python, for lines an office adds by its own device.

A public key, a message and a signature enter; True or False leaves. A verifier only, like
`ed25519_verify`: it touches no secret. About 20 ms a signature. Nothing of the product's own
proof rests on such a line, and no compliance is claimed by checking one.
Standard library only.

Source: GB/T 32905-2016 (SM3), GB/T 32918.2-2016 and .5-2017 (SM2, recommended curve); checked
against the examples of both standards.
"""

from __future__ import annotations

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
BASE = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
USER_ID = b"1234567812345678"
"""The default user id of GB/T 35276, used where nothing else was agreed."""

Point = tuple[int, int] | None
"""Affine coordinates; None is the point at infinity."""

_START: tuple[int, ...] = (
    *(0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600),
    *(0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E),
)
_WORD = 0xFFFFFFFF


def verify_sm2(public_key: bytes, message: bytes, signature: bytes, user_id: bytes = USER_ID) -> bool:
    """True when `signature` is one that the holder of `public_key` made over `message`.

    Args:
        public_key: x ‖ y, 64 bytes.
        message: any bytes.
        signature: r ‖ s, 64 bytes, big-endian.
    """
    if len(public_key) != 64 or len(signature) != 64:
        return False
    point = int.from_bytes(public_key[:32], "big"), int.from_bytes(public_key[32:], "big")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not _on_curve(point) or not 1 <= r < N or not 1 <= s < N or not (t := (r + s) % N):
        return False
    e = int.from_bytes(sm3(identity_digest(public_key, user_id) + message), "big")
    found = _add(_times(s, BASE), _times(t, point))
    return found is not None and (e + found[0]) % N == r


def identity_digest(public_key: bytes, user_id: bytes = USER_ID) -> bytes:
    """Z_A: SM3 of the user id's length in bits, the id, the curve and the public key."""
    curve = b"".join(number.to_bytes(32, "big") for number in (A, B, *BASE))
    return sm3((len(user_id) * 8).to_bytes(2, "big") + user_id + curve + public_key)


def sm3(data: bytes) -> bytes:
    """The SM3 digest, 32 bytes.

    >>> sm3(b"abc").hex()[:16]
    '66c7f0f462eeedd9'
    """
    padded = data + b"\x80" + bytes(-(len(data) + 9) % 64) + (len(data) * 8).to_bytes(8, "big")
    state = _START
    for at in range(0, len(padded), 64):
        state = tuple(old ^ new for old, new in zip(state, _compressed(state, padded[at : at + 64])))
    return b"".join(word.to_bytes(4, "big") for word in state)


def _compressed(state: tuple[int, ...], block: bytes) -> tuple[int, ...]:
    w = [int.from_bytes(block[at : at + 4], "big") for at in range(0, 64, 4)]
    for j in range(16, 68):
        x = w[j - 16] ^ w[j - 9] ^ _left(w[j - 3], 15)
        w.append(x ^ _left(x, 15) ^ _left(x, 23) ^ _left(w[j - 13], 7) ^ w[j - 6])
    a, b, c, d, e, f, g, h = state
    for j in range(64):
        constant = 0x79CC4519 if j < 16 else 0x7A879D8A
        first = _left((_left(a, 12) + e + _left(constant, j % 32)) & _WORD, 7)
        second = first ^ _left(a, 12)
        if j < 16:
            mixed, chosen = a ^ b ^ c, e ^ f ^ g
        else:
            mixed, chosen = a & b | a & c | b & c, e & f | ~e & g
        one = (mixed + d + second + (w[j] ^ w[j + 4])) & _WORD
        two = (chosen + h + first + w[j]) & _WORD
        a, b, c, d = one, a, _left(b, 9), c
        e, f, g, h = two ^ _left(two, 9) ^ _left(two, 17), e, _left(f, 19), g
    return a, b, c, d, e, f, g, h


def _left(word: int, by: int) -> int:
    return (word << by | word >> (32 - by)) & _WORD if by else word


def _on_curve(point: tuple[int, int]) -> bool:
    x, y = point
    return x < P and y < P and (y * y - (x * x * x + A * x + B)) % P == 0


def _add(one: Point, other: Point) -> Point:
    if one is None or other is None:
        return other if one is None else one
    (x1, y1), (x2, y2) = one, other
    if x1 == x2:
        if (y1 + y2) % P == 0:
            return None
        slope = (3 * x1 * x1 + A) * pow(2 * y1, -1, P) % P
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, P) % P
    x = (slope * slope - x1 - x2) % P
    return x, (slope * (x1 - x) - y1) % P


def _times(scalar: int, point: Point) -> Point:
    result: Point = None
    for bit in bin(scalar)[2:]:
        result = _add(result, result)
        if bit == "1":
            result = _add(result, point)
    return result
