"""The intake on PostgreSQL: a schema a wave, several processes, appends one behind the other.

Each process gathers what waits into a batch and takes the row of `about` as its turn. With
the turn it catches up with leaves that other processes appended, decides with the same
`settle` as on SQLite, writes, signs one head and commits. No slip is remembered between
batches: the truth is in the tables alone.

A batch may be tried again after the connection broke, even in the middle of COMMIT: whoever
is in the log already is found by its submission key and told the same receipt (TRUST R2).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg

from survey.certification.signature import Signer
from survey.certification.transparency_log import CompactTree
from survey.errors import SurveyError
from survey.storage.counts import BatchCounts
from survey.storage.frontier import is_due
from survey.storage.gathering import Gathering
from survey.storage.head_guard import HeadGuard, check_head, signed_head
from survey.storage.intake import (
    BATCH_LIMIT,
    QUEUE_LIMIT,
    STEPS,
    About,
    Accepted,
    BusyError,
    Entry,
    IntakeBrokenError,
    IntakeUnreadError,
    KeyConflict,
    Outcome,
    StorageFullError,
)
from survey.storage.intake_sql import intake_sql
from survey.storage.postgres_batch import RECEIPT, TAIL, look, write
from survey.storage.postgres_opening import (
    LAST_HEAD,
    SIZE,
    damage_named,
    grown,
    keep_frontier,
    load_about,
    one_instant,
    put_on_record,
    read_tail,
    read_whole,
    refuse_foreign,
    renew_structure,
)
from survey.storage.postgres_reading import BROKEN, PostgresReading
from survey.storage.postgres_schema import connection_settings, create_schema, list_schemas
from survey.storage.states import WrongStateError
from survey.storage.tally import Tally

__all__ = ["PostgresIntake", "create_schema", "list_schemas"]

TURN = "BEGIN; SELECT 1 FROM about FOR UPDATE"
FIND = (
    "SELECT s.e, s.domain, s.state,"
    " CASE WHEN a.state = 'open' AND EXISTS (SELECT 1 FROM faults) THEN 'paused' ELSE a.state END"
    " FROM slips s, about a WHERE s.e = ANY($1)"
)
STATE = (
    "SELECT CASE WHEN state = 'open' AND EXISTS (SELECT 1 FROM faults) THEN 'paused' ELSE state END FROM about"
)
"""An open wave in which any process has found something wrong counts as paused for all of them."""
HISTORY = "SELECT current_setting('archive_mode') <> 'off' OR EXISTS (SELECT 1 FROM pg_replication_slots)"
REST = 1.0
"""How many times as long as some leaves take in the whole reading nothing is read after them."""
PATIENCE = 20.0
"""Seconds for which a batch is tried again while the database is away."""


class PostgresIntake(PostgresReading):
    """One wave's intake in a schema of its own."""

    def __init__(
        self,
        url: str,
        wave: str,
        seed: bytes,
        clock: Callable[[], datetime],
        guard: HeadGuard | None = None,
        connections: int = 4,
    ) -> None:
        """`connections` is the most of this wave: one appends, one looks slips up, the others are for the office."""
        self._url, self._connections = url, connections
        self._wave = wave
        self._seed = seed
        self._clock = clock
        self._guard = guard
        self.resting: SurveyError | None = None
        self._read = 0
        self._tree = CompactTree()
        self._tally = Tally()
        self._queue: asyncio.Queue[tuple[Entry, asyncio.Future[Outcome]]] = asyncio.Queue()
        self._worker: asyncio.Task[None] | None = None
        self.counted = BatchCounts()
        self._stopping = False
        self._looks = Gathering(self._find_slips)
        self.about: About

    @property
    def waiting(self) -> int:
        """How many wait for an answer."""
        return self._queue.qsize()

    # ── life ────────────────────────────────────────────────────────────────────────────

    async def start(self, most_bytes: int | None = None) -> int:
        """Connect, hold what a start reads against the last head, and listen.

        Raises:
            IntakeBrokenError: the log does not agree with itself.
        """
        self._pool = await asyncpg.create_pool(
            self._url,
            min_size=1,
            max_size=self._connections,
            command_timeout=35,
            reset=_leave,
            server_settings=connection_settings(self._wave),
        )
        try:
            with damage_named(self._wave):
                n_bytes = await self._check(most_bytes)
        except BaseException:
            self._pool.terminate()
            raise
        self._stopping = False
        self._worker = asyncio.create_task(self._work())
        return n_bytes

    async def _check(self, most_bytes: int | None) -> int:
        """Hold the log against its last head, all of it or its tail; how many bytes were read whole."""
        async with self._pool.acquire() as connection:
            await refuse_foreign(connection, self._wave)
        async with self._turn() as connection:
            await renew_structure(connection)
            self.about = await load_about(connection, self._wave)
            self._signer = Signer(self.about.origin, self._seed)
            n_bytes = await connection.fetchval(SIZE)
            if most_bytes is not None and n_bytes > most_bytes:
                found = await read_tail(connection, self.about, self._signer, self._guard)
                if isinstance(found, str):
                    self.resting = IntakeUnreadError(self._wave, found)
                else:
                    self._tree, self.resting = found
                return 0
            whole = await read_whole(connection, self.about, self._signer, self._guard, _go_on)
            self._tree, self.resting = whole.tree, whole.stale
            await put_on_record(connection, self.about, self._seed, whole.tree, whole.mended)
            return int(n_bytes)

    async def read_slips(self) -> None:
        """Nothing: slips are looked up in the database."""

    async def read_whole(self) -> None:
        """Read everything as it stands now while the wave goes on, and compare all that must agree.

        Raises:
            IntakeBrokenError: something does not; no process takes anything in from now on.
        """
        self._read = 0
        began = time.monotonic()

        async def told(n_leaves: int) -> None:
            nonlocal began
            self._read = n_leaves
            await asyncio.sleep(REST * (time.monotonic() - began))
            began = time.monotonic()

        try:
            async with one_instant(self._url, self._wave) as connection:
                with damage_named(self._wave):
                    await load_about(connection, self._wave)
                    found = await read_whole(connection, self.about, self._signer, None, told)
        except IntakeBrokenError as fault:
            self.resting = fault
            with contextlib.suppress(asyncpg.PostgresError, OSError):
                await self._pool.execute("INSERT INTO faults VALUES ($1) ON CONFLICT DO NOTHING", fault.reason)
            raise
        async with self._turn() as connection:
            self._remember(found.tree)
            tree = await self._catch_up(connection)
            if isinstance(self.resting, IntakeUnreadError):
                last = await connection.fetchval(LAST_HEAD)
                self.resting = check_head(self.about, tree, last, self._guard)
            await put_on_record(connection, self.about, self._seed, tree, found.mended)
        self._remember(tree)

    def progress(self) -> float:
        """How far a reading of the whole has come, from 0 to 1."""
        return self._read / max(self._tree.size, self._read, 1)

    async def stop(self) -> None:
        """Finish what was queued and close the connections."""
        self._stopping = True
        worker, self._worker = self._worker, None
        if worker is not None:
            await self._queue.join()
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)
        if self._guard is not None:
            self._guard.flush(self._wave)
        try:
            await asyncio.wait_for(self._pool.close(), 5)
        except TimeoutError:
            self._pool.terminate()

    # ── what the others ask ─────────────────────────────────────────────────────────────

    async def load_state(self) -> str:
        """The stored state."""
        return str(await self._value(STATE))

    async def submit(self, entry: Entry) -> Outcome:
        """The outcome of one entry, after the batch it was in was committed.

        Raises:
            BusyError: the queue is full, or the database stays away.
        """
        if self._stopping:
            raise BusyError("服务正在停止")
        if self._queue.qsize() >= QUEUE_LIMIT:
            raise BusyError()
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait((entry, future))
        return await future

    async def find_slip(self, e: bytes) -> tuple[str, str, str] | None:
        """Domain, slip state and wave state of a slip, or None."""
        found: tuple[str, str, str] | None = await self._looks.ask(e)
        return found

    async def _find_slips(self, digests: list[bytes]) -> dict[bytes, tuple[str, str, str]]:
        return {row[0]: (row[1], row[2], row[3]) for row in await self._rows(FIND, digests)}

    async def find_receipt(self, e: bytes | None, k: bytes) -> Accepted | KeyConflict | None:
        """What a repeated submission is told, or None when k is new."""
        rows = await self._rows(RECEIPT, k)
        if not rows:
            return None
        if e is not None:
            slip = await self.find_slip(e)
            if slip is None or slip[1] not in {"used", "disputed"}:
                return KeyConflict()
        return Accepted(rows[0][0], rows[0][1], rows[0][2], True)

    async def set_state(self, expected: Sequence[str], new: str) -> None:
        """Take the wave one step on, in its turn.

        Raises:
            WrongStateError: it is not in one of the expected states.
        """
        async with self._turn() as connection:
            state = await self._state(connection)
            if state not in expected or new not in STEPS[state]:
                raise WrongStateError(self._wave, state, tuple(expected))
            await connection.execute("UPDATE about SET state = $1", new)
            if new == "closed":
                await self._sign(connection, await self._catch_up(connection))

    async def dispute(self, e: bytes, day: int) -> None:
        """Count a used slip as disputed, once; anything else changes nothing."""
        async with self._turn() as connection:
            domain = await connection.fetchval(
                "UPDATE slips SET state = 'disputed' WHERE e = $1 AND state = 'used' RETURNING domain", e
            )
            if domain is not None:
                await connection.execute(
                    "INSERT INTO disputes AS d VALUES ($1, $2, 1) ON CONFLICT (domain, day) DO UPDATE SET n = d.n + 1",
                    domain,
                    day,
                )

    async def note(self, domain: str, kind: str) -> None:
        """Add one to a counter of a domain."""
        async with self._turn() as connection:
            await connection.execute(
                "INSERT INTO counters AS c VALUES ($1, $2, 1) ON CONFLICT (domain, kind) DO UPDATE SET n = c.n + 1",
                domain,
                kind,
            )

    async def void(self, digests: Sequence[bytes]) -> int:
        """Void slips that were never used; how many changed."""
        async with self._turn() as connection:
            rows = await connection.fetch(
                "UPDATE slips SET state = 'voided' WHERE e = ANY($1) AND state = 'unused' RETURNING domain",
                list(digests),
            )
            await connection.executemany(
                "INSERT INTO counters AS c VALUES ($1, 'voided', $2)"
                " ON CONFLICT (domain, kind) DO UPDATE SET n = c.n + excluded.n",
                sorted(Counter(row[0] for row in rows).items()),
            )
        return len(rows)

    async def keeps_history(self) -> bool:
        """Whether the server archives its log of changes, or hands it to somebody else."""
        return bool(await self._value(HISTORY))

    async def erase_boxes(self) -> int:
        """Destroy every box of a closed wave, and write the table again so that no old row stays."""
        async with self._turn() as connection:
            state = await self._state(connection)
            if state != "closed":
                raise WrongStateError(self._wave, state, ("closed",))
            rows = await connection.fetch("UPDATE sealed SET box = $1 WHERE box <> $1 RETURNING c", bytes(33))
        await self.rewrite()
        return len(rows)

    async def rewrite(self) -> None:
        """After closing: write everything again in the order of its keys."""
        async with self._turn() as connection:
            state = await self._state(connection)
            if state != "closed":
                raise WrongStateError(self._wave, state, ("closed",))
            await connection.execute(intake_sql("rewrite_postgres"))

    # ── the batches ─────────────────────────────────────────────────────────────────────

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[Any]:
        """A transaction that holds the row of `about`, so that no other process appends meanwhile."""
        async with self._pool.acquire() as connection:
            try:
                await connection.execute(TURN)
                yield connection
                if await connection.execute("COMMIT") != "COMMIT":
                    raise asyncpg.InterfaceError("the transaction had failed")
            except BaseException:
                if not connection.is_closed() and connection.is_in_transaction():
                    await connection.execute("ROLLBACK")
                raise

    async def _state(self, connection: Any) -> str:
        """The stored state, in this process's turn."""
        return str(await connection.fetchval("SELECT state FROM about"))

    async def _catch_up(self, connection: Any) -> CompactTree:
        """The tree over all committed leaves; the turn keeps everyone else from appending."""
        return grown(self._wave, self._tree, await connection.fetch(TAIL, self._tree.size))

    def _remember(self, tree: CompactTree) -> None:
        # Two tasks of this process may finish in another order than they had their turns.
        if tree.size > self._tree.size:
            self._tree = tree

    async def _work(self) -> None:
        while True:
            batch = [await self._queue.get()]
            while len(batch) < BATCH_LIMIT and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            began = time.monotonic()
            told = await self._take([entry for entry, _ in batch])
            self.counted.add(len(batch), time.monotonic() - began)
            for (_, future), outcome in zip(batch, told, strict=True):
                if not future.done():
                    if isinstance(outcome, BaseException):
                        future.set_exception(outcome)
                    else:
                        future.set_result(outcome)
                self._queue.task_done()

    async def _take(self, entries: list[Entry]) -> list[Any]:
        loop = asyncio.get_running_loop()
        deadline, pause = loop.time() + PATIENCE, 0.05
        while True:
            try:
                return list(await self._commit(entries))
            except asyncpg.IntegrityConstraintViolationError as error:
                # One entry does not fit; alone, each of the others still does.
                if len(entries) > 1:
                    return [told for entry in entries for told in await self._take([entry])]
                return [IntakeBrokenError(self._wave, f"一份答卷与库中内容冲突（{error}）")]
            except (asyncpg.exceptions.DiskFullError, asyncpg.exceptions.InsufficientResourcesError):
                return [StorageFullError()] * len(entries)
            except BROKEN as error:
                if loop.time() + pause > deadline:
                    return [BusyError(f"数据库暂时没有应答（{type(error).__name__}）", 10)] * len(entries)
            except SurveyError as error:
                return [error] * len(entries)
            except Exception as error:  # noqa: BLE001
                # Whatever it was, nothing was kept, so nothing is acknowledged, and the work goes on.
                return [BusyError(f"无法接收（{type(error).__name__}）", 30)] * len(entries)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 1.0)

    async def _commit(self, entries: Sequence[Entry]) -> list[Outcome]:
        """Decide a batch, write it, sign its head, and return once it is committed."""
        if self.resting is not None:
            raise self.resting
        async with self._turn() as connection:
            seen = await look(connection, entries, self._tree.size)
            tree = grown(self._wave, self._tree, seen.tail)
            settled = seen.settle(entries, tree.size)
            note, tally = "", None
            if settled.append:
                batch = [(entry, sealed) for _, entry, sealed in settled.append]
                adds, largest, tally = self._tally.count(batch, self._clock())
                for _, _, sealed in settled.append:
                    tree.add(sealed.leaf)
                note = signed_head(self.about, tree, self._signer)
                await write(connection, settled, adds, largest, (tree.size, note))
                if is_due(settled.size, tree.size):
                    await keep_frontier(connection, self.about, self._seed, tree)
        fresh = {index: sealed.leaf for index, _, sealed in settled.append}
        self._remember(tree)
        if tally is not None:
            self._tally.keep(tally)
        if note and self._guard is not None:
            self._guard.remember(self._wave, note)
        told: list[Outcome] = []
        given: set[int] = set()
        for outcome in settled.told:
            if not isinstance(outcome, int):
                told.append(outcome)
            elif outcome in fresh:
                told.append(Accepted(outcome, fresh[outcome], note, outcome in given))
                given.add(outcome)
            else:
                told.append(Accepted(outcome, *seen.receipts[outcome], True))
        return told

    async def _sign(self, connection: Any, tree: CompactTree) -> str:
        note = signed_head(self.about, tree, self._signer)
        await connection.execute("INSERT INTO heads VALUES ($1, $2) ON CONFLICT DO NOTHING", tree.size, note)
        return note


async def _go_on(_: int) -> None:
    """Read on at once: nobody waits at a start."""


async def _leave(connection: Any) -> None:
    """Nothing to tidy up: no statement here leaves anything behind in its session, and asking costs a round trip."""
