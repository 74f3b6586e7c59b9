"""Flags from one group held against another: web against telephone, parents against pupils.

Counts (n valid, x satisfied) by domain enter; flags leave. Where the answers of one group were
arranged, they leave those of another group in the same school behind; a county whose groups
simply see things differently moves the median, not one school.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction

from survey.cases.few_answers import FEW_ANSWERS, code_of, share_text
from survey.cases.flag import FEWEST, Flag
from survey.cases.flag_statistics import difference_p, discoveries, excess_p
from survey.exact import truncate
from survey.sampling.sample import DomainDraw

LIMIT = 0.05
NOT_TOLD = "不显示"
"""In place of a distance from which a share of few could be had."""
DESIGN_EFFECT = 1.5
NAMES = {"parent": "家长", "student": "学生", "teacher": "教师"}
PAIRS = (("parent", "student"), ("teacher", "parent"))
"""(group that may have been told, group it is held against)."""

Counts = Mapping[str, tuple[int, int]]
"""Domain → (valid opinions, satisfied ones)."""


def against_calls(counted: Counts, calls: Counts, draws: Mapping[str, DomainDraw]) -> list[Flag]:
    """I4: a group's web share above that of its call-backs, one-sided 5%, design effect 1.5.

    Args:
        calls: what call-backs gave, by domain.
    """
    flags = []
    for group in sorted({draws[domain].group for domain in calls if domain in draws}):
        web, phone = (
            _sum(counts[domain] for domain in counts if domain in draws and draws[domain].group == group)
            for counts in (counted, calls)
        )
        if min(web[0], phone[0]) < FEWEST:
            continue
        gap, p = difference_p(web, phone, design_effect=DESIGN_EFFECT)
        if p <= LIMIT:
            words = f"网上{_share(web)}，回访{phone[0]}人{_share(phone)}，差得超出偶然"
            told = all(code_of(Fraction(x, n), n) is None for n, x in (web, phone))
            flags.append(Flag("I4", group, truncate(gap, 4) if told else NOT_TOLD, "p≤0.05", words, "beside"))
    return flags


def between_groups(counted: Counts, calls: Counts, draws: Mapping[str, DomainDraw]) -> list[Flag]:
    """I12: parents − calls, parents − pupils, teachers − parents of a school against the county's."""
    flags = []
    for pair, matches in _pairs(counted, calls, draws).items():
        gaps = {one: (x / n - y / m) for one, ((n, x), (m, y)) in matches.items()}
        spread = {one: _variance(*a) + _variance(*b) for one, (a, b) in matches.items()}
        for domain in sorted(discoveries(excess_p(gaps, spread), LIMIT)):
            # The school's page tells one of the two rates: the distance would tell the other, of a few teachers.
            told = min(n for n, _ in matches[domain]) >= FEW_ANSWERS
            points = f"（{truncate(gaps[domain] * 100, 1)}个百分点）" if told else ""
            value = truncate(gaps[domain], 4) if told else NOT_TOLD
            flags.append(Flag("I12", domain, value, "p≤0.05", f"{pair}的差距{points}比全县大得多"))
    return flags


def _pairs(
    counted: Counts, calls: Counts, draws: Mapping[str, DomainDraw]
) -> dict[str, dict[str, tuple[tuple[int, int], tuple[int, int]]]]:
    """Pair of groups → domain of the first → its counts and those it is held against."""
    by_school: dict[tuple[str, str], list[str]] = {}
    for domain, counts in counted.items():
        school = draws[domain].school_code
        if school is not None and counts[0] >= FEWEST:
            by_school.setdefault((school, draws[domain].group), []).append(domain)
    found: dict[str, dict[str, tuple[tuple[int, int], tuple[int, int]]]] = {
        "家长和回访": {
            domain: (counted[domain], counts)
            for domain, counts in calls.items()
            if counts[0] >= FEWEST and counted.get(domain, (0, 0))[0] >= FEWEST
        }
    }
    for one, other in PAIRS:
        matches: dict[str, tuple[tuple[int, int], tuple[int, int]]] = {}
        for (school, group), domains in sorted(by_school.items()):
            others = by_school.get((school, other), [])
            if group == one and others:
                against = _sum(counted[domain] for domain in others)
                matches |= {domain: (counted[domain], against) for domain in domains}
        found[f"{NAMES[one]}和{NAMES[other]}"] = matches
    return found


def _variance(n: int, x: int) -> float:
    """p(1 − p)/n with one satisfied and one not added, so that a unanimous domain is not taken for exact."""
    p = (x + 1) / (n + 2)
    return p * (1 - p) / n


def _sum(counts: Iterable[tuple[int, int]]) -> tuple[int, int]:
    rows = list(counts)
    return sum(n for n, _ in rows), sum(x for _, x in rows)


def _share(counts: tuple[int, int]) -> str:
    return share_text(Fraction(counts[1], counts[0]), counts[0], places=3)
