"""The statements of one batch on SQLite, inside the transaction of whoever calls.

Each carries the whole batch as one row, of bytes and a list of places in them or of JSON: the
thread gives the interpreter back several times a statement, and while the event loop is busy
it waits for it every time, so a statement for each row would cost more than writing the row.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from survey.storage.intake import Accepted, BusyError, StorageFullError
from survey.storage.settlement import Settlement
from survey.storage.slip_book import SlipBook

KNOWN = (
    "SELECT state, NULL FROM about UNION ALL"
    ' SELECT k, "index" FROM leaves WHERE k IN (SELECT substr(?1, value, 32) FROM json_each(?2))'
)
SLIPS = (
    "SELECT e, domain, state FROM slips WHERE e IN (SELECT substr(?1, value, 32) FROM json_each(?2))"
)
USE = (
    "UPDATE slips SET state = 'used' WHERE state = 'unused'"
    " AND e IN (SELECT substr(?1, value, 32) FROM json_each(?2))"
)
BOXES = (
    "INSERT INTO sealed SELECT substr(?1, value ->> 0, 32), substr(?1, value ->> 1, value ->> 2)"
    " FROM json_each(?2)"
)
LEAVES = (
    "INSERT INTO leaves SELECT ?3 + key, substr(?1, value ->> 1, value ->> 2), substr(?1, value ->> 0, 32)"
    " FROM json_each(?2)"
)
POSTERS = (
    "UPDATE posters SET used = used + given.value ->> 1"
    " FROM json_each(?) AS given WHERE domain = given.value ->> 0"
)
ADDS = (
    "INSERT INTO counters SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?) WHERE true"
    " ON CONFLICT DO UPDATE SET n = n + excluded.n"
)
LARGEST = (
    "INSERT INTO counters SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?) WHERE true"
    " ON CONFLICT DO UPDATE SET n = max(n, excluded.n)"
)


def find_known(connection: sqlite3.Connection, keys: Sequence[bytes]) -> tuple[str, dict[bytes, int]]:
    """The wave's stored state, and the index of every submission key that is in the log already."""
    places = json.dumps([*range(1, 32 * len(keys), 32)])
    rows = connection.execute(KNOWN, (b"".join(keys), places)).fetchall()
    states = [value for value, index in rows if index is None]
    return states[0], {k: index for k, index in rows if index is not None}


def find_slips(
    connection: sqlite3.Connection, slips: SlipBook, digests: Sequence[bytes]
) -> dict[bytes, tuple[str, str]]:
    """Domain and state of each slip that there is, from memory as far as it goes."""
    found = {e: slip for e in digests if (slip := slips.find(e)) is not None}
    ahead = [e for e in digests if not slips.covers(e)]
    if ahead:
        places = json.dumps([*range(1, 32 * len(ahead), 32)])
        rows = connection.execute(SLIPS, (b"".join(ahead), places))
        found.update({e: (domain, state) for e, domain, state in rows})
    return found


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
    slips = sorted(settled.slips_used)
    if slips:
        places = json.dumps([*range(1, 32 * len(slips), 32)])
        if connection.execute(USE, (b"".join(slips), places)).rowcount != len(slips):
            raise sqlite3.IntegrityError("a slip was used already")
    if settled.posters_used:
        connection.execute(POSTERS, (json.dumps(sorted(settled.posters_used.items())),))
    boxes = sorted((sealed.c, sealed.box) for _, _, sealed in settled.append)
    connection.execute(BOXES, _packed(boxes))
    leaves = [(entry.k, sealed.leaf) for _, entry, sealed in settled.append]
    connection.execute(LEAVES, (*_packed(leaves), settled.size))
    connection.execute(ADDS, (json.dumps(adds),))
    connection.execute(LARGEST, (json.dumps(largest),))


def _packed(rows: Sequence[tuple[bytes, bytes]]) -> tuple[bytes, str]:
    """Pairs of a digest and bytes of any length as one piece, and where each begins and how long it is."""
    places, at = [], 1
    for _, content in rows:
        places.append((at, at + 32, len(content)))
        at += 32 + len(content)
    return b"".join(part for row in rows for part in row), json.dumps(places)


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
