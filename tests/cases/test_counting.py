"""Counting in memory: exact, in any order and any number of parts, and speaking when it refuses."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_columns import COUNTING, random_columns

from survey.arrays import RangeError, ShapeError
from survey.cases.answer_counts import (
    COUNTED,
    WEIGHT_UNITS,
    AnswerCounts,
    ColumnTypeError,
    CountedItem,
    Counting,
    CountsError,
    MissingColumnError,
    MissingKeyError,
    UnlistedAnswerError,
    is_empty,
)
from survey.cases.counting import count_columns


def same(one: AnswerCounts, other: AnswerCounts) -> bool:
    return (
        one.counting == other.counting
        and all(np.array_equal(column, other.keys[name]) for name, column in one.keys.items())
        and all(np.array_equal(getattr(one, name), getattr(other, name)) for name in COUNTED)
    )


def counted_by_hand(columns, counting):
    """(cell, item, option) → answers and units, by the plainest loop there is."""
    n, units = Counter(), Counter()
    rows = len(columns["weight"])
    for row in range(rows):
        cell = tuple(columns[key][row] for key in counting.keys)
        unit = floor(float(columns["weight"][row]) * WEIGHT_UNITS + 0.5)
        for item in counting.items:
            answer = columns[item.name][row]
            n[cell, item.name, answer] += 1
            units[cell, item.name, answer] += unit
    return n, units


@given(seed=st.integers(0, 1000))
@settings(max_examples=8, deadline=None)
def test_counts_are_those_of_a_plain_loop(seed):
    columns = random_columns(seed, 700)
    n, units = counted_by_hand(columns, COUNTING)
    counts = count_columns(columns, COUNTING)

    assert counts.n.sum() == 700
    for at in range(len(counts)):
        cell = tuple(counts.keys[key][at] for key in COUNTING.keys)
        column = 0
        for place, item in enumerate(COUNTING.items):
            said = sum(
                times
                for (where, name, answer), times in n.items()
                if where == cell
                and name == item.name
                and not is_empty(answer)
                and answer not in (None, 9, "不了解")
            )
            assert counts.answered[at, place] == said
            for option in item.options:
                assert counts.option_n[at, column] == n[cell, item.name, option]
                assert counts.option_weight[at, column] == units[cell, item.name, option]
                column += 1


@given(seed=st.integers(0, 1000), cut=st.integers(0, 3000))
@settings(max_examples=15, deadline=None)
def test_parts_add_up_to_the_whole_in_any_order_to_the_last_unit(seed, cut):
    columns = random_columns(seed, 3000)
    order = np.random.default_rng(seed).permutation(3000)
    parts = [
        count_columns({name: column[at] for name, column in columns.items()}, COUNTING)
        for at in (order[:cut], order[cut:])
    ]

    assert same(parts[1] + parts[0], count_columns(columns, COUNTING))


def test_blocks_and_wide_keys_do_not_matter(monkeypatch):
    columns = random_columns(5)
    whole = count_columns(columns, COUNTING)
    for block, span, widest in ((1 << 17, 50, 64), (97, 1 << 22, 2), (1000, 500, 1 << 20)):
        monkeypatch.setattr("survey.cases.counting.BLOCK", block)
        monkeypatch.setattr("survey.cases.counting.SPAN", span)
        monkeypatch.setattr("survey.cases.counting.WIDEST", widest)

        assert same(count_columns(columns, COUNTING), whole)


def test_fewer_keys_give_what_counting_by_fewer_keys_gives():
    columns = random_columns(8)
    fewer = replace(COUNTING, keys=("place", "gender"))

    assert same(count_columns(columns, COUNTING).by("place", "gender"), count_columns(columns, fewer))


def test_negative_keys_and_small_integers_are_counted():
    asked = Counting(("k",), (CountedItem("q", (-1, 1)),))
    counts = count_columns(
        {"k": np.array([-128, 127, -128], dtype=np.int8), "q": np.array([-1, 1, 0], dtype=np.int8)}, asked
    )

    assert counts.keys["k"].tolist() == [-128, 127]
    assert counts.option_n.tolist() == [[1, 0], [0, 1]]
    assert counts.answered.tolist() == [[2], [1]]


def test_masked_answers_are_missing():
    asked = Counting(("k",), (CountedItem("q", (0, 1)),))
    counts = count_columns(
        {"k": np.zeros(3, int), "q": np.ma.array([0, 1, 1], mask=[False, False, True])}, asked
    )

    assert counts.answered.tolist() == [[2]]


def test_nobody_is_no_cell():
    counts = count_columns(random_columns(1, 0), COUNTING)

    assert len(counts) == 0


def test_weights_are_exact_to_a_thousand_millionth():
    columns = random_columns(2)
    counts = count_columns(columns, COUNTING)

    assert counts.weights().sum() == pytest.approx(columns["weight"].sum(), rel=1e-11)
    assert counts.kish_deff() == pytest.approx(
        4000 * (columns["weight"] ** 2).sum() / columns["weight"].sum() ** 2, rel=1e-7
    )


def test_answers_outside_the_options_are_refused_by_item_when_asked():
    with pytest.raises(UnlistedAnswerError) as refused:
        count_columns(random_columns(3), COUNTING).refuse_unlisted()

    assert "q1" in str(refused.value)
    assert refused.value.details["answers"] > 0


@pytest.mark.parametrize("spoilt", [np.nan, -1.0, np.inf, -np.inf, 1e9])
def test_a_weight_that_is_no_weight_is_refused(spoilt):
    columns = random_columns(4)
    columns["weight"][[7, 11]] = spoilt

    with pytest.raises(RangeError) as refused:
        count_columns(columns, COUNTING)
    assert "2份" in str(refused.value) and "weight" in str(refused.value)


@pytest.mark.parametrize(
    ("key", "value"), [("stratum", np.nan), ("place", None), ("place", ""), ("school", None)]
)
def test_a_row_that_belongs_nowhere_is_refused(key, value):
    columns = random_columns(4)
    columns[key] = columns[key].astype(float if is_empty(value) and value is not None else object)
    columns[key][3] = value

    with pytest.raises(MissingKeyError) as refused:
        count_columns(columns, COUNTING)
    assert key in str(refused.value) and "1份" in str(refused.value)


def test_other_refusals_name_the_column():
    columns = random_columns(4)

    with pytest.raises(MissingColumnError, match="q9"):
        count_columns(columns, replace(COUNTING, items=(CountedItem("q9", (1,)),)))
    with pytest.raises(ColumnTypeError, match="q3"):
        count_columns(columns, replace(COUNTING, items=(CountedItem("q3", ("是", "否")),)))
    with pytest.raises(ColumnTypeError, match="weight"):
        count_columns(columns | {"weight": np.full(4000, "重")}, COUNTING)
    with pytest.raises(ColumnTypeError, match="school"):
        count_columns(columns | {"school": columns["school"] + 0.5}, COUNTING)
    with pytest.raises(ShapeError, match="q1"):
        count_columns(columns | {"q1": columns["q1"][1:]}, COUNTING)


def test_counts_that_cannot_be_are_refused():
    counts = count_columns(random_columns(6), COUNTING)

    with pytest.raises(CountsError, match="负数"):
        replace(counts, n=-counts.n)
    with pytest.raises(CountsError, match="不是整数"):
        replace(counts, weight=counts.weight / 2)
    with pytest.raises(CountsError, match="多于"):
        replace(counts, answered=counts.answered * 0)
    with pytest.raises(ShapeError):
        replace(counts, option_n=counts.option_n[:, 1:])
    with pytest.raises(CountsError, match="不同"):
        counts + counts.by("school")
    with pytest.raises(MissingColumnError, match="县"):
        counts.by("县")
    with pytest.raises(CountsError):
        CountedItem("q", (1, "一"))
    with pytest.raises(CountsError):
        CountedItem("q", ())
    with pytest.raises(CountsError):
        Counting((), COUNTING.items)
