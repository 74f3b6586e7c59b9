"""An append-only Merkle tree: roots, proofs, and the signed heads that bind them.

Leaf bytes enter, roots and proofs leave. `CompactTree` is what intake keeps: the tops of
the complete subtrees, so that appending costs one path. `MerkleTree` keeps every level and
gives proofs. Checking a proof needs neither. Standard library only.

Source: RFC 6962 section 2.1 (tree), RFC 9162 sections 2.1.3.2 and 2.1.4.2 (checking),
C2SP tlog-checkpoint (heads); checked against the vectors of transparency-dev/merkle.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from survey.certification.note import NoteSigner, make_note, strict_base64
from survey.errors import SurveyError

EMPTY_ROOT = hashlib.sha256(b"").digest()
MAX_SIZE = 2**63 - 1
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_ORIGIN = re.compile(r"[^\x00-\x1f\x7f]{1,300}")


class CheckpointRefusedError(SurveyError):
    """The text is not a log head."""

    code = "certification.checkpoint_refused"
    kind = "invalid"

    def __init__(self, reason: str) -> None:
        super().__init__("日志头", reason, "请向出具方索取原文件")


def leaf_hash(data: bytes) -> bytes:
    """H(0x00 ‖ data)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """H(0x01 ‖ left ‖ right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class CompactTree:
    """A growing tree of which only the tops of its complete subtrees are kept.

    >>> tree = CompactTree()
    >>> tree.append(b"").hex()[:16]
    '6e340b9cffb37a98'
    """

    __slots__ = ("_tops", "size")

    def __init__(self, size: int = 0, tops: Iterable[bytes] = ()) -> None:
        self.size = size
        self._tops = list(tops)
        if len(self._tops) != size.bit_count():
            raise CheckpointRefusedError("树的大小与子树个数不符")

    @property
    def tops(self) -> tuple[bytes, ...]:
        """The roots of the complete subtrees, largest first: all that is needed to go on."""
        return tuple(self._tops)

    def add(self, data: bytes) -> int:
        """Append leaf bytes and return their index; the root is not computed."""
        return self.add_hash(leaf_hash(data))

    def add_hash(self, hashed: bytes) -> int:
        """Append a leaf given by its hash and return its index."""
        index = self.size
        carried = index
        while carried & 1:
            hashed = node_hash(self._tops.pop(), hashed)
            carried >>= 1
        self._tops.append(hashed)
        self.size += 1
        return index

    def append(self, data: bytes) -> bytes:
        """Append leaf bytes and return the root of the tree that holds them."""
        self.add(data)
        return self.root()

    def root(self) -> bytes:
        """The root of the tree as it stands."""
        if not self._tops:
            return EMPTY_ROOT
        hashed = self._tops[-1]
        for top in reversed(self._tops[:-1]):
            hashed = node_hash(top, hashed)
        return hashed

    def copy(self) -> CompactTree:
        """The same tree, to grow apart: for a transaction that may be rolled back."""
        return CompactTree(self.size, self._tops)


class MerkleTree:
    """A tree with all its complete subtrees, for proofs between any two of its sizes."""

    def __init__(self, hashes: Iterable[bytes]) -> None:
        """Args: hashes: leaf hashes in order (see `leaf_hash`)."""
        self._levels = [list(hashes)]
        while len(below := self._levels[-1]) > 1:
            level = [node_hash(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)]
            self._levels.append(level)

    @classmethod
    def of_leaves(cls, leaves: Iterable[bytes]) -> MerkleTree:
        """The tree over leaf bytes."""
        return cls(map(leaf_hash, leaves))

    @property
    def size(self) -> int:
        """The number of leaves."""
        return len(self._levels[0])

    def leaf(self, index: int) -> bytes:
        """The hash of one leaf."""
        return self._levels[0][index]

    def root(self, size: int | None = None) -> bytes:
        """The root over the first `size` leaves, all by default."""
        size = self.size if size is None else size
        self._check_size(size)
        return self._range(0, size) if size else EMPTY_ROOT

    def inclusion(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """The proof that leaf `index` is among the first `size` leaves."""
        size = self.size if size is None else size
        self._check_size(size)
        if not 0 <= index < size:
            raise CheckpointRefusedError(f"没有第{index}条记录")
        return tuple(self._path(index, 0, size))

    def consistency(self, first: int, second: int | None = None) -> tuple[bytes, ...]:
        """The proof that the first `first` leaves are the beginning of the first `second`."""
        second = self.size if second is None else second
        self._check_size(second)
        if not 0 < first <= second:
            raise CheckpointRefusedError(f"大小{first}与{second}之间没有一致性证明")
        return tuple(self._subproof(first, 0, second, True)) if first < second else ()

    def _check_size(self, size: int) -> None:
        if not 0 <= size <= self.size:
            raise CheckpointRefusedError(f"日志只有{self.size}条，没有大小{size}")

    def _range(self, start: int, end: int) -> bytes:
        """The root over leaves start … end−1; complete subtrees are looked up."""
        width = end - start
        height = (width - 1).bit_length()
        if width == 1 << height:
            return self._levels[height][start >> height]
        middle = start + (1 << height - 1)
        return node_hash(self._range(start, middle), self._range(middle, end))

    def _path(self, index: int, start: int, end: int) -> list[bytes]:
        if end - start == 1:
            return []
        middle = start + (1 << (end - start - 1).bit_length() - 1)
        if index < middle:
            return [*self._path(index, start, middle), self._range(middle, end)]
        return [*self._path(index, middle, end), self._range(start, middle)]

    def _subproof(self, first: int, start: int, end: int, whole: bool) -> list[bytes]:
        if first == end:
            return [] if whole else [self._range(start, end)]
        middle = start + (1 << (end - start - 1).bit_length() - 1)
        if first <= middle:
            return [*self._subproof(first, start, middle, whole), self._range(middle, end)]
        return [*self._subproof(first, middle, end, False), self._range(start, middle)]


def tree_root(leaves: Iterable[bytes]) -> bytes:
    """The root over leaf bytes in order."""
    tree = CompactTree()
    for data in leaves:
        tree.add(data)
    return tree.root()


def is_included(hashed: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """True when the leaf with this hash is leaf `index` of the tree of `size` with `root`.

    Refused are an index at or past the size, an element that is not 32 bytes, and elements
    left over. Source: RFC 9162 section 2.1.3.2.
    """
    if not 0 <= index < size or len(hashed) != 32 or any(len(element) != 32 for element in proof):
        return False
    fn, sn, r = index, size - 1, hashed
    for element in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = node_hash(element, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node_hash(r, element)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and r == root


def is_consistent(
    first: int, first_root: bytes, second: int, second_root: bytes, proof: Sequence[bytes]
) -> bool:
    """True when the tree of size `first` is the beginning of the tree of size `second`.

    A first size of 0 is refused, also 0 to 0. Source: RFC 9162 section 2.1.4.2.
    """
    if not 0 < first <= second or any(len(element) != 32 for element in proof):
        return False
    if first == second:
        return not proof and first_root == second_root
    path = list(proof)
    if first & (first - 1) == 0:
        path.insert(0, first_root)
    if not path:
        return False
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for element in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node_hash(element, fr), node_hash(element, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, element)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == first_root and sr == second_root


@dataclass(frozen=True)
class Checkpoint:
    """A head: which log, how many leaves, which root."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """The head written in a note's text.

    Raises:
        CheckpointRefusedError: not three lines, an empty origin, a size not written as we
            write it, or a root that is not 32 bytes of strict base64.
    """
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] or not _ORIGIN.fullmatch(lines[0]):
        raise CheckpointRefusedError("要正好三行：来源、大小、根")
    root = strict_base64(lines[2])
    if not _SIZE.fullmatch(lines[1]) or int(lines[1]) > MAX_SIZE:
        raise CheckpointRefusedError("大小的写法不对")
    if root is None or len(root) != 32:
        raise CheckpointRefusedError("根的写法不对")
    return Checkpoint(lines[0], int(lines[1]), root)


def sign_head(origin: str, size: int, root: bytes, signers: Iterable[NoteSigner]) -> str:
    """The signed head of a log; `origin` is the name of its key."""
    return make_note(Checkpoint(origin, size, root).text, signers)
