"""Questions read aloud to pupils: taken in before the plan is signed, pinned by it, and never changed after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from survey import canonical
from survey.errors import SurveyError
from survey.scheme.instrument import Instrument
from survey.scheme.plan import Plan, instrument_of, scheme_of
from survey.scheme.recording import Recording, read_recordings, recordable, recordings_document
from survey.storage.audit import record_audit
from survey.storage.current import transaction
from survey.storage.evidence import find_evidence
from survey.storage.plans import load_plan, require_state
from survey.storage.recordings import find_recording, list_recordings, save_recordings
from survey.storage.states import BEFORE_SIGNING

EVIDENCE = "recordings.json"
"""Names and digests of the recordings a wave plays, kept with its signed plan."""
PUPILS = "student"


class NoPupilsError(SurveyError):
    """The wave asks no pupils, and nobody else is read to."""

    code = "recording.no_pupils"
    kind = "conflict"

    def __init__(self, wave: str) -> None:
        super().__init__(f"调查 {wave}", "没有学生问卷，用不上录音", "只有学生问卷有“读给我听”")


@dataclass(frozen=True)
class Recorded:
    """What a wave has read aloud, and which questions it has not."""

    names: tuple[str, ...]
    silent: tuple[str, ...]


async def record_questions(wave: str, files: Mapping[str, bytes], *, actor: str, now: datetime) -> Recorded:
    """Keep these recordings as all that the wave has.

    Args:
        files: file name to content; none takes all recordings away.

    Raises:
        FaultsError: every file that cannot be used. WrongStateError: the plan is signed.
        NoPupilsError: the wave asks no pupils.
    """
    await require_state(wave, BEFORE_SIGNING)
    plan = await load_plan(wave)
    instruments = _pupils_forms(plan)
    recordings = read_recordings(files, instruments, plan.languages)
    async with transaction():
        await save_recordings(wave, recordings)
        await record_audit(actor, "record_questions", wave, details={"count": len(recordings)}, now=now)
    return await recorded(wave)


async def recorded(wave: str) -> Recorded:
    """How far the recordings of a wave have come.

    Raises:
        NoPupilsError: the wave asks no pupils.
    """
    items, _ = recordable(_pupils_forms(await load_plan(wave)))
    names = tuple(await list_recordings(wave))
    return Recorded(names, tuple(sorted(items - set(names))))


async def recordings_to_pin(plan: Plan) -> dict[str, Any] | None:
    """The document of the recordings a plan is signed with; None when it has none."""
    if plan.group(PUPILS) is None:
        return None
    items, _ = recordable(_pupils_forms(plan))
    found = await list_recordings(plan.wave)
    asked = {name: digest for name, digest in found.items() if name.partition(".")[0] in items}
    return recordings_document(asked) if asked else None


async def pinned_recordings(wave: str) -> Mapping[str, str]:
    """The recordings a wave was signed with, name to digest; none when they are not those of its plan."""
    text, plan = await find_evidence(wave, EVIDENCE), await find_evidence(wave, "plan.json")
    if text is None or plan is None:
        return {}
    signed = canonical.decode(plan.encode()).get("recordings_digest")
    found: Mapping[str, str] = canonical.decode(text.encode())["recordings"]
    return found if signed == canonical.digest(recordings_document(found)) else {}


async def play(wave: str, name: str, digest: str) -> Recording | None:
    """A recording, if it is still the one of that digest."""
    found = await find_recording(wave, name)
    return found if found is not None and found.digest == digest else None


def _pupils_forms(plan: Plan) -> list[Instrument]:
    entry = plan.group(PUPILS)
    if entry is None:
        raise NoPupilsError(plan.wave)
    scheme = scheme_of(plan)
    stages = [None if stage == "all" else stage for stage in entry.instruments]
    forms = (instrument_of(plan, scheme, PUPILS, stage) for stage in stages)
    return [form for form in forms if form is not None]
