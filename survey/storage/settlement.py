"""What a batch of entries comes to: one decision for both databases, so they cannot drift apart.

Entries and what the database holds about them enter, a `Settlement` leaves: which slips are
spent, what is appended, what each sender is told. Nothing is read or written here. The
database repeats the decision as conditions of its own statements, and a batch that does not
fit is taken again one by one, so that a bad entry never spoils the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from survey.storage.intake import AlreadyUsed, Entry, KeyConflict, NotOpen, Outcome, Sealed


@dataclass
class PosterCount:
    """How far a poster's count has come."""

    mode: str
    quota: int
    surplus: str | None
    used: int

    @property
    def has_room(self) -> bool:
        """Does one more answer fit?"""
        return self.mode != "quota" or self.used < self.quota


@dataclass
class Settlement:
    """What a batch changes, and what each of its entries is told once that is durable."""

    size: int
    append: list[tuple[int, Entry, Sealed]] = field(default_factory=list)
    slips_used: list[bytes] = field(default_factory=list)
    posters_used: dict[str, int] = field(default_factory=dict)
    told: list[Outcome | int] = field(default_factory=list)
    """An outcome, or the index of a leaf whose receipt is due."""


def settle(
    entries: Sequence[Entry],
    *,
    state: str,
    size: int,
    known: Mapping[bytes, int],
    slips: Mapping[bytes, tuple[str, str]],
    posters: Mapping[str, PosterCount],
) -> Settlement:
    """The outcome of every entry of a batch, in order: steps 1 to 5 of TRUST section 7.

    Args:
        entries: the batch.
        state: the wave's stored state.
        size: leaves in the log before the batch.
        known: index by k, of every k of the batch that is in the log already.
        slips: domain and state by e, of every e of the batch that was issued.
        posters: the wave's posters; not changed here.
    """
    settled = Settlement(size)
    index_of = dict(known)
    spent: set[bytes] = set()
    room = {domain: PosterCount(p.mode, p.quota, p.surplus, p.used) for domain, p in posters.items()}
    for entry in entries:
        domain, slip = slips.get(entry.e, ("", "unknown")) if entry.e is not None else ("", "poster")
        if entry.e in spent:
            slip = "used"
        if entry.k in index_of:
            again = slip in {"used", "disputed", "poster"}
            settled.told.append(index_of[entry.k] if again else KeyConflict())
            continue
        if state != "open":
            settled.told.append(NotOpen(state))
            continue
        chosen: Sealed | None = entry.sealed
        if entry.e is not None:
            if slip != "unused" or domain != entry.sealed.domain:
                settled.told.append(AlreadyUsed(slip))
                continue
            spent.add(entry.e)
            settled.slips_used.append(entry.e)
        else:
            chosen = _poster_choice(entry, room)
            if chosen is None:
                settled.told.append(AlreadyUsed("full"))
                continue
            room[chosen.domain].used += 1
            settled.posters_used[chosen.domain] = settled.posters_used.get(chosen.domain, 0) + 1
        assert chosen is not None
        index = size + len(settled.append)
        index_of[entry.k] = index
        settled.append.append((index, entry, chosen))
        settled.told.append(index)
    return settled


def _poster_choice(entry: Entry, room: Mapping[str, PosterCount]) -> Sealed | None:
    """The quota's own domain while it has room, then its surplus domain, then nothing."""
    poster = room.get(entry.sealed.domain)
    if poster is None:
        return None
    if poster.has_room:
        return entry.sealed
    if entry.surplus is not None and entry.surplus.domain == poster.surplus and poster.surplus in room:
        return entry.surplus
    return None
