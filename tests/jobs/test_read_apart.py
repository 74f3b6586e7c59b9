"""Files made to break a reader: each refused in words, quickly, in a process that can do no harm."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from survey.jobs.instrument_file import read_instrument_file
from survey.jobs.old_workbook import OLD_EXCEL, read_old_workbook
from survey.jobs.read_apart import read_sheets_apart
from survey.sampling.frame_file import read_frame, sample_county


def packed(changes: dict[str, bytes], *, keep: bool = True) -> bytes:
    """The sample workbook with some of its entries replaced."""
    buffer = io.BytesIO()
    source = zipfile.ZipFile(io.BytesIO(sample_county("frame.xlsx")))
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name in source.namelist() if keep else ():
            if name not in changes:
                package.writestr(name, source.read(name))
        for name, content in changes.items():
            package.writestr(name, content)
    return buffer.getvalue()


def lying() -> bytes:
    """A package whose directory says that a 40 MB entry is ten bytes long."""
    data = bytearray(packed({"xl/worksheets/sheet1.xml": b" " * 40 * 2**20}))
    size = (40 * 2**20).to_bytes(4, "little")
    at = data.rfind(size)
    assert at > 0
    data[at : at + 4] = (10).to_bytes(4, "little")
    return bytes(data)


LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    + b"]><workbook>&j;</workbook>"
)
FOREIGN = (
    b'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/hostname">]><workbook>&x;</workbook>'
)
BOMBS: dict[str, Callable[[], bytes]] = {
    "one to a thousand": lambda: packed({"xl/worksheets/sheet1.xml": b"<worksheet>" + b" " * 60 * 2**20}),
    "nested": lambda: packed({"a.zip": packed({"b.zip": packed({"c.bin": bytes(50 * 2**20)})})}, keep=False),
    "very many entries": lambda: packed({f"x/{number}": b"" for number in range(20_000)}),
    "billion laughs": lambda: packed({"xl/workbook.xml": LAUGHS}),
    "foreign entity": lambda: packed({"xl/workbook.xml": FOREIGN}),
    "lying size": lying,
    "very wide": lambda: ("," * 2_000_000 + "\n").encode(),
    "very long line": lambda: b"a" * 9 * 2**20,
    "very many lines": lambda: b"a,b\n" * 2_000_000,
    "wrong mark": lambda: b"\xff\xfe" + "学校,在校生\n".encode() * 100,
    "nothing but quotes": lambda: b'"' * 5_000_001,
    "deep cells": lambda: packed(
        {
            "xl/worksheets/sheet1.xml": b"<worksheet><sheetData>"
            + b"<row>" * 300_000
            + b"</sheetData></worksheet>"
        }
    ),
}


WEIGHED = """
import resource, sys
from survey.jobs.read_apart import limit
from survey.sampling.sheet import read_sheets
limit()
_, faults = read_sheets(sys.stdin.buffer.read(), sys.argv[1])
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(len(faults), int(peak) // 1024, sum(resource.getrusage(resource.RUSAGE_SELF)[:2]))
"""


@pytest.mark.parametrize("bomb", BOMBS)
def test_twelve_bombs_are_refused_in_words(bomb: str) -> None:
    data = BOMBS[bomb]()
    reading = read_frame(data, "名册.xlsx" if data.startswith(b"PK") else "名册.csv", read=read_sheets_apart)

    assert reading.frame is None
    assert reading.faults and all(fault.remedy for fault in reading.faults)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_costs_less_than_two_seconds_and_300_mb(bomb: str) -> None:
    child = subprocess.run(
        [sys.executable, "-c", WEIGHED, "名册"], input=BOMBS[bomb](), capture_output=True, check=True
    )
    _, megabytes, seconds = child.stdout.split()
    print(f"{bomb}: {megabytes.decode()} MB, {float(seconds):.2f} s")

    assert int(megabytes) < 300
    assert float(seconds) < 2


def test_a_good_file_is_read_apart_as_it_is_read_here() -> None:
    data = sample_county("frame.xlsx")

    assert read_frame(data, "frame.xlsx", read=read_sheets_apart) == read_frame(data, "frame.xlsx")


@pytest.mark.parametrize(
    "harm", ["bytearray(2 * 1024**3)", "open('harm', 'w').write('x' * 9999)"], ids=["memory", "file"]
)
def test_the_reader_may_neither_grow_nor_write(harm: str, tmp_path) -> None:
    program = f"from survey.jobs.read_apart import limit; limit(); {harm}"
    child = subprocess.run([sys.executable, "-c", program], capture_output=True, cwd=tmp_path, check=False)

    assert child.returncode != 0


def test_a_reader_that_dies_is_a_fault_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("survey.jobs.read_apart.sys.executable", "/bin/false")
    sheets, [fault] = read_sheets_apart(b"a,b\n1,2\n", "a.csv")

    assert sheets == () and fault.code == "frame.file_too_hard"


@pytest.mark.parametrize("rest", [b"", b"\x00" * 508, b"\xff" * 5_000_000], ids=["cut", "empty", "full"])
def test_a_broken_workbook_of_before_2007_is_refused_in_words(rest: bytes) -> None:
    sheets, [fault] = read_sheets_apart(OLD_EXCEL + b"\xa1\xb1\x1a\xe1" + rest, "a.xls", old=True)

    assert sheets == () and fault.code == "authoring.xls_broken"


def test_a_workbook_of_before_2007_is_read_without_a_parser_here(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = next(shared.rglob("yes_or_no_question.xls")).read_bytes()
    expected, _ = read_old_workbook(data)
    monkeypatch.setitem(sys.modules, "xlrd", None)  # an import of it here would fail

    assert expected and read_sheets_apart(data, "a.xls", old=True) == (expected, ())
    assert read_instrument_file(data, "a.xls", group="parent").kind == "XLSForm"


def test_a_workbook_of_before_2007_is_read_although_its_reader_has_something_to_say(shared: Path) -> None:
    data = next(shared.rglob("yes_or_no_question.xls")).read_bytes()

    # Some programs end the file inside a sector; xlrd says so to its log and reads on.
    assert read_old_workbook(data + bytes(100)) == read_old_workbook(data) != ((), ())
