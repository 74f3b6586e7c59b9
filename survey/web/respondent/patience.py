"""How long a body may take, watched for everybody by one timer.

A timer for each request costs more than reading the request. Here a body under way is one
entry in a set; twice a second whoever has waited too long is cancelled, so a deadline is kept
to half a second.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

LOOK_SECONDS = 0.5


class Waiting:
    """One body under way; as a context it swallows the cancelling that came because it was late."""

    __slots__ = ("_patience", "_task", "ends", "is_late")

    def __init__(self, patience: Patience, ends: float) -> None:
        self._patience = patience
        self._task = asyncio.current_task()
        self.ends = ends
        self.is_late = False

    def give_up(self) -> None:
        """Cancel whatever the body's reader waits for."""
        if self._task is not None and not self.is_late:
            self.is_late = True
            self._task.cancel()

    def __enter__(self) -> Self:
        self._patience.waiting.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._patience.waiting.discard(self)
        if not self.is_late or self._task is None:
            return False
        # Somebody else may have cancelled the task as well; then it goes on being cancelled.
        return self._task.uncancel() == 0 and kind is not None and issubclass(kind, asyncio.CancelledError)


class Patience:
    """Everybody who waits, and the timer that looks at them while there is anybody."""

    def __init__(self) -> None:
        self.waiting: set[Waiting] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._looks = False

    def until(self, seconds: float) -> Waiting:
        """A context in which waiting ends after so many seconds, with `is_late` set."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop, self._looks, self.waiting = loop, False, set()
        if not self._looks:
            self._looks = True
            loop.call_later(LOOK_SECONDS, self._look, loop)
        return Waiting(self, loop.time() + seconds)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        if loop is not self._loop:
            return
        now = loop.time()
        for one in self.waiting:
            if one.ends <= now:
                one.give_up()
        self._looks = bool(self.waiting)
        if self._looks:
            loop.call_later(LOOK_SECONDS, self._look, loop)
