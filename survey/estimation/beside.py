"""What stands beside the figure: the same answers, joined or counted in another way.

What enters is the wave's rates with its shares, flags and disputes; what leaves is one exact value
for each question a doubter asks: unweighted? every group alike? without the flagged domains? and
if everybody who disputes a slip had found it filled in with praise? None of them is the figure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from survey.cases.derivation import Column
from survey.errors import SurveyError
from survey.estimation.figure import weighted_ratio
from survey.estimation.wave_rates import WaveRates
from survey.exact import percent_text, truncate
from survey.fieldwork.disposition import DomainOutcome
from survey.sampling.sample import Sample
from survey.weighting.domain_weights import weight_domains

Counted = Mapping[str, tuple[Fraction, Fraction, int, int]]


@dataclass(frozen=True)
class Beside:
    """The wave's answers, ready to be joined in another way."""

    rates: WaveRates
    answers: Column
    shares: Mapping[str, Fraction]
    sample: Sample
    stratum_people: Mapping[tuple[str, str], int]
    minimum_count: int

    def pooled_groups(self) -> Fraction | None:
        """All groups together, each person alike, by the weights alone."""
        rows = self.rates.pool_rows(self.answers)
        base = sum((w * v for _, w, _, v in rows), Fraction(0))
        return sum((w * x for _, w, x, _ in rows), Fraction(0)) / base if base else None

    def equal_groups(self) -> Fraction | None:
        """Every group of the same weight."""
        even = {group: Fraction(1, len(self.shares)) for group in self.shares}
        return _or_none(self.rates.pool_rows(self.answers), even)

    def without(self, flagged: set[str]) -> Fraction | None:
        """As if the flagged domains had not answered; others of their cell stand for their people."""
        counted: Counted = {
            domain: (Fraction(0), Fraction(0), 0, 0) if domain in flagged else row
            for domain, row in self.rates.sums(self.answers).items()
        }
        try:
            weights = weight_domains(
                self.sample,
                self.stratum_people,
                {domain: row[2] for domain, row in counted.items()},
                minimum_count=self.minimum_count,
                satisfied={domain: int(row[0] > 0) for domain, row in counted.items()},
                groups=list(self.shares),
            )
        except SurveyError:
            return None
        rows = [(pool.group, pool.weight, *sums_over(counted, pool.domains)) for pool in weights.pools]
        return _or_none(rows, self.shares)

    def worst_case(self, outcomes: Mapping[str, DomainOutcome]) -> Fraction | None:
        """(x − d)/(v − d) in every domain, d its disputed slips, with the wave's own weights."""
        rows = []
        for domain, (top, base, _, _) in self.rates.sums(self.answers).items():
            disputed = outcomes[domain].disputed if domain in outcomes else 0
            pool = self.rates.weights.by_domain[domain]
            rows.append(
                (pool.group, pool.weight, max(top - disputed, Fraction(0)), max(base - disputed, Fraction(0)))
            )
        return _or_none(rows, self.shares)

    def document(
        self, figure: Fraction, flagged: set[str], outcomes: Mapping[str, DomainOutcome]
    ) -> list[dict[str, Any]]:
        """Every way as a row of text, for a figure of one item."""
        disputed = any(one.disputed for one in outcomes.values())
        values = {
            "unweighted": ("不加权，全部答卷一起算", self.rates.plain(self.answers)),
            "pooled_groups": ("各类人不分比例，按人数合", self.pooled_groups()),
            "equal_groups": ("各类人一样重", self.equal_groups()),
            "without_flagged_domains": ("去掉有标记的域", self.without(flagged) if flagged else figure),
            "worst_case_disputes": (
                "声明未填的份数全按满意的扣掉",
                self.worst_case(outcomes) if disputed else figure,
            ),
        }
        return [
            {
                "what": what,
                "name": name,
                "shown": None if value is None else truncate(value),
                "percent": None if value is None else percent_text(truncate(value)),
            }
            for what, (name, value) in values.items()
        ]


def sums_over(counted: Counted, domains: Iterable[str]) -> tuple[Fraction, Fraction]:
    """(Σ top, Σ base) over some domains."""
    rows = [counted[domain] for domain in domains]
    return sum((row[0] for row in rows), Fraction(0)), sum((row[1] for row in rows), Fraction(0))


def _or_none(
    rows: list[tuple[str, Fraction, Fraction, Fraction]], shares: Mapping[str, Fraction]
) -> Fraction | None:
    """The weighted ratio, or None where a group would have nothing left in its base."""
    with_base = {group for group, _, _, base in rows if base}
    if any(share and group not in with_base for group, share in shares.items()):
        return None
    return weighted_ratio(rows, shares)
