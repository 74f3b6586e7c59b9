"""The tables of an intake whole, for closing: the same statements on SQLite and on PostgreSQL."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from survey.storage.intake import About, heads_of


class WholeTables(ABC):
    """Each table as what it means, over whatever fetches its rows."""

    about: About

    @abstractmethod
    async def _rows(self, query: str) -> list[Any]:
        """All rows of a statement."""

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
