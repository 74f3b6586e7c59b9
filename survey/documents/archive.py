"""Many files as one ZIP: the same bytes for the same files, written while they are made.

Names enter with their content, one after the other, so that a county's papers never lie in
memory together; each entry is dated by the caller, never by the clock or the machine that
packed it. PDFs are compressed already and only stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from io import BytesIO
from typing import IO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

UNIX = 3
READABLE = 0o100644
PACKED_ALREADY = (".pdf", ".zip", ".png")


def archive(files: Mapping[str, bytes], *, at: datetime) -> bytes:
    """A ZIP of `files`, sorted by name, every entry dated `at`."""
    buffer = BytesIO()
    archive_to(buffer, ((name, files[name]) for name in sorted(files)), at=at)
    return buffer.getvalue()


def archive_to(target: IO[bytes], files: Iterable[tuple[str, bytes]], *, at: datetime) -> None:
    """Write a ZIP of `files` in the order they come, every entry dated `at`.

    Args:
        target: open for writing bytes.
        files: path inside the archive (with `/`), and content.
        at: aware; seconds are kept to two, as the format does. Years before 1980 become 1980.
    """
    stamp = max((at.year, at.month, at.day, at.hour, at.minute, at.second), (1980, 1, 1, 0, 0, 0))
    with ZipFile(target, "w") as packed:
        for name, content in files:
            entry = ZipInfo(name, stamp)
            entry.create_system = UNIX
            entry.external_attr = READABLE << 16
            entry.compress_type = ZIP_STORED if name.endswith(PACKED_ALREADY) else ZIP_DEFLATED
            packed.writestr(entry, content)


def file_name(*parts: str, ending: str) -> str:
    """A file name of the parts that are not empty, without signs that a file system refuses.

    >>> file_name("2136000123", "甲/乙校", "", "海报A4", ending=".pdf")
    '2136000123_甲乙校_海报A4.pdf'
    """
    text = "_".join(part for part in parts if part)
    return "".join(sign for sign in text if sign.isprintable() and sign not in '\\/:*?"<>|') + ending
