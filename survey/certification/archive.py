"""A ZIP that can be written in one way only, so that every byte of it is checked.

Names and contents enter, a ZIP leaves: stored, sorted by name, one fixed date. Reading walks
the same structure and accepts nothing else; there are no compressed entries, comments or
extra fields, so there is nothing to unpack and nothing to hide in. Standard library only.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Mapping

from survey.errors import SurveyError

MAX_MEMBERS = 64
MAX_MEMBER_BYTES = 512 * 1024 * 1024
_NAME = re.compile(rb"[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,79}")
_VERSION, _DATE = 20, 1 << 5 | 1
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")


class ArchiveRefusedError(SurveyError):
    """The bytes are not a ZIP as we write it."""

    code = "certification.archive_refused"
    kind = "invalid"

    def __init__(self, reason: str) -> None:
        super().__init__("证据包", reason, "请使用原来下载的ZIP文件，不要解开后重新压缩")


def looks_like_archive(data: bytes) -> bool:
    """True when the bytes begin as a ZIP does."""
    return data[:2] == b"PK"


def pack(members: Mapping[str, bytes]) -> bytes:
    """The ZIP of the members; the same members always give the same bytes."""
    parts: list[bytes] = []
    entries: list[tuple[bytes, int, int, int]] = []
    offset = 0
    for name in sorted(members):
        data, encoded = members[name], name.encode("ascii")
        if not _NAME.fullmatch(encoded) or len(data) > MAX_MEMBER_BYTES:
            raise ArchiveRefusedError(f"{name}的名字或大小不行")
        crc = zlib.crc32(data)
        header = _local(encoded, crc, len(data))
        parts += (header, data)
        entries.append((encoded, crc, len(data), offset))
        offset += len(header) + len(data)
    if len(entries) > MAX_MEMBERS:
        raise ArchiveRefusedError(f"多于{MAX_MEMBERS}个文件")
    return b"".join((*parts, _directory(entries, offset)))


def _local(name: bytes, crc: int, size: int) -> bytes:
    return _LOCAL.pack(b"PK\3\4", _VERSION, 0, 0, 0, _DATE, crc, size, size, len(name), 0) + name


def _directory(entries: list[tuple[bytes, int, int, int]], offset: int) -> bytes:
    central = b"".join(
        _CENTRAL.pack(
            *(b"PK\1\2", _VERSION, _VERSION, 0, 0, 0, _DATE, crc, size, size, len(name)),
            *(0, 0, 0, 0, 0, at),
        )
        + name
        for name, crc, size, at in entries
    )
    return central + _END.pack(b"PK\5\6", 0, 0, len(entries), len(entries), len(central), offset, 0)


def unpack(data: bytes) -> tuple[dict[str, bytes], list[tuple[str, str]]]:
    """The members of a ZIP, and what is not as we wrote it, by file name.

    Returns:
        (contents by name, [(name or "", what is wrong)]); an empty list means that `pack`
        of the contents gives `data` again.

    Raises:
        ArchiveRefusedError: not our structure; nothing can be said about single files.
    """
    members: dict[str, bytes] = {}
    faults: list[tuple[str, str]] = []
    entries: list[tuple[bytes, int, int, int]] = []
    at = 0
    while data[at : at + 4] == b"PK\3\4":
        if len(data) - at < _LOCAL.size:
            raise ArchiveRefusedError("文件不完整")
        _, version, flags, method, time, date, crc, packed, size, n_name, n_extra = _LOCAL.unpack_from(
            data, at
        )
        name = data[at + _LOCAL.size : at + _LOCAL.size + n_name]
        start = at + _LOCAL.size + n_name
        if (version, flags, method, time, date, n_extra) != (_VERSION, 0, 0, 0, _DATE, 0) or packed != size:
            raise ArchiveRefusedError("不是本系统导出的原样压缩包")
        if not _NAME.fullmatch(name) or size > MAX_MEMBER_BYTES or start + size > len(data):
            raise ArchiveRefusedError("压缩包的条目写法不对")
        text = name.decode()
        if text in members or len(entries) == MAX_MEMBERS:
            raise ArchiveRefusedError("压缩包的条目重复或过多")
        members[text] = data[start : start + size]
        if zlib.crc32(members[text]) != crc:
            faults.append((text, "内容与校验和不符，被改过"))
        entries.append((name, crc, size, at))
        at = start + size
    if not members:
        raise ArchiveRefusedError("不是证据包")
    if data[at:] != _directory(entries, at) or list(members) != sorted(members):
        faults.append(("", "压缩包的目录与内容不一致"))
    return members, faults
