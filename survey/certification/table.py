"""The certified table, and the estimators that make one figure of it, exactly.

Rows of counts enter; a `Fraction` leaves, and the decision against the line. The table is
free of order and time: one row per domain or pool of domains. Everything is exact, because
"85.00%" and "just below" must not depend on a processor. Standard library only.

    stratified-mean/v1   Σ eligible·x/n ÷ Σ eligible              rows {domain, n, x}
    weighted-ratio/v1    Σ_g share_g · (Σ w·x ÷ Σ w·v)            rows {domain, group, n, v, w, x}
    weighted-parts/v1    Σ_g share_g · Σ_p a_gp · (Σ w·x ÷ Σ w·v)  rows {domain, group, n, parts, w}
    full-body/v1         Σ_g share_g · (Σ x ÷ Σ eligible)         rows {domain, group, n, x}

n is the number of counted answers, v of valid opinions, x of satisfied ones, w the weight
of one case as a fraction in text. `parts` maps a part of the figure (an item of a form, or the
overall one) to its {v, x}, x here the sum of points over the most there are, a fraction in text
from 0 to v; the plan's `part_shares` give a_gp. A part of which a group gave no valid opinion
leaves, and the group's other parts carry its share in proportion to their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import lcm
from typing import Any

from survey.certification.fields import FieldRefusedError, Fields, objects
from survey.certification.signed_plan import DECISIONS, SignedPlan

TABLE = "table.json"
MAX_DENOMINATOR_BITS = 200_000
_KEYS = {
    "stratified-mean/v1": ("domain", "n", "x"),
    "weighted-ratio/v1": ("domain", "group", "n", "v", "w", "x"),
    "weighted-parts/v1": ("domain", "group", "n", "parts", "w"),
    "full-body/v1": ("domain", "group", "n", "x"),
}
_NOBODY: tuple[int, Fraction] = (0, Fraction(0))


@dataclass(frozen=True)
class TableRow:
    """One row: a domain or a pool, what was counted there, and what it weighs."""

    domain: str
    n: int
    x: int | Fraction
    v: int
    w: Fraction | None = None
    group: str | None = None
    parts: Mapping[str, tuple[int, Fraction]] = field(default_factory=dict)
    """Part of the figure → (valid opinions, sum of points); of `weighted-parts/v1` alone."""


def read_table(document: Any, estimator: str, file: str = TABLE) -> tuple[TableRow, ...]:
    """The rows of a table for an estimator.

    Raises:
        FieldRefusedError: keys other than the estimator's, counts that contradict one
            another, a weight that is not positive, rows that are not sorted by domain.
    """
    if not isinstance(document, list) or not document:
        raise FieldRefusedError(file, "", "应当是一个非空数组")
    rows = [_read_row(fields, estimator) for fields in objects(file, document)]
    names = [row.domain for row in rows]
    if names != sorted(set(names)):
        raise FieldRefusedError(file, "domain", "没有按域排序，或者有重复的域")
    return tuple(rows)


def _read_row(fields: Fields, estimator: str) -> TableRow:
    fields.only(_KEYS[estimator])
    n = fields.count("n")
    if estimator == "stratified-mean/v1":
        return TableRow(fields.text("domain"), fields.count("n", 1), fields.count("x", 0, n), n)
    if estimator == "full-body/v1":
        return TableRow(fields.text("domain"), n, fields.count("x", 0, n), n, None, fields.text("group"))
    w = fields.fraction("w")
    if w <= 0:
        raise fields.refuse("w", "权数要大于0")
    if estimator == "weighted-parts/v1":
        parts = {
            name: _read_part(fields.object("parts").object(name), n) for name in fields.object("parts").values
        }
        return TableRow(fields.text("domain"), n, 0, n, w, fields.text("group"), parts)
    v = fields.count("v", 0, n)
    return TableRow(fields.text("domain"), n, fields.count("x", 0, v), v, w, fields.text("group"))


def _read_part(fields: Fields, n: int) -> tuple[int, Fraction]:
    """(v, x) of one part: no more opinions than answers, no more points than opinions."""
    fields.only(("v", "x"))
    v, x = fields.count("v", 0, n), fields.fraction("x")
    if not 0 <= x <= v:
        raise fields.refuse("x", f"应当在0到{v}之间")
    return v, x


def members_of(
    rows: Sequence[TableRow], plan: SignedPlan, pooled: Mapping[str, Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    """The plan's domains behind each row.

    Args:
        pooled: from the statement: the domains of every row that is not itself a domain.

    Raises:
        FieldRefusedError: a row that is neither domain nor pool, a domain in two rows, or a
            domain with eligible persons in none; open posters may stay outside.
    """
    members: dict[str, tuple[str, ...]] = {}
    row_of: dict[str, str] = {}
    for row in rows:
        inside = tuple(pooled[row.domain]) if row.domain in pooled else (row.domain,)
        members[row.domain] = inside
        for domain in inside:
            if domain not in plan.domains:
                raise FieldRefusedError(TABLE, row.domain, f"方案里没有域{domain}")
            if domain in row_of:
                raise FieldRefusedError(TABLE, row.domain, f"域{domain}同时在{row_of[domain]}里")
            row_of[domain] = row.domain
    for name, listed in plan.domains.items():
        if listed.eligible and listed.mode != "open" and name not in row_of:
            raise FieldRefusedError(TABLE, name, "方案里的域不在表中")
    return members


def figure_of(rows: Sequence[TableRow], plan: SignedPlan, members: Mapping[str, Sequence[str]]) -> Fraction:
    """The figure by the plan's estimator, as an exact fraction in [0, 1].

    Raises:
        FieldRefusedError: nobody eligible, or a group with a share and no valid opinion.
    """
    if plan.estimator == "stratified-mean/v1":
        eligible = {row.domain: sum(plan.domains[d].eligible for d in members[row.domain]) for row in rows}
        return stratified_mean([(eligible[row.domain], row.n, row.x) for row in rows])
    if plan.estimator == "full-body/v1":
        body = [
            (str(row.group), sum(plan.domains[d].eligible for d in members[row.domain]), row.n, row.x)
            for row in rows
        ]
        return full_body(body, plan.shares)
    if plan.estimator == "weighted-parts/v1":
        return weighted_parts(rows, plan.shares, plan.part_shares)
    return weighted_ratio(rows, plan.shares)


def stratified_mean(rows: Sequence[tuple[int, int, int | Fraction]]) -> Fraction:
    """Σ eligible·x/n ÷ Σ eligible over rows of (eligible, n, x).

    >>> stratified_mean([(412, 3, 2), (36, 2, 1), (188, 3, 3)])
    Fraction(721, 954)
    """
    total = sum(eligible for eligible, _, _ in rows)
    if total == 0:
        raise FieldRefusedError(TABLE, "", "表里没有应答的人")
    common = _common_denominator({n for _, n, _ in rows})
    satisfied = sum(eligible * x * (common // n) for eligible, n, x in rows)
    return Fraction(satisfied, total * common)


def weighted_ratio(rows: Sequence[TableRow], shares: Mapping[str, Fraction]) -> Fraction:
    """Σ_g share_g · (Σ w·x ÷ Σ w·v), the sums over the rows of group g.

    >>> weighted_ratio([TableRow("a", 10, 4, 8, Fraction(3), "g"), TableRow("b", 9, 9, 9, Fraction(1), "g")],
    ...                {"g": Fraction(1)})
    Fraction(7, 11)
    """
    figure = Fraction(0)
    _only_listed({str(row.group) for row in rows}, shares)
    for group, share in shares.items():
        if share:
            figure += share * _ratio([row for row in rows if row.group == group], group)
    return figure


def weighted_parts(
    rows: Sequence[TableRow],
    shares: Mapping[str, Fraction],
    part_shares: Mapping[str, Mapping[str, Fraction]],
) -> Fraction:
    """Σ_g share_g · Σ_p a_gp · (Σ w·x ÷ Σ w·v): points, or items of several weights.

    >>> row = TableRow("a", 10, 0, 10, Fraction(1), "g", {"q1": (10, Fraction(15, 2)), "q2": (0, Fraction(0))})
    >>> weighted_parts([row], {"g": Fraction(1)}, {"g": {"q1": Fraction(1, 4), "q2": Fraction(3, 4)}})
    Fraction(3, 4)
    """
    _only_listed({str(row.group) for row in rows}, shares)
    figure = Fraction(0)
    for group, share in shares.items():
        if not share:
            continue
        inside = [row for row in rows if row.group == group]
        listed = part_shares.get(group, {})
        if unlisted := sorted({name for row in inside for name in row.parts} - set(listed)):
            raise FieldRefusedError(TABLE, "parts", f"方案里没有{unlisted[0]}的份额")
        known = {
            name: _ratio([_of_part(row, name) for row in inside], group)
            for name in listed
            if any(row.parts.get(name, _NOBODY)[0] for row in inside)
        }
        carried = sum((listed[name] for name in known), Fraction(0))
        if not carried:
            raise FieldRefusedError(TABLE, "group", f"{group}没有有效意见")
        figure += share * sum((listed[name] * rate for name, rate in known.items()), Fraction(0)) / carried
    return figure


def _of_part(row: TableRow, name: str) -> TableRow:
    v, x = row.parts.get(name, _NOBODY)
    return TableRow(row.domain, row.n, x, v, row.w, row.group)


def full_body(rows: Sequence[tuple[str, int, int, int | Fraction]], shares: Mapping[str, Fraction]) -> Fraction:
    """Σ_g share_g · (Σ x ÷ Σ eligible) over rows of (group, eligible, n, x): whoever is silent did not vote for.

    >>> full_body([("deputy", 60, 50, 45), ("deputy", 40, 40, 30)], {"deputy": Fraction(1)})
    Fraction(3, 4)
    """
    _only_listed({group for group, *_ in rows}, shares)
    if crowded := [eligible for _, eligible, n, _ in rows if n > eligible]:
        raise FieldRefusedError(TABLE, "n", f"计入的份数多于全体{crowded[0]}人")
    figure = Fraction(0)
    for group, share in shares.items():
        body = sum(eligible for name, eligible, _, _ in rows if name == group)
        if share and not body:
            raise FieldRefusedError(TABLE, "group", f"{group}没有应答的人")
        if share:
            figure += share * Fraction(sum(x for name, _, _, x in rows if name == group), body)
    return figure


def _only_listed(groups: set[str], shares: Mapping[str, Fraction]) -> None:
    """Refuses a row of a group that has no share in the plan."""
    if unlisted := sorted(groups - set(shares)):
        raise FieldRefusedError(TABLE, "group", f"方案里没有{unlisted[0]}的份额")


def _ratio(rows: Sequence[TableRow], group: str) -> Fraction:
    """Σ w·x ÷ Σ w·v over the rows of one group."""
    weights = [row.w or Fraction(0) for row in rows]
    common = _common_denominator({weight.denominator for weight in weights})
    whole = [weight.numerator * (common // weight.denominator) for weight in weights]
    valid = sum(weight * row.v for weight, row in zip(whole, rows))
    if not valid:
        raise FieldRefusedError(TABLE, "group", f"{group}没有有效意见")
    return Fraction(sum((weight * row.x for weight, row in zip(whole, rows)), Fraction(0)), valid)


def _common_denominator(denominators: set[int]) -> int:
    """The least common multiple, bounded: nobody's table may keep a verifier busy for hours."""
    common = 1
    for denominator in sorted(denominators):
        common = lcm(common, denominator)
        if common.bit_length() > MAX_DENOMINATOR_BITS:
            raise FieldRefusedError(TABLE, "w", "权数的公分母过大")
    return common


def decide(
    figure: Fraction,
    plan: SignedPlan,
    rows: Sequence[TableRow],
    members: Mapping[str, Sequence[str]],
    callbacks: int = 0,
) -> bool | None:
    """Whether the line is reached, unrounded, by the figure or by every group; None where nothing may be said.

    Nothing is said without a threshold, when an open poster is in the table, and when a quota
    poster is, unless the plan allows it and 200 call-backs are recorded (TRUST section 3).
    """
    classes = {plan.domains[d].evidence_class for row in rows for d in members[row.domain]}
    if plan.threshold is None or "C" in classes:
        return None
    if "B" in classes and not (plan.pass_with_class_b and callbacks >= 200):
        return None
    held = group_figures(rows, plan, members).values() if plan.every_group else (figure,)
    if DECISIONS[plan.decision] == "above":
        return all(one > plan.threshold for one in held)
    return all(one >= plan.threshold for one in held)


def group_figures(
    rows: Sequence[TableRow], plan: SignedPlan, members: Mapping[str, Sequence[str]]
) -> dict[str, Fraction]:
    """The figure of every group with a share, by the plan's estimator."""
    return {
        group: figure_of(
            [row for row in rows if row.group == group], replace(plan, shares={group: Fraction(1)}), members
        )
        for group, share in plan.shares.items()
        if share
    }
