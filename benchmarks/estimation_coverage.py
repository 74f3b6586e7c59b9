"""How often 95 % intervals hold the truth, and how often the verdict at 85 % errs.

    python benchmarks/estimation_coverage.py [--rounds 3000] [--write benchmarks/estimation_coverage.md]

Finite populations of strata × schools × persons with beta-distributed school rates. `slips`: a simple
random set of persons in each drawn school, two-stage variance. `classes`: one whole class of each drawn
school, half of the intra-class correlation between classes, ultimate-cluster variance. `three groups`:
parents, teachers and pupils of the same schools on slips, joined by fixed shares ½, ¼, ¼. The interval
is what the product prints: `Rate.interval` for one group, `WaveFigure.interval` for several (the
variances are checked against the engine's own by tests/estimation/test_coverage.py). An undefined
interval counts as a miss. The second table tries the methods of the literature on the same waves.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from survey.estimation.composite import shares_n
from survey.estimation.intervals import Interval, korn_graubard, likelihood, logit, planned_n, wald, wilson
from survey.estimation.linearization import Estimate
from survey.estimation.wave_figure import WaveFigure
from survey.estimation.wave_rates import Rate

RATES = (0.80, 0.85, 0.90, 0.95, 0.98)
COUNTIES = {"small": (2, 6, 12), "usual": (4, 8, 20), "large": (6, 15, 40)}
"""Strata; schools drawn and in the frame of each."""
SLIPS = {"small": 12, "usual": 25, "large": 30}
"""Slips of a school, one group."""
GROUPS = {"small": (12, 4, 4), "usual": (12, 6, 6), "large": (15, 8, 8)}
"""Slips of a school for parents, teachers and pupils."""
PEOPLE = (300, 20, 150)
SHARES = (Fraction(1, 2), Fraction(1, 4), Fraction(1, 4))
PERSONS, CLASSES, THRESHOLD = 300, 8, 0.85
NOBODY = np.zeros(0)


@dataclass
class Waves:
    """Many waves of one cell of the table: (rounds,) each, groups in columns where there are several."""

    truth: np.ndarray
    p: np.ndarray
    variance: np.ndarray
    of_groups: np.ndarray
    variance_of_groups: np.ndarray
    unhappy: np.ndarray
    happy: np.ndarray
    df: int
    n: tuple[int, ...]
    psus: int
    taken: np.ndarray
    """(rounds, strata, schools, groups) satisfied among those asked, for the check by the engine."""

    def figures(self, at: int) -> Callable[[float], Interval | None]:
        """The product's interval of one wave, as a function of the level."""
        rates = [
            Rate(
                Fraction(float(p)),
                _estimate(p, v, self.df, n),
                n,
                n,
                int(self.unhappy[at]),
                self.psus,
                int(self.happy[at]),
            )
            for p, v, n in zip(self.of_groups[at], self.variance_of_groups[at], self.n, strict=True)
        ]
        if len(rates) == 1:
            return lambda level: rates[0].interval(level)
        names = [str(k) for k in range(len(rates))]
        whole = WaveFigure(
            Fraction(float(self.p[at])),
            _estimate(self.p[at], self.variance[at], self.df, sum(self.n)),
            dict(zip(names, rates, strict=True)),
            "weighted-ratio/v1",
            {},
            minority=(int(self.unhappy[at]), int(self.happy[at])),
            psus=self.psus,
        )
        return lambda level: whole.interval(dict(zip(names, SHARES, strict=True)), level)

    @property
    def n_shares(self) -> int:
        return self.n[0] if len(self.n) == 1 else int(shares_n(SHARES, self.n))


def _estimate(p: float, variance: float, df: int, n: int) -> Estimate:
    return Estimate(float(p), float(variance), df, n, n, NOBODY, NOBODY.astype(bool))


def drawn(rate: float, county: str, rho: float, how: str, rounds: int, rng: np.random.Generator) -> Waves:
    """Many waves of one cell: populations, draws, estimates and variances."""
    strata, n, schools = COUNTIES[county]
    between = rho / 2 if how == "classes" else rho
    k = (1 - between) / between
    school_rate = np.clip(rng.beta(rate * k, (1 - rate) * k, (rounds, strata, schools)), 1e-9, 1 - 1e-9)
    take = np.argsort(rng.random((rounds, strata, schools)), axis=2)[:, :, :n]
    fraction = n / schools
    if how == "classes":
        size = PERSONS // CLASSES
        shape = (*school_rate.shape, CLASSES)
        class_rate = rng.beta(school_rate[..., None] * k, (1 - school_rate[..., None]) * k, shape)
        of_class = rng.binomial(size, class_rate)
        chosen = rng.integers(0, CLASSES, school_rate.shape)[..., None]
        y = np.take_along_axis(np.take_along_axis(of_class, chosen, 3)[..., 0], take, 2)[..., None]
        truth = of_class.sum(axis=(1, 2, 3)) / (strata * schools * size * CLASSES)
        sizes, people, fraction, share_of = (size,), (size * CLASSES,), 0.0, np.ones(1)
    else:
        sizes = GROUPS[county] if how == "three groups" else (SLIPS[county],)
        people = PEOPLE if how == "three groups" else (PERSONS,)
        share_of = np.array([float(a) for a in SHARES]) if how == "three groups" else np.ones(1)
        taken, truth = [], np.zeros(rounds)
        for share, size, everybody in zip(share_of, sizes, people, strict=True):
            satisfied = rng.binomial(everybody, school_rate)
            inside = np.take_along_axis(satisfied, take, 2)
            taken.append(rng.hypergeometric(inside, everybody - inside, size))
            truth = truth + share * satisfied.sum(axis=(1, 2)) / (strata * schools * everybody)
        y = np.stack(taken, axis=3)
    share = y / np.array(sizes)

    def variance(of: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """First stage between schools, second between persons: METHOD step 9."""
        joined = (of * weights).sum(axis=3)
        first = (1 - fraction) * joined.var(axis=2, ddof=1).sum(axis=1) / n / strata**2
        inner = weights**2 * of * (1 - of) / (np.array(sizes) - 1) * (1 - np.array(sizes) / np.array(people))
        return first + fraction * inner.sum(axis=(1, 2, 3)) / (n * strata) ** 2

    alone = np.eye(len(sizes))
    return Waves(
        truth=truth,
        p=(share * share_of).sum(axis=3).mean(axis=(1, 2)),
        variance=variance(share, share_of),
        of_groups=share.mean(axis=(1, 2)),
        variance_of_groups=np.column_stack([variance(share, one) for one in alone]),
        unhappy=(y < np.array(sizes)).any(axis=3).sum(axis=(1, 2)),
        happy=(y > 0).any(axis=3).sum(axis=(1, 2)),
        df=strata * (n - 1),
        n=tuple(strata * n * size for size in sizes),
        psus=strata * n,
        taken=y,
    )


def judged(waves: Waves) -> dict[str, float]:
    """Coverage of the product's interval and bounds, width, and the errors of the decision, in percent."""
    held = low = high = width = point_wrong = firm_wrong = cautioned = 0.0
    rounds = len(waves.p)
    for at in range(rounds):
        interval = waves.figures(at)
        two, one, truth = interval(0.95), interval(0.90), float(waves.truth[at])
        passes = truth >= THRESHOLD
        point_wrong += (float(waves.p[at]) >= THRESHOLD) != passes
        cautioned += min(waves.unhappy[at], waves.happy[at]) < 5
        if two is None or one is None:
            continue
        held += two.lower <= truth <= two.upper
        low += one.lower <= truth
        high += truth <= one.upper
        width += two.upper - two.lower
        firm_wrong += (one.lower >= THRESHOLD and not passes) or (one.upper < THRESHOLD and passes)
    return {
        "coverage": 100 * held / rounds,
        "lower": 100 * low / rounds,
        "upper": 100 * high / rounds,
        "width": 100 * width / rounds,
        "point_wrong": 100 * point_wrong / rounds,
        "firm_wrong": 100 * firm_wrong / rounds,
        "cautioned": 100 * cautioned / rounds,
    }


def _at(method: Callable[..., Interval | None]) -> Callable[[Waves, int], Interval | None]:
    return lambda waves, at: method(
        float(waves.p[at]), float(waves.variance[at]), waves.n_shares, waves.df, 0.95
    )


def _design_free(waves: Waves, at: int) -> Interval | None:
    """Korn–Graubard at the size a planned ICC of .10 would leave, whatever the data say."""
    cap = planned_n(waves.n_shares, waves.psus)
    return korn_graubard(float(waves.p[at]), float(waves.variance[at]), waves.n_shares, waves.df, at_most=cap)


METHODS: dict[str, Callable[[Waves, int], Interval | None]] = {
    "this product": lambda waves, at: waves.figures(at)(0.95),
    "Korn–Graubard 1998, n_eff with df": _at(korn_graubard),
    "Wilson on n_eff with t (Dean & Pagano 2015; Franco et al. 2019)": _at(wilson),
    "logit (R svyciprop default)": _at(logit),
    "scaled likelihood (Rao & Scott)": _at(likelihood),
    "Wald with t": _at(wald),
    "Korn–Graubard capped at ICC .10 always": _design_free,
}


def compared(every: list[Waves], rounds: int) -> Iterator[str]:
    """For every method: the lowest coverage of a cell, cells under 94, mean coverage and mean width."""
    for name, method in METHODS.items():
        coverage, width = [], []
        for waves in every:
            found = [method(waves, at) for at in range(rounds)]
            held = [
                f is not None and f.lower <= t <= f.upper for f, t in zip(found, waves.truth, strict=False)
            ]
            coverage.append(100 * np.mean(held))
            width.append(100 * np.mean([f.upper - f.lower for f in found if f is not None]))
        short = sum(one < 94 for one in coverage)
        yield f"| {name} | {min(coverage):.1f} | {short} | {np.mean(coverage):.1f} | {np.mean(width):.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3000)
    parser.add_argument("--write", type=Path)
    asked = parser.parse_args()
    rng = np.random.default_rng(20261124)
    lines = [
        "# Coverage of 95 % intervals and errors of the verdict at 85 %",
        "",
        f"Made by `python benchmarks/estimation_coverage.py --rounds {asked.rounds}`; its docstring says how.",
        "Each cell: coverage of the product's two-sided 95 % interval / its one-sided lower bound / its upper",
        "bound; in brackets, how often the point rule errs, how often a firm grade errs; then ⚑ and how often",
        "the wave carries the caution for few schools, where it ever does. In percent; under 94 is marked ⚠.",
        "",
        "| drawn | county | ICC | " + " | ".join(f"rate {rate:.2f}" for rate in RATES) + " |",
        "|---|---|---|" + "---|" * len(RATES),
    ]
    short, cells, every = [], 0, []
    for how in ("slips", "classes", "three groups"):
        for county in COUNTIES:
            for rho in (0.03, 0.10):
                row = []
                for rate in RATES:
                    waves = drawn(rate, county, rho, how, asked.rounds, rng)
                    every.append(waves)
                    ours = judged(waves)
                    cells += 1
                    if ours["coverage"] < 94:
                        short.append(f"{how}, {county}, ICC {rho:.2f}, rate {rate:.2f}")
                    row.append(
                        f"{ours['coverage']:.1f}{' ⚠' if ours['coverage'] < 94 else ''} / {ours['lower']:.1f} / "
                        f"{ours['upper']:.1f} ({ours['point_wrong']:.1f}, {ours['firm_wrong']:.1f})"
                        + (f" ⚑{ours['cautioned']:.0f}" if ours["cautioned"] >= 0.5 else "")
                    )
                lines.append(f"| {how} | {county} | {rho:.2f} | " + " | ".join(row) + " |")
                print(lines[-1], flush=True)
    lines += [
        "",
        f"Cells under 94: {len(short)} of {cells}" + (f": {'; '.join(short)}." if short else "."),
        "",
        "Other methods on the same waves (the first 500 of every cell); an undefined interval is a miss and has",
        "no width. Width in points of percent, mean over all cells.",
        "",
        "| method | lowest cell | cells under 94 | mean coverage | mean width |",
        "|---|---|---|---|---|",
        *compared(every, min(500, asked.rounds)),
        "",
        "The cap for few schools (`planned_n`, ICC .10) is Kish's design effect with the correlation that METHOD",
        "section 2 calls high: where fewer than five schools hold the dissatisfied, the data cannot tell a",
        "correlation of .03 from one of .10, so the larger is taken. It widens only waves that carry ⚑.",
    ]
    if asked.write:
        asked.write.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
