"""The few statistics that domain flags rest on: distances, bounds and rates of false alarm.

Values or counts by domain enter; z, bounds or p by domain leave. Where there is too little to
compare with (fewer than five domains, no spread) nothing is said instead of something weak.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping

import scipy  # its parts load themselves when first asked

FEWEST_DOMAINS = 5
Q = 0.05
"""The share of false ones that Benjamini–Hochberg allows among the flags of one indicator."""


def wilson_lower(x: int, n: int, z: float = 1.959964) -> float:
    """The lower end of Wilson's 95% interval for x of n.

    Source: Wilson (1927).

    >>> round(wilson_lower(1, 10), 4), wilson_lower(0, 10)
    (0.0179, 0.0)
    """
    if x == 0:
        return 0.0
    p = x / n
    centre = p + z * z / (2 * n)
    spread = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (centre - spread) / (1 + z * z / n)


def median_and_mad(values: Mapping[str, float]) -> tuple[float, float]:
    """The median, and 1.4826 times the median distance from it, as R's `mad`."""
    median = statistics.median(values.values())
    return median, 1.4826 * statistics.median(abs(value - median) for value in values.values())


def robust_z(values: Mapping[str, float]) -> dict[str, float]:
    """(v − median)/(1.4826·MAD) by domain; empty where there is no spread.

    >>> robust_z({"a": 0, "b": 1, "c": 2, "d": 3, "e": 10})["e"] > 3
    True
    """
    if len(values) < FEWEST_DOMAINS:
        return {}
    median, mad = median_and_mad(values)
    return {name: (value - median) / mad for name, value in values.items()} if mad > 0 else {}


def discoveries(p_values: Mapping[str, float], limit: float, q: float = Q) -> set[str]:
    """The domains with p at or below `limit` that Benjamini–Hochberg keeps at rate q.

    Source: Benjamini & Hochberg (1995); the second condition is R's `p.adjust(p, "BH") <= q`.

    >>> sorted(discoveries({"a": 0.001, "b": 0.02, "c": 0.04, "d": 0.9}, 0.05))
    ['a', 'b']
    """
    ordered = sorted(p_values.values())
    kept = [p for rank, p in enumerate(ordered, 1) if p <= q * rank / len(ordered)]
    line = min(max(kept, default=-1.0), limit)
    return {name for name, p in p_values.items() if p <= line}


def burst_p(largest: int, arrivals: int, hours: Mapping[int, int]) -> float:
    """The chance that some five minutes bring a domain `largest` answers or more.

    Its answers come as a Poisson process that follows the whole wave's profile by the hour:
    1 − Π_h P(Poisson(arrivals·n_h/(12·Σn)) < largest)^12.

    Args:
        largest: the largest count of a domain in five minutes.
        arrivals: all its answers.
        hours: answers of the whole wave in each hour.

    >>> round(burst_p(3, 12, {0: 10, 1: 10}), 4)
    0.2938
    """
    total = sum(hours.values())
    if largest <= 0 or not total:
        return 1.0
    log_none = sum(
        12 * float(scipy.stats.poisson.logcdf(largest - 1, arrivals * n / (12 * total)))
        for n in hours.values()
        if n
    )
    return -math.expm1(log_none)


def difference_p(
    one: tuple[int, int], other: tuple[int, int], *, design_effect: float = 1.0
) -> tuple[float, float]:
    """(difference of shares, one-sided p that it is not above zero) for two counts (n, x).

    Source: the unpooled two-sample test; R's `pnorm(d / se, lower.tail = FALSE)`.

    >>> d, p = difference_p((1000, 950), (200, 170), design_effect=1.5)
    >>> round(d, 2), round(p, 4)
    (0.1, 0.0009)
    """
    (n, x), (m, y) = one, other
    p, r = x / n, y / m
    variance = design_effect * (p * (1 - p) / n + r * (1 - r) / m)
    if variance == 0:
        return p - r, 0.0 if p > r else 1.0
    return p - r, float(scipy.stats.norm.sf((p - r) / math.sqrt(variance)))


def excess_p(differences: Mapping[str, float], variances: Mapping[str, float]) -> dict[str, float]:
    """One-sided p by school that its difference is not above the county's.

    z = (d − median)/√(v + τ²); τ² is what the robust variance of the differences, (1.4826·MAD)²,
    leaves beyond the median of their sampling variances v: schools may truly differ a little.

    Args:
        differences, variances: by school; the sampling variance of each difference.

    >>> round(excess_p({c: i / 10 for i, c in enumerate("abcdefg")}, dict.fromkeys("abcdefg", 0.001))["g"], 3)
    0.156
    """
    if len(differences) < FEWEST_DOMAINS:
        return {}
    median, mad = median_and_mad(differences)
    between = max(0.0, mad**2 - statistics.median(variances.values()))
    found = {}
    for name, difference in differences.items():
        variance = variances[name] + between
        shifted = (difference - median) / math.sqrt(variance) if variance > 0 else None
        found[name] = 1.0 if shifted is None else float(scipy.stats.norm.sf(shifted))
    return found
