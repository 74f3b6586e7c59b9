"""Opening the file of a wave: what is known of it before it listens.

The file may be damaged anywhere, and every way in which SQLite says so is one refusal here.
The log's tail alone is read: the leaves behind the last frontier, which must grow into the root
that the last head signed; whatever lies before is read while the wave runs (`sqlite_reading`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from survey.certification.signature import Signer
from survey.certification.transparency_log import CompactTree
from survey.storage.frontier import LAST_BOXES, NEWEST, Frontier, check_edge, commitment_of, frontier_of
from survey.storage.head_guard import HeadGuard, check_head, check_signature, head_of
from survey.storage.intake import About, IntakeBrokenError, IntakeStaleError
from survey.storage.intake_file import connect, renew_structure, transaction
from survey.storage.intake_sums import FEW, check_about, check_key, check_posters, check_tail_sums
from survey.storage.settlement import PosterCount
from survey.storage.sqlite_batch import WAY_IN

LAST_HEAD = "SELECT note FROM heads ORDER BY size DESC LIMIT 1"
HEADS_SINCE = "SELECT count(*) FROM heads WHERE size > ?"
TAIL = 'SELECT "index", leaf, k FROM leaves WHERE "index" >= ? ORDER BY "index"'
EDGE = 'SELECT leaf FROM leaves WHERE "index" >= ? AND "index" < ? ORDER BY "index"'
BOXES = "SELECT count(*) FROM sealed WHERE c IN (SELECT substr(?1, value, 32) FROM json_each(?2))"
DAMAGE = (sqlite3.DatabaseError, TypeError, ValueError)
"""How damage shows: SQLite says so, or a value is of another kind than was written."""


@contextmanager
def damage_named(wave: str) -> Iterator[None]:
    """A context in which everything that shows damage becomes one refusal."""
    try:
        yield
    except DAMAGE as error:
        raise IntakeBrokenError(wave, f"文件已损坏（{error}）") from error


def open_file(path: Path) -> sqlite3.Connection:
    """The connection to a wave's file, in this release's structure, ready to take batches.

    Raises:
        IntakeBrokenError: it is no such file.
    """
    with damage_named(path.stem):
        connection = connect(path)
        try:
            renew_structure(connection)
            connection.executescript(WAY_IN)
        except BaseException:
            connection.close()
            raise
    return connection


def load_about(connection: sqlite3.Connection) -> tuple[About, str]:
    """What the file says of its wave, and the wave's state.

    Raises:
        IntakeBrokenError: it says so twice, or names another.
    """
    text, state = connection.execute("SELECT document, state FROM about").fetchone()
    about = About.from_text(text)
    check_about(about, connection.execute("SELECT wave FROM about").fetchall())
    return about, state


def load_posters(connection: sqlite3.Connection, about: About) -> dict[str, PosterCount]:
    """How far the posters' counts have come.

    Raises:
        IntakeBrokenError: they are not those the intake was made with.
    """
    posters = {
        domain: PosterCount(mode, quota, surplus, used)
        for domain, mode, quota, surplus, used in connection.execute(
            "SELECT domain, mode, quota, surplus, used FROM posters"
        )
    }
    check_posters(about, [(domain, p.mode, p.quota, p.surplus) for domain, p in posters.items()])
    return posters


def read_tail(
    connection: sqlite3.Connection, about: About, signer: Signer, guard: HeadGuard | None
) -> tuple[CompactTree, IntakeStaleError | None] | str:
    """The tree of the log, and why it may only be read, if so; or why the tail alone does not do.

    Raises:
        IntakeBrokenError: frontier, leaves, boxes, counts and last head disagree.
    """
    told = connection.execute("SELECT told FROM faults").fetchone()
    if told is not None:
        return f"上次核对发现{told[0]}"
    last = connection.execute(LAST_HEAD).fetchone()
    note = last[0] if last else None
    check_signature(about, note, signer)
    frontier = frontier_of(connection.execute(NEWEST).fetchone(), about, signer.seed)
    if frontier is None:
        return "续读记录的封印不对"
    _, _, arrivals, batches, _ = connection.execute(FEW).fetchone()
    size = head_of(note).size if note is not None else 0
    if frontier.is_out_of_reach(size) or (size and batches is None):
        return "没有续读记录"
    check_edge(about, frontier, [row[0] for row in connection.execute(EDGE, frontier.edge)])
    tree = frontier.tree()
    newest: list[bytes] = []
    for index, leaf, k in connection.execute(TAIL, (frontier.size,)):
        if index != tree.size:
            raise IntakeBrokenError(about.wave, f"记录第{tree.size}条缺失")
        check_key(about.wave, index, leaf, k)
        tree.add(leaf)
        newest = [*newest[1 - LAST_BOXES :], leaf]
    stale = check_head(about, tree, note, guard)
    since = connection.execute(HEADS_SINCE, (frontier.size,)).fetchone()[0]
    check_tail_sums(about.wave, tree.size, arrivals, frontier.heads + since, batches or 0)
    digests = b"".join(commitment_of(leaf) for leaf in newest)
    places = json.dumps([*range(1, 32 * len(newest), 32)])
    if connection.execute(BOXES, (digests, places)).fetchone()[0] != len(newest):
        raise IntakeBrokenError(about.wave, "最后收的答卷里，有的只有记录没有内容")
    return tree, stale


def keep_frontier(connection: sqlite3.Connection, about: About, seed: bytes, tree: CompactTree) -> None:
    """Put on record how far the log is, in the transaction of whoever calls."""
    heads = connection.execute("SELECT n FROM counters WHERE domain = '' AND kind = 'heads'").fetchone()[0]
    connection.execute("DELETE FROM frontiers")
    frontier = Frontier(tree.size, tree.tops, heads)
    connection.execute("INSERT INTO frontiers VALUES (?, ?, ?, ?)", frontier.row(about, seed))


def keep_fault(connection: sqlite3.Connection, reason: str) -> None:
    """Put on record what is wrong with the wave, so that it takes nothing in after a restart either."""
    # A file that cannot be written any more takes nothing in anyway.
    with suppress(sqlite3.DatabaseError), transaction(connection):
        connection.execute("INSERT OR IGNORE INTO faults VALUES (?)", (reason,))
