"""Planned sizes reach their goals, and say beforehand what they will be able to say."""

from __future__ import annotations

import numpy as np
import pytest
from county import county, county_plan, county_scheme

from survey.sampling.decision import chance_of_reaching, decision_chances, n_for_decision
from survey.sampling.sample_size import (
    GoalError,
    achieved_half_width,
    n_planned,
    n_proportion,
)
from survey.sampling.wave_sample import preview_sample


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


@pytest.mark.parametrize("true_rate", [0.80, 0.88, 0.90, 0.95])
def test_the_size_for_a_decision_gives_its_chance_and_one_person_fewer_does_not(true_rate):
    n = n_for_decision(true_rate, 0.85, chance=0.8, deff=1.4, population=5000)

    def chance(size: int) -> float:
        # Cochran's and the (N − n)/(N − 1) correction differ by less than a person here.
        made = decision_chances(true_rate, 0.85, 1.4 / size * (1 - size / 5000))
        return made.pass_firm if true_rate > 0.85 else made.fail_firm

    assert chance(n + 2) >= 0.8 > chance(n - 3)


def test_the_chances_of_the_four_verdicts_are_those_of_simulated_waves():
    rng = np.random.default_rng(1)
    made = decision_chances(0.87, 0.85, 1 / 400)
    rates = rng.binomial(400, 0.87, 40_000) / 400
    se = np.sqrt(0.87 * 0.13 / 400)
    firm, point = (rates - 1.6449 * se >= 0.85).mean(), (rates >= 0.85).mean()

    assert made.pass_firm == pytest.approx(firm, abs=0.02)
    assert made.pass_firm + made.pass_point_only == pytest.approx(point, abs=0.03)
    assert made.pass_firm + made.pass_point_only + made.fail_point_only + made.fail_firm == pytest.approx(1)


def test_a_preview_says_what_the_sample_will_be_able_to_say():
    preview = preview_sample(county_plan(), county_scheme(), county())
    on_the_line = next(row for row in preview.chances if row["true_rate"] == "0.8500")

    assert on_the_line["pass_firm"] in ("0.0499", "0.0500")
    assert len(preview.chances) >= 5
    assert [row["pass_firm"] for row in preview.chances] == sorted(
        row["pass_firm"] for row in preview.chances
    )
