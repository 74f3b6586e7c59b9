"""The certificate as a page: what was found, how surely, and what it does not prove.

A certificate file and the imprint of its wave enter; one A4 page leaves. The sheet is a view
of the file: every number, digest and name on it is read from there, and its code leads to
the page where the file itself is checked. Nothing is verified here, and a page proves nothing.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from survey.certification.certificate import CertificateParts, take_apart
from survey.certification.proof_table import NOT_PROVEN
from survey.certification.signed_plan import SignedPlan, read_plan
from survey.certification.statement import Statement, read_statement, short_code
from survey.certification.transparency_log import parse_checkpoint
from survey.documents.imprint import Imprint, grouped
from survey.documents.pdf import pages
from survey.documents.qr import printed_link, qr_svg
from survey.exact import percent_text

CLASSES = {
    "A": "甲类（A）：一次性填写码",
    "B": "乙类（B）：按名额的海报",
    "C": "丙类（C）：开放海报，自愿填答",
}
MODES = {"slip": "抽中的人凭一次性填写码填答", "quota": "按名额扫码填答", "open": "公开链接，自愿填答"}
ESTIMATORS = {
    "weighted-ratio/v1": "各类人员加权满意率按份额合成",
    "weighted-parts/v1": "各类人员各题加权得分按份额合成",
    "full-body/v1": "满意人数除以全体人数",
    "stratified-mean/v1": "分层满意率按人数合成",
}
NO_LINE_FOR = "C"
FINGERPRINT = 39
"""Signs of a key's fingerprint on paper: 128 bits in groups of four."""


@dataclass(frozen=True)
class CertificateSheet:
    """Everything printed on the sheet, as text."""

    place: str
    title: str
    wave: str
    period: str
    number: str
    figure_name: str
    figure: str
    interval: tuple[str, str] | None
    n_valid: str
    evidence_class: str
    class_sentence: str
    requirement: str
    reading: str
    selection: str
    formula: str
    method_version: str
    sentences: tuple[str, ...]
    digests: tuple[tuple[str, str], ...]
    log: tuple[tuple[str, str], ...]
    signers: tuple[tuple[str, str], ...]
    short_code: str
    link: str
    office: str
    telephone: str
    plan_code: str
    must_say: str
    demonstration: bool


def certificate_sheet(sheet: CertificateSheet, *, at: datetime) -> bytes:
    """The PDF of one certificate, a single A4 page."""
    data = {
        **asdict(sheet),
        "svg": qr_svg(sheet.link),
        "link": printed_link(sheet.link),
        "typed": sheet.link.partition("://")[2],
        "not_proven": NOT_PROVEN,
    }
    return pages("certificate", data, title=f"{sheet.place}{sheet.title}　结果证书", at=at)


def sheet_of(certificate: bytes, imprint: Imprint) -> CertificateSheet:
    """What the sheet of a certificate file says.

    Raises:
        NotCanonicalError, FieldRefusedError: not a certificate.
    """
    parts = take_apart(certificate)
    plan, statement = read_plan(parts.plan), read_statement(parts.statement)
    more = statement.document
    found = str(more.get("evidence_class") or _weakest_class(plan))
    number, registry = _registry(parts)
    return CertificateSheet(
        place=imprint.county,
        title=plan.title.removeprefix(imprint.county),
        wave=plan.wave,
        period=_period(plan),
        number=number,
        figure_name=str(more.get("figure_name") or "满意度"),
        figure=percent_text(statement.shown),
        interval=_interval(statement),
        n_valid=str(more.get("n") or sum(_column(parts, "n"))),
        evidence_class=CLASSES.get(found, found),
        class_sentence=_class_sentence(found, more),
        requirement="" if found == NO_LINE_FOR else _requirement(plan),
        reading="" if found == NO_LINE_FOR else _reading(plan, statement),
        selection="；".join(MODES[mode] for mode in MODES if mode in _modes(plan)),
        formula=str(more.get("formula") or ESTIMATORS.get(plan.estimator, plan.estimator)),
        method_version=str(more.get("method_version") or plan.document.get("method_version") or ""),
        sentences=(*_instead_of(statement), *(str(entry["text"]) for entry in more.get("sentences") or ())),
        digests=_digests(plan, statement),
        log=(("填答日志", f"{statement.size}份，根 {grouped(statement.root)}"), *registry),
        signers=tuple(
            (role, f"{key.name}　{key.fingerprint[:FINGERPRINT]}")
            for role, key in [
                ("经办", plan.operator),
                ("签发", plan.approver),
                *(("核查", other) for other in plan.others if more.get("level") == "audited"),
            ]
        ),
        short_code=statement.short_code,
        link=imprint.link(f"/v/{statement.short_code.replace('-', '')}"),
        office=imprint.office,
        telephone=imprint.telephone,
        plan_code=plan.code,
        must_say=imprint.must_say,
        demonstration=imprint.demonstration or plan.document.get("demonstration") is True,
    )


def _instead_of(statement: Statement) -> tuple[str, ...]:
    """That this certificate replaces another, and why: said first, as it is on the verify page."""
    if statement.supersedes is None:
        return ()
    reason = str(statement.document.get("reason") or "没有写")
    return (f"本证书代替验证码 {short_code(statement.supersedes)} 的证书，理由：{reason}。",)


def _modes(plan: SignedPlan) -> set[str]:
    return {domain.mode for domain in plan.domains.values() if domain.eligible or domain.mode == "open"}


def _weakest_class(plan: SignedPlan) -> str:
    return max((domain.evidence_class for domain in plan.domains.values() if domain.eligible), default="C")


def _period(plan: SignedPlan) -> str:
    opens, closes = plan.document.get("opens_on"), plan.document.get("closes_on")
    return f"{opens} 至 {closes}" if opens and closes else ""


def _column(parts: CertificateParts, key: str) -> list[int]:
    return [int(row[key]) for row in parts.table]


def _interval(statement: Statement) -> tuple[str, str] | None:
    found = statement.document.get("interval")
    return (percent_text(found["lower"]), percent_text(found["upper"])) if found else None


def _class_sentence(found: str, more: Any) -> str:
    if found == "B":
        return "按名额控制，不能排除一人多填"
    if found == "C":
        return "开放式自愿填答，不是概率样本，不能排除重复与代填"
    issued, used, disputed = _totals(more.get("counts"))
    counts = f"；发出{issued}，使用{used}，声明未填{disputed}" if issued is not None else ""
    for key, name in (("paper", "纸质录入"), ("telephone", "电话录入")):
        entered = sum(int(row.get(key, 0)) for row in _rows(more.get("counts")))
        counts += f"，{name}{entered}" if issued is not None and entered else ""
    return f"每份答卷对应一张一次性填写码{counts}"


def _totals(counts: Any) -> tuple[int | None, int, int]:
    """Slips issued, used and disputed, from counts in all or counts by domain."""
    rows = _rows(counts)
    if not any("slips" in row or "issued" in row for row in rows):
        return None, 0, 0
    issued = sum(int(row.get("slips", row.get("issued", 0))) for row in rows)
    return (
        issued,
        sum(int(row.get("used", 0)) for row in rows),
        sum(int(row.get("disputed", 0)) for row in rows),
    )


def _rows(counts: Any) -> list[dict[str, Any]]:
    rows = counts if isinstance(counts, list) else [counts]
    return [row for row in rows if isinstance(row, dict)]


def _requirement(plan: SignedPlan) -> str:
    if plan.threshold_text is None:
        return "没有规定要求线"
    shown = percent_text(plan.threshold_text)
    return f"高于{shown}（正好{shown}不算）" if "above" in plan.decision else f"{shown}以上（含{shown}）"


def _reading(plan: SignedPlan, statement: Statement) -> str:
    if plan.threshold_text is None:
        return ""
    said = {True: "达到", False: "没有达到", None: "不作判断"}[statement.reached]
    # Whoever cites the sheet cites this line: an interval across the line is said here, not below alone.
    return f"{said}（区间跨过要求线）" if "S6" in (statement.sentences or ()) and statement.reached is not None else said


def _digests(plan: SignedPlan, statement: Statement) -> tuple[tuple[str, str], ...]:
    named = (
        ("结果声明", statement.digest),
        ("计划", plan.digest),
        ("学校名册", plan.document.get("frame_digest")),
        ("问卷", plan.instrument_digest),
        ("结果表", statement.table_digest),
        ("答卷文件", statement.document.get("case_file_digest")),
    )
    return tuple((name, grouped(str(digest))) for name, digest in named if digest)


def _registry(parts: CertificateParts) -> tuple[str, tuple[tuple[str, str], ...]]:
    if parts.registry is None:
        return "", ()
    index = parts.registry.count("index")
    head = parse_checkpoint(parts.registry.text("head").rpartition("\n\n")[0] + "\n")
    return str(index), (("登记日志", f"第{index}号，登记时共{head.size}条"),)
