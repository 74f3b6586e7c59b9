"""Let an outside program stamp signed notes: an RFC 3161 time stamp, an SM2 line, whatever an office must have.

The program named by SURVEY_STAMP_COMMAND gets the note's bytes on its standard input, the
note's name as its last argument, and writes the stamp to its standard output. The stamp is
kept beside the note and rides in the public bundle as an attachment whose digest the statement
carries. This product does not check it and claims no compliance by it; who needs it brings the
means to check it.
"""

from __future__ import annotations

import base64
import shlex
import subprocess
from asyncio import to_thread
from datetime import datetime

from survey.errors import SurveyError
from survey.settings import Settings
from survey.storage.audit import record_audit
from survey.storage.evidence import find_evidence, save_evidence

STAMPED = ("plan.note", "closing.note")
PATIENCE_SECONDS = 60
LARGEST_STAMP = 256 * 1024


class StampFailedError(SurveyError):
    """The outside program did not give a stamp."""

    code = "stamps.failed"
    kind = "conflict"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"{name}的外部签章",
            f"没有拿到（{reason}）",
            "修好 SURVEY_STAMP_COMMAND 指的程序再做一次，或者不设它",
        )


def stamp_name(note: str) -> str:
    """The file name of a note's stamp."""
    return f"{note}.stamp"


async def stamp_notes(settings: Settings, wave: str, *, actor: str, now: datetime) -> list[str]:
    """Have every note stamped that is signed and has no stamp yet; nothing to do without a program.

    Raises:
        StampFailedError: the program failed; the notes stand as they are.
    """
    made = []
    for name in STAMPED if settings.stamp_command else ():
        note = await find_evidence(wave, name)
        if note is None or await find_evidence(wave, stamp_name(name)) is not None:
            continue
        stamp = await to_thread(_run, str(settings.stamp_command), name, note.encode())
        await save_evidence(wave, stamp_name(name), base64.b64encode(stamp).decode(), now=now)
        await record_audit(actor, "stamp_note", wave, details={"note": name}, now=now)
        made.append(name)
    return made


async def stamp_now(settings: Settings, wave: str, *, actor: str, now: datetime) -> None:
    """The same right after signing; a program that fails is noted, and asked again before certifying."""
    try:
        await stamp_notes(settings, wave, actor=actor, now=now)
    except StampFailedError as error:
        await record_audit(actor, "stamp_note", wave, "refused", details={"why": error.code}, now=now)


async def load_stamps(wave: str) -> dict[str, bytes]:
    """The stamps of a wave by file name."""
    stamps = {}
    for name in map(stamp_name, STAMPED):
        if (text := await find_evidence(wave, name)) is not None:
            stamps[name] = base64.b64decode(text)
    return stamps


def _run(command: str, name: str, note: bytes) -> bytes:
    """What the program writes for one note."""
    try:
        done = subprocess.run(
            [*shlex.split(command), name],
            input=note,
            capture_output=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise StampFailedError(name, type(error).__name__) from error
    if done.returncode or not 0 < len(done.stdout) <= LARGEST_STAMP:
        raise StampFailedError(name, f"退出码{done.returncode}，{len(done.stdout)}字节")
    return done.stdout
