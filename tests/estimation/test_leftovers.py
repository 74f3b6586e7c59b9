"""A reader who subtracts the public table from every other table learns of nobody, or of ten at least."""

from __future__ import annotations

from itertools import combinations
from random import Random

import numpy as np
import pytest
from simulated import estimated, wave_records, wave_results

from survey.estimation.breakdowns import breakdowns
from survey.estimation.leftovers import known_sums, rows_to_hide


def test_a_row_that_holds_a_few_of_a_pooled_row_is_hidden_with_one_to_hide_behind() -> None:
    n_of = {"s1-P": 30, "s1-T": 2, "s2-P": 40, "s2-T": 10, "s3-P": 50}
    rows = {"east": ["s1-P", "s1-T"], "west": ["s2-P", "s2-T"], "north": ["s3-P"]}

    apart = rows_to_hide(rows, [], [["s1-P"], ["s2-P"], ["s3-P"], ["s1-T", "s2-T"]], n_of, 10)
    whole = rows_to_hide(rows, [], [["s1-P"], ["s2-P"], ["s3-P"], ["s1-T"], ["s2-T"]], n_of, 10)

    assert apart == {"east", "west"}
    assert whole == frozenset()


def test_a_chain_of_pools_is_cut_where_it_is_thin() -> None:
    # Each row is left with ten or more, but the east hangs on the others by four.
    n_of = {"a": 8, "b": 8, "c": 4, "d": 20, "e": 8, "f": 8}
    pools = [["a", "b"], ["c", "d"], ["e", "f"]]
    rows = {"west": ["a", "e", "c"], "middle": ["b", "f"], "east": ["d"]}

    # The east alone would follow from the others, so one of these goes with it.
    assert rows_to_hide(rows, [], pools, n_of, 10) == {"east", "middle"}
    assert rows_to_hide(rows, [], pools, n_of, 4) == frozenset()


def test_a_school_told_alone_tells_what_is_left_of_its_pool() -> None:
    sums = known_sums([["s1-P", "s2-P"], ["s3-P"]], {"s1-P"})

    assert sums == [{"s1-P"}, {"s2-P"}, {"s3-P"}]


def test_what_a_hidden_group_said_follows_from_no_other_row() -> None:
    principals = [one for one in wave_records() if one["domain"] == "320704-L"]
    document = estimated(tuple(one for one in wave_records() if one not in principals[5:])).document()
    hidden = {row["key"] for row in document["by_group"] if row.get("withheld")}
    items = [row for row in document["items"] if row["group"] in hidden]

    # The next smallest group is hidden for the principals' sake; its own items would say what its row says.
    assert hidden > {"principal"} and not document["certifiable"]
    assert items and all(row.get("withheld") for row in items)
    assert document["beside"] == [] and {way["plain"] for way in document["another_formula"]} == {None}


def few_that_follow(parts: dict, pools: list, areas: dict, draws: dict, n_of: dict) -> list[tuple[str, ...]]:
    """Sets of under ten answers whose joined count is a sum of published ones, found by linear algebra alone."""
    domains = [domain for domain, n in n_of.items() if n]
    place = {domain: at for at, domain in enumerate(domains)}
    keys = {
        "by_stage": lambda draw: draw.stage,
        "by_place": lambda draw: draw.place,
        "by_area": lambda draw: areas.get(draw.school_code, ("",))[0] if draw.school_code else None,
    }

    def vector(some: set[str]) -> np.ndarray:
        one = np.zeros(len(domains))
        one[[place[domain] for domain in some if domain in place]] = 1
        return one

    told = {
        f"{row['key']}-{'P' if row['group'] == 'parent' else 'S'}" for row in parts["by_school"] if not row.get("withheld")
    }
    known = [vector(set(pool)) for pool in pools] + [vector({domain}) for domain in told]
    cells: set[frozenset[str]] = set()
    for table, of in keys.items():
        for row in parts[table]:
            inside = {domain for domain, draw in draws.items() if of(draw) == row["key"]}
            if row.get("left_out"):
                inside -= {d for pool in known_sums(pools, told) if len({of(draws[d]) for d in pool if n_of[d]}) > 1 for d in pool}
                assert sum(n_of[domain] for domain in inside) == row["n"]
            if not row.get("withheld"):
                known.append(vector(inside))
            cells |= {frozenset(inside & set(pool)) for pool in pools}
    basis = np.linalg.svd(np.array(known), full_matrices=False)
    space = basis.Vh[basis.S > 1e-9]
    small = [cell for cell in cells if 0 < sum(n_of.get(d, 0) for d in cell) < 10]
    tried = [*small, *(a | b for a, b in combinations(small, 2) if not a & b)]
    return [
        tuple(sorted(some))
        for some in tried
        if sum(n_of.get(d, 0) for d in some) < 10
        and np.linalg.norm((one := vector(set(some))) - space.T @ (space @ one)) < 1e-6
    ]


@pytest.mark.parametrize("seed", [1, 2])
def test_no_table_less_the_certified_one_tells_of_fewer_than_ten(seed: int) -> None:
    results, chance = wave_results(), Random(seed)
    tables = results._tables(0.95)
    draws = dict(results.rates.draws)
    schools = sorted({draw.school_code for draw in draws.values() if draw.school_code})
    pools = [pool.domains for pool in results.weights.pools]
    told = 0
    for n_areas in (3, 6, 12):
        areas = {code: (f"a{(at := chance.randrange(n_areas))}", f"第{at}责任区") for code in schools}
        parts = breakdowns(tables, areas)
        told += sum(not row.get("withheld") for row in parts["by_area"])

        assert few_that_follow(parts, pools, areas, draws, tables.n_of) == []
    assert told > 5
