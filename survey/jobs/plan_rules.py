"""What the plan note fixes: every rule that can still move the figure, as the two sign it.

The product's plan, scheme and sample enter, plain values leave. They are built once to be
signed, and once more before certifying: whatever moved in between, in the database or in the
program, is named and nothing is certified.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from survey import METHOD_VERSION, canonical
from survey.cases.indicator_limits import limits_document
from survey.certification.signed_plan import SignedPlan, share_texts
from survey.certification.zipapp_verifier import build_zipapp
from survey.errors import SurveyError
from survey.estimation.figure_parts import estimator_of, part_shares
from survey.exact import fraction
from survey.fieldwork.callbacks import NEEDED as CALLS_NEEDED
from survey.sampling.frame import Frame
from survey.sampling.sample import DomainDraw, Sample
from survey.scheme.plan import Plan, instrument_of
from survey.scheme.scheme import Scheme
from survey.weighting.domain_weights import SMALL_WITHOUT_SATISFIED, frame_people

DECISIONS = {
    ("figure", "at_least"): "point-estimate-at-least-threshold",
    ("figure", "above"): "point-estimate-above-threshold",
    ("every_group", "at_least"): "every-group-at-least-threshold",
    ("every_group", "above"): "every-group-above-threshold",
}
"""What the line holds and with which edge; a scheme without a line has `no-threshold`."""
OBJECTION_DAYS = 30
DESTROY_AFTER_DAYS = 90
FEWEST_APART = 5
"""Every hidden count keeps at least so many possible values (TRUST section 16)."""


class RuleMovedError(SurveyError):
    """Something the signed plan fixed is not what the program would use now."""

    code = "certify.rule_moved"
    kind = "refused"

    def __init__(self, wave: str, key: str) -> None:
        super().__init__(
            f"调查 {wave}",
            f"签下的计划里的{key}，和现在会用的不一样",
            "用签计划时的数据和程序版本来认证；规则要改，只能另签一个新的计划",
            field=key,
        )


def rules_document(
    plan: Plan, scheme: Scheme, frame: Frame, sample: Sample, public_draw: str | None = None
) -> dict[str, Any]:
    """Everything of the plan note but keys, codes and what was planted.

    Args:
        public_draw: the draw that gave the seed, where it was signed beforehand and only once.
    """
    line = scheme.requirement.line
    return {
        "estimator": estimator_of(scheme.figure),
        "decision": "no-threshold" if line is None else DECISIONS[scheme.requirement.applies_to, line.edge],
        "threshold": None if line is None else line.threshold,
        "minimum_count": plan.minimum_count,
        "scoring": {"answers": scheme.document["answers"], "figure": scheme.document["figure"]},
        "instrument_digest": canonical.digest(asked_document(plan, scheme, sample)),
        "group_shares": share_texts({group: fraction(share) for group, share in sample.shares.items()}),
        **_parts(plan, scheme, frame, sample),
        "weighting": {
            "base": "inverse of the inclusion probability",
            "nonresponse": "within pools of domains of one stratum and group",
            "calibration": "post-stratified to the frame by stratum and group",
        },
        "pools": {
            "rule": "domains below minimum_count, or below small_without_satisfied and none satisfied, "
            "join the next of their cell in this order; small cells join the next stratum",
            "small_without_satisfied": SMALL_WITHOUT_SATISFIED,
            "strata": [stratum.stratum for stratum in sample.strata],
            "order": _order(sample),
        },
        "scheme_digest": scheme.digest,
        "frame_digest": sample.frame_digest,
        "design_digest": sample.design_digest,
        "sample_digest": sample.digest,
        "seed": sample.seed,
        "public_draw": public_draw,
        "method_version": METHOD_VERSION,
        "opens_on": plan.opens_on.isoformat(),
        "closes_on": plan.closes_on.isoformat(),
        "objection_days": OBJECTION_DAYS,
        "destroy_after_days": DESTROY_AFTER_DAYS,
        "flags": limits_document(),
        "disclosure": {
            "smallest_cell": max(plan.minimum_count, scheme.smallest_cell),
            "fewest_apart": FEWEST_APART,
            "extremes_hidden_below": SMALL_WITHOUT_SATISFIED,
        },
        "tables": ["overall", "group", "stage", "place", "dimension", "item"],
        "callbacks": CALLS_NEEDED,
        "pass_with_class_b": plan.pass_with_class_b,
        "demonstration": plan.demonstration,
        "verifier_digest": canonical.sha256_hex(build_zipapp()),
    }


MOVES_THE_FIGURE = (
    *("estimator", "decision", "threshold", "minimum_count", "scoring", "instrument_digest", "group_shares"),
    *("scheme_digest", "frame_digest", "design_digest", "sample_digest", "seed", "method_version"),
    *("part_shares", "pass_with_class_b"),
)


def hold_rules(signed: SignedPlan, plan: Plan, scheme: Scheme, frame: Frame, sample: Sample) -> None:
    """Nothing, when the program would still do what the two signed.

    Raises:
        RuleMovedError: the first rule or domain that moved, by name.
    """
    rules = rules_document(plan, scheme, frame, sample)
    for key in MOVES_THE_FIGURE:
        if signed.document.get(key) != rules.get(key):
            raise RuleMovedError(signed.wave, key)
    drawn = {draw.domain: domain_document(plan, draw) for draw in sample.domains}
    for name, row in drawn.items():
        listed = signed.domains.get(name)
        wanted = {key: value for key, value in row.items() if key not in ("domain", "slips")}
        if listed is None or any(wanted[key] != _listed(listed, key) for key in wanted):
            raise RuleMovedError(signed.wave, f"域{name}")
    if extra := sorted(set(signed.domains) - set(drawn) - {surplus_of(name) for name in drawn}):
        raise RuleMovedError(signed.wave, f"域{extra[0]}")


def _listed(listed: Any, key: str) -> Any:
    return {"eligible": listed.eligible, "mode": listed.mode}.get(key, listed.more.get(key))


def _parts(plan: Plan, scheme: Scheme, frame: Frame, sample: Sample) -> dict[str, Any]:
    """The shares of items in a figure that has several, or points: known before anybody answers."""
    if estimator_of(scheme.figure) != "weighted-parts/v1":
        return {}
    shares = part_shares(plan, scheme, sample, frame_people(plan, scheme, frame))
    return {"part_shares": {group: share_texts(parts) for group, parts in shares.items()}}


def asked_document(plan: Plan, scheme: Scheme, sample: Sample) -> dict[str, Any]:
    """Every instrument that some drawn domain is asked, whole."""
    asked = {(draw.group, draw.stage) for draw in sample.domains}
    instruments = (instrument_of(plan, scheme, group, stage) for group, stage in asked)
    return {
        "type": "survey/instruments/v1",
        "instruments": {f"{one.id}/{one.form}": one.document() for one in instruments if one is not None},
    }


def mode_of(plan: Plan, group: str) -> str:
    """How a group's answers come: slip, quota or open."""
    return next(entry.mode for entry in plan.groups if entry.group == group)


def issued_of(plan: Plan, draw: DomainDraw) -> int:
    """Slips made for a domain at the bureau, spare ones included; of a poster its quota."""
    return draw.slips + (plan.spares if draw.slips and mode_of(plan, draw.group) == "slip" else 0)


def domain_document(plan: Plan, draw: DomainDraw, held: Mapping[str, int] | None = None) -> dict[str, Any]:
    """One domain as the plan lists it; slips held back above the bureau are among its slips."""
    kept = (held or {}).get(draw.domain, 0)
    return {
        "domain": draw.domain,
        "eligible": draw.eligible,
        "mode": mode_of(plan, draw.group),
        "slips": issued_of(plan, draw) + kept,
        "group": draw.group,
        "stratum": draw.stratum,
        "psu_probability": draw.psu_probability,
        **({"held": kept} if kept else {}),
    }


def surplus_of(domain: str) -> str:
    """The domain that takes what is sent after a quota is full: stored and counted, never in the figure."""
    return f"{domain}/surplus"


def surplus_documents(plan: Plan, sample: Sample) -> list[dict[str, Any]]:
    """The surplus domains as the plan lists them, with nobody eligible."""
    return [
        {
            "domain": surplus_of(draw.domain),
            "eligible": 0,
            "mode": "quota",
            "slips": 0,
            "group": draw.group,
            "stratum": draw.stratum,
            "psu_probability": draw.psu_probability,
        }
        for draw in sample.domains
        if mode_of(plan, draw.group) == "quota"
    ]


def _order(sample: Sample) -> dict[str, list[str]]:
    """Group → its domains in the order in which small ones join."""
    strata = {stratum.stratum: at for at, stratum in enumerate(sample.strata)}
    order: dict[str, list[str]] = {}
    for draw in sorted(sample.domains, key=lambda d: (strata.get(d.stratum, len(strata)), d.domain)):
        order.setdefault(draw.group, []).append(draw.domain)
    return order
