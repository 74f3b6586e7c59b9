"""What an answer is worth under the scheme's reading: satisfied or not, points, or outside the base.

What enters is a case file and a way of reading; what leaves is, for every case, how much it adds
to the top of a ratio and how much to its base. A way is data: which items, which options count,
what a don't-know does. The scheme's own way makes the figure; the others of RULES section 3 are
computed from the same answers and shown beside it. All values are exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import lcm

import numpy as np

from survey.arrays import Ints
from survey.cases.case_file import CaseFile
from survey.cases.item_nonresponse import silence
from survey.scheme.instrument import Instrument, Item
from survey.scheme.reading import AnswersReading, even_points
from survey.scheme.routing import on_path
from survey.scheme.scales import Scale
from survey.scheme.scheme import Scheme

Worth = Fraction | int
ReadAnswer = Callable[[Item, object], tuple[Worth, Worth] | None]
"""(top, base) of one asked item, or None where the answer stays outside the base."""


@dataclass(frozen=True)
class Column:
    """What every case adds: `top` over `base`; (0, 0) where the case stays outside."""

    top: tuple[Worth, ...]
    base: tuple[Worth, ...]

    @cached_property
    def whole(self) -> tuple[int, Ints, Ints]:
        """(L, L·top, L·base) as whole numbers, L the least common denominator: exact, and fast to add up."""
        worths = {worth for worths in (self.top, self.base) for worth in worths}
        common = lcm(*(Fraction(worth).denominator for worth in worths)) if worths else 1
        scaled = {worth: int(worth * common) for worth in worths}
        return (
            common,
            np.array([scaled[worth] for worth in self.top], dtype=np.int64),
            np.array([scaled[worth] for worth in self.base], dtype=np.int64),
        )


def scheme_reading(answers: AnswersReading, formula: str) -> ReadAnswer:
    """The scheme's own reading: 1 of 1 for satisfied, or points in [0, 1] of 1.

    Args:
        formula: `share` or `points_mean`; a majority vote counts satisfied as `share` does.
    """

    def read(item: Item, answer: object) -> tuple[Worth, Worth] | None:
        scale = item.answer_scale
        if formula == "points_mean":
            points = answers.points(scale, answer, item.id)  # type: ignore[arg-type]
            return None if points is None else (points, 1)
        satisfied = answers.satisfied(scale, answer)  # type: ignore[arg-type]
        return None if satisfied is None else (int(satisfied), 1)

    return read


def points_reading(table: Callable[[Scale], Mapping[str, Fraction] | None]) -> ReadAnswer:
    """Points of each option over 1; skipped and don't-know outside. `table` None: the scale has none."""

    def read(item: Item, answer: object) -> tuple[Worth, Worth] | None:
        worths = table(item.answer_scale)
        if answer is None or worths is None:
            return None
        option = item.answer_scale.option(answer)  # type: ignore[arg-type]
        return (worths[option.key], 1) if option.kind != "none" and option.key in worths else None

    return read


def top_reading(best: int, base: str) -> ReadAnswer:
    """The `best` first options over `valid` opinions or over `all` answers, don't-know among them."""

    def read(item: Item, answer: object) -> tuple[Worth, Worth] | None:
        if answer is None:
            return None
        option = item.answer_scale.option(answer)  # type: ignore[arg-type]
        if option.kind == "none":
            return (0, 1) if base == "all" else None
        return int(option in item.answer_scale.scored[:best]), 1

    return read


def dont_know_reading(item: Item, answer: object) -> tuple[Worth, Worth] | None:
    """Whether the answer is one of kind `none` (can't say, prefer not), over all answers."""
    if answer is None:
        return None
    return int(item.answer_scale.option(answer).kind == "none"), 1  # type: ignore[arg-type]


def conservative(read: ReadAnswer) -> ReadAnswer:
    """The same reading with every don't-know counted as not satisfied, whatever the scheme makes of it (METHOD 12)."""

    def careful(item: Item, answer: object) -> tuple[Worth, Worth] | None:
        if answer is not None and item.answer_scale.option(answer).kind == "none":  # type: ignore[arg-type]
            return 0, 1
        return read(item, answer)

    return careful


def column(case_file: CaseFile, items: Callable[[Instrument], Iterable[Item]], read: ReadAnswer) -> Column:
    """What every case adds over the items that `items` names of its instrument, summed.

    An unreadable or off-path answer stays outside; a skipped one goes to `read` as None.
    """
    chosen = {id(one): tuple(items(one)) for one in case_file.instruments.values()}
    conditional = {key: any(item.show_if for item in some) for key, some in chosen.items()}
    known: dict[tuple[int, object], tuple[Worth, Worth]] = {}
    top: list[Worth] = []
    base: list[Worth] = []
    for case in case_file.cases:
        instrument = case_file.instruments.get(case.domain)
        some = chosen.get(id(instrument), ())
        path = on_path(instrument, case.answers) if instrument and conditional[id(instrument)] else None
        up: Worth = 0
        down: Worth = 0
        for item in some:
            answer = case.answers.get(item.id)
            if path is not None and item.id not in path:
                continue
            key = (id(item), answer if isinstance(answer, (int, str)) else None if answer is None else "?")
            if key not in known:
                known[key] = _worth(item, answer, read)
            up += known[key][0]
            down += known[key][1]
        top.append(up)
        base.append(down)
    return Column(tuple(top), tuple(base))


def _worth(item: Item, answer: object, read: ReadAnswer) -> tuple[Worth, Worth]:
    """What one asked answer adds; an unreadable one nothing, a skipped one what the reading says."""
    word = silence(item, answer, True)
    worth = None if word == "unreadable" else read(item, None if word == "skipped" else answer)
    return (0, 0) if worth is None else worth


def overall(instrument: Instrument) -> tuple[Item, ...]:
    """The overall item of an instrument."""
    item = instrument.overall_item
    return () if item is None else (item,)


def content(instrument: Instrument) -> tuple[Item, ...]:
    """The content items of an instrument, the overall item left out."""
    return tuple(item for item in instrument.items if item.role == "content")


def figure_items(scheme: Scheme) -> Callable[[Instrument], tuple[Item, ...]]:
    """Which items the scheme's figure rests on."""
    chosen = scheme.figure.from_items
    if chosen == "overall_item":
        return overall
    if chosen == "content_items":
        return content
    return lambda instrument: (*content(instrument), *overall(instrument))


def even_over_one(scale: Scale) -> Mapping[str, Fraction]:
    """Equal steps from 0 to 1."""
    return even_points(scale)


def twenty_over_one(scale: Scale) -> Mapping[str, Fraction] | None:
    """20…100 of 100 on five options, 100/60/20 on three; other scales have no such reading."""
    worths = {5: (100, 80, 60, 40, 20), 3: (100, 60, 20)}.get(len(scale.scored))
    return _over_hundred(scale, worths)


def hundred_seventy_thirty(scale: Scale) -> Mapping[str, Fraction] | None:
    """100/70/30 of 100 on three options; other scales have no such reading."""
    return _over_hundred(scale, (100, 70, 30) if len(scale.scored) == 3 else None)


def _over_hundred(scale: Scale, worths: tuple[int, ...] | None) -> Mapping[str, Fraction] | None:
    if worths is None:
        return None
    return {option.key: Fraction(worth, 100) for option, worth in zip(scale.scored, worths, strict=True)}
