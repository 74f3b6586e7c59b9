"""C2 set-up: seven steps in any order, each saved as it stands, every fault and warning beside its field.

A step that is sent is kept first and judged afterwards, so nothing typed is ever lost. All of
it is one form a step, with buttons that lead on, back or to any other step: they save too.
"""

from typing import Any

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath
from litestar.response import Redirect

from survey.errors import SurveyError
from survey.jobs.set_up_wave import (
    SAMPLE,
    begin_draft,
    change_plan,
    drop_draft,
    finish_draft,
    open_draft,
    read_draft,
    save_step,
)
from survey.scheme.plan_draft import Placed, Reading
from survey.scheme.plan_form import STEPS, sections_of
from survey.scheme.plan_words import MODES
from survey.scheme.texts import known_languages
from survey.storage.plan_drafts import DraftMovedError, PlanDraft
from survey.storage.plans import find_wave, load_wave
from survey.storage.states import BEFORE_SIGNING
from survey.web.access import check_query, may, person_of, read_form
from survey.web.console.monitor import WrongNameError
from survey.web.console.page import console_page, wave_crumbs
from survey.web.console.waves import tabs_of
from survey.web.errors import UnknownPageError, status_of
from survey.web.headers import FILE_LIMIT
from survey.web.pages import AnyRequest, count_text

REVIEW = len(STEPS) + 1


@post("/setup", guards=[may("plan.write")], status_code=303)
async def post_setup(request: AnyRequest) -> Redirect:
    """Begin a draft: from sensible choices, like an earlier wave, or like the sample county."""
    app, form = request.app.state, await read_form(request)
    like = str(form.get("like", ""))
    draft = await begin_draft(app.settings, person_of(request), like, now=app.now())
    return Redirect(path=f"/console/setup/{draft.draft}/{REVIEW if like == SAMPLE else 1}", status_code=303)


@get("/waves/{wave:str}/setup", guards=[may("plan.see")])
async def show_plan_change(request: AnyRequest, wave: FromPath[str]) -> Response[str]:
    """Whether the plan of a wave can still be changed, and the button to do it."""
    row = await load_wave(wave)
    return console_page(
        request,
        "setup_change.html",
        title="改方案",
        crumbs=wave_crumbs(row),
        command=f"survey plan {wave}\nsurvey plan 计划.yaml",
        row=row,
        tabs=tabs_of(row, ""),
        changeable=row.state in BEFORE_SIGNING,
    )


@post("/waves/{wave:str}/setup", guards=[may("plan.write")], status_code=303)
async def post_plan_change(request: AnyRequest, wave: FromPath[str]) -> Redirect:
    """Open the draft that changes an unsigned plan."""
    row = await load_wave(wave)
    draft = await change_plan(person_of(request), row.wave, now=request.app.state.now())
    return Redirect(path=f"/console/setup/{draft.draft}/1", status_code=303)


@get("/setup/{draft:str}/{step:int}", guards=[may("plan.write")])
async def show_step(request: AnyRequest, draft: FromPath[str], step: FromPath[int]) -> Response[str]:
    """One step as it was saved; its faults once it has been sent, its warnings always."""
    check_query(request, frozenset())
    opened = await open_draft(person_of(request), draft)
    if step == REVIEW:
        return await _review(request, opened)
    reading = await read_draft(person_of(request), opened)
    faults = reading.at(step) if f"seen.{step}" in opened.fields else ()
    return _page(request, opened, reading, step, faults=faults)


@post(
    "/setup/{draft:str}/{step:int}",
    guards=[may("plan.write")],
    request_max_body_size=FILE_LIMIT,
    status_code=200,
)
async def post_step(
    request: AnyRequest, draft: FromPath[str], step: FromPath[int]
) -> Response[str] | Redirect:
    """Keep the step, then go where the button leads; the next step only when this one has no fault."""
    person, form = person_of(request), await read_form(request)
    opened = await open_draft(person, draft)
    if not 1 <= step <= len(STEPS):
        raise UnknownPageError("步骤", f"没有第{step}步", "从计划的第1步开始")
    typed = {name: value for name, value in form.items() if isinstance(value, str)}
    files = {
        name: (value.filename.replace("\\", "/").rpartition("/")[2][:80], await value.read())
        for name, value in form.items()
        if isinstance(value, UploadFile) and value.filename
    }
    version, go = _number(typed.get("version", "")), typed.get("go", "")
    try:
        saved, faults = await save_step(
            person, opened, step, typed, files, expected=version, now=request.app.state.now()
        )
    except DraftMovedError as refusal:
        # Both versions are shown; sending again, with the new version in the form, is a choice.
        reading = await read_draft(person, opened)
        return _page(request, opened, reading, step, refusal=refusal, typed=typed)
    reading = await read_draft(person, saved)
    faults = (*faults, *reading.at(step))
    if faults and not go.isdigit():
        return _page(request, saved, reading, step, faults=faults)
    if go == "missing":
        target = min((one.step for one in reading.faults if one.step > step), default=REVIEW)
    else:
        target = int(go) if go.isdigit() and 1 <= int(go) <= REVIEW else step + 1
    return Redirect(path=f"/console/setup/{draft}/{target}", status_code=303)


@post("/setup/{draft:str}/finish", guards=[may("plan.write")], status_code=303)
async def post_finish(request: AnyRequest, draft: FromPath[str]) -> Response[str] | Redirect:
    """Make the draft a wave, and go on to its school list; a sample that goes with it asks for the wave's name."""
    person, form = person_of(request), await read_form(request)
    opened = await open_draft(person, draft)
    if await _voids_a_sample(opened) and str(form.get("confirm", "")).strip() != opened.wave:
        refusal = WrongNameError(str(opened.wave))
        return await _review(request, opened, refusal=refusal)
    try:
        plan = await finish_draft(person, opened, now=request.app.state.now())
    except SurveyError as refusal:
        return await _review(request, opened, refusal=refusal)
    return Redirect(path=f"/console/waves/{plan.wave}/frame", status_code=303)


@post("/setup/{draft:str}/drop", guards=[may("plan.write")], status_code=303)
async def post_drop(request: AnyRequest, draft: FromPath[str]) -> Response[str] | Redirect:
    """Throw the draft away, once the box beside the button is ticked."""
    person, form = person_of(request), await read_form(request)
    opened = await open_draft(person, draft)
    if not form.get("sure"):
        return await _review(request, opened, refusal=NotSureError())
    await drop_draft(opened)
    return Redirect(path="/console/waves", status_code=303)


SETUP_ROUTES = (
    post_setup,
    show_plan_change,
    post_plan_change,
    show_step,
    post_step,
    post_finish,
    post_drop,
)


class NotSureError(SurveyError):
    """The box beside the button was not ticked."""

    code = "console.not_sure"
    kind = "invalid"

    def __init__(self) -> None:
        super().__init__("删掉草稿", "没有勾“确定删掉”", "确定的话，先勾再按")


async def _voids_a_sample(draft: PlanDraft) -> bool:
    """Whether finishing the draft changes the plan of a wave that has been drawn from."""
    row = await find_wave(draft.wave) if draft.wave is not None else None
    return row is not None and row.state == "drawn"


async def _review(request: AnyRequest, draft: PlanDraft, *, refusal: SurveyError | None = None) -> Response[str]:
    """The last page: all steps at once, and the button that makes the wave."""
    reading = await read_draft(person_of(request), draft)
    voids = await _voids_a_sample(draft)
    return _page(request, draft, reading, REVIEW, refusal=refusal, voids_a_sample=voids)


def _page(
    request: AnyRequest,
    draft: PlanDraft,
    reading: Reading,
    step: int,
    *,
    faults: tuple[Placed, ...] = (),
    refusal: SurveyError | None = None,
    typed: dict[str, str] | None = None,
    voids_a_sample: bool = False,
) -> Response[str]:
    if not 1 <= step <= REVIEW:
        raise UnknownPageError("步骤", f"没有第{step}步", "从计划的第1步开始")
    review = step == REVIEW
    sections = () if review else sections_of(step, reading.scheme, draft.fields, reading.issued)
    faults = reading.faults if review else faults
    warnings = reading.warnings if review else reading.at(step, warnings=True)
    context: dict[str, Any] = {
        "draft": draft,
        "step": step,
        "steps": _steps(draft, reading),
        "sections": sections,
        "values": {**draft.fields, **_of_step(sections, typed)} if typed is not None else draft.fields,
        "saved": draft.fields if typed is not None else None,
        "faults": faults,
        "warnings": warnings,
        "fault_at": _by_field(faults),
        "warning_at": _by_field(warnings),
        "refusal": refusal,
        "voids_a_sample": voids_a_sample,
        "reading": reading,
        "review": REVIEW,
        "compact": step in (3, 4),
        "step_names": STEPS,
        "labels": _labels(draft, reading),
        "told": _told(draft, reading) if review else (),
    }
    context["noted"] = {*context["fault_at"], *_moved(context)}
    return console_page(
        request,
        "setup_review.html" if review else "setup.html",
        title="总览" if review else f"第{step}步　{STEPS[step - 1]}",
        crumbs=(("调查", "/console/waves"), (_name(draft), f"/console/setup/{draft.draft}/{REVIEW}")),
        command="survey plan 计划.yaml",
        status=status_of(refusal)
        if refusal
        else 422
        if faults and not review and request.method == "POST"
        else 200,
        **context,
    )


def _name(draft: PlanDraft) -> str:
    """What the draft is called in the way here."""
    if draft.wave is not None:
        return f"改方案 {draft.wave}"
    return draft.fields.get("title") or f"新调查 {draft.fields.get('county', '')}".strip()


def _steps(draft: PlanDraft, reading: Reading) -> list[dict[str, Any]]:
    """Each step with whether it was sent and how many faults it has."""
    return [
        {
            "number": number,
            "name": name,
            "seen": f"seen.{number}" in draft.fields,
            "faults": len(reading.at(number)),
        }
        for number, name in enumerate(STEPS, start=1)
    ]


def _labels(draft: PlanDraft, reading: Reading) -> dict[str, str]:
    """Every field's label."""
    return {
        one.name: one.label
        for number in range(1, REVIEW)
        for section in sections_of(number, reading.scheme, draft.fields, reading.issued)
        for one in section.fields
    }


def _moved(context: dict[str, Any]) -> set[str]:
    """Fields that somebody else has saved otherwise than they stand on the page."""
    saved = context["saved"]
    return set() if saved is None else {k for k, v in context["values"].items() if saved.get(k, "") != v}


def _told(draft: PlanDraft, reading: Reading) -> list[str]:
    """What each step holds, in one line."""
    fields, scheme = draft.fields, reading.scheme
    asked = [group for group in scheme.groups if fields.get(f"ask.{group.id}")]
    ways: dict[str, list[str]] = {}
    for group in asked:
        whole = fields.get(f"everybody.{group.id}")
        how = "问遍全体" if whole else dict(MODES)[fields.get(f"mode.{group.id}") or "slip"]
        ways.setdefault(how.partition("，")[0], []).append(group.zh)
    line = scheme.requirement.line
    return [
        f"{scheme.title}，{'演示' if fields.get('demonstration') else '正式'}",
        "，".join(
            filter(
                None,
                (
                    *(fields.get(name) for name in ("county", "office", "telephone")),
                    f"{fields.get('opens_on', '')}至{fields.get('closes_on', '')}",
                ),
            )
        ),
        "、".join(group.zh for group in asked),
        "，".join(
            filter(
                None,
                (
                    (people := fields.get("population.count")) and f"常住人口{_grouped(people)}",
                    "、".join(one.both_names for one in known_languages() if fields.get(f"lang.{one.code}")),
                ),
            )
        ),
        "；".join(f"{how}：{'、'.join(names)}" for how, names in ways.items()),
        f"{scheme.figure_name}，{'没有要求线' if line is None else line.in_words()}",
        "填写期间封存，结束后两人打开" if fields.get("sealed") != "0" else "不封存",
    ]


def _of_step(sections: Any, typed: dict[str, str] | None) -> dict[str, str]:
    return {
        one.name: (typed or {}).get(one.name, "")
        for section in sections
        for one in section.fields
        if one.kind != "file"
    }


def _by_field(placed: tuple[Placed, ...]) -> dict[str, list[Placed]]:
    found: dict[str, list[Placed]] = {}
    for one in placed:
        found.setdefault(one.field, []).append(one)
    return found


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _grouped(typed: str) -> str:
    """A count with its thousands apart, or what was typed where it is none."""
    return count_text(int(typed)) if typed.isascii() and typed.isdigit() else typed
