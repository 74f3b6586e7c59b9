"""Slips in plain arrays are found, turned and counted as in a dictionary."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from survey.storage.slip_book import SLIP_STATES, SlipBook


def test_a_book_filled_in_slices_is_the_dictionary_of_what_it_has_read() -> None:
    chance = random.Random(3)
    rows = sorted(
        (chance.choice((bytes(8), bytes([255]) * 8, b"")).ljust(32, b"x")[:8] + chance.randbytes(24), f"d{n % 7}", "unused")
        for n in range(500)
    )
    book, known = SlipBook(), {}
    for at in range(0, 500, 40):
        book.add(rows[at : at + 40])
        known |= {e: (domain, state) for e, domain, state in rows[at : at + 40]}
        for e in chance.sample(rows, 10):
            state = chance.randrange(4)
            book.turn(e[0], state)
            if e[0] in known:
                known[e[0]] = known[e[0]][0], SLIP_STATES[state]
        assert all(book.covers(e) == (e in known) for e, _, _ in rows)
    stranger = bytes(16) + chance.randbytes(16)

    assert len(book) == 500 and all(book.find(e) == slip for e, slip in known.items())
    assert book.find(stranger) is None and book.find(chance.randbytes(32)) is None
    counted = Counter(known.values())
    for one in book.by_domain():
        states = [counted[one.domain, state] for state in SLIP_STATES]
        assert (one.issued, one.used, one.disputed, one.voided) == (
            sum(states), states[1] + states[2], states[2], states[3],
        )  # fmt: skip


@pytest.mark.parametrize(
    "rows",
    [
        [(bytes(32), "a", "unused"), (bytes(32), "a", "unused")],
        [(b"b" * 32, "a", "unused"), (b"a" * 32, "a", "unused")],
        [(b"a" * 31, "a", "unused")],
        [(b"a" * 32, "a", "unknown")],
    ],
    ids=["twice", "descending", "short", "no state"],
)
def test_slips_that_were_not_written_so_are_refused(rows: list[tuple[bytes, str, str]]) -> None:
    with pytest.raises(ValueError):
        SlipBook().add(rows)
