"""The intake on SQLite: one file a wave, one thread that writes, many answers per fsync.

The thread owns the only connection. Whatever waits is one batch: decided from memory, under one
signed head, written by one statement that is durable when it returns; only then is anybody
answered. What memory cannot know, the tables' own conditions refuse, and the batch is decided
again from them. Looking a slip up reads memory, which is changed after the commit.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from survey.certification.signature import Signer
from survey.certification.transparency_log import CompactTree
from survey.errors import SurveyError
from survey.storage.gathering import Gathering
from survey.storage.head_guard import HeadGuard, signed_head
from survey.storage.intake import (
    QUEUE_LIMIT,
    STEPS,
    About,
    Accepted,
    BusyError,
    DomainCount,
    Entry,
    IntakeBrokenError,
    KeyConflict,
    Outcome,
)
from survey.storage.intake_file import move_durably, transaction
from survey.storage.keys import make_private
from survey.storage.live_copy import copy_beside
from survey.storage.settlement import PosterCount
from survey.storage.slip_book import DISPUTED, VOIDED, SlipBook
from survey.storage.sqlite_batch import find_slips, receipt_of, refusal
from survey.storage.sqlite_opening import (
    damage_named,
    load_about,
    load_posters,
    open_file,
    read_tail,
)
from survey.storage.sqlite_reading import LET_GO
from survey.storage.sqlite_taking import SqliteTaking
from survey.storage.sqlite_whole import WholeReading
from survey.storage.states import WrongStateError
from survey.storage.tally import Tally
from survey.storage.writer_thread import WriterThread

COUNT_VOIDED = "INSERT INTO counters VALUES (?, 'voided', ?) ON CONFLICT DO UPDATE SET n = n + excluded.n"


class SqliteIntake(SqliteTaking):
    """One wave's intake in a file of its own."""

    def __init__(
        self,
        path: Path,
        seed: bytes,
        clock: Callable[[], datetime],
        guard: HeadGuard | None = None,
    ) -> None:
        self.path = path
        self._seed = seed
        self._clock = clock
        self._guard = guard
        self.resting: SurveyError | None = None
        self._writer = WriterThread(self._begin, self._attempt)
        self.counted = self._writer.counted
        self._slips = SlipBook()
        self._posters: dict[str, PosterCount] = {}
        self._state = "planned"
        self._still = asyncio.Lock()  # a file is not replaced or closed while it is being copied
        self._tally = Tally()
        self._tree = CompactTree()
        self._reading: WholeReading | None = None
        self._looks = Gathering(self._find_slips)
        self.about: About

    async def load_state(self) -> str:
        """The stored state; one process writes, so memory and file agree."""
        return self._state

    @property
    def waiting(self) -> int:
        """How many wait for an answer."""
        return self._writer.waiting

    # ── life ────────────────────────────────────────────────────────────────────────────

    async def start(self, most_bytes: int | None = None) -> int:
        """Open the file, hold what a start reads against the last head, and listen.

        Raises:
            IntakeBrokenError: the file or its log does not agree with itself.
        """
        self._connection, n_bytes = await asyncio.to_thread(self._open, most_bytes)
        self._writer.start(f"intake-{self.about.wave}")
        return n_bytes

    async def stop(self) -> None:
        """Finish what was queued and close the file."""
        async with self._still:
            if await self._writer.stop():
                self._connection.close()
                if self._guard is not None:
                    self._guard.flush(self.about.wave)

    def _open(self, most_bytes: int | None) -> tuple[sqlite3.Connection, int]:
        connection = open_file(self.path)
        try:
            with damage_named(self.path.stem):
                self.about, self._state = load_about(connection)
                self._signer = Signer(self.about.origin, self._seed)
                self._posters = load_posters(connection, self.about)
                self._slips = SlipBook()
                n_bytes = self.path.stat().st_size
                if most_bytes is not None and n_bytes > most_bytes:
                    self._go_on_from(read_tail(connection, self.about, self._signer, self._guard))
                    connection.execute(LET_GO)
                    return connection, 0
                reading = self._new_reading()
                while not reading.step(connection):
                    pass
                self._go_on_from((reading.tree, reading.stale))
                connection.execute(LET_GO)
                return connection, n_bytes
        except BaseException:
            connection.close()
            raise

    # ── what the others ask ─────────────────────────────────────────────────────────────

    async def submit(self, entry: Entry) -> Outcome:
        """The outcome of one entry, after the batch it was in is on the disk.

        Raises:
            BusyError: the queue is full. StorageFullError: the disk is.
        """
        if self._writer.waiting >= QUEUE_LIMIT:
            raise BusyError()
        outcome: Outcome = await self._writer.ask(entry)
        return outcome

    def knows(self, e: bytes) -> bool:
        """Whether a slip is looked up without asking the file."""
        return self._slips.covers(e)

    async def find_slip(self, e: bytes) -> tuple[str, str, str] | None:
        """Domain, slip state and wave state of a slip, from memory as soon as it is there."""
        found = self._slips.find(e) if self._slips.covers(e) else await self._looks.ask(e)
        return None if found is None else (*found, self._state)

    async def find_receipt(self, e: bytes | None, k: bytes) -> Accepted | KeyConflict | None:
        """What a repeated submission is told, or None when k is new."""

        def look(connection: sqlite3.Connection) -> Accepted | KeyConflict | None:
            row = connection.execute('SELECT "index" FROM leaves WHERE k = ?', (k,)).fetchone()
            if row is None:
                return None
            if e is not None:
                slip = find_slips(connection, self._slips, [e]).get(e)
                if slip is None or slip[1] not in {"used", "disputed"}:
                    return KeyConflict()
            return receipt_of(connection, row[0])

        found: Accepted | KeyConflict | None = await self._writer.ask(look)
        return found

    async def set_state(self, expected: Sequence[str], new: str) -> None:
        """Take the wave one step on; behind every answer that was queued before.

        Raises:
            WrongStateError: it is not in one of the expected states.
        """

        def step(connection: sqlite3.Connection) -> None:
            if self._state not in expected or new not in STEPS[self._state]:
                raise WrongStateError(self.about.wave, self._state, tuple(expected))
            with transaction(connection):
                connection.execute("UPDATE about SET state = ? WHERE state = ?", (new, self._state))
                if new == "closed":
                    self._sign(connection, self._tree)
            self._state = new

        await self._writer.ask(step)

    async def dispute(self, e: bytes, day: int) -> None:
        """Count a used slip as disputed, once; anything else changes nothing."""

        def note(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                changed = connection.execute(
                    "UPDATE slips SET state = 'disputed' WHERE e = ? AND state = 'used'", (e,)
                )
                if changed.rowcount != 1:
                    return
                connection.execute(
                    "INSERT INTO disputes SELECT domain, ?, 1 FROM slips WHERE e = ?"
                    " ON CONFLICT DO UPDATE SET n = n + 1",
                    (day, e),
                )
            self._slips.turn(e, DISPUTED)

        await self._writer.ask(note)

    async def note(self, domain: str, kind: str) -> None:
        """Add one to a counter of a domain."""

        def add(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                connection.execute(
                    "INSERT INTO counters VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET n = n + 1",
                    (domain, kind),
                )

        await self._writer.ask(add)

    async def void(self, digests: Sequence[bytes]) -> int:
        """Void slips that were never used; how many changed."""

        def strike(connection: sqlite3.Connection) -> int:
            found = find_slips(connection, self._slips, digests)
            struck = {e: domain for e, (domain, state) in found.items() if state == "unused"}
            with transaction(connection):
                connection.executemany(
                    "UPDATE slips SET state = 'voided' WHERE e = ? AND state = 'unused'",
                    [(e,) for e in struck],
                )
                counted = Counter(struck.values())
                connection.executemany(COUNT_VOIDED, sorted(counted.items()))
            for e in struck:
                self._slips.turn(e, VOIDED)
            return len(struck)

        return int(await self._writer.ask(strike))

    async def participation(self) -> tuple[DomainCount, ...]:
        """Counts per domain, from memory, once all slips are there."""
        await self.read_slips()
        return (*self._slips.by_domain(), *await self.poster_counts())

    async def poster_counts(self) -> tuple[DomainCount, ...]:
        """The same of posters alone."""
        return tuple(DomainCount(d, p.quota, p.used, 0, 0) for d, p in sorted(self._posters.items()))

    async def erase_boxes(self) -> int:
        """Destroy every box of a closed wave; `secure_delete` writes zeros over them."""

        def destroy(connection: sqlite3.Connection) -> int:
            if self._state != "closed":
                raise WrongStateError(self.about.wave, self._state, ("closed",))
            with transaction(connection):
                return connection.execute(
                    "UPDATE sealed SET box = zeroblob(33) WHERE box <> zeroblob(33)"
                ).rowcount

        erased = int(await self._writer.ask(destroy))
        await self.rewrite()
        return erased

    async def rewrite(self) -> None:
        """After closing: a new file in the order of the keys takes the old one's place."""

        def renew(connection: sqlite3.Connection) -> None:
            if self._state != "closed":
                raise WrongStateError(self.about.wave, self._state, ("closed",))
            copy = self.path.with_suffix(".rewritten")
            copy.unlink(missing_ok=True)
            make_private(copy)
            connection.execute("VACUUM INTO ?", (str(copy),))
            connection.close()
            # The old file's journal is empty and belongs to nothing any more.
            self.path.with_name(self.path.name + "-journal").unlink(missing_ok=True)
            try:
                move_durably(copy, self.path)
            finally:
                self._connection = self._reopened()

        async with self._still:
            await self._writer.ask(renew)

    def _reopened(self) -> sqlite3.Connection:
        """The rewritten file, whose log must be the one that was known before."""
        connection = open_file(self.path)
        found = read_tail(connection, self.about, self._signer, self._guard)
        if isinstance(found, str) or found[0].root() != self._tree.root():
            raise IntakeBrokenError(self.about.wave, "重写以后的记录与重写以前的不一样")
        return connection

    async def back_up(self, target: Path) -> None:
        """A consistent copy beside a running wave; it holds no keys."""
        async with self._still:
            await copy_beside(self._writer.ask, target)

    # ── on the writing thread ───────────────────────────────────────────────────────────

    def _attempt(self, request: Callable[[sqlite3.Connection], Any]) -> Any:
        try:
            return request(self._connection)
        except sqlite3.Error as error:
            return refusal(error)
        except Exception as error:  # noqa: BLE001
            return error

    def _sign(self, connection: sqlite3.Connection, tree: CompactTree) -> str:
        note = signed_head(self.about, tree, self._signer)
        connection.execute("INSERT INTO heads VALUES (?, ?) ON CONFLICT DO NOTHING", (tree.size, note))
        return note
