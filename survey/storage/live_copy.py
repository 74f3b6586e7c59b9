"""A consistent copy of a SQLite file while its one connection goes on writing.

SQLite's backup interface copies a few megabytes at a time. Each step runs while the writer's
thread is parked between two batches, so no answer waits longer than a step takes, and what a
batch changes in pages that were copied already is carried over by SQLite itself. The rough
copy is then written again in the order of its keys: a backup must not tell by where a row
lies which rows came together (TRUST section 7).
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from survey.storage.keys import make_private

STEP_PAGES = 512
"""Two megabytes: a few milliseconds."""


class StoppedError(Exception):
    """The copy was given up."""


class StepwiseCopy:
    """One copy under way: a thread that takes a step each time it is let."""

    def __init__(self, connection: sqlite3.Connection, target: Path) -> None:
        self._connection = connection
        self._target = target
        self._go = threading.Semaphore(0)
        self._stepped = threading.Semaphore(0)
        self._stopped = False
        self._done = False
        self._error: BaseException | None = None

    def run(self) -> None:
        """The copying thread's work, from the first step to the last."""
        self._go.acquire()
        try:
            if not self._stopped:
                make_private(self._target)
                copy = sqlite3.connect(self._target)
                try:
                    copy.execute("PRAGMA synchronous=OFF")
                    self._connection.backup(copy, pages=STEP_PAGES, progress=self._pause, sleep=0.001)
                finally:
                    copy.close()
        except BaseException as error:  # noqa: BLE001
            self._error = error
        finally:
            self._done = True
            self._stepped.release()

    def step(self, _: sqlite3.Connection) -> bool:
        """On the writer's thread, between two batches: let one step happen; True when it was the last."""
        if not self._done:
            self._go.release()
            self._stepped.acquire()
        if self._error is not None and not isinstance(self._error, StoppedError):
            if isinstance(self._error, sqlite3.Error):
                raise self._error
            raise sqlite3.OperationalError(str(self._error)) from self._error
        return self._done

    def stop(self) -> None:
        """Give the copy up, if it is not done."""
        self._stopped = True
        self._go.release()

    def _pause(self, status: int, remaining: int, total: int) -> None:
        if remaining:
            self._stepped.release()
            self._go.acquire()
        if self._stopped:
            raise StoppedError


async def copy_beside(
    ask: Callable[[Callable[[sqlite3.Connection], Any]], Awaitable[Any]], target: Path
) -> None:
    """Copy the file of whoever answers `ask` on the writer's thread, and write the copy durably.

    Args:
        ask: runs a function of the connection between two batches and gives its result.
        target: a new file, for this user alone.
    """
    rough = target.with_suffix(".rough")
    copying = StepwiseCopy(await ask(lambda connection: connection), rough)
    thread = asyncio.create_task(asyncio.to_thread(copying.run))
    try:
        while not await ask(copying.step):
            await asyncio.sleep(0)
        await asyncio.to_thread(write_in_order, rough, target)
    finally:
        copying.stop()
        await thread
        rough.unlink(missing_ok=True)


def write_in_order(source: Path, target: Path) -> None:
    """A new file with every row of `source` in the order of its key and nothing that was deleted."""
    make_private(target)
    connection = sqlite3.connect(source, isolation_level=None)
    try:
        connection.execute("VACUUM INTO ?", (str(target),))
    finally:
        connection.close()
    with open(target, "rb+") as file:
        os.fsync(file.fileno())
