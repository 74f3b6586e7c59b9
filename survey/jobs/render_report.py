"""The report of an estimated wave as a PDF: a draft before it is certified, final afterwards."""

from __future__ import annotations

from asyncio import to_thread
from datetime import date, datetime

from survey.documents.report import ReportCover, report
from survey.jobs.render_papers import printed_at, wave_imprint
from survey.storage.plans import load_plan, require_state
from survey.storage.results import load_results


async def render_report(wave: str, *, now: datetime) -> bytes:
    """The report, from the results document that is kept.

    Raises:
        WrongStateError: nothing has been estimated yet.
    """
    row = await require_state(wave, ("estimated", "certified"))
    plan = await load_plan(wave)
    cover = ReportCover(
        title=plan.title,
        wave=wave,
        period=f"{_day(plan.opens_on)}至{_day(plan.closes_on)}",
        made_on=_day(now.date()),
        final=row.state == "certified",
    )
    imprint = await wave_imprint(plan)
    return await to_thread(report, await load_results(wave), imprint, cover, at=printed_at(now))


def _day(on: date) -> str:
    return f"{on.year}年{on.month}月{on.day}日"
