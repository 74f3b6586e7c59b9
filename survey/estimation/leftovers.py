"""What a table gives away beside the certified one: a row less the rows that everybody knows.

What enters is the rows of a table as sets of domains, and the pools of the certified table, whose counts
are public to the last answer (TRUST section 11). A row that holds part of a pool, less everything in it
that is known, leaves the answers of that part: two teachers of one school. What leaves is the rows that
must not be shown, so that whatever is added and subtracted leaves nobody, or as many as any cell.

Rows and pools make a graph, each part of a pool inside a row a line of as many answers; all that is not
shown is one more row, since pools less shown rows tell it. What sums can tell are the cuts of this graph:
each is the answers of its lines, joined by known weights. So the smallest cut decides.

Source: Hundepool et al. (2012), Statistical Disclosure Control, section 4.3 (tables that share cells);
Ford & Fulkerson (1956): the smallest cut is the largest flow, here `scipy.sparse.csgraph.maximum_flow`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

import numpy as np
import scipy  # its parts load themselves when first asked

REST = ""
"""The row of everything that no shown row holds."""
Lines = dict[tuple[int, str], int]


def rows_to_hide(
    rows: Mapping[str, Collection[str]],
    hidden: Collection[str],
    pools: Iterable[Collection[str]],
    n_of: Mapping[str, int],
    smallest: int,
) -> frozenset[str]:
    """The rows of a table that are not shown: those hidden already, and whatever would leave a few answers.

    Args:
        rows: name → the domains whose answers a row joins; no domain in two rows, no name empty.
        hidden: rows that are not shown for another reason.
        pools: the domains of each sum that everybody knows; no domain in two of them.
        n_of: counted answers of a domain.
        smallest: the least number of answers that may follow.

    A pool of 12 lies in two rows, two of its answers in the first:

    >>> n_of = {"s1-P": 30, "s1-T": 2, "s2-P": 40, "s2-T": 10, "s3-P": 50}
    >>> pools = [["s1-P"], ["s2-P"], ["s3-P"], ["s1-T", "s2-T"]]
    >>> rows = {"east": ["s1-P", "s1-T"], "west": ["s2-P", "s2-T"], "north": ["s3-P"]}
    >>> sorted(rows_to_hide(rows, [], pools, n_of, 10))
    ['east', 'west']
    """
    gone, known = set(hidden), [frozenset(pool) for pool in pools]
    answers = {name: sum(n_of.get(domain, 0) for domain in of_row) for name, of_row in rows.items()}
    while True:
        lines = _lines({name: of_row for name, of_row in rows.items() if name not in gone}, known, n_of)
        cut = _small_cut(lines, smallest)
        if not cut:
            return frozenset(gone)
        gone.add(min(cut, key=lambda name: (answers[name], name)))


def known_sums(pools: Iterable[Collection[str]], told: Collection[str]) -> list[frozenset[str]]:
    """Pools as they are known where some of their domains are told one by one: these, and what is left."""
    alone, sums = frozenset(told), []
    for pool in pools:
        sums += [frozenset([domain]) for domain in sorted(alone & frozenset(pool))]
        if rest := frozenset(pool) - alone:
            sums.append(rest)
    return sums


def parted(
    rows: Mapping[str, Collection[str]], pools: Iterable[frozenset[str]], n_of: Mapping[str, int]
) -> list[frozenset[str]]:
    """The pools whose answers lie in more than one row."""
    numbered = list(pools)
    return [numbered[number] for number in sorted({number for number, _ in _lines(rows, numbered, n_of)})]


def _lines(
    shown: Mapping[str, Collection[str]], pools: Iterable[frozenset[str]], n_of: Mapping[str, int]
) -> Lines:
    """(pool, row) → answers, of the pools that lie in more than one row."""
    lies_in = {domain: name for name, of_row in shown.items() for domain in of_row}
    lines: Lines = {}
    for number, pool in enumerate(pools):
        parts: dict[str, int] = defaultdict(int)
        for domain in pool:
            if n := n_of.get(domain, 0):
                parts[lies_in.get(domain, REST)] += n
        if len(parts) > 1:
            lines |= {(number, name): n for name, n in parts.items()}
    return lines


def _small_cut(lines: Lines, smallest: int) -> set[str]:
    """Shown rows that a cut of fewer answers than may follow parts from others; empty where there is none."""
    of_row: dict[str, int] = defaultdict(int)
    for (_, name), n in lines.items():
        of_row[name] += n
    alone = {name for name, n in of_row.items() if name != REST and n < smallest}
    if alone:
        return alone
    for rows in _joined(lines):
        names = sorted(rows)
        pools = sorted({pool for pool, name in lines if name in rows})
        place = {name: at for at, name in enumerate(names)} | {pool: at for at, pool in enumerate(pools, len(names))}
        inside = [(place[pool], place[name], n) for (pool, name), n in lines.items() if name in rows]
        heads, tails, ns = (np.array(part, dtype=np.int32) for part in zip(*inside, strict=True))
        graph = scipy.sparse.csr_array(
            (np.concatenate([ns, ns]), (np.concatenate([heads, tails]), np.concatenate([tails, heads]))),
            shape=(len(place), len(place)),
        )
        for name in names[1:]:
            if scipy.sparse.csgraph.maximum_flow(graph, 0, place[name]).flow_value < smallest:
                return {name, names[0]} - {REST}
    return set()


def _joined(lines: Lines) -> list[frozenset[str]]:
    """Rows that hang together by pools; rows that share none with the rest are a whole of their own."""
    of_pool: dict[int, set[str]] = defaultdict(set)
    for pool, name in lines:
        of_pool[pool].add(name)
    wholes: list[set[str]] = []
    for names in of_pool.values():
        touched = [one for one in wholes if one & names]
        wholes = [one for one in wholes if not one & names] + [names.union(*touched)]
    return [frozenset(one) for one in wholes]
