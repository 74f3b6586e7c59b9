"""Three roads to one number, and properties that hold whatever the data."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from survey.estimation.comparison import contrast, difference_of_domains
from survey.estimation.composite import SharesError, composite, composite_interval
from survey.estimation.linearization import (
    EmptyDomainError,
    LonelyPsuError,
    MissingValuesError,
    covariance,
)
from survey.estimation.means import by_domain, mean, proportion, ratio
from survey.estimation.totals import total
from survey.sampling.design import Design
from survey.weighting.calibration import calibrate, poststratify, rake
from survey.weighting.margins import Margin
from survey.weighting.replicates import jackknife_n, rao_wu


def sample(seed: int = 1, schools: int = 12, pupils: int = 9):
    """A small county: strata of schools, parents and teachers, unequal weights."""
    rng = np.random.default_rng(seed)
    school = np.repeat(np.arange(schools), pupils)
    stratum = np.where(school < schools // 2, "rural", "town")
    group = rng.choice(["parent", "teacher", "student"], len(school))
    rate = 0.85 + rng.normal(0, 0.05, schools)[school]
    y = (rng.random(len(school)) < rate).astype(float)
    weights = rng.uniform(1, 4, len(school))
    population = np.where(stratum == "rural", 30.0, 20.0)
    design = Design(weights, strata=(stratum,), psu=(school,), population=(population,))
    return design, y, group, school


def test_a_domain_mean_is_a_ratio_is_a_regression_coefficient():
    design, y, group, _ = sample()
    parents = group == "parent"
    as_mean = mean(y, design, domain=parents)
    as_ratio = ratio(y * parents, parents.astype(float), design)
    x = np.column_stack([parents, ~parents]).astype(float)
    root = np.sqrt(design.weights)[:, None]
    slope = np.linalg.lstsq(root * x, root[:, 0] * y, rcond=None)[0][0]

    assert as_ratio.value == pytest.approx(as_mean.value, rel=1e-12)
    assert slope == pytest.approx(as_mean.value, rel=1e-12)
    assert as_ratio.variance == pytest.approx(as_mean.variance, rel=1e-12)


def test_filtering_to_a_domain_would_give_another_standard_error():
    design, y, group, school = sample(schools=24, pupils=3)
    inside = group == "teacher"
    masked = mean(y, design, domain=inside)
    cut = Design(design.weights[inside], strata=(design.strata[0][inside],), psu=(school[inside],))

    assert mean(y[inside], cut).value == pytest.approx(masked.value)
    assert mean(y[inside], cut).se != pytest.approx(masked.se, rel=1e-3)


def test_raking_is_calibration_with_the_raking_distance():
    design, y, group, _ = sample()
    area = design.strata[0]
    margins = [
        Margin("群体", group, {"parent": 120, "teacher": 60, "student": 90}),
        Margin("地区", area, {"rural": 150, "town": 120}),
    ]
    raked = rake(design.weights, margins, tolerance=1e-12)
    columns = np.column_stack(
        [group == g for g in ("parent", "teacher", "student")] + [area == "rural"]
    ).astype(float)
    solved = calibrate(design.weights, columns, [120, 60, 90, 150], distance="raking", tolerance=1e-12)

    assert solved.weights == pytest.approx(raked.weights, rel=1e-8)
    one, other = (mean(y, step.applied_to(design)) for step in (raked, solved))
    assert other.se == pytest.approx(one.se, rel=1e-8)


def test_poststratification_is_linear_calibration_on_the_cells():
    design, y, group, _ = sample()
    totals = {"parent": 120.0, "teacher": 60.0, "student": 90.0}
    cells = poststratify(design.weights, Margin("群体", group, totals))
    columns = np.column_stack([group == g for g in totals]).astype(float)
    linear = calibrate(design.weights, columns, list(totals.values()))

    assert linear.weights == pytest.approx(cells.weights, rel=1e-10)
    assert mean(y, linear.applied_to(design)).se == pytest.approx(
        mean(y, cells.applied_to(design)).se, rel=1e-9
    )


def test_jackknife_and_linearization_agree_on_a_total():
    design, y, _, _ = sample()

    assert total(y, jackknife_n(design)).se == pytest.approx(total(y, design).se, rel=1e-10)


def test_the_bootstrap_comes_near_linearization():
    design, y, _, _ = sample()
    drawn = rao_wu(design, 1500, np.random.default_rng(7))

    assert mean(y, drawn).se == pytest.approx(mean(y, design).se, rel=0.1)


def test_a_composite_counts_the_covariance_between_groups_of_one_school():
    design, y, group, _ = sample()
    rates = [proportion(y, design, domain=group == g) for g in ("parent", "student", "teacher")]
    shares = [0.5, 0.25, 0.25]
    whole = composite(shares, rates, design)
    matrix = covariance(rates, design)

    assert whole.variance == pytest.approx(np.array(shares) @ matrix @ np.array(shares), rel=1e-10)
    assert abs(matrix[0, 1]) > 0
    assert whole.value == pytest.approx(sum(a * p.value for a, p in zip(shares, rates, strict=True)))
    interval = composite_interval(shares, rates, whole)
    assert interval.lower < whole.value < interval.upper


def test_a_composite_of_groups_that_all_agree_still_has_a_lower_bound():
    design, y, group, _ = sample()
    everyone = np.ones_like(y)
    rates = [proportion(everyone, design, domain=group == g) for g in ("parent", "student", "teacher")]
    whole = composite([0.5, 0.25, 0.25], rates, design)
    interval = composite_interval([0.5, 0.25, 0.25], rates, whole)

    assert interval.method == "mover"
    assert 0.7 < interval.lower < 1
    assert interval.upper == 1


def test_shares_that_do_not_add_up_to_one_are_refused():
    design, y, group, _ = sample()
    rates = [proportion(y, design, domain=group == g) for g in ("parent", "student")]

    with pytest.raises(SharesError):
        composite([0.5, 0.6], rates, design)


def test_a_difference_of_domains_is_a_contrast_of_their_means():
    design, y, group, _ = sample()
    direct = difference_of_domains(y, group == "parent", group == "teacher", design)
    means = by_domain(mean, y, design=design, groups=group)
    by_hand = contrast([-1, 0, 1], [means["parent"], means["student"], means["teacher"]], design)

    assert direct.value == pytest.approx(by_hand.value)
    assert direct.se == pytest.approx(by_hand.se)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_the_order_of_rows_never_matters(seed):
    design, y, group, school = sample(seed)
    order = np.random.default_rng(seed).permutation(len(y))
    shuffled = Design(
        design.weights[order],
        strata=(design.strata[0][order],),
        psu=(school[order],),
        population=(design.population[0][order],),
    )
    inside = group != "student"
    one = mean(y, design, domain=inside)
    other = mean(y[order], shuffled, domain=inside[order])

    assert other.value == pytest.approx(one.value, rel=1e-12)
    assert other.se == pytest.approx(one.se, rel=1e-9, abs=1e-15)
    assert (other.df, other.n) == (one.df, one.n)


@given(seed=st.integers(0, 10_000), factor=st.floats(0.01, 1000))
@settings(max_examples=25, deadline=None)
def test_the_scale_of_the_weights_never_moves_a_mean(seed, factor):
    design, y, _, _ = sample(seed)
    scaled = design.with_weights(design.weights * factor)

    assert mean(y, scaled).value == pytest.approx(mean(y, design).value, rel=1e-12)
    assert mean(y, scaled).se == pytest.approx(mean(y, design).se, rel=1e-9, abs=1e-15)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_domain_totals_add_up_to_the_total(seed):
    design, y, group, _ = sample(seed)
    parts = by_domain(total, y, design=design, groups=group)

    assert sum(one.value for one in parts.values()) == pytest.approx(total(y, design).value)
    assert covariance(list(parts.values()), design).sum() == pytest.approx(
        total(y, design).variance, abs=1e-9
    )


def test_labels_repeated_in_two_strata_are_different_psus():
    strata = np.array(["a", "a", "b", "b"])
    design = Design(np.ones(4), strata=(strata,), psu=(np.array([1, 2, 1, 2]),))

    assert design.counts() == (4, 2)


def lonely_design(policy: str) -> tuple[Design, np.ndarray]:
    strata = np.array(["a", "a", "b"])
    return Design(np.ones(3), strata=(strata,), psu=(np.array([1, 2, 3]),), lonely_psu=policy), np.array(
        [1.0, 3, 7]
    )


def test_a_lonely_psu_is_refused_by_name_under_the_default():
    design, y = lonely_design("fail")

    with pytest.raises(LonelyPsuError) as refusal:
        total(y, design)
    assert refusal.value.code == "estimation.lonely_psu"
    assert "b" in str(refusal.value)
    assert design.lonely_strata() == ("b",)


@pytest.mark.parametrize(
    ("policy", "variance"),
    # Stratum a alone gives 2/(2-1)·(1+1) = 4; adjust adds (7 - 11/3)²; average doubles the four.
    [("remove", 4.0), ("certainty", 4.0), ("adjust", 4 + (7 - 11 / 3) ** 2), ("average", 8.0)],
)
def test_each_policy_for_a_lonely_psu_gives_what_can_be_done_by_hand(policy, variance):
    design, y = lonely_design(policy)

    assert total(y, design).variance == pytest.approx(variance)


def test_a_missing_value_is_refused_unless_its_treatment_is_stated():
    design, y, _, _ = sample()
    y[0] = np.nan

    with pytest.raises(MissingValuesError):
        mean(y, design)
    stated = mean(y, design, skip_missing=True)
    assert stated.n == len(y) - 1
    assert stated.df == design.df()


def test_a_domain_without_cases_is_refused():
    design, y, group, _ = sample()

    with pytest.raises(EmptyDomainError):
        mean(y, design, domain=group == "nobody")


def test_a_second_stage_counts_only_where_the_first_knows_its_population():
    rng = np.random.default_rng(3)
    school, klass = np.repeat(np.arange(4), 6), np.tile(np.repeat([0, 1, 2], 2), 4)
    y = rng.random(24)
    one = Design(np.ones(24), psu=(school,), population=(np.full(24, 8.0),))
    two = Design(np.ones(24), psu=(school, klass), population=(np.full(24, 8.0), np.full(24, 6.0)))
    without = Design(np.ones(24), psu=(school, klass))

    assert total(y, two).variance > total(y, one).variance
    assert total(y, without).variance == pytest.approx(total(y, Design(np.ones(24), psu=(school,))).variance)
