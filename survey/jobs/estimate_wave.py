"""Weight the opened answers and estimate: the figure with its doubt, and everything beside it."""

from __future__ import annotations

from asyncio import to_thread
from datetime import datetime
from typing import Any

from survey import METHOD_VERSION, canonical
from survey.cases.case_file import CaseFile, build_case_file
from survey.cases.indicators import Beyond
from survey.certification.sealing import read_leaf
from survey.estimation.results import Results, estimate_results
from survey.fieldwork.disposition import DomainOutcome
from survey.sampling.frame import Frame
from survey.sampling.sample import Sample
from survey.scheme.plan import Plan, scheme_of
from survey.storage.audit import record_audit
from survey.storage.cases import load_cases
from survey.storage.frames import load_frame
from survey.storage.office import IntakeOffice
from survey.storage.plans import load_plan, require_state, set_state
from survey.storage.results import save_results
from survey.storage.samples import load_sample


async def estimate_wave(office: IntakeOffice, wave: str, *, actor: str, now: datetime) -> dict[str, Any]:
    """Estimate an opened wave and keep the results document.

    Raises:
        WrongStateError: the wave is not opened yet.
        SilentGroupError and its like: something the figure needs is missing, named.
    """
    results = await wave_results(office, wave)
    document = results_document(results)
    await save_results(wave, document, now=now)
    await set_state(wave, ("opened", "estimated"), "estimated", now=now)
    details = {"results_digest": canonical.digest(document), "figure": document["figure"]["shown"]}
    await record_audit(actor, "estimate_wave", wave, details=details, now=now)
    return document


async def wave_results(office: IntakeOffice, wave: str) -> Results:
    """The results of an opened wave, computed anew from its answers; nothing is kept."""
    await require_state(wave, ("opened", "estimated", "certified"))
    plan, frame, sample = await load_plan(wave), await load_frame(wave), await load_sample(wave)
    place = {read_leaf(leaf)["c"]: index for index, leaf in enumerate(await office.leaves(wave))}
    cases = [(place[c], canonical.decode(text.encode())) for c, text in await load_cases(wave)]
    outcomes = [
        DomainOutcome(count.domain, count.issued, count.used, count.disputed, count.voided)
        for count in await office.participation(wave)
    ]
    beyond = Beyond(counters=await office.counters(wave))
    return await to_thread(_estimate, plan, frame, sample, cases, outcomes, beyond)


def results_document(results: Results) -> dict[str, Any]:
    """The results as they are kept, shown and signed, with the version of the method."""
    return {**results.document(), "method_version": METHOD_VERSION}


def _estimate(
    plan: Plan,
    frame: Frame,
    sample: Sample,
    cases: list[tuple[int, dict[str, Any]]],
    outcomes: list[DomainOutcome],
    beyond: Beyond,
) -> Results:
    scheme = scheme_of(plan)
    case_file: CaseFile = build_case_file(
        [record for _, record in cases], plan, scheme, sample, leaves=[index for index, _ in cases]
    )
    return estimate_results(plan, scheme, frame, sample, case_file, outcomes, beyond=beyond)
