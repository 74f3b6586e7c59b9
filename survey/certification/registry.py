"""The installation's registry: one more log, of every document that two people signed.

A document's digest and type enter; a leaf leaves. The index of a statement's leaf is its
number, and a certificate carries the proof of inclusion under one registry head, so nothing
can be issued twice in secret or forgotten afterwards. Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from survey import canonical
from survey.certification.fields import FieldRefusedError, Fields
from survey.certification.note import Vkey, open_note
from survey.certification.transparency_log import (
    Checkpoint,
    MerkleTree,
    is_included,
    leaf_hash,
    parse_checkpoint,
)

REGISTRY_TYPE = "survey/registry/v1"
DESIGN_TYPE = "survey/design/v1"
CLOSING_TYPE = "survey/closing/v1"
VOID_TYPE = "survey/void/v1"
OPENING_TYPE = "survey/opening/v1"
EXTENSION_TYPE = "survey/extension/v1"
REVOCATION_TYPE = "survey/revocation/v1"


def registry_leaf(digest: str, document_type: str) -> bytes:
    """The leaf of one document: JCS of its digest, its type, and version."""
    return canonical.encode({"digest": digest, "type": document_type, "v": 1})


@dataclass(frozen=True)
class RegistryProof:
    """That one leaf stands at `index` under a signed registry head."""

    index: int
    proof: tuple[bytes, ...]
    head_note: str

    def document(self) -> dict[str, Any]:
        """The proof as the certificate carries it."""
        return {
            "head": self.head_note,
            "index": self.index,
            "proof": [element.hex() for element in self.proof],
        }


def prove_registered(leaves: Sequence[bytes], index: int, head_note: str) -> RegistryProof:
    """The proof for one leaf of the registry under its signed head.

    Args:
        leaves: leaf bytes in order; those past the head's size are left aside.
    """
    size = parse_checkpoint(head_note.rpartition("\n\n")[0] + "\n").size
    return RegistryProof(index, MerkleTree.of_leaves(leaves[:size]).inclusion(index), head_note)


def registry_document(leaves: Iterable[bytes], head_note: str) -> dict[str, Any]:
    """`registry.json` of a bundle: the whole list and its head."""
    return {
        "head": head_note,
        "leaves": [canonical.decode(data) for data in leaves],
        "type": REGISTRY_TYPE,
    }


def read_head(note: str, key: Vkey) -> Checkpoint:
    """The registry head in a note signed by exactly the registry's key.

    Raises:
        NoteRefusedError, CheckpointRefusedError: malformed, or another's signature.
        FieldRefusedError: a head of another log.
    """
    head = parse_checkpoint(open_note(note, [key], only_known=True).text)
    if head.origin != key.name:
        raise FieldRefusedError("registry.json", "head", "不是这个登记日志的头")
    return head


def check_proof(fields: Fields, key: Vkey, digest: str, document_type: str) -> tuple[int, int]:
    """Index of the document and size of the registry, once the proof in a certificate holds.

    Raises:
        FieldRefusedError: the proof is malformed or does not lead to the head's root.
    """
    fields.only(("head", "index", "proof"))
    head = read_head(fields.text("head"), key)
    index = fields.count("index")
    proof = []
    for text in fields.texts("proof"):
        try:
            element = bytes.fromhex(text)
        except ValueError as error:
            raise fields.refuse("proof", "不是十六进制") from error
        if element.hex() != text:
            raise fields.refuse("proof", "不是小写十六进制")
        proof.append(element)
    hashed = leaf_hash(registry_leaf(digest, document_type))
    if not is_included(hashed, index, head.size, proof, head.root):
        raise fields.refuse("proof", "在登记日志里找不到这份声明")
    return index, head.size


def read_registry(
    document: Any, key: Vkey, file: str = "registry.json"
) -> tuple[list[tuple[str, str]], Checkpoint]:
    """All (digest, type) of a whole registry in order, and its head.

    Raises:
        FieldRefusedError: a malformed leaf, or leaves that do not give the head's root.
    """
    fields = Fields.of(file, document)
    fields.only(("head", "leaves", "type"))
    fields.constant("type", REGISTRY_TYPE)
    head = read_head(fields.text("head"), key)
    entries = []
    for entry in fields.objects("leaves"):
        entry.only(("digest", "type", "v"))
        entry.constant("v", 1)
        entries.append((entry.digest("digest"), entry.text("type")))
    tree = MerkleTree.of_leaves(registry_leaf(*entry) for entry in entries)
    if (tree.size, tree.root()) != (head.size, head.root):
        raise fields.refuse("leaves", "算不出登记日志头里的根")
    return entries, head
