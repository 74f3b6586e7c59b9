"""The intake on SQLite: one file a wave, one thread that writes, many answers per fsync.

The thread owns the only connection. It takes whatever waits in the queue as one batch:
BEGIN IMMEDIATE, the decisions, the rows, one signed head, COMMIT with fsync; only then is
anybody answered. Looking a slip up reads memory, which is changed after the commit.
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
from survey.storage.head_guard import HeadGuard, check_head, check_signature, signed_head
from survey.storage.intake import (
    QUEUE_LIMIT,
    STEPS,
    About,
    Accepted,
    BusyError,
    DomainCount,
    Entry,
    IntakeBrokenError,
    IntakeStaleError,
    KeyConflict,
    Outcome,
    heads_of,
)
from survey.storage.intake_file import connect, move_durably, transaction
from survey.storage.intake_sums import (
    BEGIN_COUNTING_HEADS,
    SUMS,
    check_about,
    check_key,
    check_posters,
    check_sums,
)
from survey.storage.keys import make_private
from survey.storage.live_copy import copy_beside
from survey.storage.settlement import PosterCount, Settlement, settle
from survey.storage.slip_book import DISPUTED, UNUSED, USED, VOIDED, SlipBook
from survey.storage.sqlite_batch import find_known, receipt_of, refusal, write_batch
from survey.storage.states import WrongStateError
from survey.storage.tally import Tally
from survey.storage.writer_thread import WriterThread

COUNT_VOIDED = "INSERT INTO counters VALUES (?, 'voided', ?) ON CONFLICT DO UPDATE SET n = n + excluded.n"
QUICK_CHECK_BYTES = 64 * 1024 * 1024


class SqliteIntake:
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
        self.stale: IntakeStaleError | None = None
        self._writer = WriterThread(self._take, self._attempt)
        self.counted = self._writer.counted
        self._slips = SlipBook()
        self._posters: dict[str, PosterCount] = {}
        self._state = "planned"
        self._still = asyncio.Lock()  # a file is not replaced or closed while it is being copied
        self._tally = Tally()
        self._tree = CompactTree()
        self.about: About

    async def load_state(self) -> str:
        """The stored state; one process writes, so memory and file agree."""
        return self._state

    @property
    def waiting(self) -> int:
        """How many wait for an answer."""
        return self._writer.waiting

    @property
    def size(self) -> int:
        """Leaves in the log."""
        return self._tree.size

    # ── life ────────────────────────────────────────────────────────────────────────────

    async def start(self) -> None:
        """Open the file, check the log against its last head, and listen.

        Raises:
            IntakeBrokenError: the file or its log does not agree with itself.
        """
        self._connection = await asyncio.to_thread(self._open)
        self._writer.start(f"intake-{self.about.wave}")

    async def stop(self) -> None:
        """Finish what was queued and close the file."""
        async with self._still:
            if await self._writer.stop():
                self._connection.close()
                if self._guard is not None:
                    self._guard.flush(self.about.wave)

    def _open(self) -> sqlite3.Connection:
        wave = self.path.stem
        try:
            connection = connect(self.path)
        except sqlite3.DatabaseError as error:
            raise IntakeBrokenError(wave, f"文件打不开（{error}）") from error
        try:
            if self.path.stat().st_size <= QUICK_CHECK_BYTES:
                verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
                if verdict != "ok":
                    raise IntakeBrokenError(wave, f"文件已损坏（{verdict}）")
            self._load(connection)
        except (sqlite3.DatabaseError, TypeError, ValueError) as error:
            # A value of another kind than was written counts as damage too.
            connection.close()
            raise IntakeBrokenError(wave, f"文件已损坏（{error}）") from error
        except BaseException:
            connection.close()
            raise
        return connection

    def _load(self, connection: sqlite3.Connection) -> None:
        text, self._state = connection.execute("SELECT document, state FROM about").fetchone()
        self.about = About.from_text(text)
        check_about(self.about, connection.execute("SELECT wave FROM about").fetchall())
        self._signer = Signer(self.about.origin, self._seed)
        self._tree = CompactTree()
        for position, (index, leaf, k) in enumerate(
            connection.execute('SELECT "index", leaf, k FROM leaves ORDER BY "index"')
        ):
            if index != position:
                raise IntakeBrokenError(self.about.wave, f"记录第{position}条缺失")
            check_key(self.about.wave, index, leaf, k)
            self._tree.add(leaf)
        last = connection.execute("SELECT note FROM heads ORDER BY size DESC LIMIT 1").fetchone()
        check_signature(self.about, last[0] if last else None, self._signer)
        self.stale = check_head(self.about, self._tree, last[0] if last else None, self._guard)
        self._load_slips(connection)
        check_posters(
            self.about, [(domain, p.mode, p.quota, p.surplus) for domain, p in self._posters.items()]
        )
        disputed = self._slips.in_state(DISPUTED)
        with transaction(connection):
            connection.execute(BEGIN_COUNTING_HEADS)
        check_sums(
            self.about.wave,
            size=self._tree.size,
            used=self._slips.in_state(USED) + disputed + sum(poster.used for poster in self._posters.values()),
            disputed=disputed,
            voided=self._slips.in_state(VOIDED),
            counted=connection.execute(SUMS).fetchone(),
        )

    def _load_slips(self, connection: sqlite3.Connection) -> None:
        names = connection.execute("SELECT DISTINCT domain FROM slips ORDER BY domain").fetchall()
        rows = connection.execute("SELECT e, domain, state FROM slips")
        self._slips = SlipBook(rows, (name for (name,) in names))
        self._posters = {
            domain: PosterCount(mode, quota, surplus, used)
            for domain, mode, quota, surplus, used in connection.execute(
                "SELECT domain, mode, quota, surplus, used FROM posters"
            )
        }

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

    async def find_slip(self, e: bytes) -> tuple[str, str, str] | None:
        """Domain, slip state and wave state of a slip, from memory."""
        found = self._slips.find(e)
        return None if found is None else (*found, self._state)

    async def find_receipt(self, e: bytes | None, k: bytes) -> Accepted | KeyConflict | None:
        """What a repeated submission is told, or None when k is new."""

        def look(connection: sqlite3.Connection) -> Accepted | KeyConflict | None:
            row = connection.execute('SELECT "index" FROM leaves WHERE k = ?', (k,)).fetchone()
            if row is None:
                return None
            if e is not None and self._slips.state(e) not in (USED, DISPUTED):
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
                    "INSERT INTO disputes VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET n = n + 1",
                    (self._slips.domain(e), day),
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
            struck = [e for e in digests if self._slips.state(e) == UNUSED]
            with transaction(connection):
                connection.executemany(
                    "UPDATE slips SET state = 'voided' WHERE e = ? AND state = 'unused'",
                    [(e,) for e in struck],
                )
                counted = Counter(map(self._slips.domain, struck))
                connection.executemany(COUNT_VOIDED, sorted(counted.items()))
            for e in struck:
                self._slips.turn(e, VOIDED)
            return len(struck)

        return int(await self._writer.ask(strike))

    async def participation(self) -> tuple[DomainCount, ...]:
        """Counts per domain, from memory."""
        posters = [DomainCount(d, p.quota, p.used, 0, 0) for d, p in sorted(self._posters.items())]
        return (*self._slips.by_domain(), *posters)

    async def leaves(self) -> list[bytes]:
        """All leaves in order."""
        return [row[0] for row in await self._rows('SELECT leaf FROM leaves ORDER BY "index"')]

    async def boxes(self) -> dict[str, bytes]:
        """All boxes by commitment (hex)."""
        return {c.hex(): box for c, box in await self._rows("SELECT c, box FROM sealed ORDER BY c")}

    async def slips(self) -> list[tuple[str, str, str]]:
        """All slips in the order of their digests: e (hex), domain, state."""
        rows = await self._rows("SELECT e, domain, state FROM slips ORDER BY e")
        return [(e.hex(), domain, state) for e, domain, state in rows]

    async def heads(self) -> list[str]:
        """All signed heads, smallest first."""
        return heads_of(self.about.wave, await self._rows("SELECT size, note FROM heads ORDER BY size"))

    async def counters(self) -> dict[tuple[str, str], int]:
        """All counters by domain and kind."""
        rows = await self._rows("SELECT domain, kind, n FROM counters ORDER BY domain, kind")
        return {(domain, kind): n for domain, kind, n in rows}

    async def disputes(self) -> dict[tuple[str, int], int]:
        """Disputes by domain and day."""
        rows = await self._rows("SELECT domain, day, n FROM disputes ORDER BY domain, day")
        return {(domain, day): n for domain, day, n in rows}

    async def keeps_history(self) -> bool:
        """No: the journal is emptied after every transaction, and the file is rewritten at closing."""
        return False

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
                self._connection = self._open()

        async with self._still:
            await self._writer.ask(renew)

    async def back_up(self, target: Path) -> None:
        """A consistent copy beside a running wave; it holds no keys."""
        async with self._still:
            await copy_beside(self._writer.ask, target)

    async def _rows(self, query: str) -> list[Any]:
        rows: list[Any] = await self._writer.ask(lambda connection: connection.execute(query).fetchall())
        return rows

    # ── on the writing thread ───────────────────────────────────────────────────────────

    def _take(self, entries: list[Entry]) -> list[Any]:
        """What each entry of a batch is told: an outcome, or the refusal it meets, as a value."""
        try:
            return list(self._commit(entries))
        except sqlite3.IntegrityError as error:
            # One entry does not fit; alone, each of the others still does.
            if len(entries) > 1:
                return [told for entry in entries for told in self._take([entry])]
            return [IntakeBrokenError(self.about.wave, f"一份答卷与库中内容冲突（{error}）")]
        except sqlite3.Error as error:
            return [refusal(error)] * len(entries)
        except SurveyError as error:
            return [error] * len(entries)
        except Exception as error:  # noqa: BLE001
            # Whatever it was, nothing was kept, so nothing is acknowledged, and the thread lives on.
            return [BusyError(f"无法接收（{type(error).__name__}）", 30)] * len(entries)

    def _attempt(self, request: Callable[[sqlite3.Connection], Any]) -> Any:
        try:
            return request(self._connection)
        except SurveyError as error:
            return error
        except sqlite3.Error as error:
            return refusal(error)

    def _commit(self, entries: Sequence[Entry]) -> list[Outcome]:
        """Decide a batch, write it, sign its head, and return once it is on the disk."""
        connection = self._connection
        tree = self._tree.copy()
        with transaction(connection):
            settled = self._settle(connection, entries)
            tally = self._tally
            if settled.append:
                batch = [(entry, sealed) for _, entry, sealed in settled.append]
                adds, largest, tally = self._tally.count(batch, self._clock())
                write_batch(connection, settled, adds, largest)
            for _, _, sealed in settled.append:
                tree.add(sealed.leaf)
            note = self._sign(connection, tree) if settled.append else ""
        self._tree, self._tally = tree, tally
        for e in settled.slips_used:
            self._slips.turn(e, USED)
        for domain, n in settled.posters_used.items():
            self._posters[domain].used += n
        if note and self._guard is not None:
            self._guard.remember(self.about.wave, note)
        fresh = {index: sealed.leaf for index, _, sealed in settled.append}
        told: list[Outcome] = []
        for outcome in settled.told:
            if not isinstance(outcome, int):
                told.append(outcome)
            elif outcome in fresh:
                told.append(Accepted(outcome, fresh.pop(outcome), note, False))
            else:
                told.append(receipt_of(connection, outcome))
        return told

    def _settle(self, connection: sqlite3.Connection, entries: Sequence[Entry]) -> Settlement:
        state = connection.execute("SELECT state FROM about").fetchone()[0]
        known, slips = find_known(connection, [entry.k for entry in entries]), {}
        for entry in entries:
            if entry.e is not None and (found := self._slips.find(entry.e)) is not None:
                slips[entry.e] = found
        return settle(
            entries, state=state, size=self._tree.size, known=known, slips=slips, posters=self._posters
        )

    def _sign(self, connection: sqlite3.Connection, tree: CompactTree) -> str:
        note = signed_head(self.about, tree, self._signer)
        connection.execute("INSERT INTO heads VALUES (?, ?) ON CONFLICT DO NOTHING", (tree.size, note))
        return note
