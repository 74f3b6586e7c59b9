"""Piccolo on PostgreSQL through one pool with time limits.

Without a started pool Piccolo opens a connection per query (96 inserts a second instead of
1 215). Every connection carries a statement timeout and a lock timeout, so that no page can
wait for ever behind another process.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from piccolo.engine.postgres import PostgresEngine

from survey.errors import SurveyError

SERVER_SETTINGS = {
    "application_name": "survey",
    "statement_timeout": "30000",
    "lock_timeout": "10000",
    "idle_in_transaction_session_timeout": "60000",
    "timezone": "UTC",
}
HOLDER_SETTINGS = {
    **SERVER_SETTINGS,
    "tcp_keepalives_idle": "20",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
"""What is held by a machine that lost its power is free again after a minute, not after two hours."""
HELD_NAMES = 7
"""The first half of the advisory locks that `hold` takes, so that they meet no other lock of ours."""
UNREACHABLE = (OSError, asyncpg.exceptions.CannotConnectNowError, asyncpg.exceptions.TooManyConnectionsError)
BROKEN = (
    *UNREACHABLE,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that was cut while nobody used it
    asyncpg.exceptions.AdminShutdownError,
    asyncpg.exceptions.CrashShutdownError,
    asyncpg.exceptions.SerializationError,
    asyncpg.exceptions.DeadlockDetectedError,
    asyncpg.exceptions.LockNotAvailableError,
    asyncpg.exceptions.QueryCanceledError,
    TimeoutError,
)
"""What is worth another attempt: the database, not what was asked of it, was at fault."""


class DatabaseUnreachableError(SurveyError):
    """The PostgreSQL server does not answer."""

    code = "storage.database_unreachable"
    kind = "busy"

    def __init__(self, reason: str) -> None:
        super().__init__(
            "数据库", f"连接不上（{reason}）", "看一看PostgreSQL是否在运行，SURVEY_DATABASE_URL是否写对"
        )


class PoolEngine(PostgresEngine):
    """Piccolo's PostgreSQL engine, quiet at construction and always pooled once started."""

    def __init__(self, url: str, pool_size: int) -> None:
        self.pool_size = pool_size
        super().__init__(config={"dsn": url, "server_settings": SERVER_SETTINGS, "command_timeout": 35})

    async def check_version(self) -> None:
        """Nothing here: `start` connects, and says so clearly when it cannot."""

    async def run_querystring(self, querystring: Any, in_pool: bool = True) -> Any:
        """One statement; whoever asks while the database is away is told to come again.

        Raises:
            DatabaseUnreachableError: the connection broke, or a lock or an answer took too long.
        """
        try:
            return await super().run_querystring(querystring, in_pool)
        except BROKEN as error:
            if isinstance(error, ValueError):
                raise  # asyncpg's word for an argument of the wrong type, which is our mistake
            raise DatabaseUnreachableError(type(error).__name__) from error

    async def start(self, patience: float = 10.0) -> None:
        """Open the pool, waiting a little for a server that is just starting.

        Raises:
            DatabaseUnreachableError: no connection within `patience` seconds.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience
        pause = 0.1
        while True:
            try:
                await self.start_connection_pool(min_size=1, max_size=self.pool_size)
                return
            except UNREACHABLE as error:
                if loop.time() + pause > deadline:
                    raise DatabaseUnreachableError(type(error).__name__) from error
            except (asyncpg.PostgresError, ValueError) as error:
                raise DatabaseUnreachableError(str(error)) from error
            await asyncio.sleep(pause)
            pause = min(pause * 2, 2.0)

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[bool]:
        """Hold a name among all processes until the block ends, or this process does; False where another holds it.

        The connection is one beside the pool: whoever holds a name asks the pool for others.

        Raises:
            DatabaseUnreachableError: no connection.
        """
        try:
            connection = await asyncpg.connect(self.config["dsn"], server_settings=HOLDER_SETTINGS, timeout=10)
        except (*UNREACHABLE, TimeoutError) as error:
            raise DatabaseUnreachableError(type(error).__name__) from error
        try:
            yield await connection.fetchval("SELECT pg_try_advisory_lock($1, hashtext($2))", HELD_NAMES, name)
        finally:
            # At once, and not when the server notices that nobody is there.
            with contextlib.suppress(*BROKEN):
                await connection.execute("SELECT pg_advisory_unlock_all()")
            connection.terminate()

    async def close(self) -> None:
        """Close the pool; connections in use get five seconds."""
        if self.pool is not None:
            try:
                await asyncio.wait_for(self.pool.close(), 5)
            except TimeoutError:
                self.pool.terminate()
            self.pool = None
