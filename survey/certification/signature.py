"""Ed25519 signers: whose key it is, and the line it adds to a note.

A name and 32 secret bytes enter, note lines leave; the bytes come from the caller, who owns
the randomness. Keys of people are kept as encrypted PKCS#8, and the passphrase is asked for
at every signature (TRUST section 4). Checking lives in `ed25519_verify`; only this module
and `sealing` need `cryptography`, and they import it when they are used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from survey.certification.note import Vkey, signature_line
from survey.errors import SurveyError

MIN_PASSPHRASE = 8


class KeyFileError(SurveyError):
    """The key file cannot be opened: a wrong passphrase, or not such a file."""

    code = "certification.key_file"
    kind = "invalid"

    def __init__(self, name: str, reason: str) -> None:
        who = {"operator": "经办的", "approver": "签发的"}.get(name.rpartition("/")[2], "")
        super().__init__(f"{who}签名密钥“{name}”", reason, "请核对口令和密钥文件后再试")


@dataclass(frozen=True)
class Signer:
    """An Ed25519 key with the name that its notes carry.

    `name` is `<host>/<wave>` for a log, `<host>/operator` and the like for people; `seed` is
    the 32-byte private key of RFC 8032.
    """

    name: str
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.seed) != 32:
            raise KeyFileError(self.name, "私钥不是32字节")

    @cached_property
    def _private(self) -> Any:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self.seed)

    @cached_property
    def key(self) -> Vkey:
        """The verifier key as a value."""
        return Vkey(self.name, self._private.public_key().public_bytes_raw())

    @property
    def vkey(self) -> str:
        """The verifier key as text, `name+keyid+base64`."""
        return str(self.key)

    def raw_signature(self, data: bytes) -> bytes:
        """The 64-byte signature over `data`."""
        return self._private.sign(data)

    def sign(self, text: str) -> str:
        """The note line over `text`."""
        return signature_line(self.name, self.key.key_id, self.raw_signature(text.encode()))


def generate_signer(name: str, random_bytes: Callable[[int], bytes]) -> Signer:
    """A new signer; `random_bytes` is `secrets.token_bytes`, handed in."""
    return Signer(name, random_bytes(32))


def save_encrypted(signer: Signer, passphrase: str) -> bytes:
    """The signer's key as encrypted PKCS#8 in PEM.

    Raises:
        KeyFileError: the passphrase is shorter than eight signs.
    """
    from cryptography.hazmat.primitives import serialization

    if len(passphrase) < MIN_PASSPHRASE:
        raise KeyFileError(signer.name, f"口令少于{MIN_PASSPHRASE}个字符")
    return signer._private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase.encode()),
    )


def load_encrypted(pem: bytes, passphrase: str, name: str) -> Signer:
    """The signer kept in `pem`.

    Raises:
        KeyFileError: a wrong passphrase, or no Ed25519 key in PKCS#8.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        key = serialization.load_pem_private_key(pem, passphrase.encode())
    except (ValueError, TypeError) as error:
        raise KeyFileError(name, "打不开：口令不对，或者文件已损坏") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(name, "文件里不是Ed25519私钥")
    return Signer(name, key.private_bytes_raw())
