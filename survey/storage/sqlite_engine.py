"""Piccolo on SQLite through one persistent connection, for every statement there is.

Piccolo's own engine opens a connection and a thread per query: 400 parallel writers got 399
"database is locked" (TRUST section 17), and SQLite up to 3.51.2 may lose committed pages
when two connections write in WAL mode. Here there is exactly one connection. A statement
outside a transaction holds it for that statement, a transaction from BEGIN IMMEDIATE to
COMMIT; whoever comes meanwhile waits in line. Reads wait too: they are small, and nobody
ever sees half of another's transaction.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiosqlite
from piccolo.engine.sqlite import SQLiteEngine, SQLiteTransaction, TransactionType, dict_factory
from piccolo.querystring import QueryString

PRAGMAS = (
    "PRAGMA journal_mode=TRUNCATE",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=5000",
    "PRAGMA mmap_size=0",
    "PRAGMA trusted_schema=OFF",
)


class OneConnectionTransaction(SQLiteTransaction):
    """BEGIN IMMEDIATE on the one connection; it is given back whatever happens, also when COMMIT fails."""

    engine: OneConnectionEngine

    async def __aenter__(self) -> SQLiteTransaction:
        if self._parent is not None:
            return self._parent
        await self.engine.line.acquire()
        try:
            self.connection = await self.engine.get_connection()
            await self.connection.execute("BEGIN IMMEDIATE")
        except BaseException:
            self.engine.line.release()
            raise
        self.context = self.engine.current_transaction.set(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exception: BaseException | None, traceback: object
    ) -> bool:
        if self._parent is not None:
            return False
        try:
            if self._committed or self._rolled_back:
                return False
            if exception is None:
                try:
                    await self.connection.execute("COMMIT")
                except BaseException:
                    await self._undo()
                    raise
            else:
                await self._undo()
            return False
        finally:
            self.engine.current_transaction.reset(self.context)
            self.engine.line.release()

    async def _undo(self) -> None:
        # SQLite rolls back by itself on a full disk; a second ROLLBACK would then be an error.
        if self.connection.in_transaction:
            await self.connection.execute("ROLLBACK")


class OneConnectionEngine(SQLiteEngine):
    """Piccolo's SQLite engine with a single connection, opened at the first statement."""

    def __init__(self, path: Path | str) -> None:
        super().__init__(path=str(path))
        self._connection: aiosqlite.Connection | None = None
        self.line = asyncio.Lock()

    async def check_version(self) -> None:
        """Nothing: Python's own SQLite is new enough, and Piccolo would print."""

    async def get_connection(self) -> aiosqlite.Connection:
        """The one connection, opened now if this is the first use."""
        if self._connection is None:
            connection = await aiosqlite.connect(**self.connection_kwargs)
            connection.row_factory = dict_factory  # type: ignore[assignment]
            for pragma in PRAGMAS:
                await connection.execute_fetchall(pragma)
            self._connection = connection
        return self._connection

    async def close(self) -> None:
        """Close the connection after whoever holds it has finished."""
        async with self.line:
            if self._connection is not None:
                await self._connection.close()
                self._connection = None

    def transaction(
        self, transaction_type: TransactionType = TransactionType.immediate, allow_nested: bool = True
    ) -> OneConnectionTransaction:
        """A transaction that holds the connection; inside another it is part of that one."""
        return OneConnectionTransaction(self, TransactionType.immediate, allow_nested)

    async def run_querystring(self, querystring: QueryString, in_pool: bool = False) -> list[dict[str, Any]]:
        """The rows of one Piccolo query."""
        query, arguments = querystring.compile_string(engine_type=self.engine_type)
        return await self.run_statement(query, arguments)

    async def run_ddl(self, ddl: str, in_pool: bool = False) -> list[dict[str, Any]]:
        """Run one statement of a migration."""
        return await self.run_statement(ddl, [])

    async def run_statement(self, query: str, arguments: list[Any]) -> list[dict[str, Any]]:
        """The rows of one statement, inside this task's transaction when it has one."""
        transaction = self.current_transaction.get()
        if transaction is not None:
            return list(await transaction.connection.execute_fetchall(query, arguments))
        async with self.line:
            connection = await self.get_connection()
            rows: Any = await connection.execute_fetchall(query, arguments)
            return list(rows)
