"""Who answers for a line of the launch checklist that no program can see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from survey.storage.current import transaction
from survey.storage.tables import LaunchTicks


@dataclass(frozen=True)
class Tick:
    """One line, who answers for it, since when, and what they wrote beside it."""

    item: str
    person: str
    note: str
    ticked_at: datetime


async def list_ticks(wave: str) -> dict[str, Tick]:
    """The ticked lines of a wave, by item."""
    rows = await LaunchTicks.select().where(LaunchTicks.wave == wave)
    return {row["item"]: Tick(row["item"], row["person"], row["note"], row["ticked_at"]) for row in rows}


async def save_tick(wave: str, item: str, person: str, note: str, *, now: datetime) -> None:
    """Tick a line, in place of an earlier tick."""
    async with transaction():
        await delete_tick(wave, item)
        await LaunchTicks.insert(LaunchTicks(wave=wave, item=item, person=person, note=note, ticked_at=now))


async def delete_tick(wave: str, item: str) -> None:
    """Take a tick back."""
    await LaunchTicks.delete().where(LaunchTicks.wave == wave, LaunchTicks.item == item)
