"""Files of a certificate whose making was cut off: all of it at the next start, or none of it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from survey.canonical import encode
from survey.jobs.create_wave import create_wave
from survey.jobs.issued_files import FILES, lay_down, settle_files, take_up_files
from survey.scheme.plan import example_plan_text, plan_document, read_plan
from survey.settings import Settings
from survey.storage.certificates import save_certificate
from survey.storage.current import hold
from survey.storage.database import Database

from .conftest import NOW, WAVE


@pytest.fixture
async def books(database: Database) -> None:
    """A wave that certificates may belong to."""
    plan = msgspec.structs.replace(read_plan(example_plan_text()), wave=WAVE)
    await create_wave(encode(plan_document(plan)), actor="test", now=NOW)


def files(mark: bytes) -> dict[str, bytes]:
    return {name: mark + name.encode() for name in FILES}


def found(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("renamed", range(len(FILES)))
async def test_a_certificate_that_the_books_have_gets_all_its_files(
    books: None, settings: Settings, renamed: int
) -> None:
    folder, first, second = settings.out_of(WAVE), files(b"1"), files(b"2")
    await save_certificate(3, WAVE, "a", first["certificate.json"], now=NOW)
    lay_down(folder, first)
    take_up_files(folder)
    (folder / "report.pdf").write_bytes(b"1")
    await save_certificate(4, WAVE, "b", second["certificate.json"], now=NOW)
    lay_down(folder, second)
    for name in FILES[:renamed]:
        (folder / f"{name}.new").replace(folder / name)
    settled = await settle_files(settings)

    assert settled == (WAVE,)
    assert found(folder) == second
    assert await settle_files(settings) == ()


@pytest.mark.parametrize("written", range(1, len(FILES) + 1))
async def test_a_certificate_that_the_books_do_not_have_leaves_no_file(
    books: None, settings: Settings, written: int
) -> None:
    folder, first = settings.out_of(WAVE), files(b"1")
    await save_certificate(3, WAVE, "a", first["certificate.json"], now=NOW)
    lay_down(folder, first)
    take_up_files(folder)
    (folder / "report.pdf").write_bytes(b"1")
    for name, content in list(files(b"2").items())[:written]:
        (folder / f"{name}.new").write_bytes(content[: 3 * written])
    settled = await settle_files(settings)

    assert settled == (WAVE,)
    assert found(folder) == {**first, "report.pdf": b"1"}


async def test_files_that_a_living_process_writes_are_left_to_it(books: None, settings: Settings) -> None:
    folder = settings.out_of(WAVE)
    lay_down(folder, files(b"1"))
    async with hold(f"move.{WAVE}"):
        settled = await settle_files(settings)

    # On SQLite there is no other process: what lies there was cut off.
    assert settled == (() if settings.database_url else (WAVE,))
    assert len(found(folder)) == (3 if settings.database_url else 0)
