"""The statements of one batch on SQLite, inside the transaction of whoever calls."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from survey.storage.intake import Accepted, BusyError, StorageFullError
from survey.storage.settlement import Settlement


def write_batch(
    connection: sqlite3.Connection,
    settled: Settlement,
    adds: Sequence[tuple[str, str, int]],
    largest: Sequence[tuple[str, str, int]],
) -> None:
    """Spend the slips, keep the boxes in the order of their digests, append the leaves.

    Args:
        settled: what was decided.
        adds, largest: counters to add to, and counters of which the larger stays.

    Raises:
        sqlite3.IntegrityError: the tables do not hold what the decision rested on.
    """
    used = connection.executemany(
        "UPDATE slips SET state = 'used' WHERE e = ? AND state = 'unused'",
        [(e,) for e in sorted(settled.slips_used)],
    )
    if settled.slips_used and used.rowcount != len(settled.slips_used):
        raise sqlite3.IntegrityError("a slip was used already")
    connection.executemany(
        "UPDATE posters SET used = used + ? WHERE domain = ?",
        [(n, domain) for domain, n in sorted(settled.posters_used.items())],
    )
    boxes = sorted((sealed.c, sealed.box) for _, _, sealed in settled.append)
    connection.executemany("INSERT INTO sealed VALUES (?, ?)", boxes)
    connection.executemany(
        "INSERT INTO leaves VALUES (?, ?, ?)",
        [(index, sealed.leaf, entry.k) for index, entry, sealed in settled.append],
    )
    connection.executemany(
        "INSERT INTO counters VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n", adds
    )
    connection.executemany(
        "INSERT INTO counters VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET n = max(n, excluded.n)", largest
    )


def receipt_of(connection: sqlite3.Connection, index: int) -> Accepted:
    """What a leaf that is in the log already is told again: itself, and the head of its batch."""
    leaf = connection.execute('SELECT leaf FROM leaves WHERE "index" = ?', (index,)).fetchone()[0]
    note = connection.execute(
        "SELECT note FROM heads WHERE size > ? ORDER BY size LIMIT 1", (index,)
    ).fetchone()[0]
    return Accepted(index, leaf, note, True)


def refusal(error: sqlite3.Error) -> BusyError:
    """What the sender hears when the database would not write."""
    full = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
    return StorageFullError() if full else BusyError(f"存储出错（{error}）", 10)
