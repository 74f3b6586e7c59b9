"""The precision a sample may be expected to have, before anybody is asked.

What enters is the sizes of a wave and the plan's guesses of response and likeness within
schools; what leaves is a variance per p(1 − p), a half-width rounded up, and the figure from
which the line would be met firmly. Guesses, for planning: the figure's own error comes from the
answers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

from survey.exact import fraction, truncate
from survey.sampling.decision import decision_chances
from survey.sampling.wave_allocation import WaveAllocation
from survey.scheme.plan import Plan


def upward(value: float) -> str:
    """A half-width as text, rounded up so that it never promises more than it keeps.

    Args:
        value: a half-width, finite, at least zero.

    Source: METHOD 2; rounding alone; R `ceiling(1e4 * x) / 1e4`.
    """
    return truncate(Fraction(min(math.ceil(value * 10_000 - 1e-9), 10_000), 10_000), 4)


def firm_from(unit_variance: float, line: float) -> str | None:
    """The smallest figure p with p − 1.645·√(v·p(1−p)) at the line or above it.

    Args:
        unit_variance: variance over p(1 − p), finite.
        line: T in (0, 1).

    Returns:
        The rate as text with three decimals; None where no rate up to one would do.

    Source: METHOD 15, normal approximation; R has no call of its own.
    """
    for step in range(math.ceil(line * 1000), 1001):
        p = step / 1000
        if p - 1.644854 * math.sqrt(unit_variance * p * (1 - p)) >= line:
            return truncate(Fraction(step, 1000), 3)
    return None


def expected_spread(plan: Plan, allocation: WaveAllocation, shares: Mapping[str, float]) -> dict[str, float]:
    """Expected variance over p(1−p): of the figure under "", of each group under its name.

    A person's answer is the school's part (ρ) plus the person's own (1 − ρ); groups of one school
    are taken to share the school's part, which is the careful side. With m schools of M in a
    stratum and n persons of N: ρ(1 − m/M)/m + (1 − ρ)(1 − n/N)/n, weighted by the stratum's
    share squared. For one group and b persons a school this is (1 + (b − 1)ρ)/n.

    Args:
        plan: its ρ and expected response.
        allocation: schools drawn and slips, by stratum and group.
        shares: group → share of the figure.

    Returns:
        "" → variance over p(1 − p) of the figure, group → that of the group.

    Source: Kish (1965), deff = 1 + (b − 1)ρ, by stratum with both finite population corrections; METHOD 2; R
    `PracTools::deff` gives the factor for one stratum.
    """
    rho = float(fraction(plan.sample.rho))
    response = float(fraction(plan.sample.expected_response))
    own: dict[str, float] = {}
    school: dict[str, dict[str, float]] = {}
    for group, slips in allocation.slips.items():
        everybody = allocation.numbers[group]
        own[group] = 0.0
        school[group] = {}
        for stratum in allocation.strata:
            people = allocation.eligible_in(group, stratum)
            n = slips[stratum.id] * response
            if not people or not n:
                continue
            weight = people / everybody
            own[group] += weight**2 * (1 - rho) * max(1 - n / people, 0.0) / n
            school[group][stratum.id] = weight
    for group, slips_of_list in allocation.list_slips.items():
        n = slips_of_list * response
        own[group] = max(1 - n / allocation.lists[group], 0.0) / n
        school[group] = {}
    chance = {
        stratum.id: rho * (1 - drawn / len(stratum.schools)) / drawn
        for stratum in allocation.strata
        if (drawn := allocation.schools_drawn[stratum.id])
    }
    spread = {
        group: own[group] + sum(weight**2 * chance[name] for name, weight in school[group].items())
        for group in own
    }
    together = sum(shares.get(group, 0.0) ** 2 * unit for group, unit in own.items())
    for name, unit in chance.items():
        together += unit * sum(shares.get(group, 0.0) * school[group].get(name, 0.0) for group in own) ** 2
    return {"": together, **spread}


def verdict_chances(unit_variance: float, line: float, expected: float) -> tuple[dict[str, str], ...]:
    """What the sample will be able to say: for some true rates, the chance of each verdict, in text.

    Args:
        unit_variance: variance over p(1 − p), finite.
        line: T in (0, 1).
        expected: the plan's expected rate in (0, 1).

    Returns:
        Rows of `true_rate`, `pass_firm`, `pass_point_only`, `fail_point_only`, `fail_firm`: for rates 5 and 2
        points below the line, on it, 2 and 5 above, and the expected one, ascending; empty where there is no
        variance to speak of.

    Source: `decision.decision_chances`, METHOD 15; R `pnorm` as there.
    """
    if not 0 < unit_variance < math.inf:
        return ()
    rates = sorted(
        {round(one, 4) for one in (line - 0.05, line - 0.02, line, line + 0.02, line + 0.05, expected)}
    )
    rows = [decision_chances(rate, line, unit_variance) for rate in rates if 0 < rate < 1]
    return tuple(
        {
            name: truncate(Fraction(max(value, 0.0)), 4)
            for name, value in (
                ("true_rate", round(row.true_rate, 4) + 1e-9),
                ("pass_firm", row.pass_firm),
                ("pass_point_only", row.pass_point_only),
                ("fail_point_only", row.fail_point_only),
                ("fail_firm", row.fail_firm),
            )
        }
        for row in rows
    )
