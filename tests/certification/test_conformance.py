"""`survey validate` on the evidence vectors: all pass, and a wrong value in any file fails."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from survey.certification.conformance import VECTORS, Check, check_evidence_vectors
from survey.certification.conformance_wave import NAME, check_worked_wave
from survey.certification.sm2_verify import P, verify_sm2
from survey.cli.main import main
from survey.fieldwork.code import is_code
from survey.fieldwork.invitation import slip_digest

GOLDEN = Path(__file__).parents[1] / "golden" / "trust"


def load() -> dict[str, Any]:
    return {name: json.loads((GOLDEN / f"{name}.json").read_text("utf-8")) for name in (*VECTORS, NAME)}


def outcomes(files: dict[str, Any], only: str | None = None) -> list[Check]:
    if only == NAME:
        return list(check_worked_wave(files[NAME], slip_digest, is_code))
    wanted = files if only is None else {only: files[only]}
    found = [check for check in check_evidence_vectors(wanted) if only in (None, check.topic)]
    return found if only else [*found, *check_worked_wave(files[NAME], slip_digest, is_code)]


def spoiled(value: Any) -> Any:
    """The value with one sign or number of it wrong."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    return value[:-1] + ("1" if value[-1:] != "1" else "2")


def test_the_command_ends_in_passed_and_none_failed():
    result = CliRunner().invoke(main, ["validate", str(GOLDEN)])

    assert result.exit_code == 0
    assert result.output.splitlines()[-1] == f"{len(outcomes(load()))} passed, 0 failed"
    assert len(outcomes(load())) > 1200


WRONG = [
    ("merkle_hash", ("hasher", 1, "want_hex")),
    ("merkle_hash", ("reference_tree", "root_hex_by_size", "5")),
    ("merkle_hash", ("computed", "trees", 5, "root_hex")),
    ("merkle_hash", ("computed", "trees", 5, "inclusion", "proof_hex", 1)),
    ("merkle_hash", ("computed", "trees", 5, "consistency", "proof_hex", 0)),
    ("merkle_inclusion", ("vectors", 0, "valid")),
    ("merkle_inclusion", ("vectors", 1, "root_hex")),
    ("merkle_consistency", ("vectors", 0, "valid")),
    ("ed25519_rfc8032", ("vectors", 1, "sig_hex")),
    ("ed25519_rfc8032", ("vectors", 2, "public_key_hex")),
    ("ed25519_wycheproof", ("vectors", 7, "valid")),
    ("jcs_documents", ("vectors", 1, "canonical_utf8_hex")),
    ("jcs_documents", ("vectors", 3, "canonical_utf8_hex")),
    ("jcs_numbers", ("vectors", 0, 1)),
    ("jcs_numbers", ("vectors", 4, 1)),
    ("jcs_numbers", ("must_be_refused", 0)),
    ("signed_note", ("notes", 0, "verifies")),
    ("signed_note", ("checkpoint", "size")),
    ("sm2_sm3", ("sm3", 0, "digest_hex")),
    ("sm2_sm3", ("sm2_sign", 0, "r_hex")),
    ("sm2_sm3", ("sm2_sign", 0, "za_hex")),
    (NAME, ("slips", 3, "e_hex")),
    (NAME, ("slips", 3, "token")),
    (NAME, ("slips_root_hex",)),
    (NAME, ("responses", 4, "salt_hex")),
    (NAME, ("responses", 4, "receipt")),
    (NAME, ("responses", 8, "sealed_hex")),
    (NAME, ("closing_checkpoint_note",)),
    (NAME, ("plan_digest",)),
    (NAME, ("statement_note",)),
    (NAME, ("table_jcs",)),
]


@pytest.mark.parametrize(
    ("file", "place"), WRONG, ids=lambda part: "-".join(map(str, part)) if isinstance(part, tuple) else part
)
def test_one_wrong_value_fails(file, place):
    files = copy.deepcopy(load())
    spot = files[file]
    for key in place[:-1]:
        spot = spot[key]
    # A double that is a number stands among those that are none.
    spot[place[-1]] = "3ff8000000000000" if "must_be_refused" in place else spoiled(spot[place[-1]])
    failed = [check for check in outcomes(files, file) if not check.passed]

    assert failed and all(check.topic == file and check.detail for check in failed)


def test_a_missing_file_and_a_file_of_another_shape_fail(tmp_path):
    files = load()
    missing = [
        check for check in check_evidence_vectors({**files, "signed_note": {"notes": 5}}) if not check.passed
    ]
    del files["merkle_hash"]
    absent = [check for check in check_evidence_vectors(files) if not check.passed]
    (tmp_path / "signed_note.json").write_text("{", encoding="utf-8")
    broken = CliRunner().invoke(main, ["validate", str(tmp_path)])

    assert [check.topic for check in missing] == ["signed_note"]
    assert [(check.topic, check.detail) for check in absent] == [("merkle_hash", "缺少这个文件")]
    assert broken.exit_code == 2


def test_sm2_refuses_points_off_the_curve_and_numbers_out_of_range():
    case = load()["sm2_sm3"]["sm2_sign"][0]
    key = bytes.fromhex(case["public_x_hex"] + case["public_y_hex"])
    signature = bytes.fromhex(case["r_hex"] + case["s_hex"])
    message = b"message digest"
    wrong = {
        "key off the curve": (key[:-1] + bytes([key[-1] ^ 1]), message, signature),
        "x not below p": (P.to_bytes(32, "big") + key[32:], message, signature),
        "r is zero": (key, message, bytes(32) + signature[32:]),
        "s too large": (key, message, signature[:32] + b"\xff" * 32),
        "too short": (key, message, signature[:-1]),
        "another user": (key, message, signature, b"another"),
    }

    assert verify_sm2(key, message, signature)
    assert {name: verify_sm2(*given) for name, given in wrong.items()} == dict.fromkeys(wrong, False)
