"""The checklists themselves: every test they name exists; and looking at a page changes nothing (ASVS 3.5)."""

import hashlib
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from survey.settings import Settings

from ..conftest import Site
from ..rights import LATER, read_table, walker_of

TESTS = Path(__file__).parents[2]
CHECKLISTS = (Path(__file__).with_name("CHECKLIST.md"), TESTS / "faults" / "CHECKLIST.md")
ROWS = {*(f"R{n}" for n in range(1, 13)), *(f"T{n}" for n in range(1, 27))}
"""What TRUST numbers in its sections on reliability and on tests."""
OWN_BOOKS = frozenset({"sessions", "audit_trail"})
"""When a session was last used; who fetched which file. Both on purpose."""


@pytest.mark.parametrize("checklist", CHECKLISTS, ids=lambda path: path.parent.name)
def test_every_test_a_checklist_names_exists_and_no_row_is_without_one(checklist: Path) -> None:
    written = "\n".join(path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py"))
    known = set(re.findall(r"^(?:async )?def (test_\w+)\(", written, re.MULTILINE))
    text = checklist.read_text(encoding="utf-8")
    named, files = set(re.findall(r"`(test_\w+)`", text)), set(re.findall(r"`(tests/[\w/.]+)`", text))
    rows = [line for line in text.splitlines() if line.startswith("| ") and "held by" not in line]

    assert named and sorted(named - known) == []
    assert sorted(one for one in files if not (TESTS.parent / one).exists()) == []
    assert [line for line in rows if not re.search(r"`(?:test_|tests/)", line)] == []


def test_every_row_of_reliability_and_of_tests_is_there() -> None:
    rows = re.findall(r"^\| ([RT]\d+) ", CHECKLISTS[1].read_text(encoding="utf-8"), re.MULTILINE)

    assert len(rows) == len(ROWS) and {*rows} == ROWS


def stored_in(settings: Settings) -> Iterator[tuple[str, str]]:
    """Name and digest of every table of the books, and of every intake file, which nobody else may open."""
    with closing(sqlite3.connect(f"file:{settings.database_file}?mode=ro", uri=True)) as books:
        names = [name for (name,) in books.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in sorted(set(names) - OWN_BOOKS):
            rows = sorted(map(repr, books.execute(f'SELECT * FROM "{name}"')))
            yield name, hashlib.sha256("\n".join(rows).encode()).hexdigest()
    for path in sorted(path for path in settings.intake.rglob("*") if path.is_file()):
        yield path.name, hashlib.sha256(path.read_bytes()).hexdigest()


async def test_no_look_at_any_address_changes_what_is_stored(certified: Site) -> None:
    await certified.sign_in("demo", ("admin", "operator", "reviewer", "approver"))
    token = await certified.token("waves:read", "frame:read", "participation:read", "figure:read", "ledger:read", "metrics:read")
    places = {**(await walker_of(certified)).parameters, "wave": LATER}
    before, asked = set(stored_in(certified.settings)), 0
    for row in read_table():
        path = re.sub(r"\{(\w+)\}", lambda found: places[found[1]], row.path)
        for method in ("GET", "HEAD") if row.method == "GET" else ():
            reply = await certified.client.request(method, path, headers=token, follow_redirects=False)
            assert reply.status_code < 500, path
            asked += 1

    assert asked > 100 and len(before) > 30
    assert {name for name, _ in set(stored_in(certified.settings)) ^ before} == set()
