"""Drawn schools side by side: exact intervals, one test for all of them, small ones and their neighbours hidden."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy.stats import binomtest
from simulated import one_group_wave, wave_results

from survey.estimation.school_table import school_table

A, B, C, D = "1100000001", "1100000002", "1100000003", "1100000004"


def rows(*schools: list[int]) -> dict[str, dict]:
    n = max(len(schools), 2)
    found = one_group_wave(dict(zip((A, B, C, D), schools, strict=False)), n, n)
    return {row["key"]: row for row in found.document()["by_school"]}


def test_a_school_has_the_exact_binomial_interval_and_stands_by_code() -> None:
    found = rows([5] * 30 + [2] * 7, [5] * 40, [4] * 18 + [1] * 2)
    exact = binomtest(30, 37).proportion_ci(0.95, "exact")

    assert list(found) == [A, B, C]
    assert (found[A]["shown"], found[A]["n_valid"]) == ("0.8108", 37)
    lower, upper = (float(found[A]["interval"][end]) for end in ("lower", "upper"))
    assert (lower, upper) == pytest.approx((exact.low, exact.high), abs=1e-4)
    assert found[B]["interval"]["lower"] == "0.9119"


def test_a_school_where_all_agree_is_told_like_one_where_all_but_one_do() -> None:
    others = ([5] * 40 + [2] * 40, [5] * 50 + [2] * 30)
    all_agree, all_but_one = (rows([5] * (30 - n) + [2] * n, *others)[A] for n in (0, 1))

    with_others = rows([5] * 30, *others)

    # The group's counts by option less those of all other schools would be those of this one.
    assert [code for code, row in with_others.items() if row.get("withheld")] == [B]
    assert all_agree["display"] == "≥95%" and all_agree["against_county"] == "above"
    assert all_agree == all_but_one


def test_a_small_school_is_hidden_and_so_is_what_would_give_it_away() -> None:
    found = rows([5] * 9, [5] * 20, [5] * 15 + [2] * 15, [4] * 40)

    assert [code for code, row in found.items() if row.get("withheld")] == [A, B]
    assert not {"interval", "against_county", "chance", "dont_know"} & found[A].keys()


@pytest.mark.parametrize("of_one_school", [False, True])
def test_no_part_of_the_county_less_its_schools_leaves_a_few_teachers(of_one_school: bool) -> None:
    tables = wave_results()._tables(0.95)
    draws = [draw for draw in tables.rates.draws.values() if draw.school_code]
    areas = {d.school_code: (d.school_code if of_one_school else d.school_code[-1], "区") for d in draws}
    rows = school_table(tables, areas)
    shown = {(row["group"], row["key"]) for row in rows if not row.get("withheld")}
    n_of = {domain: found[3] for domain, found in tables.rates.sums(tables.answers).items()}
    left, told = Counter(), set()
    for draw in draws:
        parts = (draw.stage, draw.place, areas[draw.school_code])
        if (draw.group, draw.school_code) in shown:
            told |= {*parts}
        else:
            left.update(dict.fromkeys(parts, n_of[draw.domain]))

    # A part of which nothing is shown is withheld itself where it is small.
    assert [part for part in told if 0 < left[part] < 10] == []
    assert [n for n in Counter(row["group"] for row in rows if row.get("withheld")).values() if n == 1] == []
    assert of_one_school or shown


def test_only_a_school_that_chance_cannot_explain_is_told_apart() -> None:
    found = rows([5] * 90 + [2] * 10, [5] * 93 + [2] * 7, [2] * 70 + [5] * 30, [5] * 95 + [2] * 5)

    assert found[C]["against_county"] == "below"
    assert float(found[C]["chance"]) < 0.001
    assert "side" not in found[A]


def test_equal_schools_are_rarely_told_apart() -> None:
    draws, told = np.random.default_rng(11), 0
    for _ in range(30):
        answers = [[5] * n + [2] * (40 - n) for n in draws.binomial(40, 0.9, 4)]
        found = rows(*answers)
        told += any(row["against_county"] != "level" for row in found.values())

    assert told <= 5  # 5 % of 30 is 1.5; more than 5 happen three times in a thousand sweeps
