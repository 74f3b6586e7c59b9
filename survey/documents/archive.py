"""Many files as one ZIP: the same bytes for the same files.

Names enter with their content; entries leave sorted by name, dated by the caller, never by
the clock or the machine that packed them. PDFs are compressed already and only stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

UNIX = 3
READABLE = 0o100644


def archive(files: Mapping[str, bytes], *, at: datetime) -> bytes:
    """A ZIP of `files`, sorted by name, every entry dated `at`.

    Args:
        files: path inside the archive (with `/`) to content.
        at: aware; seconds are kept to two, as the format does. Years before 1980 become 1980.
    """
    stamp = max((at.year, at.month, at.day, at.hour, at.minute, at.second), (1980, 1, 1, 0, 0, 0))
    buffer = BytesIO()
    with ZipFile(buffer, "w") as packed:
        for name in sorted(files):
            entry = ZipInfo(name, stamp)
            entry.create_system = UNIX
            entry.external_attr = READABLE << 16
            entry.compress_type = ZIP_STORED if name.endswith((".pdf", ".zip")) else ZIP_DEFLATED
            packed.writestr(entry, files[name])
    return buffer.getvalue()
