"""Behind a start that read only the tails: every wave's slips into memory, then every wave whole.

One wave at a time, those first that may not take anything in before they were read. What a
reading finds is kept here for whoever asks: how many waves are done, which one is under way and
how far, and what was found wrong.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from survey.errors import SurveyError
from survey.storage.intake import Intake, IntakeBrokenError, IntakeUnreadError

log = logging.getLogger("survey.storage")

TRY_AGAIN_SECONDS = 30.0


@dataclass
class WholeReadings:
    """The waves still to be read whole, and the task that does it."""

    settle: Callable[[str], None]
    """Told when a wave's intake rests for another reason than before, or no longer."""
    waiting: dict[str, Intake] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    under_way: str | None = None
    _task: asyncio.Task[None] | None = None
    _slips: list[Intake] = field(default_factory=list)

    def add(self, wave: str, intake: Intake) -> None:
        """A wave of which only the tail was read."""
        self.waiting[wave] = intake
        self._slips.append(intake)

    def forget(self, wave: str) -> None:
        """A wave that is gone."""
        self.waiting.pop(wave, None)

    def begin(self) -> None:
        """Read in the background, until everything is read."""
        if self.waiting and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self.read())

    async def stop(self) -> None:
        """Give up what is not read yet; the next start begins anew."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def read(self, *, only_resting: bool = False) -> None:
        """Read the waves that wait, one after the other; with `only_resting` those that rest until then."""
        while not only_resting and self._slips:
            with contextlib.suppress(SurveyError):  # the reading of the whole will say what is wrong
                await self._slips.pop(0).read_slips()
        while wave := self._next(only_resting):
            self.under_way = wave
            try:
                await self.waiting[wave].read_whole()
            except IntakeBrokenError as fault:
                log.error("%s", fault)
            except Exception as error:
                if self._task is None:
                    raise  # somebody waits for it
                # The database may be away for a moment; the wave is read when it is back.
                log.warning("reading wave %s whole: %s", wave, type(error).__name__)
                await asyncio.sleep(TRY_AGAIN_SECONDS)
                continue
            else:
                log.info("wave %s was read whole and agrees with its last head", wave)
                self.done.add(wave)
            finally:
                self.under_way = None
            if self.waiting.pop(wave, None) is not None:
                self.settle(wave)

    def progress(self) -> float:
        """How far the reading that is under way has come, from 0 to 1."""
        return self.waiting[self.under_way].progress() if self.under_way in self.waiting else 0.0

    def _next(self, only_resting: bool) -> str | None:
        resting = [wave for wave, one in self.waiting.items() if isinstance(one.resting, IntakeUnreadError)]
        return next(iter(resting if resting or only_resting else self.waiting), None)
