from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import pytest

from survey.canonical import encode, sha256_hex
from survey.settings import Settings
from survey.storage.audit import AuditBrokenError, audit_head, list_audit, record_audit, verify_audit
from survey.storage.current import is_postgres
from survey.storage.database import Database, open_database
from survey.storage.tables import AuditTrail

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)


async def test_entries_follow_from_one_another(database: Database) -> None:
    await asyncio.gather(
        *(record_audit("wang", "draw", f"wave-{n % 2}", details={"seed": n}, now=NOW) for n in range(20))
    )

    newest = await list_audit(limit=3)
    assert await verify_audit() == 20
    assert [entry.position for entry in newest] == [19, 18, 17]
    assert {entry.object for entry in await list_audit(wave="wave-1")} == {"wave-1"}


async def test_an_entry_can_be_neither_changed_nor_removed(database: Database) -> None:
    await record_audit("wang", "draw", "wave-1", now=NOW)

    with pytest.raises(Exception, match="append-only"):
        await AuditTrail.update({AuditTrail.document: "{}"}, force=True)
    with pytest.raises(Exception, match="append-only"):
        await AuditTrail.delete(force=True)


async def test_whoever_goes_around_the_guard_is_noticed(database: Database) -> None:
    for n in range(3):
        await record_audit("wang", "draw", f"wave-{n}", now=NOW)
    if is_postgres():
        await database.engine.run_ddl("ALTER TABLE audit_trail DISABLE TRIGGER ALL")
    else:
        await database.engine.run_ddl("DROP TRIGGER audit_trail_is_never_shortened")
    await AuditTrail.delete().where(AuditTrail.position == 1)

    with pytest.raises(AuditBrokenError, match="第2条"):
        await verify_audit()


@pytest.mark.parametrize("position", range(4))
@pytest.mark.parametrize("field", ["who", "what", "object", "result", "at", "details", "previous"])
async def test_an_altered_entry_is_named(sqlite_settings: Settings, position: int, field: str) -> None:
    async with open_database(sqlite_settings) as opened:
        for n in range(4):
            await record_audit("wang", "draw", f"wave-{n}", details={"seed": n}, now=NOW)
        await opened.engine.run_ddl("DROP TRIGGER audit_trail_is_never_changed")
        row = await AuditTrail.select().where(AuditTrail.position == position).first()
        value = json.loads(row["document"]) | {field: {"seed": 9} if field == "details" else "1" * 64}
        altered = encode(value)
        changes = {AuditTrail.document: altered.decode(), AuditTrail.digest: sha256_hex(altered)}
        await AuditTrail.update(changes).where(AuditTrail.position == position)
        names = {f"第{position + 1}条", f"第{position + 2}条"}
        # Whoever alters the last entry can make the chain fit; only a kept head tells.
        known = (4, row["digest"]) if position == 3 else None

        with pytest.raises(AuditBrokenError) as broken:
            await verify_audit(known)
        assert any(name in str(broken.value) for name in names)


async def test_a_trail_cut_short_is_noticed_by_whoever_kept_its_head(database: Database) -> None:
    for n in range(5):
        await record_audit("wang", "draw", f"wave-{n}", now=NOW)
    kept = await audit_head()
    await record_audit("wang", "draw", "wave-5", now=NOW)
    whole = await verify_audit(kept)
    if is_postgres():
        await database.engine.run_ddl("ALTER TABLE audit_trail DISABLE TRIGGER ALL")
    else:
        await database.engine.run_ddl("DROP TRIGGER audit_trail_is_never_shortened")
    await AuditTrail.delete().where(AuditTrail.position >= 4)

    assert whole == 6
    assert await verify_audit() == 4
    with pytest.raises(AuditBrokenError, match="第5条"):
        await verify_audit(kept)


async def test_a_line_break_cannot_make_one_entry_look_like_two(database: Database) -> None:
    await record_audit("wang\r\nadmin", "draw\u202e", "wave-1", details={"a": ["x\n"]}, now=NOW)

    [entry] = await list_audit()
    assert entry.who == "wang\\r\\nadmin" and entry.what == "draw\\u202e" and entry.details == {"a": ["x\\n"]}


async def test_an_entry_stands_or_falls_with_its_deed(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.transaction():
            await record_audit("wang", "draw", "wave-1", now=NOW)
            raise ZeroDivisionError

    assert await verify_audit() == 0
