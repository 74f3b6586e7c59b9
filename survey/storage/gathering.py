"""Questions that arrive together travel to the database together.

At half past seven every visitor of a second asks for one slip. While one look is under way
the next questions wait, and then go as one: a round trip for all instead of one for each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any


class Gathering:
    """One door to a look-up that takes many keys at once."""

    def __init__(self, look: Callable[[list[bytes]], Awaitable[Mapping[bytes, Any]]]) -> None:
        """Args: look: from keys to what was found; a key that is missing was not found."""
        self._look = look
        self._waiting: dict[bytes, asyncio.Future[Any]] = {}
        self._working: asyncio.Task[None] | None = None

    async def ask(self, key: bytes) -> Any:
        """What there is under a key, as it stood after this was asked; None when nothing."""
        future = self._waiting.get(key)
        if future is None:
            loop = asyncio.get_running_loop()
            future = self._waiting[key] = loop.create_future()
            if self._working is None:
                self._working = loop.create_task(self._work())
        # Another visitor may wait for the same key, so a visitor who leaves cancels nothing.
        return await asyncio.shield(future)

    async def _work(self) -> None:
        while self._waiting:
            waiting, self._waiting = self._waiting, {}
            try:
                found = await self._look(list(waiting))
            except Exception as error:  # noqa: BLE001
                for future in waiting.values():
                    future.set_exception(error)
                    future.exception()  # whoever asked may be gone
            else:
                for key, future in waiting.items():
                    future.set_result(found.get(key))
        self._working = None
