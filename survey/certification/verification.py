"""Whether a certificate or a public bundle holds, claim by claim, on an offline laptop.

Bytes enter, a `Verdict` leaves: always, whatever the bytes are. Exit code 0 means that all
that can be checked holds, 1 that something is false (file and field are named), 2 that the
file is none of ours. The verifier cannot know who *should* have signed: it prints the
fingerprints of those who did, and checks them against keys the reader trusts when given.
Standard library only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from survey.certification import checks
from survey.certification.archive import looks_like_archive, unpack
from survey.certification.bundle_claims import check_bundle
from survey.certification.bundle_reader import BundleOptions
from survey.certification.certificate import CERTIFICATE, take_apart
from survey.certification.claims import Claim, Ledger, Verdict
from survey.certification.core_claims import Papers, check_core
from survey.certification.fields import FieldRefusedError
from survey.certification.note import parse_vkey
from survey.errors import SurveyError

MAX_FILE = 1024 * 1024 * 1024


def verify_file(
    data: bytes,
    trusted_vkeys: Iterable[str] | None = None,
    *,
    plan_code: str | None = None,
    receipts: Mapping[str, str] | None = None,
    check_all: bool = False,
    progress: Callable[[int, int, str], None] | None = None,
) -> Verdict:
    """The verdict on a certificate (JSON) or a public bundle (ZIP).

    Args:
        data: the whole file.
        trusted_vkeys: keys of operator and approver that the reader believes, if any.
        plan_code: the code printed on a poster or slip, if the reader holds one.
        receipts: name → receipt, to be looked for in a bundle.
        check_all: check the signature of every head in a bundle, not of a sample.
        progress: told before each part of a bundle how many are done, of how many, and which begins.
    """
    try:
        trusted = None if trusted_vkeys is None else tuple(map(parse_vkey, trusted_vkeys))
        options = BundleOptions(trusted, plan_code, dict(receipts or {}), check_all, progress)
        if len(data) > MAX_FILE:
            return _unreadable("文件过大")
        if looks_like_archive(data):
            members, faults = unpack(data)
            return check_bundle(members, faults, options)
        return verify_certificate(data, options)
    except FieldRefusedError as error:
        if error.field in ("", "type"):
            return _unreadable(error.reason)
        return Verdict((Claim("证书的写法", False, error.reason, error.file, error.field),), "certificate")
    except SurveyError as error:
        return _unreadable(error.reason)
    except (RecursionError, MemoryError):
        return _unreadable("文件的结构过深或过大")


def verify_bundle(members: Mapping[str, bytes], options: BundleOptions | None = None) -> Verdict:
    """The verdict on the files of a bundle that has been unpacked."""
    return check_bundle(dict(members), [], options or BundleOptions())


def verify_certificate(data: bytes, options: BundleOptions | None = None) -> Verdict:
    """The verdict on a certificate.

    Raises:
        NotCanonicalError, FieldRefusedError: the file is no certificate at all.
    """
    options = options or BundleOptions()
    parts = take_apart(data)
    ledger = Ledger(within=CERTIFICATE)
    papers = Papers(
        parts.plan, parts.plan_note, parts.statement, parts.statement_note, parts.table, parts.closing_note
    )
    core = check_core(ledger, papers, options.trusted, options.plan_code)
    facts = core.facts
    if core.plan is None or core.statement is None:
        ledger.write("登记", None, "前面有一项不成立，无从核对", CERTIFICATE, "registry")
    elif core.plan.registry is None:
        if parts.registry is not None:
            ledger.write("登记", False, "方案没有登记公钥，却带了登记证明", CERTIFICATE, "registry")
        else:
            ledger.write("登记", None, "方案没有指定登记日志", CERTIFICATE)
    elif parts.registry is None:
        ledger.write("登记", False, "缺少登记证明", CERTIFICATE, "registry")
    else:
        papers_of = (parts.registry, core.plan, core.statement)
        facts["number"] = ledger.check("登记", "registry.json", checks.registered, *papers_of)
    ledger.write("答卷和填写码清单", None, "不在证书里，请用同一次调查的公开证据包核对")
    ledger.write_limits()
    return Verdict(tuple(ledger.claims), "certificate", facts)


def _unreadable(reason: str) -> Verdict:
    return Verdict((Claim("文件", False, f"读不懂：{reason}"),))
