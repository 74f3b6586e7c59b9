"""What an intake on SQLite tells and never changes: the tables whole, for closing."""

from __future__ import annotations

from typing import Any

from survey.storage.intake import About, heads_of
from survey.storage.writer_thread import WriterThread


class SqliteReading:
    """The statements that only read, each on the writing thread between two batches."""

    _writer: WriterThread
    about: About

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

    async def _rows(self, query: str) -> list[Any]:
        rows: list[Any] = await self._writer.ask(lambda connection: connection.execute(query).fetchall())
        return rows
