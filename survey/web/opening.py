"""Answers first: a server takes forms in while the rest of its pages is still being put together.

Whoever restarts a server at half past seven makes a county wait. What people answer with is loaded
in half the time of the whole, so the front stands as soon as that is there; consoles, checks
and programs wait a moment at the same door until the application is whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any

from litestar import Litestar

from survey.settings import Settings
from survey.storage.database import Database
from survey.storage.office import IntakeOffice
from survey.web.access import utc_now
from survey.web.door import with_door
from survey.web.respondent.routes import open_desk


class Opening:
    """The application as a server calls it."""

    def __init__(
        self, settings: Settings, office: IntakeOffice, *, now: Callable[[], datetime] = utc_now
    ) -> None:
        """
        Args:
            settings: the environment, read once; its `base_url` decides which host names are answered.
            office: the intake of all published waves, started.
            now: the clock, aware and in UTC.
        """
        self._settings, self._office, self._now = settings, office, now
        self._desk = open_desk(office, base_url=settings.base_url, clock=now)
        self._door: Any = with_door(self._behind, self._desk, settings)
        self._whole: Litestar | None = None
        self._is_whole = asyncio.Event()
        self._open = AsyncExitStack()

    async def complete(self, database: Database) -> None:
        """Load and put together the rest in a thread, beside the answers that are already coming in."""

        def build() -> Litestar:
            from survey.web.app import create_inside

            return create_inside(self._settings, database, self._office, self._desk, now=self._now)

        whole = await asyncio.to_thread(build)
        await self._open.enter_async_context(whole.lifespan())
        self._whole = whole
        self._is_whole.set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request, or the server's word that it begins and ends."""
        if scope["type"] != "lifespan":
            await self._door(scope, receive, send)
            return
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def close(self) -> None:
        """End what the application began; again after a stop that came before it was whole."""
        await self._open.aclose()

    async def _behind(self, scope: Any, receive: Any, send: Any) -> None:
        if self._whole is None:
            await self._is_whole.wait()
        assert self._whole is not None
        scope["app"] = scope["litestar_app"] = self._whole
        scope.setdefault("state", {})
        await self._whole.asgi_handler(scope, receive, send)
