"""How often 95 % intervals hold the truth, and how often the verdict at 85 % errs.

    python benchmarks/estimation_coverage.py [--rounds 4000] [--write benchmarks/estimation_coverage.md]

Finite populations of strata × schools × 300 persons with beta-distributed school rates. `slips`: a simple
random set of persons in each drawn school, two-stage variance. `classes`: one whole class of each drawn
school, half of the intra-class correlation between classes, ultimate-cluster variance. The interval is
the product's own: Korn–Graubard, its effective size capped at `planned_n` where the dissatisfied (or
the satisfied) come from fewer than five schools. An undefined interval counts as a miss.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from survey.estimation.intervals import FEWEST_PSUS, korn_graubard, planned_n

RATES = (0.80, 0.85, 0.90, 0.95, 0.98)
COUNTIES = {"small": (2, 6, 12, 12), "usual": (4, 8, 20, 25), "large": (6, 15, 40, 30)}
"""Strata; schools drawn and in the frame of each; slips of a school."""
PERSONS, CLASSES, THRESHOLD = 300, 8, 0.85


def drawn(rate: float, county: str, rho: float, how: str, rounds: int, rng: np.random.Generator) -> dict:
    """True rates, estimates and variances of many waves: (rounds,) each."""
    strata, n, schools, slips = COUNTIES[county]
    between = rho if how == "slips" else rho / 2
    k = (1 - between) / between
    school_rate = np.clip(rng.beta(rate * k, (1 - rate) * k, (rounds, strata, schools)), 1e-9, 1 - 1e-9)
    take = np.argsort(rng.random((rounds, strata, schools)), axis=2)[:, :, :n]
    if how == "slips":
        satisfied, size, persons = rng.binomial(PERSONS, school_rate), slips, PERSONS
        inside = np.take_along_axis(satisfied, take, 2)
        y = rng.hypergeometric(inside, persons - inside, size)
    else:
        size = PERSONS // CLASSES
        persons = size * CLASSES
        shape = (*school_rate.shape, CLASSES)
        class_rate = rng.beta(school_rate[..., None] * k, (1 - school_rate[..., None]) * k, shape)
        of_class = rng.binomial(size, class_rate)
        satisfied = of_class.sum(axis=3)
        chosen = rng.integers(0, CLASSES, school_rate.shape)[..., None]
        y = np.take_along_axis(np.take_along_axis(of_class, chosen, 3)[..., 0], take, 2)
    share = y / size
    variance = share.var(axis=2, ddof=1).sum(axis=1) / n / strata**2
    if how == "slips":
        fraction = n / schools
        inner = (share * (1 - share) / (size - 1) * (1 - size / persons)).sum(axis=(1, 2))
        variance = (1 - fraction) * variance + fraction * inner / (n * strata) ** 2
    return {
        "truth": satisfied.sum(axis=(1, 2)) / (strata * schools * persons),
        "p": share.mean(axis=(1, 2)),
        "variance": variance,
        "unhappy": (share < 1).sum(axis=(1, 2)),
        "happy": (share > 0).sum(axis=(1, 2)),
        "df": strata * (n - 1),
        "n": strata * n * size,
        "psus": strata * n,
    }


def judged(wave: dict, *, capped: bool) -> dict[str, float]:
    """Coverage and the error rates of the decision, in percent."""
    held = firm_wrong = point_wrong = 0
    rounds = len(wave["p"])
    cap = planned_n(wave["n"], wave["psus"])
    for at in range(rounds):
        few = min(wave["unhappy"][at], wave["happy"][at]) < FEWEST_PSUS
        at_most = cap if capped and few else None
        p, v, truth = float(wave["p"][at]), float(wave["variance"][at]), wave["truth"][at]
        two = korn_graubard(p, v, wave["n"], wave["df"], at_most=at_most)
        one = korn_graubard(p, v, wave["n"], wave["df"], 0.90, at_most=at_most)
        held += two is not None and two.lower <= truth <= two.upper
        passes = truth >= THRESHOLD
        point_wrong += (p >= THRESHOLD) != passes
        firm_wrong += (one.lower >= THRESHOLD and not passes) or (one.upper < THRESHOLD and passes)
    return {
        "coverage": 100 * held / rounds,
        "point_wrong": 100 * point_wrong / rounds,
        "firm_wrong": 100 * firm_wrong / rounds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=4000)
    parser.add_argument("--write", type=Path)
    asked = parser.parse_args()
    rng = np.random.default_rng(20261124)
    lines = [
        "# Coverage of 95 % intervals and errors of the verdict at 85 %",
        "",
        f"Made by `python benchmarks/estimation_coverage.py --rounds {asked.rounds}`; its docstring says how.",
        "Each cell: coverage of Korn–Graubard with the cap for few schools / without it; then, in brackets,",
        "how often the point rule errs and how often a firm grade errs. All in percent; a coverage under 94 is",
        "marked ⚠.",
        "",
        "| drawn | county | ICC | " + " | ".join(f"rate {rate:.2f}" for rate in RATES) + " |",
        "|---|---|---|" + "---|" * len(RATES),
    ]
    short = 0
    for how in ("slips", "classes"):
        for county in COUNTIES:
            for rho in (0.03, 0.10):
                cells = []
                for rate in RATES:
                    wave = drawn(rate, county, rho, how, asked.rounds, rng)
                    ours, plain = judged(wave, capped=True), judged(wave, capped=False)
                    short += ours["coverage"] < 94
                    mark = " ⚠" if ours["coverage"] < 94 else ""
                    cells.append(
                        f"{ours['coverage']:.1f}{mark} / {plain['coverage']:.1f} "
                        f"({ours['point_wrong']:.1f}, {ours['firm_wrong']:.1f})"
                    )
                lines.append(f"| {how} | {county} | {rho:.2f} | " + " | ".join(cells) + " |")
                print(lines[-1], flush=True)
    lines += ["", f"Cells under 94 with the cap: {short} of {2 * len(COUNTIES) * 2 * len(RATES)}."]
    if asked.write:
        asked.write.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
