"""Several waves side by side: a county over time, counties against each other, with their doubt.

What enters is published waves; what leaves is, for a county, every change
with its test, and for counties who stands surely above or below whom. There is no rank: two
counties whose difference chance can explain stand level, whatever their second decimal says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from survey.estimation.comparison import holm
from survey.followup.findings import RISK
from survey.followup.published import (
    Difference,
    PublishedRow,
    PublishedWave,
    difference,
    why_no_change,
    why_not_comparable,
)


@dataclass(frozen=True)
class Change:
    """From one wave of a county to the next; `why_not` says why there is no difference to tell."""

    before: str
    after: str
    difference: Difference | None
    p_value: float | None
    """After Holm's correction over the changes told."""
    why_not: tuple[str, ...] = ()

    @property
    def is_sure(self) -> bool:
        """Whether chance cannot explain it."""
        return self.p_value is not None and self.p_value < RISK

    @property
    def is_fall(self) -> bool:
        """Whether it is surely a fall."""
        return self.is_sure and self.difference is not None and self.difference.value < 0

    @property
    def in_words(self) -> str:
        """What may be said of the change."""
        if self.difference is None:
            return "不能比较：" + "；".join(self.why_not)
        if not self.is_sure:
            return "变化在抽样误差以内"
        return "下降，不是误差能解释的" if self.is_fall else "上升，不是误差能解释的"


@dataclass(frozen=True)
class ItemChange:
    """One item of one group from a wave to the next."""

    before: PublishedRow
    after: PublishedRow
    difference: Difference
    p_value: float
    """After Holm's correction over all items told."""

    @property
    def turn(self) -> int:
        """1 for a rise, -1 for a fall that chance cannot explain, 0 for neither."""
        if self.p_value >= RISK:
            return 0
        return 1 if self.difference.value > 0 else -1


@dataclass(frozen=True)
class Against:
    """How one county stands against the others of its table."""

    wave: str
    above: int
    below: int
    level: int
    not_compared: int

    @property
    def in_words(self) -> str:
        """高于2个、低于1个、与5个分不出高低."""
        parts = [
            f"{verb}{count}个{rest}"
            for verb, count, rest in (
                ("高于", self.above, ""),
                ("低于", self.below, ""),
                ("与", self.level, "分不出高低"),
            )
            if count
        ]
        if self.not_compared:
            parts.append(f"{self.not_compared}个不能比较")
        return "，".join(parts) or "没有别的县可比"


def trend(waves: Sequence[PublishedWave]) -> tuple[Change, ...]:
    """Every step of a county from wave to wave, tested together.

    Args:
        waves: the county's certified waves, the oldest first.
    """
    told: list[tuple[str, str, Difference | None, tuple[str, ...]]] = []
    for first, second in pairwise(waves):
        reasons = why_no_change(first, second)
        change = None if reasons else difference(first.whole, second.whole)
        if change is not None and change.p_value != change.p_value:
            change, reasons = None, ("其中一次没有误差可算",)
        told.append((first.wave, second.wave, change, reasons))
    chances = iter(holm([change.p_value for _, _, change, _ in told if change is not None]))
    return tuple(
        Change(before, after, change, None if change is None else next(chances), reasons)
        for before, after, change, reasons in told
    )


def item_changes(first: PublishedWave, second: PublishedWave) -> tuple[ItemChange, ...]:
    """Every item shown in both waves, in the order of the second; none where the waves cannot be compared.

    Source: t test of two independent samples as for the figure, Holm's correction over the items (METHOD 15).
    """
    if why_no_change(first, second):
        return ()
    earlier = {row.place: row for row in first.rows if row.table == "items"}
    pairs = [
        (earlier[row.place], row, difference(earlier[row.place], row))
        for row in second.rows
        if row.table == "items" and row.place in earlier
    ]
    # Without any spread in one of them there is no error to tell.
    told = [pair for pair in pairs if pair[2].p_value == pair[2].p_value]
    chances = holm([change.p_value for _, _, change in told])
    return tuple(
        ItemChange(before, after, change, chance)
        for (before, after, change), chance in zip(told, chances, strict=True)
    )


def against_each_other(waves: Sequence[PublishedWave]) -> dict[str, Against]:
    """Each wave against all the others, every pair tested and Holm's correction paid for all pairs.

    Args:
        waves: one certified wave a county.

    Returns:
        Wave → how many stand surely below it, surely above it, level with it, or apart from it.
    """
    pairs = [
        (first.wave, second.wave, difference(first.whole, second.whole))
        for first, second in combinations(waves, 2)
        if not why_not_comparable(first, second)
    ]
    pairs = [pair for pair in pairs if pair[2].p_value == pair[2].p_value]
    chances = holm([change.p_value for _, _, change in pairs])
    counts = {one.wave: {"above": 0, "below": 0, "level": 0} for one in waves}
    for (first_wave, second_wave, change), chance in zip(pairs, chances, strict=True):
        if not chance < RISK:
            counts[first_wave]["level"] += 1
            counts[second_wave]["level"] += 1
            continue
        higher, lower = (second_wave, first_wave) if change.value > 0 else (first_wave, second_wave)
        counts[higher]["above"] += 1
        counts[lower]["below"] += 1
    return {
        wave: Against(wave, **of_wave, not_compared=len(waves) - 1 - sum(of_wave.values()))
        for wave, of_wave in counts.items()
    }
