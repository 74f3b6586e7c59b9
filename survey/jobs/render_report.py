"""The report of an estimated wave as PDF, as DOCX, or its tables as XLSX; a draft before it is certified."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Callable, Collection
from datetime import date, datetime
from typing import Any

from survey.cases.case_file import asked_instruments
from survey.documents.imprint import Imprint, group_name, stage_name
from survey.documents.report import PARTS, ReportCover, report, report_content
from survey.jobs.render_papers import printed_at, wave_imprint
from survey.jobs.revocations import withdrawn
from survey.sampling.sample import Sample
from survey.scheme.instrument import Instrument
from survey.scheme.plan import Plan, scheme_of
from survey.storage.certificates import list_certificates
from survey.storage.plans import load_fielded_plan, require_state
from survey.storage.results import load_results
from survey.storage.samples import load_sample

Set = Callable[[dict[str, Any], Imprint, ReportCover, Collection[str], datetime], bytes]


def _pdf(
    results: dict[str, Any], imprint: Imprint, cover: ReportCover, parts: Collection[str], at: datetime
) -> bytes:
    return report(results, imprint, cover, parts, at=at)


def _docx(
    results: dict[str, Any], imprint: Imprint, cover: ReportCover, parts: Collection[str], at: datetime
) -> bytes:
    from survey.documents.report_docx import report_docx

    return report_docx(report_content(results, imprint, cover, parts), at=at)


def _xlsx(
    results: dict[str, Any], imprint: Imprint, cover: ReportCover, parts: Collection[str], at: datetime
) -> bytes:
    from survey.documents.result_tables import result_tables

    return result_tables(results, at=at)


KINDS: dict[str, Set] = {"pdf": _pdf, "docx": _docx, "xlsx": _xlsx}
"""File kinds with how each is set; Word and Excel are loaded when asked for, not at every start."""


async def render_report(
    wave: str, kind: str = "pdf", *, parts: Collection[str] = tuple(PARTS), now: datetime
) -> bytes:
    """The report, from the results document that is kept.

    Args:
        kind: one of `KINDS`; `xlsx` holds the tables alone.
        parts: of `documents.report.PARTS`, those that are printed.

    Raises:
        WrongStateError: nothing has been estimated yet.
    """
    row = await require_state(wave, ("estimated", "certified"))
    plan = await load_fielded_plan(wave)
    cover = ReportCover(
        title=plan.title,
        wave=wave,
        period=f"{_day(plan.opens_on)}至{_day(plan.closes_on)}",
        made_on=_day(now.date()),
        final=row.state == "certified",
        certificate=await _certificate(wave, plan) if row.state == "certified" else None,
        withdrawn=(await withdrawn([wave])).get(wave, ""),
        instruments=_instruments(plan, await load_sample(wave)),
    )
    imprint = await wave_imprint(plan)
    return await to_thread(KINDS[kind], await load_results(wave), imprint, cover, parts, printed_at(now))


async def _certificate(wave: str, plan: Plan) -> tuple[str, str, str] | None:
    """Number, signs and checking address of the newest certificate."""
    newest = (await list_certificates(wave))[-1:]
    return next(((str(one.number), one.signs, f"{plan.base_url.rstrip('/')}/v") for one in newest), None)


def _instruments(plan: Plan, sample: Sample) -> tuple[tuple[str, Instrument], ...]:
    """Every questionnaire once, with the group and the stages it was put to."""
    asked = asked_instruments(plan, scheme_of(plan), sample.domains)
    found: dict[tuple[str, int], tuple[Instrument, list[str]]] = {}
    for draw in sample.domains:
        if (one := asked.get(draw.domain)) is not None:
            stages = found.setdefault((draw.group, id(one)), (one, []))[1]
            if draw.stage and draw.stage not in stages:
                stages.append(draw.stage)
    return tuple(
        (group_name(group) + (f"（{'、'.join(map(stage_name, stages))}）" if stages else ""), one)
        for (group, _), (one, stages) in found.items()
    )


def _day(on: date) -> str:
    return f"{on.year}年{on.month}月{on.day}日"
