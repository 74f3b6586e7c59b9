"""Export a certified wave's answers for analysis, confidential and on the record."""

from __future__ import annotations

from asyncio import to_thread
from datetime import datetime
from typing import IO

from survey.estimation.analysis_file import analysis_file
from survey.exact import percent_text
from survey.jobs.estimate_wave import Tell, results_document, untold, wave_results, within
from survey.jobs.render_papers import printed_at
from survey.storage.audit import record_audit
from survey.storage.office import IntakeOffice
from survey.storage.plans import load_plan, require_state


async def export_answers(
    office: IntakeOffice, wave: str, target: IO[bytes], *, actor: str, now: datetime, progress: Tell | None = None
) -> None:
    """Write the analysis pack of a certified wave; who took it and when stays in the audit trail.

    Args:
        target: open for writing bytes.
        progress: as for `wave_results`; what `target` holds when it raises is no pack.

    Raises:
        WrongStateError: the wave is not certified.
        NoAnalysisFileError: its figure is not a ratio of one item.
    """
    # The formats of other programs cost 70 MB, and a server that only receives needs none of them.
    from survey.documents.microdata import analysis_pack

    tell = progress or untold
    await require_state(wave, "certified")
    plan = await load_plan(wave)
    results = await wave_results(office, wave, within(tell, 0, 0.4))
    columns = await to_thread(
        analysis_file, results, lambda done, n: tell(0.4 + 0.4 * done / max(n, 1), f"算重复权数 {done:,} / {n:,}")
    )
    document = await to_thread(results_document, results)
    rate = document["response"].get("rate")
    facts = {
        "county": plan.county,
        "office": plan.office,
        "opens_on": plan.opens_on.isoformat(),
        "closes_on": plan.closes_on.isoformat(),
        "response_rate": percent_text(rate) if rate else "–",
        "formula": document["formula_in_words"],
        "caution": "演示数据：答卷是模拟的，不能引用。" if plan.demonstration else "",
    }
    await to_thread(
        analysis_pack, target, columns, facts, at=printed_at(now), progress=within(tell, 0.8, 1)
    )
    await record_audit(actor, "export_answers", wave, details={"answers": columns.n_answers}, now=now)
