"""The worked wave of `reference/trust`, made again byte for byte: slips, plan, answers, table, figure.

The parsed example enters; one check a value leaves. Keys, salts and codes are the example's,
so everything that has to be signed or sealed is signed and sealed here and compared.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

from survey import canonical
from survey.certification.certificate import build_certificate
from survey.certification.conformance import Check, Found, Vectors, checked, unhex
from survey.certification.note import digest_note_text, make_note, open_note
from survey.certification.receipt import check_receipt, make_receipt, parse_receipt
from survey.certification.sealing import (
    box_public_key,
    commitment,
    key_digest,
    leaf,
    open_box,
    record_bytes,
    slip_leaf,
)
from survey.certification.signature import Signer
from survey.certification.signed_plan import read_plan
from survey.certification.table import figure_of, members_of, read_table
from survey.certification.transparency_log import (
    CompactTree,
    MerkleTree,
    is_consistent,
    is_included,
    leaf_hash,
    sign_head,
    tree_root,
)
from survey.certification.verification import verify_file

NAME = "evidence_example"


def check_worked_wave(
    example: Vectors, slip_digest: Callable[[bytes, str], str], is_code: Callable[[str], bool]
) -> Iterator[Check]:
    """Every value of the worked wave, computed here.

    Args:
        slip_digest, is_code: the product's own from `fieldwork`, which this room does not import.
    """
    yield from checked(NAME, _slips(example, slip_digest, is_code))
    yield from checked(NAME, _keys(example))
    yield from checked(NAME, _answers(example))
    yield from checked(NAME, _log(example))
    yield from checked(NAME, _figure(example))


def _signers(example: Vectors) -> dict[str, Signer]:
    return {
        key["role"]: Signer(key["vkey"].partition("+")[0], bytes.fromhex(key["seed_hex"]))
        for key in example["keys"]
    }


def _keys(example: Vectors) -> Iterator[Found]:
    signers = _signers(example)
    for key in example["keys"]:
        yield f"key of {key['role']}", lambda s=signers[key["role"]]: s.vkey, key["vkey"]
    plan = canonical.decode(example["plan_jcs"].encode())
    secret = bytes.fromhex(example["box_secret_hex"])
    yield "box key", lambda: box_public_key(secret).hex(), plan["box_key"]
    yield "plan digest", lambda: read_plan(plan).digest, example["plan_digest"]
    two = [signers["operator"], signers["approver"]]
    for name in ("plan", "statement"):
        document = canonical.decode(example[f"{name}_jcs"].encode())
        origin = signers["log"].name
        yield (
            f"{name} note",
            lambda n=name, d=document, o=origin: make_note(digest_note_text(o, n, canonical.digest(d)), two),
            example[f"{name}_note"],
        )


def _slips(
    example: Vectors, slip_digest: Callable[[bytes, str], str], is_code: Callable[[str], bool]
) -> Iterator[Found]:
    key = bytes.fromhex(example["slip_key_hex"])
    plan = json.loads(example["plan_jcs"])
    yield "slip key digest", lambda: hashlib.sha256(key).hexdigest(), plan["slip_key_digest"]
    for slip in example["slips"]:
        code = slip["token"]
        yield f"slip {code} check sign", lambda c=code: is_code(c), True
        yield f"slip {code} digest", lambda c=code: slip_digest(key, c), slip["e_hex"]
        yield (
            f"slip {code} printed",
            lambda c=code: "-".join(c[at : at + 4] for at in range(0, 12, 4)),
            slip["printed"],
        )
    leaves = [slip_leaf(slip["domain"], slip["e_hex"]) for slip in example["slips"]]
    yield "slip leaves", lambda: [data.decode() for data in leaves], example["slip_leaf_data_jcs"]
    yield "slips root", lambda: tree_root(leaves).hex(), example["slips_root_hex"]
    yield "slips root in the plan", lambda: tree_root(leaves).hex(), plan["slips_root"]


def _answers(example: Vectors) -> Iterator[Found]:
    """Record, commitment, leaf, head, receipt and box of each answer, in log order."""
    log = _signers(example)["log"]
    secret, tree = bytes.fromhex(example["box_secret_hex"]), CompactTree()
    final = [response["leaf_data_jcs"].encode() for response in example["responses"]]
    whole = MerkleTree.of_leaves(final)
    for place, response in enumerate(example["responses"]):
        at = f"response {place}"
        record = record_bytes(json.loads(response["record_jcs"]), pad=False)
        salt, key = bytes.fromhex(response["salt_hex"]), bytes.fromhex(response["submission_key_hex"])
        c = commitment(salt, record)
        data = leaf(c, json.loads(record)["domain"], key_digest(key))
        head = sign_head(log.name, place + 1, tree.append(data), [log])
        receipt = make_receipt(data, key, place, head)
        made: dict[str, Any] = {
            "index": place,
            "record_jcs": record.decode(),
            "commitment_hex": c.hex(),
            "leaf_data_jcs": data.decode(),
            "leaf_hash_hex": leaf_hash(data).hex(),
            "checkpoint_note": head,
            "receipt_code": receipt.code,
            "receipt": receipt.text,
        }
        for name, value in made.items():
            yield f"{at} {name}", lambda v=value: v, response[name]
        box = bytes.fromhex(response["sealed_hex"])
        yield f"{at} opens", lambda b=box, c=c: open_box(b, c, secret), (salt, record)
        text = response["receipt"]
        yield (
            f"{at} receipt fits the final log",
            lambda t=text: check_receipt(parse_receipt(t), final, whole, log.key).holds,
            True,
        )


def _log(example: Vectors) -> Iterator[Found]:
    signers = _signers(example)
    leaves = [response["leaf_data_jcs"].encode() for response in example["responses"]]
    tree, size = MerkleTree.of_leaves(leaves), len(leaves)
    inclusion, consistency = (unhex(example[k]) for k in ("inclusion_of_index_2", "consistency_3_to_end"))
    three = [signers[role] for role in ("log", "operator", "approver")]
    yield (
        "closing note",
        lambda: sign_head(signers["log"].name, size, tree.root(), three),
        example["closing_checkpoint_note"],
    )
    yield "inclusion of index 2", lambda: list(tree.inclusion(2)), inclusion
    yield "inclusion holds", lambda: is_included(tree.leaf(2), 2, size, inclusion, tree.root()), True
    yield "consistency from 3", lambda: list(tree.consistency(3)), consistency
    yield (
        "consistency holds",
        lambda: is_consistent(3, tree.root(3), size, tree.root(), consistency),
        True,
    )


def _figure(example: Vectors) -> Iterator[Found]:
    signers = _signers(example)
    plan_document, statement, table = (
        canonical.decode(example[f"{name}_jcs"].encode()) for name in ("plan", "statement", "table")
    )
    plan = read_plan(plan_document)
    yield "table digest", lambda: canonical.digest(table), statement["table_digest"]
    yield "plan digest in the statement", lambda: plan.digest, statement["plan_digest"]

    def figure() -> Fraction:
        rows = read_table(table, plan.estimator)
        return figure_of(rows, plan, members_of(rows, plan, {}))

    stated = Fraction(int(statement["figure"]["numerator"]), int(statement["figure"]["denominator"]))
    yield "figure", figure, stated
    yield "counts by domain", lambda: _counted(example, statement, plan_document), table
    certificate = build_certificate(
        plan=plan_document,
        plan_note=example["plan_note"],
        statement=statement,
        statement_note=example["statement_note"],
        table=table,
        closing_note=example["closing_checkpoint_note"],
        registry=None,
    )
    keys = [signers[role].vkey for role in ("operator", "approver")]
    yield "certificate verifies", lambda: verify_file(certificate, keys).exit_code, 0
    yield "certificate shows", lambda: verify_file(certificate).facts["figure"], "75.57%"
    for name in ("plan_note", "statement_note", "closing_checkpoint_note"):
        note = example[name]
        yield f"{name} opens", lambda n=note: set(keys_of(n, plan_document["keys"])) >= set(keys), True


def keys_of(note: str, vkeys: list[str]) -> list[str]:
    """The keys under a note, as text."""
    return [str(key) for key in open_note(note, vkeys, only_known=True).signed_by]


def _counted(example: Vectors, statement: Vectors, plan: Vectors) -> list[dict[str, Any]]:
    """The table, counted from the example's records without those that the statement excludes."""
    excluded = {entry["index"] for entry in statement["excluded"]}
    rows: dict[str, dict[str, Any]] = {}
    for response in example["responses"]:
        if response["index"] not in excluded:
            record = json.loads(response["record_jcs"])
            row = rows.setdefault(record["domain"], {"domain": record["domain"], "n": 0, "x": 0})
            row["n"] += 1
            row["x"] += record["answers"][plan["scoring"]["item"]] >= plan["scoring"]["satisfied_if_at_least"]
    return [rows[domain] for domain in sorted(rows)]
