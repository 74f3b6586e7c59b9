"""How often honest domains meet the limits of the data-quality indicators, and what the limits find.

    python benchmarks/indicator_rates.py [--rounds 20] [--schools 200]

A county of honest answer sheets: 12 items of 4 options from a school's level, a person's and an
item's own chance, cut so that a given share is satisfied. The product's own functions judge them;
then one school in ten cheats. Prints a table; figures kept in `indicator_rates.md`.
"""

from __future__ import annotations

import argparse
import json
from fractions import Fraction

import numpy as np

from survey.cases.flag_statistics import (
    burst_p,
    difference_p,
    discoveries,
    excess_p,
    robust_z,
    wilson_lower,
)
from survey.cases.intake_flags import BURST_LIMIT
from survey.cases.near_copies import LIMIT, copy_scores
from survey.fieldwork.planted import caught

ITEMS, OPTIONS = 12, 4
PERSON, SCHOOL, ITEM = 1.0, 0.25, 1.0


class County:
    """Honest sheets of one county, 0 the best option."""

    def __init__(
        self, rng: np.random.Generator, schools: int, satisfied: float, school: float = SCHOOL
    ) -> None:
        self.rng = rng
        self.sizes = rng.integers(50, 101, schools)
        self.cuts = self._cuts(satisfied)
        self.levels = rng.normal(0, school, schools)

    def _cuts(self, satisfied: float) -> np.ndarray:
        """Cut points so that two thirds of the satisfied are very satisfied, and half of the others mildly not."""
        spread = np.sqrt(PERSON**2 + SCHOOL**2 + ITEM**2)
        chance = self.rng.normal(0, spread, 400_000)
        shares = (satisfied * 2 / 3, satisfied, satisfied + (1 - satisfied) / 2)
        return np.quantile(chance, shares)

    def sheets(self, school: int) -> np.ndarray:
        """(n, 12) options of one school."""
        n = self.sizes[school]
        mood = self.levels[school] + self.rng.normal(0, PERSON, (n, 1)) + self.rng.normal(0, ITEM, (n, ITEMS))
        return np.searchsorted(self.cuts, mood)

    def copied(self, school: int, share: float, edits: int) -> np.ndarray:
        """The school's sheets, a share of them copies of one good sheet with a few items changed."""
        sheets = self.sheets(school)
        number = round(share * len(sheets))
        model = np.zeros(ITEMS, dtype=int)
        model[self.rng.choice(ITEMS, 3, replace=False)] = 1
        for place in range(number):
            sheets[place] = model
            if edits and self.rng.random() < 0.5:
                at = self.rng.choice(ITEMS, edits, replace=False)
                sheets[place, at] = self.rng.integers(0, 2, edits)
        return sheets


def patterns(sheets: np.ndarray) -> list[tuple[int, ...] | None]:
    """Sheets as `near_copies.pattern` gives them."""
    return [None if (row == row[0]).all() else tuple(row.tolist()) for row in sheets]


def near_copies(rng: np.random.Generator, rounds: int, schools: int) -> list[list[str]]:
    """I9: honest rates with and without Benjamini–Hochberg, and power."""
    rows = []
    for label, satisfied, school in (
        ("70% satisfied", 0.70, SCHOOL),
        ("85%", 0.85, SCHOOL),
        ("92%", 0.92, SCHOOL),
        ("97%", 0.97, SCHOOL),
        ("85%, schools differ twice as much", 0.85, 2 * SCHOOL),
    ):
        over = kept = judged = 0
        straight = []
        for _ in range(rounds):
            county = County(rng, schools, satisfied, school)
            sheets = {str(s): county.sheets(s) for s in range(schools)}
            straight.append(np.mean([(rows == rows[:, :1]).all(axis=1).mean() for rows in sheets.values()]))
            p_values = {
                name: found.p
                for name, found in copy_scores({n: patterns(s) for n, s in sheets.items()}, rng).items()
            }
            over += sum(p <= LIMIT for p in p_values.values())
            kept += len(discoveries(p_values, LIMIT))
            judged += schools
        rows.append(
            ["I9", f"honest, {label}; straight lines {np.mean(straight):.0%}",
             f"{over / judged:.2%} with p ≤ 0.01; {kept / judged:.2%} flagged"]
        )  # fmt: skip
    for share, edits, words in (
        (0.2, 0, "copies"),
        (0.2, 2, "copies, half with two edits"),
        (0.1, 2, "the same"),
    ):
        found = tried = 0
        for _ in range(max(1, rounds // 2)):
            county = County(rng, schools, 0.85)
            county.sizes[: schools // 10] = 75
            sheets = {
                str(s): county.copied(s, share, edits) if s < schools // 10 else county.sheets(s)
                for s in range(schools)
            }
            scores = copy_scores({n: patterns(s) for n, s in sheets.items()}, rng)
            flagged = discoveries({n: one.p for n, one in scores.items()}, LIMIT)
            found += sum(str(s) in flagged for s in range(schools // 10))
            tried += schools // 10
        rows.append(["I9", f"{words} make up {share:.0%} of 75 sheets", f"found {found / tried:.2f}"])
    return rows


def outliers(rng: np.random.Generator, rounds: int, schools: int) -> list[list[str]]:
    """I8, I10, I13, I15: robust distances of shares."""
    rows = []
    for name, share, spread in (
        ("I8", 0.10, 0.02),
        ("I10", 0.30, 0.06),
        ("I13", 0.08, 0.0),
        ("I15", 0.35, 0.05),
    ):
        over = judged = 0
        for _ in range(rounds * 5):
            n = rng.integers(50, 101, schools)
            own = np.clip(rng.normal(share, spread, schools), 0.01, 0.99)
            z = robust_z({str(s): x for s, x in enumerate(rng.binomial(n, own) / n)})
            over += sum(value > 3 for value in z.values())
            judged += schools
        rows.append(
            [
                name,
                f"honest, {share:.0%} of a domain on average, ±{spread:.0%} between",
                f"{over / judged:.2%}",
            ]
        )
    for share in (0.2, 0.4, 0.6):
        found = tried = 0
        for _ in range(rounds):
            county = County(rng, schools, 0.85)
            shares = {}
            for s in range(schools):
                sheets = county.sheets(s)
                if s < schools // 10:
                    sheets[: round(share * len(sheets))] = 0
                shares[str(s)] = float((sheets == 0).all(axis=1).mean())
            z = robust_z(shares)
            found += sum(z[str(s)] > 3 for s in range(schools // 10))
            tried += schools // 10
        rows.append(
            ["I10", f"{share:.0%} of a school's sheets filled all-best", f"found {found / tried:.2f}"]
        )
    return rows


def told(rng: np.random.Generator, rounds: int) -> list[list[str]]:
    """I5: the Wilson bound where 5 % say so by themselves, and where a third were told."""
    found = {}
    for share in (0.02, 0.05, 0.3):
        n = rng.integers(10, 101, rounds * 2000)
        x = rng.binomial(n, share)
        found[share] = np.mean([wilson_lower(int(a), int(b)) > 0.05 for a, b in zip(x, n, strict=True)])
    return [["I5", f"{share:.0%} say that they were told", f"{rate:.2%}"] for share, rate in found.items()]


def bursts(rng: np.random.Generator, rounds: int, schools: int) -> list[list[str]]:
    """I7: answers spread as the wave's hours, answers in a class burst, a script's burst."""
    rows = []
    hours = np.array([1, 1, 2, 4, 8, 10, 6, 3] * 7, dtype=float)
    for words, together in (
        ("honest, each at a time of its own", 0.0),
        ("honest, 30% within half an hour of a class message", 0.3),
    ):
        over = kept = judged = 0
        for _ in range(rounds):
            n = rng.integers(50, 101, schools)
            profile = rng.multinomial(int(n.sum()), hours / hours.sum())
            by_hour = dict(enumerate(profile.tolist()))
            p_values = {}
            for s in range(schools):
                windows = np.repeat(hours / hours.sum() / 12, 12)
                counts = rng.multinomial(n[s] - round(together * n[s]), windows)
                at = int(rng.integers(0, len(windows) - 6))
                counts[at : at + 6] += rng.multinomial(round(together * n[s]), [1 / 6] * 6)
                p_values[str(s)] = burst_p(int(counts.max()), int(n[s]), by_hour)
            over += sum(p <= BURST_LIMIT for p in p_values.values())
            kept += len(discoveries(p_values, BURST_LIMIT))
            judged += schools
        rows.append(
            ["I7", words, f"{over / judged:.2%} with p ≤ 0.001; {kept / judged:.2%} before I6 or I8 is asked"]
        )
    return rows


def groups(rng: np.random.Generator, rounds: int, schools: int) -> list[list[str]]:
    """I4 and I12: one-sided tests of shares."""
    rows = []
    for web, phone in ((0.88, 0.88), (0.95, 0.85), (0.97, 0.90), (0.90, 0.83)):
        hits = 0
        for _ in range(rounds * 500):
            # Design effect 1.5: as informative as two thirds of the answers.
            x, y = rng.binomial(667, web) * 1.5, rng.binomial(133, phone) * 1.5
            hits += difference_p((1000, round(x)), (200, round(y)), design_effect=1.5)[1] <= 0.05
        label = "honest" if web == phone else "found"
        rows.append(["I4", f"web {web:.0%}, 200 calls {phone:.0%}", f"{label} {hits / rounds / 500:.3f}"])
    for raised, words in (
        (0.0, "honest, schools differ by 3 points"),
        (0.12, "one school in ten 12 points up"),
    ):
        over = kept = judged = 0
        for _ in range(rounds * 5):
            n, m = rng.integers(50, 101, schools), rng.integers(50, 101, schools)
            level = np.clip(rng.normal(0.82, 0.03, schools), 0, 0.99)
            up = np.where(np.arange(schools) < schools // 10, raised, 0.0)
            one = np.clip(level + rng.normal(0, 0.03, schools) + up, 0, 0.995)
            x, y = rng.binomial(n, one), rng.binomial(m, level)
            gaps = {str(s): x[s] / n[s] - y[s] / m[s] for s in range(schools)}
            spread = {
                str(s): sum(
                    (k + 1) / (t + 2) * (1 - (k + 1) / (t + 2)) / t for k, t in ((x[s], n[s]), (y[s], m[s]))
                )
                for s in range(schools)
            }
            p_values = excess_p(gaps, spread)
            chosen = range(schools // 10) if raised else range(schools)
            flagged = discoveries(p_values, 0.05)
            over += sum(p_values[str(s)] <= 0.05 for s in chosen)
            kept += sum(str(s) in flagged for s in chosen)
            judged += len(chosen)
        rows.append(["I12", words, f"{over / judged:.2%} with p ≤ 0.05; {kept / judged:.2%} flagged"])
    return rows


def planted() -> list[list[str]]:
    """I2 and I3: the formula, since a draw of slips needs no simulation."""
    return [
        [name, f"{float(share):.0%} touched, {k} planted", f"found {float(caught(k, share)):.3f}"]
        for name, share, k in (
            *(("I2", Fraction(1, 10), 30), ("I2", Fraction(1, 20), 30)),
            *(("I3", Fraction(1, 20), 60), ("I3", Fraction(1, 50), 60), ("I3", Fraction(1, 50), 150)),
        )
    ]


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--schools", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rng = np.random.default_rng(15)
    rows = [
        *planted(),
        *groups(rng, options.rounds, options.schools),
        *told(rng, options.rounds),
        *bursts(rng, options.rounds, options.schools),
        *outliers(rng, options.rounds, options.schools),
        *near_copies(rng, options.rounds, options.schools),
    ]
    rows.sort(key=lambda row: int(row[0][1:]))
    if options.json:
        print(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    print("| indicator | answers | over the limit |\n|---|---|---|")
    for row in rows:
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
