"""Frames of waves, and the column maps that read an office's own sheets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from survey.canonical import decode, encode
from survey.sampling.frame import Frame
from survey.storage.areas import list_schools, own_schools
from survey.storage.current import transaction
from survey.storage.states import WaveNotFoundError
from survey.storage.tables import ColumnMaps, Frames


async def save_frame(wave: str, frame: Frame, filename: str = "", *, now: datetime) -> None:
    """Keep the frame of a wave, in place of an earlier one."""
    row: dict[Any, Any] = {
        Frames.document: encode(frame.document()).decode(),
        Frames.digest: frame.digest,
        Frames.filename: filename,
        Frames.saved_at: now,
    }
    async with transaction():
        if not await Frames.update(row).where(Frames.wave == wave).returning(Frames.wave):
            await Frames.insert(Frames({Frames.wave: wave, **row}))
        await list_schools(wave, (school.code for school in frame.schools))


async def find_frame(wave: str) -> Frame | None:
    """The frame of a wave, or None; below the county the part of it that may be seen."""
    rows = await Frames.select(Frames.document).where(Frames.wave == wave)
    frame = _frame_in(rows[0]["document"]) if rows else None
    own = await own_schools(wave)
    if frame is None or own is None:
        return frame
    return Frame(tuple(school for school in frame.schools if school.code in own))


@lru_cache(maxsize=8)
def _frame_in(text: str) -> Frame:
    """The frame of a text; the last few are remembered by the text itself, whatever its row's digest says."""
    return Frame.from_document(decode(text.encode()))


async def load_frame(wave: str) -> Frame:
    """The frame of a wave; refuses when none was imported."""
    frame = await find_frame(wave)
    if frame is None:
        raise WaveNotFoundError(f"{wave} 的学校名册")
    return frame


async def save_column_map(name: str, columns: Mapping[str, str]) -> None:
    """Remember which header means which column, under a name of the office's own."""
    document = encode(dict(columns)).decode()
    async with transaction():
        changed = (
            await ColumnMaps.update({ColumnMaps.document: document})
            .where(ColumnMaps.name == name)
            .returning(ColumnMaps.name)
        )
        if not changed:
            await ColumnMaps.insert(ColumnMaps(name=name, document=document))


async def find_column_map(name: str) -> dict[str, str] | None:
    """A remembered column map, or None."""
    rows = await ColumnMaps.select(ColumnMaps.document).where(ColumnMaps.name == name)
    return dict(decode(rows[0]["document"].encode())) if rows else None


async def list_column_maps() -> tuple[str, ...]:
    """The names of all remembered column maps."""
    rows = await ColumnMaps.select(ColumnMaps.name).order_by(ColumnMaps.name)
    return tuple(row["name"] for row in rows)
