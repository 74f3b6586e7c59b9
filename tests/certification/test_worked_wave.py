"""The first half of the worked wave: keys, slips, answers, receipts and heads, byte for byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from survey.certification.note import open_note
from survey.certification.receipt import check_receipt, make_receipt, parse_receipt
from survey.certification.sealing import (
    box_public_key,
    commitment,
    key_digest,
    leaf,
    open_box,
    record_bytes,
    seal,
    slip_leaf,
)
from survey.certification.signature import Signer
from survey.certification.transparency_log import (
    CompactTree,
    MerkleTree,
    is_consistent,
    is_included,
    leaf_hash,
    parse_checkpoint,
    sign_head,
    tree_root,
)
from survey.errors import SurveyError

ORIGIN = "survey.example/demo-2027s"


@pytest.fixture(scope="module")
def example() -> dict[str, Any]:
    path = Path(__file__).parents[1] / "golden" / "trust" / "evidence_example.json"
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def signers(example: dict[str, Any]) -> dict[str, Signer]:
    return {
        key["role"]: Signer(key["vkey"].split("+")[0], bytes.fromhex(key["seed_hex"]))
        for key in example["keys"]
    }


def test_each_seed_gives_the_published_verifier_key(example, signers):
    found = {role: signer.vkey for role, signer in signers.items()}

    assert found == {key["role"]: key["vkey"] for key in example["keys"]}


def test_slip_leaves_and_their_root_are_those_of_the_example(example):
    leaves = [slip_leaf(slip["domain"], slip["e_hex"]) for slip in example["slips"]]

    assert [data.decode() for data in leaves] == example["slip_leaf_data_jcs"]
    assert tree_root(leaves).hex() == example["slips_root_hex"]


def test_every_response_becomes_the_published_leaf_receipt_and_head(example, signers):
    tree = CompactTree()
    for response in example["responses"]:
        record = record_bytes(json.loads(response["record_jcs"]), pad=False)
        salt = bytes.fromhex(response["salt_hex"])
        key = bytes.fromhex(response["submission_key_hex"])
        c = commitment(salt, record)
        data = leaf(c, json.loads(record)["domain"], key_digest(key))
        head = sign_head(ORIGIN, response["index"] + 1, tree.append(data), [signers["log"]])
        receipt = make_receipt(data, key, response["index"], head)

        assert record.decode() == response["record_jcs"]
        assert c.hex() == response["commitment_hex"]
        assert data.decode() == response["leaf_data_jcs"]
        assert leaf_hash(data).hex() == response["leaf_hash_hex"]
        assert head == response["checkpoint_note"]
        assert receipt.code == response["receipt_code"]
        assert receipt.text == response["receipt"]
        assert parse_receipt(receipt.text) == receipt


def test_every_sealed_box_opens_to_its_salt_and_record(example):
    secret = bytes.fromhex(example["box_secret_hex"])
    for response in example["responses"]:
        salt, record = open_box(
            bytes.fromhex(response["sealed_hex"]), bytes.fromhex(response["commitment_hex"]), secret
        )

        assert salt.hex() == response["salt_hex"]
        assert record.decode() == response["record_jcs"]


def test_a_box_sealed_here_opens_here_and_any_changed_byte_breaks_it(example):
    secret = bytes.fromhex(example["box_secret_hex"])
    record = record_bytes(
        {"answers": {"q01": 4}, "day": 1, "domain": "0001-P", "v": 1, "wave": "w"}, pad=True
    )
    salt = bytes(range(32))
    box = seal(record, salt, box_public_key(secret), bytes(range(1, 33)))
    c = commitment(salt, record)

    assert open_box(box, c, secret) == (salt, record)
    assert (len(box) - 32 - 16) % 256 == 0
    for at in range(len(box)):
        with pytest.raises(SurveyError):
            open_box(box[:at] + bytes([box[at] ^ 1]) + box[at + 1 :], c, secret)


def test_an_unsealed_box_is_salt_and_record_in_clear():
    salt, record = bytes(32), b"{}"

    assert seal(record, salt, None, None) == salt + record
    assert open_box(salt + record, commitment(salt, record), None) == (salt, record)


def test_the_closing_head_carries_the_log_and_the_two(example, signers):
    leaves = [response["leaf_data_jcs"].encode() for response in example["responses"]]
    note = sign_head(ORIGIN, 9, tree_root(leaves), [signers[r] for r in ("log", "operator", "approver")])
    opened = open_note(note, [signer.vkey for signer in signers.values()], only_known=True)

    assert note == example["closing_checkpoint_note"]
    assert opened.names == (ORIGIN, "survey.example/operator", "survey.example/approver")


def test_the_published_proofs_are_made_and_hold(example):
    tree = MerkleTree.of_leaves(r["leaf_data_jcs"].encode() for r in example["responses"])
    inclusion, consistency = tree.inclusion(2), tree.consistency(3)

    assert [element.hex() for element in inclusion] == example["inclusion_of_index_2"]
    assert [element.hex() for element in consistency] == example["consistency_3_to_end"]
    assert is_included(tree.leaf(2), 2, 9, inclusion, tree.root())
    assert is_consistent(3, tree.root(3), 9, tree.root(), consistency)


def test_every_receipt_holds_against_the_final_log_and_a_foreign_one_is_named(example, signers):
    leaves = [response["leaf_data_jcs"].encode() for response in example["responses"]]
    tree = MerkleTree.of_leaves(leaves)
    receipts = [parse_receipt(response["receipt"].lower()) for response in example["responses"]]
    forked = MerkleTree.of_leaves([*leaves[:4], leaves[5], leaves[4], *leaves[6:]])
    forked_leaves = [*leaves[:4], leaves[5], leaves[4], *leaves[6:]]
    found = [check_receipt(receipt, forked_leaves, forked, signers["log"].key) for receipt in receipts]

    assert all(check_receipt(receipt, leaves, tree, signers["log"].key).holds for receipt in receipts)
    assert [check.recorded for check in found] == [True] * 4 + [False] * 2 + [True] * 3
    assert [check.head_consistent for check in found] == [True] * 4 + [False] * 5


def test_the_head_of_the_example_reads_back(example):
    head = parse_checkpoint(example["closing_checkpoint_note"].split("\n\n")[0] + "\n")

    assert (head.origin, head.size) == (ORIGIN, 9)
