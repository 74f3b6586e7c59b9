"""What an accepted answer becomes: a commitment, a leaf, and a box only two can open.

A record and random bytes enter; the commitment c goes into the public leaf, salt and record
into the box. While the box key is the wave's X25519 key, whose secret exists only as two
shares, nobody reads an answer before the two open the wave (TRUST section 8). Commitments
and leaves need the standard library only; sealing and opening use `cryptography`.

Source: TRUST section 2; RFC 7748, RFC 5869.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from survey import canonical
from survey.errors import SurveyError

BLOCK = 256
SALT_BYTES = 32
_HEX = re.compile(r"[0-9a-f]{64}")


class SealBrokenError(SurveyError):
    """A box does not open, or does not hold what was committed to."""

    code = "certification.seal_broken"
    kind = "refused"

    def __init__(self, reason: str) -> None:
        super().__init__("封存的答卷", reason, "停止开封，保留现场，请两位负责人和核查人到场")


def record_bytes(record: Mapping[str, Any], *, pad: bool) -> bytes:
    """The canonical record; padded, salt and record fill a multiple of 256 bytes.

    Args:
        record: answers, day, domain, v, wave and perhaps pace; without `pad`.
        pad: True where the wave is sealed, so that length tells nothing.

    >>> len(record_bytes({"answers": {}, "day": 1, "domain": "a-P", "v": 1, "wave": "w"}, pad=True)) + 32
    256
    """
    if not pad:
        return canonical.encode(dict(record))
    # After the pad come only v and wave, so the last empty pad is the record's own.
    before, empty, after = canonical.encode({**record, "pad": ""}).rpartition(b'"pad":""')
    zeros = -(SALT_BYTES + len(before) + len(empty) + len(after)) % BLOCK
    return before + b'"pad":"' + b"0" * zeros + b'"' + after


def commitment(salt: bytes, record: bytes) -> bytes:
    """c = H("survey/v1/commit" ‖ 0 ‖ salt ‖ record)."""
    if len(salt) != SALT_BYTES:
        raise SealBrokenError("盐不是32字节")
    return hashlib.sha256(b"survey/v1/commit\x00" + salt + record).digest()


def key_digest(submission_key: bytes) -> bytes:
    """k = H("survey/v1/key" ‖ 0 ‖ submission key), the key being 16 bytes."""
    if len(submission_key) != 16:
        raise SealBrokenError("提交键不是16字节")
    return hashlib.sha256(b"survey/v1/key\x00" + submission_key).digest()


def leaf(c: bytes, domain: str, k: bytes) -> bytes:
    """The public leaf: JCS of c, domain, k and version."""
    return b'{"c":"%b","domain":%b,"k":"%b","v":1}' % (c.hex().encode(), _text(domain), k.hex().encode())


@lru_cache(maxsize=4096)
def _text(text: str) -> bytes:
    """The canonical form of a domain's name, which a whole school's leaves share."""
    return canonical.encode(text)


def read_leaf(data: bytes) -> dict[str, Any]:
    """The leaf as a value.

    Raises:
        NotCanonicalError: anything but canonical JSON of exactly c, domain, k and v = 1.
    """
    value = canonical.decode(data, canonical.MAX_RECORD_BYTES)
    if (
        not isinstance(value, dict)
        or value.keys() != {"c", "domain", "k", "v"}
        or value["v"] != 1
        or value["v"] is True
        or not all(isinstance(value[key], str) for key in ("c", "domain", "k"))
        or not _HEX.fullmatch(value["c"])
        or not _HEX.fullmatch(value["k"])
    ):
        raise canonical.NotCanonicalError("不是一条回执叶")
    return value


def slip_leaf(domain: str, e: str) -> bytes:
    """The leaf of one slip: JCS of its domain, keyed digest in hexadecimal, and version."""
    return canonical.encode({"domain": domain, "e": e, "v": 1})


def box_public_key(secret: bytes) -> bytes:
    """The public half of a wave's X25519 box key."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def seal(record: bytes, salt: bytes, box_key: bytes | None, ephemeral: bytes | None) -> bytes:
    """The stored box of one record.

    Args:
        record: canonical record.
        salt: 32 random bytes, the commitment's.
        box_key: the wave's 32-byte public key, or None when the wave is not sealed.
        ephemeral: 32 fresh random bytes for each box (the secret esk), or None when not sealed.

    Returns:
        epk ‖ AES-256-GCM(salt ‖ record), or salt ‖ record in clear.
    """
    if box_key is None:
        return salt + record
    if ephemeral is None:
        raise SealBrokenError("缺少一次性密钥")
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    private = X25519PrivateKey.from_private_bytes(ephemeral)
    epk = private.public_key().public_bytes_raw()
    key = _box_content_key(private, box_key, epk, box_key)
    return epk + AESGCM(key).encrypt(bytes(12), salt + record, commitment(salt, record))


def open_box(box: bytes, c: bytes, box_secret: bytes | None) -> tuple[bytes, bytes]:
    """Salt and record of one box, checked against its commitment.

    Args:
        box: as stored.
        c: the 32-byte commitment in the leaf.
        box_secret: the wave's X25519 secret, or None when the wave is not sealed.

    Raises:
        SealBrokenError: the box was altered, is another's, or does not match c.
    """
    plain = box if box_secret is None else _decrypt(box, c, box_secret)
    salt, record = plain[:SALT_BYTES], plain[SALT_BYTES:]
    if len(salt) != SALT_BYTES or commitment(salt, record) != c:
        raise SealBrokenError("内容与承诺不符")
    return salt, record


def _decrypt(box: bytes, c: bytes, box_secret: bytes) -> bytes:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    if len(box) < 32 + SALT_BYTES + 16:
        raise SealBrokenError("长度不够")
    epk = box[:32]
    try:
        private = X25519PrivateKey.from_private_bytes(box_secret)
        key = _box_content_key(private, epk, epk, private.public_key().public_bytes_raw())
        return AESGCM(key).decrypt(bytes(12), box[32:], c)
    except (InvalidTag, ValueError) as error:
        raise SealBrokenError("打不开：内容被改过，或者钥匙不对") from error


def _box_content_key(private: Any, peer: bytes, epk: bytes, box_key: bytes) -> bytes:
    """dk = HKDF-SHA256(X25519(private, peer), no salt, "survey/v1/seal" ‖ 0 ‖ epk ‖ box_key)."""
    shared = private.exchange(_public(peer))
    # RFC 5869 with no salt and one block of output; the standard library does it in a fifth of the time.
    extracted = hmac.digest(bytes(32), shared, "sha256")
    return hmac.digest(extracted, b"survey/v1/seal\x00" + epk + box_key + b"\x01", "sha256")


@lru_cache(maxsize=64)
def _public(peer: bytes) -> Any:
    """A public key as the library wants it; a wave's own is the peer of all its boxes."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

    return X25519PublicKey.from_public_bytes(peer)


def split_secret(secret: bytes, share: bytes) -> tuple[bytes, bytes]:
    """Two shares whose exclusive or is `secret`; `share` is as many fresh random bytes."""
    return share, join_shares(secret, share)


def join_shares(a: bytes, b: bytes) -> bytes:
    """The secret of two shares, a ⊕ b.

    >>> join_shares(*split_secret(b"ab", bytes([7, 9])))
    b'ab'
    """
    if len(a) != len(b):
        raise SealBrokenError("两份钥匙长度不同")
    return bytes(x ^ y for x, y in zip(a, b))
