"""The doubts that belong beside a figure: don't-know, silence, how close it is, how sure its error.

What enters is the wave's figure and its answers; what leaves is text: the don't-know rate with an
interval of its own, the careful figure and whether it decides otherwise, the item left blank, what
the silent would have to think for the verdict to turn, how many answers would turn it, and the
cautions that every page, paper and interface prints with the figure.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from survey.cases.derivation import Column, ReadAnswer, column, conservative, dont_know_reading
from survey.estimation.beside import Beside, blank_reading, sums_over
from survey.estimation.design_effect import reliability_document
from survey.estimation.figure import interval_document
from survey.estimation.figure_parts import OVERALL, items_of_part
from survey.estimation.intervals import Interval
from survey.estimation.wave_figure import WaveFigure, full_body_share
from survey.estimation.wave_rates import WaveRates
from survey.exact import fraction, percent_text, truncate
from survey.fieldwork.disposition import DomainOutcome
from survey.scheme.scheme import Line

MUCH_DONT_KNOW = Fraction(1, 10)
"""A don't-know rate above this is said aloud (METHOD step 12)."""


@dataclass(frozen=True)
class Doubts:
    """The figure, its line, and the answers it rests on."""

    beside: Beside
    line: Line | None
    reached: bool | None
    read: ReadAnswer
    level: float
    scale: Mapping[str, Fraction]
    """share_g / N_g of every group, by which rows of several groups are joined."""
    every_group: bool = False
    """Whether the line holds each group: then nothing is said of one figure's tipping point."""

    @property
    def whole(self) -> WaveFigure:
        return self.beside.whole

    @property
    def rates(self) -> WaveRates:
        return self.beside.rates

    def document(
        self, outcomes: Mapping[str, DomainOutcome], interval: Interval | None, *, sampled: bool
    ) -> dict[str, Any]:
        """`dont_know`, `conservative`, `item_nonresponse`, `tipping`, `reliability` and `cautions`.

        Args:
            outcomes: what became of the slips, by domain.
            interval: the figure's own, two-sided.
            sampled: whether an interval may be given at all (TRUST class A).
        """
        unsure = self._share(dont_know_reading, sampled)
        blank = self._share(blank_reading, sampled)
        careful = self._careful()
        turned = careful is not None and careful["changes_verdict"]
        reliability = self._reliability(interval)
        return {
            "dont_know": unsure,
            "conservative": careful,
            "item_nonresponse": blank,
            "tipping": self._tipping(outcomes) if self.reached is not None and not self.every_group else None,
            "reliability": reliability,
            "cautions": [
                *figure_cautions(self.whole, sampled=sampled),
                *entered_cautions(outcomes.values()),
                *(reliability["words"] if reliability else ()),
                *(
                    [f"说不清、不了解的占{unsure['percent']}，超过10%"]
                    if unsure is not None and fraction(unsure["shown"]) > MUCH_DONT_KNOW
                    else []
                ),
                *(["把说不清、不了解都算作不满意，结论就不同"] if turned else []),
            ],
        }

    def _share(self, read: ReadAnswer, sampled: bool) -> dict[str, Any] | None:
        """A share of the figure's items, all groups joined by their shares; its interval beside it."""
        parts = list(dict.fromkeys(part for parts in self.whole.columns.values() for part in parts))
        columns = [column(self.rates.case_file, items_of_part(part), read) for part in parts]
        rate = self.rates.rate(added(columns), scale=self.scale)
        if rate is None:
            return None
        bounds = rate.interval(self.level, proportion=len(parts) == 1) if sampled else None
        return {
            "shown": truncate(rate.value),
            "percent": percent_text(truncate(rate.value)),
            "n": sum(int(row[0]) for row in self.rates.sums(added(columns)).values()),
            "of": sum(int(row[1]) for row in self.rates.sums(added(columns)).values()),
            "interval": None if bounds is None else interval_document(bounds.lower, bounds.upper),
        }

    def _careful(self) -> dict[str, Any] | None:
        """The figure with every don't-know counted as not satisfied, and whether it decides otherwise."""
        careful = conservative(self.read)
        columns = {
            group: {part: column(self.rates.case_file, items_of_part(part), careful) for part in parts}
            for group, parts in self.whole.columns.items()
        }
        whole = WaveFigure(
            self.whole.value, self.whole.estimate, self.whole.groups, self.whole.estimator, columns
        )
        value = (
            full_body_share(self.rates, columns, self.beside.shares)
            if self.whole.counted_whole
            else _with(self.beside, whole).value(self.beside.shares)
        )
        if value is None:
            return None
        reached = self._held(whole, value) if self.reached is not None else None
        return {
            "shown": truncate(value),
            "percent": percent_text(truncate(value)),
            "reached": reached,
            "changes_verdict": reached is not None and reached != self.reached,
        }

    def _held(self, careful: WaveFigure, value: Fraction) -> bool | None:
        """Whether the careful figure reaches the line, in every group where the line holds each."""
        if self.line is None:
            return None
        if not self.every_group:
            return self.line.reached(value)
        alone = [{group: Fraction(1)} for group, share in self.beside.shares.items() if share]
        values = [
            full_body_share(self.rates, careful.columns, one)
            if self.whole.counted_whole
            else _with(self.beside, careful).value(one)
            for one in alone
        ]
        return all(one is not None and self.line.reached(one) for one in values)

    def _tipping(self, outcomes: Mapping[str, DomainOutcome]) -> dict[str, Any] | None:
        """What would turn the verdict: the rate of the silent, and the fewest answers."""
        if self.line is None:
            return None
        answers = fewest_to_turn(self.beside, self.whole, self.line)
        q = break_even_of_the_silent(self.beside, self.whole, self.line, outcomes)
        said = []
        if answers is not None:
            said.append(f"最少要有{answers}份答卷改口，结论才会变")
        if q is not None:
            said.append(_silent_words(q, bool(self.reached)))
        return {
            "answers": answers,
            "break_even": None if q is None else truncate(q),
            "words": "；".join(said),
        }

    def _reliability(self, interval: Interval | None) -> dict[str, Any] | None:
        """The NCHS decision for a figure that is a share of people."""
        if interval is None or not self.whole.proportion:
            return None
        one = self.whole.estimate
        spread = one.value * (1 - one.value)
        n_eff = min(spread / one.variance, one.n) if one.variance > 0 and spread > 0 else float(one.n)
        return reliability_document(one.value, one.n, n_eff, one.df, interval)


def added(columns: list[Column]) -> Column:
    """Several columns added case by case."""
    if len(columns) == 1:
        return columns[0]
    return Column(
        tuple(sum(some) for some in zip(*(one.top for one in columns), strict=True)),
        tuple(sum(some) for some in zip(*(one.base for one in columns), strict=True)),
    )


def _with(beside: Beside, whole: WaveFigure) -> Beside:
    return Beside(
        beside.rates,
        whole,
        beside.parts,
        beside.shares,
        beside.people,
        beside.sample,
        beside.stratum_people,
        beside.minimum_count,
    )


def entered_cautions(outcomes: Iterable[DomainOutcome]) -> list[str]:
    """What staff typed in, each mode apart: answers given to a person differ from those given to a phone.

    >>> entered_cautions([DomainOutcome("a", 20, 15, paper=3, telephone=1), DomainOutcome("b", 9, 9)])
    ['24份答卷里有4份由工作人员录入：纸质3份，电话询问1份；和本人填的一起计算']
    """
    some = list(outcomes)
    paper, telephone = sum(one.paper for one in some), sum(one.telephone for one in some)
    if not paper + telephone:
        return []
    modes = "，".join(f"{name}{n}份" for name, n in (("纸质", paper), ("电话询问", telephone)) if n)
    used = sum(one.used for one in some)
    return [f"{used}份答卷里有{paper + telephone}份由工作人员录入：{modes}；和本人填的一起计算"]


def figure_cautions(whole: WaveFigure, *, sampled: bool) -> list[str]:
    """What weakens the figure's interval, in words; nothing where none is given."""
    if not sampled or whole.counted_whole:
        return []
    said = []
    if whole.estimate.df <= 0:
        said.append("只来自一所学校或一个人，不给区间")
    elif whole.asked_whole:
        # Everybody was asked: what is few here is persons, not schools.
        if whole.few_against:
            said.append("不满意的人不到5个，误差可能估小了，区间已经放宽，仍要谨慎")
        if whole.few_in_favour:
            said.append("满意的人不到5个，误差可能估小了，区间已经放宽，仍要谨慎")
        return said
    elif whole.estimate.df < 8:
        said.append("学校少，区间只作参考")
    if whole.few_against:
        said.append("不满意的人只来自很少几所学校，误差可能估小了，区间已经放宽，仍要谨慎")
    if whole.few_in_favour:
        said.append("满意的人只来自很少几所学校，误差可能估小了，区间已经放宽，仍要谨慎")
    return said


def fewest_to_turn(beside: Beside, whole: WaveFigure, line: Line) -> int | None:
    """The fewest answers that, changed, would turn the verdict; None where answers are points or items.

    An answer of a pool moves the figure by share_g·w ÷ Σ w·v of its group; the heaviest change first.

    Source: exact, over the certified table's own rows.
    """
    if whole.estimator != "weighted-ratio/v1":
        return None
    reached = line.reached(whole.value)
    moves: list[tuple[Fraction, int]] = []
    for group, share in beside.shares.items():
        if not share:
            continue
        rows = beside.counted[group, OVERALL]
        pools = [
            (pool.weight, *sums_over(rows, pool.domains))
            for pool in beside.rates.weights.pools
            if pool.group == group
        ]
        base = sum((weight * v for weight, _, v in pools), Fraction(0))
        moves += [(share * weight / base, int(x if reached else v - x)) for weight, x, v in pools]
    value, changed = whole.value, 0
    for move, available in sorted(moves, reverse=True):
        if not move or not available:
            continue
        gap = abs(value - fraction(line.threshold)) / move
        need = max(math.ceil(gap), 0)
        for count in (need, need + 1):
            after = value - count * move if reached else value + count * move
            if count <= available and line.reached(after) is not reached:
                return changed + count
        value = value - available * move if reached else value + available * move
        changed += available
    return None


def break_even_of_the_silent(
    beside: Beside, whole: WaveFigure, line: Line, outcomes: Mapping[str, DomainOutcome]
) -> Fraction | None:
    """The rate among those who did not answer at which the verdict turns, the same in every group.

    Returns:
        `(T − Σ_g a_g RR_g p_g) ÷ (1 − Σ_g a_g RR_g)`, RR_g the group's response rate; below 0 or above 1
        the silent cannot turn the verdict; None when everybody answered or nobody was counted.

    Source: METHOD 14, for one group `(T − RR p)/(1 − RR)`; here summed over the groups' shares a_g.
    """
    answered = whole_rr = Fraction(0)
    for group, share in beside.shares.items():
        if not share:
            continue
        some = [
            outcomes[d] for d, draw in beside.rates.draws.items() if draw.group == group and d in outcomes
        ]
        # Asked whole, those who might have answered are the people of the frame, spare slips or not.
        asked = whole.groups[group].asked
        issued = asked or sum(one.issued for one in some)
        if not issued:
            return None
        rate = min(Fraction(sum(one.used for one in some), issued), Fraction(1))
        answered += share * rate * whole.groups[group].value
        whole_rr += share * rate
    if whole_rr == 1 or whole.counted_whole:
        return None
    return (fraction(line.threshold) - answered) / (1 - whole_rr)


def _silent_words(q: Fraction, reached: bool) -> str:
    if q <= 0:
        return "没有回答的人哪怕全不满意，也会达到" if reached else "没有回答的人只要有一点满意就会达到"
    if q > 1:
        return "没有回答的人哪怕全满意，也达不到"
    return f"没有回答的人里满意的不到{percent_text(truncate(q))}，结论就会是未达到"
