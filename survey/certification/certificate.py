"""The certificate: statement, signatures and proof in one portable file.

What the two signed enters; one canonical JSON object leaves, which anybody can carry to an
offline laptop. Every byte of it is tied to a signature: plan and statement by their digests
in notes, the table by its digest in the statement, the closing note and the registry head
by their own lines, the proof by the head. The printed sheet is a view of it.
Standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from survey import canonical
from survey.certification.fields import Fields
from survey.certification.registry import RegistryProof

CERTIFICATE_TYPE = "survey/certificate/v1"
CERTIFICATE = "certificate.json"
_KEYS = ("closing_note", "plan", "plan_note", "registry", "statement", "statement_note", "table", "type")


@dataclass(frozen=True)
class CertificateParts:
    """A certificate taken apart, nothing checked yet but its outer shape."""

    plan: Any
    plan_note: str
    statement: Any
    statement_note: str
    table: Any
    closing_note: str
    registry: Fields | None


def build_certificate(
    *,
    plan: Mapping[str, Any],
    plan_note: str,
    statement: Mapping[str, Any],
    statement_note: str,
    table: Sequence[Mapping[str, Any]],
    closing_note: str,
    registry: RegistryProof | None,
) -> bytes:
    """The certificate file.

    Args:
        plan, statement, table: as they were signed.
        registry: None only for a plan without `registry_key`.
    """
    return canonical.encode(
        {
            "closing_note": closing_note,
            "plan": dict(plan),
            "plan_note": plan_note,
            "registry": None if registry is None else registry.document(),
            "statement": dict(statement),
            "statement_note": statement_note,
            "table": [dict(row) for row in table],
            "type": CERTIFICATE_TYPE,
        }
    )


def take_apart(data: bytes) -> CertificateParts:
    """The parts of a certificate file.

    Raises:
        NotCanonicalError: not canonical JSON.
        FieldRefusedError: not a certificate.
    """
    document = canonical.decode(data)
    fields = Fields.of(CERTIFICATE, document)
    fields.constant("type", CERTIFICATE_TYPE)
    fields.only(_KEYS)
    return CertificateParts(
        fields.object("plan").values,
        fields.text("plan_note"),
        fields.object("statement").values,
        fields.text("statement_note"),
        fields.sequence("table"),
        fields.text("closing_note"),
        None if document["registry"] is None else fields.object("registry"),
    )
