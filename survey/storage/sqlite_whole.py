"""Reading all of a wave's file while the wave goes on, and comparing all that must agree.

The file has one connection, on the thread that writes, so the reading is cut into slices of a
few milliseconds, each between two batches. Slips, boxes and keys are walked in the order of
their digests: an answer that comes in meanwhile falls either before the place the walk has
reached, and is told to it, or behind, where the walk will find it. The log is walked last, and
the slice that reaches its end compares the counts, with nothing able to come in between.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from survey.certification.signature import Signer
from survey.certification.transparency_log import CompactTree
from survey.storage.frontier import NEWEST, Frontier, frontier_of
from survey.storage.head_guard import HeadGuard, check_head, check_signature
from survey.storage.intake import About, IntakeBrokenError, IntakeStaleError
from survey.storage.intake_file import transaction
from survey.storage.intake_sums import BEGIN_COUNTING_HEADS, FEW, check_key, check_sums
from survey.storage.slip_book import DISPUTED, USED, VOIDED, SlipBook
from survey.storage.sqlite_opening import (
    HEADS_SINCE,
    LAST_HEAD,
    damage_named,
    keep_frontier,
    load_about,
    load_posters,
)

QUICK_CHECK_BYTES = 16 * 1024 * 1024
"""A file up to this size is also looked through by SQLite itself, in one slice."""
SLIPS = "SELECT e, domain, state FROM slips WHERE e > ? ORDER BY e LIMIT ?"
BOXES = "SELECT count(*), max(c) FROM (SELECT c FROM sealed WHERE c > ? ORDER BY c LIMIT ?)"
KEYS = "SELECT count(*), max(k) FROM (SELECT k FROM leaves WHERE k > ? ORDER BY k LIMIT ?)"
HEADS = "SELECT count(*), max(size) FROM (SELECT size FROM heads WHERE size > ? ORDER BY size LIMIT ?)"
LEAVES = 'SELECT "index", leaf, k FROM leaves WHERE "index" >= ? ORDER BY "index" LIMIT ?'
SLICE_SECONDS = 0.004
FEWEST_ROWS, MOST_ROWS = 50, 2000


class WholeReading:
    """One reading of a file, a slice at each step; `tree` and `stale` are known when it is over."""

    def __init__(self, about: About, signer: Signer, guard: HeadGuard | None, slips: SlipBook) -> None:
        self._about = about
        self._signer = signer
        self._guard = guard
        self._slips = slips
        self._slices = self._read()
        self._connection: sqlite3.Connection
        self._rows = FEWEST_ROWS
        self._boxes, self._last_box = 0, b""
        self._keys, self._last_key = 0, b""
        self.n_read = 0
        self.tree = CompactTree()
        self.stale: IntakeStaleError | None = None

    def step(self, connection: sqlite3.Connection) -> bool:
        """Read one slice; True when it was the last.

        Raises:
            IntakeBrokenError: what was read does not agree with itself.
        """
        self._connection = connection
        began = time.monotonic()
        with damage_named(self._about.wave):
            over = next(self._slices, True)
        if time.monotonic() - began > SLICE_SECONDS:
            self._rows = max(self._rows // 2, FEWEST_ROWS)
        else:
            self._rows = min(self._rows * 2, MOST_ROWS)
        return over

    def came_in(self, answers: Iterable[tuple[bytes, bytes]]) -> None:
        """Told of the commitment and the key of every answer that was kept since the last slice."""
        for c, k in answers:
            self._boxes += c <= self._last_box
            self._keys += k <= self._last_key

    def _read(self) -> Iterator[bool]:
        yield from self._pages()
        for _ in read_slips(self._slips, lambda: (self._connection, self._rows)):
            self.n_read = len(self._slips)
            yield False
        while (found := self._counted(BOXES, self._last_box))[0]:
            self._boxes, self._last_box = self._boxes + found[0], found[1]
            yield False
        while (found := self._counted(KEYS, self._last_key))[0]:
            self._keys, self._last_key = self._keys + found[0], found[1]
            yield False
        heads = last = 0
        while (found := self._counted(HEADS, last))[0]:
            heads, last = heads + found[0], found[1]
            yield False
        while self._grow():
            yield False
        heads += self._connection.execute(HEADS_SINCE, (last,)).fetchone()[0]
        self._compare(heads)

    def _pages(self) -> Iterator[bool]:
        size = self._connection.execute(
            "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        )
        if size.fetchone()[0] <= QUICK_CHECK_BYTES:
            verdict = self._connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if verdict != "ok":
                raise IntakeBrokenError(self._about.wave, f"文件已损坏（{verdict}）")
            yield False

    def _counted(self, query: str, after: Any) -> tuple[int, Any]:
        n, last = self._connection.execute(query, (after, self._rows)).fetchone()
        self.n_read += n
        return n, last

    def _grow(self) -> bool:
        """Take the next leaves in; False when they were the last."""
        rows = self._connection.execute(LEAVES, (self.tree.size, self._rows)).fetchall()
        for index, leaf, k in rows:
            if index != self.tree.size:
                raise IntakeBrokenError(self._about.wave, f"记录第{self.tree.size}条缺失")
            check_key(self._about.wave, index, leaf, k)
            self.tree.add(leaf)
        self.n_read += len(rows)
        return len(rows) == self._rows

    def _compare(self, heads: int) -> None:
        connection, about, tree = self._connection, self._about, self.tree
        load_about(connection)
        load_posters(connection, about)
        last = connection.execute(LAST_HEAD).fetchone()
        note = last[0] if last else None
        check_signature(about, note, self._signer)
        self.stale = check_head(about, tree, note, self._guard)
        disputes, struck, arrivals, batches, by_poster = connection.execute(FEW).fetchone()
        if self._keys != tree.size:
            raise IntakeBrokenError(about.wave, f"记录{tree.size}条，提交键却有{self._keys}个")
        disputed = self._slips.in_state(DISPUTED)
        check_sums(
            about.wave,
            size=tree.size,
            used=self._slips.in_state(USED) + disputed + by_poster,
            disputed=disputed,
            voided=self._slips.in_state(VOIDED),
            counted=(self._boxes, disputes, struck, arrivals, heads, heads if batches is None else batches),
        )
        frontier = frontier_of(connection.execute(NEWEST).fetchone(), about, self._signer.seed)
        if frontier is not None and frontier.size > tree.size:
            raise IntakeBrokenError(about.wave, f"只有{tree.size}条记录，而续读记录写到第{frontier.size}条")
        self._put_on_record(frontier)

    def _put_on_record(self, frontier: Frontier | None) -> None:
        """What the file of an older release or a fault that is mended lacks; a full disk only puts it off."""
        connection, about, tree = self._connection, self._about, self.tree
        with suppress(sqlite3.OperationalError), transaction(connection):
            connection.execute(BEGIN_COUNTING_HEADS)
            connection.execute("DELETE FROM faults")
            if frontier is None or frontier.is_far_from(tree.size):
                keep_frontier(connection, about, self._signer.seed, tree)


def read_slips(slips: SlipBook, source: Callable[[], tuple[sqlite3.Connection, int]]) -> Iterator[None]:
    """Fill a book a slice at a time, from the connection and by as many rows as there are each time.

    Raises:
        ValueError: the stored slips are not such as were written.
    """
    while not slips.is_whole:
        connection, n_rows = source()
        rows = connection.execute(SLIPS, (slips.last, n_rows)).fetchall()
        slips.add(rows)
        slips.is_whole = len(rows) < n_rows
        yield


async def slowly(
    ask: Callable[[Callable[[sqlite3.Connection], bool]], Awaitable[bool]],
    step: Callable[[sqlite3.Connection], bool],
    rest: float,
) -> None:
    """Take every step between two batches, and rest behind it `rest` times as long as it took.

    Args:
        ask: runs a function of the connection on the writing thread and gives its result.
        step: True when it was the last.
    """
    while True:
        began = time.monotonic()
        if await ask(step):
            return
        await asyncio.sleep(rest * (time.monotonic() - began))
