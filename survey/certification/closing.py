"""The papers of closing, voiding and opening, and the lists that are published with them.

Leaves, slips and heads enter as the intake kept them; `slips.jsonl`, `leaves.jsonl` and
`heads.txt` leave as bytes, together with the documents that pin them: the closing document
holds the digests of slips and heads, and the opening document, signed by the two, holds the
closing's. So a slip's state is fixed before anyone has seen an answer. Standard library only.

The closing note itself is the final head with three lines: log, operator, approver
(`transparency_log.sign_head`); opening and void are notes over the digest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from survey import canonical
from survey.certification.fields import FieldRefusedError, Fields
from survey.certification.registry import CLOSING_TYPE, EXTENSION_TYPE, OPENING_TYPE, VOID_TYPE

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
USED = ("used", "disputed")
STATES = ("unused", "used", "disputed", "voided")


def slips_jsonl(slips: Iterable[tuple[str, str, str]]) -> bytes:
    """The published slips, one line each, sorted by digest.

    Args:
        slips: (e in hexadecimal, domain, state), in any order.
    """
    return jsonl({"domain": domain, "e": e, "state": state} for e, domain, state in sorted(slips))


def leaves_jsonl(leaves: Iterable[bytes]) -> bytes:
    """The published leaves in log order, one line each."""
    return b"".join(leaf + b"\n" for leaf in leaves)


def heads_text(heads: Iterable[str]) -> bytes:
    """All signed heads in the order of their sizes, an empty line between two."""
    return "\n".join(heads).encode()


def jsonl(values: Iterable[Any]) -> bytes:
    """One canonical value a line."""
    return b"".join(canonical.encode(value) + b"\n" for value in values)


def build_closing(
    *, wave: str, plan_digest: str, root: str, size: int, slips: bytes, heads: bytes
) -> dict[str, Any]:
    """The closing document.

    Args:
        root, size: the final head, the root in hexadecimal.
        slips, heads: the bytes of `slips.jsonl` and `heads.txt`.
    """
    return {
        "heads_digest": canonical.sha256_hex(heads),
        "intake": {"root": root, "size": size},
        "plan_digest": plan_digest,
        "slips_digest": canonical.sha256_hex(slips),
        "type": CLOSING_TYPE,
        "wave": wave,
    }


def build_void(*, wave: str, domains: Sequence[str], reason: str) -> dict[str, Any]:
    """The document that voids whole domains, before opening, for an alarm known without answers."""
    return {"domains": sorted(set(domains)), "reason": reason, "type": VOID_TYPE, "wave": wave}


def build_extension(*, wave: str, plan_digest: str, closes_on: str) -> dict[str, Any]:
    """The document that puts the closing date off: the one exception to "nothing in a plan changes"."""
    return {"closes_on": closes_on, "plan_digest": plan_digest, "type": EXTENSION_TYPE, "wave": wave}


def build_opening(
    *,
    wave: str,
    plan_digest: str,
    closing: Mapping[str, Any],
    voids: Sequence[Mapping[str, Any]] = (),
    callbacks: int = 0,
) -> dict[str, Any]:
    """The document by which the two open the answers: what was closed, void, and called back by then.

    Args:
        callbacks: how many people were reached on the telephone; left out where none was.
    """
    return {
        **({"callbacks": callbacks} if callbacks else {}),
        "closing_digest": canonical.digest(closing),
        "plan_digest": plan_digest,
        "type": OPENING_TYPE,
        "voids": [canonical.digest(void) for void in voids],
        "wave": wave,
    }


@dataclass(frozen=True)
class Closing:
    """A closing document that has been read."""

    digest: str
    root: str
    size: int
    slips_digest: str
    heads_digest: str


def read_closing(document: Any, wave: str, plan_digest: str, file: str = "closing.json") -> Closing:
    """The closing in a document.

    Raises:
        FieldRefusedError: malformed, or of another plan.
    """
    fields = Fields.of(file, document)
    fields.only(("heads_digest", "intake", "plan_digest", "slips_digest", "type", "wave"))
    fields.constant("type", CLOSING_TYPE)
    fields.constant("wave", wave)
    fields.constant("plan_digest", plan_digest)
    intake = fields.object("intake")
    intake.only(("root", "size"))
    return Closing(
        canonical.digest(document),
        intake.digest("root"),
        intake.count("size"),
        fields.digest("slips_digest"),
        fields.digest("heads_digest"),
    )


def read_void(document: Any, wave: str, file: str = "void.json") -> tuple[str, tuple[str, ...], str]:
    """Digest, domains and reason of a void document.

    Raises:
        FieldRefusedError: malformed.
    """
    fields = Fields.of(file, document)
    fields.only(("domains", "reason", "type", "wave"))
    fields.constant("type", VOID_TYPE)
    fields.constant("wave", wave)
    domains = fields.texts("domains")
    if not domains or list(domains) != sorted(set(domains)):
        raise fields.refuse("domains", "没有排序，或者有重复")
    return canonical.digest(document), domains, fields.text("reason")


def read_extension(document: Any, wave: str, plan_digest: str, after: str, file: str) -> str:
    """The new closing date of an extension, later than the one before.

    Raises:
        FieldRefusedError: malformed, of another plan, or no later date.
    """
    fields = Fields.of(file, document)
    fields.only(("closes_on", "plan_digest", "type", "wave"))
    fields.constant("type", EXTENSION_TYPE)
    fields.constant("wave", wave)
    fields.constant("plan_digest", plan_digest)
    closes_on = fields.text("closes_on", _DATE)
    if closes_on <= after:
        raise fields.refuse("closes_on", f"不晚于原来的{after}")
    return closes_on


def read_opening(
    document: Any,
    wave: str,
    plan_digest: str,
    closing: Closing,
    voids: Sequence[str],
    file: str = "opening.json",
) -> str:
    """The digest of an opening document that fits its closing and its voids.

    Raises:
        FieldRefusedError: malformed, or of another closing, plan or list of voids.
    """
    fields = Fields.of(file, document)
    fields.only(("closing_digest", "plan_digest", "type", "voids", "wave"), ("callbacks",))
    if "callbacks" in fields.values:
        fields.count("callbacks", 1)
    fields.constant("type", OPENING_TYPE)
    fields.constant("wave", wave)
    fields.constant("plan_digest", plan_digest)
    if fields.digest("closing_digest") != closing.digest:
        raise FieldRefusedError("closing.json", "", f"不是{file}所开封的那一份")
    if list(fields.texts("voids")) != list(voids):
        raise fields.refuse("voids", "与作废文件不一致")
    return canonical.digest(document)
