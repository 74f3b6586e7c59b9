"""Weight the opened answers and estimate: the figure with its doubt, and everything beside it."""

from __future__ import annotations

from asyncio import to_thread
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from survey import METHOD_VERSION, canonical
from survey.cases.case_file import CaseFile, build_case_file
from survey.cases.indicators import Beyond
from survey.cases.intake_flags import Planted as PlantedFates
from survey.certification.sealing import read_leaf
from survey.estimation.results import Results, estimate_results
from survey.fieldwork.disposition import DomainOutcome
from survey.jobs.call_back import called_counts
from survey.jobs.open_wave import EXCLUSIONS
from survey.jobs.plan_rules import surplus_of
from survey.jobs.sign_design import announced_draw
from survey.jobs.signed_papers import load_document
from survey.jobs.void_domains import voided_domains
from survey.sampling.frame import Frame
from survey.sampling.sample import Sample
from survey.scheme.plan import Plan, scheme_of
from survey.storage.areas import area_names, areas_of
from survey.storage.audit import record_audit
from survey.storage.cases import load_cases
from survey.storage.current import transaction
from survey.storage.evidence import find_evidence
from survey.storage.frames import load_frame
from survey.storage.intake import DomainCount
from survey.storage.office import IntakeOffice
from survey.storage.plans import load_fielded_plan, load_plan, require_state, set_state
from survey.storage.results import find_results, save_results
from survey.storage.samples import load_sample

Tell = Callable[[float, str], None]
"""Told the share done and what is being done."""


def untold(share: float, what: str) -> None:
    """Nobody waits to be told."""


def within(tell: Tell, start: float, end: float) -> Tell:
    """The same, for work that is one stretch of a longer one."""
    return lambda share, what: tell(start + share * (end - start), what)


async def estimate_wave(
    office: IntakeOffice,
    wave: str,
    *,
    actor: str,
    now: datetime,
    progress: Tell | None = None,
) -> dict[str, Any]:
    """Estimate an opened wave and keep the results document.

    Args:
        progress: told the share done and what is being done.

    Raises:
        WrongStateError: the wave is not opened yet.
        SilentGroupError and its like: something the figure needs is missing, named.
    """
    tell = progress or untold
    results = await wave_results(office, wave, progress)
    tell(0.8, "算各张表")
    document = await to_thread(results_document, results)
    # The last moment at which whoever waits may change their mind: what follows is kept whole or not at all.
    tell(1, "保存结果")
    async with transaction():
        await save_results(wave, document, now=now)
        await set_state(wave, ("opened", "estimated"), "estimated", now=now)
        details = {"results_digest": canonical.digest(document), "figure": document["figure"]["shown"]}
        await record_audit(actor, "estimate_wave", wave, details=details, now=now)
    return document


async def wave_results(office: IntakeOffice, wave: str, progress: Tell | None = None) -> Results:
    """The results of an opened wave, computed anew from its answers; nothing is kept.

    Args:
        progress: told the share done and what is being done, also from another thread; whatever it
            raises ends the work there.
    """
    tell = progress or untold
    await require_state(wave, ("opened", "estimated", "certified"))
    plan, frame, sample = await load_plan(wave), await load_frame(wave), await load_sample(wave)
    tell(0, "读日志")
    leaves = await to_thread(_read_leaves, await office.leaves(wave))
    tell(0.1, "读答卷")
    cases = await to_thread(_read_cases, await load_cases(wave), leaves, tell)
    voided = await voided_domains(wave)
    set_aside = {index: "X2" for index, leaf in enumerate(leaves) if leaf["domain"] in voided}
    decided = await _exclusions(wave)
    set_aside |= {index: "X1" for index in decided.get("canaries", ()) if index not in set_aside}
    signed = await load_document(wave, "plan.json")
    opened = Opened(
        # What came after a full quota is stored and counted, and belongs to no domain of the sample.
        [case for case in cases if case[1].get("domain") not in {surplus_of(d) for d in sample.by_domain}],
        set_aside,
        Counter(leaves[index]["domain"] for index, reason in set_aside.items() if reason == "X1"),
        held_slips(signed),
        spare_slips(signed),
        (await load_fielded_plan(wave)).closes_on,
    )
    interviews, calls = await called_counts(wave, plan)
    beyond = Beyond(await office.counters(wave), fates_of(decided), calls, interviews)
    public_draw = await announced_draw(wave, sample.design_digest) is not None
    results = await to_thread(
        estimate_opened, plan, frame, sample, opened, await office.participation(wave), public_draw, beyond, tell
    )
    return replace(results, areas=await areas_as_first_told(wave))


def _read_leaves(leaves: Sequence[bytes]) -> list[dict[str, Any]]:
    return [read_leaf(leaf) for leaf in leaves]


def _read_cases(
    stored: Sequence[tuple[str, str]], leaves: Sequence[Mapping[str, Any]], tell: Tell
) -> list[tuple[int, dict[str, Any]]]:
    """Each record with the place of its leaf in the log."""
    place = {leaf["c"]: index for index, leaf in enumerate(leaves)}
    cases = []
    for number, (c, text) in enumerate(stored):
        if number % 1000 == 0:
            tell(0.1 + 0.3 * number / len(stored), f"读答卷 {number:,} / {len(stored):,}")
        cases.append((place[c], canonical.decode(text.encode())))
    return cases


async def areas_as_first_told(wave: str) -> dict[str, tuple[str, str]]:
    """School → code and name of its responsibility area; schools of none are left out.

    Once rows of areas were computed they join the schools of that day: were a school moved and its area
    computed again, the difference would be this one school's answers.
    """
    told = (await find_results(wave) or {}).get("area_schools")
    if told:
        return {school: (row["key"], row["name"]) for row in told for school in row["schools"]}
    names = await area_names()
    return {
        school: (area, names.get(area, area))
        for school, area in (await areas_of(wave)).items()
        if area is not None
    }


@dataclass(frozen=True)
class Opened:
    """The opened answers of a wave, and what was planted among them."""

    cases: list[tuple[int, dict[str, Any]]]
    set_aside: dict[int, str]
    canaries: Counter[str]
    """Domain → canaries found."""
    held: dict[str, int]
    """Domain → slips that were kept back above the bureau and given to nobody."""
    spares: dict[str, int]
    """Domain → slips made beyond the people drawn."""
    closes_on: date
    """The last day, put off or not."""

    def outcome(self, count: DomainCount, counters: Mapping[tuple[str, str], int]) -> DomainOutcome:
        """What became of the slips that people were given; planted ones were nobody's.

        A spare replaces somebody's slip, so that it adds nobody to those who were asked; only where
        more answered than were drawn do the spare ones they used count as issued.
        """
        domain = count.domain
        used = count.used - self.canaries[domain]
        made = max(count.issued - self.held.get(domain, 0), used + count.voided)
        issued = max(made - self.spares.get(domain, 0), used)
        paper = min(counters.get((domain, "paper"), 0), used)
        telephone = min(counters.get((domain, "telephone"), 0), used - paper)
        return DomainOutcome(
            domain, issued, used, count.disputed, count.voided, paper, telephone, spares=made - issued
        )


async def _exclusions(wave: str) -> dict[str, Any]:
    """What opening decided about what was planted; empty for waves opened before there was such a paper."""
    text = await find_evidence(wave, EXCLUSIONS)
    return {} if text is None else dict(canonical.decode(text.encode()))


def fates_of(decided: Mapping[str, Any]) -> PlantedFates:
    """The flags' view of the same."""
    return PlantedFates(*(decided.get(key, {}) for key in ("honey_used", "missing", "different")))


def held_slips(signed: Mapping[str, Any]) -> dict[str, int]:
    """Domain → slips that the signed plan keeps back above the bureau."""
    return {entry["domain"]: entry["held"] for entry in signed["domains"] if "held" in entry}


def spare_slips(signed: Mapping[str, Any]) -> dict[str, int]:
    """Domain → slips that the signed plan makes beyond the people drawn; none where nobody was drawn."""
    slips = (entry for entry in signed["domains"] if entry["mode"] == "slip")
    spares = signed.get("spares", 0)
    return {entry["domain"]: spares for entry in slips if entry["slips"] - entry.get("held", 0) > spares}


def results_document(results: Results) -> dict[str, Any]:
    """The results as they are kept, shown and signed, with the version of the method."""
    return {**results.document(), "method_version": METHOD_VERSION}


def estimate_opened(
    plan: Plan,
    frame: Frame,
    sample: Sample,
    opened: Opened,
    counts: Sequence[DomainCount],
    public_draw: bool,
    beyond: Beyond,
    tell: Tell = untold,
) -> Results:
    """The results of opened answers, whoever holds them: the bureau, or an auditor with the bundle."""
    tell(0.4, "核对每一份答卷")
    scheme = scheme_of(plan)
    case_file: CaseFile = build_case_file(
        [record for _, record in opened.cases],
        plan,
        scheme,
        sample,
        closes_on=opened.closes_on,
        leaves=[index for index, _ in opened.cases],
        set_aside=opened.set_aside,
    )
    outcomes = [
        opened.outcome(count, beyond.counters) for count in counts if count.domain in sample.by_domain
    ]
    tell(0.5, "加权、估计")
    return estimate_results(
        plan,
        scheme,
        frame,
        sample,
        case_file,
        outcomes,
        public_draw=public_draw,
        beyond=beyond,
        told=lambda done, n: tell(0.5 + 0.25 * done / max(n, 1), f"看质量提示 {done:,} / {n:,}"),
    )
