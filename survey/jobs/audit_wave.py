"""Audit a wave offline: open every commitment, look for the canaries, draw and count again.

The confidential bundle and the auditor's own list enter; claims leave, and where all of them
hold, the statement that may say so: the certified one with the level raised, naming what it
replaces, under the auditor's line. The two sign it after that, or nobody does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from survey import canonical
from survey.cases.indicators import Beyond
from survey.certification.archive import pack, unpack
from survey.certification.claims import Ledger, Verdict
from survey.certification.fields import FieldRefusedError
from survey.certification.note import digest_note_text
from survey.certification.record_claims import ONLY_FOR_AUDITORS, RECORDS, WAVE_PLAN, commitments_open
from survey.certification.sealing import read_leaf
from survey.certification.signature import Signer
from survey.certification.signed_plan import SignedPlan, read_plan
from survey.certification.statement import Statement, read_statement, sentences
from survey.certification.verification import verify_file
from survey.errors import SurveyError
from survey.fieldwork.planted import Planted
from survey.jobs.estimate_wave import Opened, estimate_opened, held_slips, spare_slips
from survey.jobs.plan_rules import surplus_of
from survey.jobs.plant_answers import find_canaries
from survey.sampling.frame import Frame
from survey.sampling.sample import Sample
from survey.sampling.wave_sample import replays
from survey.scheme.plan import plan_digest, scheme_of
from survey.scheme.plan import read_plan as read_wave_plan
from survey.storage.intake import DomainCount

AUDITED_TYPE = "survey/audited/v1"
REASON = "上级核查人逐份核对了答卷"


class AuditFailedError(SurveyError):
    """The bundle does not hold, so no auditor's line is given."""

    code = "audit.failed"
    kind = "refused"

    def __init__(self, reason: str) -> None:
        super().__init__("核查", f"没有通过：{reason}", "不要签；保留核查包，和承办单位一起查明")


@dataclass(frozen=True)
class Audit:
    """What an audit found, and what it rests on."""

    verdict: Verdict
    plan: SignedPlan | None
    statement: Statement | None


def audit_bundle(data: bytes, planted: Planted | None) -> Audit:
    """Every claim about a confidential bundle: the public ones first, then what only records can show.

    Raises:
        ArchiveRefusedError: not a bundle of ours.
    """
    members, faults = unpack(data)
    public = {name: content for name, content in members.items() if name not in ONLY_FOR_AUDITORS}
    opened = verify_file(pack(public), check_all=True)
    ledger = Ledger()
    ledger.claims.extend(claim for claim in opened.claims if claim.name != "答卷内容")
    for name, reason in faults:
        ledger.write("核查包原样", False, reason, name or "ZIP")
    if missing := [name for name in ONLY_FOR_AUDITORS if name not in members]:
        ledger.write("核查包齐全", False, "缺少" + "、".join(missing), missing[0])
        return Audit(Verdict(tuple(ledger.claims), "bundle", opened.facts), None, None)
    plan = read_plan(canonical.decode(members["plan.json"]))
    statement = read_statement(canonical.decode(members["statement.json"]))
    leaves = members["leaves.jsonl"].split(b"\n")[:-1]
    records = ledger.check("承诺", RECORDS, commitments_open, members[RECORDS], leaves)
    ledger.check("核对答卷", "statement.json", _canaries, plan, statement, leaves, records, (planted,))
    drawn = ledger.check("抽样重演", "sample.json", _drawing, members, plan)
    ledger.check("从答卷重算", "table.json", _recount, members, plan, statement, leaves, records, drawn)
    return Audit(Verdict(tuple(ledger.claims), "bundle", opened.facts), plan, statement)


def _canaries(
    plan: SignedPlan,
    statement: Statement,
    leaves: list[bytes],
    records: Mapping[str, dict[str, Any]],
    brought: tuple[Planted | None],
) -> tuple[bool, str]:
    """X1 is exactly the canaries that came back as they were sent, and all of them did."""
    left_out = {index for index, reason in statement.excluded.items() if reason == "X1"}
    [planted] = brought
    if planted is None:
        if plan.canaries or left_out:
            raise FieldRefusedError("plan.json", "canaries", f"计划有{plan.canaries}份核对答卷，请带上清单")
        return True, "这次没有混入核对答卷"
    found = find_canaries(plan, planted, leaves, records.items())
    if found.missing or found.different:
        lost, other = sum(found.missing.values()), sum(found.different.values())
        raise FieldRefusedError(RECORDS, "", f"核对答卷缺{lost}份，内容不同{other}份")
    unsent = sum(not one.receipt for one in planted.canaries)
    in_voided = {index for index in found.excluded if statement.excluded.get(index) == "X2"}
    if set(found.excluded) - in_voided != left_out:
        raise FieldRefusedError("statement.json", "excluded", "X1不是清单里的那几份")
    return True, f"{len(found.excluded)}份都在，内容一字不差" + (f"；{unsent}份没有交" if unsent else "")


def _drawing(members: Mapping[str, bytes], plan: SignedPlan) -> tuple[tuple[Any, Frame, Sample], str]:
    """Plan, frame and sample, once the seed gives the very same sample again."""
    wave_plan = read_wave_plan(members[WAVE_PLAN])
    frame = Frame.from_document(canonical.decode(members["frame.json"]))
    sample = Sample.from_document(canonical.decode(members["sample.json"]))
    if plan_digest(wave_plan) != sample.plan_digest:
        raise FieldRefusedError(WAVE_PLAN, "", "不是抽样时的计划")
    if sample.digest != plan.document.get("sample_digest"):
        raise FieldRefusedError("sample.json", "", "不是签下的样本")
    if not replays(sample, wave_plan, scheme_of(wave_plan), frame):
        raise FieldRefusedError("sample.json", "", "用同一个种子抽出来的不是这个样本")
    return (wave_plan, frame, sample), f"用种子“{sample.seed}”重新抽了一遍，{len(sample.domains)}个域完全相同"


def _recount(
    members: Mapping[str, bytes],
    plan: SignedPlan,
    statement: Statement,
    leaves: list[bytes],
    records: Mapping[str, dict[str, Any]],
    drawn: tuple[Any, Frame, Sample],
) -> tuple[bool, str]:
    """Table and figure, weighted and counted again from the records themselves."""
    wave_plan, frame, sample = drawn
    read = [read_leaf(leaf) for leaf in leaves]
    surplus = {surplus_of(domain) for domain in sample.by_domain}
    cases = [(i, records[leaf["c"]]) for i, leaf in enumerate(read) if leaf["domain"] not in surplus]
    aside = {index: reason for index, reason in statement.excluded.items() if reason in ("X1", "X2")}
    ends = [
        canonical.decode(members[name])["closes_on"]
        for name in members
        if name.startswith("extension") and name.endswith(".json")
    ]
    opened = Opened(
        cases,
        aside,
        Counter(read[index]["domain"] for index, reason in aside.items() if reason == "X1"),
        held_slips(plan.document),
        spare_slips(plan.document),
        max([wave_plan.closes_on, *(date.fromisoformat(end) for end in ends)]),
    )
    public_draw = plan.document.get("public_draw") is not None
    counts = _counts(members["slips.jsonl"], read)
    results = estimate_opened(wave_plan, frame, sample, opened, counts, public_draw, Beyond())
    if canonical.encode(results.certified_table()) != members["table.json"]:
        raise FieldRefusedError("table.json", "", "从答卷数出来的不是这张表")
    if results.figure != statement.figure or list(results.excluded) != sorted(statement.excluded.items()):
        raise FieldRefusedError("statement.json", "figure", "从答卷算出来的不是这个数，或排除的不是这几份")
    return True, f"{len(cases)}份答卷重新加权、计数，得到同一张表和同一个数"


def _counts(slips: bytes, leaves: list[dict[str, Any]]) -> list[DomainCount]:
    """What became of every domain's slips, from the published list; posters from their leaves."""
    states: dict[str, Counter[str]] = {}
    for line in slips.split(b"\n")[:-1]:
        entry = canonical.decode(line)
        states.setdefault(entry["domain"], Counter())[entry["state"]] += 1
    arrived = Counter(leaf["domain"] for leaf in leaves if leaf["domain"] not in states)
    return [
        *(
            DomainCount(name, n.total(), n["used"] + n["disputed"], n["disputed"], n["voided"])
            for name, n in sorted(states.items())
        ),
        *(DomainCount(name, n, n, 0, 0) for name, n in sorted(arrived.items())),
    ]


def audited_statement(audit: Audit, on: date) -> dict[str, Any]:
    """The certified statement once more, with the level raised.

    Raises:
        AuditFailedError: some claim does not hold, or it is audited already.
    """
    if not audit.verdict.ok or audit.plan is None or audit.statement is None:
        raise AuditFailedError(audit.verdict.summary)
    document = audit.statement.document
    if document.get("level") == "audited":
        raise AuditFailedError("这份声明已经是核查过的")
    codes = [code for code in audit.statement.sentences or () if code != "S5"]
    return {
        **document,
        "issued_on": on.isoformat(),
        "level": "audited",
        "reason": REASON,
        "sentences": sentences(codes),
        "supersedes": audit.statement.digest,
    }


def sign_audit(audit: Audit, auditor: Signer, on: date) -> dict[str, Any]:
    """The auditor's file for the bureau: the raised statement and their line over it.

    Raises:
        AuditFailedError: the audit failed, or the plan does not know this auditor.
    """
    statement = audited_statement(audit, on)
    assert audit.plan is not None
    if auditor.key not in audit.plan.others:
        raise AuditFailedError("计划里没有这位核查人的公钥，签计划以前要先登记")
    text = digest_note_text(audit.plan.origin, "statement", canonical.digest(statement))
    return {"line": auditor.sign(text), "statement": statement, "type": AUDITED_TYPE, "vkey": auditor.vkey}
