"""What an intake on SQLite reads and never changes: itself, behind its start, and its tables whole, for closing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from survey.certification.signature import Signer
from survey.certification.transparency_log import CompactTree
from survey.errors import SurveyError
from survey.storage.head_guard import HeadGuard
from survey.storage.intake import IntakeBrokenError, IntakeStaleError, IntakeUnreadError
from survey.storage.intake_file import PAGES
from survey.storage.slip_book import SlipBook
from survey.storage.sqlite_batch import find_slips
from survey.storage.sqlite_opening import damage_named, keep_fault
from survey.storage.sqlite_whole import WholeReading, read_slips, slowly
from survey.storage.whole_tables import WholeTables
from survey.storage.writer_thread import WriterThread

REST = 2.0
"""How many times as long as a slice of the whole reading takes nothing is read after it."""
SLIPS_AT_ONCE = 2000
LET_GO = "PRAGMA shrink_memory"
FEW_PAGES = "PRAGMA cache_size=-8192"
"""Said before everything is read once: nobody comes back to these pages, and memory would stay taken."""


class SqliteReading(WholeTables):
    """The statements that only read, each on the writing thread between two batches."""

    resting: SurveyError | None
    _writer: WriterThread
    _signer: Signer
    _guard: HeadGuard | None
    _slips: SlipBook
    _tree: CompactTree
    _reading: WholeReading | None

    @property
    def size(self) -> int:
        """Leaves in the log."""
        return self._tree.size

    # ── itself ──────────────────────────────────────────────────────────────────────────

    def _go_on_from(self, found: tuple[CompactTree, IntakeStaleError | None] | str) -> None:
        if isinstance(found, str):
            self.resting = IntakeUnreadError(self.about.wave, found)
        else:
            self._tree, self.resting = found

    def _new_reading(self) -> WholeReading:
        return WholeReading(self.about, self._signer, self._guard, self._slips)

    async def _find_slips(self, digests: list[bytes]) -> dict[bytes, tuple[str, str]]:
        found: dict[bytes, tuple[str, str]] = await self._writer.ask(
            lambda connection: find_slips(connection, self._slips, digests)
        )
        return found

    async def read_slips(self) -> None:
        """Take all slips into memory, a few milliseconds between two batches at a time."""
        if self._slips.is_whole:
            return
        source: list[sqlite3.Connection] = []
        slices = read_slips(self._slips, lambda: (source[-1], SLIPS_AT_ONCE))

        def step(connection: sqlite3.Connection) -> bool:
            source[:] = [connection]
            return next(slices, True) is True

        await slowly(self._writer.ask, self._guarded(step), rest=0.0)

    async def read_whole(self) -> None:
        """Read everything that is stored while the wave goes on, and compare all that must agree.

        Raises:
            IntakeBrokenError: something does not; the wave takes nothing in from now on.
        """
        reading = self._reading = self._new_reading()
        await self._rows(FEW_PAGES)
        try:
            await slowly(self._writer.ask, self._guarded(reading.step), rest=REST)
        finally:
            self._reading = None
            await self._rows(PAGES)
            await self._rows(LET_GO)
        if isinstance(self.resting, IntakeUnreadError):
            self._go_on_from((reading.tree, reading.stale))

    def progress(self) -> float:
        """How far a reading of the whole has come, from 0 to 1."""
        if self._reading is None:
            return 0.0
        return min(self._reading.n_read / (len(self._slips) + 3 * self.size + 1), 1.0)

    def _guarded(self, step: Callable[[sqlite3.Connection], bool]) -> Callable[[sqlite3.Connection], bool]:
        """A step after whose refusal nothing more is taken in, not even the batch that comes next."""

        def guarded(connection: sqlite3.Connection) -> bool:
            try:
                with damage_named(self.about.wave):
                    return step(connection)
            except IntakeBrokenError as fault:
                self.resting = fault
                keep_fault(connection, fault.reason)
                raise

        return guarded

    async def keeps_history(self) -> bool:
        """No: the journal is emptied after every transaction, and the file is rewritten at closing."""
        return False

    async def _rows(self, query: str) -> list[Any]:
        rows: list[Any] = await self._writer.ask(lambda connection: connection.execute(query).fetchall())
        return rows
