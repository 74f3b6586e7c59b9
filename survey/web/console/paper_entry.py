"""Forms on paper and telephone calls typed in from the keyboard alone: code, one field a question, twice by two.

Each question takes the code printed beside the box, so a practised clerk never leaves the
number keys. The slip's code travels in the body of a request and never in an address.
"""

import re
from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from survey.errors import Fault, SurveyError
from survey.jobs.enter_paper import MODES, Difference, Form, enter_paper, find_form
from survey.scheme.answers import Answer
from survey.scheme.instrument import Instrument, Item
from survey.storage.paper_entries import count_entries
from survey.storage.plans import load_wave
from survey.web.access import may, person_of, read_form
from survey.web.console.page import GROUPS, console_page, wave_crumbs
from survey.web.console.waves import tabs_of
from survey.web.pages import AnyRequest

DONE = {
    "first": "第一遍已经存好。请把问卷交给另一位录入员录第二遍。",
    "received": "两遍一致，这份答卷已经收下。",
    "used": "这个填写码刚刚用过，这份没有收。请放到一边，两人登记。",
}


@dataclass(frozen=True)
class Field:
    """One question as a clerk meets it."""

    item: Item
    number: int
    typed: str
    fault: str

    @property
    def codes(self) -> str:
        """The codes and labels, as printed beside the boxes."""
        return "　".join(f"{option.value} {option.zh}" for option in self.item.options)


@dataclass(frozen=True)
class Choice:
    """A question the two clerks read differently."""

    item: Item
    number: int
    first: tuple[str, str]
    second: tuple[str, str]
    """What the form would send, and what a person reads."""


@get("/waves/{wave:str}/paper", guards=[may("paper.enter")])
async def show_paper(request: AnyRequest, wave: FromPath[str]) -> Response[str]:
    """The field for a code, and how many forms wait for a second pass."""
    return await _code_page(request, wave)


@post("/waves/{wave:str}/paper/form", guards=[may("paper.enter")], status_code=200)
async def post_code(request: AnyRequest, wave: FromPath[str]) -> Response[str]:
    """The form of a code."""
    given = await read_form(request)
    typed, mode = str(given.get("code", "")), _mode(given.get("mode", ""))
    try:
        form = await find_form(request.app.state.office, wave, typed)
    except SurveyError as refusal:
        if not refusal.code.startswith("paper."):
            raise
        return await _code_page(request, wave, mode, typed=typed, refusal=refusal, status=422)
    return await _form_page(request, wave, typed, mode, form)


@post("/waves/{wave:str}/paper", guards=[may("paper.enter")], status_code=200)
async def post_paper(request: AnyRequest, wave: FromPath[str]) -> Response[str]:
    """One pass: kept for the second, shown with its differences, or taken in."""
    app, fields = request.app.state, {key: str(value) for key, value in (await read_form(request)).items()}
    typed = fields.pop("code", "")
    settled, mode = fields.pop("settled", "") == "1", _mode(fields.pop("mode", ""))
    fields.pop("form_key", None)
    try:
        form = await find_form(app.office, wave, typed)
        raw = _raw(form.instrument, fields)
        done = await enter_paper(
            app.settings,
            app.office,
            wave,
            typed,
            raw,
            clerk=person_of(request).name,
            mode=mode,
            settled=settled,
            now=app.now(),
        )
    except SurveyError as refusal:
        if not refusal.code.startswith("paper."):
            raise
        return await _code_page(request, wave, mode, typed=typed, refusal=refusal, status=422)
    if done.state == "faulty":
        return await _form_page(request, wave, typed, mode, form, fields, done.faults, status=422)
    if done.state == "differs":
        return await _difference_page(request, wave, typed, mode, form, fields, done.differences)
    return await _code_page(request, wave, mode, done=DONE[done.state])


PAPER_ENTRY_ROUTES = (show_paper, post_code, post_paper)


def _mode(given: object) -> str:
    """The mode a form names; paper where it names none."""
    return str(given) if given in MODES else "paper"


def _raw(instrument: Instrument, fields: dict[str, str]) -> dict[str, list[str]]:
    """What a clerk typed as the fields of a form; several codes stand with spaces or commas between."""
    raw: dict[str, list[str]] = {}
    for name, text in fields.items():
        item = instrument.by_id.get(name)
        several = item is not None and item.kind == "multiple"
        values = [part for part in re.split(r"[\s,，、]+", text) if part] if several else [text.strip()]
        if any(values):
            raw[name] = values
    return raw


async def _code_page(
    request: AnyRequest,
    wave: str,
    mode: str = "paper",
    *,
    typed: str = "",
    refusal: SurveyError | None = None,
    done: str = "",
    status: int = 200,
) -> Response[str]:
    row = await load_wave(wave)
    waiting = await count_entries(wave)
    own = waiting.get(person_of(request).name, 0)
    return console_page(
        request,
        "paper_entry.html",
        title="录入纸质和电话答卷",
        crumbs=wave_crumbs(row),
        command="",
        only_here="每份答卷由两个人各录一遍，只在页面上做。",
        row=row,
        tabs=tabs_of(row, "/paper"),
        status=status,
        typed=typed[:40],
        refusal=refusal,
        done=done,
        open=row.state == "open",
        own=own,
        others=sum(waiting.values()) - own,
        mode=mode,
        modes=MODES,
        taken=await _counted(request, wave) if row.state not in ("draft", "framed", "drawn") else {},
    )


async def _counted(request: AnyRequest, wave: str) -> dict[str, int]:
    counters = await request.app.state.office.counters(wave)
    return {
        mode: sum(n for (domain, kind), n in counters.items() if domain and kind == mode) for mode in MODES
    }


async def _form_page(
    request: AnyRequest,
    wave: str,
    typed: str,
    mode: str,
    form: Form,
    fields: dict[str, str] | None = None,
    faults: tuple[Fault, ...] = (),
    *,
    status: int = 200,
) -> Response[str]:
    wrong = {fault.item: fault.problem for fault in faults}
    typed_in = fields or {}
    questions = [
        Field(item, number, typed_in.get(item.id, ""), wrong.get(item.id, ""))
        for number, item in enumerate(form.instrument.items, 1)
    ]
    return await _about_form(
        request, "paper_form.html", wave, typed, mode, form, status=status, fields=questions, faults=faults
    )


async def _difference_page(
    request: AnyRequest,
    wave: str,
    typed: str,
    mode: str,
    form: Form,
    fields: dict[str, str],
    differences: tuple[Difference, ...],
) -> Response[str]:
    numbers = {item.id: number for number, item in enumerate(form.instrument.items, 1)}
    choices = [
        Choice(
            form.instrument.by_id[one.item],
            numbers[one.item],
            _shown(form.instrument.by_id[one.item], one.first),
            _shown(form.instrument.by_id[one.item], one.second),
        )
        for one in differences
    ]
    differing = {one.item for one in differences}
    same = {name: text for name, text in fields.items() if name not in differing}
    return await _about_form(
        request, "paper_differences.html", wave, typed, mode, form, choices=choices, same=same
    )


async def _about_form(
    request: AnyRequest,
    template: str,
    wave: str,
    typed: str,
    mode: str,
    form: Form,
    *,
    status: int = 200,
    **more: Any,
) -> Response[str]:
    row = await load_wave(wave)
    return console_page(
        request,
        template,
        title="录入一份" if template == "paper_form.html" else "两遍不一样的地方",
        crumbs=(*wave_crumbs(row), ("录入纸质和电话答卷", f"/console/waves/{wave}/paper")),
        command="",
        only_here="每份答卷由两个人各录一遍，只在页面上做。",
        row=row,
        status=status,
        code=typed,
        mode=mode,
        mode_name=MODES[mode],
        form=form,
        group=GROUPS.get(form.draw.group, form.draw.group),
        **more,
    )


def _shown(item: Item, value: Answer) -> tuple[str, str]:
    """An answer as a form sends it, and as a person reads it."""
    if value is None:
        return "", "空着"
    values = value if isinstance(value, list) else [value]
    if item.kind == "text":
        return str(value), f"“{value}”"
    return (
        " ".join(map(str, values)),
        "、".join(f"{one} {item.option(one).zh}" for one in values),
    )
