"""Plans while they are being typed: every field as it stands on the page, right or wrong.

A draft is saved at each step, so that nothing typed is lost; its version tells two people who
have the same draft open apart. It becomes a wave's plan only when it is read without a fault.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from survey.canonical import decode, encode
from survey.errors import SurveyError
from survey.storage.current import transaction
from survey.storage.tables import PlanDrafts

MOST_BYTES = 2 * 1024 * 1024


class DraftNotFoundError(SurveyError):
    """There is no such draft, or it belongs to another branch."""

    code = "storage.draft_not_found"
    kind = "not_found"

    def __init__(self) -> None:
        super().__init__("计划草稿", "没有找到，可能已经建成调查或被删掉", "回到“调查”，从那里打开或新建")


class DraftMovedError(SurveyError):
    """Somebody saved the draft since this page was opened."""

    code = "storage.draft_moved"
    kind = "conflict"

    def __init__(self, saved_by: str) -> None:
        super().__init__("计划草稿", f"打开以后被{saved_by}改过", "对照两边的内容，再存一次")


@dataclass(frozen=True)
class PlanDraft:
    """One draft; `wave` names the wave whose unsigned plan it changes, None for a new one."""

    draft: str
    wave: str | None
    owner: str
    county_code: str
    fields: Mapping[str, str]
    version: int
    saved_by: str
    saved_at: datetime


async def add_draft(
    owner: str, fields: Mapping[str, str], *, wave: str | None = None, now: datetime
) -> PlanDraft:
    """A new draft, under a name nobody can guess."""
    draft = PlanDraft(secrets.token_hex(8), wave, owner, _code(fields), dict(fields), 1, owner, now)
    await PlanDrafts.insert(
        PlanDrafts(
            draft=draft.draft,
            wave=wave,
            owner=owner,
            county_code=draft.county_code,
            fields=encode(dict(fields)).decode(),
            version=1,
            saved_by=owner,
            saved_at=now,
        )
    )
    return draft


async def save_draft(
    draft: str, fields: Mapping[str, str], *, expected: int, saved_by: str, now: datetime
) -> int:
    """Keep all fields of a draft, if nobody saved it since version `expected`; the new version.

    Raises:
        DraftNotFoundError: it is gone. DraftMovedError: somebody else saved it meanwhile.
    """
    async with transaction():
        kept = (
            await PlanDrafts.update(
                {
                    PlanDrafts.fields: encode(dict(fields)).decode(),
                    PlanDrafts.county_code: _code(fields),
                    PlanDrafts.version: expected + 1,
                    PlanDrafts.saved_by: saved_by,
                    PlanDrafts.saved_at: now,
                }
            )
            .where(PlanDrafts.draft == draft, PlanDrafts.version == expected)
            .returning(PlanDrafts.draft)
        )
        if not kept:
            raise DraftMovedError((await load_draft(draft)).saved_by)
    return expected + 1


async def load_draft(draft: str) -> PlanDraft:
    """A draft as it was saved last.

    Raises:
        DraftNotFoundError: there is none of that name.
    """
    rows = await PlanDrafts.select().where(PlanDrafts.draft == draft)
    if not rows:
        raise DraftNotFoundError
    return _draft(rows[0])


async def find_draft_of(wave: str) -> PlanDraft | None:
    """The draft that changes the plan of a wave, if one is open."""
    rows = await PlanDrafts.select().where(PlanDrafts.wave == wave)
    return _draft(rows[0]) if rows else None


async def list_drafts() -> tuple[PlanDraft, ...]:
    """Every draft, the newest first."""
    rows = await PlanDrafts.select().order_by(PlanDrafts.saved_at, ascending=False)
    return tuple(_draft(row) for row in rows)


async def delete_draft(draft: str) -> None:
    """Drop a draft that has become a plan, or that nobody wants."""
    await PlanDrafts.delete().where(PlanDrafts.draft == draft)


def _code(fields: Mapping[str, str]) -> str:
    """The county's code as it was typed, without what a database refuses."""
    return "".join(sign for sign in fields.get("county_code", "") if sign.isprintable())


def _draft(row: dict[str, object]) -> PlanDraft:
    fields = decode(str(row["fields"]).encode(), MOST_BYTES)
    return PlanDraft(**{**row, "fields": fields})
