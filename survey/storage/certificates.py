"""Certificates, and the installation's append-only log of everything that was signed.

The registry holds a leaf for every design, plan, closing, void, opening, statement and
revocation; a certificate's number is the position of its statement in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from survey.certification.transparency_log import CompactTree
from survey.storage.current import take_turn, transaction
from survey.storage.tables import Certificates, RegistryHeads, RegistryLeaves


@dataclass(frozen=True)
class Registry:
    """All leaves in order, and the newest signed head (None while empty)."""

    leaves: tuple[bytes, ...]
    note: str | None


@dataclass(frozen=True)
class RegistryEntry:
    """One leaf, where it stands, and the head that covers it."""

    index: int
    leaf: bytes
    size: int
    note: str


@dataclass(frozen=True)
class Certificate:
    """One portable certificate file."""

    number: int
    wave: str
    short: str
    data: bytes

    @property
    def signs(self) -> str:
        """The twelve signs as its sheet prints them, 4-4-4."""
        return "-".join(self.short[start : start + 4] for start in range(0, len(self.short), 4))


async def append_registry(leaf: bytes, sign_head: Callable[[int, bytes], str]) -> RegistryEntry:
    """Append one leaf and its signed head, both or neither.

    Args:
        leaf: canonical JSON `{digest, type, v}`.
        sign_head: from size and root to the signed checkpoint note.
    """
    async with transaction():
        await take_turn("registry")
        leaves = (await load_registry()).leaves
        tree = CompactTree()
        for earlier in (*leaves, leaf):
            tree.append(earlier)
        note = sign_head(len(leaves) + 1, tree.root())
        await RegistryLeaves.insert(RegistryLeaves(position=len(leaves), leaf=leaf.decode()))
        await RegistryHeads.insert(RegistryHeads(size=len(leaves) + 1, note=note))
    return RegistryEntry(len(leaves), leaf, len(leaves) + 1, note)


async def load_registry() -> Registry:
    """The whole registry."""
    leaves = await RegistryLeaves.select(RegistryLeaves.leaf).order_by(RegistryLeaves.position)
    heads = (
        await RegistryHeads.select(RegistryHeads.note).order_by(RegistryHeads.size, ascending=False).limit(1)
    )
    return Registry(tuple(row["leaf"].encode() for row in leaves), heads[0]["note"] if heads else None)


async def save_certificate(number: int, wave: str, short: str, data: bytes, *, now: datetime) -> None:
    """Keep a certificate file under its number and its short code."""
    await Certificates.insert(
        Certificates(wave=wave, number=number, short=_plain(short), document=data.decode(), saved_at=now)
    )


async def find_certificate(number_or_short: int | str) -> Certificate | None:
    """The certificate with that number or those twelve signs, or None."""
    text = str(number_or_short).strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        query = Certificates.select().where(Certificates.number == int(text))
    else:
        query = Certificates.select().where(Certificates.short == _plain(text))
    rows = await query
    return _certificate(rows[0]) if rows else None


async def list_certificates(wave: str | None = None) -> tuple[Certificate, ...]:
    """All certificates, or those of one wave, the newest last."""
    query = Certificates.select().order_by(Certificates.number)
    rows = await (query if wave is None else query.where(Certificates.wave == wave))
    return tuple(_certificate(row) for row in rows)


def _certificate(row: dict[str, str]) -> Certificate:
    return Certificate(int(row["number"]), row["wave"], row["short"], row["document"].encode())


def _plain(short: str) -> str:
    return short.upper().replace("-", "").replace(" ", "")
