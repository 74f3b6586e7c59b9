"""Keep the problem ledger of a certified wave: take a problem up, act on it, ask what is weak."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from survey.errors import SurveyError
from survey.followup.findings import Finding, falls, weak_points
from survey.followup.ledger import LedgerEntry, new_entry, take_act
from survey.followup.published import NotComparableError
from survey.followup.themes import ThemeRow, theme_rows
from survey.jobs.revocations import withdrawn
from survey.storage.areas import areas_of, areas_under
from survey.storage.audit import record_audit
from survey.storage.board import count_released
from survey.storage.branch import is_below_county
from survey.storage.current import transaction
from survey.storage.frames import find_frame
from survey.storage.ledger import add_entry, list_entries, load_entry, next_number, save_entry
from survey.storage.plans import list_waves, load_wave, require_state
from survey.storage.results import load_published


class AboutNobodyError(SurveyError):
    """No school of the frame and no area of the county has this code."""

    code = "ledger.about_nobody"
    kind = "invalid"

    def __init__(self, about: str) -> None:
        super().__init__(
            "新问题",
            f"“{about[:20]}”不是名册里的学校，也不是本县的督学责任区",
            "写10位学校标识码，或360828-02这样的责任区代码；全县的问题空着",
        )


@dataclass(frozen=True)
class Findings:
    """What a certified wave gives the ledger, and why a fall could not be looked for."""

    weak: tuple[Finding, ...]
    fallen: tuple[Finding, ...]
    compared_with: str | None
    why_not_compared: str


async def findings_of(wave: str) -> Findings:
    """Weak rows of a certified wave, and falls since the county's certified wave before it.

    Raises:
        WrongStateError: the wave is not certified.
    """
    row = await require_state(wave, "certified")
    earlier = [
        one
        for one in await list_waves()
        if one.county == row.county
        and one.state == "certified"
        and one.created_at < row.created_at
        and one.demonstration == row.demonstration
    ]
    gone = await withdrawn([one.wave for one in earlier])
    earlier = [one for one in earlier if one.wave not in gone]
    before = max(earlier, key=lambda one: one.created_at) if earlier else None
    published = await load_published([wave, *([before.wave] if before else [])])
    weak = weak_points(published[wave])
    if before is None:
        return Findings(weak, (), None, "这个县没有更早的、已签发的调查")
    try:
        return Findings(weak, falls(published[before.wave], published[wave]), before.wave, "")
    except NotComparableError as refusal:
        return Findings(weak, (), None, f"不能和 {before.wave} 比较：{refusal.reason}")


async def themes_of(wave: str) -> tuple[ThemeRow, ...]:
    """Themes of released messages that are told with their counts, the most frequent first."""
    by_theme, _ = await count_released(wave)
    return tuple(row for row in theme_rows(by_theme) if row.told is not None)


async def take_up(
    wave: str,
    source: str,
    source_key: str,
    problem: str,
    basis: str,
    *,
    about: str = "",
    actor: str,
    now: datetime,
) -> LedgerEntry:
    """Take a problem of a certified wave up into its ledger.

    Args:
        about: the code of a school in the frame or of a responsibility area; empty for the whole county.

    Raises:
        WrongStateError: the wave is not certified.
        FaultsError: problem or basis is missing, too long, or the source is unknown.
        AlreadyTakenUpError: the source is in the ledger already.
        AboutOthersError, AboutNobodyError: not a school or area of the wave, or not one's own.
    """
    await require_state(wave, "certified")
    about = about.strip().upper()
    async with transaction():
        if about and about not in await places_of(wave):
            raise AboutNobodyError(about)
        number = await next_number(wave)
        entry = new_entry(
            wave,
            number,
            source,
            source_key or f"{source}-{number}",
            problem,
            basis,
            about=about,
            who=actor,
            now=now,
        )
        await add_entry(entry)
        await record_audit(actor, "ledger_open", wave, details={"number": number, "source": source}, now=now)
    return entry


async def act_on_entry(
    wave: str,
    number: int,
    act: str,
    *,
    actor: str,
    now: datetime,
    version: int | None = None,
    **given: str | date | None,
) -> LedgerEntry:
    """Do one act to an entry of the ledger.

    Args:
        version: the version the person saw; None takes the newest.
        given: note, evidence, unit, person, due_on, measures, as `followup.ledger.take_act` takes them.

    Raises:
        EntryNotFoundError, EntryChangedError, WrongTurnError, SamePersonError, FaultsError.
    """
    await load_wave(wave)
    async with transaction():
        entry = await load_entry(wave, number)
        moved = take_act(entry, act, who=actor, now=now, **given)  # type: ignore[arg-type]
        await save_entry(moved, entry.version if version is None else version)
        details: dict[str, Any] = {"number": number, "before": entry.state, "after": moved.state}
        await record_audit(actor, f"ledger_{act}", wave, details=details, now=now)
    return moved


async def ledger_of(wave: str, area: str = "") -> tuple[LedgerEntry, ...]:
    """Every entry of a wave's ledger; refuses an unknown wave.

    Args:
        area: only what is about this responsibility area or one of its schools.
    """
    await load_wave(wave)
    entries = await list_entries(wave)
    if not area:
        return entries
    schools = {school for school, of in (await areas_of(wave)).items() if of == area}
    return tuple(one for one in entries if one.about == area or one.about in schools)


async def places_of(wave: str) -> dict[str, str]:
    """Code → name of everything that a problem of a wave may be about: areas of the county, schools listed."""
    row, frame = await load_wave(wave), await find_frame(wave)
    areas, lies_in = await areas_under(row.county_code), await areas_of(wave)
    seen = set(lies_in.values()) if is_below_county() else {one.code for one in areas}
    return {one.code: one.name for one in areas if one.code in seen} | {
        school.code: school.name for school in (frame.schools if frame else ())
    }
