"""Bring the school list in: all of it, or none of it with every fault named."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from survey.errors import Fault, FaultsError
from survey.jobs.read_apart import read_sheets_apart
from survey.sampling.frame_file import MAX_FAULTS, FrameReading, read_frame
from survey.storage.areas import Area, areas_under, assign_areas
from survey.storage.audit import record_audit
from survey.storage.frames import find_frame, save_column_map, save_frame
from survey.storage.plans import load_wave, set_state


async def import_frame(
    wave: str,
    data: bytes,
    filename: str,
    *,
    columns: Mapping[str, str] | None = None,
    save_map_as: str | None = None,
    dry_run: bool = False,
    actor: str,
    now: datetime,
) -> FrameReading:
    """Read a frame file and, unless it is a dry run, keep it for the wave.

    A dry run returns the faults as values; an import with faults is refused as a whole.

    Raises:
        FaultsError: the file has faults and this is no dry run.
        WaveNotFoundError, WrongStateError: no such wave, or its sample is already signed.
    """
    row = await load_wave(wave)
    reading = await to_thread(read_frame, data, filename, columns, read=read_sheets_apart)
    areas, faults = read_areas(reading, await areas_under(row.county_code))
    if faults:
        reading = replace(reading, frame=None, faults=faults)
    if dry_run:
        return reading
    if reading.frame is None:
        raise FaultsError(f"学校名册 {filename}", reading.faults)
    earlier = await find_frame(wave)
    await set_state(wave, ("draft", "framed", "drawn"), "framed", now=now)
    await save_frame(wave, reading.frame, filename, now=now)
    moved = await assign_areas(wave, areas)
    if save_map_as:
        await save_column_map(save_map_as, dict(reading.columns))
    details: dict[str, Any] = {"digest": reading.frame.digest, "schools": len(reading.frame.schools), "areas": len(moved)}
    if earlier is not None:
        details["earlier_frame"] = earlier.digest
    await record_audit(actor, "import_frame", wave, details=details, now=now)
    return reading


def read_areas(
    reading: FrameReading, known: Sequence[Area]
) -> tuple[dict[str, str | None], tuple[Fault, ...]]:
    """School → the code of its responsibility area, for a file that has the column; and what is no area.

    Args:
        known: the county's areas; a cell names one by its code or its name.
    """
    if reading.frame is None or reading.areas is None:
        return {}, ()
    by_text = {one.name: one.code for one in known} | {one.code: one.code for one in known}
    found: dict[str, str | None] = {school.code: None for school in reading.frame.schools}
    faults = []
    for school, (text, row) in reading.areas.items():
        found[school] = by_text.get(text.strip(), by_text.get(text.strip().upper()))
        if found[school] is None:
            faults.append(
                Fault(
                    "frame.area_unknown",
                    f"没有登记过督学责任区“{text[:20]}”",
                    "改成登记过的名称或代码，先在“责任区”页登记，或把这一格空着",
                    row=row,
                    column=reading.columns.get("area"),
                )
            )
    return found, tuple(faults[:MAX_FAULTS])
