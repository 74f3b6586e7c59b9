"""What stands beside the figure: the same answers, joined or counted in another way.

What enters is the wave's figure with its shares, flags and disputes; what leaves is one exact value
for each question a doubter asks: unweighted? every group alike? without the flagged domains? and
if everybody who disputes a slip had found it filled in with praise? None of them is the figure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from survey.cases.derivation import column, overall
from survey.errors import SurveyError
from survey.estimation.figure_parts import OVERALL, PartShares
from survey.estimation.leftovers import rows_to_hide
from survey.estimation.wave_figure import WaveFigure
from survey.estimation.wave_rates import WaveRates, of_group
from survey.exact import percent_text, truncate
from survey.fieldwork.disposition import DomainOutcome
from survey.sampling.sample import Sample
from survey.scheme.instrument import Item
from survey.weighting.domain_weights import weight_domains

Counted = Mapping[str, tuple[Fraction, Fraction, int, int]]
Pair = tuple[Fraction, Fraction]
ONE = Fraction(1)


@dataclass(frozen=True)
class Beside:
    """The wave's answers, ready to be joined in another way."""

    rates: WaveRates
    whole: WaveFigure
    parts: PartShares
    shares: Mapping[str, Fraction]
    people: Mapping[str, int]
    sample: Sample
    stratum_people: Mapping[tuple[str, str], int]
    minimum_count: int

    @cached_property
    def counted(self) -> dict[tuple[str, str], Counted]:
        """(group, part) → what every domain of the group adds."""
        return {
            (group, part): self.rates.sums(one, of_group(group))
            for group, columns in self.whole.columns.items()
            for part, one in columns.items()
        }

    def value(
        self,
        shares: Mapping[str, Fraction],
        weight: Callable[[str], Fraction] | None = None,
        change: Callable[[str, Pair], Pair] = lambda domain, pair: pair,
    ) -> Fraction | None:
        """The figure with other shares, weights or counts; None where a group has nothing in its base.

        Args:
            weight: of one answer of a domain; the wave's own when not given.
            change: what a domain's (top, base) become.
        """
        weigh = weight or self.rates.weights.weight
        total = Fraction(0)
        for group, share in shares.items():
            if not share:
                continue
            mean = carried = Fraction(0)
            for part, of_part in self.parts[group].items():
                pairs = {
                    domain: change(domain, (row[0], row[1]))
                    for domain, row in self.counted[group, part].items()
                }
                top = sum((weigh(domain) * up for domain, (up, _) in pairs.items()), Fraction(0))
                base = sum((weigh(domain) * down for domain, (_, down) in pairs.items()), Fraction(0))
                if base:
                    mean, carried = mean + of_part * top / base, carried + of_part
            if not carried:
                return None
            total += share * mean / carried
        return total

    def pooled_groups(self) -> Fraction | None:
        """All groups together, each person alike: groups by their people."""
        everybody = sum(self.people.get(group, 0) for group in self.shares)
        if not everybody:
            return None
        return self.value({group: Fraction(self.people.get(group, 0), everybody) for group in self.shares})

    def unweighted(self) -> Fraction | None:
        """All answers thrown together, each answer alike."""
        valid: dict[str, int] = dict.fromkeys(self.shares, 0)
        for (group, _), rows in self.counted.items():
            valid[group] += sum(row[3] for row in rows.values())
        everybody = sum(valid.values())
        if not everybody:
            return None
        return self.value(
            {group: Fraction(n, everybody) for group, n in valid.items()}, weight=lambda domain: ONE
        )

    def equal_groups(self) -> Fraction | None:
        """Every group of the same weight."""
        return self.value({group: Fraction(1, len(self.shares)) for group in self.shares})

    def without(self, flagged: set[str]) -> Fraction | None:
        """As if the flagged domains had not answered; others of their cell stand for their people."""
        answers = {domain: pool_n for domain, pool_n in self._answers().items() if domain not in flagged}
        satisfied: dict[str, int] = {}
        for rows in self.counted.values():
            for domain, row in rows.items():
                satisfied[domain] = max(satisfied.get(domain, 0), int(row[0] > 0))
        try:
            weights = weight_domains(
                self.sample,
                self.stratum_people,
                answers,
                minimum_count=self.minimum_count,
                satisfied=satisfied,
                groups=list(self.shares),
            )
        except SurveyError:
            return None
        if self.rates.weights.is_plain:
            weights = weights.plain()
        nothing = (Fraction(0), Fraction(0))
        return self.value(
            self.shares, weights.weight, lambda domain, pair: nothing if domain in flagged else pair
        )

    def _pools(self) -> list[tuple[str, ...]]:
        return [pool.domains for pool in self.rates.weights.pools]

    def _answers(self) -> dict[str, int]:
        some = next(iter(self.counted.values()))
        counts = {domain: row[2] for domain, row in some.items()}
        for rows in self.counted.values():
            counts |= {domain: row[2] for domain, row in rows.items()}
        return counts

    def worst_case(self, outcomes: Mapping[str, DomainOutcome]) -> Fraction | None:
        """(x − d)/(v − d) in every domain, d its disputed slips, with the wave's own weights."""

        def less(domain: str, pair: Pair) -> Pair:
            disputed = outcomes[domain].disputed if domain in outcomes else 0
            return max(pair[0] - disputed, Fraction(0)), max(pair[1] - disputed, Fraction(0))

        return self.value(self.shares, change=less)

    def imputed(self) -> Fraction | None:
        """Blanks of the overall item filled with the mean of their own domain's opinions (`class_mean`).

        None for points and items, and where nothing was left blank.
        """
        if set().union(*self.whole.columns.values()) != {OVERALL}:
            return None
        blanks = self.rates.sums(column(self.rates.case_file, overall, blank_reading))
        if not any(row[0] for row in blanks.values()):
            return None

        def filled(domain: str, pair: Pair) -> Pair:
            top, base = pair
            more = blanks[domain][0] if base else Fraction(0)
            return (top * (base + more) / base, base + more) if more else pair

        return self.value(self.shares, change=filled)

    def document(
        self, figure: Fraction, flagged: set[str], outcomes: Mapping[str, DomainOutcome], smallest: int
    ) -> list[dict[str, Any]]:
        """Every way as a row of text; none for a full body, which is counted and not joined.

        Args:
            smallest: answers that may follow: where the flagged are fewer in a certified row, the figure
                without them is not told.
        """
        if self.whole.counted_whole:
            return []
        disputed = any(one.disputed for one in outcomes.values())
        untold = bool(rows_to_hide({"flagged": flagged}, (), self._pools(), self._answers(), smallest))
        values = {
            "unweighted": ("不加权，全部答卷一起算", self.unweighted()),
            "pooled_groups": ("各类人不分比例，按人数合", self.pooled_groups()),
            "equal_groups": ("各类人一样重", self.equal_groups()),
            "without_flagged_domains": ("去掉有标记的域", None if untold else self.without(flagged) if flagged else figure),
            "worst_case_disputes": (
                "声明未填的份数全按满意的扣掉",
                self.worst_case(outcomes) if disputed else figure,
            ),
        }
        completed = self.imputed()
        if completed is not None:
            values["blanks_imputed"] = ("没填总体评价的，按同校同类人的平均补上", completed)
        rows = [
            {
                "what": what,
                "name": name,
                "shown": None if value is None else truncate(value),
                "percent": None if value is None else percent_text(truncate(value)),
            }
            for what, (name, value) in values.items()
        ]
        return [
            row | {"withheld": True} if untold and row["what"] == "without_flagged_domains" else row
            for row in rows
        ]


def sums_over(counted: Counted, domains: Iterable[str]) -> tuple[Fraction, Fraction]:
    """(Σ top, Σ base) over some domains."""
    rows = [counted[domain] for domain in domains]
    return sum((row[0] for row in rows), Fraction(0)), sum((row[1] for row in rows), Fraction(0))


def blank_reading(item: Item, answer: object) -> tuple[int, int]:
    """Whether an asked item was left without any answer."""
    return int(answer is None), 1
