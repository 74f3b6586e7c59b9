"""A batch on SQLite: decided on the event loop, made durable on the writing thread, then kept in memory."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from survey.certification.transparency_log import CompactTree
from survey.errors import SurveyError
from survey.storage.frontier import is_due
from survey.storage.head_guard import signed_head
from survey.storage.intake import Accepted, BusyError, Entry, IntakeBrokenError, Outcome
from survey.storage.intake_file import transaction
from survey.storage.settlement import PosterCount, Settlement, settle
from survey.storage.slip_book import USED
from survey.storage.sqlite_batch import TAKE, batch_row, find_known, find_slips, receipt_of, refusal
from survey.storage.sqlite_opening import keep_frontier
from survey.storage.sqlite_reading import SqliteReading
from survey.storage.tally import Tally
from survey.storage.writer_thread import Told

log = logging.getLogger("survey.storage")


@dataclass(frozen=True)
class Decided:
    """A batch that is decided and not yet written; `row` is empty where nothing is to be."""

    settled: Settlement
    tree: CompactTree
    tally: Tally | None
    row: tuple[Any, ...]
    note: str


class SqliteTaking(SqliteReading):
    """What becomes of the entries of a batch."""

    _connection: sqlite3.Connection
    _seed: bytes
    _clock: Callable[[], datetime]
    _posters: dict[str, PosterCount]
    _state: str
    _tally: Tally

    def _begin(self, entries: list[Entry]) -> Callable[[], Told]:
        """Decide a batch on the event loop; what is left for the writing thread.

        A batch in which every entry is new to memory is written at once; where its key is known to the log
        after all, the tables' own conditions refuse it. Any other batch the thread decides, which may ask the file.
        """
        decided: Decided | Exception | None = None
        try:
            if all(entry.e is None or self._slips.covers(entry.e) for entry in entries):
                settled = self._settle(entries)
                if len(settled.append) == len(entries):
                    decided = self._decide(settled)
        except Exception as error:  # noqa: BLE001
            decided = error

        def write() -> Told:
            if decided is None:
                told = self._take(entries)
            elif isinstance(decided, Exception):
                told = self._refused(entries, decided)
            else:
                try:
                    self._write(decided)
                except sqlite3.IntegrityError:
                    told = self._take(entries)
                except Exception as error:  # noqa: BLE001
                    told = self._refused(entries, error)
                else:
                    return lambda: self._keep(decided)
            return lambda: told

        return write

    def _take(self, entries: list[Entry]) -> list[Any]:
        """Decide and write a batch on the thread, asking the file for its state and for keys it knows."""
        try:
            known = find_known(self._connection, [entry.k for entry in entries])
            decided = self._decide(self._settle(entries, *known))
            self._write(decided)
            return self._keep(decided)
        except sqlite3.IntegrityError as error:
            # One entry does not fit; alone, each of the others still does.
            if len(entries) > 1:
                return [told for entry in entries for told in self._take([entry])]
            return [IntakeBrokenError(self.about.wave, f"一份答卷与库中内容冲突（{error}）")]
        except Exception as error:  # noqa: BLE001
            return self._refused(entries, error)

    def _refused(self, entries: Sequence[Entry], error: Exception) -> list[Any]:
        """What everybody in a batch is told of which nothing was kept."""
        if isinstance(error, sqlite3.Error):
            error = refusal(error)
        elif not isinstance(error, SurveyError):
            # Whatever it was, nothing was kept, so nothing is acknowledged, and the thread lives on.
            error = BusyError(f"无法接收（{type(error).__name__}）", 30)
        return [error] * len(entries)

    def _settle(
        self, entries: Sequence[Entry], state: str | None = None, known: Mapping[bytes, int] | None = None
    ) -> Settlement:
        """What becomes of each entry.

        Args:
            state, known: the wave's state in the file and the keys it knows; without them memory's state, and none.

        Raises:
            SurveyError: nothing is taken in.
        """
        if self.resting is not None:
            raise self.resting
        digests = [entry.e for entry in entries if entry.e is not None]
        return settle(
            entries,
            state=state or self._state,
            size=self._tree.size,
            known=known or {},
            slips=find_slips(self._connection, self._slips, digests),
            posters=self._posters,
        )

    def _decide(self, settled: Settlement) -> Decided:
        """What a settled batch changes, under its signed head; nothing is changed yet."""
        if not settled.append:
            return Decided(settled, self._tree, None, (), "")
        batch = [(entry, sealed) for _, entry, sealed in settled.append]
        tree = self._tree.copy()
        for _, sealed in batch:
            tree.add(sealed.leaf)
        adds, largest, tally = self._tally.count(batch, self._clock())
        note = signed_head(self.about, tree, self._signer)
        return Decided(settled, tree, tally, batch_row(settled, adds, largest, (tree.size, note)), note)

    def _write(self, decided: Decided) -> None:
        """Make a decision durable; nothing of it is on the disk when this raises."""
        if not decided.row:
            return
        if is_due(decided.settled.size, decided.tree.size):
            with transaction(self._connection):
                self._connection.execute(TAKE, decided.row)
                keep_frontier(self._connection, self.about, self._seed, decided.tree)
        else:
            self._connection.execute(TAKE, decided.row)
        if self._guard is not None:
            try:
                self._guard.remember(self.about.wave, decided.note)
            except OSError as error:
                # The answers are kept; only an older copy might go unnoticed until this works again.
                log.error("last head of %s not remembered: %s", self.about.wave, error.strerror)

    def _keep(self, decided: Decided) -> list[Any]:
        """Take a decision that is on the disk into memory; what each entry is told."""
        settled = decided.settled
        if self._reading is not None:
            self._reading.came_in((sealed.c, entry.k) for _, entry, sealed in settled.append)
        self._tree = decided.tree
        if decided.tally is not None:
            self._tally.keep(decided.tally)
        for e in settled.slips_used:
            self._slips.turn(e, USED)
        for domain, n in settled.posters_used.items():
            self._posters[domain].used += n
        told: list[Outcome] = []
        last = settled.size - 1
        for outcome in settled.told:
            if not isinstance(outcome, int):
                told.append(outcome)
            elif outcome < settled.size:
                told.append(receipt_of(self._connection, outcome))
            else:
                # Whoever sent the same key again in this batch stands behind the first.
                leaf = settled.append[outcome - settled.size][2].leaf
                told.append(Accepted(outcome, leaf, decided.note, outcome <= last))
                last = max(last, outcome)
        return told
