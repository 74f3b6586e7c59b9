"""A receipt as a picture to keep: a QR code in a small PNG, drawn from its text alone.

The link goes in byte mode, the 264 signs in alphanumeric mode, at level M: 61 modules a
side. A PNG of one bit a pixel takes about 2 KB and is what a phone keeps by a long press.
"""

from __future__ import annotations

import struct
import zlib

from survey.documents.qr import add_two_modes

PIXELS_PER_MODULE = 5
QUIET_MODULES = 4
MASK = 3
"""Fixed: trying all eight masks takes most of the time and any of them is read."""


def receipt_png(link: str, receipt: str) -> bytes:
    """The picture of `link`, whose end is `receipt`."""
    import qrcode

    code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, mask_pattern=MASK, border=0)
    add_two_modes(code, link.removesuffix(receipt), receipt)
    code.make(fit=True)
    return png([[bool(cell) for cell in row] for row in code.get_matrix()])


def png(modules: list[list[bool]]) -> bytes:
    """A black and white picture of square modules with a quiet zone around them."""
    side = (len(modules) + 2 * QUIET_MODULES) * PIXELS_PER_MODULE
    quiet = [False] * QUIET_MODULES
    rows = [[False] * (len(modules) + 2 * QUIET_MODULES)] * QUIET_MODULES
    rows = [*rows, *([*quiet, *row, *quiet] for row in modules), *rows]
    lines = b"".join(_line(row, side) * PIXELS_PER_MODULE for row in rows)
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", head)
        + _chunk(b"IDAT", zlib.compress(lines, 9))
        + _chunk(b"IEND", b"")
    )


def _line(row: list[bool], side: int) -> bytes:
    """One row of pixels: a filter byte, then white as 1, most significant bit first."""
    bits = "".join(("0" if dark else "1") * PIXELS_PER_MODULE for dark in row)
    padded = bits + "1" * (-side % 8)
    return b"\x00" + int(padded, 2).to_bytes(len(padded) // 8, "big")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
