"""One Chromium for every module here; a phone of its own (`browser.phone`) keeps tests apart."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser

from .browser import chromium


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The machine's Chromium; nothing of one context is seen by another."""
    async with chromium() as opened:
        yield opened
