"""One thread that writes: whatever waits is one batch, so many answers share one fsync.

Entries enter from the event loop and are handed on in the order they came; a request in
between (a change of state, a reading) splits the batch, so it sees all that came before it
and nothing that came after. Everyone in a batch is told by one call back to the loop.
"""

from __future__ import annotations

import asyncio
import queue
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from survey.storage.counts import BatchCounts
from survey.storage.intake import BATCH_LIMIT, BusyError, Entry

STOP = object()

CALM_SECONDS = 0.005
HURRY_SECONDS = 0.0003
"""How long one thread keeps the interpreter while another wants it: as usual, and while somebody waits.

The writing thread wants it back some ten times a batch. At five milliseconds each it would stand
still until the event loop has nothing left to do; but while nobody writes, more switching would
only make reading dearer.
"""


class WriterThread:
    """A queue and the thread that empties it."""

    def __init__(self, take: Callable[[list[Entry]], Sequence[Any]], attempt: Callable[[Any], Any]) -> None:
        """
        Args:
            take: from the entries of a batch to what each is told, exceptions as values.
            attempt: from any other request to its answer, exceptions as values.
        """
        self._take = take
        self._attempt = attempt
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self.waiting = 0
        """How many are waiting for an answer."""
        self.counted = BatchCounts()

    everybody_waiting = 0
    """The same for all threads of this process together."""

    def start(self, name: str) -> None:
        """Begin to work."""
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    async def stop(self) -> bool:
        """Finish what was queued; False when the thread was not running."""
        thread, self._thread = self._thread, None
        if thread is None:
            return False
        self._queue.put(STOP)
        await asyncio.to_thread(thread.join)
        return True

    async def ask(self, request: Any) -> Any:
        """The answer to an entry or a request, once it is there."""
        if self._thread is None:
            raise BusyError("服务正在停止")
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.waiting += 1
        if not WriterThread.everybody_waiting:
            sys.setswitchinterval(HURRY_SECONDS)
        WriterThread.everybody_waiting += 1
        self._queue.put((request, future))
        try:
            return await future
        finally:
            self.waiting -= 1
            WriterThread.everybody_waiting -= 1
            if not WriterThread.everybody_waiting:
                sys.setswitchinterval(CALM_SECONDS)

    def _work(self) -> None:
        stopped = False
        while not stopped:
            waiting = [self._queue.get()]
            with suppress(queue.Empty):
                while len(waiting) < BATCH_LIMIT:
                    waiting.append(self._queue.get_nowait())
            answers: list[tuple[asyncio.Future[Any], Any]] = []
            batch: list[tuple[Entry, asyncio.Future[Any]]] = []
            for item in waiting:
                if item is STOP:
                    stopped = True
                elif isinstance(item[0], Entry):
                    batch.append(item)
                else:
                    answers += self._answers(batch)
                    batch = []
                    answers.append((item[1], self._attempt(item[0])))
            answers += self._answers(batch)
            if answers:
                with suppress(RuntimeError):  # the event loop is gone: nobody is left to be told
                    answers[0][0].get_loop().call_soon_threadsafe(tell, answers)

    def _answers(self, batch: list[tuple[Entry, asyncio.Future[Any]]]) -> list[tuple[Any, Any]]:
        if not batch:
            return []
        began = time.monotonic()
        told = self._take([entry for entry, _ in batch])
        self.counted.add(len(batch), time.monotonic() - began)
        return [(future, outcome) for (_, future), outcome in zip(batch, told, strict=True)]


def tell(answers: Sequence[tuple[asyncio.Future[Any], Any]]) -> None:
    """On the event loop: give everyone in the batch their outcome."""
    for future, outcome in answers:
        if future.done():
            continue
        if isinstance(outcome, BaseException):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
