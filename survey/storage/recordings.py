"""Questions read aloud, as the bureau handed them in; what a wave plays is pinned by its signed plan."""

from __future__ import annotations

import base64
from collections.abc import Iterable

from survey.scheme.recording import Recording
from survey.storage.current import transaction
from survey.storage.tables import Recordings


async def save_recordings(wave: str, recordings: Iterable[Recording]) -> None:
    """Keep these recordings of a wave in place of all it had."""
    async with transaction():
        await Recordings.delete().where(Recordings.wave == wave)
        for one in recordings:
            content = base64.b64encode(one.content).decode()
            await Recordings.insert(Recordings(wave=wave, name=one.name, digest=one.digest, content=content))


async def list_recordings(wave: str) -> dict[str, str]:
    """The recordings of a wave by name, each with the digest of its bytes."""
    rows = await Recordings.select(Recordings.name, Recordings.digest).where(Recordings.wave == wave)
    return {row["name"]: row["digest"] for row in sorted(rows, key=lambda row: row["name"])}


async def find_recording(wave: str, name: str) -> Recording | None:
    """One recording of a wave, None where it has none of that name."""
    rows = await Recordings.select(Recordings.content).where(Recordings.wave == wave, Recordings.name == name)
    return Recording(name, base64.b64decode(rows[0]["content"])) if rows else None
