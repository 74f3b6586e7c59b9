"""Put the figure into words that are signed: the statement of an estimated wave.

Results, the signed plan and the closing enter; the statement document leaves. The figure is
computed a second time by the verifier's own code from the table alone, and every sentence
follows from facts. Nothing is stored and nothing is signed here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from survey import canonical
from survey.certification.proof_table import proof_document
from survey.certification.signed_plan import SignedPlan
from survey.certification.statement import (
    build_statement,
    read_statement,
    required_sentences,
    sentences,
)
from survey.certification.table import TableRow, decide, figure_of, members_of, read_table
from survey.certification.zipapp_verifier import build_zipapp
from survey.errors import SurveyError
from survey.estimation.results import Results
from survey.exact import truncate


class FigureMovedError(SurveyError):
    """The figure computed now is not the one that was estimated and looked at."""

    code = "certify.figure_moved"
    kind = "conflict"

    def __init__(self, wave: str) -> None:
        super().__init__(
            f"调查 {wave}",
            "现在算出来的和上次计算时看到的不一样",
            f"先运行 survey estimate {wave}，看过再认证",
        )


@dataclass(frozen=True)
class Issue:
    """What distinguishes one statement of a wave from another."""

    on: date
    supersedes: str | None = None
    reason: str | None = None
    level: str = "public"
    keeps_history: bool = False
    """Whether the database keeps a history of changes (S11)."""
    time_stamped: bool = False
    """Whether a third party stamped the papers; otherwise times are the bureau's word (S10)."""
    attachments: Mapping[str, str] | None = None


def state_figure(
    plan: SignedPlan,
    results: Results,
    shown: Mapping[str, Any],
    root: str,
    size: int,
    closing_digest: str,
    issue: Issue,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The statement and its table.

    Args:
        shown: the results document as it was kept and looked at.
        root, size: the final head of the log.

    Raises:
        FigureMovedError: table and results disagree. CertificationRefusedError: no certificate may be made.
    """
    table = results.certified_table()
    rows = read_table(table, plan.estimator)
    members = members_of(rows, plan, results.pooled)
    figure = figure_of(rows, plan, members)
    if figure != results.figure:
        raise FigureMovedError(plan.wave)
    facts: dict[str, Any] = {
        "pooled": {name: list(domains) for name, domains in results.pooled.items()},
        "figure_name": shown["name"],
        "formula": shown["formula_in_words"],
        "standard_error": shown["se"],
        "n": shown["n_valid"],
        "effective_n": shown["n_eff"],
        "response_rate_2": shown["response"]["rate"],
        "evidence_class": shown["evidence_class"],
        "by_class": share_by_class(plan, rows, members),
        "callbacks": results.callbacks,
        "level": issue.level,
        "method_version": shown["method_version"],
        "demonstration": shown["demonstration"],
        "results_digest": canonical.digest(shown),
        "case_file_digest": shown["digests"]["case_file"],
        "closing_digest": closing_digest,
        "instrument_digest": plan.instrument_digest,
        "verifier_digest": canonical.sha256_hex(build_zipapp()),
        "flags": shown["flags"],
        "counts": shown["counts"],
        "without_flagged": _beside(shown, "without_flagged_domains"),
        "worst_case": _beside(shown, "worst_case_disputes"),
        "proves": proof_document(),
        "issued_on": issue.on.isoformat(),
    }
    if shown["interval"]:
        facts["interval"] = {key: shown["interval"][key] for key in ("lower", "upper", "level", "method")}
    if issue.reason is not None:
        facts["reason"] = issue.reason
    if issue.attachments:
        facts["attachments"] = dict(issue.attachments)
    parts: dict[str, Any] = {
        "plan": plan,
        "root": root,
        "size": size,
        "excluded": list(results.excluded),
        "table_digest": canonical.digest(table),
        "figure": figure,
        "reached": decide(figure, plan, rows, members, results.callbacks),
        "supersedes": issue.supersedes,
    }
    draft = read_statement(build_statement(**parts, **facts, sentences=[]))
    codes = set(required_sentences(plan, draft))
    codes |= set() if issue.time_stamped else {"S10"}
    codes |= {"S11"} if issue.keeps_history else set()
    return build_statement(**parts, **facts, sentences=sentences(sorted(codes))), table


def share_by_class(
    plan: SignedPlan, rows: Sequence[TableRow], members: Mapping[str, Sequence[str]]
) -> list[dict[str, Any]]:
    """Each evidence class with its counted answers and their share of all; a mixed pool counts as the weaker."""
    counted: dict[str, int] = {}
    for row in rows:
        found = max(plan.domains[domain].evidence_class for domain in members[row.domain])
        counted[found] = counted.get(found, 0) + row.n
    total = sum(counted.values())
    return [
        {"class": name, "n": n, "share": truncate(Fraction(n, total)) if total else "0.0000"}
        for name, n in sorted(counted.items())
    ]


def _beside(shown: Mapping[str, Any], what: str) -> str | None:
    """One of the figures that stand beside the figure, as it is shown."""
    return next((row["shown"] for row in shown["beside"] if row["what"] == what), None)
