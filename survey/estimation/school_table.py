"""Drawn schools side by side: each with its interval, held against its county, never ranked.

What enters is a wave's tables; what leaves is a row for each drawn school and group, small ones
withheld. Within a school every slip had the same chance, so a share of its answers is a binomial one.
Only parents and pupils stand here: a school's teachers are few, and know each other (TRUST
section 16, METHOD 18).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from math import ceil, floor
from typing import Any

import scipy  # its parts load themselves when first asked

from survey.cases.few_answers import AT_LEAST, code_of
from survey.estimation.comparison import holm
from survey.estimation.disclosure import emptied, withhold
from survey.estimation.figure import interval_document
from survey.estimation.intervals import korn_graubard
from survey.estimation.leftovers import rows_to_hide
from survey.estimation.wave_rates import Rate, of_group
from survey.estimation.wave_tables import Tables
from survey.exact import fraction, percent_text, truncate
from survey.sampling.scheme_sizes import GROUP_NAMES

SHOWN_GROUPS = ("parent", "student")
Row = tuple[str, str]
"""Group and school code."""
RISK = 0.05
"""Chance of telling any school of the table apart although none differs."""


def school_table(tables: Tables, hidden: Collection[str] = ()) -> list[dict[str, Any]]:
    """Rows by group, and in a group by school code: rate, exact interval, and how it stands to its county.

    The interval is Clopper and Pearson's; the test is two-sided and exact, of the school's satisfied
    answers under the group's rate in the whole wave, with Holm's correction over all rows shown.

    Args:
        hidden: groups whose own row is withheld; their schools are not told either.

    Returns:
        Empty for a figure that is not a share.

    Source: Clopper & Pearson (1934), Biometrika 26, p. 404, R `binom.test`; Holm (1979).
    """
    if not tables.proportion:
        return []
    rows = [
        row for group in SHOWN_GROUPS if group in tables.shares and group not in hidden for row in _of_group(tables, group)
    ]
    rows = _less_what_gives_others_away(rows, tables)
    tested = [row for row in rows if "chance" in row]
    for row, chance in zip(tested, holm([row["chance"] for row in tested]), strict=True):
        side = row.pop("side")
        row["chance"] = truncate(chance)
        row["against_county"] = "level" if chance >= RISK else side
    return rows


def told_domains(rows: Iterable[Mapping[str, Any]], tables: Tables) -> frozenset[str]:
    """The domains that rows of schools tell one by one."""
    told = {(row["group"], row["key"]) for row in rows if not row.get("withheld")}
    return frozenset(
        domain for domain, draw in tables.rates.draws.items() if (draw.group, draw.school_code) in told
    )


def _less_what_gives_others_away(rows: list[dict[str, Any]], tables: Tables) -> list[dict[str, Any]]:
    """More rows hidden where the certified table less what is shown would leave a few answers.

    A school whose answers are pooled with a smaller one's tells the smaller one's, too. And a group's only
    row that is hidden, or told as a bound, would follow from its total or its counts by option, so it
    never stays alone.
    """
    of_row = {(row["group"], row["key"]): row for row in rows}
    inside: dict[Row, set[str]] = {row: set() for row in of_row}
    for domain, draw in tables.rates.draws.items():
        if draw.school_code and (draw.group, draw.school_code) in inside:
            inside[draw.group, draw.school_code].add(domain)
    n_of_row = {row: sum(tables.n_of.get(domain, 0) for domain in of) for row, of in inside.items()}
    names = {f"{group} {code}": (group, code) for group, code in of_row}
    hidden = {row for row, one in of_row.items() if one.get("withheld")}
    bounded = {
        row
        for row, one in of_row.items()
        if row not in hidden and "shown" in one and code_of(fraction(one["shown"]), one["n_valid"]) is not None
    }
    while True:
        taken = rows_to_hide(
            {name: inside[row] for name, row in names.items()},
            [name for name, row in names.items() if row in hidden],
            tables.pools,
            tables.n_of,
            tables.smallest,
        )
        hidden = {names[name] for name in taken}
        alone = {group for group, n in Counter(group for group, _ in hidden | bounded).items() if n == 1}
        more = [row for row in of_row if row not in hidden and row[0] in alone and row not in bounded]
        if not more:
            break
        hidden.add(min(more, key=lambda row: (n_of_row[row], row)))
    return [
        emptied(one, tables.smallest) if row in hidden and not one.get("withheld") else one
        for row, one in of_row.items()
    ]


def _of_group(tables: Tables, group: str) -> list[dict[str, Any]]:
    whole = tables.rates.rate(tables.answers, of_group(group), None)
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
    # Any sum of them is one of certified rows, which `leftovers` minds.
    return withhold(rows, tables.smallest, complement=False) if len(rows) > 1 else []


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
    yield from (("shown", shown), ("percent", percent_text(shown)), ("display", percent_text(shown)))
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
    # A school whose share is told as a bound is tested at the bound: the verdict tells no more than it.
    bound = code_of(rate.value, n)
    held = satisfied if bound is None else ceil(bound * n) if bound == AT_LEAST else floor(bound * n)
    test = scipy.stats.binomtest(int(held), n, float(whole.value))
    yield "chance", float(test.pvalue)
    yield "side", "above" if rate.value > whole.value else "below"
