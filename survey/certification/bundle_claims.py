"""The claims of a public bundle: what the certificate claims, and the lists behind it.

The files of a bundle enter by name; a `Verdict` leaves. Each file that is not read by some
claim is refused, so nothing rides along unseen. Standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from survey import canonical
from survey.certification import checks
from survey.certification.bundle import OPTIONAL, PINNED_BY_PLAN, PINNED_BY_STATEMENT, REQUIRED, numbered
from survey.certification.bundle_lists import LEAVES, LeafList
from survey.certification.bundle_reader import BundleOptions, BundleReader
from survey.certification.claims import Ledger, Verdict
from survey.certification.closing import read_extension
from survey.certification.closing_claims import check_opening, check_registry
from survey.certification.core_claims import Core, Papers, check_core
from survey.certification.count_claims import check_callbacks, check_counts
from survey.certification.fields import FieldRefusedError
from survey.certification.list_claims import check_lists
from survey.certification.receipt import check_receipt, parse_receipt
from survey.certification.record_claims import check_records, is_auditors
from survey.certification.revocation import REVOCATION, Revocation, read_revocation
from survey.certification.signed_plan import SignedPlan
from survey.certification.statement import Statement
from survey.certification.transparency_log import MerkleTree


def check_bundle(
    files: dict[str, bytes], faults: Sequence[tuple[str, str]], options: BundleOptions
) -> Verdict:
    """Every claim about the files of a bundle.

    Args:
        files: contents by name.
        faults: what is wrong with the ZIP itself, by file name (see `archive.unpack`).
    """
    ledger = Ledger()
    for name, reason in faults:
        ledger.write("压缩包原样", False, reason, name or "ZIP")
    if not faults:
        ledger.write("压缩包原样", True, f"{len(files)}个文件，逐字节符合")
    if missing := [name for name in REQUIRED if name not in files]:
        ledger.write("文件齐全", False, "缺少" + "、".join(missing), missing[0])
    else:
        ledger.write("文件齐全", True, "该有的都有")
    options.begin("方案、声明和签名")
    reader = BundleReader(ledger, files)
    papers = Papers(
        reader.document("plan.json"),
        reader.note("plan.note"),
        reader.document("statement.json"),
        reader.note("statement.note"),
        reader.document("table.json"),
        reader.note("closing.note"),
    )
    core = check_core(ledger, papers, options.trusted, options.plan_code)
    options.begin("填写码和答卷清单")
    slips, leaves = check_lists(ledger, reader, core, options)
    options.begin("结束和开箱")
    closing, voids, opening = check_opening(ledger, reader, core)
    options.begin("计数")
    check_counts(ledger, core, slips, leaves, voids)
    check_callbacks(ledger, core, reader.document("opening.json"))
    _check_pinned(ledger, reader, core)
    facts = core.facts
    options.begin("登记")
    extensions = _check_extensions(ledger, reader, core.plan)
    facts["number"] = check_registry(ledger, reader, core, closing, voids, opening, extensions)
    _check_revocation(ledger, reader, core)
    options.begin("附件")
    _check_attachments(ledger, reader, core)
    options.begin("回执")
    _check_receipts(ledger, core, leaves, options.receipts)
    if is_auditors(reader):
        options.begin("逐份答卷")
        check_records(ledger, reader, core, leaves)
    for name in reader.unread():
        ledger.write("多余的文件", False, "方案和声明都没有提到这个文件", name)
    ledger.write_limits(opened=is_auditors(reader))
    return Verdict(tuple(ledger.claims), "bundle", facts)


def _check_pinned(ledger: Ledger, reader: BundleReader, core: Core) -> None:
    """Documents that plan or statement name by digest."""
    pinned = [
        ("instrument.json", "instrument_digest", core.plan, "方案"),
        *((name, key, core.plan, "方案") for name, key in PINNED_BY_PLAN.items()),
        *((name, key, core.statement, "声明") for name, key in PINNED_BY_STATEMENT.items()),
    ]
    for name, key, owner, source in pinned:
        if name in reader:
            data = reader.raw(name) or b""
            claim = "问卷" if name == "instrument.json" else name
            ledger.check(claim, name, _pinned, data, owner, key, name, source)
    _check_design(ledger, reader, core.plan)


def _pinned(data: bytes, owner: SignedPlan | Statement, key: str, name: str, source: str) -> tuple[bool, str]:
    """Refuses a file whose SHA-256 is not what plan or statement says under `key`."""
    if canonical.sha256_hex(data) != owner.document.get(key):
        raise FieldRefusedError(name, "", f"与{source}里的摘要不一致，被改过")
    return True, f"与{source}里的摘要一致"


def _check_design(ledger: Ledger, reader: BundleReader, plan: SignedPlan | None) -> None:
    """The sampling design, by its digest in the plan and, where it was signed, by its note."""
    if "design.json" not in reader:
        return
    data, name = reader.raw("design.json") or b"", "design.note"
    ledger.check("抽样设计", "design.json", _pinned, data, plan, "design_digest", "design.json", "方案")
    if name in reader:
        digest, note = canonical.sha256_hex(data), reader.note(name)
        ledger.check("抽样设计由两人签名", name, checks.signed_by_the_two, note, plan, "design", digest, name)


def _check_extensions(ledger: Ledger, reader: BundleReader, plan: SignedPlan | None) -> tuple[str, ...]:
    """The digests of all later closing dates, each signed by the two and later than the one before."""
    last, number = str(plan.document.get("closes_on")) if plan is not None else "", 1
    digests: list[str] = []
    while (name := f"{numbered('extension', number)}.json") in reader:
        document, note_name = reader.document(name), name.replace(".json", ".note")
        digest, note = canonical.sha256_hex(reader.raw(name) or b""), reader.note(note_name)
        found = ledger.check("延期", name, _extended, document, plan, last, name)
        ledger.check(
            "延期由两人签名", note_name, checks.signed_by_the_two, note, plan, "extension", digest, note_name
        )
        digests.append(digest)
        last, number = found or last, number + 1
    return tuple(digests)


def _extended(document: Any, plan: SignedPlan, last: str, name: str) -> tuple[str, str]:
    closes_on = read_extension(document, plan.wave, plan.digest, last, name)
    return closes_on, f"截止日推迟到{closes_on}"


def _check_revocation(ledger: Ledger, reader: BundleReader, core: Core) -> None:
    note = reader.note("revocation.note") if "revocation.note" in reader else None
    found = None
    if note is not None:
        found = ledger.check("撤回书", REVOCATION, _revoked, note, core.plan)
    if found is not None and core.statement is not None and found.digest == core.statement.digest:
        ledger.write("撤回", False, f"这份声明已经撤回：{found.reason}", REVOCATION)
    elif found is not None:
        ledger.write("撤回", False, "撤回的是另一份声明", REVOCATION)


def _revoked(note: str, plan: SignedPlan) -> tuple[Revocation, str]:
    return read_revocation(note, plan), "由两人签名"


def _check_attachments(ledger: Ledger, reader: BundleReader, core: Core) -> None:
    statement: Statement | None = core.statement
    for name, digest in (statement.attachments if statement else {}).items():
        if name in REQUIRED or name in OPTIONAL:
            ledger.write("附件", False, "这个名字不能作附件", "statement.json", f"attachments.{name}")
        elif (data := reader.raw(name)) is None:
            ledger.write("附件", False, "声明里列了，包里没有", name)
        elif canonical.sha256_hex(data) != digest:
            ledger.write("附件", False, "与声明里的摘要不一致，被改过", name)
        else:
            ledger.write("附件", True, f"{name}与声明里的摘要一致", name)


def _check_receipts(ledger: Ledger, core: Core, leaves: LeafList | None, receipts: Mapping[str, str]) -> None:
    if not receipts:
        return
    ledger.check("回执", LEAVES, receipts_fit, core.plan, leaves, receipts)


def receipts_fit(plan: SignedPlan, leaves: LeafList, receipts: Mapping[str, str]) -> tuple[bool, str]:
    """Refuses the first receipt, by name, that the final list does not honour."""
    tree = MerkleTree.of_leaves(leaves.leaves)
    for name, text in receipts.items():
        if not check_receipt(parse_receipt(text), leaves.leaves, tree, plan.log).holds:
            raise FieldRefusedError(name, "", "这份回执与最终清单不符")
    return True, f"{len(receipts)}份回执都在最终清单里"
