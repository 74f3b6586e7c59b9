"""An intake whose file is older than a head it has given out: to be read, never added to.

A backup of yesterday agrees with itself, and yet people hold receipts it knows nothing of.
Going on would give two answers one place in the log, so the wave rests (TRUST R9): pages say
that it is paused, whoever tries to change it is told both sizes, and every other wave goes on.
"""

from __future__ import annotations

from typing import Any

from survey.storage.intake import Intake, IntakeStaleError


class ReadOnlyIntake:
    """The intake, with every change refused by the reason it was given."""

    def __init__(self, intake: Intake, reason: IntakeStaleError) -> None:
        self._intake = intake
        self.reason = reason
        for change in ("submit", "set_state", "dispute", "note", "void", "rewrite"):
            setattr(self, change, self._refuse)

    def __getattr__(self, name: str) -> Any:
        """Everything that only reads is the intake's own."""
        return getattr(self._intake, name)

    async def load_state(self) -> str:
        """The stored state; an open wave counts as paused."""
        return _resting(await self._intake.load_state())

    async def find_slip(self, e: bytes) -> tuple[str, str, str] | None:
        """Domain, slip state and wave state of a slip, or None."""
        found = await self._intake.find_slip(e)
        return None if found is None else (*found[:2], _resting(found[2]))

    async def _refuse(self, *_: Any) -> Any:
        raise self.reason


def _resting(state: str) -> str:
    return "paused" if state == "open" else state
