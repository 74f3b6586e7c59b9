"""Opening a wave's schema: what is known of it before this process listens, and the reading of the whole.

A start reads the leaves behind the last frontier, in its turn, so nobody appends meanwhile. The
reading of the whole sees one instant of a wave that goes on: one transaction at REPEATABLE READ,
on a connection of its own that may take its time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, NamedTuple

import asyncpg

from survey.certification.signature import Signer
from survey.certification.transparency_log import CompactTree
from survey.storage.frontier import (
    LAST_BOXES,
    NEWEST,
    Frontier,
    check_edge,
    commitment_of,
    frontier_of,
)
from survey.storage.head_guard import HeadGuard, check_head, check_signature, head_of
from survey.storage.intake import About, IntakeBrokenError, IntakeForeignError, IntakeStaleError
from survey.storage.intake_sql import intake_sql
from survey.storage.intake_sums import (
    BEGIN_COUNTING_HEADS,
    FEW,
    SUMS,
    check_about,
    check_key,
    check_posters,
    check_sums,
    check_tail_sums,
)
from survey.storage.postgres_schema import connection_settings

STRUCTURE = "SELECT to_regclass('faults') IS NOT NULL"
SIZE = (
    "SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class"
    " WHERE relkind = 'r' AND relnamespace = to_regnamespace(current_schema()::text)"
)
FOREIGN = (
    "SELECT EXISTS (SELECT FROM pg_class"
    " WHERE relkind = 'f' AND relnamespace = to_regnamespace(current_schema()::text))"
)
LAST_HEAD = "SELECT note FROM heads ORDER BY size DESC LIMIT 1"
LEAVES = 'SELECT "index", leaf, k FROM leaves WHERE "index" >= $1 ORDER BY "index"'
EDGE = 'SELECT leaf FROM leaves WHERE "index" >= $1 AND "index" < $2 ORDER BY "index"'
HEADS_SINCE = "SELECT count(*) FROM heads WHERE size > $1"
BOXES = "SELECT count(*) FROM sealed WHERE c = ANY($1)"
SLIPS = (
    "SELECT count(*) FILTER (WHERE state IN ('used', 'disputed'))"
    " + (SELECT coalesce(sum(used), 0) FROM posters),"
    " count(*) FILTER (WHERE state = 'disputed'), count(*) FILTER (WHERE state = 'voided') FROM slips"
)
DAMAGE = (
    asyncpg.exceptions.DataCorruptedError,
    asyncpg.exceptions.IndexCorruptedError,
    asyncpg.exceptions.UndefinedTableError,
    asyncpg.exceptions.UndefinedColumnError,
)
"""How damage shows: the server cannot read a page, or a table is gone."""
AT_ONCE = 1000
"""Leaves that are read before whoever else waits has a turn."""
PATIENT = {"statement_timeout": "0", "idle_in_transaction_session_timeout": "0"}


@contextmanager
def damage_named(wave: str) -> Iterator[None]:
    """A context in which everything that shows damage becomes one refusal."""
    try:
        yield
    except DAMAGE as error:
        raise IntakeBrokenError(wave, f"数据已损坏（{error}）") from error


class Whole(NamedTuple):
    """What a reading of the whole found."""

    tree: CompactTree
    stale: IntakeStaleError | None
    mended: list[str]
    """Faults on record that are none any more."""


async def refuse_foreign(connection: Any, wave: str) -> None:
    """Nothing, when the tables of a wave lie on the server that was asked.

    A foreign table knows no constraint to resolve a conflict by, and reads one instant in a whole transaction
    (postgresql.org/docs/current/postgres-fdw.html, "Transaction Management"), so what a batch rests on would not hold.

    Raises:
        IntakeForeignError: they lie on another.
    """
    if await connection.fetchval(FOREIGN):
        raise IntakeForeignError(wave)


async def renew_structure(connection: Any) -> None:
    """Bring the schema of an older release to this one's structure, in the turn of whoever calls."""
    if not await connection.fetchval(STRUCTURE):
        await connection.execute(intake_sql("0002_postgres"))


async def load_about(connection: Any, wave: str) -> About:
    """What the schema says of its wave.

    Raises:
        IntakeBrokenError: nothing, twice, or another wave; or other posters than it was made with.
    """
    text = await connection.fetchval("SELECT document FROM about")
    if text is None:
        raise IntakeBrokenError(wave, "库里没有写这是哪一次调查")
    about = About.from_text(text)
    check_about(about, await connection.fetch("SELECT wave FROM about WHERE structure = 1"))
    posters = await connection.fetch("SELECT domain, mode, quota, surplus FROM posters")
    check_posters(about, [tuple(row) for row in posters])
    return about


async def read_tail(
    connection: Any, about: About, signer: Signer, guard: HeadGuard | None
) -> tuple[CompactTree, IntakeStaleError | None] | str:
    """The tree of the log, and why it may only be read, if so; or why the tail alone does not do.

    Raises:
        IntakeBrokenError: frontier, leaves, boxes, counts and last head disagree.
    """
    told = await connection.fetchval("SELECT told FROM faults LIMIT 1")
    if told is not None:
        return f"上次核对发现{told}"
    note = await connection.fetchval(LAST_HEAD)
    check_signature(about, note, signer)
    frontier = frontier_of(await connection.fetchrow(NEWEST), about, signer.seed)
    if frontier is None:
        return "续读记录的封印不对"
    _, _, arrivals, batches, _ = await connection.fetchrow(FEW)
    size = head_of(note).size if note is not None else 0
    if frontier.is_out_of_reach(size) or (size and batches is None):
        return "没有续读记录"
    check_edge(about, frontier, [row[0] for row in await connection.fetch(EDGE, *frontier.edge)])
    tail = await connection.fetch(LEAVES, frontier.size)
    tree = grown(about.wave, frontier.tree(), tail)
    stale = check_head(about, tree, note, guard)
    since = await connection.fetchval(HEADS_SINCE, frontier.size)
    check_tail_sums(about.wave, tree.size, arrivals, frontier.heads + since, batches or 0)
    newest = [commitment_of(leaf) for _, leaf, _ in tail[-LAST_BOXES:]]
    if await connection.fetchval(BOXES, newest) != len(newest):
        raise IntakeBrokenError(about.wave, "最后收的答卷里，有的只有记录没有内容")
    return tree, stale


async def read_whole(
    connection: Any,
    about: About,
    signer: Signer,
    guard: HeadGuard | None,
    told: Callable[[int], Awaitable[None]],
) -> Whole:
    """The tree of the log, once everything was read and compared, in the transaction of whoever calls.

    Args:
        guard: None where heads may have been given out since the transaction began.
        told: how many leaves were read, now and then; whoever else waits has a turn meanwhile.

    Raises:
        IntakeBrokenError: something does not agree.
    """
    mended = [row[0] for row in await connection.fetch("SELECT told FROM faults")]
    note = await connection.fetchval(LAST_HEAD)
    check_signature(about, note, signer)
    tree = CompactTree()
    leaves = await connection.cursor(LEAVES, 0)
    while rows := await leaves.fetch(AT_ONCE):
        tree = grown(about.wave, tree, rows)
        await told(tree.size)
    stale = check_head(about, tree, note, guard)
    used, disputed, voided = await connection.fetchrow(SLIPS)
    boxes, disputes, struck, arrivals, heads, batches = await connection.fetchrow(SUMS)
    check_sums(
        about.wave,
        size=tree.size,
        used=used,
        disputed=disputed,
        voided=voided,
        counted=(boxes, disputes, struck, arrivals, heads, heads if batches is None else batches),
    )
    frontier = frontier_of(await connection.fetchrow(NEWEST), about, signer.seed)
    if frontier is not None and frontier.size > tree.size:
        raise IntakeBrokenError(about.wave, f"只有{tree.size}条记录，而续读记录写到第{frontier.size}条")
    return Whole(tree, stale, mended)


def grown(wave: str, tree: CompactTree, tail: Sequence[Any]) -> CompactTree:
    """The tree with the leaves that come behind it.

    Raises:
        IntakeBrokenError: one is missing, or stands beside another's key.
    """
    tree = tree.copy()
    for index, leaf, k in tail:
        if index != tree.size:
            raise IntakeBrokenError(wave, f"记录第{tree.size}条缺失")
        check_key(wave, index, leaf, k)
        tree.add(leaf)
    return tree


async def put_on_record(
    connection: Any, about: About, seed: bytes, tree: CompactTree, mended: list[str]
) -> None:
    """What a wave lacks that was read whole and found well, in the turn of whoever calls.

    A fault that is mended is forgotten; the heads of a wave that began under release 0.1.0 are
    counted from now on; and where there is no frontier near the end there is one.
    """
    await connection.execute(BEGIN_COUNTING_HEADS)
    await connection.execute("DELETE FROM faults WHERE told = ANY($1)", mended)
    frontier = frontier_of(await connection.fetchrow(NEWEST), about, seed)
    if frontier is None or frontier.is_far_from(tree.size):
        await keep_frontier(connection, about, seed, tree)


async def keep_frontier(connection: Any, about: About, seed: bytes, tree: CompactTree) -> None:
    """Put on record how far the log is, in the turn of whoever calls."""
    heads = await connection.fetchval("SELECT n FROM counters WHERE domain = '' AND kind = 'heads'")
    await connection.execute("DELETE FROM frontiers")
    frontier = Frontier(tree.size, tree.tops, heads)
    await connection.execute("INSERT INTO frontiers VALUES ($1, $2, $3, $4)", *frontier.row(about, seed))


@asynccontextmanager
async def one_instant(url: str, wave: str) -> AsyncIterator[Any]:
    """A connection that sees a wave as it stands now, for as long as it takes."""
    connection = await asyncpg.connect(url, server_settings={**connection_settings(wave), **PATIENT})
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            yield connection
    finally:
        await connection.close()
