"""Write the golden certificates again: one genuine, and one per tampering, named for it.

Run from the checkout: python tests/golden/certificates/make_certificates.py
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from survey import canonical
from survey.certification.note import digest_note_text, make_note
from survey.certification.signature import Signer
from survey.certification.verification import verify_file

HERE = Path(__file__).parent


def changed(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """An edit that puts a value at a dotted path."""

    def edit(document: dict[str, Any]) -> None:
        *way, last = path.split(".")
        place: Any = document
        for step in way:
            place = place[int(step)] if isinstance(place, list) else place[step]
        place[int(last) if isinstance(place, list) else last] = value

    return edit


def signed_by_strangers(document: dict[str, Any]) -> None:
    """The statement raised and signed again by keys that only carry the right names."""
    document["statement"]["figure"] = {"denominator": "1", "numerator": "1", "shown": "1.0000"}
    text = digest_note_text("survey.example/wave-7", "statement", canonical.digest(document["statement"]))
    people = [
        Signer(f"survey.example/{role}", bytes([n]) * 32) for n, role in ((1, "operator"), (2, "approver"))
    ]
    document["statement_note"] = make_note(text, people)


def without_the_approver(document: dict[str, Any]) -> None:
    """The plan note with the operator's line only."""
    lines = document["plan_note"].split("\n")
    document["plan_note"] = "\n".join([*lines[:4], ""])


def with_a_strangers_line(document: dict[str, Any]) -> None:
    """A third line by a key the plan does not name, which C2SP would ignore."""
    text = document["plan_note"].rpartition("\n\n")[0] + "\n"
    document["plan_note"] += Signer("survey.example/guest", bytes([9]) * 32).sign(text)


TAMPERINGS: dict[str, Callable[[dict[str, Any]], None]] = {
    "figure_raised": changed("statement.figure", {"denominator": "10", "numerator": "9", "shown": "0.9000"}),
    "reached_turned": changed("statement.reached", True),
    "threshold_lowered": changed("plan.threshold", "0.5"),
    "group_share_moved": changed("plan.group_shares", {"parent": "9/10", "teacher": "1/10"}),
    "satisfied_count_raised": changed("table.0.x", 4),
    "weight_changed": changed("table.0.w", "1000"),
    "row_removed": lambda document: document["table"].pop(),
    "leaf_excluded": lambda document: document["statement"]["excluded"].append({"index": 17, "reason": "X1"}),
    "eligible_changed": changed("plan.domains.0.eligible", 1),
    "closing_size_changed": lambda document: document.update(
        closing_note=document["closing_note"].replace("\n18\n", "\n17\n")
    ),
    "registry_index_moved": changed("registry.index", 4),
    "registry_left_out": changed("registry", None),
    "key_added": changed("remark", "附加说明"),
    "plan_key_added": changed("plan.remark", "附加说明"),
    "sentence_left_out": changed("statement.sentences", []),
    "signed_by_strangers": signed_by_strangers,
    "without_the_approver": without_the_approver,
    "with_a_strangers_line": with_a_strangers_line,
}


def main() -> None:
    """Write genuine.json, one file per tampering, and what the verifier must say of each."""
    path = HERE.parents[1] / "certification" / "conftest.py"
    spec = importlib.util.spec_from_file_location("waves", path)
    assert spec is not None and spec.loader is not None
    waves = importlib.util.module_from_spec(spec)
    sys.modules["waves"] = waves
    spec.loader.exec_module(waves)
    wave = waves.make_wave(7, weighted=True, void=True, schools=2)
    files = {"genuine": wave.certificate}
    for name, edit in TAMPERINGS.items():
        document = json.loads(wave.certificate)
        edit(document)
        files[name] = canonical.encode(document)
    files["indented"] = json.dumps(json.loads(wave.certificate), indent=1, ensure_ascii=False).encode()
    files["newline_at_the_end"] = wave.certificate + b"\n"
    expected = {}
    for name, data in sorted(files.items()):
        (HERE / f"{name}.json").write_bytes(data)
        verdict = verify_file(data)
        false = verdict.first_false
        expected[name] = {
            "exit_code": verdict.exit_code,
            "claim": false.name if false else None,
            "field": false.field if false else None,
        }
    text = json.dumps(expected, indent=1, ensure_ascii=False) + "\n"
    (HERE / "expected" / "verdicts.json").parent.mkdir(exist_ok=True)
    (HERE / "expected" / "verdicts.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
