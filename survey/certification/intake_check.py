"""Whether what the intake holds at closing is what the plan and the log say it must be.

Rows of the intake enter as plain values; nothing leaves, or a refusal that names the first row
that does not fit. Run before the two sign the closing, so that a row somebody deleted, added or
altered meanwhile never comes under their signatures. A box whose content alone was altered is
found at opening, where each is held against its commitment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from survey import canonical
from survey.certification.closing import USED
from survey.certification.note import NoteSigner
from survey.certification.sealing import read_leaf, slip_leaf
from survey.certification.signed_plan import SignedPlan
from survey.certification.transparency_log import CompactTree, sign_head, tree_root
from survey.errors import SurveyError


class IntakeAlteredError(SurveyError):
    """A row of the intake is not what it must be; the wave is not closed."""

    code = "close.intake_altered"
    kind = "refused"

    def __init__(self, wave: str, reason: str) -> None:
        super().__init__(
            f"调查 {wave} 的答卷库", reason, "先不要签字；保留现场，用最近的备份和留存的日志头核对"
        )


@dataclass(frozen=True)
class IntakeTerms:
    """What the intake was made with, and the plan must say alike."""

    origin: str
    opens_on: str
    box_key: str | None
    """The key that answers were sealed to, in hexadecimal."""
    quotas: Mapping[str, int]
    """Posters and their quotas."""


def hold_intake(
    plan: SignedPlan,
    terms: IntakeTerms,
    *,
    leaves: Sequence[bytes],
    boxes: Collection[str],
    slips: Sequence[tuple[str, str, str]],
    heads: Sequence[str],
    log: NoteSigner,
    counters: Mapping[tuple[str, str], int],
    disputes: Mapping[tuple[str, int], int],
) -> None:
    """Nothing, when every row fits.

    Args:
        leaves: in log order.
        boxes: commitments (hex) of the stored boxes.
        slips: (e in hex, domain, state), sorted by e.
        heads: signed heads, smallest first; `log` signs as the log did, Ed25519 being deterministic.
        counters, disputes: as the intake counted.

    Raises:
        IntakeAlteredError: the first row that does not fit.
    """
    _hold_terms(plan, terms)
    arrived = _hold_leaves(plan, leaves, boxes)
    _hold_heads(plan, leaves, heads, log)
    if tree_root([slip_leaf(domain, e) for e, domain, _ in slips]).hex() != plan.slips_root:
        raise IntakeAlteredError(plan.wave, "填写码清单算不出方案里的填写码根，有增删或改动")
    _hold_states(plan, slips, arrived, counters, disputes)


def _hold_terms(plan: SignedPlan, terms: IntakeTerms) -> None:
    """The intake was made as the plan says: its log, its first day, its key, its quotas."""
    quotas = {name: listed.slips for name, listed in plan.domains.items() if listed.mode != "slip"}
    for what, found, wanted in (
        ("日志的名字", terms.origin, plan.origin),
        ("第一天", terms.opens_on, plan.document.get("opens_on", terms.opens_on)),
        ("封存公钥", terms.box_key, plan.document["box_key"]),
        ("海报的名额", dict(terms.quotas), quotas),
    ):
        if found != wanted:
            raise IntakeAlteredError(plan.wave, f"{what}不是方案里的那一个")


def _hold_leaves(plan: SignedPlan, leaves: Sequence[bytes], boxes: Collection[str]) -> Counter[str]:
    """Answers by domain, once every leaf is readable, its own, and has its box."""
    arrived: Counter[str] = Counter()
    commitments: set[str] = set()
    for place, data in enumerate(leaves):
        try:
            value = read_leaf(data)
        except canonical.NotCanonicalError as error:
            raise IntakeAlteredError(plan.wave, f"第{place}条记录读不出（{error.reason}）") from error
        if value["domain"] not in plan.domains or value["c"] in commitments:
            raise IntakeAlteredError(plan.wave, f"第{place}条记录不是方案里的域，或者与另一条重复")
        commitments.add(value["c"])
        arrived[value["domain"]] += 1
    if lone := commitments.symmetric_difference(boxes):
        raise IntakeAlteredError(plan.wave, f"记录与封存的答卷对不上，有{len(lone)}处")
    return arrived


def _hold_heads(plan: SignedPlan, leaves: Sequence[bytes], heads: Sequence[str], log: NoteSigner) -> None:
    """Every head is the one that the log signs over the leaves so far, and the last is over all."""
    wanted = iter(heads)
    head, tree = next(wanted, None), CompactTree()
    # A wave that closed without an answer has one head, of size 0.
    for place, data in enumerate([None, *leaves]):
        if data is not None:
            tree.add(data)
        if head is not None and head.split("\n", 2)[1:2] == [str(place)]:
            if head != sign_head(plan.origin, place, tree.root(), [log]):
                raise IntakeAlteredError(plan.wave, f"大小{place}的日志头被改动过")
            head, last = next(wanted, None), place
    if head is not None or (heads and last != len(leaves)) or (leaves and not heads):
        raise IntakeAlteredError(plan.wave, "日志头与记录对不上，有增删或改动")


def _hold_states(
    plan: SignedPlan,
    slips: Sequence[tuple[str, str, str]],
    arrived: Mapping[str, int],
    counters: Mapping[tuple[str, str], int],
    disputes: Mapping[tuple[str, int], int],
) -> None:
    """By domain: used slips are the answers, disputed ones the disputes, voided ones those counted."""
    states = Counter((domain, state) for _, domain, state in slips)
    claimed: Counter[str] = Counter()
    for (domain, _), n in disputes.items():
        claimed[domain] += n
    for name, listed in plan.domains.items():
        if listed.mode != "slip":
            continue
        used = sum(states[name, state] for state in USED)
        if used != arrived.get(name, 0):
            raise IntakeAlteredError(
                plan.wave, f"域{name}用掉{used}张填写码，却有{arrived.get(name, 0)}份答卷"
            )
        if states[name, "disputed"] != claimed[name]:
            raise IntakeAlteredError(plan.wave, f"域{name}声明未填的份数和填写码的状态对不上")
        if states[name, "voided"] != counters.get((name, "voided"), 0):
            raise IntakeAlteredError(plan.wave, f"域{name}作废的填写码与记下的张数对不上")
