"""The size a precision goal needs, given design effect and expected response.

Enters: what is to be known and how well. Leaves: a number of questionnaires, unrounded where a
formula gives it and rounded up where people are counted. Three finite-population forms live in
textbooks and differ by a person or two; the form is an argument, never a habit.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, inf, log, sqrt
from typing import Literal

import scipy  # its parts load themselves when first asked

from survey.errors import SurveyError

Correction = Literal["exact", "cochran", "simple"]


class GoalError(SurveyError):
    """A precision goal outside its range."""

    code = "sampling.goal"
    kind = "invalid"


def normal_quantile(probability: float) -> float:
    """Quantile of the standard normal.

    Args:
        probability: in (0, 1).

    Source: the standard normal distribution; R `qnorm(p)`.
    """
    return float(scipy.special.ndtri(probability))


def two_sided(level: float) -> float:
    """The normal quantile of a two-sided level: 1.96 at 0.95.

    Args:
        level: two-sided, in (0, 1).

    Raises:
        GoalError: a level outside (0, 1).

    Source: the standard normal distribution; R `qnorm(1 - (1 - level)/2)`.
    """
    if not 0 < level < 1:
        raise GoalError("置信水平", f"{level}不在0和1之间", "常用0.95")
    return normal_quantile(0.5 + level / 2)


def n_proportion(
    p: float,
    *,
    half_width: float | None = None,
    relative_half_width: float | None = None,
    cv: float | None = None,
    level: float = 0.95,
    z: float | None = None,
    population: float = inf,
    correction: Correction = "exact",
) -> float:
    """The simple random sample that estimates a proportion to a half-width, a relative one or a CV.

    Args:
        p: expected proportion in (0, 1).
        half_width, relative_half_width, cv: exactly one goal.
        level: of the interval; `z` overrides its quantile.
        population: N.
        correction: `exact` `a z²pq/(e² + z²pq/(N-1))` with a = N/(N-1); `cochran`
            `n0/(1+(n0-1)/N)`; `simple` `n0/(1+n0/N)`.

    Returns:
        n, unrounded.

    Raises:
        GoalError: no goal, two goals, or one outside its range.

    Source: Valliant, Dever & Kreuter (2018), sec. 3.1–3.2, PracTools `nProp`, `nPropMoe`; Cochran (1977), eq. 4.1–4.2.

    >>> round(n_proportion(0.5, half_width=0.05), 4)
    384.1459
    """
    goals = [goal for goal in (half_width, relative_half_width, cv) if goal is not None]
    if not 0 < p < 1 or len(goals) != 1 or not 0 < goals[0] < inf or not population >= 1:
        raise GoalError(
            "样本量的目标", "比例、误差或总体数不在可用范围内，或同时给了几个目标", "只给一个大于0的误差目标"
        )
    z = two_sided(level) if z is None else z
    if cv is not None:
        z = 1.0
    error = half_width if half_width is not None else p * goals[0]
    spread = z * z * p * (1 - p)
    if correction == "exact":
        if population == 1:
            return 1.0
        if population == inf:
            return spread / error**2
        return population / (population - 1) * spread / (error**2 + spread / (population - 1))
    n0 = spread / error**2
    return n0 / (1 + (n0 - (correction == "cochran")) / population)


def n_proportion_wilson(p: float, half_width: float, level: float = 0.95) -> float:
    """The simple random sample whose Wilson interval has a half-width; for p near 1.

    Args:
        p: expected proportion in (0, 1).
        half_width: above zero.
        level: two-sided, in (0, 1).

    Raises:
        GoalError: a half-width that no Wilson interval has, or an argument out of range.

    Source: Valliant, Dever & Kreuter (2018), eq. 3.12; PracTools `nWilson`.
    """
    within("预期的比例", p, 0, 1)
    within("误差", half_width, 0, 1)
    z, pq, e = two_sided(level), p * (1 - p), half_width
    inner = e * e - pq * (4 * e * e - pq)
    if inner < 0:
        raise GoalError("样本量的目标", "误差太大，Wilson区间达不到", "把误差定小一些")
    return (pq - 2 * e * e + sqrt(inner)) * (z / e) ** 2 / 2


def wilson_limits(p: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Wilson's interval for a simple random sample of n.

    Args:
        p: proportion in [0, 1].
        n: size, above zero.
        level: two-sided, in (0, 1).

    Returns:
        (lower, upper).

    Raises:
        GoalError: an argument out of range.

    Source: Wilson (1927), JASA 22, p. 209; R `prop.test(x, n, correct = FALSE)$conf.int`.
    """
    if not 0 <= p <= 1 or not 0 < n < inf:
        raise GoalError("Wilson区间", f"比例{p}或份数{n}不可用", "比例在0到1之间，份数大于0")
    z = two_sided(level)
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return centre - reach, centre + reach


def n_proportion_logodds(p: float, half_width: float, level: float = 0.95, population: float = inf) -> float:
    """The simple random sample whose log-odds interval has a half-width.

    Args:
        p: expected proportion in (0, 1).
        half_width: above zero.
        level: two-sided, in (0, 1).
        population: N, inf when large.

    Raises:
        GoalError: an argument out of range.

    Source: Valliant, Dever & Kreuter (2018), eq. 3.10; PracTools `nLogOdds`.
    """
    within("预期的比例", p, 0, 1)
    within("误差", half_width, 0, 0.5)
    check_design(1.0, population)
    k, e = (1 - p) / p, half_width
    a, b, c = k * (1 + 2 * e), 2 * e * (1 + k * k), -k * (1 - 2 * e)
    x = (-b + sqrt(b * b - 4 * a * c)) / (2 * a)
    left = 1.0 if population == inf else population / (population - 1)
    return 1 / (left * p * (1 - p) * (log(x) / two_sided(level)) ** 2 + 1 / population)


def n_mean(sd: float, half_width: float, level: float = 0.95, population: float = inf) -> float:
    """The simple random sample that estimates a mean to a half-width.

    Args:
        sd: standard deviation of the variable, at least zero.
        half_width: above zero, in its unit.
        level: two-sided, in (0, 1).
        population: N, inf when large.

    Raises:
        GoalError: an argument out of range.

    Source: Valliant, Dever & Kreuter (2018), eq. 3.4; PracTools `nContMoe`.
    """
    if not 0 <= sd < inf or not 0 < half_width < inf:
        raise GoalError("样本量的目标", f"标准差{sd}或误差{half_width}不可用", "标准差不小于0，误差大于0")
    check_design(1.0, population)
    spread = (two_sided(level) * sd) ** 2
    return spread / (half_width**2 + spread / population)


def n_two_proportions(
    p1: float,
    p2: float,
    *,
    p_both: float | None = None,
    overlap: float = 0.0,
    alternative: Literal["two.sided", "one.sided"] = "two.sided",
    alpha: float = 0.05,
    power: float = 0.8,
) -> float:
    """The size of each of two rounds that detects a change from p1 to p2.

    Args:
        p_both: proportion satisfied in both rounds; p1·p2 means no correlation, and is the default.
        overlap: share of the first round's sample that is asked again.
        alternative: `two.sided` or `one.sided`.
        alpha: level of the test in (0, 1).
        power: chance of finding the change, in (0, 1).

    Raises:
        GoalError: equal proportions, or an argument out of range.

    Source: Woodward (1992); Valliant, Dever & Kreuter (2018), sec. 4.4; PracTools `nProp2sam`.
    """
    for name, value in (("第一轮的比例", p1), ("第二轮的比例", p2), ("检验水平", alpha), ("把握", power)):
        within(name, value, 0, 1)
    if not 0 <= overlap <= 1 or (p_both is not None and not 0 <= p_both <= min(p1, p2)):
        raise GoalError("两轮比较", "重叠的比例或两轮都满意的比例不可用", "都在0到1之间")
    if p1 == p2:
        raise GoalError("两轮比较", "两轮的比例相同，没有变化可以发现", "写明要发现多大的变化")
    both = p1 * p2 if p_both is None else p_both
    variance = p1 * (1 - p1) + p2 * (1 - p2) - 2 * overlap * (both - p1 * p2)
    z = normal_quantile(1 - (alpha / 2 if alternative == "two.sided" else alpha)) + normal_quantile(power)
    return variance * (z / (p1 - p2)) ** 2


@dataclass(frozen=True)
class SizePlan:
    """The way from a precision goal to the number of people asked."""

    n0: float
    n_complete: float
    n_complete_rounded: int
    n_invite: int


def n_planned(
    p: float,
    half_width: float,
    *,
    level: float = 0.95,
    deff: float = 1.0,
    response_rate: float = 1.0,
    population: float = inf,
) -> SizePlan:
    """How many to ask: design effect, finite population, round up, response, round up, at most N.

    Args:
        p: expected proportion in (0, 1).
        half_width: above zero.
        level: two-sided, in (0, 1).
        deff: design effect, above zero.
        response_rate: expected, in (0, 1].
        population: N, inf when large.

    Raises:
        GoalError: an argument out of range.

    Source: METHOD 2; R `PracTools::nPropMoe` for n0; the later steps have no call of their own.

    >>> n_planned(0.85, 0.03, deff=1.8, response_rate=0.6, population=9000).n_invite
    1474
    """
    if not 0 < response_rate <= 1 or not 0 < deff < inf or not population >= 1:
        raise GoalError(
            "样本量的目标", "预期回答率或设计效应不在可用范围内", "回答率在0到1之间，设计效应大于0"
        )
    n0 = n_proportion(p, half_width=half_width, level=level)
    inflated = n0 * deff
    complete = inflated / (1 + (inflated - 1) / population)
    rounded = ceil(complete - 1e-9)
    invite = min(ceil(rounded / response_rate - 1e-9), population)
    return SizePlan(n0, complete, rounded, int(invite))


def achieved_half_width(
    p: float, n: float, *, level: float = 0.95, deff: float = 1.0, population: float = inf
) -> float:
    """The half-width that n questionnaires will give.

    Args:
        p: expected proportion in (0, 1).
        n: questionnaires, above zero.
        level: two-sided, in (0, 1).
        deff: design effect, above zero.
        population: N, inf when large.

    Raises:
        GoalError: an argument out of range.

    Source: `z sqrt(deff pq/n (N-n)/(N-1))`; Cochran (1977), eq. 3.8; R `qnorm(.975) * sqrt(deff * p * (1 - p)
    / n * (N - n) / (N - 1))`.
    """
    if not 0 <= p <= 1 or not 0 < n < inf:
        raise GoalError("预期的误差", f"比例{p}或份数{n}不可用", "比例在0到1之间，份数大于0")
    check_design(deff, population)
    left = 1.0 if population == inf else (population - n) / (population - 1)
    return two_sided(level) * sqrt(deff * p * (1 - p) / n * max(left, 0.0))


def cluster_deff(rho: float, cluster_size: float, kish_weight_deff: float = 1.0) -> float:
    """`deff_w (1 + (b - 1) rho)`.

    Args:
        rho: intra-class correlation in [-1, 1].
        cluster_size: b, persons of a cluster, at least one.
        kish_weight_deff: `1 + CV²(w)`, at least one.

    Raises:
        GoalError: an argument out of range.

    Source: Kish (1965, 1987); R `PracTools::deff` in the case of equal clusters.

    >>> round(cluster_deff(0.05, 25, 1.3), 10)
    2.86
    """
    if not -1 <= rho <= 1 or not 1 <= cluster_size < inf or not 1 <= kish_weight_deff < inf:
        raise GoalError("设计效应", "相关、每校人数或权数的设计效应不可用", "相关在-1到1之间，其余不小于1")
    return kish_weight_deff * (1 + (cluster_size - 1) * rho)


@dataclass(frozen=True)
class TwoStageOptimum:
    """Schools, persons in each and the coefficient of variation a budget buys; unrounded."""

    n_psu: float
    n_per_psu: float
    cv: float


def two_stage_optimum(
    cost_psu: float, cost_unit: float, rho: float, unit_relvariance: float, total_cost: float
) -> TwoStageOptimum:
    """The split of a budget between schools and persons that makes a mean most precise.

    Args:
        cost_psu, cost_unit: of a school and of a person, above zero.
        rho: intra-class correlation in (0, 1).
        unit_relvariance: variance over squared mean, above zero.
        total_cost: budget, above zero.

    Raises:
        GoalError: an argument out of range.

    Source: Hansen, Hurwitz & Madow (1953); Valliant, Dever & Kreuter (2018), eq. 9.20; PracTools `clusOpt2`.
    """
    if not 0 < rho < 1 or not all(
        0 < one < inf for one in (cost_psu, cost_unit, unit_relvariance, total_cost)
    ):
        raise GoalError("两阶段的分配", "费用、相关或相对方差不可用", "费用和方差大于0，相关在0和1之间")
    per_psu = sqrt(cost_psu / cost_unit * (1 - rho) / rho)
    n_psu = total_cost / (cost_psu + cost_unit * per_psu)
    cv = sqrt(unit_relvariance / (n_psu * per_psu) * (1 + rho * (per_psu - 1)))
    return TwoStageOptimum(n_psu, per_psu, cv)


def within(name: str, value: float, low: float, high: float) -> float:
    """The value, when it lies strictly between two numbers; NaN never does.

    Args:
        name: what a person calls it.
        value: the number.
        low, high: what it must lie between.

    Raises:
        GoalError: it does not.

    Source: a check, no formula; R has none.
    """
    if not low < value < high:
        raise GoalError(name, f"{value}不在{low:g}和{high:g}之间", "核对这个数")
    return value


def check_design(deff: float, population: float) -> None:
    """Nothing, when design effect and population can be; NaN never can.

    Args:
        deff: above zero and finite.
        population: at least one; inf when large.

    Raises:
        GoalError: one of them is out of range.

    Source: a check, no formula; R has none.
    """
    if not 0 < deff < inf:
        raise GoalError("设计效应", f"{deff}不是大于0的数", "没有聚类和加权时是1")
    if not population >= 1:
        raise GoalError("总体人数", f"{population}不是不小于1的数", "写总人数；很大时可以不写")
