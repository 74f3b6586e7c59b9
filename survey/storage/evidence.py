"""Signed documents and their notes, by wave and file name; written once, never changed.

What is signed is a byte string, so the text that comes out is the text that went in. A
correction is another document under another name (`statement-2.json`) that says what it
supersedes; both stay.
"""

from __future__ import annotations

from datetime import datetime
from functools import reduce
from operator import or_

from survey.canonical import sha256_hex
from survey.errors import SurveyError
from survey.storage.current import transaction
from survey.storage.tables import Evidence


class EvidenceExistsError(SurveyError):
    """Another text stands under that name."""

    code = "storage.evidence_exists"
    kind = "conflict"

    def __init__(self, wave: str, name: str) -> None:
        super().__init__(
            f"调查 {wave} 的 {name}", "已经有另一份内容", "签过的文件不能替换，只能另发一份并注明替代关系"
        )


class EvidenceMissingError(SurveyError):
    """No text stands under that name."""

    code = "storage.evidence_missing"
    kind = "not_found"

    def __init__(self, wave: str, name: str) -> None:
        super().__init__(f"调查 {wave} 的 {name}", "还没有", "先完成产生这份文件的那一步")


async def save_evidence(wave: str, name: str, text: str, *, now: datetime) -> None:
    """Keep a text for good; the same text again changes nothing.

    Raises:
        EvidenceExistsError: another text stands under that name.
    """
    async with transaction():
        found = await find_evidence(wave, name)
        if found == text:
            return
        if found is not None:
            raise EvidenceExistsError(wave, name)
        await Evidence.insert(
            Evidence(wave=wave, name=name, text=text, digest=sha256_hex(text.encode()), saved_at=now)
        )


async def evidence_digests(*names: str) -> dict[str, dict[str, str]]:
    """Wave → name → digest of the texts whose name begins with one of these, in one query."""
    rows = await Evidence.select(Evidence.wave, Evidence.name, Evidence.digest).where(
        reduce(or_, (Evidence.name.like(f"{name}%") for name in names))
    )
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        found.setdefault(row["wave"], {})[row["name"]] = row["digest"]
    return found


async def find_evidence(wave: str, name: str) -> str | None:
    """The text under that name, or None."""
    rows = await Evidence.select(Evidence.text).where(Evidence.wave == wave, Evidence.name == name)
    return rows[0]["text"] if rows else None


async def load_evidence(wave: str, name: str) -> str:
    """The text under that name; refuses when there is none."""
    text = await find_evidence(wave, name)
    if text is None:
        raise EvidenceMissingError(wave, name)
    return text


async def list_evidence(wave: str) -> tuple[str, ...]:
    """The names of all texts of a wave."""
    rows = await Evidence.select(Evidence.name).where(Evidence.wave == wave).order_by(Evidence.name)
    return tuple(row["name"] for row in rows)
