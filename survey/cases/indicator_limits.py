"""The limits of the data-quality indicators, as the plan signs them before anybody answers.

Nothing enters; one line of text an indicator leaves. What an indicator computes is in
`indicators`; whoever changes a limit there changes it here, and the next plan carries it.
Source: TRUST section 15.
"""

from __future__ import annotations

LIMITS = {
    "I1": "d > max(2, 2% of used)",
    "I2": "any honey slip used",
    "I3": "any canary missing or different",
    "I4": "p_web - p_call, one-sided 5%, design effect 1.5",
    "I5": "Wilson lower bound > 5%, n >= 10",
    "I6": "posters: > 5 and > 20% of answers from one address in an hour; only with I7",
    "I7": "largest 5-minute count, Poisson p <= 0.001, BH q 0.05; only with I6 or I8",
    "I8": "share below 2 s per item, robust z > 3",
    "I9": "near-duplicates, permutation p <= 0.01, BH q 0.05",
    "I10": "share all best, robust z > 3",
    "I11": "coverage > 98% and > 80% on one day",
    "I12": "difference of groups above the county's, one-sided p <= 0.05, BH q 0.05",
    "I13": "reversed pair both extreme, robust z > 3",
    "I14": "same text of >= 8 signs, >= 3 times",
    "I15": "weekdays 08-17, robust z > 3",
}


def limits_document() -> list[dict[str, str]]:
    """Every indicator with its limit, in their order."""
    return [{"id": name, "limit": limit} for name, limit in LIMITS.items()]
