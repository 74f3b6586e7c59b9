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

    # Its nine answers share a certified row with those of the last school, which would tell them.
    assert [code for code, row in found.items() if row.get("withheld")] == [A, D]
    assert not {"interval", "against_county", "chance", "dont_know"} & found[A].keys()


def test_a_group_never_has_one_hidden_row_alone() -> None:
    rows = school_table(wave_results()._tables(0.95))
    hidden = Counter(row["group"] for row in rows if row.get("withheld"))

    assert [n for n in hidden.values() if n == 1] == []
    assert len(rows) > sum(hidden.values())


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
