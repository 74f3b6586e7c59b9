"""Make the codes and have the plan signed by two: from here on nothing that moves the figure moves.

The drawn sample and two signers enter. Codes are made, their keyed digests go to the intake
and their root into the plan; the plan, with every digest it rests on, is signed by operator
and approver; its code is printed on every sheet. The codes themselves wait in the print
file until the wave opens and are then erased (TRUST sections 4 to 6).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from survey import METHOD_VERSION, canonical
from survey.certification.note import make_note
from survey.certification.sealing import box_public_key, slip_leaf
from survey.certification.signature import generate_signer
from survey.certification.signed_plan import PLAN_TYPE, build_plan, plan_code, share_texts
from survey.certification.transparency_log import tree_root
from survey.estimation.figure_parts import estimator_of, part_shares
from survey.exact import fraction
from survey.fieldwork.invitation import Invitation, issue
from survey.jobs.register import register
from survey.jobs.signers import Signers, keep_shares, registry_signer
from survey.sampling.frame import Frame
from survey.sampling.wave_sample import Sample
from survey.scheme.plan import Plan, instrument_of, scheme_of
from survey.scheme.scheme import Scheme
from survey.settings import Settings
from survey.storage.audit import record_audit
from survey.storage.current import transaction
from survey.storage.evidence import save_evidence
from survey.storage.frames import load_frame
from survey.storage.intake import About, Poster
from survey.storage.office import IntakeOffice
from survey.storage.plans import load_plan, require_state, set_state
from survey.storage.print_files import save_print_file
from survey.storage.samples import load_sample
from survey.weighting.domain_weights import frame_people

DECISIONS = {
    "at_least": "point-estimate-at-least-threshold",
    "above": "point-estimate-above-threshold",
    None: "no-threshold",
}
OBJECTION_DAYS = 30
DESTROY_AFTER_DAYS = 90
CALLBACKS_NEEDED = 200


@dataclass(frozen=True)
class Signed:
    """A signed plan, and how many codes went with it."""

    document: dict[str, Any]
    digest: str
    slips: int

    @property
    def code(self) -> str:
        """The plan code as printed on every sheet."""
        return plan_code(self.digest)


async def sign_plan(
    settings: Settings, office: IntakeOffice, wave: str, signers: Signers, *, actor: str, now: datetime
) -> Signed:
    """Issue the codes of a drawn wave and sign its plan.

    Raises:
        WrongStateError: the wave has no drawn sample, or its plan is signed already.
    """
    await require_state(wave, "drawn")
    plan, sample = await load_plan(wave), await load_sample(wave)
    scheme = scheme_of(plan)
    slip_key, log = (
        secrets.token_bytes(32),
        generate_signer(f"{settings.host_name}/{wave}", secrets.token_bytes),
    )
    box_secret = secrets.token_bytes(32) if plan.sealed else None
    invitations = issue(
        [(draw.domain, draw.slips) for draw in sample.domains if _mode(plan, draw.group) == "slip"],
        slip_key,
        secrets.token_bytes,
    )
    asked = _asked(plan, scheme, sample)
    document = build_plan(
        wave=wave,
        title=plan.title,
        domains=[_domain(plan, draw) for draw in sample.domains],
        keys=[log.vkey, signers.operator.vkey, signers.approver.vkey],
        slip_key_digest=canonical.sha256_hex(slip_key),
        slips_root=_slips_root(invitations),
        box_key=None if box_secret is None else box_public_key(box_secret).hex(),
        instrument_digest=canonical.digest(asked),
        registry_key=registry_signer(settings).vkey,
        **_rules(plan, scheme, sample),
        **_parts(plan, scheme, sample, await load_frame(wave)),
    )
    text = canonical.encode(document).decode()
    digest = canonical.digest(document)
    note = make_note(f"{log.name}/plan\nsha256:{digest}\n", signers.both())

    # The database commits last: a signing that dies half-way leaves the wave drawn, not half signed.
    async with transaction():
        await save_evidence(wave, "instrument.json", canonical.encode(asked).decode(), now=now)
        await save_evidence(wave, "plan.json", text, now=now)
        await save_evidence(wave, "plan.note", note, now=now)
        await register(settings, digest, PLAN_TYPE)
        await set_state(wave, "drawn", "planned", now=now)
        details = {"plan_digest": digest, "slips": len(invitations)}
        await record_audit(actor, "sign_plan", wave, details=details, now=now)
        await office.create(
            _about(plan, sample, log.name, box_secret),
            [(bytes.fromhex(one.e), one.domain) for one in invitations],
            slip_key=slip_key,
            log_seed=log.seed,
        )
        if box_secret is not None:
            keep_shares(settings, wave, box_secret, signers)
        save_print_file(settings, wave, [(one.code, one.domain) for one in invitations])
    return Signed(document, digest, len(invitations))


def _about(plan: Plan, sample: Sample, origin: str, box_secret: bytes | None) -> About:
    """What stays fixed about the wave's intake."""
    return About(
        wave=plan.wave,
        origin=origin,
        box_key=None if box_secret is None else box_public_key(box_secret),
        opens_on=plan.opens_on,
        posters=tuple(
            Poster(draw.domain, _mode(plan, draw.group), draw.slips, None)
            for draw in sample.domains
            if _mode(plan, draw.group) != "slip"
        ),
    )


def _asked(plan: Plan, scheme: Scheme, sample: Sample) -> dict[str, Any]:
    """Every instrument that some drawn domain is asked, whole."""
    instruments = (instrument_of(plan, scheme, draw.group, draw.stage) for draw in sample.domains)
    return {
        "type": "survey/instruments/v1",
        "instruments": {f"{one.id}/{one.form}": one.document() for one in instruments if one is not None},
    }


def _mode(plan: Plan, group: str) -> str:
    return next(entry.mode for entry in plan.groups if entry.group == group)


def _domain(plan: Plan, draw: Any) -> dict[str, Any]:
    return {
        "domain": draw.domain,
        "eligible": draw.eligible,
        "mode": _mode(plan, draw.group),
        "slips": draw.slips,
        "group": draw.group,
        "stratum": draw.stratum,
        "psu_probability": draw.psu_probability,
    }


def _slips_root(invitations: tuple[Invitation, ...]) -> str:
    ordered = sorted(invitations, key=lambda one: one.e)
    return tree_root([slip_leaf(one.domain, one.e) for one in ordered]).hex()


def _parts(plan: Plan, scheme: Scheme, sample: Sample, frame: Frame) -> dict[str, Any]:
    """The shares of items in a figure that has several, or points: known before anybody answers."""
    if estimator_of(scheme.figure) != "weighted-parts/v1":
        return {}
    shares = part_shares(plan, scheme, sample, frame_people(plan, scheme, frame))
    return {"part_shares": {group: share_texts(parts) for group, parts in shares.items()}}


def _rules(plan: Plan, scheme: Scheme, sample: Sample) -> dict[str, Any]:
    """Everything else that may move the figure, fixed now."""
    line = scheme.requirement.line
    return {
        "estimator": estimator_of(scheme.figure),
        "decision": DECISIONS[None if line is None else line.edge],
        "threshold": None if line is None else line.threshold,
        "minimum_count": plan.minimum_count,
        "scoring": {"answers": scheme.document["answers"], "figure": scheme.document["figure"]},
        "group_shares": share_texts({group: fraction(share) for group, share in sample.shares.items()}),
        "weighting": {
            "base": "inverse of the inclusion probability",
            "nonresponse": "within pools of domains of one stratum and group",
            "calibration": "post-stratified to the frame by stratum and group",
        },
        "pools": "domains below minimum_count merge within stratum and group, then across strata of the group",
        "scheme_digest": scheme.digest,
        "frame_digest": sample.frame_digest,
        "design_digest": sample.design_digest,
        "sample_digest": sample.digest,
        "seed": sample.seed,
        "method_version": METHOD_VERSION,
        "opens_on": plan.opens_on.isoformat(),
        "closes_on": plan.closes_on.isoformat(),
        "objection_days": OBJECTION_DAYS,
        "destroy_after_days": DESTROY_AFTER_DAYS,
        "flags": list(scheme.document["quality"]["flags"]),
        "disclosure": {"smallest_cell": max(plan.minimum_count, scheme.smallest_cell)},
        "tables": ["overall", "group", "stage", "place", "dimension", "item"],
        "canaries": {"count": 0},
        "honey": {"count": 0},
        "spares": 0,
        "callbacks": CALLBACKS_NEEDED,
        "pass_with_class_b": False,
        "demonstration": plan.demonstration,
    }
