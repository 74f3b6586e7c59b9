"""Counters that tell something about a domain and nothing about an answer."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from survey.storage.intake import Entry, Sealed


@dataclass
class Tally:
    """The counts of the running five minutes and hour; everything else is a sum in the database.

    Batches, each of which has one head; arrivals by the hour for the whole wave; for a domain only its largest five-minute count,
    its largest hourly count from one sender, its answers in working hours, and those that staff
    typed in from paper and from the telephone, each apart. Finer times would date every leaf.
    """

    window: int = 0
    in_window: dict[str, int] = field(default_factory=dict)
    hour: int = 0
    from_sender: dict[tuple[str, bytes], int] = field(default_factory=dict)

    def count(
        self, batch: Sequence[tuple[Entry, Sealed]], now: datetime
    ) -> tuple[list[tuple[str, str, int]], list[tuple[str, str, int]], Tally]:
        """Rows to add, rows of which the larger stays, and the new counts of those in the batch, for `keep`."""
        instant = int(now.timestamp())
        window = instant // 300
        hour = instant // 3600
        after = Tally(window, {}, hour, {})
        # A county's senders of one hour are many; they are looked up and never copied.
        in_window = ChainMap(after.in_window, self.in_window if window == self.window else {})
        from_sender = ChainMap(after.from_sender, self.from_sender if hour == self.hour else {})
        adds: dict[tuple[str, str], int] = {("", f"hour:{hour}"): len(batch), ("", "heads"): 1}
        most: dict[tuple[str, str], int] = {}
        # Chinese schools keep one time, UTC+8, all year; day 4 of the epoch was a Monday.
        local = instant + 8 * 3600
        working = (local // 86400 + 3) % 7 < 5 and 8 <= local % 86400 // 3600 < 17
        for entry, sealed in batch:
            after.in_window[sealed.domain] = n = in_window.get(sealed.domain, 0) + 1
            most[sealed.domain, "largest_5_minutes"] = n
            if entry.sender is not None:
                sender = (sealed.domain, entry.sender)
                after.from_sender[sender] = n = from_sender.get(sender, 0) + 1
                place = (sealed.domain, "largest_one_address")
                most[place] = max(n, most.get(place, 0))
            for kind in ("working_hours" if working else "", entry.typed_in):
                if kind:
                    adds[sealed.domain, kind] = adds.get((sealed.domain, kind), 0) + 1
        return (
            [(domain, kind, n) for (domain, kind), n in sorted(adds.items())],
            [(domain, kind, n) for (domain, kind), n in sorted(most.items())],
            after,
        )

    def keep(self, after: Tally) -> None:
        """Take in what `count` gave for a batch that was written."""
        if after.window != self.window:
            self.window, self.in_window = after.window, {}
        self.in_window.update(after.in_window)
        if after.hour != self.hour:
            self.hour, self.from_sender = after.hour, {}
        self.from_sender.update(after.from_sender)
