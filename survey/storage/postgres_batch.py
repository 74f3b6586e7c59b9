"""The statements of one batch on PostgreSQL: one to look, one to write, inside the caller's transaction.

Under load a round trip costs more than the rows it carries, so a batch makes four: begin and
take the turn, look, write, commit. The look is a statement of its own, because a statement
sees what was committed before it began, and the turn may have had to wait.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from survey.storage.intake import Entry
from survey.storage.settlement import PosterCount, Settlement, settle

RECEIPT = (
    'SELECT l."index", l.leaf, (SELECT note FROM heads WHERE size > l."index" ORDER BY size LIMIT 1)'
    " FROM leaves l WHERE l.k = $1"
)
TAIL = 'SELECT "index", leaf, k FROM leaves WHERE "index" >= $1 ORDER BY "index"'
LOOK = """
SELECT CASE WHEN state = 'open' AND EXISTS (SELECT 1 FROM faults) THEN 'paused' ELSE state END,
  ARRAY(SELECT ("index", leaf, k) FROM leaves WHERE "index" >= $1 ORDER BY "index"),
  ARRAY(SELECT (l.k, l."index", l.leaf,
      (SELECT note FROM heads WHERE size > l."index" ORDER BY size LIMIT 1))
    FROM leaves l WHERE l.k = ANY($2)),
  ARRAY(SELECT (e, domain, state) FROM slips WHERE e = ANY($3)),
  ARRAY(SELECT (domain, mode, quota, surplus, used) FROM posters WHERE $4)
FROM about
"""
"""State, leaves that others appended, receipts of keys that are known, slips, posters."""
WRITE = """
WITH spent AS (
  UPDATE slips SET state = 'used' WHERE e = ANY($1) AND state = 'unused' RETURNING 1
), counted AS (
  UPDATE posters SET used = used + taken.n
  FROM unnest($2::text[], $3::bigint[]) AS taken (domain, n) WHERE posters.domain = taken.domain
), boxed AS (
  INSERT INTO sealed SELECT * FROM unnest($4::bytea[], $5::bytea[])
), appended AS (
  INSERT INTO leaves SELECT * FROM unnest($6::bigint[], $7::bytea[], $8::bytea[])
), added AS (
  INSERT INTO counters AS c SELECT * FROM unnest($9::text[], $10::text[], $11::bigint[])
  ON CONFLICT (domain, kind) DO UPDATE SET n = c.n + excluded.n
), largest AS (
  INSERT INTO counters AS c SELECT * FROM unnest($12::text[], $13::text[], $14::bigint[])
  ON CONFLICT (domain, kind) DO UPDATE SET n = greatest(c.n, excluded.n)
), signed AS (
  INSERT INTO heads VALUES ($15, $16)
)
SELECT count(*) FROM spent
"""
"""Everything a batch changes; the kinds that are added to and those that are compared are never the same."""


@dataclass(frozen=True)
class Seen:
    """What the tables hold about a batch, read behind the turn."""

    state: str
    tail: Sequence[tuple[int, bytes, bytes]]
    receipts: dict[int, tuple[bytes, str]]
    """Leaf and head of every key of the batch that is in the log already, by index."""
    known: dict[bytes, int]
    slips: dict[bytes, tuple[str, str]]
    posters: dict[str, PosterCount]

    def settle(self, entries: Sequence[Entry], size: int) -> Settlement:
        """The decision about the batch, when the log has so many leaves."""
        return settle(
            entries, state=self.state, size=size, known=self.known, slips=self.slips, posters=self.posters
        )


async def look(connection: Any, entries: Sequence[Entry], size: int) -> Seen:
    """What the tables hold about a batch, and the leaves from `size` on."""
    digests = [entry.e for entry in entries if entry.e is not None]
    state, tail, receipts, slips, posters = await connection.fetchrow(
        LOOK, size, [entry.k for entry in entries], digests, len(digests) < len(entries)
    )
    return Seen(
        state,
        tail,
        {index: (leaf, note) for _, index, leaf, note in receipts},
        {k: index for k, index, *_ in receipts},
        {e: (domain, slip_state) for e, domain, slip_state in slips},
        {domain: PosterCount(*rest) for domain, *rest in posters},
    )


async def write(
    connection: Any,
    settled: Settlement,
    adds: Sequence[tuple[str, str, int]],
    largest: Sequence[tuple[str, str, int]],
    head: tuple[int, str],
) -> None:
    """Spend the slips, keep the boxes in the order of their digests, append the leaves, keep the head.

    Args:
        settled: what was decided; something is appended.
        adds, largest: counters to add to, and counters of which the larger stays.
        head: size and note of the head over the log with the batch.

    Raises:
        IntegrityConstraintViolationError: the tables do not hold what the decision rested on.
    """
    boxes = sorted((sealed.c, sealed.box) for _, _, sealed in settled.append)
    leaves = [(index, sealed.leaf, entry.k) for index, entry, sealed in settled.append]
    spent = await connection.fetchval(
        WRITE,
        sorted(settled.slips_used),
        *_columns(sorted(settled.posters_used.items()), 2),
        *_columns(boxes, 2),
        *_columns(leaves, 3),
        *_columns(adds, 3),
        *_columns(largest, 3),
        *head,
    )
    if spent != len(settled.slips_used):
        raise asyncpg.IntegrityConstraintViolationError("a slip was used already")


def _columns(rows: Sequence[tuple[Any, ...]], n: int) -> list[list[Any]]:
    """Rows turned into n columns, as unnest takes them."""
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(n)]
