"""What a sample of a given size will decide at a threshold, and the size a decision needs.

Enters: an assumed true rate, the line, and a size or a variance. Leaves: the chance of each verdict
before anybody is asked, and the size that gives a wanted chance. Normal approximation throughout:
these are plans, and the figure's own error comes from the answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, inf, sqrt

import scipy  # its parts load themselves when first asked

from survey.sampling.sample_size import GoalError, check_design, normal_quantile, within


def chance_of_reaching(
    true_rate: float,
    threshold: float,
    n: float,
    *,
    deff: float = 1.0,
    population: float = inf,
    level: float | None = None,
) -> float:
    """The chance that the observed rate reaches a threshold; with `level`, that its lower bound does.

    Args:
        level: one-sided level of the bound, such as 0.95; None asks the point rule only.
        true_rate: in (0, 1).
        threshold: T in (0, 1).
        n: questionnaires, above zero.
        deff: design effect, above zero.
        population: N, inf when large.

    Raises:
        GoalError: an argument out of range.

    Source: normal approximation on the rate's design standard error; METHOD 15; R `pnorm((p - T) / se)`.

    >>> chance_of_reaching(0.85, 0.85, 400)
    0.5
    """
    within("假定的比例", true_rate, 0, 1)
    within("要求线", threshold, 0, 1)
    check_design(deff, population)
    if not 0 < n < inf or (level is not None and not 0 < level < 1):
        raise GoalError("份数或把握", f"{n}份、{level}不可用", "份数大于0，把握在0和1之间")
    left = 1.0 if population == inf else max((population - n) / (population - 1), 0.0)
    se = sqrt(deff * true_rate * (1 - true_rate) / n * left)
    if se == 0:
        return float(true_rate >= threshold)
    need = threshold if level is None else threshold + normal_quantile(level) * se
    return float(scipy.special.ndtr((true_rate - need) / se))


def n_for_decision(
    true_rate: float,
    threshold: float,
    *,
    chance: float = 0.8,
    level: float | None = 0.95,
    deff: float = 1.0,
    population: float = inf,
) -> int:
    """The smallest sample that shows, with a given chance, that a true rate is on its side of a threshold.

    Args:
        true_rate: assumed, in (0, 1), not equal to the threshold.
        threshold: T in (0, 1).
        chance: power, in (0, 1).
        level: one-sided level of the bound that must clear the threshold; None asks the point rule only.
        deff: design effect, above zero.
        population: N, inf when large; the size never exceeds it.

    Returns:
        n such that `chance_of_reaching(true_rate, …) >= chance`, or for a true rate below the threshold
        the chance that the upper bound stays below.

    Raises:
        GoalError: an argument out of range, or a true rate at the threshold.

    Source: Valliant, Dever & Kreuter (2018), ch. 4, `(z_level + z_chance)² deff p(1 − p)/(p − T)²` with the finite
    population correction; R `PracTools::nPPOne` has the same form.

    >>> n_for_decision(0.90, 0.85, chance=0.8)
    223
    """
    within("预期的比例", true_rate, 0, 1)
    within("要求线", threshold, 0, 1)
    within("把握", chance, 0, 1)
    check_design(deff, population)
    if true_rate == threshold:
        raise GoalError("预期的比例", "正好在要求线上，多少人也看不出来", "写一个高于或低于要求线的数")
    z = normal_quantile(chance) + (0.0 if level is None else normal_quantile(within("把握", level, 0, 1)))
    if z <= 0:
        return 1
    n0 = z * z * deff * true_rate * (1 - true_rate) / (true_rate - threshold) ** 2
    n = n0 if population == inf else n0 / (1 + (n0 - 1) / population)
    return int(min(ceil(n - 1e-9), population))


@dataclass(frozen=True)
class DecisionChances:
    """The chance of each verdict with its grade, for one assumed true rate; they add up to one."""

    true_rate: float
    pass_firm: float
    pass_point_only: float
    fail_point_only: float
    fail_firm: float


def decision_chances(
    true_rate: float, threshold: float, unit_variance: float, *, level: float = 0.95
) -> DecisionChances:
    """The chance of each of the four verdicts before anybody is asked.

    Args:
        true_rate: assumed, in (0, 1).
        threshold: T in (0, 1).
        unit_variance: expected variance over p(1 − p), from `expected_precision.expected_spread`.
        level: one-sided, of the bounds.

    Raises:
        GoalError: an argument out of range.

    Source: METHOD 15, normal approximation with the standard error at the true rate; R `pnorm((p - T)/se)` and
    `pnorm((p - T)/se - qnorm(level))`.

    >>> decision_chances(0.85, 0.85, 0.0025).pass_point_only
    0.45
    """
    within("预期的比例", true_rate, 0, 1)
    within("要求线", threshold, 0, 1)
    within("把握", level, 0, 1)
    if not 0 < unit_variance < inf:
        raise GoalError("预期的方差", f"{unit_variance}不是大于0的数", "先定样本量")
    distance = (true_rate - threshold) / sqrt(unit_variance * true_rate * (1 - true_rate))
    z = normal_quantile(level)
    reaches, firm = float(scipy.special.ndtr(distance)), float(scipy.special.ndtr(distance - z))
    below = float(scipy.special.ndtr(-distance - z))
    return DecisionChances(true_rate, firm, round(reaches - firm, 12), round(1 - reaches - below, 12), below)
