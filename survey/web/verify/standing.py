"""Where a certificate stands today: matching, altered, unknown here, replaced, or withdrawn.

The verifier says whether a file holds in itself; the registry of this installation says
whether it was issued here and is still the newest. Both are needed for 一致.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from survey.canonical import digest
from survey.certification.claims import Verdict
from survey.jobs.revocations import revocations
from survey.storage.certificates import Certificate, list_certificates

MATCHES = "matches"
ALTERED = "altered"
UNKNOWN = "unknown"
REPLACED = "replaced"
REVOKED = "revoked"
UNREADABLE = "unreadable"

WORDS = {
    MATCHES: "一致",
    ALTERED: "内容被改过",
    UNKNOWN: "没有登记",
    REPLACED: "已被代替",
    REVOKED: "已撤回",
    UNREADABLE: "读不懂这个文件",
}


@dataclass(frozen=True)
class Standing:
    """The state of a certificate and, where it is known here, the certificate itself."""

    state: str
    certificate: Certificate | None = None
    statement: dict[str, Any] | None = None
    newest: int | None = None
    """Number of the certificate that replaced it."""
    reason: str = ""
    """Why it was replaced or withdrawn, in the signers' words."""
    version: int | None = None
    """Which of the wave's certificates that is, counted from 1."""

    @property
    def words(self) -> str:
        """The state in the words of the page."""
        return WORDS[self.state]


def statement_in(data: bytes) -> dict[str, Any] | None:
    """The statement inside a certificate file, or None where there is none to read."""
    try:
        document = json.loads(data)
        statement = document["statement"]
        if isinstance(statement, str):
            statement = json.loads(statement)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return statement if isinstance(statement, dict) else None


async def standing_of(certificate: Certificate) -> Standing:
    """How a certificate that was issued here stands today, without looking into its proof."""
    statement = statement_in(certificate.data)
    issued = await list_certificates(certificate.wave)
    newest = issued[-1]
    revoked = await revocations(certificate.wave)
    if statement is not None and (reason := revoked.get(digest(statement))) is not None:
        return Standing(REVOKED, certificate, statement, reason=reason)
    if newest.number != certificate.number:
        reason = str((statement_in(newest.data) or {}).get("reason") or "")
        return Standing(REPLACED, certificate, statement, newest.number, reason, len(issued))
    return Standing(MATCHES, certificate, statement)


async def is_revoked(issued: Sequence[Certificate]) -> bool:
    """Whether the newest of a wave's certificates was withdrawn; False where there is none."""
    return bool(issued) and (await standing_of(issued[-1])).state == REVOKED


async def standing_of_file(statement: dict[str, Any] | None, verdict: Verdict) -> Standing:
    """How a file that somebody handed in stands: its proof first, then the registry."""
    if verdict.exit_code == 2:
        return Standing(UNREADABLE, statement=statement)
    if any(claim.ok is False and claim.name != "撤回" for claim in verdict.claims):
        return Standing(ALTERED, statement=statement)
    issued = await _issued(statement)
    if issued is None:
        return Standing(UNKNOWN, statement=statement)
    return await standing_of(issued)


async def _issued(statement: dict[str, Any] | None) -> Certificate | None:
    if statement is None:
        return None
    wanted = digest(statement)
    for certificate in await list_certificates(str(statement.get("wave", ""))):
        known = statement_in(certificate.data)
        if known is not None and digest(known) == wanted:
            return certificate
    return None
