"""The claims about what was counted: table against leaves, the statement's counts against the lists.

The typed papers of a bundle with its slips and leaves enter; three claims leave. Every row of
the table counts exactly its leaves that are not excluded, and what the statement says became
of a domain's slips is what the slips say that were closed, and so many call-backs as it names
were recorded when the two opened the answers. Paper forms and telephone calls are a note
the intake kept, so of them only the bound is checked. Standard library only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from survey.certification.bundle_lists import LeafList, SlipList
from survey.certification.claims import Ledger
from survey.certification.closing_claims import Voids
from survey.certification.core_claims import Core
from survey.certification.fields import FieldRefusedError, Fields
from survey.certification.signed_plan import PlanDomain, SignedPlan
from survey.certification.statement import Statement
from survey.certification.table import TableRow

COUNTS = ("counted", "disputed", "eligible", "paper", "slips", "used", "voided")
LATER = ("spares", "telephone")
"""Counts that statements carry since 2026-11-25; an older one counts spare slips among the issued."""


def check_counts(
    ledger: Ledger, core: Core, slips: SlipList | None, leaves: LeafList | None, voids: Voids | None
) -> None:
    """Write the claims that table, statement and lists agree domain by domain."""
    needs = (core.statement, core.rows, core.members, leaves, voids)
    ledger.check("逐域计入", "table.json", _counts_by_domain, *needs)
    if core.statement is not None and "counts" not in core.statement.document:
        ledger.write("逐域份数", None, "声明没有这一项", "statement.json")
    else:
        ledger.check("逐域份数", "statement.json", _counts_stated, core.statement, core.plan, slips, leaves)


def check_callbacks(ledger: Ledger, core: Core, opening: Any) -> None:
    """Write the claim that the call-backs were recorded before anybody saw an answer."""
    ledger.check("回访", "statement.json", _recorded_before_opening, core.statement, opening)


def _recorded_before_opening(statement: Statement, opening: Any) -> tuple[int, str]:
    signed = opening.get("callbacks", 0) if isinstance(opening, dict) else 0
    if statement.callbacks != signed:
        raise FieldRefusedError(
            "statement.json", "callbacks", f"写的是{statement.callbacks}，开封时两人签的是{signed}"
        )
    return statement.callbacks, f"开封以前登记了{signed}人" if signed else "没有回访"


def _counts_by_domain(
    statement: Statement,
    rows: Sequence[TableRow],
    members: Mapping[str, Sequence[str]],
    leaves: LeafList,
    voids: Voids,
) -> tuple[bool, str]:
    """Every row counts exactly its leaves that are not excluded; voided domains count nothing."""
    for index, domain in enumerate(leaves.domains):
        if (domain in voids.domains) != (statement.excluded.get(index) == "X2"):
            raise FieldRefusedError(
                "statement.json", "excluded", f"第{index}份（{domain}）的X2与作废文件不符"
            )
    counted = Counter(d for i, d in enumerate(leaves.domains) if i not in statement.excluded)
    for row in rows:
        expected = sum(counted[domain] for domain in members[row.domain])
        if row.n != expected:
            raise FieldRefusedError("table.json", f"{row.domain}.n", f"写的是{row.n}，清单里是{expected}")
    return True, "每一行的计入数都等于清单里没有被排除的答卷数"


def _counts_stated(
    statement: Statement, plan: SignedPlan, slips: SlipList, leaves: LeafList
) -> tuple[bool, str]:
    """The statement's counts, domain by domain, are those of plan, slips and leaves.

    Slips held above the bureau and the canaries sent with them were nobody's (TRUST section 10),
    so neither is counted among what people were given and used; a spare slip was nobody's either,
    unless more answered than were drawn.
    """
    canaries = Counter(leaves.domains[i] for i, reason in statement.excluded.items() if reason == "X1")
    counted = Counter(d for i, d in enumerate(leaves.domains) if i not in statement.excluded)
    arrived = Counter(leaves.domains)
    listed: set[str] = set()
    for entry in Fields("statement.json", statement.document).objects("counts"):
        entry.only(("domain", *COUNTS), LATER)
        name = entry.text("domain")
        if name not in plan.domains or name in listed:
            raise entry.refuse("domain", "方案里没有这个域，或者写了两次")
        listed.add(name)
        domain = plan.domains[name]
        used = arrived[name] - canaries[name]
        expected = {"counted": counted[name], "eligible": domain.eligible, "used": used}
        if domain.mode == "slip":
            expected |= _of_slips(domain, slips, used, plan.spares if "spares" in entry.values else None)
        elif "spares" in entry.values:
            expected["spares"] = 0
        for key, value in expected.items():
            if entry.count(key) != value:
                raise entry.refuse(key, f"{name}写的是{entry.values[key]}，按清单是{value}")
        telephone = entry.count("telephone") if "telephone" in entry.values else 0
        if entry.count("paper") > used:
            raise entry.refuse("paper", f"{name}的纸质份数多于使用数")
        if entry.count("paper") + telephone > used:
            raise entry.refuse("telephone", f"{name}的纸质和电话份数合起来多于使用数")
    if missing := sorted(name for name, one in plan.domains.items() if one.eligible and name not in listed):
        raise FieldRefusedError("statement.json", "counts", f"缺少域{missing[0]}")
    return True, f"{len(listed)}个域的发出、使用、作废、声明未填和计入，都与清单一致"


def _of_slips(domain: PlanDomain, slips: SlipList, used: int, spares: int | None) -> dict[str, int]:
    """What the slips of a domain say; without `spares` all that were made count as issued."""
    name, held = domain.domain, domain.more.get("held", 0)
    voided = slips.voided[name]
    given = slips.issued[name] - (held if isinstance(held, int) else 0)
    made = max(given, used + voided)
    told = {"disputed": slips.disputed[name], "slips": made, "voided": voided}
    if spares is None:
        return told
    issued = max(made - (spares if given > spares else 0), used)
    return {**told, "slips": issued, "spares": made - issued}
