"""Backups that were made and verified: when, how large, with how many answers; never where they lie."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from survey.storage.tables import Backups


@dataclass(frozen=True)
class BackupRow:
    """One backup."""

    digest: str
    made_at: datetime
    size: int
    answers: int


async def save_backup(row: BackupRow) -> None:
    """Keep that a backup was made."""
    await Backups.insert(
        Backups(digest=row.digest, made_at=row.made_at, size=row.size, answers=row.answers)
    )


async def find_last_backup() -> BackupRow | None:
    """The newest backup, None when there is none."""
    rows = await Backups.select().order_by(Backups.made_at, ascending=False).limit(1)
    return BackupRow(**rows[0]) if rows else None
