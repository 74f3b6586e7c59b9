"""Signed notes and verifier keys, after C2SP: one envelope for everything that is signed.

A text and signers enter, a note leaves: the text, a blank line, and one line per signature.
Reading goes the other way and never needs `cryptography`. A line by an unknown key is
ignored, as C2SP asks; `only_known=True`, which every file of ours is read with, refuses it
instead, so that no byte of such a file can change unseen. Standard library only.

Source: C2SP signed-note.md; TRUST section 2.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from survey.certification.ed25519_verify import decode_public_key, verify
from survey.errors import SurveyError

ED25519 = b"\x01"
MAX_SIGNATURES = 16
MAX_NOTE_CHARACTERS = 64 * 1024
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_NAME = re.compile(r"[^\s+\x00-\x20]{1,200}")
_KEY_ID = re.compile(r"[0-9a-f]{8}")


class NoteRefusedError(SurveyError):
    """The note is malformed, or a line by a known key does not hold."""

    code = "certification.note_refused"
    kind = "invalid"

    def __init__(self, reason: str, thing: str = "签名文") -> None:
        super().__init__(thing, reason, "请向出具方索取原文件")


class VkeyRefusedError(SurveyError):
    """The verifier key is malformed, or its point is one no honest signer publishes."""

    code = "certification.vkey_refused"
    kind = "invalid"

    def __init__(self, reason: str) -> None:
        super().__init__("验证公钥", reason, "请向出具方索取公钥原文")


@dataclass(frozen=True)
class Vkey:
    """A verifier key: whose signature it is, and the point that checks it."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The first four bytes of H(name ‖ 0x0A ‖ 0x01 ‖ public)."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the public key in hexadecimal, in groups of four, to be read aloud."""
        digits = hashlib.sha256(self.public).hexdigest()
        return " ".join(digits[at : at + 4] for at in range(0, 64, 4))

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(ED25519 + self.public).decode()}"


def parse_vkey(text: str) -> Vkey:
    """The key written as `name+keyid+base64`.

    Raises:
        VkeyRefusedError: malformed, another algorithm, a key id that does not fit, a point of
            small order, or y ≥ p.
    """
    parts = text.split("+", 2)
    if len(parts) != 3 or not _NAME.fullmatch(parts[0]) or not _KEY_ID.fullmatch(parts[1]):
        raise VkeyRefusedError("写法不对")
    data = strict_base64(parts[2])
    if data is None or len(data) != 33 or data[:1] != ED25519:
        raise VkeyRefusedError("不是Ed25519公钥")
    key = Vkey(parts[0], data[1:])
    if key.key_id.hex() != parts[1]:
        raise VkeyRefusedError("公钥编号与公钥不符")
    if decode_public_key(key.public) is None:
        raise VkeyRefusedError("公钥不在曲线上，或者是低阶点")
    return key


def strict_base64(text: str) -> bytes | None:
    """The bytes of standard base64, or None unless `text` is exactly how they are written.

    >>> strict_base64("AQ=="), strict_base64("AR==")
    (b'\\x01', None)
    """
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if base64.b64encode(data).decode() == text else None


@dataclass(frozen=True)
class NoteLine:
    """One signature line, not yet checked."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True)
class OpenedNote:
    """A note's text and the known keys that signed it, in the order of their lines."""

    text: str
    signed_by: tuple[Vkey, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the keys that signed."""
        return tuple(key.name for key in self.signed_by)


class NoteSigner(Protocol):
    """What can add a line to a note: our Ed25519 signer, or an office's own device."""

    def sign(self, text: str) -> str:
        """The signature line over `text`, with its newline."""


def make_note(text: str, signers: Iterable[NoteSigner]) -> str:
    """The note over `text` with one line per signer, in the order given.

    Raises:
        NoteRefusedError: the text does not end in a newline, or holds control characters.
    """
    _check_text(text)
    return text + "\n" + "".join(signer.sign(text) for signer in signers)


def signature_line(name: str, key_id: bytes, signature: bytes) -> str:
    """The line `— name base64(keyid ‖ signature)` with its newline."""
    return f"— {name} {base64.b64encode(key_id + signature).decode()}\n"


def split_note(note: str) -> tuple[str, tuple[NoteLine, ...]]:
    """A note's text and its unchecked lines.

    Raises:
        NoteRefusedError: not the form of a signed note.
    """
    if len(note) > MAX_NOTE_CHARACTERS:
        raise NoteRefusedError("过长")
    at = note.rfind("\n\n")
    if at < 0 or not note.endswith("\n"):
        raise NoteRefusedError("缺少空行或结尾换行")
    text, block = note[: at + 1], note[at + 2 :]
    _check_text(text)
    lines = block.split("\n")[:-1]
    if not 1 <= len(lines) <= MAX_SIGNATURES:
        raise NoteRefusedError(f"签名行要有1到{MAX_SIGNATURES}行")
    return text, tuple(_parse_line(line) for line in lines)


def _check_text(text: str) -> None:
    if not text.endswith("\n") or _CONTROL.search(text):
        raise NoteRefusedError("正文要以换行结尾，且不含控制字符")


def _parse_line(line: str) -> NoteLine:
    parts = line.split(" ")
    data = strict_base64(parts[2]) if len(parts) == 3 else None
    if data is None or parts[0] != "—" or not _NAME.fullmatch(parts[1]) or len(data) < 5:
        raise NoteRefusedError("签名行写法不对")
    return NoteLine(parts[1], data[:4], data[4:])


def open_note(note: str, vkeys: Sequence[Vkey | str], *, only_known: bool = False) -> OpenedNote:
    """The text of a note and which of `vkeys` signed it.

    Args:
        note: the whole note.
        vkeys: keys to be believed; others' lines are ignored.
        only_known: refuse lines by other keys, and two lines by one key.

    Raises:
        NoteRefusedError: malformed, a bad line by a known key, or no line by any known key.
    """
    known = {(key.name, key.key_id): key for key in map(as_vkey, vkeys)}
    text, lines = split_note(note)
    signed: list[Vkey] = []
    for line in lines:
        key = known.get((line.name, line.key_id))
        if key is None or key in signed:
            if only_known:
                raise NoteRefusedError(f"多出一行签名“{line.name}”")
            continue
        if not verify(key.public, text.encode(), line.signature):
            raise NoteRefusedError(f"“{line.name}”的签名不成立")
        signed.append(key)
    if not signed:
        raise NoteRefusedError("没有认识的人签名")
    return OpenedNote(text, tuple(signed))


def as_vkey(key: Vkey | str) -> Vkey:
    """The key itself, parsed first when it is text."""
    return parse_vkey(key) if isinstance(key, str) else key


def digest_note_text(origin: str, kind: str, digest: str) -> str:
    """The text the two sign over a document: `<origin>/<kind>`, then its digest.

    >>> digest_note_text("survey.example/demo", "plan", "ab")
    'survey.example/demo/plan\\nsha256:ab\\n'
    """
    return f"{origin}/{kind}\nsha256:{digest}\n"
