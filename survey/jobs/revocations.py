"""Which statements were taken back, and why: read from the evidence of a wave."""

from __future__ import annotations

from collections.abc import Collection

from survey import canonical
from survey.certification.certificate import take_apart
from survey.storage.certificates import list_certificates
from survey.storage.evidence import evidence_digests, list_evidence, load_evidence


async def revocations(wave: str) -> dict[str, str]:
    """Digest of each revoked statement of a wave, with the reason."""
    found = {}
    for name in await list_evidence(wave):
        if name.startswith("revocation") and name.endswith(".note"):
            lines = (await load_evidence(wave, name)).split("\n")
            found[lines[1].removeprefix("sha256:")] = lines[2].removeprefix("reason: ")
    return found


async def withdrawn(waves: Collection[str]) -> dict[str, str]:
    """Wave → the reason, of those whose newest certificate was revoked: their figure is no longer certified."""
    found = {}
    for wave in sorted(set(waves) & (await evidence_digests("revocation")).keys()):
        issued = await list_certificates(wave)
        digest = canonical.digest(take_apart(issued[-1].data).statement) if issued else ""
        if (reason := (await revocations(wave)).get(digest)) is not None:
            found[wave] = reason
    return found
