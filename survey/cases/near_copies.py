"""I9: answer sheets of one domain that agree more often than chance within their group gives.

Patterns of answers enter, one a case; a score and a p by domain leave. The score counts pairs
of equal patterns, a rare pattern for more than a common one; sheets with one answer throughout
are left aside, because honest parents fill them in by the dozen. What chance gives is found by
dealing the group's own sheets out anew: under it, a domain of n sheets holds any n of them
alike, so domains of one size share their draws. It finds copies with small edits; it finds
nothing in sheets that a careful hand has varied.

Source: TRUST section 15; permutation p after Phipson & Smyth (2010), (1 + hits)/(1 + draws).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from survey.arrays import Floats, Ints
from survey.cases.case_file import Case, CaseFile
from survey.cases.derivation import content, overall
from survey.cases.flag import FEWEST, Flag
from survey.cases.flag_statistics import FEWEST_DOMAINS, Q, discoveries
from survey.exact import truncate
from survey.scheme.instrument import Instrument

LIMIT = 0.01
FIRST_DRAWS = 999
DRAWS = 9_999
WORTH_MORE_DRAWS = 0.05
AT_ONCE = 4_000_000
"""Signs of dealt sheets held in memory at once."""

Told = Callable[[int, int], None]
"""Told how many of how many are done; whatever it raises ends the work."""


def untold(done: int, of: int) -> None:
    """Nobody waits to be told."""


@dataclass(frozen=True)
class CopyScore:
    """How often a domain's sheets agree, and how often chance agrees as much."""

    score: float
    p: float


def near_copy_flags(
    case_file: CaseFile, by_domain: Mapping[str, Sequence[Case]], told: Told = untold
) -> list[Flag]:
    """I9: p ≤ 0.01 and kept by Benjamini–Hochberg, among domains of one group asked the same form.

    Args:
        told: before each dealing, how many domains of how many are scored; whatever it raises ends the work.
    """
    kinds: dict[tuple[str, str, str], dict[str, list[Hashable | None]]] = {}
    for domain, cases in sorted(by_domain.items()):
        instrument = case_file.instruments.get(domain)
        if instrument is not None and len(cases) >= FEWEST:
            kind = (case_file.draws[domain].group, instrument.id, instrument.form)
            kinds.setdefault(kind, {})[domain] = [pattern(instrument, case) for case in cases]
    rng = np.random.default_rng(int(case_file.digest[:16], 16))
    flags = []
    done, n_domains = 0, sum(map(len, kinds.values()))
    for patterns in kinds.values():
        scores = copy_scores(patterns, rng, partial(_further, told, done, n_domains))
        done += len(patterns)
        for domain in discoveries({name: found.p for name, found in scores.items()}, LIMIT):
            n, shown = len(patterns[domain]), truncate(scores[domain].p, 5)
            flags.append(
                Flag("I9", domain, shown, "p≤0.01", f"{n}份里成对相同的答卷比随机多得多（p={shown}）")
            )
    return flags


def _further(told: Told, before: int, of_all: int, done: int, of: int) -> None:
    told(before + done, of_all)


def pattern(instrument: Instrument, case: Case) -> Hashable | None:
    """The answers to the satisfaction items in order; None where all given ones are the same."""
    values = tuple(case.answers.get(item.id) for item in (*content(instrument), *overall(instrument)))
    given = {value for value in values if isinstance(value, int)}
    return values if len(given) > 1 else None


def copy_scores(
    patterns: Mapping[str, Sequence[Hashable | None]], rng: np.random.Generator, told: Told = untold
) -> dict[str, CopyScore]:
    """D = Σ C(n_p, 2)·(−ln f_p) over the patterns p of each domain, and its permutation p.

    Args:
        patterns: by domain, one per sheet, None for one that is left aside.
        rng: what deals the sheets out anew.
        told: as for `near_copy_flags`.

    Returns:
        By domain; empty with fewer than five domains. At least 9 999 and 20·domains/q draws
        stand behind every p that is small enough to matter, 999 behind the others.
    """
    if len(patterns) < FEWEST_DOMAINS:
        return {}
    sheets = [one for domain in patterns.values() for one in domain]
    counts = Counter(one for one in sheets if one is not None)
    # A pattern that occurs once in the group can never make a pair.
    number = {one: at for at, one in enumerate(sorted((o for o, n in counts.items() if n > 1), key=repr))}
    rarity = np.array([-np.log(counts[one] / len(sheets)) for one in number] + [0.0])
    codes = {
        name: np.array([number.get(one, -1) if one is not None else -1 for one in domain])
        for name, domain in patterns.items()
    }
    deck = np.concatenate(list(codes.values()))
    scores = {name: float(_scores(rows[None, :], rarity)[0]) for name, rows in codes.items()}
    by_size: dict[int, list[str]] = {}
    for name, rows in codes.items():
        by_size.setdefault(len(rows), []).append(name)
    found: dict[str, CopyScore] = {}
    enough = max(DRAWS, int(20 * len(patterns) / Q))
    for size, names in sorted(by_size.items()):
        told(len(found), len(patterns))
        chance = _dealt(deck, rarity, size, FIRST_DRAWS, rng)
        if any(scores[name] and _p(scores[name], chance) <= WORTH_MORE_DRAWS for name in names):
            chance = _dealt(deck, rarity, size, enough, rng)
        found |= {name: CopyScore(scores[name], _p(scores[name], chance)) for name in names}
    return found


def _p(score: float, chance: Floats) -> float:
    # Equal sums may differ in their last bits by the order of their terms.
    return float(1 + np.count_nonzero(chance >= score - 1e-9)) / (1 + len(chance))


def _dealt(deck: Ints, rarity: Floats, size: int, draws: int, rng: np.random.Generator) -> Floats:
    """Scores of `draws` domains of `size` sheets; one shuffle of the deck deals many such domains."""
    hands = len(deck) // size
    scores: list[Floats] = []
    done = 0
    while done < draws:
        shuffles = max(1, min(-(-(draws - done) // hands), AT_ONCE // (hands * size)))
        rows = np.concatenate(
            [rng.permutation(deck)[: hands * size].reshape(hands, size) for _ in range(shuffles)]
        )
        scores.append(_scores(rows, rarity))
        done += len(rows)
    return np.concatenate(scores)[:draws]


def _scores(rows: Ints, rarity: Floats) -> Floats:
    """The score of each row of pattern numbers; −1 counts for nothing."""
    rows = np.sort(rows, axis=1)
    total, run = np.zeros(len(rows)), np.zeros(len(rows))
    # In a sorted row the k-th sheet of one pattern makes a pair with each of the k − 1 before it.
    for at in range(1, rows.shape[1]):
        run = np.where(rows[:, at] == rows[:, at - 1], run + 1, 0)
        total += run * rarity[rows[:, at]]
    return total
