"""The digest for leaders (督查专报): what certified waves say of counties, on one page or two.

Each county enters with its newest certified wave, its change since the wave before, and its
ledger. A figure enters only if the results that are kept are those its certificate names; what
is running or merely estimated is not here. There is no rank.
"""

from __future__ import annotations

import json
from asyncio import to_thread
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from survey.documents.digest import Digest, DigestLine, digest_docx, digest_pdf
from survey.errors import SurveyError
from survey.exact import percent_text
from survey.followup.across import Change
from survey.followup.early_warning import KINDS
from survey.followup.ledger import STATES
from survey.followup.published import PublishedWave
from survey.jobs.look_across import County, look_across
from survey.jobs.render_papers import printed_at
from survey.storage.certificates import list_certificates
from survey.storage.ledger import list_entries
from survey.storage.plans import WaveRow
from survey.storage.results import load_results_digest

SET = {"pdf": digest_pdf, "docx": digest_docx}
"""File kinds with how each is set."""


class NothingCertifiedError(SurveyError):
    """No certified wave is among those asked for."""

    code = "digest.nothing_certified"
    kind = "not_found"

    def __init__(self) -> None:
        super().__init__("督查专报", "没有已签发的调查可写", "先签发证书；或者看看县区代码写对没有")


class OtherResultsError(SurveyError):
    """The results kept are not those the certificate names."""

    code = "digest.other_results"
    kind = "refused"

    def __init__(self, wave: str) -> None:
        super().__init__(
            f"调查 {wave}", "存着的结果和证书里写的摘要不一样", "保留现场，用备份核对；这一份不能写进专报"
        )


async def make_digest(
    rows: Sequence[WaveRow] | None = None, *, counties: Sequence[str] = (), now: datetime
) -> Digest:
    """The digest of the counties asked for.

    Args:
        rows: the waves that may be seen, as of one branch; None looks at all.
        counties: codes; empty takes every county.
        now: in the county's own time zone, since days decide.

    Raises:
        NothingCertifiedError: nothing to write about. OtherResultsError: results and certificate differ.
    """
    seen = await look_across(None, rows, now=now)
    chosen = [one for one in seen.counties if not counties or one.code in counties]
    if not chosen:
        raise NothingCertifiedError
    lines = [await _line(county, seen.against[county.newest.wave].in_words, now.date()) for county in chosen]
    names = {county.newest.wave for county in chosen}
    warnings = [one for one in seen.warnings if one.wave in names]
    return Digest(
        made_on=f"{now.year}年{now.month}月{now.day}日",
        lines=tuple(lines),
        warnings=tuple((one.county, KINDS[one.kind], one.seen, one.remedy) for one in warnings),
        notes=_notes([county.newest for county in chosen]),
        demonstration=any(county.newest.demonstration for county in chosen),
    )


async def render_digest(made: Digest, kind: str, *, now: datetime) -> bytes:
    """The digest as a file, `pdf` or `docx`."""
    return await to_thread(SET[kind], made, at=printed_at(now))


async def _line(county: County, against: str, today: date) -> DigestLine:
    newest = county.newest
    certificate = (await list_certificates(newest.wave))[-1]
    statement: dict[str, Any] = json.loads(certificate.data)["statement"]
    if statement["results_digest"] != await load_results_digest(newest.wave):
        raise OtherResultsError(newest.wave)
    entries = await list_entries(newest.wave)
    counts = {state: sum(entry.state == state for entry in entries) for state in STATES}
    last = county.changes[-1] if county.changes else None
    return DigestLine(
        county=county.name,
        wave=newest.wave,
        title=newest.title,
        closed_on=county.closed_on[-1],
        figure=percent_text(newest.whole.shown),
        shown=newest.whole.shown,
        lower=newest.lower,
        upper=newest.upper,
        threshold=newest.threshold,
        n=newest.whole.n,
        decision=_decision(newest),
        reached=newest.reached,
        crosses=newest.crosses,
        change=_change(last) if last else "没有更早的一次可比",
        against=against,
        ledger="，".join(f"{STATES[state]}{count}" for state, count in counts.items() if count) or "没有登记",
        overdue=sum(entry.is_overdue(today) for entry in entries),
        formula=newest.formula,
        certificate=f"第{certificate.number}号 {certificate.signs}",
    )


def _change(change: Change) -> str:
    """The change with its interval in percentage points, and how to read it."""
    found = change.difference
    if found is None:
        return change.in_words
    value, lower, upper = (f"{100 * one:+.2f}".replace("-", "−") for one in (found.value, found.lower, found.upper))
    return f"{value}个百分点（{lower}到{upper}），{change.in_words}"


def _decision(wave: PublishedWave) -> str:
    if wave.is_open:
        return "自愿参加，不判断"
    veto = "（一票否决项）" if wave.veto and wave.reached is False else ""
    return f"{wave.decision}{veto}" if wave.decision else "没有要求线"


def _notes(waves: Sequence[PublishedWave]) -> tuple[str, ...]:
    formulas = list(dict.fromkeys(wave.formula for wave in waves))
    told = [f"口径：{formulas[0]}"] if len(formulas) == 1 else [
        "各县口径不全相同，不相同的不比较：" + "；".join(formulas)
    ]  # fmt: skip
    return (
        *told,
        "满意度截取两位小数，不四舍五入；是否达到用没有截取的准确值比较。区间是95%置信区间。",
        "没有名次：差别在抽样误差以内的县分不出高低；每一对都检验过，按对数校正（Holm，合计5%）。",
        "只收已签发证书的结果，每一个都可凭证书核验；不是国家组织的认定结论，本件不是公文。",
    )
