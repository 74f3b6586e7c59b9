"""The evidence pack (建档包) as a reader opens it: the public bundle inside, and the files that are not as its list says.

An open file enters, and is never held whole: each paper is digested as it is unpacked, and only the
bundle, which is verified, stays. Its list `SHA256SUMS` is not signed, so that it finds a mishap and no
forger; what is signed is the bundle. Standard library only.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from lzma import LZMAError
from typing import IO
from zipfile import BadZipFile, ZipFile
from zlib import error as ZlibError

from survey.certification.claims import Claim

SUMS, BUNDLE = "SHA256SUMS", "bundle.zip"
MOST_FILES, MOST_LIST = 500, 1_000_000
MOST_UNPACKED = 4 << 30
"""What a pack may unfold to on the computer of whoever reads it."""
PIECE = 1 << 18
DAMAGED = (
    *(BadZipFile, ZlibError, LZMAError, EOFError, OSError),
    *(ValueError, RuntimeError, NotImplementedError),
)
"""What reading a ZIP of strangers raises where it is cut off, altered, encrypted or packed in a foreign way."""


@dataclass(frozen=True)
class OpenedPack:
    """What a reader checks of a pack: the bundle inside, and the files that are not as its list says."""

    bundle: bytes
    n_files: int
    altered: tuple[str, ...]
    """Files whose digest differs from the list, that the list lacks, or that are gone; the list is not signed."""


def read_pack(file: IO[bytes], most: int = MOST_UNPACKED, most_bundle: int = MOST_UNPACKED) -> OpenedPack | None:
    """A pack as it was handed in; None for anything that is none or is too large to read.

    Args:
        file: open for reading and seeking.
        most: bytes that it may unfold to, piece by piece.
        most_bundle: bytes of the bundle inside, which is held whole.
    """
    try:
        with ZipFile(file) as pack:
            sizes = {one.filename: one.file_size for one in pack.infolist() if not one.is_dir()}
            if len(sizes) > MOST_FILES or sum(sizes.values()) > most:
                return None
            root = next((name.removesuffix(SUMS) for name in sizes if name.endswith(f"/{SUMS}")), None)
            if root is None or not all(name.startswith(root) for name in sizes) or sizes[root + SUMS] > MOST_LIST:
                return None
            within = next((name for name in sizes if name.endswith(f"/{BUNDLE}")), None)
            if within is None or sizes[within] > most_bundle:
                return None
            listed: dict[str, str] = {}
            for line in pack.read(root + SUMS).decode(errors="replace").splitlines():
                digest, _, name = line.partition("  ")
                listed[name] = digest
            bundle = pack.read(within)
            digests = {
                name.removeprefix(root): hashlib.sha256(bundle).hexdigest() if name == within else _digest(pack, name)
                for name in sizes
                if name != root + SUMS
            }
    except DAMAGED:
        return None
    altered = {name for name, digest in digests.items() if listed.get(name) != digest}
    return OpenedPack(bundle, len(digests), tuple(sorted(altered | (listed.keys() - digests.keys()))))


def list_claim(pack: OpenedPack) -> Claim:
    """Whether the files of a pack are as its list says."""
    if not pack.altered:
        return Claim("建档包的清单", True, f"{pack.n_files}个文件的摘要都对得上；清单没有签名，签过名的是里面的公开核验包")
    told = "、".join(pack.altered[:10]) + ("等" if len(pack.altered) > 10 else "")
    return Claim("建档包的清单", False, f"有{len(pack.altered)}个文件对不上：{told}", SUMS)


def _digest(pack: ZipFile, name: str) -> str:
    found = hashlib.sha256()
    with pack.open(name) as member:
        while piece := member.read(PIECE):
            found.update(piece)
    return found.hexdigest()
