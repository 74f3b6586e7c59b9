"""Results of waves, as the canonical document that was estimated; every number in it is text.

A document is read as it is told: what an older release kept uncoded is coded here, so that no page has
to know how old a wave is. Its digest is that of the bytes that were kept and signed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from survey.canonical import decode, encode, sha256_hex
from survey.errors import SurveyError
from survey.estimation.disclosure import code_extremes
from survey.followup.published import PublishedWave, read_published
from survey.storage.areas import areas_of
from survey.storage.branch import everywhere
from survey.storage.current import transaction
from survey.storage.tables import ResultsTable

MOST_KEPT = 2000
"""Published waves kept in memory, about 50 kB each; the oldest read goes first."""
_PUBLISHED: OrderedDict[str, PublishedWave] = OrderedDict()


class ResultsMissingError(SurveyError):
    """Nothing was estimated for the wave yet."""

    code = "storage.results_missing"
    kind = "not_found"

    def __init__(self, wave: str) -> None:
        super().__init__(f"调查 {wave}", "还没有结果", "截止、开箱并计算之后才有结果")


async def save_results(wave: str, document: dict[str, Any], *, now: datetime) -> None:
    """Keep the results of a wave, in place of earlier ones."""
    text = encode(document)
    row: dict[Any, Any] = {
        ResultsTable.document: text.decode(),
        ResultsTable.digest: sha256_hex(text),
        ResultsTable.saved_at: now,
    }
    async with transaction():
        changed = await ResultsTable.update(row).where(ResultsTable.wave == wave).returning(ResultsTable.wave)
        if not changed:
            await ResultsTable.insert(ResultsTable({ResultsTable.wave: wave, **row}))


async def find_results(wave: str) -> dict[str, Any] | None:
    """The results of a wave as they are told, or None."""
    rows = await ResultsTable.select(ResultsTable.document).where(ResultsTable.wave == wave)
    return code_extremes(decode(rows[0]["document"].encode())) if rows else None


async def load_results_digest(wave: str) -> str:
    """The digest of the results as they were kept, which a statement names; refuses when nothing was estimated."""
    rows = await ResultsTable.select(ResultsTable.digest).where(ResultsTable.wave == wave)
    if not rows:
        raise ResultsMissingError(wave)
    return str(rows[0]["digest"])


async def area_rows(wave: str) -> tuple[dict[str, Any], ...]:
    """The results of the responsibility areas that may be seen, small ones withheld as everywhere.

    Below the county these rows are all there is of the results: the document itself stays hidden.
    """
    seen = set((await areas_of(wave)).values()) - {None}
    with everywhere():
        document = await find_results(wave)
    return tuple(row for row in (document or {}).get("by_area") or () if row["key"] in seen)


async def load_published(waves: Sequence[str]) -> dict[str, PublishedWave]:
    """What several estimated waves publish, in one query; a wave without results is left out.

    Results are read once for each digest, so that a page over hundreds of waves stays quick.
    """
    if not waves:
        return {}
    wanted = list(waves)
    digests = await ResultsTable.select(ResultsTable.wave, ResultsTable.digest).where(
        ResultsTable.wave.is_in(wanted)
    )
    unread = [row["wave"] for row in digests if row["digest"] not in _PUBLISHED]
    if unread:
        rows = await ResultsTable.select(ResultsTable.digest, ResultsTable.document).where(
            ResultsTable.wave.is_in(unread)
        )
        for row in rows:
            _PUBLISHED[row["digest"]] = read_published(code_extremes(decode(row["document"].encode())))
    found = {row["wave"]: _PUBLISHED[row["digest"]] for row in digests if row["digest"] in _PUBLISHED}
    while len(_PUBLISHED) > MOST_KEPT:
        _PUBLISHED.popitem(last=False)
    return found


async def load_results(wave: str) -> dict[str, Any]:
    """The results of a wave; refuses when nothing was estimated."""
    document = await find_results(wave)
    if document is None:
        raise ResultsMissingError(wave)
    return document
