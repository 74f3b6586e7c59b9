"""Off path, refused, don't know, skipped: four different silences, told apart and counted.

What enters is a case file and an item; what leaves is one word a case: what the answer is, or
which silence. An item off the path was never asked and is no nonresponse. "Prefer not to say"
(97) and "can't say" (98) are answers of kind `none`; a skipped item is null or absent. A value that
no option of the item has is unreadable: it is counted apart and treated as skipped, never mended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from survey.cases.case_file import Case
from survey.scheme.instrument import Instrument, Item
from survey.scheme.routing import on_path

Silence = Literal["off_path", "refused", "dont_know", "skipped", "unreadable"]
REFUSED_KEYS = frozenset({"prefer_not"})


def silence(item: Item, answer: Any, asked: bool) -> Silence | None:
    """Which silence an answer is, or None where it is an opinion, a choice or a text.

    Args:
        item: the item.
        answer: what is stored for it; None for skipped.
        asked: whether the item lay on the respondent's path.
    """
    if not asked:
        return "off_path"
    if answer is None or answer == "" or answer == []:
        return "skipped"
    if item.kind == "text":
        return None if isinstance(answer, str) else "unreadable"
    options = {option.value: option for option in item.options}
    chosen = answer if isinstance(answer, list) else [answer]
    if any(isinstance(one, (list, dict, bool)) or one not in options for one in chosen):
        return "unreadable"
    kinds = [options[one] for one in chosen]
    if all(option.kind == "none" for option in kinds):
        return "refused" if all(option.key in REFUSED_KEYS for option in kinds) else "dont_know"
    return None


@dataclass(frozen=True)
class ItemCounts:
    """How an item was met: answered, and the four silences, with unreadable values apart."""

    item: str
    answered: int
    dont_know: int
    refused: int
    skipped: int
    off_path: int
    unreadable: int

    @property
    def asked(self) -> int:
        """Cases on whose path the item lay."""
        return self.answered + self.dont_know + self.refused + self.skipped + self.unreadable

    @property
    def nonresponse(self) -> int:
        """Asked and left without an answer; "can't say" and "prefer not" are answers."""
        return self.skipped + self.unreadable


def item_counts(instrument: Instrument, cases: Iterable[Case]) -> dict[str, ItemCounts]:
    """Counts of every item of an instrument over some cases that were asked it."""
    tallies: dict[str, Counter[str]] = {item.id: Counter() for item in instrument.items}
    for case in cases:
        path = on_path(instrument, case.answers)
        for item in instrument.items:
            word = silence(item, case.answers.get(item.id), item.id in path)
            tallies[item.id][word or "answered"] += 1
    return {name: counts_of(name, tally) for name, tally in tallies.items()}


def counts_of(item: str, tally: Mapping[str, int]) -> ItemCounts:
    """The counts of an item from a tally of words."""
    words = ("answered", "dont_know", "refused", "skipped", "off_path", "unreadable")
    return ItemCounts(item, *(tally.get(word, 0) for word in words))
