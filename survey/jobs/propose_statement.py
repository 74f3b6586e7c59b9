"""What would be certified now: the statement of an estimated wave with everything it names.

The figure is made anew from the opened answers and must equal the one that was kept, and the
rules must be those of the signed plan: what changed since it was looked at is never proposed
for a signature. Nothing is signed here, and nothing is stored but the stamps of third parties.
"""

from __future__ import annotations

from asyncio import to_thread
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from survey import canonical
from survey.certification.bundle import attachment_digests
from survey.certification.r_script import r_files
from survey.certification.signed_plan import SignedPlan
from survey.certification.table import members_of, read_table
from survey.certification.transparency_log import parse_checkpoint
from survey.estimation.results import Results
from survey.jobs.estimate_wave import Tell, results_document, untold, wave_results
from survey.jobs.plan_rules import hold_rules
from survey.jobs.signed_papers import load_document, load_issues, load_signed_plan
from survey.jobs.stamp_notes import STAMPED, load_stamps, stamp_notes
from survey.jobs.state_figure import FigureMovedError, Issue, state_figure
from survey.jobs.void_domains import readable_reason
from survey.scheme.plan import scheme_of
from survey.settings import Settings
from survey.storage.evidence import load_evidence
from survey.storage.frames import load_frame
from survey.storage.office import IntakeOffice
from survey.storage.plans import load_plan, require_state
from survey.storage.results import load_results
from survey.storage.samples import load_sample


@dataclass(frozen=True)
class Proposed:
    """A statement nobody has signed yet, its table, and what stands beside them."""

    state: str
    """The state of the wave it was made in."""
    issue: int
    """1 for a wave's first statement."""
    plan: SignedPlan
    statement: dict[str, Any]
    table: list[dict[str, Any]]
    shown: dict[str, Any]
    attached: dict[str, bytes]
    closing_note: str

    @property
    def digest(self) -> str:
        """The digest that the lines of both signers are over."""
        return canonical.digest(self.statement)


async def propose_statement(
    settings: Settings,
    office: IntakeOffice,
    wave: str,
    *,
    on: date,
    reason: str | None,
    level: str,
    actor: str,
    now: datetime,
    progress: Tell | None = None,
) -> Proposed:
    """The statement of a wave.

    Args:
        on: the day it bears.
        reason: why a certified wave is stated anew; None for its first statement.
        level: `public` or `audited`.
        progress: as for `wave_results`.

    Raises:
        WrongStateError: the wave is not estimated, or certified already and no reason is given.
        CertificationRefusedError: the figure cannot be certified, with the reason.
        RuleMovedError, FigureMovedError: rules or answers are not those that were looked at.
    """
    row = await require_state(wave, "estimated" if reason is None else "certified")
    plan = await load_signed_plan(wave)
    drafted = await load_plan(wave)
    hold_rules(plan, drafted, scheme_of(drafted), await load_frame(wave), await load_sample(wave))
    tell = progress or untold
    results = await wave_results(office, wave, tell)
    tell(0.8, "同看过的结果核对")
    shown = await to_thread(results_document, results)
    if shown != await load_results(wave):
        raise FigureMovedError(wave)
    tell(0.9, "写声明和计数表")
    closing_note = await load_evidence(wave, "closing.note")
    head = parse_checkpoint(closing_note.rpartition("\n\n")[0] + "\n")
    closing_digest = canonical.digest(await load_document(wave, "closing.json"))
    earlier = await load_issues(wave, "statement")
    await stamp_notes(settings, wave, actor=actor, now=now)
    stamps = await load_stamps(wave)
    attached = {**await to_thread(_in_r, plan, results), **stamps}
    issue = Issue(
        on,
        attachments=attachment_digests(attached),
        supersedes=canonical.digest(earlier[-1][0]) if earlier else None,
        reason=None if reason is None else readable_reason(wave, reason),
        keeps_history=await office.keeps_history(wave),
        level=level,
        time_stamped=len(stamps) == len(STAMPED),
    )
    statement, table = await to_thread(
        state_figure, plan, results, shown, head.root.hex(), head.size, closing_digest, issue
    )
    return Proposed(row.state, len(earlier) + 1, plan, statement, table, shown, attached, closing_note)


def _in_r(plan: SignedPlan, results: Results) -> dict[str, bytes]:
    """The script and the counts by which anybody recomputes the figure in R."""
    rows = read_table(results.certified_table(), plan.estimator)
    return r_files(rows, plan, members_of(rows, plan, results.pooled))
