"""Bring the school list in: all of it, or none of it with every fault named."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Mapping
from datetime import datetime

from survey.errors import FaultsError
from survey.jobs.read_apart import read_sheets_apart
from survey.sampling.frame_file import FrameReading, read_frame
from survey.storage.audit import record_audit
from survey.storage.frames import save_column_map, save_frame
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
    await load_wave(wave)
    reading = await to_thread(read_frame, data, filename, columns, read=read_sheets_apart)
    if dry_run:
        return reading
    if reading.frame is None:
        raise FaultsError(f"学校名册 {filename}", reading.faults)
    await set_state(wave, ("draft", "framed", "drawn"), "framed", now=now)
    await save_frame(wave, reading.frame, filename, now=now)
    if save_map_as:
        await save_column_map(save_map_as, dict(reading.columns))
    details = {"digest": reading.frame.digest, "schools": len(reading.frame.schools)}
    await record_audit(actor, "import_frame", wave, details=details, now=now)
    return reading
