"""Drawn schools side by side: each with its interval, held against its county, never ranked.

What enters is a wave's tables; what leaves is a row for each drawn school and group, small ones
withheld. Within a school every slip had the same chance, so a share of its answers is a binomial one.
Only parents and pupils stand here: a school's teachers are few, and know each other (TRUST
section 16, METHOD 18).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import scipy  # its parts load themselves when first asked

from survey.estimation.comparison import holm
from survey.estimation.disclosure import withhold
from survey.estimation.figure import display_text, interval_document
from survey.estimation.intervals import korn_graubard
from survey.estimation.wave_rates import Rate
from survey.estimation.wave_tables import Tables
from survey.exact import percent_text, truncate
from survey.sampling.scheme_sizes import GROUP_NAMES

SHOWN_GROUPS = ("parent", "student")
RISK = 0.05
"""Chance of telling any school of the table apart although none differs."""


def school_table(tables: Tables) -> list[dict[str, Any]]:
    """Rows by group, and in a group by school code: rate, exact interval, and how it stands to its county.

    The interval is Clopper and Pearson's; the test is two-sided and exact, of the school's satisfied
    answers under the group's rate in the whole wave, with Holm's correction over all rows shown.

    Empty for a figure that is not a share.

    Source: Clopper & Pearson (1934), Biometrika 26, p. 404, R `binom.test`; Holm (1979).
    """
    if not tables.proportion:
        return []
    rows = [row for group in SHOWN_GROUPS if group in tables.shares for row in _of_group(tables, group)]
    tested = [row for row in rows if "chance" in row]
    for row, chance in zip(tested, holm([row["chance"] for row in tested]), strict=True):
        row["chance"] = truncate(chance)
        row["against_county"] = "level" if chance >= RISK else row.pop("side")
        row.pop("side", None)
    return rows


def _of_group(tables: Tables, group: str) -> list[dict[str, Any]]:
    whole = tables.rates.rate(tables.answers, lambda draw: draw.group == group, None)
    if whole is None:
        return []
    rows = [
        _row(tables, whole, group, code, name)
        for code, name in sorted(
            {
                (draw.school_code, draw.school_name)
                for draw in tables.rates.draws.values()
                if draw.group == group and draw.school_code
            }
        )
    ]
    # Teachers' lists and county lists are other rows of the group's total; schools alone do add up to it.
    return withhold(rows, tables.smallest) if len(rows) > 1 else []


def _row(tables: Tables, whole: Rate, group: str, code: str, name: str) -> dict[str, Any]:
    def keep(draw: Any) -> bool:
        return bool(draw.group == group and draw.school_code == code)

    row = {
        "key": code,
        "name": name,
        "group": group,
        "group_name": GROUP_NAMES[group],
        **tables.returns(keep),
    }
    rate = tables.rates.rate(tables.answers, keep, None)
    if rate is None:
        return row | {"n": 0, "n_valid": 0}
    return row | {"n": rate.n, "n_valid": rate.n_valid} | dict(_figures(tables, whole, rate))


def _figures(tables: Tables, whole: Rate, rate: Rate) -> Iterator[tuple[str, Any]]:
    shown, n = truncate(rate.value), rate.n_valid
    yield from (("shown", shown), ("percent", percent_text(shown)), ("display", display_text(rate.value, n)))
    satisfied = rate.value * n
    if satisfied.denominator != 1:
        # Two weight classes in one school: no binomial count, so no exact interval.
        yield "cautions", ["这所学校里各班抽到的机会不同，不给区间"]
        return
    p = float(rate.value)
    found = korn_graubard(p, p * (1 - p) / n, n, float("inf"), tables.level)
    if found is not None:
        yield "interval", interval_document(found.lower, found.upper)
    yield "cautions", ["份数少，区间很宽"] if n < 30 else []
    test = scipy.stats.binomtest(int(satisfied), n, float(whole.value))
    yield "chance", float(test.pvalue)
    yield "side", "above" if rate.value > whole.value else "below"
