"""What an intake on PostgreSQL tells and never changes: counts, and the tables whole for closing."""

from __future__ import annotations

from typing import Any

from survey.storage.intake import About, BusyError, DomainCount, heads_of
from survey.storage.postgres_engine import BROKEN


class PostgresReading:
    """The statements that only read, each on whichever connection is free."""

    _pool: Any
    about: About

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

    async def _value(self, query: str) -> Any:
        return (await self._rows(query))[0][0]

    async def _rows(self, query: str, *arguments: Any) -> list[Any]:
        try:
            return list(await self._pool.fetch(query, *arguments))
        except BROKEN as error:
            raise BusyError(f"数据库暂时没有应答（{type(error).__name__}）", 5) from error
