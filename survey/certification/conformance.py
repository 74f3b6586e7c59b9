"""Does this installation compute as the published vectors say: trees, signatures, notes, JSON.

The parsed files of `reference/trust` enter by name; one `Check` a vector leaves, with what
differs. A file that is missing, or a vector in a shape not known here, is a failed check,
never a skipped one. Both Ed25519 verifiers are asked, so this module alone of the checking
ones needs `cryptography`; the offline verifier leaves it at home. The worked wave is in
`conformance_wave`.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from survey import canonical
from survey.certification.ed25519_verify import verify
from survey.certification.note import open_note, parse_vkey
from survey.certification.signature import Signer
from survey.certification.sm2_verify import identity_digest, sm3, verify_sm2
from survey.certification.transparency_log import (
    EMPTY_ROOT,
    MerkleTree,
    is_consistent,
    is_included,
    leaf_hash,
    parse_checkpoint,
    tree_root,
)
from survey.errors import SurveyError

Vectors = Mapping[str, Any]
Found = tuple[str, Callable[..., object], object]
"""Name of a vector, what computes it here, what it must be. Nothing is handed to what computes; the defaults
of a lambda hold the turn of its loop, and mypy infers such a lambda only where any arguments are allowed."""


@dataclass(frozen=True)
class Check:
    """One vector, whether it passed, and otherwise what differs."""

    id: str
    topic: str
    passed: bool
    detail: str


def checked(topic: str, vectors: Iterator[Found]) -> Iterator[Check]:
    """Every vector compared; trouble while reading or computing counts as a failed one."""
    try:
        for name, compute, wanted in vectors:
            try:
                got = compute()
            except Exception as problem:  # noqa: BLE001 - an installation check reports every trouble.
                yield Check(name, topic, False, f"{type(problem).__name__}: {problem}")
            else:
                same = type(got) is type(wanted) and got == wanted
                yield Check(name, topic, same, "" if same else f"得到{got!s:.80}，应为{wanted!s:.80}")
    except (SurveyError, KeyError, TypeError, ValueError, IndexError, AttributeError) as problem:
        yield Check(topic, topic, False, f"文件的写法不认识（{type(problem).__name__}: {problem}）")


def check_evidence_vectors(files: Mapping[str, Vectors]) -> Iterator[Check]:
    """Every check of the published vectors, in the order of their files.

    Args:
        files: parsed JSON by file name without its ending; a missing one fails.
    """
    for name, vectors in VECTORS.items():
        if name in files:
            yield from checked(name, vectors(files[name]))
        else:
            yield Check(name, name, False, "缺少这个文件")


def refuses(work: Callable[[], object]) -> bool:
    """Whether the work ends in a deliberate refusal."""
    try:
        work()
    except SurveyError:
        return True
    return False


def unhex(elements: list[str]) -> list[bytes]:
    """The bytes of each hexadecimal text."""
    return [bytes.fromhex(element) for element in elements]


def _trees(file: Vectors) -> Iterator[Found]:
    """RFC 6962 hashes: the hasher, the reference tree at each size, larger trees with their proofs."""
    for case in file["hasher"]:
        data = bytes.fromhex(case.get("data_hex", ""))
        empty = case["op"] == "empty_root"
        yield (
            f"hasher/{case['op']}/{len(data)}",
            lambda d=data, e=empty: (EMPTY_ROOT if e else leaf_hash(d)).hex(),
            case["want_hex"],
        )
    leaves = unhex(file["reference_tree"]["leaf_data_hex"])
    for text, root in file["reference_tree"]["root_hex_by_size"].items():
        first = leaves[: int(text)]
        yield f"reference/{text}", lambda f=first: tree_root(f).hex(), root
        yield f"reference/{text}/levels", lambda f=first: MerkleTree.of_leaves(f).root().hex(), root
    for case in file["computed"]["trees"]:
        yield from _computed_tree(case)


def _computed_tree(case: Vectors) -> Iterator[Found]:
    size, root = case["size"], bytes.fromhex(case["root_hex"])
    leaves = [f"leaf {i}".encode() for i in range(size)]
    tree = MerkleTree.of_leaves(leaves)
    yield f"tree/{size}", lambda: tree.root().hex(), case["root_hex"]
    yield f"tree/{size}/compact", lambda: tree_root(leaves).hex(), case["root_hex"]
    if inclusion := case.get("inclusion"):
        index, proof = inclusion["index"], unhex(inclusion["proof_hex"])
        yield f"tree/{size}/inclusion", lambda: list(tree.inclusion(index)), proof
        yield (
            f"tree/{size}/inclusion holds",
            lambda: is_included(tree.leaf(index), index, size, proof, root),
            True,
        )
    if consistency := case.get("consistency"):
        first, steps = consistency["from"], unhex(consistency["proof_hex"])
        first_root = bytes.fromhex(consistency["from_root_hex"])
        yield f"tree/{size}/consistency", lambda: list(tree.consistency(first)), steps
        yield (
            f"tree/{size}/consistency holds",
            lambda: is_consistent(first, first_root, size, root, steps),
            True,
        )


def _inclusions(file: Vectors) -> Iterator[Found]:
    for case in file["vectors"]:
        given = (
            bytes.fromhex(case["leaf_hash_hex"]),
            case["leaf_index"],
            case["tree_size"],
            unhex(case["proof_hex"]),
            bytes.fromhex(case["root_hex"]),
        )
        yield case["name"], lambda g=given: is_included(*g), case["valid"]


def _consistencies(file: Vectors) -> Iterator[Found]:
    for case in file["vectors"]:
        given = (
            case["size1"],
            bytes.fromhex(case["root1_hex"]),
            case["size2"],
            bytes.fromhex(case["root2_hex"]),
            unhex(case["proof_hex"]),
        )
        yield case["name"], lambda g=given: is_consistent(*g), case["valid"]


def _by_both(key: bytes, message: bytes, signature: bytes) -> tuple[bool, bool]:
    """What our verifier says, and what `cryptography` says."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
        theirs = True
    except (InvalidSignature, ValueError):
        theirs = False
    return verify(key, message, signature), theirs


def _rfc8032(file: Vectors) -> Iterator[Found]:
    for case in file["vectors"]:
        signer = Signer("a", bytes.fromhex(case["secret_key_hex"]))
        message, signature = bytes.fromhex(case["msg_hex"]), bytes.fromhex(case["sig_hex"])
        key = bytes.fromhex(case["public_key_hex"])
        yield f"{case['name']} key", lambda s=signer: s.key.public.hex(), case["public_key_hex"]
        yield f"{case['name']} signs", lambda s=signer, m=message: s.raw_signature(m).hex(), case["sig_hex"]
        given = (key, message, signature)
        yield f"{case['name']} verifies", lambda g=given: _by_both(*g), (True, True)
        other = (key, message + b"x", signature)
        yield f"{case['name']} of another message", lambda g=other: _by_both(*g), (False, False)


def _wycheproof(file: Vectors) -> Iterator[Found]:
    for case in file["vectors"]:
        given = tuple(bytes.fromhex(case[part]) for part in ("public_key_hex", "msg_hex", "sig_hex"))
        yield f"wycheproof {case['tcId']}", lambda g=given: _by_both(*g), (case["valid"],) * 2


def _documents(file: Vectors) -> Iterator[Found]:
    """Whole documents; where one holds a fraction, our form has none and must refuse it."""
    for case in file["vectors"]:
        text = bytes.fromhex(case["input_utf8_hex"]).decode()
        wanted = bytes.fromhex(case["canonical_utf8_hex"])
        whole = json.loads(text, parse_float=_whole)
        if _holds_fraction(whole):
            yield (
                f"{case['name']} refused",
                lambda given=text: refuses(lambda: canonical.encode(json.loads(given))),
                True,
            )
            yield (
                f"{case['name']} refused on reading",
                lambda d=wanted: refuses(lambda: canonical.decode(d)),
                True,
            )
            # What is left without its numbers must still be written as published.
            rest = {key: value for key, value in whole.items() if not _holds_fraction(value)}
            published = {key: value for key, value in json.loads(wanted).items() if key in rest}
            yield (
                f"{case['name']} without fractions",
                lambda r=rest: canonical.encode(r).decode(),
                json.dumps(published, ensure_ascii=False, separators=(",", ":")),
            )
        else:
            yield case["name"], lambda v=whole: canonical.encode(v), wanted
            yield f"{case['name']} reads back", lambda d=wanted: canonical.decode(d), whole


def _whole(text: str) -> int | float:
    number = float(text)
    small = number.is_integer() and abs(number) <= canonical.MAX_INTEGER
    return int(number) if small else number


def _holds_fraction(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_fraction, value.values()))
    return any(map(_holds_fraction, value)) if isinstance(value, list) else isinstance(value, float)


def _numbers(file: Vectors) -> Iterator[Found]:
    """Doubles: the integers we allow are written as ECMAScript does, every other number is refused.

    The published text must in any case read back as the very double it stands for.
    """
    for bits, text in file["vectors"]:
        number = struct.unpack(">d", bytes.fromhex(bits))[0]
        same = (lambda t=text, n=number: float(t) == n, True)
        if number.is_integer() and abs(number) <= canonical.MAX_INTEGER:
            yield f"{bits} {text}", lambda n=int(number): canonical.encode(n).decode(), text
        else:
            yield (
                f"{bits} {text}",
                lambda n=number, t=text, same=same: (
                    same[0]()
                    and refuses(lambda: canonical.encode(n))
                    and refuses(lambda: canonical.decode(t.encode()))
                ),
                True,
            )
    for bits in file["must_be_refused"]:
        number = struct.unpack(">d", bytes.fromhex(bits))[0]
        yield (
            f"{bits} refused",
            lambda n=number: not math.isfinite(n) and refuses(lambda: canonical.encode(n)),
            True,
        )


def _notes(file: Vectors) -> Iterator[Found]:
    for case in file["notes"]:
        yield (
            case["name"],
            lambda c=case: not refuses(lambda: open_note(c["note"], [c["vkey"]])),
            case["verifies"],
        )
    for text in file["bad_vkeys"]:
        yield f"bad vkey {text[:24]}", lambda t=text: refuses(lambda: parse_vkey(t)), True
    head = file["checkpoint"]
    yield (
        "checkpoint",
        lambda: parse_checkpoint(head["note"].partition("\n\n")[0] + "\n").text,
        f"{head['origin']}\n{head['size']}\n{head['root_b64']}\n",
    )
    for place, text in enumerate(file["checkpoint_text_must_be_refused"]):
        yield f"bad checkpoint {place}", lambda t=text: refuses(lambda: parse_checkpoint(t)), True


def _chinese(file: Vectors) -> Iterator[Found]:
    """SM3 digests, and SM2 signatures: the parts that checking a line needs; we never sign with SM2."""
    for case in file["sm3"]:
        yield f"sm3 {case['msg_utf8']}", lambda c=case: sm3(c["msg_utf8"].encode()).hex(), case["digest_hex"]
    for case in file["sm2_sign"]:
        key = bytes.fromhex(case["public_x_hex"] + case["public_y_hex"])
        message, user = case["message_utf8"].encode(), case["user_id"].encode()
        signature = bytes.fromhex(case["r_hex"] + case["s_hex"])
        z = identity_digest(key, user)
        yield "sm2 za", lambda z=z: z.hex(), case["za_hex"]
        yield "sm2 e", lambda z=z, m=message: sm3(z + m).hex(), case["e_hex"]
        yield "sm2 verifies", lambda g=(key, message, signature, user): verify_sm2(*g), True
        yield "sm2 of another message", lambda g=(key, message + b"x", signature, user): verify_sm2(*g), False


VECTORS: Mapping[str, Callable[[Vectors], Iterator[Found]]] = {
    "merkle_hash": _trees,
    "merkle_inclusion": _inclusions,
    "merkle_consistency": _consistencies,
    "ed25519_rfc8032": _rfc8032,
    "ed25519_wycheproof": _wycheproof,
    "jcs_documents": _documents,
    "jcs_numbers": _numbers,
    "signed_note": _notes,
    "sm2_sm3": _chinese,
}
