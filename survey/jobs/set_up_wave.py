"""Set a wave up on pages: begin a draft, save each step, read it, and make it a plan.

A draft belongs to whoever began it until it names a county; from then on everybody of that
branch may go on with it. Making the plan asks once more whether the county lies in the
account's branch, so nobody can plant a wave elsewhere or replace another's plan by its name.
"""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from survey import canonical
from survey.documents.emblem import data_address
from survey.errors import FaultsError, SurveyError
from survey.jobs.create_wave import create_wave
from survey.jobs.instrument_file import issued_document
from survey.scheme.divisions import is_under
from survey.scheme.lint import lint_draft
from survey.scheme.plan import Plan, example_plan_text, plan_document, read_plan
from survey.scheme.plan_draft import Placed, Reading, read_fields
from survey.scheme.plan_fields import (
    fields_from,
    first_fields,
    group_fields,
    issued_forms,
    scheme_of_fields,
    usual_dates,
)
from survey.scheme.plan_form import OWN, sections_of
from survey.scheme.presets import read_scheme
from survey.scheme.scheme import Scheme
from survey.scheme.yaml_text import read_plain
from survey.settings import Settings
from survey.storage.accounts import Account
from survey.storage.branch import everywhere
from survey.storage.current import take_turn, transaction
from survey.storage.divisions import local_divisions, may_reach, waves_of
from survey.storage.plan_drafts import (
    DraftMovedError,
    DraftNotFoundError,
    PlanDraft,
    add_draft,
    delete_draft,
    find_draft_of,
    list_drafts,
    load_draft,
    save_draft,
)
from survey.storage.plans import list_waves, load_plan, require_state
from survey.storage.states import BEFORE_SIGNING, WaveNotFoundError

CHINA = timezone(timedelta(hours=8))
SAMPLE = "sample"
"""What a draft may be begun from beside an earlier wave: the sample county's plan."""
OF_GROUPS = ("ask", "form", "mode", "instrument", "from_grade", "everybody")
OF_SCHEME = (*OF_GROUPS, "confirm", "figure")
NOT_COPIED = ("wave", "title", "opens_on", "closes_on", "results_on", "base_url", "demonstration")


async def begin_draft(settings: Settings, account: Account, like: str, *, now: datetime) -> PlanDraft:
    """A new draft: with sensible choices, like an earlier wave, or like the sample county.

    Raises:
        WaveNotFoundError: the earlier wave is not there, or lies in another branch.
    """
    today = now.astimezone(CHINA).date()
    fields = first_fields(today, settings.base_url)
    if like == SAMPLE:
        fields = {**fields_from(read_plan(example_plan_text())), "base_url": settings.base_url}
        fields |= {key: value for key, value in first_fields(today, "").items() if key.endswith("_on")}
        del fields["wave"]
    elif like:
        if not await may_reach(account, like):
            raise WaveNotFoundError(like)
        earlier = fields_from(await load_plan(like))
        kept = {
            key: value
            for key, value in earlier.items()
            if key not in NOT_COPIED and not key.startswith(("confirm.", "approval."))
        }
        fields = {
            key: value for key, value in fields.items() if key.partition(".")[0] not in (*OF_GROUPS, "lang")
        } | kept
    return await add_draft(account.name, fields, now=now)


async def change_plan(account: Account, wave: str, *, now: datetime) -> PlanDraft:
    """The draft that changes a wave's unsigned plan; begun when there is none.

    Raises:
        WrongStateError: the plan is signed.
    """
    await require_state(wave, BEFORE_SIGNING)
    if (open_one := await find_draft_of(wave)) is not None:
        return open_one
    return await add_draft(account.name, fields_from(await load_plan(wave)), wave=wave, now=now)


async def drafts_of(account: Account) -> tuple[PlanDraft, ...]:
    """The drafts an account may go on with, the newest first."""
    drafts = await list_drafts()
    if not account.divisions:
        return drafts
    reached = {row.wave for row in await waves_of(account)}
    local = await local_divisions()
    return tuple(
        draft
        for draft in drafts
        if (
            draft.wave in reached
            if draft.wave is not None
            else draft.owner == account.name or is_under(draft.county_code, account.divisions, local)
        )
    )


async def open_draft(account: Account, name: str) -> PlanDraft:
    """A draft, for whoever may go on with it.

    Raises:
        DraftNotFoundError: it is not there, or lies in another branch.
    """
    draft = await load_draft(name)
    if not await _is_open_to(account, draft):
        raise DraftNotFoundError
    return draft


async def read_draft(account: Account, draft: PlanDraft) -> Reading:
    """What a draft amounts to now, with what this account may not do among its faults."""
    with everywhere():
        taken = {row.wave for row in await list_waves()} - {draft.wave}
    reading = await to_thread(read_fields, draft.fields, taken)
    code = draft.fields.get("county_code", "").strip()
    if not account.divisions or not code or any(one.field == "county_code" for one in reading.faults):
        return reading
    if await _in_branch(account, code):
        return reading
    fault = Placed(
        2, "county_code", "这个区县不在您管的区划里", "换成本区划的代码，或请管理员来建", "plan.other_branch"
    )
    return replace(reading, plan=None, faults=(*reading.faults, fault))


async def save_step(
    account: Account,
    draft: PlanDraft,
    step: int,
    typed: Mapping[str, str],
    files: Mapping[str, tuple[str, bytes]],
    *,
    expected: int,
    now: datetime,
) -> tuple[PlanDraft, tuple[Placed, ...]]:
    """Keep what was typed at a step, right or wrong; the draft after it, and faults of its files.

    Args:
        typed: field name to text; a field of the step that is absent was emptied.
        files: field name to file name and bytes.
        expected: the version the page was drawn from.

    Raises:
        DraftMovedError: somebody saved the draft meanwhile.
    """
    if expected != draft.version:
        raise DraftMovedError(draft.saved_by)
    scheme, issued = scheme_of_fields(draft.fields), issued_forms(draft.fields)
    asked = [one for section in sections_of(step, scheme, draft.fields, issued) for one in section.fields]
    fields = dict(draft.fields)
    for one in asked:
        if one.kind != "file":
            text = typed.get(one.name, "").replace("\r\n", "\n").strip()
            fields[one.name] = text[: one.most]
    fields[f"seen.{step}"] = "1"
    faults = []
    for name, (filename, data) in files.items():
        try:
            fields |= await to_thread(_from_file, name, filename, data, fields)
        except SurveyError as refusal:
            faults += [*_file_faults(step, name, filename, refusal), *_unsaid(step, name, filename, data)]
    if draft.wave is not None:
        fields["wave"] = draft.wave
    if fields.get("scheme") != draft.fields.get("scheme"):
        fields = _with_scheme(fields, scheme)
    fields = {name: text for name, text in fields.items() if text}
    version = await save_draft(draft.draft, fields, expected=expected, saved_by=account.name, now=now)
    code = fields.get("county_code", "")
    return (
        replace(draft, fields=fields, version=version, saved_by=account.name, saved_at=now, county_code=code),
        tuple(faults),
    )


async def finish_draft(account: Account, draft: PlanDraft, *, now: datetime) -> Plan:
    """Make the draft a wave's plan; the draft is gone afterwards.

    Raises:
        FaultsError: it still has faults. WrongStateError: the wave's plan was signed meanwhile.
    """
    async with transaction():
        # Of two who finish drafts at once, the second sees the first's wave and its name as taken.
        await take_turn("plans")
        reading = await read_draft(account, await load_draft(draft.draft))
        if reading.plan is None:
            raise UnfinishedDraftError(reading)
        plan = reading.plan
        await create_wave(canonical.encode(plan_document(plan)), actor=account.name, now=now)
        await delete_draft(draft.draft)
    return plan


class UnfinishedDraftError(SurveyError):
    """The draft cannot become a plan yet."""

    code = "plan.unfinished"
    kind = "invalid"

    def __init__(self, reading: Reading) -> None:
        super().__init__("计划草稿", f"还有{len(reading.faults)}处要改", "逐处改好，再建成调查")


async def drop_draft(draft: PlanDraft) -> None:
    """Throw a draft away; the wave it would have changed stays as it is."""
    await delete_draft(draft.draft)


async def _is_open_to(account: Account, draft: PlanDraft) -> bool:
    if not account.divisions:
        return True
    if draft.wave is not None:
        return await may_reach(account, draft.wave)
    return draft.owner == account.name or await _in_branch(account, draft.county_code)


async def _in_branch(account: Account, code: str) -> bool:
    return is_under(code, account.divisions, await local_divisions())


def _from_file(name: str, filename: str, data: bytes, fields: Mapping[str, str]) -> dict[str, str]:
    """The fields that a file fills."""
    if name == "emblem_file":
        return {"emblem": data_address(data)}
    if name == "scheme_file":
        scheme = read_scheme(read_plain(data, "方案"))
        return {"scheme": OWN, "adopted_scheme": canonical.encode(dict(scheme.document)).decode()}
    document = issued_document(data, filename)
    text = fields.get("adopted_instruments", "")
    documents = dict(canonical.decode(text.encode())) if text else {}
    documents[str(document["id"])] = document
    return {"adopted_instruments": canonical.encode(documents).decode()}


def _file_faults(step: int, name: str, filename: str, refusal: SurveyError) -> list[Placed]:
    if isinstance(refusal, FaultsError):
        return [Placed(step, name, f"{filename}：{one}", "", one.code) for one in refusal.faults[:50]]
    return [Placed(step, name, f"{filename}：{refusal.reason}", refusal.remedy, refusal.code)]


def _unsaid(step: int, name: str, filename: str, data: bytes) -> list[Placed]:
    """What a scheme that cannot be read yet leaves unsaid, in a county's words beside the schema's."""
    if name != "scheme_file":
        return []
    try:
        warnings = lint_draft(read_plain(data, "方案"))
    except SurveyError:
        return []
    return [Placed(step, name, f"{filename}：{one.text}", "在方案文件里写明", one.code) for one in warnings]


def _with_scheme(fields: Mapping[str, str], before: Scheme) -> dict[str, str]:
    """The fields after another scheme was chosen: its groups, its questions and its usual days."""
    scheme = scheme_of_fields(fields)
    kept = {key: text for key, text in fields.items() if key.partition(".")[0] not in OF_SCHEME}
    kept |= group_fields(scheme, issued_forms(fields))
    opens_on = fields.get("opens_on", "")
    if kept.get("closes_on") == usual_dates(opens_on, before).get("closes_on"):
        kept |= usual_dates(opens_on, scheme)
    return kept
