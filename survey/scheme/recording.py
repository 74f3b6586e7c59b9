"""A question read aloud: a short recording named after its item, checked before anybody hears it.

Files enter as name and bytes, `Recording`s leave. `SA01.mp3` is the Chinese of item SA01,
`SA01.ug.mp3` its Uyghur. The first bytes decide the kind, never the ending of the name, since
a page serves the file to children's phones (UX section 8).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from survey.errors import Fault, FaultsError
from survey.scheme.instrument import Instrument

TYPE = "survey/recordings/v1"
MOST_BYTES = 40 * 1024
ENDINGS = frozenset({"wav", "mp3", "m4a", "mp4", "opus", "ogg"})
M4A_BRANDS = (b"M4A ", b"M4B ", b"mp41", b"mp42", b"isom", b"iso2", b"dash")
SOURCE = "zh"


@dataclass(frozen=True)
class Recording:
    """One question read aloud."""

    name: str
    """The item, and the language where it is not Chinese: `SA01`, `SA01.ug`."""
    content: bytes

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes."""
        return sha256(self.content).hexdigest()

    @property
    def kind(self) -> str:
        """The media type; empty where the bytes are no sound we serve."""
        return kind_of(self.content)


def kind_of(content: bytes) -> str:
    """The media type that the first bytes tell, empty for anything else.

    >>> kind_of(b"RIFF\\x24\\x08\\x00\\x00WAVEfmt "), kind_of(b"ID3\\x04"), kind_of(b"<html>")
    ('audio/wav', 'audio/mpeg', '')
    """
    if content[:4] == b"RIFF" and content[8:12] == b"WAVE":
        return "audio/wav"
    if content[:3] == b"ID3" or _is_mp3_frame(content[:4]):
        return "audio/mpeg"
    if content[4:8] == b"ftyp" and content[8:12] in M4A_BRANDS:
        return "audio/mp4"
    if content[:4] == b"OggS" and content[28:36] == b"OpusHead":
        return "audio/ogg"
    return ""


def _is_mp3_frame(head: bytes) -> bool:
    """Eleven bits of synchronisation, layer III, and neither bit rate nor sampling rate forbidden."""
    return (
        len(head) == 4
        and head[0] == 0xFF
        and head[1] & 0xE6 == 0xE2
        and head[2] >> 4 not in (0, 15)
        and head[2] >> 2 & 3 != 3
    )


def recording_name(item: str, language: str) -> str:
    """What a recording of an item in a language is called.

    >>> recording_name("SA01", "zh"), recording_name("SA01", "ug")
    ('SA01', 'SA01.ug')
    """
    return item if language == SOURCE else f"{item}.{language}"


def recordable(instruments: Iterable[Instrument]) -> tuple[frozenset[str], frozenset[str]]:
    """The items that may be read aloud, and those that two forms word differently under one number."""
    wordings: dict[str, set[str]] = {}
    for instrument in instruments:
        for item in instrument.items:
            wordings.setdefault(item.id, set()).add(item.text[SOURCE])
    twofold = frozenset(name for name, texts in wordings.items() if len(texts) > 1)
    return frozenset(wordings) - twofold, twofold


def read_recordings(
    files: Mapping[str, bytes], instruments: Iterable[Instrument], languages: Iterable[str]
) -> tuple[Recording, ...]:
    """The recordings in some files, by name.

    Args:
        files: file name to content.
        instruments: the forms that pupils of this wave answer.

    Raises:
        FaultsError: every fault at once, each with its file.
    """
    items, twofold = recordable(instruments)
    spoken = frozenset(languages) | {SOURCE}
    faults: list[Fault] = []
    found: dict[str, Recording] = {}
    for file, content in sorted(files.items()):
        stem, _, ending = file.rpartition(".")
        item, _, language = stem.partition(".")
        name = recording_name(item, language or SOURCE)
        faulty = _fault(file, content, ending, item in items, item in twofold, (language or SOURCE) in spoken)
        if not faulty and name in found:
            faulty = Fault("recording.twice", f"“{name}”有两个录音", "只留一个", item=file)
        if faulty:
            faults.append(faulty)
        found[name] = Recording(name, content)
    if faults:
        raise FaultsError("题目录音", tuple(faults))
    return tuple(found.values())


def _fault(
    file: str, content: bytes, ending: str, is_item: bool, is_twofold: bool, is_spoken: bool
) -> Fault | None:
    if is_twofold:
        why = "两套学生问卷里这个题号的题目不一样", "改题号，或不放这一题的录音"
        return Fault("recording.twofold", *why, item=file)
    if not is_item:
        why = "文件名不是学生问卷里的题号", "文件名写成 题号.mp3，如 SA01.mp3；其他语言写成 SA01.ug.mp3"
        return Fault("recording.unknown_item", *why, item=file)
    if not is_spoken:
        return Fault(
            "recording.unknown_language", "计划里没有这种语言", "改文件名，或在计划里加上", item=file
        )
    if len(content) > MOST_BYTES:
        why = f"有{-(-len(content) // 1024)} KB，超过40 KB", "用单声道、每秒24千比特的MP3、M4A或Opus重存"
        return Fault("recording.too_large", *why, item=file)
    if ending.lower() not in ENDINGS or not kind_of(content):
        why = "不是能播放的录音", "存成WAV、MP3、M4A或Opus"
        return Fault("recording.unknown_kind", *why, item=file)
    return None


def recordings_document(digests: Mapping[str, str]) -> dict[str, object]:
    """What a plan pins: each recording by the digest of its bytes."""
    return {"type": TYPE, "recordings": dict(sorted(digests.items()))}
