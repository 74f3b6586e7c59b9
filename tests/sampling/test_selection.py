"""Draws repeat from their seed, keep their size, and have the probabilities they claim."""

from __future__ import annotations

from hashlib import sha256
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from survey.arrays import RangeError
from survey.sampling.joint_probabilities import JOINT, joint_sampford
from survey.sampling.multistage import draw_stages
from survey.sampling.selection import (
    DrawError,
    inclusion_probabilities,
    maximum_entropy,
    replacements,
    sampford,
    seeded_uniforms,
    simple_random,
    stratified,
    systematic,
    systematic_pps,
)

SIZES = [120, 340, 210, 95, 400, 260, 180, 310]


def test_a_stranger_can_repeat_the_uniforms_in_a_few_lines():
    block = sha256(b"lottery 2026-11-24:1").digest()
    by_hand = (int.from_bytes(block[8:16], "big") >> 11) / 2**53

    assert seeded_uniforms("lottery 2026-11-24", 6)[5] == by_hand


@given(seed=st.text(max_size=20), n=st.integers(0, 30))
@settings(max_examples=50, deadline=None)
def test_a_replayed_seed_draws_the_same_sample_of_the_asked_size(seed, n):
    first = simple_random(seeded_uniforms(seed, 30), n)

    assert (simple_random(seeded_uniforms(seed, 30), n) == first).all()
    assert len(set(first.tolist())) == n


def test_replacements_never_repeat_the_sample():
    uniforms = seeded_uniforms("x", 20)

    assert not set(simple_random(uniforms, 8)) & set(replacements(uniforms, 8, 5))


def test_every_unit_is_drawn_about_as_often():
    counts = np.zeros(10)
    for k in range(4000):
        counts[simple_random(seeded_uniforms(str(k), 10), 3)] += 1

    assert np.abs(counts / 4000 - 0.3).max() < 0.03


def test_stratified_draws_take_what_each_stratum_owes():
    strata = np.array(["a"] * 10 + ["b"] * 5)
    drawn = stratified(seeded_uniforms("s", 15), strata, {"a": 4, "b": 2})

    assert (drawn < 10).sum() == 4
    assert (drawn >= 10).sum() == 2


@given(n=st.integers(1, 40), start=st.floats(0, 0.999999))
@settings(max_examples=60, deadline=None)
def test_systematic_draws_have_their_size_and_no_repeats(n, start):
    drawn = systematic(n, 40, start)

    assert len(set(drawn.tolist())) == n
    assert drawn.max() < 40


@given(seed=st.integers(0, 5000))
@settings(max_examples=40, deadline=None)
def test_inclusion_probabilities_add_up_and_never_exceed_one(seed):
    rng = np.random.default_rng(seed)
    sizes = rng.lognormal(3, 2, 30)
    pi = inclusion_probabilities(sizes, 9)

    assert pi.sum() == pytest.approx(9)
    assert pi.max() <= 1
    below = pi < 1
    assert pi[below] / sizes[below] == pytest.approx((pi[below] / sizes[below])[0])


@pytest.mark.parametrize("draw", ["systematic", "sampford", "entropy"])
def test_unequal_draws_have_the_probabilities_they_claim(draw):
    pi = inclusion_probabilities(SIZES, 4)
    counts, rounds = np.zeros(8), 1500
    for k in range(rounds):
        u = seeded_uniforms(f"{draw}/{k}", 8)
        if draw == "systematic":
            drawn = systematic_pps(pi, u[0])
        elif draw == "sampford":
            drawn = sampford(pi, f"seed {k}")
        else:
            drawn = maximum_entropy(pi, u)
        assert len(drawn) == 4
        counts[drawn] += 1

    assert np.abs(counts / rounds - pi).max() < 0.05


@pytest.mark.parametrize("method", JOINT)
def test_joint_probabilities_add_up_as_those_of_a_fixed_size_must(method):
    pi = inclusion_probabilities(SIZES, 4)
    joint = JOINT[method](pi)

    assert joint == pytest.approx(joint.T)
    assert joint.sum(axis=1) == pytest.approx(4 * pi, rel=1e-6)


def sampford_by_enumeration(pi: np.ndarray) -> np.ndarray:
    """Sampford's rejective procedure written out: every sample of n, its probability, its pairs."""
    n = round(pi.sum())
    p = pi / n
    odds = p / (1 - n * p)
    joint, total = np.zeros((len(pi), len(pi))), 0.0
    for units in combinations(range(len(pi)), n):
        chance = n * np.prod(odds[list(units)]) * (1 - p[list(units)].sum())
        total += chance
        joint[np.ix_(units, units)] += chance
    return joint / total


@pytest.mark.parametrize("n", [2, 3, 4])
def test_sampfords_joint_probabilities_are_those_of_all_his_samples(n):
    pi = inclusion_probabilities(SIZES, n)

    assert joint_sampford(pi) == pytest.approx(sampford_by_enumeration(pi), abs=1e-12)


def test_sampfords_variance_is_never_negative_and_certainty_units_bring_none():
    pi = inclusion_probabilities([10, 20, 70, 900], 3)
    joint = joint_sampford(pi)

    assert joint[3] == pytest.approx(pi)
    assert (joint <= np.outer(pi, pi) + 1e-12)[~np.eye(4, dtype=bool)].all()


CLASSES = [[31, 28, 30], [40, 41, 38, 39, 42], [25], [45] * 9]


def test_stages_give_schools_by_size_classes_at_random_and_weights_that_add_up():
    draw = draw_stages(CLASSES, 2, 2, "seed", n_persons=10)
    again = draw_stages(CLASSES, 2, 2, "seed", n_persons=10)

    assert len(draw.schools) == 2 and draw.school_probability.sum() == pytest.approx(2)
    assert (draw.schools == again.schools).all()
    assert all(len(one) <= 10 for some in draw.persons for one in some)
    for at, school in enumerate(draw.schools):
        persons = (
            sum(w * len(some) for w, some in zip(draw.weights()[at], draw.persons[at], strict=True))
            * draw.school_probability[school]
        )
        assert persons == pytest.approx(
            sum(CLASSES[school][one] for one in draw.classes[at])
            * len(CLASSES[school])
            / len(draw.classes[at])
        )


def test_everybody_in_a_drawn_class_is_asked_when_no_number_is_given():
    draw = draw_stages(CLASSES, 1, 1, "x")

    assert len(draw.persons[0][0]) == CLASSES[draw.schools[0]][draw.classes[0][0]]
    assert draw.person_probability[0].tolist() == [1.0]


def test_a_school_without_classes_is_refused():
    with pytest.raises(DrawError, match="没有班级"):
        draw_stages([[], [20]], 2, 1, "x", school_sizes=[5, 5])


def test_a_draw_larger_than_the_frame_is_refused():
    with pytest.raises(DrawError):
        simple_random(np.zeros(3), 4)
    with pytest.raises(DrawError, match="规模大于0"):
        inclusion_probabilities([0, 0, 5], 2)
    with pytest.raises(RangeError):
        inclusion_probabilities([-1, 5, 5], 2)


@pytest.mark.slow
def test_a_country_of_250_000_schools_is_drawn_in_under_two_seconds():
    from time import perf_counter

    began = perf_counter()
    uniforms = seeded_uniforms("country", 250_000)
    drawn = simple_random(uniforms, 5000)
    systematic_pps(inclusion_probabilities(1 + uniforms * 3000, 5000), 0.3)

    assert len(drawn) == 5000
    assert perf_counter() - began < 2
