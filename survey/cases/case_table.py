"""The columns of a file of cases collected elsewhere, whatever its kind.

Enters: the bytes of a CSV (plain or gzip), a Parquet or an SPSS file; the kind is read from the
bytes, never from the name. Leaves: `Columns`, or a refusal with every fault and its place.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Collection

from survey.cases.binary_columns import read_parquet, read_sav
from survey.cases.delimited_columns import Progress, read_delimited
from survey.columns import Columns
from survey.errors import Fault, FaultsError

MAX_UNPACKED = 4 * 1024**3
SPSS = (b"$FL2", b"$FL3")
MAX_RATIO = 1_000
"""A gzip of answers packs 5 to 50 times; a bomb a thousand times and more."""


class UnreadableCasesError(FaultsError):
    """A file of cases that cannot be read; every fault with its place."""

    code = "cases.unreadable"


def read_case_table(
    data: bytes,
    filename: str,
    *,
    wanted: Collection[str] | None = None,
    encoding: str | None = None,
    progress: Progress | None = None,
) -> Columns:
    """The wanted columns of a file (all when None).

    Args:
        data: the file's bytes.
        filename: as a person named it, for the refusal.
        wanted: names of columns; those the file lacks are refused when they are used.
        encoding: `utf-8` or `gb18030` where a person says so.
        progress: told how far the reading has come.

    Raises:
        UnreadableCasesError: with every fault.

    >>> read_case_table("学校,满意\\n甲,1\\n乙,2\\n".encode("gb18030"), "a.csv")["学校"].levels()
    ('乙', '甲')
    """
    thing = f"数据文件“{filename}”"
    if data.startswith(b"\x1f\x8b"):
        data = _unzipped(data, thing)
    columns, faults = _read(data, wanted, encoding, progress)
    if columns is None:
        raise UnreadableCasesError(thing, faults)
    return columns


def is_spss(data: bytes) -> bool:
    """Whether a file, or what its gzip holds, is an SPSS file: its parser is better run apart."""
    if data.startswith(b"\x1f\x8b"):
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
                data = stream.read(4)
        except (OSError, EOFError, zlib.error):
            return False
    return data.startswith(SPSS)


def _read(
    data: bytes, wanted: Collection[str] | None, encoding: str | None, progress: Progress | None
) -> tuple[Columns | None, tuple[Fault, ...]]:
    if not data.strip(b"\x00\r\n\t ,;\xef\xbb\xbf"):
        return None, (Fault("cases.empty", "文件是空的", "选择有内容的数据文件"),)
    if data.startswith(b"PAR1"):
        return read_parquet(data, wanted)
    if data.startswith(SPSS):
        return read_sav(data, wanted, encoding)
    if data.startswith((b"PK", b"\xd0\xcf\x11\xe0")):
        return None, (
            Fault(
                "cases.workbook",
                "这是Excel工作簿或压缩包",
                "在Excel、WPS或问卷平台里另存为“CSV UTF-8”或SPSS（.sav）",
            ),
        )
    return read_delimited(data, wanted, encoding, progress)


def _unzipped(data: bytes, thing: str) -> bytes:
    parts, size = [], 0
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            while part := stream.read(1 << 20):
                parts.append(part)
                size += len(part)
                if size > MAX_UNPACKED or size > MAX_RATIO * max(len(data), 4096):
                    fault = Fault(
                        "cases.bomb", "解压后过大，不像一份数据", "解压后检查内容，再给未压缩的文件"
                    )
                    raise UnreadableCasesError(thing, (fault,))
    except (OSError, EOFError, zlib.error) as error:
        fault = Fault("cases.gzip_broken", "gzip压缩文件损坏，解不开", "重新压缩，或直接给未压缩的文件")
        raise UnreadableCasesError(thing, (fault,)) from error
    return b"".join(parts)
