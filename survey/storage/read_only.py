"""Intakes that take nothing in: one that may only be read, and one that cannot even be read.

A backup of yesterday agrees with itself, and yet people hold receipts it knows nothing of.
Going on would give two answers one place in the log, so the wave rests (TRUST R9); and so does
a wave in which something was found that does not agree. Pages say that it is paused, whoever
tries to change it is told why, and every other wave goes on.
"""

from __future__ import annotations

from typing import Any

from survey.errors import SurveyError
from survey.storage.counts import BatchCounts
from survey.storage.intake import Intake


class ReadOnlyIntake:
    """The intake, with every change refused by the reason it was given."""

    def __init__(self, intake: Intake, reason: SurveyError) -> None:
        self.intake = intake
        self.reason = reason
        for change in ("submit", "set_state", "dispute", "note", "void", "rewrite"):
            setattr(self, change, self._refuse)

    def __getattr__(self, name: str) -> Any:
        """Everything that only reads is the intake's own."""
        return getattr(self.intake, name)

    async def load_state(self) -> str:
        """The stored state; an open wave counts as paused."""
        return _resting(await self.intake.load_state())

    async def find_slip(self, e: bytes) -> tuple[str, str, str] | None:
        """Domain, slip state and wave state of a slip, or None."""
        found = await self.intake.find_slip(e)
        return None if found is None else (*found[:2], _resting(found[2]))

    async def _refuse(self, *_: Any) -> Any:
        raise self.reason


class DamagedIntake:
    """The place of an intake that could not be opened: whatever is asked of it is refused by the reason."""

    waiting = 0

    def __init__(self, reason: SurveyError) -> None:
        self.reason = reason
        self.counted = BatchCounts()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise self.reason

    async def load_state(self) -> str:
        """Paused: what was stored cannot be read."""
        return "paused"

    async def stop(self) -> None:
        """Nothing is open."""


def _resting(state: str) -> str:
    return "paused" if state == "open" else state
