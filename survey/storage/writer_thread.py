"""One thread that writes: whatever waits is one batch, so many answers share one fsync.

Entries and other requests stand in one line on the event loop, in the order they came; a request
in between (a change of state, a reading) splits the batch, so it sees all that came before it
and nothing that came after. The loop decides a batch, the thread makes it durable, the loop tells
everybody in it; meanwhile the next batch gathers. So the thread needs the interpreter only
at the ends of its work, and nothing is changed by two at once: while it works, the loop only looks.
"""

from __future__ import annotations

import asyncio
import queue
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from survey.storage.counts import BatchCounts
from survey.storage.intake import BATCH_LIMIT, BusyError, Entry

CALM_SECONDS = 0.005
HURRY_SECONDS = 0.00003
"""How long one thread keeps the interpreter while another wants it: as usual, and while somebody waits.

The writing thread wants it back a few times a batch. At five milliseconds each it would stand
still until the event loop has nothing left to do; but while nobody writes, more switching would
only make reading dearer.
"""

Told = Callable[[], Sequence[Any]]
"""On the event loop, after the writing: what each entry of the batch is told, exceptions as values."""


class WriterThread:
    """A line on the event loop and the thread that serves it, one piece of work at a time."""

    def __init__(
        self, begin: Callable[[list[Entry]], Callable[[], Told]], attempt: Callable[[Any], Any]
    ) -> None:
        """
        Args:
            begin: on the event loop, from the entries of a batch to its writing, which is called on the thread.
            attempt: on the thread, from any other request to its answer, exceptions as values.
        """
        self._begin = begin
        self._attempt = attempt
        self._line: deque[tuple[Any, asyncio.Future[Any]]] = deque()
        self._work: queue.SimpleQueue[tuple[Callable[[], Any], Callable[[Any], None]] | None]
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop
        self._busy = False
        self._rest: asyncio.Future[None] | None = None
        """Whoever stops waits for this."""
        self.waiting = 0
        """How many are waiting for an answer."""
        self.counted = BatchCounts()

    everybody_waiting = 0
    """The same for all threads of this process together."""

    def start(self, name: str) -> None:
        """Begin to work."""
        self._work = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    async def stop(self) -> bool:
        """Finish what was queued; False when the thread was not running."""
        thread, self._thread = self._thread, None
        if thread is None:
            return False
        if self._busy:
            self._rest = asyncio.get_running_loop().create_future()
            await self._rest
        self._work.put(None)
        await asyncio.to_thread(thread.join)
        return True

    async def ask(self, request: Any) -> Any:
        """The answer to an entry or a request, once it is there."""
        if self._thread is None:
            raise BusyError("服务正在停止")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self.waiting += 1
        if not WriterThread.everybody_waiting:
            sys.setswitchinterval(HURRY_SECONDS)
        WriterThread.everybody_waiting += 1
        self._line.append((request, future))
        if not self._busy:
            self._busy, self._loop = True, loop
            # Whoever else comes in this turn of the loop still joins the batch.
            loop.call_soon(self._go_on)
        try:
            return await future
        finally:
            self.waiting -= 1
            WriterThread.everybody_waiting -= 1
            if not WriterThread.everybody_waiting:
                sys.setswitchinterval(CALM_SECONDS)

    # ── on the event loop ───────────────────────────────────────────────────────────────

    def _go_on(self) -> None:
        """Hand the thread what is next in line."""
        line = self._line
        if not line:
            self._busy = False
            if self._rest is not None:
                self._rest.set_result(None)
                self._rest = None
        elif isinstance(line[0][0], Entry):
            self._begin_batch()
        else:
            request, future = line.popleft()
            self._work.put((lambda: self._attempt(request), lambda answer: self._ended([future], [answer])))

    def _begin_batch(self) -> None:
        line = self._line
        entries: list[Entry] = []
        futures: list[asyncio.Future[Any]] = []
        while line and len(entries) < BATCH_LIMIT and isinstance(line[0][0], Entry):
            entry, future = line.popleft()
            entries.append(entry)
            futures.append(future)
        began = time.monotonic()

        def written(told: Told) -> None:
            try:
                outcomes = told()
            except Exception as error:  # noqa: BLE001
                outcomes = [error] * len(entries)  # nobody waits for ever, and the line goes on
            self.counted.add(len(entries), time.monotonic() - began)
            self._ended(futures, outcomes)

        self._work.put((self._begin(entries), written))

    def _ended(self, futures: Sequence[asyncio.Future[Any]], answers: Sequence[Any]) -> None:
        self._go_on()
        tell(futures, answers)

    # ── on the thread ───────────────────────────────────────────────────────────────────

    def _serve(self) -> None:
        while (piece := self._work.get()) is not None:
            work, ended = piece
            answer = work()
            try:
                self._loop.call_soon_threadsafe(ended, answer)
            except RuntimeError:
                # The event loop is gone, and with it everybody in line; another one begins anew.
                self._line.clear()
                self._busy = False


def tell(futures: Sequence[asyncio.Future[Any]], answers: Sequence[Any]) -> None:
    """Give everyone their answer."""
    for future, answer in zip(futures, answers, strict=True):
        if future.done():
            continue
        if isinstance(answer, BaseException):
            future.set_exception(answer)
        else:
            future.set_result(answer)
