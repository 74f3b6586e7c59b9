"""What the intake counts besides answers: never finer than it says, never a sender."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from survey.storage.intake import Entry, Sealed
from survey.storage.tally import Tally

AT = datetime(2026, 11, 24, 2, 1, tzinfo=UTC)


def batch(*senders: bytes | None):
    sealed = Sealed("0001-P", bytes(32), bytes(64), b"{}")
    return [(Entry(bytes(32), None, sealed, sender=sender), sealed) for sender in senders]


def test_the_largest_count_from_one_sender_within_an_hour_is_kept_and_no_sender():
    tally = Tally()
    adds, most, first = tally.count(batch(b"a", b"a", b"b", None), AT)
    tally.keep(first)
    _, later, second = tally.count(batch(b"a"), AT + timedelta(minutes=50))
    tally.keep(second)
    _, next_hour, _ = tally.count(batch(b"a"), AT + timedelta(minutes=70))

    assert most == [("0001-P", "largest_5_minutes", 4), ("0001-P", "largest_one_address", 2)]
    assert later[-1] == ("0001-P", "largest_one_address", 3)
    assert next_hour[-1] == ("0001-P", "largest_one_address", 1)
    assert all(isinstance(part, str | int) for row in (*adds, *most) for part in row)


def test_a_batch_that_was_not_written_is_not_counted():
    tally = Tally()
    tally.count(batch(b"a", b"a"), AT)
    _, most, _ = tally.count(batch(b"a"), AT)

    assert most == [("0001-P", "largest_5_minutes", 1), ("0001-P", "largest_one_address", 1)]


def test_without_a_sender_nothing_is_counted_by_address():
    _, most, _ = Tally().count(batch(None, None), AT)

    assert most == [("0001-P", "largest_5_minutes", 2)]
