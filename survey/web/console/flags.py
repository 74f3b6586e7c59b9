"""C8 quality flags: on domains (school × group), never on one answer; and voiding a whole one before opening.

Before opening only counts are known, so the page shows what they say and lets two people void a
domain, with a reason that is published. After it nothing can be left out any more: every rule
stands with where it was met and what it cannot show, and the figure without the flagged domains
beside the figure.
"""

from typing import Any

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath
from litestar.response import Redirect

from survey.cases.flag import BLIND, HONEST, NAMES, Flag
from survey.errors import SurveyError
from survey.fieldwork.progress import shown_count
from survey.jobs.plant_answers import alarms_in_sight
from survey.jobs.remote_signing import AwaitingSignatureError
from survey.jobs.void_domains import BEFORE_OPENING, list_voided, void_domains
from survey.sampling.sample import Sample
from survey.storage.plans import WaveRow, load_wave, require_state
from survey.storage.results import find_results
from survey.storage.samples import load_sample
from survey.web.access import check_query, may, person_of, read_form
from survey.web.console.monitor import NotPublishedError, WrongNameError
from survey.web.console.page import GROUPS, PUBLISHED, console_page, state_reached, wave_crumbs
from survey.web.console.signing import (
    OtherTextError,
    hand_over,
    note_refusal,
    signing_keys,
    two_signers,
)
from survey.web.console.waves import tabs_of
from survey.web.errors import status_of
from survey.web.headers import FILE_LIMIT
from survey.web.pages import AnyRequest

VERB, TITLE = "void", "整组作废"
COACHED = "I5"
"""The rule on 有 to “has anybody told you what to answer”; it has its row whether met or not."""
NAMED = 5
"""Domains named in a rule's row; the table below has all of them."""


class NoSuchDomainError(SurveyError):
    """No slips went to this group of this school."""

    code = "console.no_such_domain"
    kind = "invalid"

    def __init__(self, school: str, group: str) -> None:
        name = GROUPS.get(group, group)
        super().__init__(
            f"学校 {school} 的{name}" if school else f"全县名单上的{name}",
            "样本里没有这一组",
            "照“参与情况”里的标识码写；全县名单上的人，标识码空着",
        )


@get("/waves/{wave:str}/flags", guards=[may("results.see")])
async def show_flags(request: AnyRequest, wave: FromPath[str]) -> Response[str]:
    """What is known of the domains' quality now, and what was voided."""
    query = check_query(request, frozenset({"school", "group"}))
    row = await load_wave(wave)
    if row.state not in PUBLISHED:
        raise NotPublishedError(row.state_name)
    return await _page(request, row, typed=dict(query))


@post(
    "/waves/{wave:str}/flags/void",
    guards=[may("wave.sign")],
    request_max_body_size=FILE_LIMIT,
    status_code=303,
)
async def post_void(request: AnyRequest, wave: FromPath[str]) -> Response[Any]:
    """Void one domain, if both sign; or say what was wrong and keep what was typed."""
    app, form = request.app.state, await read_form(request)
    row = await require_state(wave, BEFORE_OPENING)
    typed = {name: str(value) for name, value in form.items() if not isinstance(value, UploadFile)}
    try:
        domains = domains_of(await load_sample(wave), typed.get("school", ""), typed.get("group", ""))
        if typed.get("confirm", "").strip() != wave:
            raise WrongNameError(wave)
        signers = await two_signers(app.settings, form)
        await void_domains(
            app.settings,
            app.office,
            wave,
            domains,
            typed.get("reason", ""),
            signers,
            actor=person_of(request).name,
            now=app.now(),
        )
    except AwaitingSignatureError as waiting:
        if form.get("step") == "answer":
            return await _page(request, row, OtherTextError(), typed)
        return await hand_over(request, wave, TITLE, VERB, waiting)
    except SurveyError as refusal:
        await note_refusal(request, wave, VERB, refusal)
        return await _page(request, row, refusal, typed)
    return Redirect(path=f"/console/waves/{wave}/flags", status_code=303)


FLAG_ROUTES = (show_flags, post_void)


def domains_of(sample: Sample, school: str, group: str) -> tuple[str, ...]:
    """The domains of a school's group, or of a county list.

    Raises:
        NoSuchDomainError: nothing was drawn there.
    """
    school = school.strip()
    found = tuple(
        draw.domain
        for draw in sample.domains
        if draw.group == group and (draw.school_code or "") == school
    )
    if not found:
        raise NoSuchDomainError(school, group)
    return found


def rule_lines(flags: list[dict[str, Any]], names: dict[str, str]) -> list[dict[str, Any]]:
    """A line for every rule that was met, and for the one on coaching always; the most met first."""
    lines = []
    for indicator in NAMES:
        met = [flag for flag in flags if flag["indicator"] == indicator]
        if met or indicator == COACHED:
            where = [names.get(flag["domain"], GROUPS.get(flag["domain"], flag["domain"])) for flag in met]
            lines.append(
                {
                    "indicator": indicator,
                    "name": NAMES[indicator],
                    "n": len(met),
                    "where": "、".join(where[:NAMED]) + ("等" if len(where) > NAMED else ""),
                    "blind": BLIND[indicator],
                    "honest": HONEST[indicator],
                }
            )
    return sorted(lines, key=lambda line: -line["n"])


def coached_lines(results: dict[str, Any]) -> list[dict[str, Any]]:
    """What each group said when asked whether somebody had told them what to choose."""
    return [row for row in results.get("facts") or () if row.get("role") == "quality"]


async def _page(
    request: AnyRequest,
    row: WaveRow,
    refusal: SurveyError | None = None,
    typed: dict[str, str] | None = None,
) -> Response[str]:
    opened, sample = state_reached(row.state, "opened"), await load_sample(row.wave)
    names = {
        draw.domain: f"{draw.school_name} {GROUPS.get(draw.group, draw.group)}".strip() for draw in sample.domains
    }
    results = await find_results(row.wave) if opened else None
    flags = list((results or {}).get("flags") or ())
    draws = sample.by_domain
    return console_page(
        request,
        "flags.html",
        title="质量标记",
        crumbs=wave_crumbs(row),
        command=f"survey flags {row.wave}"
        if opened
        else f"survey alarms {row.wave}\nsurvey void {row.wave} 2136000123-P --reason 理由",
        row=row,
        tabs=tabs_of(row, "/flags"),
        status=status_of(refusal) if refusal else 200,
        opened=opened,
        results=results,
        flags=flags,
        rules=rule_lines(flags, names),
        coached=coached_lines(results or {}),
        without=next(
            (one for one in (results or {}).get("beside") or () if one.get("what") == "without_flagged_domains"),
            None,
        ),
        alarms=[] if opened else [
            (draws.get(alarm.domain), alarm, alarm_words(alarm, exact=row.state == "closed"))
            for alarm in await alarms_in_sight(request.app.state.office, row.wave)
        ],
        alarm_names=NAMES,
        alarm_blind=BLIND,
        voided=await list_voided(row.wave),
        names=names,
        groups={key: name for key, name in GROUPS.items() if any(draw.group == key for draw in sample.domains)},
        voidable=row.state in BEFORE_OPENING,
        typed=typed or {},
        refusal=refusal,
        asks_name=True,
        **signing_keys(request.app.state.settings),
    )  # fmt: skip


def alarm_words(alarm: Flag, *, exact: bool) -> str:
    """An alarm in words; while the wave runs no small count is told."""
    return alarm.text if exact else f"声明“没填过”的{shown_count(int(alarm.value))}份，多于{alarm.limit}份的界限"
