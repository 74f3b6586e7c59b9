"""Sign on another computer: what is to be signed travels as a file, and comes back with a line.

The bureau's verb runs until it needs the approver's line, stops with everything undone that it
had done, and writes a request. The approver looks at it on their own computer, adds the line
with `survey sign FILE`, and the bureau runs the same command again; the text must be the same
to the byte. For opening, the file also carries the approver's half of the box key, sealed to
the share key that only their signing key yields, and brings the opened half back.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from survey import canonical
from survey.certification.note import NoteRefusedError, Vkey, open_note, parse_vkey
from survey.certification.sealing import box_public_key, commitment, open_box, seal
from survey.certification.signature import Signer
from survey.errors import SurveyError

REQUEST_TYPE = "survey/signing-request/v1"
SHARE_LABEL = b"survey/v1/share-key\x00"


class AwaitingSignatureError(SurveyError):
    """The act goes on once somebody on another computer has signed this text."""

    code = "signers.awaiting"
    kind = "conflict"

    def __init__(self, text: str, document: Any = None) -> None:
        super().__init__(
            "签名",
            "签发的钥匙在别的电脑上，还差一行签名",
            "把请求文件交给签发，运行 survey sign 请求文件，再做一次这一步",
        )
        self.text = text
        self.document_to_sign = document


class RequestRefusedError(SurveyError):
    """Not a request of ours, or not for this signer."""

    code = "signers.request"
    kind = "invalid"

    def __init__(self, reason: str) -> None:
        super().__init__("签名请求", reason, "用承办单位给的那份请求文件，在自己的电脑上签")


def share_secret(signer: Signer) -> bytes:
    """The X25519 secret that opens halves sealed to a signer; it follows from the signing key alone."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), 32, None, SHARE_LABEL).derive(signer.seed)


def share_key(signer: Signer) -> str:
    """The public half, in hexadecimal: what the bureau seals this signer's halves to."""
    return box_public_key(share_secret(signer)).hex()


def seal_half(half: bytes, key: str) -> bytes:
    """A half of a box key, sealed so that only the holder of a signing key opens it."""
    salt = secrets.token_bytes(32)
    box = seal(half, salt, bytes.fromhex(key), secrets.token_bytes(32))
    return canonical.encode({"box": box.hex(), "c": commitment(salt, half).hex()})


def open_half(sealed: bytes, signer: Signer) -> bytes:
    """The half that was sealed to this signer.

    Raises:
        SealBrokenError: altered, or another's.
    """
    document = canonical.decode(sealed)
    _, half = open_box(bytes.fromhex(document["box"]), bytes.fromhex(document["c"]), share_secret(signer))
    return half


@dataclass(frozen=True)
class RemoteSigner:
    """Somebody whose key is on another computer, with the lines that have come back so far."""

    key: Vkey
    share_key: str
    lines: Mapping[str, str] = field(default_factory=dict)
    half: bytes | None = None

    @property
    def name(self) -> str:
        """The name of the key."""
        return self.key.name

    @property
    def vkey(self) -> str:
        """The key as text."""
        return str(self.key)

    def sign(self, text: str) -> str:
        """The line over a text, as it came back.

        Raises:
            AwaitingSignatureError: none came back yet.
        """
        line = self.lines.get(text)
        if line is None:
            raise AwaitingSignatureError(text)
        return line


@dataclass(frozen=True)
class SigningRequest:
    """One text to be signed, with what it stands for, and the answer once it is there."""

    wave: str
    text: str
    document: Any
    sealed_half: str = ""
    line: str = ""
    half: str = ""

    def encoded(self) -> bytes:
        """The request as a file."""
        return canonical.encode(
            {
                "document": self.document,
                "half": self.half,
                "line": self.line,
                "sealed_half": self.sealed_half,
                "text": self.text,
                "type": REQUEST_TYPE,
                "wave": self.wave,
            }
        )

    def signed_by(self, signer: Signer) -> SigningRequest:
        """The request with the signer's line, and with their half where one is asked for.

        Raises:
            RequestRefusedError: the text is not over the document beside it.
        """
        digest = None if self.document is None else canonical.digest(self.document)
        if digest is not None and f"sha256:{digest}\n" not in self.text:
            raise RequestRefusedError("要签的摘要和附上的文件不一致")
        half = open_half(bytes.fromhex(self.sealed_half), signer).hex() if self.sealed_half else ""
        return replace(self, line=signer.sign(self.text), half=half)

    def answered(self, remote: RemoteSigner) -> RemoteSigner:
        """The remote signer with this answer, its line checked.

        Raises:
            RequestRefusedError: the line does not hold.
        """
        if not self.line:
            return remote
        try:
            open_note(f"{self.text}\n{self.line}", [remote.key], only_known=True)
        except NoteRefusedError as error:
            raise RequestRefusedError(f"签名不成立（{error.reason}）") from error
        half = bytes.fromhex(self.half) if self.half else None
        return replace(remote, lines={**remote.lines, self.text: self.line}, half=half)


def read_request(data: bytes) -> SigningRequest:
    """The request in a file.

    Raises:
        RequestRefusedError: anything else.
    """
    try:
        document = canonical.decode(data)
        keys = ("wave", "text", "document", "sealed_half", "line", "half")
        request = SigningRequest(*(document[key] for key in keys))
        if request.encoded() != data:
            raise RequestRefusedError("写法不对")
        bytes.fromhex(request.sealed_half + request.half)
    except (canonical.NotCanonicalError, KeyError, TypeError, ValueError) as error:
        raise RequestRefusedError("写法不对") from error
    return request


def remote_from(vkey: str, share: str) -> RemoteSigner:
    """The remote signer of two public keys.

    Raises:
        VkeyRefusedError, RequestRefusedError: not such keys.
    """
    if len(share) != 64 or any(sign not in "0123456789abcdef" for sign in share):
        raise RequestRefusedError("半把钥匙的公钥应为64位小写十六进制")
    return RemoteSigner(parse_vkey(vkey), share)
