"""C1 the list of waves, and the page of one wave: where it stands and what comes next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Response, get
from litestar.params import FromPath
from litestar.response import Redirect

from survey.fieldwork.progress import shown_count
from survey.jobs.participation import needed_answers
from survey.jobs.set_up_wave import SAMPLE, drafts_of
from survey.scheme.plan import plan_digest, scheme_of
from survey.storage.audit import list_audit
from survey.storage.branch import is_below_county
from survey.storage.certificates import list_certificates
from survey.storage.divisions import waves_of
from survey.storage.frames import find_frame
from survey.storage.plans import WaveRow, load_fielded_plan, load_fielded_plans, load_plan, load_wave
from survey.storage.results import load_published
from survey.web.access import may, person_of
from survey.web.console.page import console_page, group_names, state_reached, wave_crumbs
from survey.web.pages import AnyRequest
from survey.web.parts import part_of
from survey.web.rights import has_right
from survey.web.verify.standing import is_revoked


@dataclass(frozen=True)
class Step:
    """One step of a wave: what is done, on which page or by which command."""

    state: str
    short: str
    text: str
    page: str
    command: str


STEPS = (
    Step("framed", "导入名册", "导入学校名册", "frame", "survey import 名册.xlsx --wave {wave}"),
    Step("drawn", "抽样", "看抽样方案，抽出学校和纸条", "sample", "survey draw {wave} --seed 公开的种子"),
    Step("planned", "签署方案", "经办和签发两人签署方案，生成填写码", "signing", "survey sign {wave}"),
    Step("open", "打印、发布", "打印纸条和海报，逐项检查，发布", "launch", "survey publish {wave}"),
    Step("closed", "看参与情况", "看参与情况，到期结束", "monitor", "survey close {wave}"),
    Step("opened", "开箱", "两人开箱，拆开封存的答卷", "signing", "survey open {wave}"),
    Step("estimated", "计算", "计算满意度和区间", "results", "survey estimate {wave}"),
    Step("certified", "签发证书", "经办、复核、签发，出结果证书", "certify", "survey certify {wave}"),
)
"""The road of a wave; the page or command beside each step takes it there."""

AREA_RESULTS = "/area-results"
PHASES = ("", "准备", "填写", "出结果")
TABS = (
    (0, "", "概况", "draft", "wave.see"),
    (1, "/frame", "学校名册", "draft", "frame.see"),
    (1, "/areas", "责任区", "framed", "areas.see"),
    (1, "/sample", "抽样", "framed", "sample.see"),
    (1, "/papers", "纸条和海报", "drawn", "papers.download"),
    (1, "/launch", "发布检查", "drawn", "launch.see"),
    (2, "/monitor", "参与情况", "planned", "progress.see"),
    (2, "/schools", "学校发放", "planned", "schools.see"),
    (2, "/paper", "纸质、电话录入", "planned", "paper.enter"),
    (2, "/callbacks", "电话回访", "planned", "callbacks.see"),
    (2, "/board", "留言", "open", "board.see"),
    (2, "/flags", "质量标记", "planned", "results.see"),
    (3, "/results", "结果", "opened", "results.see"),
    (3, AREA_RESULTS, "责任区结果", "certified", "results.of_area"),
    (3, "/certify", "签发", "estimated", "certificate.see"),
    (3, "/certificate", "证书", "certified", "certificate.see"),
    (3, "/report", "报告", "estimated", "results.see"),
    (3, "/ledger", "问题台账", "certified", "ledger.see"),
)
"""The pages of a wave: phase, address, name, from which state on, and the right that opens it."""


ON_A_PAGE = 50
"""Waves on one page of the list, so that it stays light however many there are."""


def next_step(row: WaveRow) -> Step | None:
    """The step that a wave waits for; None once it is certified."""
    return next((step for step in STEPS if not state_reached(row.state, step.state)), None)


def next_command(row: WaveRow) -> str:
    """The list of waves, and the command that takes this wave its next step."""
    step = next_step(row)
    return "survey waves" + (f"\n{step.command.format(wave=row.wave)}" if step else "")


def tabs_of(row: WaveRow, here: str) -> list[dict[str, Any]]:
    """The pages of a wave that can already show something, and the one that is open.

    From the county up the areas stand on the page of results; their own page is for an account of an area.
    """
    return [
        {
            "phase": phase,
            "phase_name": PHASES[phase],
            "text": text,
            "address": f"/console/waves/{row.wave}{path}",
            "here": path == here,
            "right": right,
        }
        for phase, path, text, since, right in TABS
        if path == here or (state_reached(row.state, since) and (path != AREA_RESULTS or is_below_county()))
    ]


@get("/", guards=[may("account.own")])
async def show_console(request: AnyRequest) -> Redirect:
    """The console begins at the list of waves; for a school's contact at their own school."""
    person = person_of(request)
    own = "/console/school" if has_right(person, "school.enter") else "/console/account"
    return Redirect(path="/console/waves" if has_right(person, "wave.see") else own, status_code=303)


@get("/waves", guards=[may("wave.see")])
async def show_waves(request: AnyRequest) -> Response[str]:
    """C1: every wave with its state, dates, needed and valid counts, and its next step."""
    person = person_of(request)
    part = part_of(request, await waves_of(person), ON_A_PAGE, beside=("drafts",))
    drafts = await drafts_of(person) if has_right(person, "plan.write") else ()
    return console_page(
        request,
        "waves.html",
        title="调查",
        command="survey waves --json",
        lines=await _lines(request, part.lines),
        part=part,
        drafts=part_of(request, drafts, ON_A_PAGE, "drafts", beside=("page",)),
        sample=SAMPLE,
    )


@get("/waves/{wave:str}", guards=[may("wave.see")])
async def show_wave(request: AnyRequest, wave: FromPath[str]) -> Response[str]:
    """One wave: what was planned, how far it is, what comes next."""
    row, signed = await load_wave(wave), await load_plan(wave)
    plan, frame = await load_fielded_plan(wave), await find_frame(wave)
    return console_page(
        request,
        "wave.html",
        title=row.title,
        crumbs=wave_crumbs(row)[:1],
        command=next_command(row),
        row=row,
        tabs=tabs_of(row, ""),
        plan=plan,
        at_first=signed.closes_on,
        plan_digest=plan_digest(signed),
        scheme_title=scheme_of(plan).title,
        frame=frame,
        groups=group_names(plan),
        steps=[(step, state_reached(row.state, step.state)) for step in STEPS],
        next_step=next_step(row),
        # What was done to the wave as a whole is for those who see the whole of it.
        acts=() if is_below_county() else await list_audit(limit=8, wave=wave),
        rests=request.app.state.office.resting().get(wave),
        revoked=row.state == "certified" and await is_revoked(await list_certificates(wave)),
    )


WAVE_ROUTES = (show_console, show_waves, show_wave)


async def _lines(request: AnyRequest, rows: Sequence[WaveRow]) -> list[dict[str, Any]]:
    """A line for each wave; whatever is asked of the database is asked for all of them together."""
    plans = await load_fielded_plans([row.wave for row in rows])
    # What came in is counted for waves as wholes; of single schools the page of the wave tells.
    counted = () if is_below_county() else rows
    in_hand = ("open", "paused", "closed", "opened")
    running = {row.wave: row.state in ("closed", "opened") for row in counted if row.state in in_hand}
    needed = await needed_answers({row.wave: plans[row.wave] for row in counted if state_reached(row.state, "drawn")})
    used = await request.app.state.returns.of(running)
    published = await load_published([row.wave for row in rows if state_reached(row.state, "estimated")])
    return [
        {
            "row": row,
            "plan": plans[row.wave],
            "next": next_step(row),
            "needed": needed.get(row.wave),
            "valid": (
                shown_count(used[row.wave])
                if row.wave in used
                else published[row.wave].n
                if row.wave in published
                else None
            ),
        }
        for row in rows
    ]
