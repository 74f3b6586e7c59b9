"""Planned sizes reach their goals, and say beforehand what they will be able to say."""

from __future__ import annotations

import pytest

from survey.sampling.sample_size import (
    GoalError,
    achieved_half_width,
    chance_of_reaching,
    n_planned,
    n_proportion,
)


def test_the_planned_size_reaches_its_goal():
    plan = n_planned(0.85, 0.03, deff=1.8, response_rate=0.6, population=9000)

    assert achieved_half_width(0.85, plan.n_complete_rounded, deff=1.8, population=9000) <= 0.03
    assert n_planned(0.85, 0.03, population=300).n_invite <= 300


def test_what_a_size_will_say_about_85_percent_grows_with_the_rate():
    chances = [chance_of_reaching(rate, 0.85, 800, deff=2, level=0.95) for rate in (0.85, 0.88, 0.92)]

    assert chances == sorted(chances)
    assert chances[0] == pytest.approx(0.05)


@pytest.mark.parametrize("goal", [{"half_width": 0}, {}, {"half_width": 0.1, "cv": 0.1}])
def test_a_goal_that_is_no_goal_is_refused(goal):
    with pytest.raises(GoalError):
        n_proportion(0.5, **goal)
