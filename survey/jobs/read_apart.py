"""A stranger's spreadsheet, read in a process of its own that may fail without harm.

Unpacking and parsing are bounded already, but a parser may have a fault nobody knows. So the
bytes go to a child that may use 1 GiB of memory and 60 seconds, writes no file and opens no
connection of ours; what it hands back is decoded by type, never unpickled (TRUST section 17).

    python -m survey.jobs.read_apart NAME new|old < file > sheets
"""

from __future__ import annotations

import subprocess
import sys

import msgspec

from survey.errors import Fault
from survey.jobs.old_workbook import read_old_workbook
from survey.sampling.sheet import Sheet, read_sheets

MEMORY_BYTES = 1024**3
SECONDS = 60
Reading = tuple[tuple[Sheet, ...], tuple[Fault, ...]]

_TOO_HARD = Fault(
    "frame.file_too_hard",
    "这个文件读不完或读坏了，已经停下",
    "另存为新的.xlsx或CSV，只留要导入的那张表，再导入",
)


def read_sheets_apart(data: bytes, filename: str, *, old: bool = False) -> Reading:
    """The sheets of a CSV or XLSX file, or the faults for which it cannot be read, from a limited child.

    Args:
        old: read it as a workbook of before 2007 (XLS).
    """
    name = filename[:200].replace("\x00", "")
    command = [sys.executable, "-m", "survey.jobs.read_apart", name, "old" if old else "new"]
    try:
        child = subprocess.run(command, input=data, capture_output=True, timeout=SECONDS, check=False)
        if child.returncode != 0:
            return (), (_TOO_HARD,)
        return msgspec.msgpack.decode(child.stdout, type=Reading)
    except (subprocess.TimeoutExpired, msgspec.MsgspecError):
        return (), (_TOO_HARD,)


def limit() -> None:
    """Take from this process what a reader does not need."""
    try:
        import resource
    except ImportError:  # pragma: no cover - no such limits on Windows
        return
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


if __name__ == "__main__":
    limit()
    content = sys.stdin.buffer.read()
    reading = read_old_workbook(content) if sys.argv[2] == "old" else read_sheets(content, sys.argv[1])
    sys.stdout.buffer.write(msgspec.msgpack.encode(reading))
