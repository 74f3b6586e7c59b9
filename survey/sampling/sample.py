"""What a draw gives: strata, domains of slips, the preview before and the sample after.

Plain values that leave this room for every other: each can be written as canonical JSON and
read back, and a sample carries the digests of the frame, plan and design it was drawn from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from survey.canonical import digest
from survey.errors import Fault

METHOD = "strata-srs-schools/v1"


@dataclass(frozen=True)
class StratumDraw:
    """A stratum and how many of its schools are drawn."""

    stratum: str
    name: str
    place: str
    stage: str
    schools_in_frame: int
    schools_drawn: int


@dataclass(frozen=True)
class DomainDraw:
    """A domain of slips: one school × one group, or a county list; all its persons have one chance."""

    domain: str
    group: str
    school_code: str | None
    school_name: str
    stratum: str
    place: str | None
    stage: str | None
    eligible: int
    slips: int
    psu_probability: str
    instrument: str


@dataclass(frozen=True)
class Preview:
    """What drawing would give, before it is done."""

    required_total: int
    required: dict[str, int]
    counts: str
    issued: dict[str, int]
    numbers: dict[str, int]
    slips_total: int
    schools: int
    schools_in_frame: int
    strata: tuple[StratumDraw, ...]
    by_place: dict[str, int]
    by_stage: dict[str, int]
    shares: dict[str, str]
    half_width: str
    half_widths: dict[str, str]
    firm_from: str | None
    """The figure from which a one-sided 95% bound would stay on the right side of the line."""
    chances: tuple[dict[str, str], ...]
    """For some true rates, the chance of each of the four verdicts; empty without a line."""
    warnings: tuple[Fault, ...]
    design_digest: str

    def document(self) -> dict[str, Any]:
        """The preview as plain JSON."""
        return {**asdict(self), "warnings": [fault.document() for fault in self.warnings]}


@dataclass(frozen=True)
class Sample:
    """A drawn sample, with everything needed to draw it again."""

    wave: str
    seed: str
    frame_digest: str
    plan_digest: str
    design_digest: str
    strata: tuple[StratumDraw, ...]
    domains: tuple[DomainDraw, ...]
    shares: dict[str, str]
    public_draw: str | None = None
    """The draw that gave the seed, where the design named it beforehand."""

    def document(self) -> dict[str, Any]:
        """The sample as canonical JSON."""
        return {
            "type": "sample",
            "v": 1,
            "method": METHOD,
            "wave": self.wave,
            "seed": self.seed,
            **({} if self.public_draw is None else {"public_draw": self.public_draw}),
            "frame_digest": self.frame_digest,
            "plan_digest": self.plan_digest,
            "design_digest": self.design_digest,
            "strata": [dict(vars(stratum)) for stratum in self.strata],
            "domains": [dict(vars(domain)) for domain in self.domains],
            "shares": dict(self.shares),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Sample:
        """The sample a document was made from."""
        return cls(
            wave=document["wave"],
            seed=document["seed"],
            frame_digest=document["frame_digest"],
            plan_digest=document["plan_digest"],
            design_digest=document["design_digest"],
            strata=tuple(StratumDraw(**entry) for entry in document["strata"]),
            domains=tuple(DomainDraw(**entry) for entry in document["domains"]),
            shares=dict(document["shares"]),
            public_draw=document.get("public_draw"),
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the sample's document."""
        return digest(self.document())

    @cached_property
    def by_domain(self) -> dict[str, DomainDraw]:
        """Every domain under its id."""
        return {draw.domain: draw for draw in self.domains}

    @property
    def schools(self) -> tuple[str, ...]:
        """Codes of the schools drawn, in order."""
        return tuple(sorted({draw.school_code for draw in self.domains if draw.school_code is not None}))

    @property
    def slips_total(self) -> int:
        """All slips to be issued."""
        return sum(draw.slips for draw in self.domains)
