"""What an auditor's bundle adds to the public one: every commitment opened, offline.

Records with their salts enter beside the public lists; one claim a file leaves. Whether the
canaries came back as sent, and whether seed and weights give sample and table again, needs the
auditor's own list and the product: `survey audit` says that. Standard library only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from survey import canonical
from survey.certification.bundle_lists import LeafList
from survey.certification.bundle_reader import BundleReader
from survey.certification.claims import Ledger
from survey.certification.core_claims import Core
from survey.certification.fields import FieldRefusedError, Fields
from survey.certification.sealing import commitment, read_leaf
from survey.certification.signed_plan import SignedPlan
from survey.errors import SurveyError

CONFIDENTIAL = "confidential.json"
CONFIDENTIAL_TYPE = "survey/confidential/v1"
RECORDS = "records.jsonl"
WAVE_PLAN = "wave_plan.json"
ONLY_FOR_AUDITORS = (CONFIDENTIAL, RECORDS, WAVE_PLAN)


def is_auditors(reader: BundleReader) -> bool:
    """Whether the bundle carries records: it is then not for the public."""
    return RECORDS in reader


def check_records(ledger: Ledger, reader: BundleReader, core: Core, leaves: LeafList | None) -> None:
    """Write the claims about what only an auditor sees."""
    if missing := [name for name in ONLY_FOR_AUDITORS if name not in reader]:
        ledger.write("核查包齐全", False, "缺少" + "、".join(missing), missing[0])
    listed = None if leaves is None else leaves.leaves
    ledger.check("承诺", RECORDS, commitments_open, reader.raw(RECORDS), listed)
    ledger.check("核查包", CONFIDENTIAL, _of_this_wave, reader.document(CONFIDENTIAL), core.plan)
    sample, plan = reader.document("sample.json"), reader.raw(WAVE_PLAN)
    ledger.check("抽样时的计划", WAVE_PLAN, _drawn_from, plan, sample)
    ledger.write("核对答卷", None, "要带着清单，用 survey audit 核对")
    ledger.write("抽样和加权重演", None, "要用 survey audit 重抽、重算")


def commitments_open(data: bytes, leaves: Sequence[bytes]) -> tuple[dict[str, dict[str, Any]], str]:
    """Every record by its commitment, once all open and are the leaves' own.

    Raises:
        FieldRefusedError: a line that does not open its commitment, a record of another domain
            than its leaf, records missing or too many.
    """
    domain_of = {leaf["c"]: leaf["domain"] for leaf in map(read_leaf, leaves)}
    records: dict[str, dict[str, Any]] = {}
    for number, line in enumerate(data.split(b"\n")[:-1], 1):
        try:
            entry = canonical.decode(line, 2 * canonical.MAX_RECORD_BYTES)
            salt, record = bytes.fromhex(entry["salt"]), entry["record"].encode()
            opens = commitment(salt, record).hex() == entry["c"] and entry.keys() == {"c", "record", "salt"}
            opens = opens and entry["salt"] == salt.hex() and entry["c"] not in records
            value = canonical.decode(record, canonical.MAX_RECORD_BYTES)
        except (KeyError, TypeError, ValueError, AttributeError, SurveyError):
            opens, value = False, None
        if not opens or not isinstance(value, dict):
            raise FieldRefusedError(RECORDS, f"第{number}行", "打不开承诺，内容被改过或盐不对")
        if entry["c"] not in domain_of or value.get("domain") != domain_of[entry["c"]]:
            raise FieldRefusedError(RECORDS, f"第{number}行", "日志里没有这一份，或者域不同")
        records[entry["c"]] = value
    if len(records) != len(domain_of) or not data.endswith(b"\n") and data:
        raise FieldRefusedError(RECORDS, "", f"有{len(records)}份，日志里是{len(domain_of)}份")
    if list(records) != sorted(records):
        raise FieldRefusedError(RECORDS, "", "没有按承诺排序")
    return records, f"{len(records)}/{len(domain_of)}份全部打开，内容与收下时一致"


def _of_this_wave(document: Any, plan: SignedPlan) -> tuple[bool, str]:
    fields = Fields.of(CONFIDENTIAL, document)
    fields.only(("method_version", "software", "type", "wave"))
    fields.constant("type", CONFIDENTIAL_TYPE)
    fields.constant("wave", plan.wave)
    if plan.document.get("method_version") not in (None, fields.text("method_version")):
        raise fields.refuse("method_version", "不是方案里的算法版本")
    return True, f"算法第{fields.text('method_version')}版，程序{fields.text('software')}"


def _drawn_from(data: bytes, sample: Any) -> tuple[bool, str]:
    if canonical.sha256_hex(data) != Fields.of("sample.json", sample).text("plan_digest"):
        raise FieldRefusedError(WAVE_PLAN, "", "不是抽样时的计划，与样本里的摘要不一致")
    return True, "与样本里的摘要一致"
