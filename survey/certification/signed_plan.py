"""The plan as the two sign it: everything that may still move the figure, before opening.

The product's plan, sample and keys enter as plain values; one canonical object leaves, whose
digest stands on every slip (the plan code). `read_plan` is the way back: typed, and deaf to
anything that a signer should not have written. Unknown keys are kept and listed, because
they are under the digest anyway (TRUST section 5). Standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from survey import canonical, exact
from survey.certification.crockford import encode_signs, in_groups
from survey.certification.fields import Fields
from survey.certification.note import Vkey, VkeyRefusedError, parse_vkey

PLAN_TYPE = "survey/plan/v1"
MODES = {"slip": "A", "quota": "B", "open": "C"}
"""How answers come, and the evidence class that follows (TRUST section 3)."""
DECISIONS = {
    "point-estimate-at-least-threshold": "at_least",
    "point-estimate-above-threshold": "above",
    "every-group-at-least-threshold": "at_least",
    "every-group-above-threshold": "above",
    "no-threshold": None,
}
ESTIMATORS = ("stratified-mean/v1", "weighted-ratio/v1", "weighted-parts/v1", "full-body/v1")
EXCLUSIONS = ("X1", "X2", "X3")
REQUIRED = (
    "box_key",
    "decision",
    "domains",
    "estimator",
    "exclusions",
    "instrument_digest",
    "keys",
    "minimum_count",
    "scoring",
    "slip_key_digest",
    "slips_root",
    "threshold",
    "title",
    "type",
    "wave",
)
KNOWN = (
    *("approval", "callbacks", "canaries", "closes_on", "demonstration", "design_digest"),
    *("destroy_after_days", "disclosure", "flags", "frame_digest", "group_shares", "honey"),
    *("method_version", "objection_days", "opens_on", "part_shares", "pass_with_class_b", "pools"),
    "public_draw",
    *("recordings_digest", "registry_key", "sample_digest", "scheme_digest", "seed", "spares", "tables"),
    *("translations_digest", "verifier_digest", "weighting"),
)
"""Keys beyond the required ones that this verifier understands or at least expects."""

_WAVE = re.compile(r"[a-z0-9][a-z0-9-]{2,39}")
_DOMAIN = re.compile(r"[^\x00-\x1f\x7f]{1,80}")
_HEX_KEY = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class PlanDomain:
    """One school × one group, as the plan lists it."""

    domain: str
    eligible: int
    mode: str
    slips: int
    """Slips issued, or the quota, or 0."""
    more: Mapping[str, Any]
    """What the product adds, such as group and stratum."""

    @property
    def evidence_class(self) -> str:
        """A, B or C."""
        return MODES[self.mode]


@dataclass(frozen=True)
class SignedPlan:
    """A plan that has been read: typed, with its digest."""

    document: Mapping[str, Any]
    digest: str
    wave: str
    title: str
    origin: str
    log: Vkey
    operator: Vkey
    approver: Vkey
    others: tuple[Vkey, ...]
    """Auditors, when the plan names any."""
    registry: Vkey | None
    domains: Mapping[str, PlanDomain]
    estimator: str
    shares: Mapping[str, Fraction]
    part_shares: Mapping[str, Mapping[str, Fraction]]
    """Group → part of the figure → its share within the group; of `weighted-parts/v1` alone."""
    decision: str
    threshold: Fraction | None
    threshold_text: str | None
    minimum_count: int
    exclusions: tuple[str, ...]
    slip_key_digest: str
    slips_root: str
    instrument_digest: str
    pass_with_class_b: bool
    canaries: int | None
    honey: int
    spares: int
    unknown: tuple[str, ...]

    @property
    def keys(self) -> tuple[Vkey, ...]:
        """All keys in the order of the plan: log, operator, approver, others."""
        return (self.log, self.operator, self.approver, *self.others)

    @property
    def people(self) -> tuple[Vkey, ...]:
        """The two, and any auditor: everybody but the log."""
        return self.keys[1:]

    @property
    def every_group(self) -> bool:
        """Whether each group with a share must reach the line, and not the figure alone."""
        return self.decision.startswith("every-group-")

    @property
    def code(self) -> str:
        """The plan code as printed."""
        return plan_code(self.digest)


def plan_code(digest: str) -> str:
    """The first 26 Crockford signs (130 bits) of the plan digest, in groups of four.

    >>> plan_code("af94b898c74739627dfb690a29e04cacdca90514a2fde4c364d125bfd9dd14be")
    'NYAB-H667-8WWP-4ZFV-D452-KR2C-NK'
    """
    return in_groups(encode_signs(bytes.fromhex(digest), 26))


def build_plan(
    *,
    wave: str,
    title: str,
    domains: Sequence[Mapping[str, Any]],
    keys: Sequence[str],
    estimator: str,
    decision: str,
    threshold: str | None,
    minimum_count: int,
    scoring: Mapping[str, Any],
    instrument_digest: str,
    slip_key_digest: str,
    slips_root: str,
    box_key: str | None,
    exclusions: Sequence[str] = EXCLUSIONS,
    **more: Any,
) -> dict[str, Any]:
    """The plan document, checked as a verifier will check it.

    Args:
        domains: objects of domain, eligible, mode, slips and whatever the product adds.
        keys: vkeys of log, operator, approver and then auditors.
        box_key: public key in hexadecimal, or None when the wave is not sealed.
        more: further keys of TRUST section 5, such as `frame_digest` or `group_shares`.

    Raises:
        FieldRefusedError: what would not verify, by field.
    """
    document = {
        "box_key": box_key,
        "decision": decision,
        "domains": [dict(domain) for domain in sorted(domains, key=lambda domain: domain["domain"])],
        "estimator": estimator,
        "exclusions": list(exclusions),
        "instrument_digest": instrument_digest,
        "keys": list(keys),
        "minimum_count": minimum_count,
        "scoring": dict(scoring),
        "slip_key_digest": slip_key_digest,
        "slips_root": slips_root,
        "threshold": threshold,
        "title": title,
        "type": PLAN_TYPE,
        "wave": wave,
        **more,
    }
    read_plan(document)
    return document


def read_plan(document: Any, file: str = "plan.json") -> SignedPlan:
    """The plan in a document.

    Raises:
        FieldRefusedError: a field missing or malformed, two signers who are one, a domain
            listed twice, shares that do not add up to one.
    """
    fields = Fields.of(file, document)
    for key in REQUIRED:
        fields.value(key)
    fields.constant("type", PLAN_TYPE)
    wave = fields.text("wave", _WAVE)
    keys = _read_keys(fields, wave)
    registry = _read_vkey(fields, "registry_key", document.get("registry_key"))
    decision = fields.one_of("decision", DECISIONS)
    threshold = None if document["threshold"] is None else fields.fraction("threshold")
    if (threshold is None) != (DECISIONS[decision] is None):
        raise fields.refuse("threshold", "与判断规则不一致")
    if document["box_key"] is not None:
        fields.text("box_key", _HEX_KEY)
    exclusions = fields.texts("exclusions")
    if any(reason not in EXCLUSIONS for reason in exclusions):
        raise fields.refuse("exclusions", "只允许X1、X2、X3")
    fields.object("scoring")
    estimator = fields.one_of("estimator", ESTIMATORS)
    if decision.startswith("every-group-") and estimator == "stratified-mean/v1":
        raise fields.refuse("decision", "这种算法的表里没有各类人")
    return SignedPlan(
        document=document,
        digest=canonical.digest(document),
        wave=wave,
        title=fields.text("title"),
        origin=keys[0].name,
        log=keys[0],
        operator=keys[1],
        approver=keys[2],
        others=keys[3:],
        registry=registry,
        domains=_read_domains(fields),
        estimator=estimator,
        shares=_read_shares(fields) if estimator != "stratified-mean/v1" else {},
        part_shares=_read_part_shares(fields) if estimator == "weighted-parts/v1" else {},
        decision=decision,
        threshold=threshold,
        threshold_text=document["threshold"],
        minimum_count=fields.count("minimum_count"),
        exclusions=exclusions,
        slip_key_digest=fields.digest("slip_key_digest"),
        slips_root=fields.digest("slips_root"),
        instrument_digest=fields.digest("instrument_digest"),
        pass_with_class_b="pass_with_class_b" in document and fields.flag("pass_with_class_b"),
        canaries=fields.object("canaries").count("count") if "canaries" in document else None,
        honey=fields.object("honey").count("count") if "honey" in document else 0,
        spares=fields.count("spares") if "spares" in document else 0,
        unknown=tuple(sorted(set(document) - set(REQUIRED) - set(KNOWN))),
    )


def _read_vkey(fields: Fields, key: str, text: Any) -> Vkey | None:
    if text is None:
        return None
    try:
        return parse_vkey(text if isinstance(text, str) else "")
    except VkeyRefusedError as error:
        raise fields.refuse(key, error.reason) from error


def _read_keys(fields: Fields, wave: str) -> tuple[Vkey, ...]:
    texts = fields.texts("keys")
    if not 3 <= len(texts) <= 16:
        raise fields.refuse("keys", "要依次有日志、经办、签发三把公钥")
    keys = []
    for position, text in enumerate(texts):
        key = _read_vkey(fields, f"keys[{position}]", text)
        assert key is not None
        keys.append(key)
    if not keys[0].name.endswith("/" + wave):
        raise fields.refuse("keys[0]", "日志公钥的名字不是这次调查的")
    if len({key.name for key in keys}) < len(keys) or len({key.public for key in keys}) < len(keys):
        raise fields.refuse("keys", "日志、经办、签发必须是不同的人和不同的公钥")
    return tuple(keys)


def _read_domains(fields: Fields) -> dict[str, PlanDomain]:
    domains: dict[str, PlanDomain] = {}
    for entry in fields.objects("domains"):
        name = entry.text("domain", _DOMAIN)
        if name in domains:
            raise entry.refuse("domain", f"{name}出现了两次")
        domains[name] = PlanDomain(
            name,
            entry.count("eligible"),
            entry.one_of("mode", MODES),
            entry.count("slips"),
            {key: value for key, value in entry.values.items() if key not in _DOMAIN_KEYS},
        )
    if not domains:
        raise fields.refuse("domains", "一个也没有")
    return domains


_DOMAIN_KEYS = ("domain", "eligible", "mode", "slips")


def _read_shares(fields: Fields) -> dict[str, Fraction]:
    shares_of = fields.object("group_shares")
    shares = {group: shares_of.fraction(group) for group in shares_of.values}
    if not shares or any(share < 0 for share in shares.values()) or sum(shares.values()) != 1:
        raise fields.refuse("group_shares", "各组份额相加不是1")
    return shares


def _read_part_shares(fields: Fields) -> dict[str, dict[str, Fraction]]:
    groups = fields.object("part_shares")
    found = {}
    for group in groups.values:
        parts = groups.object(group)
        shares = {part: parts.fraction(part) for part in parts.values}
        if not shares or any(share < 0 for share in shares.values()) or sum(shares.values()) != 1:
            raise groups.refuse(group, "各题份额相加不是1")
        found[group] = shares
    return found


def share_texts(shares: Mapping[str, Fraction]) -> dict[str, str]:
    """The groups' shares as the plan writes them."""
    return {group: exact.fraction_text(share) for group, share in shares.items()}
