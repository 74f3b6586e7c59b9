"""A small fielded wave, its rows changed one at a time behind the product's back, and who notices.

A tamperer here has the database to himself: triggers are dropped, constraints are met where a
value can meet them. Each change is undone before the next.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import asyncpg

from survey.certification.intake_check import hold_intake
from survey.certification.sealing import box_public_key, open_box, read_leaf, slip_leaf
from survey.certification.signature import Signer
from survey.certification.signed_plan import SignedPlan, build_plan, read_plan
from survey.certification.transparency_log import tree_root
from survey.errors import SurveyError
from survey.fieldwork.invitation import issue
from survey.jobs.close_wave import intake_terms
from survey.jobs.receive_response import receive_response
from survey.storage.intake import About, Intake, Poster
from survey.storage.intake_postgres import PostgresIntake
from survey.storage.intake_sqlite import SqliteIntake
from survey.storage.office import IntakeOffice

WAVE = "wave-1"
BOX_SECRET = bytes(range(1, 33))
NOW = datetime(2026, 11, 26, 15, 30, tzinfo=UTC)
KEYS = {
    "about": ("wave",), "slips": ("e",), "posters": ("domain",), "sealed": ("c",), "leaves": ("index",),
    "heads": ("size",), "counters": ("domain", "kind"), "disputes": ("domain", "day"),
}  # fmt: skip
STATES = {"unused": "voided", "used": "disputed", "disputed": "used", "voided": "unused"}


@dataclass(frozen=True)
class Change:
    """One row changed in one way."""

    table: str
    told: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


async def field(office: IntakeOffice, n_slips: int, seed: int = 1) -> SignedPlan:
    """An open wave in which most slips were used, some disputed, some voided; its signed plan."""
    rng = random.Random(seed)
    slip_key, log_seed = os.urandom(32), os.urandom(32)
    domains = [("0001-P", n_slips // 2), ("0002-P", n_slips - n_slips // 2)]
    invitations = issue(domains, slip_key, os.urandom)
    poster = Poster("0003-G", "quota", max(4, n_slips // 20))
    box_key = box_public_key(BOX_SECRET)
    about = About(WAVE, f"survey.example/{WAVE}", box_key, date(2026, 11, 24), (poster,))
    slips = [(bytes.fromhex(one.e), one.domain) for one in invitations]
    await office.create(about, slips, slip_key=slip_key, log_seed=log_seed)
    await office.set_state(WAVE, "planned", "open")
    for one in invitations[: n_slips * 3 // 4]:
        slip = await office.find_slip(one.code)
        answers = {"q01": rng.randint(1, 5), "q02": rng.randint(1, 5)}
        await receive_response(office, WAVE, slip, os.urandom(16), answers, now=NOW, pace=1)
    for _ in range(poster.quota // 2):
        await receive_response(office, WAVE, poster.domain, os.urandom(16), {"q01": 5}, now=NOW)
    for one in invitations[: max(3, n_slips // 40)]:
        await office.dispute(one.code, date(2026, 11, 26 + rng.randint(0, 2)))
    await office.void(WAVE, [bytes.fromhex(one.e) for one in invitations[-max(3, n_slips // 40) :]])
    return _plan(dict(domains), poster, slips, box_key, log_seed)


def _plan(
    domains: dict[str, int], poster: Poster, slips: list[tuple[bytes, str]], box_key: bytes, seed: bytes
) -> SignedPlan:
    rows = [{"domain": name, "eligible": n, "mode": "slip", "slips": n} for name, n in domains.items()]
    rows.append({"domain": poster.domain, "eligible": 99, "mode": "quota", "slips": poster.quota})
    people = [Signer(f"survey.example/{role}", os.urandom(32)).vkey for role in ("operator", "approver")]
    document = build_plan(
        wave=WAVE,
        title="改动试验",
        domains=rows,
        keys=[Signer(f"survey.example/{WAVE}", seed).vkey, *people],
        estimator="stratified-mean/v1",
        decision="no-threshold",
        threshold=None,
        minimum_count=10,
        scoring={},
        instrument_digest="0" * 64,
        slip_key_digest="0" * 64,
        slips_root=tree_root([slip_leaf(domain, e.hex()) for e, domain in sorted(slips)]).hex(),
        box_key=box_key.hex(),
        opens_on="2026-11-24",
    )
    return read_plan(document)


# ── what is changed ──────────────────────────────────────────────────────────────────────


def changes(rows: dict[str, list[dict[str, Any]]]) -> Iterator[Change]:
    """Every deletion, every insertion of a look-alike, every alteration of every column."""
    for table, entries in rows.items():
        for row in entries:
            yield Change(table, "deleted", row, None)
            yield Change(table, "inserted", None, _look_alike(table, row))
            for column, value in row.items():
                yield Change(table, f"{column} altered", row, row | {column: _altered(column, value)})


def _look_alike(table: str, row: dict[str, Any]) -> dict[str, Any]:
    """The same row under another key; a leaf's own key is unique too."""
    keys = {*KEYS[table], "k"} & set(row)
    return row | {
        key: _altered(key, row[key], far=True) for key in keys if key != "domain" or table == "posters"
    }


def _altered(column: str, value: Any, *, far: bool = False) -> Any:
    if isinstance(value, bytes):
        return value[:-1] + bytes([value[-1] ^ 1])
    if isinstance(value, int):
        return value + (1_000_000 if far else 1)
    if value is None:
        return "0003-G"
    if column == "state":
        return {**STATES, "planned": "open", "open": "paused", "paused": "open"}.get(value, "closed")
    if column == "mode":
        return "open" if value == "quota" else "quota"
    return value[:-1] + ("1" if value[-1:] != "1" else "2")


def matters_to_no_answer(change: Change) -> bool:
    """What feeds flags or a date alone: a domain's burst, hours and paper counts, and a dispute's day."""
    if change.table == "counters" and change.told == "kind altered":
        # Arrivals counted under another hour move the profile of I7, and no count of answers.
        return str((change.before or {}).get("kind")) != "voided"
    if change.table == "counters":
        kinds = {str((one or {}).get("kind", "")) for one in (change.before, change.after)}
        # The count of heads is begun anew when it is missing; a wrong one is noticed.
        gone = change.told != "n altered" and "heads" in kinds
        return gone or not any(kind in ("voided", "heads") or kind.startswith("hour:") for kind in kinds)
    return change.table == "disputes" and change.told == "day altered"


# ── who notices ──────────────────────────────────────────────────────────────────────────


async def noticed_by(intake: Intake, plan: SignedPlan, log: Signer, *, behind: bool) -> str | None:
    """Where a changed intake is refused: at its start, behind it, at closing, at opening; None where nowhere.

    Args:
        behind: start from the log's tail, as a large wave does, and read the whole after that.
    """
    try:
        await intake.start(0 if behind else None)
    except SurveyError:
        return "start"
    try:
        if behind:
            try:
                await intake.read_whole()
            except SurveyError:
                return "reading"
        leaves, boxes = await intake.leaves(), await intake.boxes()
        if await intake.load_state() != "open":
            return "start"  # The platform holds this state against its own before it does anything.
        try:
            hold_intake(
                plan,
                intake_terms(intake.about),
                leaves=leaves,
                boxes=set(boxes),
                slips=await intake.slips(),
                heads=await intake.heads(),
                log=log,
                counters=await intake.counters(),
                disputes=await intake.disputes(),
            )
        except SurveyError:
            return "closing"
        try:
            for leaf in leaves:
                c = read_leaf(leaf)["c"]
                open_box(boxes[c], bytes.fromhex(c), BOX_SECRET)
        except SurveyError:
            return "opening"
        return None
    finally:
        await intake.stop()


class SqliteBench:
    """The intake's file, copied fresh for every change."""

    def __init__(self, path: Path, seed: bytes, folder: Path) -> None:
        self.path, self.seed, self.copy = path, seed, folder / path.name

    async def rows(self) -> dict[str, list[dict[str, Any]]]:
        connection = sqlite3.connect(self.path)
        connection.row_factory = sqlite3.Row
        found = {
            table: [dict(row) for row in connection.execute(f'SELECT * FROM "{table}"')] for table in KEYS
        }
        connection.close()
        return found

    async def apply(self, change: Change) -> Intake | None:
        """The intake over the changed copy; None where the database itself refuses the change."""
        shutil.copy(self.path, self.copy)
        connection = sqlite3.connect(self.copy)
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')
        try:
            with connection:
                for statement, values in statements(change, "?"):
                    connection.execute(statement, values)
        except sqlite3.IntegrityError:
            return None
        finally:
            connection.close()
        return SqliteIntake(self.copy, self.seed, lambda: NOW)

    async def undo(self, change: Change) -> None:
        """Nothing: the next change has a copy of its own."""


class PostgresBench:
    """The intake's schema; every change is taken back."""

    def __init__(self, url: str, seed: bytes) -> None:
        self.url, self.seed = url, seed
        self.connection: Any = None

    async def rows(self) -> dict[str, list[dict[str, Any]]]:
        self.connection = await asyncpg.connect(self.url)
        schema = await self.connection.fetchval(
            "SELECT schemaname FROM pg_tables WHERE tablename = 'sealed' LIMIT 1"
        )
        await self.connection.execute(f'SET search_path TO "{schema}"')
        for table in KEYS:
            await self.connection.execute(f'ALTER TABLE "{table}" DISABLE TRIGGER ALL')
        return {
            table: [dict(row) for row in await self.connection.fetch(f'SELECT * FROM "{table}"')]
            for table in KEYS
        }

    async def apply(self, change: Change) -> Intake | None:
        """The intake over the changed schema; None where the database itself refuses the change."""
        try:
            await self._run(change)
        except asyncpg.IntegrityConstraintViolationError:
            return None
        return PostgresIntake(self.url, WAVE, self.seed, lambda: NOW)

    async def undo(self, change: Change) -> None:
        """The row as it was."""
        # A start may have begun a missing count anew; the row goes before the old one comes back.
        for left in (change.after, change.before):
            if left is not None:
                await self._run(Change(change.table, "undone", left, None))
        if change.before is not None:
            await self._run(Change(change.table, "undone", None, change.before))

    async def _run(self, change: Change) -> None:
        async with self.connection.transaction():
            for statement, values in statements(change, "$"):
                await self.connection.execute(statement, *values)

    async def close(self) -> None:
        await self.connection.close()


def statements(change: Change, sign: str) -> Iterator[tuple[str, list[Any]]]:
    """The SQL of a change: the row taken out by its key, and the other put in."""

    def marks(n: int, start: int = 1) -> list[str]:
        return ["?"] * n if sign == "?" else [f"${at}" for at in range(start, start + n)]

    if change.before is not None:
        keys = KEYS[change.table]
        where = " AND ".join(f'"{key}" = {mark}' for key, mark in zip(keys, marks(len(keys)), strict=True))
        yield f'DELETE FROM "{change.table}" WHERE {where}', [change.before[key] for key in keys]
    if change.after is not None:
        columns = ", ".join(f'"{column}"' for column in change.after)
        places = ", ".join(marks(len(change.after)))
        yield f'INSERT INTO "{change.table}" ({columns}) VALUES ({places})', list(change.after.values())


async def sweep(
    bench: SqliteBench | PostgresBench, plan: SignedPlan, log: Signer, every: int
) -> AsyncIterator[tuple[Change, str]]:
    """Every `every`-th change of each table and who noticed it: database, start, reading, closing, opening, nobody."""
    rows = await bench.rows()
    taken: dict[str, int] = {}
    for change in changes(rows):
        taken[change.table] = at = taken.get(change.table, -1) + 1
        if at % every and change.table not in ("about", "posters"):
            continue
        intake = await bench.apply(change)
        if intake is None:
            yield change, "database"
            continue
        behind = at // every % 2 == 1
        yield change, await noticed_by(intake, plan, log, behind=behind) or "nobody"
        await bench.undo(change)
