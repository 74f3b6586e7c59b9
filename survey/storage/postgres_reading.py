"""What an intake on PostgreSQL tells and never changes: counts, and the tables whole for closing."""

from __future__ import annotations

from typing import Any

from survey.storage.intake import BusyError, DomainCount
from survey.storage.postgres_engine import BROKEN
from survey.storage.whole_tables import WholeTables


class PostgresReading(WholeTables):
    """The statements that only read, each on whichever connection is free."""

    _pool: Any

    def knows(self, e: bytes) -> bool:
        """Whether there is nothing to wait for before a slip is looked up; on PostgreSQL there never is."""
        return True

    async def participation(self) -> tuple[DomainCount, ...]:
        """Counts per domain, never an answer."""
        rows = await self._rows(
            "SELECT domain, count(*), count(*) FILTER (WHERE state IN ('used', 'disputed')),"
            " count(*) FILTER (WHERE state = 'disputed'), count(*) FILTER (WHERE state = 'voided')"
            ' FROM slips GROUP BY domain ORDER BY domain COLLATE "C"'
        )
        return (*(DomainCount(*row) for row in rows), *await self.poster_counts())

    async def poster_counts(self) -> tuple[DomainCount, ...]:
        """The same of posters alone."""
        query = 'SELECT domain, quota, used, 0, 0 FROM posters ORDER BY domain COLLATE "C"'
        return tuple(DomainCount(*row) for row in await self._rows(query))

    async def _value(self, query: str) -> Any:
        return (await self._rows(query))[0][0]

    async def _rows(self, query: str, *arguments: Any) -> list[Any]:
        try:
            return list(await self._pool.fetch(query, *arguments))
        except BROKEN as error:
            raise BusyError(f"数据库暂时没有应答（{type(error).__name__}）", 5) from error
