"""Frontiers: how far a log was at some batch, so that a start reads only what came after.

A frontier is the tops of the tree's complete subtrees and the number of heads signed until
then. It is written in the transaction of the batch that crosses a round number, so it can
never be ahead of the log. It proves nothing by itself: the tree that grows from it over the
leaves behind it must have the root that the last head signed, so tops that lie are refused
whoever wrote them; and it is sealed by the log's key, so that its count of heads, which no head
signs, and its place in this log of all logs are the product's own. A frontier whose seal does
not hold is never used: that log is read from its first leaf before it takes anything in.

The seal is a MAC and no signature: the log's key signs heads and nothing else (TRUST section 4).
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from survey.canonical import encode
from survey.certification.transparency_log import CompactTree, tree_root
from survey.storage.intake import About, IntakeBrokenError

EVERY = 1024
"""Leaves between two frontiers: with two hundred waves a start reads a hundred thousand, in half a second."""
TAILS = 64
"""How many times as many a start reads at most; a log that is further ahead is read whole first."""
LAST_BOXES = 256
"""Leaves at the end whose boxes a start looks for: a batch, where a disk that lied would show."""
LABEL = b"survey/v1/frontier\0"
NEWEST = "SELECT size, tops, heads, seal FROM frontiers ORDER BY size DESC LIMIT 1"


@dataclass(frozen=True)
class Frontier:
    """The tree over the first `size` leaves, and how many heads were signed up to it."""

    size: int = 0
    tops: tuple[bytes, ...] = ()
    heads: int = 0

    def tree(self) -> CompactTree:
        """The tree to go on from."""
        return CompactTree(self.size, self.tops)

    def is_far_from(self, size: int) -> bool:
        """Whether a log of this size should have a newer one."""
        return size - self.size >= EVERY

    def is_out_of_reach(self, size: int) -> bool:
        """Whether a log of this size is too far ahead for a start to read what lies between."""
        return size - self.size > TAILS * EVERY

    @property
    def edge(self) -> tuple[int, int]:
        """The first of the leaves below its last top, and the place behind them; nothing of a wide top."""
        width = self.size & -self.size
        return (self.size - width if width <= EVERY else self.size), self.size

    def row(self, about: About, seed: bytes) -> tuple[int, bytes, int, bytes]:
        """The frontier as it is stored, sealed."""
        return self.size, b"".join(self.tops), self.heads, self._seal(about, seed)

    def _seal(self, about: About, seed: bytes) -> bytes:
        document = {
            "heads": self.heads,
            "origin": about.origin,
            "size": self.size,
            "tops": [top.hex() for top in self.tops],
        }
        return hmac.digest(seed, LABEL + encode(document), "sha256")


def is_due(before: int, after: int) -> bool:
    """Whether a batch crossed a round number.

    >>> is_due(4000, 4095), is_due(4095, 4096), is_due(4096, 4200)
    (False, True, False)
    """
    return before // EVERY != after // EVERY


def check_edge(about: About, frontier: Frontier, leaves: Sequence[bytes]) -> None:
    """Nothing, when the leaves at the frontier's edge are those it was made over.

    Args:
        leaves: those that `frontier.edge` bounds, in order.

    Raises:
        IntakeBrokenError: one is missing or altered.
    """
    first, size = frontier.edge
    if len(leaves) != size - first or (leaves and tree_root(leaves) != frontier.tops[-1]):
        raise IntakeBrokenError(about.wave, f"记录第{first}至{size}条与续读记录不一致")


def commitment_of(leaf: bytes) -> bytes:
    """The commitment in a leaf, under which its box is kept.

    Raises:
        ValueError: it is no leaf of ours.
    """
    return bytes.fromhex(leaf[6:70].decode())


def frontier_of(row: Sequence[object] | None, about: About, seed: bytes) -> Frontier | None:
    """The frontier that was stored; the beginning of the log where there is none, None where its seal is wrong."""
    if row is None:
        return Frontier()
    size, tops, heads, seal = row
    if not isinstance(size, int) or not isinstance(heads, int) or not isinstance(tops, bytes):
        return None
    parts = tuple(tops[at : at + 32] for at in range(0, len(tops), 32))
    if size < 1 or not isinstance(seal, bytes) or len(tops) != 32 * size.bit_count():
        return None
    found = Frontier(size, parts, heads)
    return found if hmac.compare_digest(found.row(about, seed)[3], seal) else None
