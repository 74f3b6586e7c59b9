"""Receipts at size: every one of the final log holds, every one of a log that was forked is named (T14)."""

from __future__ import annotations

import random

import pytest

from survey.certification.bundle_claims import receipts_fit
from survey.certification.bundle_lists import LeafList
from survey.certification.fields import FieldRefusedError
from survey.certification.receipt import check_receipt, make_receipt, parse_receipt
from survey.certification.sealing import key_digest, leaf
from survey.certification.signature import Signer
from survey.certification.signed_plan import read_plan
from survey.certification.transparency_log import CompactTree, MerkleTree, sign_head

BATCH = 40


def grown(
    rng: random.Random, log: Signer, n: int, begun: list[bytes] | None = None
) -> tuple[list[bytes], list[str]]:
    """`n` leaves in batches, after those the log begun with, and a receipt for each new one."""
    leaves, receipts, tree = list(begun or ()), [], CompactTree()
    for data in leaves:
        tree.append(data)
    for start in range(0, n, BATCH):
        keys = [rng.randbytes(16) for _ in range(min(BATCH, n - start))]
        first = len(leaves)
        for key in keys:
            leaves.append(leaf(rng.randbytes(32), "0001-P", key_digest(key)))
            tree.append(leaves[-1])
        head = sign_head(log.name, tree.size, tree.root(), [log])
        receipts += [make_receipt(leaves[at], key, at, head).text for at, key in enumerate(keys, first)]
    return leaves, receipts


def told(n: int, forked: int, small_wave) -> tuple[int, list[str]]:
    """How many receipts of the final log hold, and which of a forked one the verifier names."""
    rng, log = random.Random(n), small_wave.signers["log"]
    leaves, receipts = grown(rng, log, n)
    # The fork shares the first half with the final log and is signed by the same key.
    _, others = grown(rng, log, forked, leaves[: n // 2])
    tree, plan = MerkleTree.of_leaves(leaves), read_plan(small_wave.plan)
    holding = sum(check_receipt(parse_receipt(text), leaves, tree, plan.log).holds for text in receipts)
    listed = LeafList(leaves, ["0001-P"] * len(leaves))
    named = []
    for number, text in enumerate(others):
        with pytest.raises(FieldRefusedError) as refused:
            receipts_fit(plan, listed, {"good.txt": receipts[number], f"forked-{number}.txt": text})
        named.append(refused.value.file)
    return holding, named


def test_receipts_of_the_final_log_hold_and_of_a_forked_one_are_named(small_wave):
    assert told(80, 3, small_wave) == (80, [f"forked-{at}.txt" for at in range(3)])


@pytest.mark.slow
def test_ten_thousand_receipts_hold_and_ten_of_a_forked_log_are_named(small_wave):
    assert told(10_000, 10, small_wave) == (10_000, [f"forked-{at}.txt" for at in range(10)])
