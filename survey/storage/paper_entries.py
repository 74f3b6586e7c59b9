"""First passes of paper forms, each sealed to a key that lies outside the database.

Nobody reads an answer before opening; so what the first clerk typed waits sealed, is opened
in memory when the second has typed the same form, and is removed when the form is taken in.
One row a slip, and no time beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from survey.storage.tables import PaperEntries


@dataclass(frozen=True)
class PaperEntry:
    """A sealed first pass."""

    slip: str
    clerk: str
    c: bytes
    box: bytes


async def find_entry(wave: str, slip: str) -> PaperEntry | None:
    """The first pass of a slip, or None."""
    rows = await PaperEntries.select().where(PaperEntries.wave == wave, PaperEntries.slip == slip)
    if not rows:
        return None
    row = rows[0]
    return PaperEntry(row["slip"], row["clerk"], bytes.fromhex(row["c"]), bytes.fromhex(row["box"]))


async def save_entry(wave: str, entry: PaperEntry, *, on: date) -> None:
    """Keep a first pass; a clerk who types the same form again replaces their own."""
    await PaperEntries.delete().where(
        PaperEntries.wave == wave, PaperEntries.slip == entry.slip, PaperEntries.clerk == entry.clerk
    )
    await PaperEntries.insert(
        PaperEntries(
            wave=wave,
            slip=entry.slip,
            clerk=entry.clerk,
            c=entry.c.hex(),
            box=entry.box.hex(),
            entered_on=on.isoformat(),
        )
    )


async def remove_entry(wave: str, slip: str) -> None:
    """Forget a first pass: its form was taken in."""
    await PaperEntries.delete().where(PaperEntries.wave == wave, PaperEntries.slip == slip)


async def count_entries(wave: str) -> dict[str, int]:
    """Clerk to number of forms that wait for somebody else's second pass."""
    counts: dict[str, int] = {}
    for row in await PaperEntries.select(PaperEntries.clerk).where(PaperEntries.wave == wave):
        counts[row["clerk"]] = counts.get(row["clerk"], 0) + 1
    return counts
