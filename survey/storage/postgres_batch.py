"""The statements of one batch on PostgreSQL, inside the transaction of whoever calls.

Whole batches travel as arrays: a statement per answer would cost a round trip each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg

from survey.storage.intake import Entry
from survey.storage.settlement import PosterCount, Settlement, settle

RECEIPT = (
    'SELECT l."index", l.leaf, (SELECT note FROM heads WHERE size > l."index" ORDER BY size LIMIT 1)'
    " FROM leaves l WHERE l.k = $1"
)
RECEIPTS = (
    'SELECT l."index", l.leaf, (SELECT note FROM heads WHERE size > l."index" ORDER BY size LIMIT 1)'
    ' FROM leaves l WHERE l."index" = ANY($1)'
)
BOXES = "INSERT INTO sealed SELECT * FROM unnest($1::bytea[], $2::bytea[])"
LEAVES = "INSERT INTO leaves SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::bytea[])"
ADD = (
    "INSERT INTO counters AS c SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[])"
    " ON CONFLICT (domain, kind) DO UPDATE SET n = c.n + excluded.n"
)
LARGER = (
    "INSERT INTO counters AS c SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[])"
    " ON CONFLICT (domain, kind) DO UPDATE SET n = greatest(c.n, excluded.n)"
)


async def settle_batch(connection: Any, entries: Sequence[Entry], size: int) -> Settlement:
    """The decision about a batch, from what the tables hold about it now."""
    state = await connection.fetchval("SELECT state FROM about")
    known = await connection.fetch(
        'SELECT k, "index" FROM leaves WHERE k = ANY($1)', [entry.k for entry in entries]
    )
    digests = [entry.e for entry in entries if entry.e is not None]
    slips = await connection.fetch("SELECT e, domain, state FROM slips WHERE e = ANY($1)", digests)
    posters: Sequence[Any] = ()
    if len(digests) < len(entries):
        posters = await connection.fetch("SELECT domain, mode, quota, surplus, used FROM posters")
    return settle(
        entries,
        state=state,
        size=size,
        known={k: index for k, index in known},
        slips={e: (domain, slip_state) for e, domain, slip_state in slips},
        posters={domain: PosterCount(*rest) for domain, *rest in posters},
    )


async def write_batch(
    connection: Any,
    settled: Settlement,
    adds: Sequence[tuple[str, str, int]],
    largest: Sequence[tuple[str, str, int]],
) -> None:
    """Spend the slips, keep the boxes in the order of their digests, append the leaves.

    Args:
        settled: what was decided.
        adds, largest: counters to add to, and counters of which the larger stays.

    Raises:
        IntegrityConstraintViolationError: the tables do not hold what the decision rested on.
    """
    if settled.slips_used:
        used = await connection.fetch(
            "UPDATE slips SET state = 'used' WHERE e = ANY($1) AND state = 'unused' RETURNING e",
            sorted(settled.slips_used),
        )
        if len(used) != len(settled.slips_used):
            raise asyncpg.IntegrityConstraintViolationError("a slip was used already")
    for domain, n in sorted(settled.posters_used.items()):
        await connection.execute("UPDATE posters SET used = used + $1 WHERE domain = $2", n, domain)
    boxes = sorted((sealed.c, sealed.box) for _, _, sealed in settled.append)
    await connection.execute(BOXES, *columns(boxes))
    await connection.execute(
        LEAVES, *columns([(index, sealed.leaf, entry.k) for index, entry, sealed in settled.append])
    )
    await connection.execute(ADD, *columns(adds))
    await connection.execute(LARGER, *columns(largest))


def columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    """The rows turned into columns, as unnest takes them."""
    return [list(column) for column in zip(*rows, strict=True)]
