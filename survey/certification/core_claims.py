"""The claims that certificate and bundle have in common, in the order a reader would ask.

Raw documents and notes enter; typed plan, statement and table leave, as far as each step
held. Standard library only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from survey import exact
from survey.certification import checks
from survey.certification.claims import Ledger
from survey.certification.crockford import normalise_signs
from survey.certification.fields import FieldRefusedError
from survey.certification.note import Vkey
from survey.certification.signed_plan import SignedPlan
from survey.certification.statement import Statement
from survey.certification.table import TABLE, TableRow
from survey.certification.transparency_log import Checkpoint


@dataclass(frozen=True)
class Papers:
    """What was handed in, undecoded notes and decoded documents; None where unreadable."""

    plan: Any
    plan_note: str | None
    statement: Any
    statement_note: str | None
    table: Any
    closing_note: str | None


@dataclass(frozen=True)
class Core:
    """What came out of the common claims; None where a claim failed."""

    plan: SignedPlan | None
    head: Checkpoint | None
    statement: Statement | None
    rows: tuple[TableRow, ...] | None
    members: dict[str, tuple[str, ...]] | None

    @property
    def facts(self) -> dict[str, Any]:
        """What the file is about, for the reader; only to be believed at exit code 0."""
        facts: dict[str, Any] = {}
        if self.plan is not None:
            facts |= {"wave": self.plan.wave, "title": self.plan.title, "plan_code": self.plan.code}
            facts["demonstration"] = self.plan.document.get("demonstration") is True
        if self.statement is not None:
            facts |= {
                "figure": exact.percent_text(self.statement.shown),
                "reached": self.statement.reached,
                "threshold": self.statement.threshold,
                "short_code": self.statement.short_code,
                "statement_digest": self.statement.digest,
            }
        return facts


def check_core(ledger: Ledger, papers: Papers, trusted: Sequence[Vkey] | None, code: str | None) -> Core:
    """Everything from the plan to the sentences, written into the ledger."""
    plan = ledger.check("方案", "plan.json", checks.plan_is_readable, papers.plan)
    note = "plan.note"
    ledger.check("方案由两人签名", note, checks.plan_signed, papers.plan_note, plan, note)
    if plan is not None:
        _check_identity(ledger, plan, trusted, code)
    head = ledger.check("截止", "closing.note", checks.closed_by_three, papers.closing_note, plan)
    file = "statement.json"
    statement = ledger.check("声明", file, checks.statement_fits, papers.statement, plan, head)
    note = "statement.note"
    ledger.check(
        "声明由两人签名", note, checks.statement_signed, papers.statement_note, plan, statement, note
    )
    rows = ledger.check("计票表", TABLE, checks.table_fits, papers.table, plan, statement)
    members = ledger.check("域齐全", TABLE, checks.members_fit, rows, plan, statement)
    ledger.check("排除", file, checks.exclusions_fit, plan, statement)
    ledger.check("计入份数", TABLE, checks.counts_fit, rows, plan, statement, members)
    ledger.check("满意度重算", TABLE, checks.figure_recomputed, rows, plan, statement, members)
    ledger.check("判断规则", file, checks.decision_recomputed, rows, plan, statement, members)
    if statement is not None and statement.sentences is None:
        ledger.write("必须说明的话", None, "声明没有这一项", file)
    else:
        ledger.check("必须说明的话", file, checks.sentences_present, plan, statement)
    for name, reader in (("方案里不认识的项", plan), ("声明里不认识的项", statement)):
        if reader is not None and reader.unknown:
            ledger.write(name, None, "、".join(reader.unknown) + "（在摘要之内，本核验器不解释）")
    core = Core(plan, head, statement, rows, members)
    # A missing part leaves only claims that could not be tried; that must never pass for proof.
    if None in (plan, head, statement, rows, members) and all(
        claim.ok is not False for claim in ledger.claims
    ):
        ledger.write("必要的部分", False, "方案、截止、声明或计票表缺失")
    return core


def _check_identity(
    ledger: Ledger, plan: SignedPlan, trusted: Sequence[Vkey] | None, code: str | None
) -> None:
    """The two things a file cannot prove about itself: the printed code, and whose keys these are."""
    if code is None:
        ledger.write("方案码", None, f"{plan.code}，请与海报或填写单上印的核对", "plan.json")
    else:
        ledger.check("方案码", "plan.json", _same_code, plan, code)
    if trusted is None:
        detail = f"{checks.fingerprints(plan)}；请与承办单位公布的公钥核对，文件本身证明不了是谁"
        ledger.write("签名人", None, detail, "plan.json")
    else:
        ledger.check("签名人", "plan.json", checks.signers_trusted, plan, trusted)


def _same_code(plan: SignedPlan, code: str) -> tuple[bool, str]:
    if normalise_signs(code) != plan.code.replace("-", ""):
        raise FieldRefusedError("plan.json", "", f"方案码是{plan.code}，与印的不同")
    return True, f"{plan.code}，与印的一致"
