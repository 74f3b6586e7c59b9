"""C7 live monitor: how many answers have come against need and pace; never what they say."""

from datetime import date
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from survey.errors import SurveyError
from survey.estimation.wave_tables import NO_AREA
from survey.fieldwork.progress import Participation, Tally, shown_count
from survey.jobs.participation import participation
from survey.jobs.run_fieldwork import pause_wave, resume_wave
from survey.sampling.frame import PLACE_NAMES
from survey.scheme.plan_words import STAGE_NAMES
from survey.storage.areas import area_names
from survey.storage.office import WRONG_SCHOOL
from survey.storage.plans import load_fielded_plan, load_wave
from survey.storage.samples import load_sample
from survey.web.access import may, person_of
from survey.web.console.charts import pace_chart
from survey.web.console.page import (
    GROUPS,
    PUBLISHED,
    SCHOOLS_ON_A_PAGE,
    console_page,
    state_reached,
    wave_crumbs,
)
from survey.web.console.waves import tabs_of
from survey.web.pages import CHINA, AnyRequest
from survey.web.parts import part_of


class NotPublishedError(SurveyError):
    """Nothing can have come yet."""

    code = "console.not_published"
    kind = "conflict"

    def __init__(self, state_name: str) -> None:
        super().__init__("参与情况", f"还没有填写码，现在是“{state_name}”", "两人签署方案以后再来看")


class WrongNameError(SurveyError):
    """What was typed for confirmation is not the wave's short name."""

    code = "console.wrong_name"
    kind = "invalid"

    def __init__(self, wave: str) -> None:
        super().__init__("确认", "输入的不是这次调查的代号", f"请输入 {wave}，再按一次")


@get("/waves/{wave:str}/monitor", guards=[may("progress.see")])
async def show_monitor(request: AnyRequest, wave: FromPath[str]) -> Response[str]:
    """Counts against need by group, place and stage, the pace, and the schools with none."""
    row, plan = await load_wave(wave), await load_fielded_plan(wave)
    if row.state not in PUBLISHED:
        raise NotPublishedError(row.state_name)
    exact = state_reached(row.state, "closed")
    now = request.app.state.now().astimezone(CHINA)
    seen = await participation(request.app.state.office, wave, now=now, exact=exact)
    today = now.date()
    names = await area_names()
    return console_page(
        request,
        "monitor.html",
        title="参与情况",
        crumbs=wave_crumbs(row),
        command=f"survey watch {wave} --json",
        row=row,
        tabs=tabs_of(row, "/monitor"),
        plan=plan,
        seen=seen,
        empty=seen.empty_schools[:SCHOOLS_ON_A_PAGE],
        schools=part_of(request, seen.schools, SCHOOLS_ON_A_PAGE),
        exact=exact,
        columns=_columns(seen),
        days_left=max((plan.closes_on - today).days + 1, 0),
        overdue=row.state in ("open", "paused") and today > plan.closes_on,
        tables=(
            ("人群", _named(seen.groups, GROUPS)),
            ("城乡", _named(seen.places, PLACE_NAMES)),
            ("学段", _named(seen.stages, STAGE_NAMES)),
            ("督学责任区", [(names.get(one.key, one.key or NO_AREA), one) for one in seen.areas]),
        ),
        areas=names,
        slow=[names.get(one.key, one.key) for one in seen.slow_areas] if row.state in ("open", "paused") else [],
        # What is hidden says nothing of its pace either.
        slow_parts={
            (kind, one.key)
            for kind, part in (("人群", seen.groups), ("城乡", seen.places), ("学段", seen.stages))
            for one in part
            if row.state in ("open", "paused") and not one.is_withheld and seen.is_slow(one)
        },
        wrong_codes=request.app.state.desk.misses.lately if row.state in ("open", "paused") else None,
        wrong_school=await _wrong_school(request, wave, exact=exact),
        drawn_pace=None
        if exact or seen.whole.is_withheld
        else pace_chart(seen.whole.used, seen.whole.need, seen.pace.day, seen.pace.days),
        pace_text=_pace_text(seen, today, plan.closes_on, row.state),
    )


@post("/waves/{wave:str}/pause", guards=[may("wave.run")], status_code=303)
async def post_pause(request: AnyRequest, wave: FromPath[str]) -> Redirect:
    """暂停: accept nothing for a while."""
    app = request.app.state
    await pause_wave(app.office, wave, actor=person_of(request).name, now=app.now())
    return Redirect(path=f"/console/waves/{wave}/monitor", status_code=303)


@post("/waves/{wave:str}/resume", guards=[may("wave.run")], status_code=303)
async def post_resume(request: AnyRequest, wave: FromPath[str]) -> Redirect:
    """继续: accept answers again."""
    app = request.app.state
    await resume_wave(app.office, wave, actor=person_of(request).name, now=app.now())
    return Redirect(path=f"/console/waves/{wave}/monitor", status_code=303)


MONITOR_ROUTES = (show_monitor, post_pause, post_resume)


async def _wrong_school(request: AnyRequest, wave: str, *, exact: bool) -> list[tuple[str, str, str]]:
    """School, group and how often somebody said that the school on their page is not theirs; most first."""
    counters = await request.app.state.office.counters(wave)
    draws = {draw.domain: draw for draw in (await load_sample(wave)).domains}
    noted = [(draws[key], n) for (key, kind), n in counters.items() if kind == WRONG_SCHOOL and key in draws]
    return [
        (draw.school_name, GROUPS.get(draw.group, draw.group), str(n) if exact else shown_count(n))
        for draw, n in sorted(noted, key=lambda one: (-one[1], one[0].domain))
    ]


def _named(tallies: tuple[Tally, ...], names: dict[str, str]) -> list[tuple[str, Tally]]:
    """Each tally with its name, in the order of the names."""
    order = list(names)
    known = sorted(tallies, key=lambda tally: order.index(tally.key) if tally.key in order else len(order))
    return [(names.get(tally.key, tally.key), tally) for tally in known]


def _columns(seen: Participation) -> list[tuple[str, str]]:
    """The groups that are asked in schools, in the order of their names."""
    asked = {group for school in seen.schools for group, _ in school.groups}
    return [(group, name) for group, name in GROUPS.items() if group in asked]


def _pace_text(seen: Any, today: date, closes_on: date, state: str) -> str:
    """One sentence on whether the wave will make it."""
    whole, pace = seen.whole, seen.pace
    if state_reached(state, "closed"):
        return "填写已经结束。"
    if whole.used >= whole.need and today > closes_on:
        return "已过截止日期，份数已经收够。"
    if whole.used >= whole.need:
        return "已经收够，可以等到截止，不必催。"
    if pace.enough_on is not None:
        on = pace.enough_on
        return f"按现在的速度，{on.month}月{on.day}日收够。"
    if pace.needed_per_day is None:
        return "已过截止日期，还没有收够。"
    return f"按现在的速度到截止收不够；从今天起每天要收{pace.needed_per_day}份。"
