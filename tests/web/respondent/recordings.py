"""Sound that a browser plays, and how a signed plan leaves its recordings behind."""

from __future__ import annotations

import struct

from survey.canonical import digest, encode
from survey.jobs.record_questions import EVIDENCE
from survey.scheme.instrument import load_instrument
from survey.scheme.recording import read_recordings, recordings_document
from survey.storage.evidence import save_evidence
from survey.storage.recordings import save_recordings

from .ground import NOW, WAVE, Ground

PUPILS = (load_instrument("students_g4_6"), load_instrument("students_g3"), load_instrument("students_g7_9"))


def wav(seconds: float = 0.3) -> bytes:
    """Silence that every browser plays: 8 kHz, one channel, eight bits."""
    sound = b"\x80" * int(8000 * seconds)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 8000, 1, 8)
    return (
        b"RIFF"
        + struct.pack("<I", 36 + len(sound))
        + b"WAVE"
        + form
        + b"data"
        + struct.pack("<I", len(sound))
        + sound
    )


async def pin(laid: Ground, files: dict[str, bytes]) -> None:
    """Recordings as a signed plan leaves them behind."""
    found = read_recordings(files, PUPILS, laid.plan.languages)
    document = recordings_document({one.name: one.digest for one in found})
    await save_recordings(WAVE, found)
    await save_evidence(WAVE, EVIDENCE, encode(document).decode(), now=NOW)
    await save_evidence(WAVE, "plan.json", encode({"recordings_digest": digest(document)}).decode(), now=NOW)
