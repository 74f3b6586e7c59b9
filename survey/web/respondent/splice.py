"""A page compressed once, with gaps that are filled for each request at the price of a copy.

A gzip stream may contain stored (uncompressed) blocks between compressed ones. The page is
cut at its gaps, each piece is compressed at leisure and ended with a full flush, and a
request only writes the stored blocks and one checksum. The checksum of a piece is known, too:
CRC-32 is linear, so passing over a piece of known length is four look-ups in a table made once
(Rocksoft's model; zlib's `crc32_combine`, which Python does not offer).
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"


class Passing:
    """What a fixed piece does to the checksum of whatever stands before it.

    >>> Passing(b"a school").after(zlib.crc32(b"after ")) == zlib.crc32(b"after a school")
    True
    """

    def __init__(self, piece: bytes) -> None:
        self._own = zlib.crc32(piece)
        zeros = bytes(len(piece))
        still = zlib.crc32(zeros)
        bits = [zlib.crc32(zeros, 1 << bit) ^ still for bit in range(32)]
        self._tables = tuple(_sums_of(bits[start : start + 8]) for start in range(0, 32, 8))

    def after(self, checksum: int) -> int:
        """The checksum of what stood before and the piece."""
        low, second, third, high = self._tables
        return (
            low[checksum & 255]
            ^ second[checksum >> 8 & 255]
            ^ third[checksum >> 16 & 255]
            ^ high[checksum >> 24]
            ^ self._own
        )


def _sums_of(bits: list[int]) -> list[int]:
    """For every byte the exclusive or of the values that its bits stand for."""
    sums = [0]
    for bit in bits:
        sums += [bit ^ one for one in sums]
    return sums


def stored(length: int) -> bytes:
    """What stands before so many uncompressed bytes: an unfinished stored block, RFC 1951 section 3.2.4."""
    return b"\x00" + length.to_bytes(2, "little") + (length ^ 0xFFFF).to_bytes(2, "little")


@dataclass(frozen=True)
class SplicedPage:
    """A page in pieces, plain and compressed; between two pieces stands one gap."""

    plain: tuple[bytes, ...]
    packed: tuple[bytes, ...]
    sums: tuple[Passing, ...]
    """How each piece moves the checksum on."""

    def text(self, *gaps: bytes) -> bytes:
        """The page as plain bytes, its gaps filled."""
        body = self.plain[0]
        for gap, piece in zip(gaps, self.plain[1:], strict=True):
            body += gap + piece
        return body

    def gzip(self, *gaps: bytes) -> bytes:
        """The page as a gzip member, its gaps filled with stored blocks."""
        out = [GZIP_HEADER, self.packed[0]]
        checksum = self.sums[0].after(0)
        size = len(self.plain[0])
        for gap, piece, packed, passing in zip(
            gaps, self.plain[1:], self.packed[1:], self.sums[1:], strict=True
        ):
            out += (stored(len(gap)), gap, packed)
            checksum = passing.after(zlib.crc32(gap, checksum))
            size += len(gap) + len(piece)
        return b"".join((*out, checksum.to_bytes(4, "little"), (size & 0xFFFFFFFF).to_bytes(4, "little")))


def cut(page: str, *marks: str) -> tuple[SplicedPage, tuple[str, ...]]:
    """A page cut wherever a mark stands, and the marks in the order in which they stand there."""
    parts = re.split("(" + "|".join(map(re.escape, marks)) + ")", page)
    return _pack([piece.encode() for piece in parts[::2]]), tuple(parts[1::2])


def splice(page: str, *marks: str) -> SplicedPage:
    """A page cut at its marks, in order, and compressed piece by piece.

    Raises:
        ValueError: a mark does not occur exactly once.
    """
    pieces: list[bytes] = []
    rest = page
    for mark in marks:
        before, found, rest = rest.partition(mark)
        if not found or mark in rest:
            raise ValueError(
                f"the page holds the mark {mark!r} {rest.count(mark) + bool(found)} times, not once"
            )
        pieces.append(before.encode())
    pieces.append(rest.encode())
    return _pack(pieces)


def _pack(pieces: list[bytes]) -> SplicedPage:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, 9)
    packed = [packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH) for piece in pieces[:-1]]
    packed.append(packer.compress(pieces[-1]) + packer.flush(zlib.Z_FINISH))
    return SplicedPage(tuple(pieces), tuple(packed), tuple(map(Passing, pieces)))
