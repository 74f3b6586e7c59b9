"""The public bundle: everything that may be published after closing, as one ZIP.

Documents, notes and lists enter, a ZIP leaves whose every byte a verifier accounts for.
Each file is tied to a signature: plan, statement, opening and voids by their notes; table,
instruments, frame and results by digests in plan or statement; leaves and heads by the
closing note; slips by their root in the plan and, with their states, by the closing
document that the opening note covers. Anything else rides as an attachment whose digest the
statement carries. Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from survey import canonical
from survey.certification.archive import pack
from survey.certification.closing import heads_text, leaves_jsonl, slips_jsonl

REQUIRED = (
    "closing.json",
    "closing.note",
    "heads.txt",
    "instrument.json",
    "leaves.jsonl",
    "opening.json",
    "opening.note",
    "plan.json",
    "plan.note",
    "slip_key",
    "slips.jsonl",
    "statement.json",
    "statement.note",
    "table.json",
)
OPTIONAL = ("design.json", "design.note", "registry.json", "revocation.note")
PINNED_BY_PLAN = {
    "frame.json": "frame_digest",
    "sample.json": "sample_digest",
    "scheme.json": "scheme_digest",
}
PINNED_BY_STATEMENT = {"results.json": "results_digest"}


def build_bundle(
    *,
    plan: Mapping[str, Any],
    plan_note: str,
    closing: Mapping[str, Any],
    closing_note: str,
    opening: Mapping[str, Any],
    opening_note: str,
    statement: Mapping[str, Any],
    statement_note: str,
    table: Sequence[Mapping[str, Any]],
    slips: Iterable[tuple[str, str, str]],
    leaves: Iterable[bytes],
    heads: Iterable[str],
    slip_key: bytes,
    instrument: Any,
    registry: Mapping[str, Any] | None = None,
    voids: Sequence[tuple[Mapping[str, Any], str]] = (),
    documents: Mapping[str, Any] | None = None,
    notes: Mapping[str, str] | None = None,
    attachments: Mapping[str, bytes] | None = None,
) -> bytes:
    """The ZIP of a wave's public evidence.

    Args:
        slips: (e in hexadecimal, domain, state) as the intake kept them at closing.
        leaves: leaf bytes in log order.
        heads: every signed head, in the order of their sizes.
        registry: see `registry.registry_document`; None only without `registry_key` in the plan.
        voids: (document, note) of each void, in the order of the opening document.
        documents: further canonical documents pinned by plan or statement, by file name,
            such as `frame.json` or `results.json`.
        notes: further notes by file name, such as `design.note`.
        attachments: files whose digests stand in the statement's `attachments`.
    """
    named = {
        "plan.json": plan,
        "closing.json": closing,
        "opening.json": opening,
        "statement.json": statement,
        "table.json": [dict(row) for row in table],
        "instrument.json": instrument,
        **({"registry.json": registry} if registry is not None else {}),
        **{name: void for name, (void, _) in zip(void_names(len(voids)), voids)},
        **(documents or {}),
    }
    texts = {
        "plan.note": plan_note,
        "closing.note": closing_note,
        "opening.note": opening_note,
        "statement.note": statement_note,
        **{name.replace(".json", ".note"): note for name, (_, note) in zip(void_names(len(voids)), voids)},
        **(notes or {}),
    }
    return pack(
        {
            **{name: canonical.encode(value) for name, value in named.items()},
            **{name: text.encode() for name, text in texts.items()},
            "slips.jsonl": slips_jsonl(slips),
            "leaves.jsonl": leaves_jsonl(leaves),
            "heads.txt": heads_text(heads),
            "slip_key": slip_key.hex().encode() + b"\n",
            **(attachments or {}),
        }
    )


def void_names(count: int) -> list[str]:
    """The file names of the void documents: `void.json`, `void-2.json`, …

    >>> void_names(2)
    ['void.json', 'void-2.json']
    """
    return [f"{numbered('void', position)}.json" for position in range(1, count + 1)]


def numbered(stem: str, position: int) -> str:
    """The name of the first, second, … issue of a paper.

    >>> numbered("extension", 1), numbered("extension", 2)
    ('extension', 'extension-2')
    """
    return stem if position == 1 else f"{stem}-{position}"


def attachment_digests(attachments: Mapping[str, bytes]) -> dict[str, str]:
    """What the statement says about its attachments: name → SHA-256."""
    return {name: canonical.sha256_hex(data) for name, data in attachments.items()}
