"""Opened answers, as the canonical records that were committed to; written once, read to count.

Confidential: no page, export or interface reads them, only the jobs that build the case file
and the auditor's bundle. The key is the commitment, so the order tells nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from survey.errors import SurveyError
from survey.storage.current import transaction
from survey.storage.tables import Cases, Salts

CHUNK = 200
"""Rows an insert: three values each stay below SQLite's and PostgreSQL's limits."""


class CasesExistError(SurveyError):
    """The wave's answers were opened before."""

    code = "storage.cases_exist"
    kind = "conflict"

    def __init__(self, wave: str) -> None:
        super().__init__(f"调查 {wave}", "答卷已经开箱", "不用再做这一步，直接计算结果")


async def save_cases(wave: str, rows: Iterable[tuple[str, str, str]]) -> int:
    """Keep all opened records of a wave, all or none; how many there were.

    Args:
        rows: commitment and salt (hex), and canonical record.

    Raises:
        CasesExistError: some are there already.
    """
    opened = list(rows)
    cases = [Cases(wave=wave, c=c, record=record) for c, _, record in opened]
    salts = [Salts(wave=wave, c=c, salt=salt) for c, salt, _ in opened]
    async with transaction():
        if await Cases.exists().where(Cases.wave == wave):
            raise CasesExistError(wave)
        for start in range(0, len(cases), CHUNK):
            await Cases.insert(*cases[start : start + CHUNK])
            await Salts.insert(*salts[start : start + CHUNK])
    return len(cases)


async def has_cases(wave: str) -> bool:
    """Whether opened records of a wave are still there."""
    return await Cases.exists().where(Cases.wave == wave)


async def load_cases(wave: str) -> list[tuple[str, str]]:
    """All opened records of a wave by commitment, in its order."""
    rows = await Cases.select(Cases.c, Cases.record).where(Cases.wave == wave)
    return sorted((row["c"], row["record"]) for row in rows)


async def load_salts(wave: str) -> dict[str, str]:
    """The salt of every opened record by its commitment, both in hexadecimal."""
    rows = await Salts.select(Salts.c, Salts.salt).where(Salts.wave == wave)
    return {row["c"]: row["salt"] for row in rows}


async def erase_cases(wave: str) -> None:
    """Destroy the opened records and their salts, when their time has come; public proofs keep working."""
    async with transaction():
        await Salts.delete().where(Salts.wave == wave)
        await Cases.delete().where(Cases.wave == wave)
