"""A receipt: proof that a response is in the log, never of what it says.

Leaf, submission key, place and the batch's signed head enter; 264 signs leave, which the
respondent may keep. Before closing nobody can tell a real receipt from an invented one,
because all heads are public (TRUST section 9); after it, `check_receipt` compares one with
the published leaf list. Standard library only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from survey import canonical
from survey.certification.crockford import decode_signs, encode_signs, in_groups, normalise_signs
from survey.certification.ed25519_verify import verify
from survey.certification.note import NoteLine, NoteRefusedError, Vkey, split_note
from survey.certification.sealing import key_digest, read_leaf
from survey.certification.transparency_log import Checkpoint, MerkleTree, leaf_hash, parse_checkpoint
from survey.errors import SurveyError

RECEIPT_BYTES = 165
VERSION = b"\x01"


class ReceiptUnreadableError(SurveyError):
    """The text is neither a receipt nor a receipt code."""

    code = "certification.receipt_unreadable"
    kind = "invalid"

    def __init__(self) -> None:
        super().__init__("回执", "读不出来，可能少了或错了字符", "请照回执原样再输一次，或扫描回执上的二维码")


@dataclass(frozen=True)
class Receipt:
    """A receipt taken apart; `text` puts it together again."""

    leaf_hash: bytes
    submission_key: bytes
    index: int
    size: int
    root: bytes
    key_id: bytes
    signature: bytes

    @property
    def code(self) -> str:
        """The 16 signs a person can type: the first ten bytes of the leaf hash."""
        return receipt_code(self.leaf_hash)

    @property
    def text(self) -> str:
        """The 264 signs."""
        data = b"".join(
            (
                self.leaf_hash,
                VERSION,
                self.submission_key,
                self.index.to_bytes(8, "big"),
                self.size.to_bytes(8, "big"),
                self.root,
                self.key_id,
                self.signature,
            )
        )
        return encode_signs(data)


def receipt_code(hashed: bytes) -> str:
    """The receipt code of a leaf hash, 4-4-4-4."""
    return in_groups(encode_signs(hashed[:10]))


def make_receipt(leaf_data: bytes, submission_key: bytes, index: int, head_note: str) -> Receipt:
    """The receipt of one leaf under the head of its batch; the head's first line is the log's.

    Raises:
        NoteRefusedError: the head is not a note, or its first line is no Ed25519 signature.
    """
    head, line = _head_and_line(head_note)
    return Receipt(
        leaf_hash(leaf_data), submission_key, index, head.size, head.root, line.key_id, line.signature
    )


@lru_cache(maxsize=64)
def _head_and_line(head_note: str) -> tuple[Checkpoint, NoteLine]:
    """The head of a batch and the log's line under it, read once for all the batch's receipts."""
    text, lines = split_note(head_note)
    head = parse_checkpoint(text)
    if len(lines[0].signature) != 64 or lines[0].name != head.origin:
        raise NoteRefusedError("第一行不是日志的签名")
    return head, lines[0]


def parse_receipt(text: str) -> Receipt:
    """The receipt written in `text`; hyphens, spaces and small letters are forgiven.

    Raises:
        ReceiptUnreadableError: not 264 signs of a receipt.
    """
    data = decode_signs(text, RECEIPT_BYTES)
    if data is None or data[32:33] != VERSION:
        raise ReceiptUnreadableError()
    return Receipt(
        data[:32],
        data[33:49],
        int.from_bytes(data[49:57], "big"),
        int.from_bytes(data[57:65], "big"),
        data[65:97],
        data[97:101],
        data[101:],
    )


def plain_signs(text: str) -> str:
    """The signs of a receipt or code as they are compared; empty where some are none of ours."""
    return normalise_signs(text) or ""


def parse_code(text: str) -> str:
    """The 16 signs of a receipt code, or of a receipt given whole, without hyphens.

    Raises:
        ReceiptUnreadableError: neither of the two.
    """
    signs = normalise_signs(text)
    if signs is None or len(signs) not in (16, 264):
        raise ReceiptUnreadableError()
    return signs[:16]


@dataclass(frozen=True)
class ReceiptCheck:
    """What the final log says about one receipt; each False is a broken promise, named."""

    recorded: bool
    """The leaf stands where the receipt says."""
    head_signed: bool
    """The log's key signed the receipt's head."""
    head_consistent: bool
    """That head is the beginning of the final log."""
    own_key: bool
    """The leaf carries the respondent's own submission key, so it was given to nobody else."""

    @property
    def holds(self) -> bool:
        """True when every promise was kept."""
        return self.recorded and self.head_signed and self.head_consistent and self.own_key


def check_receipt(receipt: Receipt, leaves: Sequence[bytes], tree: MerkleTree, log_key: Vkey) -> ReceiptCheck:
    """The receipt against the final leaf list.

    Args:
        receipt: as parsed.
        leaves: leaf bytes in log order.
        tree: the tree over `leaves`.
        log_key: the wave's log key; its name is the origin.
    """
    recorded = receipt.index < len(leaves) and tree.leaf(receipt.index) == receipt.leaf_hash
    head = Checkpoint(log_key.name, receipt.size, receipt.root)
    signed = receipt.key_id == log_key.key_id and verify(
        log_key.public, head.text.encode(), receipt.signature
    )
    consistent = receipt.index < receipt.size <= tree.size and tree.root(receipt.size) == receipt.root
    own = False
    if recorded:
        try:
            own = read_leaf(leaves[receipt.index])["k"] == key_digest(receipt.submission_key).hex()
        except canonical.NotCanonicalError:
            own = False
    return ReceiptCheck(recorded, signed, consistent, own)
