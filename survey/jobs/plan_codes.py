"""The secrets of a wave, made once when its plan is signed: codes, slip key, log key, box key.

Random bytes enter, `PlanCodes` leave. Where the approver signs on another computer, they wait
in the wave's key folder until the line comes back, since other codes would be another plan;
the box secret itself waits nowhere, only its two sealed halves.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from survey import canonical
from survey.certification.sealing import box_public_key, slip_leaf
from survey.certification.transparency_log import tree_root
from survey.fieldwork.invitation import Invitation, issue, slip_digest
from survey.fieldwork.planted import Announcement, PlantedListError
from survey.jobs.signers import Signers, seal_halves
from survey.settings import Settings
from survey.storage.keys import has_key, load_key, save_key

PENDING = "pending"


@dataclass(frozen=True)
class PlanCodes:
    """What was drawn for one signing."""

    made_for: str
    """The digest of what the codes were made for."""
    slip_key: bytes
    log_seed: bytes
    box_key: bytes | None
    halves: Mapping[str, bytes]
    """Role → its sealed half of the box secret."""
    invitations: tuple[Invitation, ...]

    @property
    def slips_root(self) -> str:
        """The root of the tree of slips."""
        ordered = sorted(self.invitations, key=lambda one: one.e)
        return tree_root([slip_leaf(one.domain, one.e) for one in ordered]).hex()

    def apart(self, piles: Mapping[str, int]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """(code, domain) of the slips for the printer, and of those kept back above the bureau."""
        handed: list[tuple[str, str]] = []
        kept: list[tuple[str, str]] = []
        seen: Counter[str] = Counter()
        for one in self.invitations:
            seen[one.domain] += 1
            (handed if seen[one.domain] <= piles[one.domain] else kept).append((one.code, one.domain))
        return handed, kept

    def encoded(self) -> bytes:
        """The codes as they wait."""
        return canonical.encode(
            {
                "box_key": self.box_key.hex() if self.box_key else None,
                "codes": [[one.code, one.domain] for one in self.invitations],
                "halves": {role: half.hex() for role, half in self.halves.items()},
                "log_seed": self.log_seed.hex(),
                "made_for": self.made_for,
                "slip_key": self.slip_key.hex(),
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> PlanCodes:
        """The codes that waited."""
        value = canonical.decode(data, len(data))
        key = bytes.fromhex(value["slip_key"])
        return cls(
            value["made_for"],
            key,
            bytes.fromhex(value["log_seed"]),
            bytes.fromhex(value["box_key"]) if value["box_key"] else None,
            {role: bytes.fromhex(half) for role, half in value["halves"].items()},
            tuple(Invitation(code, domain, slip_digest(key, code)) for code, domain in value["codes"]),
        )


def make_codes(
    settings: Settings,
    wave: str,
    piles: Mapping[str, int],
    planted: Announcement,
    signers: Signers,
    *,
    sealed: bool,
    made_for: str,
) -> PlanCodes:
    """Codes for every pile and for what is planted; those that wait for a line, where they fit.

    Args:
        piles: domain → slips that people are given.
        made_for: the digest of plan, sample and announcement; other codes are made for another.

    Raises:
        PlantedListError: the announcement is another wave's, or asks for slips where there are none.
    """
    if planted.wave != wave or not planted.held.keys() <= piles.keys():
        raise PlantedListError(f"是调查{planted.wave}的，或者写了没有填写码的域")
    if has_key(settings, wave, PENDING):
        waiting = PlanCodes.from_bytes(load_key(settings, wave, PENDING))
        if waiting.made_for == made_for:
            return waiting
    slip_key, box_secret = secrets.token_bytes(32), secrets.token_bytes(32) if sealed else None
    invitations = issue(
        [(domain, slips + planted.held.get(domain, 0)) for domain, slips in piles.items()],
        slip_key,
        secrets.token_bytes,
    )
    return PlanCodes(
        made_for,
        slip_key,
        secrets.token_bytes(32),
        None if box_secret is None else box_public_key(box_secret),
        {} if box_secret is None else seal_halves(settings, wave, box_secret, signers),
        invitations,
    )


def keep_waiting(settings: Settings, wave: str, codes: PlanCodes) -> None:
    """Let the codes wait for a line from another computer."""
    if not has_key(settings, wave, PENDING):
        save_key(settings, wave, PENDING, codes.encoded())
