"""Draws repeat from their seed, keep their size, and have the probabilities they claim."""

from __future__ import annotations

from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from survey.arrays import RangeError
from survey.sampling.selection import (
    JOINT,
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
    two_stage,
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


def test_two_stages_give_schools_by_size_and_classes_at_random():
    schools, classes, pi = two_stage([300, 500, 200, 900], 2, [6, 10, 4, 18], 2, "seed")

    assert len(schools) == 2
    assert all(len(one) == 2 for one in classes)
    assert pi.sum() == pytest.approx(2)


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
