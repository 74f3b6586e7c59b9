"""The statement: one figure, what it rests on, and in plain words what it does not prove.

Digests, counts and the exact figure enter; one canonical object leaves, which the two sign.
The sentences S1–S11 of TRUST section 11 are chosen from the facts, not written by hand; a
verifier demands every one that follows from plan and statement. Standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from survey import canonical, exact
from survey.certification.crockford import encode_signs, in_groups
from survey.certification.fields import Fields
from survey.certification.signed_plan import SignedPlan

STATEMENT_TYPE = "survey/statement/v1"
REQUIRED = (
    "excluded",
    "figure",
    "intake",
    "plan_digest",
    "reached",
    "supersedes",
    "table_digest",
    "threshold",
    "type",
    "wave",
)
KNOWN = (
    *("attachments", "by_class", "callbacks", "case_file_digest", "closing_digest", "counts"),
    *("demonstration", "effective_n", "evidence_class", "figure_name", "flags", "formula"),
    *("instrument_digest", "interval", "issued_on", "level", "method_version", "n"),
    *("pooled", "proves", "reason", "response_rate_2", "results_digest", "sentences", "standard_error"),
    *("verifier_digest", "without_flagged", "worst_case"),
)
LEVELS = ("public", "audited")
SENTENCES = {
    "S1": "答卷在采集期间没有封存，系统管理员可以读到。",
    "S2": "部分答卷按名额控制，不能排除一人多填。",
    "S3": "部分答卷为开放式自愿填答，不是概率样本，不能排除重复与代填。",
    "S4": "全部密钥在同一台机器上生成和使用，本结果为演示。",
    "S5": "没有上级核查人复核答卷内容。",
    "S6": "置信区间跨过要求线，换一次抽样结论可能不同。",
    "S7": "有的学校在开封前被整体作废，原因见作废记录。",
    "S8": "抽样种子由承办单位自行选定。",
    "S9": "结果与要求线过于接近，不作达到与否的判断。",
    "S10": "所记时间由承办单位自报，没有第三方时间戳。",
    "S11": "数据库保留变更历史，截止前数据库管理员可能对应填写码与答卷。",
}


@dataclass(frozen=True)
class Statement:
    """A statement that has been read: typed, with its digest."""

    document: Mapping[str, Any]
    digest: str
    wave: str
    plan_digest: str
    table_digest: str
    figure: Fraction
    shown: str
    reached: bool | None
    threshold: str | None
    root: str
    size: int
    excluded: Mapping[int, str]
    """Leaf index → X1, X2 or X3."""
    pooled: Mapping[str, tuple[str, ...]]
    """Row of the table → its domains, for rows that are not themselves a domain."""
    callbacks: int
    supersedes: str | None
    sentences: tuple[str, ...] | None
    interval: tuple[Fraction, Fraction] | None
    attachments: Mapping[str, str]
    unknown: tuple[str, ...]

    @property
    def short_code(self) -> str:
        """The 12 signs that are typed at the verify page."""
        return short_code(self.digest)


def short_code(digest: str) -> str:
    """The first 60 bits of a statement digest as 12 Crockford signs, 4-4-4.

    >>> short_code("360175a05b2bba7b4ff2ac67cca91c86f210d3980cf791cdfc4552b96fd601d1")
    '6R0Q-B82V-5EX7'
    """
    return in_groups(encode_signs(bytes.fromhex(digest), 12))


def build_statement(
    *,
    plan: SignedPlan,
    root: str,
    size: int,
    excluded: Sequence[tuple[int, str]],
    table_digest: str,
    figure: Fraction,
    reached: bool | None,
    supersedes: str | None = None,
    **more: Any,
) -> dict[str, Any]:
    """The statement document, checked as a verifier will check it.

    Args:
        plan: the plan as signed.
        root, size: the final head of the log, the root in hexadecimal.
        excluded: (leaf index, X1 | X2 | X3), each index once.
        table_digest: SHA-256 of the canonical table.
        figure: exact; it is written in lowest terms and shown cut to four decimals.
        reached: what `table.decide` says.
        more: further keys of TRUST section 11, such as `counts` or `interval`.

    Raises:
        FieldRefusedError: what would not verify, by field.
    """
    document = {
        "excluded": [{"index": index, "reason": reason} for index, reason in sorted(excluded)],
        "figure": figure_document(figure),
        "intake": {"root": root, "size": size},
        "plan_digest": plan.digest,
        "reached": reached,
        "supersedes": supersedes,
        "table_digest": table_digest,
        "threshold": plan.threshold_text,
        "type": STATEMENT_TYPE,
        "wave": plan.wave,
        **more,
    }
    read_statement(document)
    return document


def figure_document(figure: Fraction) -> dict[str, str]:
    """Numerator and denominator in lowest terms, and the share cut to four decimals."""
    return {
        "denominator": exact.integer_text(figure.denominator),
        "numerator": exact.integer_text(figure.numerator),
        "shown": exact.truncate(figure),
    }


def read_statement(document: Any, file: str = "statement.json") -> Statement:
    """The statement in a document.

    Raises:
        FieldRefusedError: a field missing or malformed, a fraction not in lowest terms, a
            shown figure that is not the fraction cut off, exclusions out of order.
    """
    fields = Fields.of(file, document)
    for key in REQUIRED:
        fields.value(key)
    fields.constant("type", STATEMENT_TYPE)
    if "level" in document:
        fields.one_of("level", LEVELS)
    intake = fields.object("intake")
    intake.only(("root", "size"))
    if document["reached"] is not None:
        fields.flag("reached")
    if document["threshold"] is not None:
        fields.fraction("threshold")
    size = intake.count("size")
    return Statement(
        document=document,
        digest=canonical.digest(document),
        wave=fields.text("wave"),
        plan_digest=fields.digest("plan_digest"),
        table_digest=fields.digest("table_digest"),
        figure=_read_figure(fields.object("figure")),
        shown=document["figure"]["shown"],
        reached=document["reached"],
        threshold=document["threshold"],
        root=intake.digest("root"),
        size=size,
        excluded=_read_excluded(fields, size),
        pooled=_read_pooled(fields) if "pooled" in document else {},
        callbacks=fields.count("callbacks") if "callbacks" in document else 0,
        supersedes=None if document["supersedes"] is None else fields.digest("supersedes"),
        sentences=_read_sentences(fields) if "sentences" in document else None,
        interval=_read_interval(fields.object("interval")) if document.get("interval") else None,
        attachments=_read_attachments(fields.object("attachments")) if "attachments" in document else {},
        unknown=tuple(sorted(set(document) - set(REQUIRED) - set(KNOWN))),
    )


def _read_figure(fields: Fields) -> Fraction:
    fields.only(("denominator", "numerator", "shown"))
    figure = fields.fraction("numerator") / (fields.fraction("denominator") or 1)
    if not 0 <= figure <= 1 or figure_document(figure) != dict(fields.values):
        raise fields.refuse("", "分数没有约到最简，或者显示的数不是它的截取")
    return figure


def _read_excluded(fields: Fields, size: int) -> dict[int, str]:
    excluded: dict[int, str] = {}
    last = -1
    for entry in fields.objects("excluded"):
        entry.only(("index", "reason"))
        index = entry.count("index", 0, size - 1 if size else 0)
        if index <= last or index >= size:
            raise entry.refuse("index", "没有按序号排列，或者有重复")
        excluded[index] = entry.text("reason")
        last = index
    return excluded


def _read_pooled(fields: Fields) -> dict[str, tuple[str, ...]]:
    pooled = fields.object("pooled")
    return {name: pooled.texts(name) for name in pooled.values}


def _read_sentences(fields: Fields) -> tuple[str, ...]:
    codes = []
    for entry in fields.objects("sentences"):
        entry.only(("code", "text"))
        codes.append(entry.one_of("code", SENTENCES))
        entry.constant("text", SENTENCES[codes[-1]])
    return tuple(codes)


def _read_interval(fields: Fields) -> tuple[Fraction, Fraction]:
    return fields.fraction("lower"), fields.fraction("upper")


def _read_attachments(fields: Fields) -> dict[str, str]:
    return {name: fields.digest(name) for name in fields.values}


def sentences(codes: Sequence[str]) -> list[dict[str, str]]:
    """The sentences as the statement carries them, in their order."""
    return [{"code": code, "text": SENTENCES[code]} for code in SENTENCES if code in codes]


def required_sentences(plan: SignedPlan, statement: Statement) -> tuple[str, ...]:
    """The codes that follow from plan and statement and may not be left out."""
    modes = {domain.mode for domain in plan.domains.values() if domain.eligible}
    crosses = (
        statement.interval is not None
        and plan.threshold is not None
        and statement.interval[0] < plan.threshold <= statement.interval[1]
    )
    facts = {
        "S1": plan.document["box_key"] is None,
        "S2": "quota" in modes,
        "S3": "open" in modes,
        "S4": plan.document.get("demonstration") is True,
        "S5": statement.document.get("level") == "public",
        "S6": crosses,
        "S7": "X2" in statement.excluded.values(),
        "S8": "seed" in plan.document and plan.document.get("public_draw") is None,
    }
    return tuple(code for code, holds in facts.items() if holds)
