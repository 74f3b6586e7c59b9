"""The checks that certificate and bundle share, each a function that returns or refuses.

A check returns (value, detail) for the ledger, or raises a refusal that names file and
field. None of them reads a file or a clock. Standard library only.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from survey import canonical, exact
from survey.certification.fields import FieldRefusedError, Fields
from survey.certification.note import Vkey, digest_note_text, open_note
from survey.certification.registry import check_proof
from survey.certification.signed_plan import DECISIONS, SignedPlan, read_plan
from survey.certification.statement import (
    STATEMENT_TYPE,
    Statement,
    read_statement,
    required_sentences,
)
from survey.certification.table import (
    TABLE,
    TableRow,
    decide,
    figure_of,
    members_of,
    read_table,
)
from survey.certification.transparency_log import Checkpoint, parse_checkpoint

WORDS = {True: "达到", False: "没有达到", None: "不作判断"}


def plan_is_readable(document: Any) -> tuple[SignedPlan, str]:
    """The plan, typed."""
    plan = read_plan(document)
    return plan, f"{plan.title}（{plan.wave}），{len(plan.domains)}个域"


def signed_by_the_two(
    note: str, plan: SignedPlan, kind: str, digest: str, file: str
) -> tuple[tuple[str, ...], str]:
    """The names under a note over one document, operator and approver among them.

    Raises:
        NoteRefusedError: malformed, or a line that does not hold or is by a stranger.
        FieldRefusedError: another text, one of the two missing, or lines out of order.
    """
    opened = open_note(note, plan.people, only_known=True)
    if opened.text != digest_note_text(plan.origin, kind, digest):
        # The lines hold, so the note is what the two signed and the document is what was changed.
        raise FieldRefusedError(file.replace(".note", ".json"), "", "与两人签名的摘要不符，被改过")
    _in_order(opened.signed_by, plan.people, (plan.operator, plan.approver), file)
    return opened.names, "、".join(opened.names)


def plan_signed(note: str, plan: SignedPlan, file: str) -> tuple[tuple[str, ...], str]:
    """The names under the plan note."""
    return signed_by_the_two(note, plan, "plan", plan.digest, file)


def statement_signed(
    note: str, plan: SignedPlan, statement: Statement, file: str
) -> tuple[tuple[str, ...], str]:
    """The names under the statement note; an auditor's among them where the statement says audited."""
    names, detail = signed_by_the_two(note, plan, "statement", statement.digest, file)
    if statement.document.get("level") == "audited" and not {key.name for key in plan.others} & set(names):
        raise FieldRefusedError("statement.json", "level", "写着已经核查，却没有核查人的签名")
    return names, detail


def _in_order(signed: Sequence[Vkey], keys: Sequence[Vkey], needed: Collection[Vkey], file: str) -> None:
    for key in needed:
        if key not in signed:
            raise FieldRefusedError(file, "", f"缺少“{key.name}”的签名")
    if list(signed) != [key for key in keys if key in signed]:
        raise FieldRefusedError(file, "", "签名的次序不对")


def closed_by_three(note: str, plan: SignedPlan, file: str = "closing.note") -> tuple[Checkpoint, str]:
    """The final head, signed by log, operator and approver.

    Raises:
        NoteRefusedError, CheckpointRefusedError: malformed or not signed.
        FieldRefusedError: one of the three missing, or the head of another log.
    """
    opened = open_note(note, plan.keys, only_known=True)
    head = parse_checkpoint(opened.text)
    if head.origin != plan.origin:
        raise FieldRefusedError(file, "origin", "不是这次调查的日志")
    _in_order(opened.signed_by, plan.keys, plan.keys[:3], file)
    return head, f"截止时共{head.size}份答卷，由日志和两人签名"


def statement_fits(document: Any, plan: SignedPlan, head: Checkpoint) -> tuple[Statement, str]:
    """The statement, once it speaks of this plan and this closing.

    Raises:
        FieldRefusedError: malformed, or of another wave, plan, threshold or head.
    """
    statement = read_statement(document)
    fields = Fields("statement.json", document)
    fields.constant("wave", plan.wave)
    fields.constant("threshold", plan.threshold_text)
    if statement.plan_digest != plan.digest:
        raise fields.refuse("plan_digest", "不是这份方案")
    if (statement.size, statement.root) != (head.size, head.root.hex()):
        raise fields.refuse("intake", "与截止时的日志头不一致")
    return statement, f"对应方案码{plan.code[:14]}…和{head.size}份答卷"


def table_fits(document: Any, plan: SignedPlan, statement: Statement) -> tuple[tuple[TableRow, ...], str]:
    """The rows of the table that the statement names by digest."""
    if canonical.digest(document) != statement.table_digest:
        raise FieldRefusedError(TABLE, "", "摘要与声明不一致，表被改过")
    rows = read_table(document, plan.estimator)
    return rows, f"{len(rows)}行，摘要与声明一致"


def members_fit(
    rows: Sequence[TableRow], plan: SignedPlan, statement: Statement
) -> tuple[dict[str, tuple[str, ...]], str]:
    """The domains behind each row; every domain of the plan in exactly one."""
    for name in statement.pooled:
        if name in plan.domains or name not in {row.domain for row in rows}:
            raise FieldRefusedError("statement.json", f"pooled.{name}", "不是表里的合并域")
    members = members_of(rows, plan, statement.pooled)
    pooled = sum(len(inside) > 1 for inside in members.values())
    return members, f"方案的每个域正好在一行里，其中{pooled}行是合并的小域"


def counts_fit(
    rows: Sequence[TableRow], plan: SignedPlan, statement: Statement, members: Mapping[str, Sequence[str]]
) -> tuple[int, str]:
    """The number of counted answers, against closing and exclusions as far as they tell.

    Raises:
        FieldRefusedError: more counted than came in, or fewer without a reason.
    """
    counted = sum(row.n for row in rows)
    available = statement.size - len(statement.excluded)
    inside = {domain for domains in members.values() for domain in domains}
    if counted > available or (counted < available and inside == set(plan.domains)):
        raise FieldRefusedError(
            TABLE,
            "n",
            f"计入{counted}份，而截止{statement.size}份减去排除{len(statement.excluded)}份是{available}份",
        )
    return counted, f"计入{counted}份，排除{len(statement.excluded)}份"


def exclusions_fit(plan: SignedPlan, statement: Statement) -> tuple[bool, str]:
    """Only the reasons the plan allows, and no more canaries than it announces."""
    for index, reason in statement.excluded.items():
        if reason not in plan.exclusions:
            raise FieldRefusedError("statement.json", "excluded", f"第{index}份的理由{reason}不在方案里")
    canaries = sum(reason == "X1" for reason in statement.excluded.values())
    if plan.canaries is not None and canaries > plan.canaries:
        raise FieldRefusedError("statement.json", "excluded", f"X1有{canaries}份，方案只有{plan.canaries}份")
    return True, f"只有方案允许的理由，共{len(statement.excluded)}份"


def figure_recomputed(
    rows: Sequence[TableRow], plan: SignedPlan, statement: Statement, members: Mapping[str, Sequence[str]]
) -> tuple[str, str]:
    """The figure, computed again from the table by the plan's estimator.

    Raises:
        FieldRefusedError: another figure.
    """
    figure = figure_of(rows, plan, members)
    if figure != statement.figure:
        raise FieldRefusedError(
            "statement.json", "figure", f"按表重算是{exact.truncate(figure)}，声明写的是{statement.shown}"
        )
    return statement.shown, f"按{plan.estimator}重算得{exact.percent_text(statement.shown)}，一致"


def decision_recomputed(
    rows: Sequence[TableRow], plan: SignedPlan, statement: Statement, members: Mapping[str, Sequence[str]]
) -> tuple[str, str]:
    """Whether the line is reached, decided again on the unrounded figure and by class.

    Raises:
        FieldRefusedError: the statement says otherwise.
    """
    reached = decide(statement.figure, plan, rows, members, statement.callbacks)
    if reached is not statement.reached:
        raise FieldRefusedError(
            "statement.json",
            "reached",
            f"按规则应是“{WORDS[reached]}”，声明写的是“{WORDS[statement.reached]}”",
        )
    classes = "、".join(sorted({plan.domains[d].evidence_class for row in rows for d in members[row.domain]}))
    if plan.threshold_text is None:
        return WORDS[reached], f"方案没有要求线，证据等级{classes}"
    edge = "高于" if DECISIONS[plan.decision] == "above" else "不低于"
    line = exact.percent_text(exact.truncate(exact.fraction(plan.threshold_text)))
    return WORDS[reached], f"要求{edge}{line}，未舍入比较：{WORDS[reached]}；证据等级{classes}"


def sentences_present(plan: SignedPlan, statement: Statement) -> tuple[bool, str]:
    """Every sentence that follows from the facts stands in the statement."""
    required = required_sentences(plan, statement)
    for code in required:
        if code not in (statement.sentences or ()):
            raise FieldRefusedError("statement.json", "sentences", f"缺少必须说明的{code}")
    return True, "、".join(statement.sentences or ()) or "没有须说明的事项"


def registered(registry: Fields, plan: SignedPlan, statement: Statement) -> tuple[int, str]:
    """The certificate's number: the statement's index in the registry."""
    assert plan.registry is not None
    index, size = check_proof(registry, plan.registry, statement.digest, STATEMENT_TYPE)
    return index, f"证书编号{index}，登记日志共{size}条；此后有没有撤回或重发，要联网查"


def signers_trusted(plan: SignedPlan, trusted: Sequence[Vkey]) -> tuple[bool, str]:
    """Operator and approver are keys that the reader already knew.

    Raises:
        FieldRefusedError: one of them is not.
    """
    for position, key in ((1, plan.operator), (2, plan.approver)):
        if key not in trusted:
            raise FieldRefusedError("plan.json", f"keys[{position}]", f"“{key.name}”不在您认可的公钥里")
    return True, "经办和签发的公钥都是您认可的"


def fingerprints(plan: SignedPlan) -> str:
    """Who signed, in figures that can be compared with what the office publishes."""
    return "；".join(
        f"{role}{key.name} {key.fingerprint[:19]}…"
        for role, key in (("经办", plan.operator), ("签发", plan.approver))
    )
