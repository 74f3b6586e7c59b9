"""A design knows its units by their full path and refuses what cannot be."""

from __future__ import annotations

import numpy as np
import pytest

from survey.sampling.design import Design, PolicyError, PopulationError


def test_a_class_called_one_in_two_schools_is_two_classes():
    school, klass = np.array([1, 1, 2, 2]), np.array([1, 2, 1, 2])
    design = Design(np.ones(4), psu=(school, klass))

    assert design.stages[1].n_units == 4


def test_a_domain_counts_its_own_units_and_strata():
    strata, psu = np.array(list("aabb")), np.array([1, 2, 3, 4])
    design = Design(np.ones(4), strata=(strata,), psu=(psu,))

    assert design.df() == 2
    assert design.df(np.array([True, True, False, False])) == 1
    assert design.df(np.array([True, False, False, False])) == 0


def test_rows_of_weight_zero_stay_drawn_but_count_for_no_domain():
    design = Design(np.array([1.0, 1, 0]), psu=(np.array([1, 2, 3]),))

    assert design.stages[0].n_units == 3
    assert design.df() == 1


def test_a_population_smaller_than_its_sample_is_refused_by_stratum():
    with pytest.raises(PopulationError, match="b"):
        Design(np.ones(4), strata=(np.array(list("aabb")),), population=(np.array([5.0, 5, 1, 1]),))


def test_a_population_that_differs_within_a_stratum_is_refused():
    with pytest.raises(PopulationError):
        Design(np.ones(2), population=(np.array([5.0, 6.0]),))


@pytest.mark.parametrize("weights", [[1.0, -1.0], [1.0, np.nan], [1.0, np.inf], [0.0, 0.0]])
def test_weights_that_are_none_are_refused(weights):
    with pytest.raises(Exception) as refusal:
        Design(np.array(weights))

    assert refusal.value.code in ("arrays.range", "arrays.not_finite")


def test_a_column_of_another_length_is_refused():
    with pytest.raises(Exception) as refusal:
        Design(np.ones(3), strata=(np.array(["a", "b"]),))

    assert refusal.value.code == "arrays.shape"


def test_an_unknown_policy_is_refused():
    with pytest.raises(PolicyError):
        Design(np.ones(2), lonely_psu="ignore")


def test_labels_may_be_chinese():
    design = Design(np.ones(4), strata=(np.array(["城区", "城区", "乡村", "乡村"]),))

    assert set(design.stages[0].names) == {"城区", "乡村"}
