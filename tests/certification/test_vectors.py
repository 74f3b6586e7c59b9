"""The published vectors: trees, proofs, signatures, notes; both Ed25519 verifiers."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from survey.certification.ed25519_verify import P, decode_public_key, verify
from survey.certification.note import Vkey, VkeyRefusedError, open_note, parse_vkey
from survey.certification.signature import Signer
from survey.certification.transparency_log import (
    EMPTY_ROOT,
    CheckpointRefusedError,
    CompactTree,
    MerkleTree,
    is_consistent,
    is_included,
    leaf_hash,
    parse_checkpoint,
    tree_root,
)
from survey.errors import SurveyError

GOLDEN = Path(__file__).parents[1] / "golden" / "trust"


def load(name: str) -> Any:
    return json.loads((GOLDEN / name).read_text(encoding="utf-8"))


def unhex(elements: list[str]) -> list[bytes]:
    return [bytes.fromhex(element) for element in elements]


def test_leaf_and_empty_hashes_are_those_of_rfc_6962():
    hasher = load("merkle_hash.json")["hasher"]

    assert hasher[0]["want_hex"] == EMPTY_ROOT.hex() == CompactTree().root().hex()
    assert all(leaf_hash(bytes.fromhex(case["data_hex"])).hex() == case["want_hex"] for case in hasher[1:])


def test_the_reference_tree_has_its_roots_by_both_trees():
    reference = load("merkle_hash.json")["reference_tree"]
    leaves = unhex(reference["leaf_data_hex"])
    tree = MerkleTree.of_leaves(leaves)

    for size, root in reference["root_hex_by_size"].items():
        assert tree_root(leaves[: int(size)]).hex() == root
        assert tree.root(int(size)).hex() == root


@pytest.mark.parametrize("case", load("merkle_hash.json")["computed"]["trees"], ids=lambda case: case["size"])
def test_larger_trees_give_the_published_roots_and_proofs(case):
    size, root = case["size"], bytes.fromhex(case["root_hex"])
    tree = MerkleTree.of_leaves(f"leaf {i}".encode() for i in range(size))
    compact = tree_root(f"leaf {i}".encode() for i in range(size))

    assert tree.root() == root == compact
    if inclusion := case.get("inclusion"):
        proof = tree.inclusion(inclusion["index"])
        assert [element.hex() for element in proof] == inclusion["proof_hex"]
        assert is_included(tree.leaf(inclusion["index"]), inclusion["index"], size, proof, root)
    if consistency := case.get("consistency"):
        proof = tree.consistency(consistency["from"])
        assert [element.hex() for element in proof] == consistency["proof_hex"]
        assert is_consistent(
            consistency["from"], bytes.fromhex(consistency["from_root_hex"]), size, root, proof
        )


@pytest.mark.parametrize("case", load("merkle_inclusion.json")["vectors"], ids=lambda case: case["name"])
def test_inclusion_probe(case):
    found = is_included(
        bytes.fromhex(case["leaf_hash_hex"]),
        case["leaf_index"],
        case["tree_size"],
        unhex(case["proof_hex"]),
        bytes.fromhex(case["root_hex"]),
    )

    assert found is case["valid"]


@pytest.mark.parametrize("case", load("merkle_consistency.json")["vectors"], ids=lambda case: case["name"])
def test_consistency_probe(case):
    found = is_consistent(
        case["size1"],
        bytes.fromhex(case["root1_hex"]),
        case["size2"],
        bytes.fromhex(case["root2_hex"]),
        unhex(case["proof_hex"]),
    )

    assert found is case["valid"]


def test_a_compact_tree_resumed_from_its_tops_goes_on_as_if_never_stopped():
    whole = CompactTree()
    for i in range(37):
        whole.add(f"leaf {i}".encode())
        resumed = CompactTree(whole.size, whole.tops)

        assert resumed.root() == whole.root()
        assert resumed.copy().append(b"next") == whole.copy().append(b"next")


def test_a_copied_tree_grows_apart():
    tree = CompactTree()
    tree.add(b"one")
    before = tree.root()
    tree.copy().add(b"two")

    assert tree.root() == before and tree.size == 1


@pytest.mark.parametrize("case", load("ed25519_rfc8032.json")["vectors"], ids=lambda case: case["name"])
def test_rfc_8032_signatures_are_made_and_verify(case):
    message, signature = bytes.fromhex(case["msg_hex"]), bytes.fromhex(case["sig_hex"])
    signer = Signer("a", bytes.fromhex(case["secret_key_hex"]))

    assert signer.key.public.hex() == case["public_key_hex"]
    assert signer.raw_signature(message) == signature
    assert verify(signer.key.public, message, signature)
    assert not verify(signer.key.public, message + b"x", signature)


@pytest.mark.parametrize("case", load("ed25519_wycheproof.json")["vectors"], ids=lambda case: case["tcId"])
def test_wycheproof_signature_by_both_verifiers(case):
    key, message = bytes.fromhex(case["public_key_hex"]), bytes.fromhex(case["msg_hex"])
    signature = bytes.fromhex(case["sig_hex"])
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
        theirs = True
    except InvalidSignature:
        theirs = False

    assert verify(key, message, signature) is theirs is case["valid"]


def test_a_signature_takes_a_few_milliseconds():
    case = load("ed25519_rfc8032.json")["vectors"][1]
    arguments = [bytes.fromhex(case[key]) for key in ("public_key_hex", "msg_hex", "sig_hex")]
    verify(*arguments)
    started = time.process_time()
    for _ in range(20):
        verify(*arguments)

    assert (time.process_time() - started) / 20 < 0.010


SMALL_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
]


@pytest.mark.parametrize("encoded", SMALL_ORDER)
def test_a_key_of_small_order_is_refused(encoded):
    with pytest.raises(VkeyRefusedError):
        parse_vkey(str(Vkey("a", bytes.fromhex(encoded))))


@pytest.mark.parametrize("y", [P, P + 1, P + 3, 2**255 - 1])
def test_a_key_with_y_not_below_p_is_refused(y):
    assert decode_public_key(y.to_bytes(32, "little")) is None
    assert decode_public_key((y | 1 << 255).to_bytes(32, "little")) is None


@pytest.mark.parametrize("case", load("signed_note.json")["notes"], ids=lambda case: case["name"])
def test_signed_note(case):
    try:
        verifies = bool(open_note(case["note"], [case["vkey"]]).signed_by)
    except SurveyError:
        verifies = False

    assert verifies is case["verifies"]


@pytest.mark.parametrize("text", load("signed_note.json")["bad_vkeys"])
def test_a_malformed_vkey_is_refused(text):
    with pytest.raises(VkeyRefusedError):
        parse_vkey(text)


def test_the_published_checkpoint_is_read():
    case = load("signed_note.json")["checkpoint"]
    head = parse_checkpoint(case["note"].split("\n\n")[0] + "\n")

    assert (head.origin, head.size) == (case["origin"], case["size"])
    assert head.text.split("\n")[2] == case["root_b64"]


@pytest.mark.parametrize("text", load("signed_note.json")["checkpoint_text_must_be_refused"])
def test_a_malformed_checkpoint_is_refused(text):
    with pytest.raises(CheckpointRefusedError):
        parse_checkpoint(text)
