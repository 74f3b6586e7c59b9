"""HTTP over few kept-open connections, cheap enough to load a server from beside it.

A phone's request reaches the office through a proxy that keeps its connections open, so the
visitors here share a pool of such lines. A time is taken from the instant a request was meant
to be sent, not from when a line was free, so that a stalled server is charged for the wait it
causes. On uvloop one request costs this process some 100 µs. (uvloop's own clock stands still during a turn of
its loop, so it is not asked.)
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

PATIENCE = 10.0
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
LOCATION = re.compile(rb"\r\nlocation: *([^\r]*)", re.IGNORECASE)
RETRY_AFTER = re.compile(rb"\r\nretry-after: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Reply:
    """What came back; status 0 when nothing did."""

    status: int
    head: bytes = b""
    body: bytes = b""

    def header(self, name: re.Pattern[bytes]) -> str:
        """One header's text, empty where it was not sent."""
        found = name.search(self.head)
        return found.group(1).decode("latin-1") if found else ""


@dataclass
class Tally:
    """What the visitors met, by kind of request."""

    latencies: dict[str, list[float]] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    receipts: list[str] = field(default_factory=list)

    def note(self, kind: str, seconds: float) -> None:
        """One answered request and how long it was waited for."""
        self.latencies.setdefault(kind, []).append(seconds)

    def report(self) -> dict[str, Any]:
        """Counts and the points of the distribution of waiting, in milliseconds."""
        return {
            "requests": sum(self.statuses.values()),
            "statuses": {str(status): n for status, n in sorted(self.statuses.items())},
            "broken": dict(self.broken),
            "acknowledged": len(self.receipts),
            **{kind: _points(sorted(times)) for kind, times in sorted(self.latencies.items())},
            **_points(sorted(time for times in self.latencies.values() for time in times)),
        }


def _points(times: list[float]) -> dict[str, float]:
    times = times or [0.0]
    return {
        "p50_ms": round(times[len(times) // 2] * 1000, 1),
        "p99_ms": round(times[int(len(times) * 0.99)] * 1000, 1),
        "max_ms": round(times[-1] * 1000, 1),
    }


class _Line(asyncio.Protocol):
    """One connection with one request on it at a time."""

    def __init__(self) -> None:
        self.transport: Any = None
        self.open = False
        self._came = bytearray()
        self._waiting: asyncio.Future[Reply] | None = None

    def connection_made(self, transport: Any) -> None:
        self.transport, self.open = transport, True

    def ask(self, request: bytes) -> asyncio.Future[Reply]:
        self._came.clear()
        self._waiting = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self._waiting

    def data_received(self, data: bytes) -> None:
        self._came += data
        end = self._came.find(b"\r\n\r\n")
        if end < 0 or self._waiting is None or self._waiting.done():
            return
        head = bytes(self._came[:end])
        length = LENGTH.search(head)
        if length is None or len(self._came) < end + 4 + int(length.group(1)):
            return
        self._answered(head, bytes(self._came[end + 4 :]))

    def connection_lost(self, error: Exception | None) -> None:
        self.open = False
        if self._waiting is not None and not self._waiting.done():
            head, cut, body = bytes(self._came).partition(b"\r\n\r\n")
            if cut and LENGTH.search(head) is None:
                self._answered(head, body)
            else:
                self._waiting.set_result(Reply(0))

    def _answered(self, head: bytes, body: bytes) -> None:
        assert self._waiting is not None
        if b"\r\nconnection: close" in head.lower():
            self.open = False
        self._waiting.set_result(Reply(int(head[9:12]), head, body))


class Lines:
    """So many lines to a server, lent to whoever asks next."""

    def __init__(self, port: int, n: int, tally: Tally) -> None:
        self._port, self._left, self._tally = port, n, tally
        self._free: deque[_Line] = deque()
        self._waiting: deque[asyncio.Future[None]] = deque()
        self.opened = 0

    async def ask(self, kind: str, request: bytes, due: float | None = None) -> Reply:
        """One request, counted and timed from when it was due.

        A line that the server closed while it was idle is replaced and the request sent again.
        """
        loop = asyncio.get_running_loop()
        due = time.monotonic() if due is None else due
        while not self._left:
            waiting = loop.create_future()
            self._waiting.append(waiting)
            await waiting
        self._left -= 1
        line = None
        try:
            async with asyncio.timeout(PATIENCE):
                reply, used = Reply(0), True
                while not reply.status and used:
                    line, used = await self._line()
                    reply = await line.ask(request)
        except (OSError, TimeoutError) as error:
            self._tally.broken[type(error).__name__] += 1
            if line is not None:
                line.transport.abort()
            return Reply(0)
        else:
            assert line is not None
            if line.open:
                self._free.append(line)
            else:
                line.transport.close()
        finally:
            self._left += 1
            while self._waiting:
                if not (waiting := self._waiting.popleft()).done():
                    waiting.set_result(None)
                    break
        if reply.status:
            self._tally.statuses[reply.status] += 1
            self._tally.note(kind, time.monotonic() - due)
        else:
            self._tally.broken["hung up"] += 1
        return reply

    async def _line(self) -> tuple[_Line, bool]:
        while self._free:
            line = self._free.pop()
            if line.open:
                return line, True
        self.opened += 1
        _, line = await asyncio.get_running_loop().create_connection(_Line, "127.0.0.1", self._port)
        return line, False

    def close(self) -> None:
        """Hang up."""
        for line in self._free:
            line.transport.close()
