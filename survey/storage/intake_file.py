"""The file of one wave's intake: created whole or not at all, opened by one connection.

`journal_mode=TRUNCATE`, because a WAL keeps which rows changed together; `synchronous=FULL`
and `secure_delete=ON`. The connection locks the file exclusively, so no second program, not
even a curious one, reads it while the wave runs.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from survey.storage.intake import About
from survey.storage.intake_sql import intake_sql
from survey.storage.keys import make_private

PAGES = "PRAGMA cache_size=-65536"
PRAGMAS = (
    "PRAGMA locking_mode=EXCLUSIVE",
    "PRAGMA journal_mode=TRUNCATE",
    "PRAGMA synchronous=FULL",
    "PRAGMA secure_delete=ON",
    "PRAGMA foreign_keys=ON",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA mmap_size=0",
    PAGES,
    "PRAGMA temp_store=MEMORY",
)


def connect(path: Path) -> sqlite3.Connection:
    """A connection in manual transaction mode with the intake's pragmas."""
    make_private(path)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=64)
    for pragma in PRAGMAS:
        connection.execute(pragma).fetchall()
    return connection


def create_intake(path: Path, about: About, slips: Sequence[tuple[bytes, str]]) -> None:
    """Write a new intake durably under its final name, or not at all."""
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    connection = connect(unfinished)
    try:
        connection.executescript(intake_sql("0001_sqlite"))
        connection.executescript(intake_sql("0002_sqlite"))
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO about VALUES (?, ?, 'planned')", (about.wave, about.text()))
        connection.executemany(
            "INSERT INTO posters VALUES (?, ?, ?, ?, 0)",
            [(p.domain, p.mode, p.quota, p.surplus) for p in about.posters],
        )
        connection.executemany("INSERT INTO slips VALUES (?, ?, 'unused')", sorted(slips))
        connection.execute("COMMIT")
    finally:
        connection.close()
        unfinished.with_name(unfinished.name + "-journal").unlink(missing_ok=True)
    move_durably(unfinished, path)


def renew_structure(connection: sqlite3.Connection) -> None:
    """Bring the file of an older release to this one's structure; nothing that was stored is touched."""
    if connection.execute("PRAGMA user_version").fetchone()[0] < 2:
        connection.executescript(intake_sql("0002_sqlite"))


def move_durably(source: Path, target: Path) -> None:
    """Rename a finished file, and make the rename itself survive a power cut."""
    with open(source, "rb+") as file:
        os.fsync(file.fileno())
    os.replace(source, target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class transaction:
    """BEGIN IMMEDIATE … COMMIT; whatever goes wrong, also in COMMIT itself, is rolled back."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        try:
            if kind is None:
                self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
