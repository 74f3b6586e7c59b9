"""One batch on SQLite, written by a single statement.

The thread gives the interpreter back several times a statement, and while the event loop is
busy it waits for it every time; with a statement for each table a batch stood waiting longer
than it wrote. So the whole batch is one row, of bytes and lists of places in them, put into a
view that holds nothing; the view's trigger spends the slips, keeps the boxes, appends the leaves
and the head. Outside a transaction of the caller's, SQLite makes that one statement durable or
takes all of it back (sqlite.org/lang_transaction.html, implicit transactions).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

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
WAY_IN = """
CREATE TEMP VIEW batch AS SELECT
    NULL AS slips, NULL AS slip_places, NULL AS n_slips, NULL AS posters, NULL AS boxes, NULL AS box_places,
    NULL AS leaves, NULL AS leaf_places, NULL AS first, NULL AS adds, NULL AS largest, NULL AS size, NULL AS head;
CREATE TEMP TRIGGER take_batch INSTEAD OF INSERT ON batch BEGIN
    UPDATE slips SET state = 'used' WHERE state = 'unused'
        AND e IN (SELECT substr(NEW.slips, value, 32) FROM json_each(NEW.slip_places));
    SELECT RAISE(ABORT, 'a slip was used already') WHERE changes() <> NEW.n_slips;
    UPDATE posters SET used = used + given.value ->> 1
        FROM json_each(NEW.posters) AS given WHERE domain = given.value ->> 0;
    INSERT INTO sealed SELECT substr(NEW.boxes, value ->> 0, 32), substr(NEW.boxes, value ->> 1, value ->> 2)
        FROM json_each(NEW.box_places);
    INSERT INTO leaves
        SELECT NEW.first + key, substr(NEW.leaves, value ->> 1, value ->> 2), substr(NEW.leaves, value ->> 0, 32)
        FROM json_each(NEW.leaf_places);
    INSERT INTO counters SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(NEW.adds) WHERE true
        ON CONFLICT DO UPDATE SET n = n + excluded.n;
    INSERT INTO counters SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(NEW.largest) WHERE true
        ON CONFLICT DO UPDATE SET n = max(n, excluded.n);
    INSERT INTO heads VALUES (NEW.size, NEW.head);
END;
"""
"""Made for each connection that writes; the file knows nothing of it."""
TAKE = "INSERT INTO batch VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


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


def batch_row(
    settled: Settlement,
    adds: Sequence[tuple[str, str, int]],
    largest: Sequence[tuple[str, str, int]],
    head: tuple[int, str],
) -> tuple[Any, ...]:
    """What `TAKE` spends, keeps and appends: the boxes in the order of their digests, the leaves in theirs.

    The statement raises sqlite3.IntegrityError and writes nothing where the tables do not hold what
    the decision rested on.

    Args:
        settled: what was decided.
        adds, largest: counters to add to, and counters of which the larger stays.
        head: the log's size after the batch, and its signed note.
    """
    slips = sorted(settled.slips_used)
    places = json.dumps([*range(1, 32 * len(slips), 32)])
    posters = json.dumps(sorted(settled.posters_used.items()))
    boxes = _packed(sorted((sealed.c, sealed.box) for _, _, sealed in settled.append))
    leaves = _packed([(entry.k, sealed.leaf) for _, entry, sealed in settled.append])
    counted = json.dumps(adds), json.dumps(largest)
    return (b"".join(slips), places, len(slips), posters, *boxes, *leaves, settled.size, *counted, *head)


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
