"""What a batch of entries comes to: one decision for both databases, so they cannot drift apart.

Entries and what the database holds about them enter, a `Settlement` leaves: which slips are
spent, what is appended, what each sender is told. Nothing is read or written here. The
database repeats the decision as conditions of its own statements, and a batch that does not
fit is taken again one by one, so that a bad entry never spoils the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

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
    room = _Room(posters)
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
        if entry.e is not None:
            chosen = entry.sealed
            if slip != "unused" or domain != entry.sealed.domain:
                settled.told.append(AlreadyUsed(slip))
                continue
            spent.add(entry.e)
            settled.slips_used.append(entry.e)
        else:
            found = _poster_choice(entry, room)
            if found is None:
                settled.told.append(AlreadyUsed("full"))
                continue
            chosen, poster = found
            poster.used += 1
            settled.posters_used[chosen.domain] = settled.posters_used.get(chosen.domain, 0) + 1
        index = size + len(settled.append)
        index_of[entry.k] = index
        settled.append.append((index, entry, chosen))
        settled.told.append(index)
    return settled


class _Room:
    """How full the posters are that a batch asks for; a county has thousands of them and a batch needs few."""

    def __init__(self, posters: Mapping[str, PosterCount]) -> None:
        self._posters = posters
        self._found: dict[str, PosterCount | None] = {}

    def find(self, domain: str) -> PosterCount | None:
        """A poster as it stands after the entries so far."""
        if domain not in self._found:
            poster = self._posters.get(domain)
            self._found[domain] = None if poster is None else replace(poster)
        return self._found[domain]


def _poster_choice(entry: Entry, room: _Room) -> tuple[Sealed, PosterCount] | None:
    """The quota's own domain while it has room, then its surplus domain, then nothing."""
    poster = room.find(entry.sealed.domain)
    if poster is None:
        return None
    if poster.has_room:
        return entry.sealed, poster
    if entry.surplus is None or entry.surplus.domain != poster.surplus:
        return None
    surplus = room.find(poster.surplus)
    return None if surplus is None else (entry.surplus, surplus)
