"""Imputed values stand beside the originals, by a named method that anyone can repeat."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from survey.arrays import NotFiniteError, ShapeError
from survey.cases.imputation import METHODS, ImputationError, impute

Y = np.array([1.0, np.nan, 0.0, 1.0, np.nan, 0.0, np.nan])
CLASS = np.array(list("aaaabbb"))


@pytest.mark.parametrize("method", METHODS)
def test_originals_stay_as_they_came_and_only_blanks_are_filled(method):
    one = impute(Y, CLASS, method, seed="2026")

    assert np.array_equal(one.original, Y, equal_nan=True)
    assert one.imputed.tolist() == np.isnan(Y).tolist()
    assert (one.values[~one.imputed] == Y[~np.isnan(Y)]).all()
    assert not np.isnan(one.values).any()
    assert "3份" in one.in_words()


def test_each_method_gives_what_a_hand_finds():
    assert impute(Y, CLASS, "class_mean").values[[1, 4, 6]] == pytest.approx([2 / 3, 0, 0])
    assert impute(Y, CLASS, "class_mean", weights=[3, 1, 1, 0, 1, 1, 1]).values[1] == pytest.approx(3 / 4)
    assert impute(Y, CLASS, "class_mode").values[1] == 1.0
    assert impute(Y, CLASS, "sequential").donor[[1, 4, 6]].tolist() == [0, 5, 5]


@given(seed=st.text(min_size=1, max_size=10), blanks=st.lists(st.integers(0, 19), max_size=12))
@settings(max_examples=30, deadline=None)
def test_a_hot_deck_is_dealt_again_from_its_seed_and_only_from_its_class(seed, blanks):
    y = np.arange(20, dtype=float)
    classes = np.repeat(np.array(list("ab")), 10)
    y[[at for at in blanks if at not in (0, 10)]] = np.nan
    one = impute(y, classes, "hot_deck", seed=seed)

    assert (impute(y, classes, "hot_deck", seed=seed).values == one.values).all()
    filled = np.flatnonzero(one.imputed)
    assert (classes[one.donor[filled]] == classes[filled]).all()
    assert not one.imputed[one.donor[filled]].any()


def test_without_blanks_the_column_is_itself():
    one = impute([1.0, 0.0], np.array(["a", "b"]), "class_mean")

    assert one.share == 0 and (one.values == one.original).all()


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (([1.0, np.nan], np.array(["a", "b"]), "class_mean"), ImputationError),
        (([1.0, np.nan], np.array(["a", "a"]), "hot_deck"), ImputationError),
        (([1.0, np.nan], np.array(["a", "a"]), "guess"), ImputationError),
        (([np.inf, np.nan], np.array(["a", "a"]), "class_mean"), NotFiniteError),
        (([1.0, np.nan], np.array(["a"]), "class_mean"), ShapeError),
    ],
)
def test_what_cannot_be_imputed_is_refused_by_a_stable_code(arguments, error):
    with pytest.raises(error):
        impute(*arguments)
